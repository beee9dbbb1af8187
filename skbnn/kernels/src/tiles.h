/* The register tiles: what each instruction set does best, and nothing else.
 *
 * Every set computes the same bits; the loops over layers and groups of units are Cython's (_layer.pyx). A tile walks
 * down all rows of a block by itself, since a call for every few rows costs a third of a narrow layer's time.
 *
 * Weights are interleaved by eight units, w[group][word][8], so that one broadcast input word meets eight units at
 * once, no sum runs across lanes, and comparing eight popcounts with eight thresholds is one byte of the next
 * layer's input.
 */
#ifndef SKBNN_TILES_H
#define SKBNN_TILES_H

#include <stddef.h>
#include <stdint.h>

enum { TILE_ROWS = 6, TILE_GROUPS = 2 };

/* popcount(x ^ w) of all rows (x_stride words apart) with 8 * `groups` <= 8 * TILE_GROUPS units.
 *
 * fires:     bit u of out[row * out_stride + group] is popcount <= thresholds[8 * group + u]
 * popcounts: out[row * out_stride + 8 * group + u] is the popcount
 * masked_popcounts: the same for popcount((x ^ w) & mask), where mask is laid out as x
 */
typedef void fires_tile(const uint64_t *x, ptrdiff_t x_stride, ptrdiff_t n_rows, const uint64_t *w, ptrdiff_t n_words,
                        ptrdiff_t groups, const int32_t *thresholds, uint8_t *out, ptrdiff_t out_stride);
typedef void popcounts_tile(const uint64_t *x, ptrdiff_t x_stride, ptrdiff_t n_rows, const uint64_t *w,
                            ptrdiff_t n_words, ptrdiff_t groups, int32_t *out, ptrdiff_t out_stride);
typedef void masked_popcounts_tile(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, ptrdiff_t n_rows,
                                   const uint64_t *w, ptrdiff_t n_words, ptrdiff_t groups, int32_t *out,
                                   ptrdiff_t out_stride);

/* Bit j of the packed words is values[j] >= thresholds[j], for j < n_bits; the padding bits of the last word are 0.
 * Returns whether every value is finite. A NaN, as value or as threshold, compares false. */
typedef int compare32_tile(const float *values, const float *thresholds, ptrdiff_t n_bits, uint64_t *out);
typedef int compare64_tile(const double *values, const double *thresholds, ptrdiff_t n_bits, uint64_t *out);

/* The same with several thresholds a feature: bit j is features[f] >= thresholds[j] for offsets[f] <= j < offsets[f +
 * 1]. THRESHOLDS_PADDING more thresholds can be read. */
enum { THRESHOLDS_PADDING = 16 };
typedef int encode32_tile(const float *features, ptrdiff_t n_features, const float *thresholds, const int32_t *offsets,
                          uint64_t *out);
typedef int encode64_tile(const double *features, ptrdiff_t n_features, const double *thresholds,
                          const int32_t *offsets, uint64_t *out);

/* Operands of the backward products. Four neighbours of the dimension summed over are the four bytes of a quad; those
 * that the last quad lacks are gradients of 0.
 *
 * Gradients are rounded to bytes, -127 to 127: those of a row are bytes * scales[row], to within scales[row] / 2, where
 * scales[row] is the row's largest magnitude / 127. Quad q of a row lies at quads + row * row_stride + q * quad_stride;
 * sums[row] is the sum of its bytes.
 */
typedef struct {
    uint32_t *quads;
    float *scales;
    int32_t *sums;
    ptrdiff_t n_rows, n_quads, row_stride, quad_stride;
} Int8Gradients;

/* Fill the arrays of `out`, which the caller allocates, from d, which lies in blocks: 64 columns, row after row, that
 * are 0 where columns are lacking. quantize_rows makes rows out of those of d; its blocks are `block_stride` floats
 * apart, and the quads of a row lie together, with room for whole blocks. quantize_columns makes 64 rows out of the
 * columns of a block, whose quads are 64 apart. The scale of a row with NaN or infinity in it is not finite either. */
typedef void quantize_rows_tile(const float *d, ptrdiff_t block_stride, const Int8Gradients *out);
typedef void quantize_columns_tile(const float *d, ptrdiff_t n_rows, const Int8Gradients *out);

/* 64 quads of unsigned bytes, one more than a sign: byte 4k + i is 2 where bit k of words[i] is 1, 0 where it is 0, and
 * 1 where bit k of keep[i] is 0; a NULL keep keeps every sign. */
enum { SIGN_QUADS = 256 };
typedef void sign_quads_tile(const uint64_t words[4], const uint64_t *keep, uint8_t out[SIGN_QUADS]);

/* out[row * out_stride + k] = sum over quads q of a[row][q] * signs[q][k], as real numbers, for k < n <= 64. The sum is
 * one of integers, so its order does not matter; 16 million summands stay below 2^31. */
typedef void signs_product_tile(const Int8Gradients *a, const uint8_t *signs, ptrdiff_t n, float *out,
                                ptrdiff_t out_stride);

typedef struct {
    quantize_rows_tile *quantize_rows;
    quantize_columns_tile *quantize_columns;
    sign_quads_tile *sign_quads;
    signs_product_tile *signs_product;
} Int8Tiles;

/* One update of n parameters by Adam, clipped to +-bound; rate and squared_epsilon hold the bias corrections. */
typedef struct {
    float keep_1, keep_2, rate, squared_epsilon, bound;
} AdamStep;
typedef void adam_tile(float *value, const float *gradient, float *first, float *second, ptrdiff_t n,
                       const AdamStep *step);

/* Of a block of units, whose rows are 64 long: x[row][u] holds popcounts as int32 and becomes the dot products, kept -
 * 2 * popcount, for u < n_units, and 0 beyond; kept is n_inputs or, unless mask is NULL, what the row's n_words words
 * of it count. */
typedef void dots_tile(float *x, const uint64_t *mask, ptrdiff_t n_words, ptrdiff_t n_inputs, ptrdiff_t n_rows,
                       ptrdiff_t n_units);

/* Batch norm of a block of units, whose rows are 64 long, with zeros for the units that are lacking; rows
 * count by their weights. normalize turns x into (x - mean) / std; scale_and_shift writes gain * x + bias to out.
 * normalize_backward takes x as normalize left it; it turns the gradient of out into that of the x before, and fills
 * the gradients of gain and bias. */
typedef struct {
    const float *gain, *bias;
    float *gain_gradient, *bias_gradient, *inverse_std;
    ptrdiff_t n_units;
} BatchNormArrays;
typedef void normalize_tile(float *x, const double *weights, double total_weight, ptrdiff_t n_rows,
                            const BatchNormArrays *norm);
typedef void scale_and_shift_tile(const float *x, ptrdiff_t n_rows, const BatchNormArrays *norm, float *out);
typedef void normalize_backward_tile(const float *x, float *gradient, const double *weights, double total_weight,
                                     ptrdiff_t n_rows, const BatchNormArrays *norm);

/* x[i] = exp(x[i]) for x[i] <= 0, to a unit in the last place or two; 0 below -87. */
typedef void exp_of_negative_tile(float *x, ptrdiff_t n);

/* gradient[i] *= the pseudo-derivative of the sign at x[i]. */
typedef void surrogate_tile(const float *x, float *gradient, ptrdiff_t n);

/* Of a block: gradient[row][i] *= bit i of the row's word, for i < 64; the words lie every `n_words` in `mask`. */
typedef void drop_tile(float *gradient, const uint64_t *mask, ptrdiff_t n_rows, ptrdiff_t n_words);

/* Random bits, each 1 with probability digits / 2^COIN_DIGITS, below 1. Word i is of lane i % COIN_LANES, whose numbers
 * are those of SFC64 with the state {seeds[0][lane], seeds[1][lane], seeds[2][lane], 1}. */
enum { COIN_LANES = 8, COIN_DIGITS = 16 };
typedef void bernoulli_tile(const uint64_t seeds[3][COIN_LANES], uint32_t digits, uint64_t *words, ptrdiff_t n_words);

typedef struct {
    const char *name;
    fires_tile *fires;
    popcounts_tile *popcounts;
    masked_popcounts_tile *masked_popcounts;
    compare32_tile *compare32;
    compare64_tile *compare64;
    encode32_tile *encode32;
    encode64_tile *encode64;
    adam_tile *adam;
    dots_tile *dots;
    normalize_tile *normalize;
    scale_and_shift_tile *scale_and_shift;
    normalize_backward_tile *normalize_backward;
    exp_of_negative_tile *exp_of_negative;
    surrogate_tile *approx_sign, *clipped_identity;
    drop_tile *drop;
    bernoulli_tile *bernoulli;
    const Int8Tiles *int8; /* NULL where there are none */
} Tiles;

/* An instruction set's tiles, which have these names in each of the files. */
#define TILES(name, int8)                                                                                              \
    {name, fires,     popcounts, masked_popcounts, compare32,          compare64,       encode32,    encode64,         \
     adam, dots,      normalize, scale_and_shift,  normalize_backward, exp_of_negative, approx_sign, clipped_identity, \
     drop, bernoulli, int8}

/* Each returns its tiles, or NULL where the compiler cannot build them or this CPU cannot run them. */
const Tiles *avx512_vnni_tiles(void); /* avx512_tiles, and the products of training */
const Tiles *avx512_tiles(void);
const Tiles *avx2_tiles(void);
const Tiles *popcnt_tiles(void);
const Tiles *neon_tiles(void);
const Tiles *portable_tiles(void); /* never NULL */

#ifdef __GNUC__
/* TARGET("avx2") up to END_TARGET: functions that may use the instruction set; they are called where the CPU has it. */
#define PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#define TARGET(set) PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define END_TARGET PRAGMA(clang attribute pop)
#else
#define TARGET(set) PRAGMA(GCC push_options) PRAGMA(GCC target(set))
#define END_TARGET PRAGMA(GCC pop_options)
#endif

/* A short loop over a constant count. Unrolled early, an array indexed by it is registers; later, GCC would have laid
 * it out in memory. */
#define EACH(i, n) PRAGMA(GCC unroll 6) for (int i = 0; i < (n); i++)

/* Inlined where its sizes are constants. */
#define INLINE static inline __attribute__((always_inline))
#else
#define PRAGMA(text)
#endif

#endif
