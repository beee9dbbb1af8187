"""One layer over a block of rows: register tiles over all rows, for two groups of units after the other.

The two groups' weights stay in the first-level cache while the block's rows pass by. Strides are in elements.
"""

from skbnn.kernels._dispatch cimport TILE_GROUPS, TILE_ROWS, Tiles, tiles


cdef void layer_fires(const uint64_t *x, Py_ssize_t n_rows, Py_ssize_t x_stride, const uint64_t *w,
                      Py_ssize_t n_words, Py_ssize_t n_groups, const int32_t *thresholds, uint8_t *out,
                      Py_ssize_t out_stride) noexcept nogil:
    """Next layer's input bits: ``packbits(popcount(x ^ w) <= thresholds)``, one byte a group of eight units."""
    cdef const Tiles *tile = tiles()
    cdef Py_ssize_t group = 0, row, groups
    while group < n_groups:
        groups = min(<Py_ssize_t>TILE_GROUPS, n_groups - group)
        row = 0
        while row < n_rows:
            tile.fires(x + row * x_stride, x_stride, min(<Py_ssize_t>TILE_ROWS, n_rows - row),
                       w + group * n_words * 8, n_words, groups, thresholds + 8 * group,
                       out + row * out_stride + group, out_stride)
            row += TILE_ROWS
        group += TILE_GROUPS


cdef void layer_popcounts(const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows, Py_ssize_t x_stride,
                          const uint64_t *w, Py_ssize_t n_words, Py_ssize_t n_groups, int32_t *out,
                          Py_ssize_t out_stride) noexcept nogil:
    """``out = popcount((x ^ w) & mask)``, all units of each row; a NULL mask keeps every bit."""
    cdef const Tiles *tile = tiles()
    cdef Py_ssize_t group = 0, row, groups, rows
    while group < n_groups:
        groups = min(<Py_ssize_t>TILE_GROUPS, n_groups - group)
        row = 0
        while row < n_rows:
            rows = min(<Py_ssize_t>TILE_ROWS, n_rows - row)
            if mask is NULL:
                tile.popcounts(x + row * x_stride, x_stride, rows, w + group * n_words * 8, n_words, groups,
                               out + row * out_stride + 8 * group, out_stride)
            else:
                tile.masked_popcounts(x + row * x_stride, mask + row * x_stride, x_stride, rows,
                                      w + group * n_words * 8, n_words, groups,
                                      out + row * out_stride + 8 * group, out_stride)
            row += TILE_ROWS
        group += TILE_GROUPS
