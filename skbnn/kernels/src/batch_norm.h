/* Batch normalization in plain C, for the compiler to vectorize; the includer chooses the instruction set.
 *
 * Sums run down the rows, one a unit, so that every set rounds alike. Some units at a time stay in cache for all
 * passes, and four rows at a time spare three of four loads and stores of their sums.
 */
#include <math.h>

#include "tiles.h"

/* Added to the variance of the dot products, whose scale is the fan-in, so it matters only where nothing varies. */
static const double EPSILON = 1e-5;

enum { UNITS_AT_A_TIME = 64 };

/* sums[i] += TERM(row, i) for i < n, row after row. */
#define ADD_ROWS(sums, TERM)                                                                               \
    {                                                                                                      \
        ptrdiff_t row = 0;                                                                                 \
        for (; row + 4 <= n_rows; row += 4)                                                                \
            for (ptrdiff_t i = 0; i < n; i++)                                                              \
                sums[i] = sums[i] + TERM(row, i) + TERM(row + 1, i) + TERM(row + 2, i) + TERM(row + 3, i); \
        for (; row < n_rows; row++)                                                                        \
            for (ptrdiff_t i = 0; i < n; i++) sums[i] += TERM(row, i);                                     \
    }

static void normalize(float *x, float *out, const double *weights, double total_weight, ptrdiff_t n_rows,
                      const BatchNormArrays *norm) {
    const ptrdiff_t stride = norm->stride;
    for (ptrdiff_t start = 0; start < norm->n_units; start += UNITS_AT_A_TIME) {
        const ptrdiff_t left = norm->n_units - start, n = left < UNITS_AT_A_TIME ? left : UNITS_AT_A_TIME;
        const float *gain = norm->gain + start, *bias = norm->bias + start;
        float *restrict inverse_std = norm->inverse_std + start;
        float *restrict values = x + start, *restrict outputs = out + start;
        double mean[UNITS_AT_A_TIME] = {0}, variance[UNITS_AT_A_TIME] = {0};
#define WEIGHTED(row, i) weights[row] * values[(row) * stride + i]
#define SQUARE(row, i) weights[row] * (values[(row) * stride + i] - mean[i]) * (values[(row) * stride + i] - mean[i])
        ADD_ROWS(mean, WEIGHTED)
        for (ptrdiff_t i = 0; i < n; i++) mean[i] /= total_weight;
        ADD_ROWS(variance, SQUARE)
        for (ptrdiff_t i = 0; i < n; i++) inverse_std[i] = (float)(1 / sqrt(variance[i] / total_weight + EPSILON));
        for (ptrdiff_t row = 0; row < n_rows; row++)
            for (ptrdiff_t i = 0; i < n; i++) {
                const float normalized = (float)(values[row * stride + i] - mean[i]) * inverse_std[i];
                values[row * stride + i] = normalized;
                outputs[row * stride + i] = gain[i] * normalized + bias[i];
            }
    }
}

static void normalize_backward(const float *x, float *gradient, const double *weights, double total_weight,
                               ptrdiff_t n_rows, const BatchNormArrays *norm) {
    const ptrdiff_t stride = norm->stride;
    for (ptrdiff_t start = 0; start < norm->n_units; start += UNITS_AT_A_TIME) {
        const ptrdiff_t left = norm->n_units - start, n = left < UNITS_AT_A_TIME ? left : UNITS_AT_A_TIME;
        const float *gain = norm->gain + start, *inverse_std = norm->inverse_std + start, *normalized = x + start;
        float *restrict sum_of_gradient = norm->bias_gradient + start;
        float *restrict sum_of_products = norm->gain_gradient + start;
        float *restrict g = gradient + start;
        double sums[UNITS_AT_A_TIME] = {0}, products[UNITS_AT_A_TIME] = {0};
#define GRADIENT(row, i) g[(row) * stride + i]
#define GRADIENT_TIMES_X(row, i) (double)g[(row) * stride + i] * normalized[(row) * stride + i]
        ADD_ROWS(sums, GRADIENT)
        ADD_ROWS(products, GRADIENT_TIMES_X)
        for (ptrdiff_t i = 0; i < n; i++) sum_of_gradient[i] = (float)sums[i], sum_of_products[i] = (float)products[i];
        for (ptrdiff_t row = 0; row < n_rows; row++) {
            const float share = (float)(weights[row] / total_weight);
            for (ptrdiff_t i = 0; i < n; i++)
                g[row * stride + i] =
                    gain[i] * inverse_std[i] *
                    (g[row * stride + i] -
                     share * (sum_of_gradient[i] + normalized[row * stride + i] * sum_of_products[i]));
        }
    }
}
