/* Batch normalization in plain C, for the compiler to vectorize; the includer chooses the instruction set.
 *
 * Sums run down the rows, one a unit, so that every set rounds alike. Eight rows are added up in float32, which is half
 * the work, and these sums in double, so that what is lost does not grow with the number of rows. Loops take all
 * columns of a block, so that their count is a constant.
 */
#include <math.h>
#include <string.h>

#include "tiles.h"

/* Added to the variance of the dot products, whose scale is the fan-in, so it matters only where nothing varies. */
static const double EPSILON = 1e-5;

enum { COLUMNS = 64, ROWS_AT_A_TIME = 8 };

/* The sum of TERM(row, i), of a row or of eight from there; ADD(ONE) and ADD(EIGHT) add it for column i to a sum. */
#define ONE(TERM) TERM(row, i)
#define EIGHT(TERM)                                                                \
    (((TERM(row, i) + TERM(row + 1, i)) + (TERM(row + 2, i) + TERM(row + 3, i))) + \
     ((TERM(row + 4, i) + TERM(row + 5, i)) + (TERM(row + 6, i) + TERM(row + 7, i))))
#define ADD_ROWS(ADD)                                                 \
    {                                                                 \
        ptrdiff_t row = 0;                                            \
        for (; row + ROWS_AT_A_TIME <= n_rows; row += ROWS_AT_A_TIME) \
            for (ptrdiff_t i = 0; i < COLUMNS; i++) {                 \
                ADD(EIGHT)                                            \
            }                                                         \
        for (; row < n_rows; row++)                                   \
            for (ptrdiff_t i = 0; i < COLUMNS; i++) {                 \
                ADD(ONE)                                              \
            }                                                         \
    }

static void normalize(float *restrict x, const double *weights, double total_weight, ptrdiff_t n_rows,
                      const BatchNormArrays *norm) {
    double sums[COLUMNS] = {0}, squares[COLUMNS] = {0};
    float mean[COLUMNS], inverse_std[COLUMNS];
#define WEIGHTED(row, i) ((float)weights[row] * x[(row) * COLUMNS + i])
#define DEVIATION(row, i) (x[(row) * COLUMNS + i] - mean[i])
#define SQUARE(row, i) ((float)weights[row] * DEVIATION(row, i) * DEVIATION(row, i))
#define ADD_WEIGHTED(OF) sums[i] += OF(WEIGHTED);
#define ADD_SQUARES(OF) squares[i] += OF(SQUARE);
    ADD_ROWS(ADD_WEIGHTED)
    for (ptrdiff_t i = 0; i < COLUMNS; i++) mean[i] = (float)(sums[i] / total_weight);
    ADD_ROWS(ADD_SQUARES)
    for (ptrdiff_t i = 0; i < COLUMNS; i++) inverse_std[i] = (float)(1 / sqrt(squares[i] / total_weight + EPSILON));
    memcpy(norm->inverse_std, inverse_std, (size_t)norm->n_units * sizeof(float));
    for (ptrdiff_t row = 0; row < n_rows; row++, x += COLUMNS)
        for (ptrdiff_t i = 0; i < COLUMNS; i++) x[i] = (x[i] - mean[i]) * inverse_std[i];
}

static void scale_and_shift(const float *restrict x, ptrdiff_t n_rows, const BatchNormArrays *norm,
                            float *restrict out) {
    const size_t n_bytes = (size_t)norm->n_units * sizeof(float);
    float gain[COLUMNS] = {0}, bias[COLUMNS] = {0};
    memcpy(gain, norm->gain, n_bytes);
    memcpy(bias, norm->bias, n_bytes);
    for (ptrdiff_t row = 0; row < n_rows; row++, x += COLUMNS, out += COLUMNS)
        for (ptrdiff_t i = 0; i < COLUMNS; i++) out[i] = gain[i] * x[i] + bias[i];
}

static void normalize_backward(const float *restrict x, float *restrict gradient, const double *weights,
                               double total_weight, ptrdiff_t n_rows, const BatchNormArrays *norm) {
    const size_t n_bytes = (size_t)norm->n_units * sizeof(float);
    double sums[COLUMNS] = {0}, products[COLUMNS] = {0};
    float sum_of_gradient[COLUMNS], sum_of_products[COLUMNS], slope[COLUMNS] = {0};
#define GRADIENT(row, i) gradient[(row) * COLUMNS + i]
#define GRADIENT_TIMES_X(row, i) (gradient[(row) * COLUMNS + i] * x[(row) * COLUMNS + i])
#define ADD_GRADIENTS(OF) sums[i] += OF(GRADIENT), products[i] += OF(GRADIENT_TIMES_X);
    ADD_ROWS(ADD_GRADIENTS)
    for (ptrdiff_t i = 0; i < COLUMNS; i++)
        sum_of_gradient[i] = (float)sums[i], sum_of_products[i] = (float)products[i];
    memcpy(norm->bias_gradient, sum_of_gradient, n_bytes);
    memcpy(norm->gain_gradient, sum_of_products, n_bytes);
    for (ptrdiff_t i = 0; i < norm->n_units; i++) slope[i] = norm->gain[i] * norm->inverse_std[i];
    for (ptrdiff_t row = 0; row < n_rows; row++, x += COLUMNS, gradient += COLUMNS) {
        const float share = (float)(weights[row] / total_weight);
        for (ptrdiff_t i = 0; i < COLUMNS; i++)
            gradient[i] = slope[i] * (gradient[i] - share * (sum_of_gradient[i] + x[i] * sum_of_products[i]));
    }
}
