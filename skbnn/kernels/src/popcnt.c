/* Scalar popcnt: every x86-64 since 2008. */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define SKBNN_HAS_POPCNT
#endif

#ifdef SKBNN_HAS_POPCNT
#pragma GCC push_options
#pragma GCC target("popcnt")
#define SKBNN_POPCOUNT __builtin_popcountll
#include "scalar.h"
#pragma GCC pop_options

static const Tiles tiles = {"popcnt", fires, popcounts, masked_popcounts, compare32, compare64, encode32, encode64};

const Tiles *popcnt_tiles(void) { return __builtin_cpu_supports("popcnt") ? &tiles : NULL; }
#else
const Tiles *popcnt_tiles(void) { return NULL; }
#endif
