#include "tiles.h"

const Tiles *avx2_tiles(void) { return NULL; }
