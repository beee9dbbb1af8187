/* Adam in plain C, for the compiler to vectorize; the includer chooses the instruction set. */
#include <string.h>

#include "tiles.h"

/* ROOT_SHARE / sqrt(x) to within .07 %, where a division and a root would take most of the time: the exponent halved as
 * an integer, then a step like Newton's, with the constants that err least over all x (Kadlec, "Improving the fast
 * inverse square root", 2010). Finite at 0. */
static const float ROOT_SHARE = 1 / 0.703952253f;

static inline float inverse_root(float x) {
    uint32_t bits;
    float root;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x5f1ffff9u - (bits >> 1);
    memcpy(&root, &bits, sizeof root);
    return root * (2.38924456f - x * root * root);
}

static void adam(float *restrict value, const float *restrict gradient, float *restrict first, float *restrict second,
                 ptrdiff_t n, const AdamStep *step) {
    const AdamStep s = *step;
    const float rate = s.rate / ROOT_SHARE;
    for (ptrdiff_t i = 0; i < n; i++) {
        float g = gradient[i];
        first[i] = s.keep_1 * first[i] + (1 - s.keep_1) * g;
        second[i] = s.keep_2 * second[i] + (1 - s.keep_2) * g * g;
        float updated = value[i] - rate * first[i] * inverse_root(second[i] + s.squared_epsilon);
        updated = updated < s.bound ? updated : s.bound;
        value[i] = updated > -s.bound ? updated : -s.bound;
    }
}
