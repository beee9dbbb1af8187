#include "tiles.h"

const Tiles *neon_tiles(void) { return NULL; }
