/* The tiles that encode, in plain C. */
#include "tiles.h"

#define COMPARE(type, bits)                                                                                 \
    static int all_finite##bits(const type *values, ptrdiff_t n) {                                          \
        type sum = 0; /* 0 times a finite number is 0, times any other NaN */                               \
        for (ptrdiff_t i = 0; i < n; i++) sum += values[i] * 0;                                             \
        return sum == 0;                                                                                    \
    }                                                                                                       \
    static int compare##bits(const type *values, const type *thresholds, ptrdiff_t n_bits, uint64_t *out) { \
        for (ptrdiff_t start = 0; start < n_bits; start += 64) {                                            \
            ptrdiff_t stop = start + 64 < n_bits ? start + 64 : n_bits;                                     \
            uint64_t word = 0;                                                                              \
            for (ptrdiff_t bit = start; bit < stop; bit++)                                                  \
                word |= (uint64_t)(values[bit] >= thresholds[bit]) << (bit - start);                        \
            out[start / 64] = word;                                                                         \
        }                                                                                                   \
        return all_finite##bits(values, n_bits);                                                            \
    }                                                                                                       \
    static inline uint64_t reaches##bits(type value, const type *threshold) { return value >= *threshold; }
COMPARE(float, 32)
COMPARE(double, 64)

#include "encode.h"
ENCODE(encode32, float, 1, reaches32, all_finite32)
ENCODE(encode64, double, 1, reaches64, all_finite64)
