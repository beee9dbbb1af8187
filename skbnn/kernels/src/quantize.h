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

/* Ties to even. The inverse is off by 2^-24 of itself, far from what would make the largest a 128. Around 3 * 2^22
 * floats are the integers, which their low bits count; to cast NaN to one would be undefined. */
INLINE int8_t nearest(float x) {
    const float rounded = x + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return (int8_t)bits;
}

static void quantize_rows(const float *d, ptrdiff_t block_stride, const Int8Gradients *out) {
    for (ptrdiff_t row = 0; row < out->n_rows; row++, d += 64) {
        int8_t *bytes = (int8_t *)(out->quads + row * out->row_stride);
        int32_t largest = magnitude(LEAST), sum = 0;
        for (ptrdiff_t quad = 0; quad < out->n_quads; quad += 16)
            for (ptrdiff_t i = 0; i < 64; i++) largest = larger(largest, magnitude(d[quad / 16 * block_stride + i]));
        const float inverse = inverse_scale(largest);
        for (ptrdiff_t quad = 0; quad < out->n_quads; quad += 16)
            for (ptrdiff_t i = 0; i < 64; i++)
                sum += bytes[4 * quad + i] = nearest(d[quad / 16 * block_stride + i] * inverse);
        out->scales[row] = 1 / inverse, out->sums[row] = sum;
    }
}

/* Row after row, as they lie in memory, with every column's state in the arrays: `sums` holds the largest magnitudes
 * first, `scales` their inverses until the end. */
static void quantize_columns(const float *d, ptrdiff_t n_rows, const Int8Gradients *out) {
    float *restrict scales = out->scales;
    int32_t *restrict sums = out->sums;
    for (ptrdiff_t i = 0; i < 64; i++) sums[i] = magnitude(LEAST);
    for (ptrdiff_t row = 0; row < n_rows; row++)
        for (ptrdiff_t i = 0; i < 64; i++) sums[i] = larger(sums[i], magnitude(d[64 * row + i]));
    for (ptrdiff_t i = 0; i < 64; i++) scales[i] = inverse_scale(sums[i]), sums[i] = 0;
    for (ptrdiff_t row = 0; row < n_rows; row++) {
        uint32_t *restrict quads = out->quads + row / 4 * 64;
        for (ptrdiff_t i = 0; i < 64; i++) {
            const int8_t byte = nearest(d[64 * row + i] * scales[i]);
            quads[i] = (row % 4 ? quads[i] : 0) | (uint32_t)(uint8_t)byte << row % 4 * 8;
            sums[i] += byte;
        }
    }
    for (ptrdiff_t i = 0; i < 64; i++) scales[i] = 1 / scales[i];
}
