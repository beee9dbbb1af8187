/* Gradients as bytes, in plain C for the compiler to vectorize; the includer chooses the instruction set. */
#include <string.h>

#include "tiles.h"

/* The largest magnitude counts as this at least, so that 127 / magnitude is finite. */
static const float LEAST = 1e-36f;

/* As an integer: in the same order, with NaN the largest, so that the scale shows it, whatever its byte is. */
INLINE int32_t magnitude(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & INT32_MAX;
}

INLINE int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

INLINE float inverse_scale(int32_t largest) {
    float x;
    memcpy(&x, &largest, sizeof x);
    return 127 / x;
}

/* The nearest integer, ties to even, plus NEAREST_0: around 3 * 2^22 floats are the integers, which their bits count;
 * to cast NaN to one would be undefined. The low byte is the integer's. The inverse of a scale is off by 2^-24 of
 * itself, far from what would make the largest a 128. */
enum { NEAREST_0 = 0x4b400000 };

INLINE uint32_t nearest(float x) {
    const float rounded = x + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

static void quantize_rows(const float *d, ptrdiff_t block_stride, const Int8Gradients *out) {
    for (ptrdiff_t row = 0; row < out->n_rows; row++, d += 64) {
        uint8_t *bytes = (uint8_t *)(out->quads + row * out->row_stride);
        int32_t largest = magnitude(LEAST);
        uint32_t sum = 0, n = 0;
        for (ptrdiff_t quad = 0; quad < out->n_quads; quad += 16)
            for (ptrdiff_t i = 0; i < 64; i++) largest = larger(largest, magnitude(d[quad / 16 * block_stride + i]));
        const float inverse = inverse_scale(largest);
        for (ptrdiff_t quad = 0; quad < out->n_quads; quad += 16, n += 64)
            for (ptrdiff_t i = 0; i < 64; i++) {
                const uint32_t bits = nearest(d[quad / 16 * block_stride + i] * inverse);
                bytes[4 * quad + i] = (uint8_t)bits;
                sum += bits;
            }
        out->scales[row] = 1 / inverse, out->sums[row] = (int32_t)(sum - n * NEAREST_0);
    }
}

/* A quad of each of 64 columns out of n_rows <= 4 rows, whose bytes `sums` counts. */
INLINE void quads_of_columns(const float *restrict d, const ptrdiff_t n_rows, const float *restrict inverses,
                             uint32_t *restrict quads, uint32_t *restrict sums) {
    for (ptrdiff_t i = 0; i < 64; i++) {
        uint32_t quad = 0, sum = 0;
        for (ptrdiff_t row = 0; row < n_rows; row++) {
            const uint32_t bits = nearest(d[64 * row + i] * inverses[i]);
            quad |= (bits & 255) << 8 * row;
            sum += bits - NEAREST_0;
        }
        quads[i] = quad;
        sums[i] += sum;
    }
}

static void quantize_columns(const float *d, ptrdiff_t n_rows, const Int8Gradients *out) {
    int32_t largest[64];
    uint32_t sums[64] = {0};
    float inverses[64];
    for (ptrdiff_t i = 0; i < 64; i++) largest[i] = magnitude(LEAST);
    for (ptrdiff_t row = 0; row < n_rows; row++)
        for (ptrdiff_t i = 0; i < 64; i++) largest[i] = larger(largest[i], magnitude(d[64 * row + i]));
    for (ptrdiff_t i = 0; i < 64; i++) inverses[i] = inverse_scale(largest[i]);
    ptrdiff_t row = 0;
    for (; row + 4 <= n_rows; row += 4) quads_of_columns(d + 64 * row, 4, inverses, out->quads + 16 * row, sums);
    if (row < n_rows) quads_of_columns(d + 64 * row, n_rows - row, inverses, out->quads + 16 * row, sums);
    for (ptrdiff_t i = 0; i < 64; i++) out->scales[i] = 1 / inverses[i], out->sums[i] = (int32_t)sums[i];
}
