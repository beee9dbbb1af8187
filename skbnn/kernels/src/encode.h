/* The encoding tiles on two primitives of an instruction set, each for float and double:
 *
 * reaches(value, thresholds): bit i is value >= thresholds[i], for i < LANES; higher bits are ignored
 * all_finite(values, n): whether every value is
 */
#include "tiles.h"

#define ENCODE(name, type, LANES, reaches, all_finite)                                                          \
    static int name(const type *features, ptrdiff_t n_features, const type *thresholds, const int32_t *offsets, \
                    uint64_t *out) {                                                                            \
        uint64_t word = 0;                                                                                      \
        int used = 0; /* bits of the word */                                                                    \
        for (ptrdiff_t feature = 0; feature < n_features; feature++)                                            \
            for (int32_t bit = offsets[feature]; bit < offsets[feature + 1]; bit += LANES) {                    \
                int n = offsets[feature + 1] - bit < LANES ? offsets[feature + 1] - bit : LANES;                \
                uint64_t bits = reaches(features[feature], thresholds + bit) & (((uint64_t)1 << n) - 1);        \
                word |= bits << used;                                                                           \
                used += n;                                                                                      \
                if (used >= 64) {                                                                               \
                    *out++ = word;                                                                              \
                    used -= 64;                                                                                 \
                    word = bits >> (n - used); /* n - used < 64, since LANES < 64 */                            \
                }                                                                                               \
            }                                                                                                   \
        if (used) *out = word;                                                                                  \
        return all_finite(features, n_features);                                                                \
    }
