/* Scalar popcnt: every x86-64 since 2008. */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
TARGET("popcnt")
#define SKBNN_POPCOUNT __builtin_popcountll
#include "scalar.h"
END_TARGET

static const Tiles tiles = TILES("popcnt", NULL);

const Tiles *popcnt_tiles(void) { return __builtin_cpu_supports("popcnt") ? &tiles : NULL; }
#else
const Tiles *popcnt_tiles(void) { return NULL; }
#endif
