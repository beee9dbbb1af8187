/* Turns the always-inlined fires_of and popcounts_of of a register tile into the functions of Tiles: a switch over
 * the sizes, so that a tail is as specialized as the whole tile. */
#include "tiles.h"

#define EACH_ROWS(CALL, GROUPS)         \
    switch (rows) {                     \
        case 1: CALL(1, GROUPS); break; \
        case 2: CALL(2, GROUPS); break; \
        case 3: CALL(3, GROUPS); break; \
        case 4: CALL(4, GROUPS); break; \
        case 5: CALL(5, GROUPS); break; \
        default: CALL(6, GROUPS);       \
    }
#define EACH_SIZE(CALL)        \
    if (groups == TILE_GROUPS) \
        EACH_ROWS(CALL, 2)     \
    else                       \
        EACH_ROWS(CALL, 1)

static void fires(const uint64_t *x, ptrdiff_t x_stride, ptrdiff_t rows, const uint64_t *w, ptrdiff_t n_words,
                  ptrdiff_t groups, const int32_t *thresholds, uint8_t *out, ptrdiff_t out_stride) {
#define FIRES(ROWS, GROUPS) fires_of(x, x_stride, ROWS, w, n_words, GROUPS, thresholds, out, out_stride)
    EACH_SIZE(FIRES)
}

static void popcounts(const uint64_t *x, ptrdiff_t x_stride, ptrdiff_t rows, const uint64_t *w, ptrdiff_t n_words,
                      ptrdiff_t groups, int32_t *out, ptrdiff_t out_stride) {
#define POPCOUNTS(ROWS, GROUPS) popcounts_of(x, NULL, x_stride, ROWS, w, n_words, GROUPS, out, out_stride)
    EACH_SIZE(POPCOUNTS)
}

static void masked_popcounts(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, ptrdiff_t rows,
                             const uint64_t *w, ptrdiff_t n_words, ptrdiff_t groups, int32_t *out,
                             ptrdiff_t out_stride) {
#define MASKED(ROWS, GROUPS) popcounts_of(x, mask, x_stride, ROWS, w, n_words, GROUPS, out, out_stride)
    EACH_SIZE(MASKED)
}
