/* Rows of bytes out of columns. */
#ifndef SKBNN_TRANSPOSE_H
#define SKBNN_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "prefetch.h"

#define BLOCK 8 /* bytes of an uint64_t */

/* Swap the part of `a` that `low` selects, `bits` further up, with the part of `b` that it selects. */
static inline void swap_parts(uint64_t *a, uint64_t *b, int bits, uint64_t low) {
    uint64_t differ = (*a >> bits ^ *b) & low;
    *b ^= differ;
    *a ^= differ << bits;
}

/* Transpose 8 x 8 bytes in quarters, quarters of these, and so on (Warren, Hacker's Delight, 2nd ed., 7-3). */
static inline void transpose_block(const char *in, ptrdiff_t in_stride, char *out, ptrdiff_t out_stride) {
    uint64_t lines[BLOCK];
    for (int i = 0; i < BLOCK; i++) memcpy(lines + i, in + i * in_stride, BLOCK);
    for (int i = 0; i < BLOCK; i++)
        if (!(i & 4)) swap_parts(lines + i, lines + i + 4, 32, 0x00000000ffffffff);
    for (int i = 0; i < BLOCK; i++)
        if (!(i & 2)) swap_parts(lines + i, lines + i + 2, 16, 0x0000ffff0000ffff);
    for (int i = 0; i < BLOCK; i++)
        if (!(i & 1)) swap_parts(lines + i, lines + i + 1, 8, 0x00ff00ff00ff00ff);
    for (int i = 0; i < BLOCK; i++) memcpy(out + i * out_stride, lines + i, BLOCK);
}

/* out[row * n_columns + column] = columns[column * stride + row] */
static inline void transpose_bytes(const char *columns, ptrdiff_t stride, ptrdiff_t n_rows, ptrdiff_t n_columns,
                                   char *out) {
    for (ptrdiff_t column = 0; column < n_columns; column += BLOCK) {
        ptrdiff_t n_here = n_columns - column < BLOCK ? n_columns - column : BLOCK;
        for (ptrdiff_t next = column; next < column + n_here; next++)
            if (next + COLUMNS_AHEAD < n_columns) prefetch(columns + (next + COLUMNS_AHEAD) * stride, n_rows);
        for (ptrdiff_t row = 0; row < n_rows; row += BLOCK) {
            ptrdiff_t rows = n_rows - row < BLOCK ? n_rows - row : BLOCK;
            const char *from = columns + column * stride + row;
            char *to = out + row * n_columns + column;
            if (rows == BLOCK && n_here == BLOCK) {
                transpose_block(from, stride, to, n_columns);
            } else {
                for (ptrdiff_t i = 0; i < rows; i++)
                    for (ptrdiff_t j = 0; j < n_here; j++) to[i * n_columns + j] = from[j * stride + i];
            }
        }
    }
}

#undef BLOCK

#endif
