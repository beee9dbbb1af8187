/* The tiles in plain C, on SKBNN_POPCOUNT(word). The includer chooses the instruction set. */
#include "tiles.h"

static void masked_popcounts(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, ptrdiff_t n_rows,
                             const uint64_t *w, ptrdiff_t n_words, ptrdiff_t groups, int32_t *out,
                             ptrdiff_t out_stride) {
    for (ptrdiff_t row = 0; row < n_rows; row++)
        for (ptrdiff_t group = 0; group < groups; group++) {
            int32_t counts[8] = {0};
            for (ptrdiff_t word = 0; word < n_words; word++) {
                uint64_t input = x[row * x_stride + word], keep = mask ? mask[row * x_stride + word] : ~(uint64_t)0;
                const uint64_t *units = w + (group * n_words + word) * 8;
                for (int unit = 0; unit < 8; unit++)
                    counts[unit] += (int32_t)SKBNN_POPCOUNT((input ^ units[unit]) & keep);
            }
            for (int unit = 0; unit < 8; unit++) out[row * out_stride + 8 * group + unit] = counts[unit];
        }
}

static void popcounts(const uint64_t *x, ptrdiff_t x_stride, ptrdiff_t n_rows, const uint64_t *w, ptrdiff_t n_words,
                      ptrdiff_t groups, int32_t *out, ptrdiff_t out_stride) {
    masked_popcounts(x, NULL, x_stride, n_rows, w, n_words, groups, out, out_stride);
}

static void fires(const uint64_t *x, ptrdiff_t x_stride, ptrdiff_t n_rows, const uint64_t *w, ptrdiff_t n_words,
                  ptrdiff_t groups, const int32_t *thresholds, uint8_t *out, ptrdiff_t out_stride) {
    for (ptrdiff_t row = 0; row < n_rows; row++) {
        int32_t counts[TILE_GROUPS * 8];
        popcounts(x + row * x_stride, x_stride, 1, w, n_words, groups, counts, 0);
        for (ptrdiff_t group = 0; group < groups; group++) {
            unsigned bits = 0;
            for (ptrdiff_t unit = 0; unit < 8; unit++)
                bits |= (unsigned)(counts[8 * group + unit] <= thresholds[8 * group + unit]) << unit;
            out[row * out_stride + group] = (uint8_t)bits;
        }
    }
}

#include "adam.h"
#include "batch_norm.h"
#include "coins.h"
#include "dots.h"
#include "drop.h"
#include "exp.h"
#include "surrogate.h"
#include "compare.h"
