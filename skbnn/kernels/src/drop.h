/* Dropout's backward pass in plain C, for the compiler to vectorize; the includer chooses the instruction set. */
#include "tiles.h"

static inline void keep(float *restrict gradient, uint32_t bits) {
    for (ptrdiff_t i = 0; i < 32; i++) gradient[i] *= (float)(int32_t)(bits >> i & 1);
}

static void drop(float *gradient, const uint64_t *mask, ptrdiff_t n_rows, ptrdiff_t n_words) {
    for (ptrdiff_t row = 0; row < n_rows; row++, gradient += 64, mask += n_words) {
        keep(gradient, (uint32_t)*mask);
        keep(gradient + 32, (uint32_t)(*mask >> 32));
    }
}
