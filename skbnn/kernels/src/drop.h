/* Dropout's backward pass in plain C, for the compiler to vectorize; the includer chooses the instruction set. */
#include "tiles.h"

static inline void keep(float *restrict gradient, uint64_t bits, ptrdiff_t n) {
    const uint32_t half = (uint32_t)bits;
    for (ptrdiff_t i = 0; i < n; i++) gradient[i] *= (float)(int32_t)(half >> i & 1);
}

static void drop(float *gradient, const uint64_t *mask, ptrdiff_t n_rows, ptrdiff_t n) {
    const ptrdiff_t n_words = (n + 63) / 64;
    for (ptrdiff_t row = 0; row < n_rows; row++, gradient += n, mask += n_words) {
        ptrdiff_t i = 0;
        for (; i + 32 <= n; i += 32) keep(gradient + i, mask[i / 64] >> i % 64, 32);
        if (i < n) keep(gradient + i, mask[i / 64] >> i % 64, n - i);
    }
}
