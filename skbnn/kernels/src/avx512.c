#include "tiles.h"

const Tiles *avx512_tiles(void) { return NULL; }
