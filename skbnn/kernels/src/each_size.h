/* Turns the always-inlined fires_of and popcounts_of of a register tile into the functions of Tiles: down the rows in
 * whole tiles, then a tail that is as specialized as they are. */
#include "tiles.h"

#define TAIL(CALL, ARGUMENT)              \
    switch (n_rows - row) {               \
        case 1: CALL(1, ARGUMENT); break; \
        case 2: CALL(2, ARGUMENT); break; \
        case 3: CALL(3, ARGUMENT); break; \
        case 4: CALL(4, ARGUMENT); break; \
        case 5: CALL(5, ARGUMENT); break; \
    }
#define DOWN_THE_ROWS(CALL, ARGUMENT)                                              \
    for (; row + TILE_ROWS <= n_rows; row += TILE_ROWS) CALL(TILE_ROWS, ARGUMENT); \
    TAIL(CALL, ARGUMENT)
#define EACH_SIZE(CALL)          \
    ptrdiff_t row = 0;           \
    if (groups == TILE_GROUPS) { \
        DOWN_THE_ROWS(CALL, 2)   \
    } else {                     \
        DOWN_THE_ROWS(CALL, 1)   \
    }

static void fires(const uint64_t *x, ptrdiff_t x_stride, ptrdiff_t n_rows, const uint64_t *w, ptrdiff_t n_words,
                  ptrdiff_t groups, const int32_t *thresholds, uint8_t *out, ptrdiff_t out_stride) {
#define FIRES(ROWS, GROUPS) \
    fires_of(x + row * x_stride, x_stride, ROWS, w, n_words, GROUPS, thresholds, out + row * out_stride, out_stride)
    EACH_SIZE(FIRES)
}

static void popcounts(const uint64_t *x, ptrdiff_t x_stride, ptrdiff_t n_rows, const uint64_t *w, ptrdiff_t n_words,
                      ptrdiff_t groups, int32_t *out, ptrdiff_t out_stride) {
#define POPCOUNTS(ROWS, GROUPS) \
    popcounts_of(x + row * x_stride, NULL, x_stride, ROWS, w, n_words, GROUPS, out + row * out_stride, out_stride)
    EACH_SIZE(POPCOUNTS)
}

static void masked_popcounts(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, ptrdiff_t n_rows,
                             const uint64_t *w, ptrdiff_t n_words, ptrdiff_t groups, int32_t *out,
                             ptrdiff_t out_stride) {
#define MASKED(ROWS, GROUPS)                                                                    \
    popcounts_of(x + row * x_stride, mask + row * x_stride, x_stride, ROWS, w, n_words, GROUPS, \
                 out + row * out_stride, out_stride)
    EACH_SIZE(MASKED)
}
