"""One layer over a block of rows: register tiles for two groups of units after the other.

The two groups' weights stay in the first-level cache while the block's rows pass by. Strides are in elements.
"""

import numpy as np

from skbnn.kernels._dispatch cimport TILE_GROUPS, Tiles, tiles


cdef void layer_fires(const uint64_t *x, Py_ssize_t n_rows, Py_ssize_t x_stride, const uint64_t *w,
                      Py_ssize_t n_words, Py_ssize_t n_groups, const int32_t *thresholds, uint8_t *out,
                      Py_ssize_t out_stride) noexcept nogil:
    """Next layer's input bits: ``packbits(popcount(x ^ w) <= thresholds)``, one byte a group of eight units."""
    cdef const Tiles *tile = tiles()
    cdef Py_ssize_t group = 0, groups
    while group < n_groups:
        groups = min(<Py_ssize_t>TILE_GROUPS, n_groups - group)
        tile.fires(x, x_stride, n_rows, w + group * n_words * 8, n_words, groups, thresholds + 8 * group, out + group,
                   out_stride)
        group += TILE_GROUPS


cdef void layer_popcounts(const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows, Py_ssize_t x_stride,
                          const uint64_t *w, Py_ssize_t n_words, Py_ssize_t n_groups, int32_t *out,
                          Py_ssize_t out_stride) noexcept nogil:
    """``out = popcount((x ^ w) & mask)``, all units of each row; a NULL mask keeps every bit."""
    cdef const Tiles *tile = tiles()
    cdef Py_ssize_t group = 0, groups
    while group < n_groups:
        groups = min(<Py_ssize_t>TILE_GROUPS, n_groups - group)
        if mask is NULL:
            tile.popcounts(x, x_stride, n_rows, w + group * n_words * 8, n_words, groups, out + 8 * group, out_stride)
        else:
            tile.masked_popcounts(x, mask, x_stride, n_rows, w + group * n_words * 8, n_words, groups, out + 8 * group,
                                  out_stride)
        group += TILE_GROUPS


def fires(const uint64_t[:, ::1] x, const uint64_t[:, :, ::1] packed_weights, const int32_t[::1] thresholds):
    """Output bits of a hidden layer, (n_rows, n_words), from packed rows, (n_rows, n_words)."""
    cdef Py_ssize_t n_rows = x.shape[0], n_words = x.shape[1], n_groups = packed_weights.shape[0]
    check_shapes(x, packed_weights)
    if thresholds.shape[0] != 8 * n_groups:
        raise ValueError(f"got {thresholds.shape[0]} thresholds for {n_groups} groups of eight units")
    out = np.zeros((n_rows, (n_groups + 7) // 8), np.uint64)
    cdef uint64_t[:, ::1] words = out
    if out.size:
        with nogil:
            layer_fires(&x[0, 0], n_rows, n_words, &packed_weights[0, 0, 0], n_words, n_groups, &thresholds[0],
                        <uint8_t *>&words[0, 0], 8 * words.shape[1])
    return out


def popcounts(const uint64_t[:, ::1] x, const uint64_t[:, :, ::1] packed_weights, const uint64_t[:, ::1] mask=None):
    """``popcount((x ^ w) & mask)`` of packed rows, (n_rows, n_words), with every unit: (n_rows, 8 * n_groups)."""
    cdef Py_ssize_t n_rows = x.shape[0], n_words = x.shape[1], n_groups = packed_weights.shape[0]
    cdef const uint64_t *kept = NULL
    check_shapes(x, packed_weights)
    if mask is not None:
        if mask.shape[0] != n_rows or mask.shape[1] != n_words:
            raise ValueError(f"mask has shape {(mask.shape[0], mask.shape[1])}, expected {(n_rows, n_words)}")
        kept = &mask[0, 0]
    out = np.empty((n_rows, 8 * n_groups), np.int32)
    cdef int32_t[:, ::1] counts = out
    if out.size:
        with nogil:
            layer_popcounts(&x[0, 0], kept, n_rows, n_words, &packed_weights[0, 0, 0], n_words, n_groups,
                            &counts[0, 0], 8 * n_groups)
    return out


cdef check_shapes(const uint64_t[:, ::1] x, const uint64_t[:, :, ::1] packed_weights):
    if packed_weights.shape[2] != 8 or packed_weights.shape[1] != x.shape[1]:
        shape = packed_weights.shape[0], packed_weights.shape[1], packed_weights.shape[2]
        raise ValueError(f"weights have shape {shape}, expected (n_groups, {x.shape[1]}, 8)")
