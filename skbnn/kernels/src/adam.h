/* Adam in plain C, for the compiler to vectorize; the includer chooses the instruction set. */
#include <math.h>

#include "tiles.h"

static void adam(float *restrict value, const float *restrict gradient, float *restrict first, float *restrict second,
                 ptrdiff_t n, const AdamStep *step) {
    const AdamStep s = *step;
    for (ptrdiff_t i = 0; i < n; i++) {
        float g = gradient[i];
        first[i] = s.keep_1 * first[i] + (1 - s.keep_1) * g;
        second[i] = s.keep_2 * second[i] + (1 - s.keep_2) * g * g;
        float updated = value[i] - s.rate * first[i] / (sqrtf(second[i] * s.scale) + s.epsilon);
        updated = updated < s.bound ? updated : s.bound;
        value[i] = updated > -s.bound ? updated : -s.bound;
    }
}
