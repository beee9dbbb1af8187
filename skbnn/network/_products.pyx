"""The two products of a dense layer's backward pass: real gradients with ±1 operands, read as bits.

On CPUs with bfloat16 dot products the gradients are rounded to bfloat16 and the bits become signs in registers: twice
float32's peak, and no operand to write out. Elsewhere the bits are written out for BLAS.
"""

import numpy as np
from libc.stdint cimport uint32_t, uint64_t
from scipy.linalg.cython_blas cimport sgemm

from skbnn.kernels._dispatch cimport tiles
from skbnn.network._binarize cimport unpack


cdef class BackwardProducts:
    """Base class: shapes of a layer. Rows of bits are (n_words,), packed weights (n_groups, n_words, 8)."""

    def __init__(self, Py_ssize_t n_units, Py_ssize_t n_inputs, Py_ssize_t max_rows):
        self.n_units, self.n_inputs, self.max_rows = n_units, n_inputs, max_rows
        self.n_words = (n_inputs + 63) // 64

    cdef void weights(self, const float *d_dots, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows,
                      float *gradient) noexcept nogil:
        """``gradient = d_dots.T @ (x * mask)``, (n_units, n_inputs); a NULL mask keeps every input."""

    cdef void inputs(self, const float *d_dots, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil:
        """``d_x = d_dots @ binary_weights``, (n_rows, n_inputs)."""


cdef class Float32Products(BackwardProducts):
    """Through BLAS, which counts by columns, so each row-major matrix is passed as its transpose."""

    cdef float[:, ::1] x, binary_weights
    cdef uint64_t[::1] unit_words

    def __init__(self, n_units, n_inputs, max_rows):
        super().__init__(n_units, n_inputs, max_rows)
        self.x = np.empty((max_rows, n_inputs), np.float32)
        self.binary_weights = np.empty((n_units, n_inputs), np.float32)
        self.unit_words = np.empty(self.n_words, np.uint64)

    cdef void weights(self, const float *d_dots, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows,
                      float *gradient) noexcept nogil:
        cdef int units = self.n_units, inputs = self.n_inputs, rows = n_rows
        cdef float one = 1, zero = 0
        cdef Py_ssize_t row, i
        for row in range(n_rows):
            unpack(x + row * self.n_words, self.n_inputs, &self.x[row, 0])
            if mask is not NULL:
                for i in range(self.n_inputs):
                    self.x[row, i] *= mask[row * self.n_words + i // 64] >> (i % 64) & 1
        sgemm("N", "T", &inputs, &units, &rows, &one, &self.x[0, 0], &inputs, <float *>d_dots, &units, &zero,
              gradient, &inputs)

    cdef void inputs(self, const float *d_dots, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil:
        cdef int units = self.n_units, inputs = self.n_inputs, rows = n_rows
        cdef float one = 1, zero = 0
        cdef Py_ssize_t unit, word
        for unit in range(self.n_units):
            for word in range(self.n_words):
                self.unit_words[word] = packed_weights[(unit // 8 * self.n_words + word) * 8 + unit % 8]
            unpack(&self.unit_words[0], self.n_inputs, &self.binary_weights[unit, 0])
        sgemm("N", "N", &inputs, &rows, &units, &one, &self.binary_weights[0, 0], &inputs, <float *>d_dots, &units,
              &zero, d_x, &inputs)


cdef class BFloat16Products(BackwardProducts):
    """Through ``signs_product``, 64 columns at a time; two neighbours of the dimension summed over make a pair."""

    cdef uint32_t[::1] pairs  # of gradients
    cdef uint64_t[:, :, ::1] signs, kept  # [word][pair][2]
    cdef uint64_t[::1] both

    def __init__(self, n_units, n_inputs, max_rows):
        super().__init__(n_units, n_inputs, max_rows)
        cdef Py_ssize_t unit_pairs = (n_units + 1) // 2, row_pairs = (max_rows + 1) // 2
        self.pairs = np.empty(max(max_rows * unit_pairs, row_pairs * n_units), np.uint32)
        self.signs = np.empty((self.n_words, max(unit_pairs, row_pairs), 2), np.uint64)
        self.kept = np.empty((self.n_words, row_pairs, 2), np.uint64)
        self.both = np.empty(2 * self.n_words, np.uint64)

    cdef void weights(self, const float *d_dots, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows,
                      float *gradient) noexcept nogil:
        cdef Py_ssize_t unit, pair, n_pairs = (n_rows + 1) // 2, n_units = self.n_units
        cdef const float *odd
        for pair in range(n_pairs):
            odd = d_dots + (2 * pair + 1) * n_units if 2 * pair + 1 < n_rows else NULL
            for unit in range(n_units):
                self.pairs[pair * n_units + unit] = bfloat16_pair(
                    d_dots[2 * pair * n_units + unit], 0 if odd is NULL else odd[unit])
        self.interleave_rows(x, n_rows, &self.signs[0, 0, 0], self.signs.shape[1])
        if mask is not NULL:
            self.interleave_rows(mask, n_rows, &self.kept[0, 0, 0], self.kept.shape[1])
        self.multiply(1, n_units, n_units, n_pairs, mask is not NULL, gradient)

    cdef void inputs(self, const float *d_dots, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil:
        cdef Py_ssize_t row, pair, unit, word, n_pairs = (self.n_units + 1) // 2
        cdef const float *d
        cdef uint64_t *signs
        for row in range(n_rows):
            d = d_dots + row * self.n_units
            for pair in range(self.n_units // 2):
                self.pairs[row * n_pairs + pair] = bfloat16_pair(d[2 * pair], d[2 * pair + 1])
            if self.n_units % 2:
                self.pairs[(row + 1) * n_pairs - 1] = bfloat16_pair(d[self.n_units - 1], 0)
        for pair in range(n_pairs):  # eight units lie together, so a pair always does
            unit = 2 * pair
            for word in range(self.n_words):
                signs = <uint64_t *>packed_weights + (unit // 8 * self.n_words + word) * 8 + unit % 8
                tiles().interleave(signs, signs + 1, 1, &self.signs[word, pair, 0])
        self.multiply(n_pairs, 1, n_rows, n_pairs, False, d_x)

    cdef void interleave_rows(self, const uint64_t *rows, Py_ssize_t n_rows, uint64_t *out,
                              Py_ssize_t max_pairs) noexcept nogil:
        """Pairs of rows of bits, regrouped by word. The row that an odd number lacks meets a gradient of 0."""
        cdef Py_ssize_t pair, word
        cdef const uint64_t *even
        for pair in range((n_rows + 1) // 2):
            even = rows + 2 * pair * self.n_words
            tiles().interleave(even, even + self.n_words if 2 * pair + 1 < n_rows else even, self.n_words,
                               &self.both[0])
            for word in range(self.n_words):
                out[(word * max_pairs + pair) * 2] = self.both[2 * word]
                out[(word * max_pairs + pair) * 2 + 1] = self.both[2 * word + 1]

    cdef void multiply(self, Py_ssize_t a_row, Py_ssize_t a_pair, Py_ssize_t n_rows, Py_ssize_t n_pairs, bint masked,
                       float *out) noexcept nogil:
        """``out``, (n_rows, n_inputs), from the pairs and the interleaved signs."""
        cdef Py_ssize_t word
        for word in range(self.n_words):
            tiles().signs_product(&self.pairs[0], a_row, a_pair, n_rows, &self.signs[word, 0, 0],
                                  &self.kept[word, 0, 0] if masked else NULL, n_pairs,
                                  min(<Py_ssize_t>64, self.n_inputs - 64 * word), out + 64 * word, self.n_inputs)


cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    /* The upper half of a float32, rounded to nearest, ties to even. */
    static inline uint32_t bfloat16(float x) {
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    }
    static inline uint32_t bfloat16_pair(float even, float odd) { return bfloat16(even) | bfloat16(odd) << 16; }
    """
    uint32_t bfloat16_pair(float even, float odd) nogil


cdef BackwardProducts backward_products(Py_ssize_t n_units, Py_ssize_t n_inputs, Py_ssize_t max_rows):
    """The fastest that this CPU has."""
    if tiles().signs_product is not NULL:
        return BFloat16Products(n_units, n_inputs, max_rows)
    return Float32Products(n_units, n_inputs, max_rows)
