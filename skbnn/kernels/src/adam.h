/* Adam in plain C, for the compiler to vectorize; the includer chooses the instruction set. */
#include <string.h>

#include "tiles.h"

/* 1 / sqrt(x) to five digits, where a division and a root would take most of the time: the exponent halved as an
 * integer (Lomont, "Fast Inverse Square Root", 2003), then two steps of Newton. Finite at 0. */
static inline float inverse_root(float x) {
    uint32_t bits;
    float root;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x5f375a86u - (bits >> 1);
    memcpy(&root, &bits, sizeof root);
    root *= 1.5f - 0.5f * x * root * root;
    return root * (1.5f - 0.5f * x * root * root);
}

static void adam(float *restrict value, const float *restrict gradient, float *restrict first, float *restrict second,
                 ptrdiff_t n, const AdamStep *step) {
    const AdamStep s = *step;
    for (ptrdiff_t i = 0; i < n; i++) {
        float g = gradient[i];
        first[i] = s.keep_1 * first[i] + (1 - s.keep_1) * g;
        second[i] = s.keep_2 * second[i] + (1 - s.keep_2) * g * g;
        float updated = value[i] - s.rate * first[i] * inverse_root(second[i] * s.scale + s.squared_epsilon);
        updated = updated < s.bound ? updated : s.bound;
        value[i] = updated > -s.bound ? updated : -s.bound;
    }
}
