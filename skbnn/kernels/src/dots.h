/* From popcounts to dot products in plain C, for the compiler to vectorize; the includer chooses the instruction set
 * and SKBNN_POPCOUNT. */
#include "tiles.h"

static inline void dots_of_row(const int32_t *restrict popcounts, int32_t kept, ptrdiff_t n_units,
                               float *restrict out) {
    for (ptrdiff_t unit = 0; unit < n_units; unit++) out[unit] = (float)(kept - 2 * popcounts[unit]);
}

static void dots(const int32_t *popcounts, const uint64_t *mask, ptrdiff_t n_words, ptrdiff_t n_inputs,
                 ptrdiff_t n_rows, ptrdiff_t n_units, float *out) {
    int32_t kept = (int32_t)n_inputs;
    for (ptrdiff_t row = 0; row < n_rows; row++, popcounts += 64, out += 64) {
        if (mask) {
            kept = 0;
            for (ptrdiff_t word = 0; word < n_words; word++)
                kept += (int32_t)SKBNN_POPCOUNT(mask[row * n_words + word]);
        }
        if (n_units == 64)
            dots_of_row(popcounts, kept, 64, out); /* a count that the compiler knows */
        else
            dots_of_row(popcounts, kept, n_units, out);
    }
}
