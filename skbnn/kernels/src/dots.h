/* From popcounts to dot products in plain C, for the compiler to vectorize; the includer chooses the instruction set
 * and SKBNN_POPCOUNT. */
#include <string.h>

#include "tiles.h"

static inline void dots_of_row(float *x, int32_t kept, ptrdiff_t n_units) {
    for (ptrdiff_t unit = 0; unit < n_units; unit++) {
        int32_t popcount;
        memcpy(&popcount, x + unit, sizeof popcount);
        x[unit] = (float)(kept - 2 * popcount);
    }
}

static void dots(float *x, const uint64_t *mask, ptrdiff_t n_words, ptrdiff_t n_inputs, ptrdiff_t n_rows,
                 ptrdiff_t n_units) {
    int32_t kept = (int32_t)n_inputs;
    for (ptrdiff_t row = 0; row < n_rows; row++, x += 64) {
        if (mask) {
            kept = 0;
            for (ptrdiff_t word = 0; word < n_words; word++)
                kept += (int32_t)SKBNN_POPCOUNT(mask[row * n_words + word]);
        }
        if (n_units == 64)
            dots_of_row(x, kept, 64); /* a count that the compiler knows */
        else
            dots_of_row(x, kept, n_units);
        for (ptrdiff_t unit = n_units; unit < 64; unit++)
            x[unit] = 0; /* a popcount would be a denormal, which is slow */
    }
}
