/* Scalar popcnt: every x86-64 since 2008. */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
TARGET("popcnt")
#define SKBNN_POPCOUNT __builtin_popcountll
#include "scalar.h"
END_TARGET

static const Tiles tiles = {"popcnt",
                            fires,
                            popcounts,
                            masked_popcounts,
                            compare32,
                            compare64,
                            encode32,
                            encode64,
                            adam,
                            dots,
                            normalize,
                            scale_and_shift,
                            normalize_backward,
                            exp_of_negative,
                            approx_sign,
                            clipped_identity,
                            drop,
                            bernoulli,
                            NULL};

const Tiles *popcnt_tiles(void) { return __builtin_cpu_supports("popcnt") ? &tiles : NULL; }
#else
const Tiles *popcnt_tiles(void) { return NULL; }
#endif
