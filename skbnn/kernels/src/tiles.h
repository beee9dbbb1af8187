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

typedef struct {
    const char *name;
    fires_tile *fires;
    popcounts_tile *popcounts;
    masked_popcounts_tile *masked_popcounts;
    compare32_tile *compare32;
    compare64_tile *compare64;
    encode32_tile *encode32;
    encode64_tile *encode64;
} Tiles;

/* Each returns its tiles, or NULL where the compiler cannot build them or this CPU cannot run them. */
const Tiles *avx512_tiles(void);
const Tiles *avx2_tiles(void);
const Tiles *popcnt_tiles(void);
const Tiles *neon_tiles(void);
const Tiles *portable_tiles(void); /* never NULL */

#endif
