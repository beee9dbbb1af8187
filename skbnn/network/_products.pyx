"""The two products of a dense layer's backward pass: real gradients with ±1 operands, read as bits.

On CPUs with dot products of bytes (VNNI) the gradients are rounded to 8 bits, relative to the largest that is summed
with them: four times float32's peak. Elsewhere the bits are written out as float32 for BLAS.
"""

import numpy as np
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from scipy.linalg.cython_blas cimport sgemm

from skbnn.kernels._dispatch cimport SIGN_QUADS, Int8Gradients, Int8Tiles, int8_tiles, tiles
from skbnn.network._binarize cimport unpack
from skbnn.network._team cimport ROWS, UNITS, Share


cdef class BackwardProducts:
    """Base class: shapes of a layer. Rows of bits are (n_words,), packed weights (n_groups, n_words, 8).

    Each operand of bits is spread out by all threads before the product of which any thread reads all of it.
    """

    def __init__(self, Py_ssize_t n_units, Py_ssize_t n_inputs):
        self.n_units, self.n_inputs = n_units, n_inputs
        self.n_words = (n_inputs + 63) // 64

    cdef void spread_inputs(self, const uint64_t *x, const uint64_t *mask, Share rows,
                            Py_ssize_t n_rows) noexcept nogil:
        """Some of ``n_rows`` rows of inputs, for ``weights``; a NULL mask keeps every input."""

    cdef void spread_weights(self, const uint64_t *packed_weights, Share units) noexcept nogil:
        """Some units' weights, for ``inputs``."""

    cdef void weights(self, const float *d_dots, Py_ssize_t n_rows, Share units,
                      float *gradient) noexcept nogil:
        """``gradient = d_dots.T @ (x * mask)``, (n_units, n_inputs), of some units."""

    cdef void inputs(self, const float *d_dots, Share rows, float *d_x) noexcept nogil:
        """``d_x = d_dots @ binary_weights``, (n_rows, n_inputs), of some rows."""


cdef class Float32Products(BackwardProducts):
    """Through BLAS, which counts by columns, so each row-major matrix is passed as its transpose."""

    cdef float[:, ::1] x, binary_weights
    cdef uint64_t[:, ::1] unit_words

    def __init__(self, n_units, n_inputs, max_rows):
        super().__init__(n_units, n_inputs)
        self.x = np.empty((max_rows, n_inputs), np.float32)
        self.binary_weights = np.empty((n_units, n_inputs), np.float32)
        self.unit_words = np.empty((n_units, self.n_words), np.uint64)

    cdef void spread_inputs(self, const uint64_t *x, const uint64_t *mask, Share rows,
                            Py_ssize_t n_rows) noexcept nogil:
        cdef Py_ssize_t row, i
        for row in range(rows.start, rows.stop):
            unpack(x + row * self.n_words, self.n_inputs, &self.x[row, 0])
            if mask is not NULL:
                for i in range(self.n_inputs):
                    self.x[row, i] *= mask[row * self.n_words + i // 64] >> (i % 64) & 1

    cdef void spread_weights(self, const uint64_t *packed_weights, Share units) noexcept nogil:
        cdef Py_ssize_t unit, word
        for unit in range(units.start, units.stop):
            for word in range(self.n_words):
                self.unit_words[unit, word] = packed_weights[(unit // 8 * self.n_words + word) * 8 + unit % 8]
            unpack(&self.unit_words[unit, 0], self.n_inputs, &self.binary_weights[unit, 0])

    cdef void weights(self, const float *d_dots, Py_ssize_t n_rows, Share units,
                      float *gradient) noexcept nogil:
        cdef int n_units = self.n_units, inputs = self.n_inputs, rows = n_rows, n
        cdef float one = 1, zero = 0
        cdef Py_ssize_t start = units.start
        while start < units.stop:
            n = min(<Py_ssize_t>UNITS, units.stop - start)
            sgemm("N", "T", &inputs, &n, &rows, &one, &self.x[0, 0], &inputs, <float *>d_dots + start, &n_units, &zero,
                  gradient + start * self.n_inputs, &inputs)
            start += UNITS

    cdef void inputs(self, const float *d_dots, Share rows, float *d_x) noexcept nogil:
        cdef int units = self.n_units, inputs = self.n_inputs, n
        cdef float one = 1, zero = 0
        cdef Py_ssize_t start = rows.start
        while start < rows.stop:
            n = min(<Py_ssize_t>ROWS, rows.stop - start)
            sgemm("N", "N", &inputs, &n, &units, &one, &self.binary_weights[0, 0], &inputs,
                  <float *>d_dots + start * self.n_units, &units, &zero, d_x + start * self.n_inputs, &inputs)
            start += ROWS


cdef class Int8Products(BackwardProducts):
    """Through ``signs_product``, 64 columns at a time; four neighbours of the dimension summed over make a quad."""

    cdef const Int8Tiles *tiles
    cdef uint32_t[::1] quads  # of gradients, by rows or by units
    cdef float[::1] scales
    cdef int32_t[::1] sums
    cdef uint8_t[:, :, ::1] signs_of_inputs, signs_of_weights  # [word][quad][4 * column + summand]

    def __init__(self, n_units, n_inputs, max_rows):
        super().__init__(n_units, n_inputs)
        self.tiles = int8_tiles()
        cdef Py_ssize_t unit_quads = (n_units + 3) // 4, row_quads = (max_rows + 3) // 4
        self.quads = np.empty(max(max_rows * unit_quads, row_quads * n_units), np.uint32)
        self.scales = np.empty(max(max_rows, n_units), np.float32)
        self.sums = np.empty(max(max_rows, n_units), np.int32)
        self.signs_of_inputs = np.empty((self.n_words, row_quads, SIGN_QUADS), np.uint8)
        self.signs_of_weights = np.empty((self.n_words, unit_quads, SIGN_QUADS), np.uint8)

    cdef void spread_inputs(self, const uint64_t *x, const uint64_t *mask, Share rows,
                            Py_ssize_t n_rows) noexcept nogil:
        cdef Py_ssize_t word, quad, i, row
        cdef uint64_t bits[4]
        cdef uint64_t kept[4]
        for word in range(self.n_words):
            for quad in range(rows.start // 4, (rows.stop + 3) // 4):
                for i in range(4):
                    row = min(4 * quad + i, n_rows - 1)  # a row that is lacking meets a gradient of 0
                    bits[i] = x[row * self.n_words + word]
                    if mask is not NULL:
                        kept[i] = mask[row * self.n_words + word]
                self.tiles.sign_quads(bits, NULL if mask is NULL else kept, &self.signs_of_inputs[word, quad, 0])

    cdef void spread_weights(self, const uint64_t *packed_weights, Share units) noexcept nogil:
        cdef Py_ssize_t word, quad
        for word in range(self.n_words):
            for quad in range(units.start // 4, (units.stop + 3) // 4):  # eight units lie together, so a quad always does
                self.tiles.sign_quads(packed_weights + (quad // 2 * self.n_words + word) * 8 + quad % 2 * 4, NULL,
                                           &self.signs_of_weights[word, quad, 0])

    cdef void weights(self, const float *d_dots, Py_ssize_t n_rows, Share units,
                      float *gradient) noexcept nogil:
        cdef Int8Gradients gradients = self.gradients_from(units.start, units.start)
        cdef Py_ssize_t word
        self.tiles.quantize_columns(d_dots + units.start, n_rows, units.stop - units.start, self.n_units,
                                         &gradients)
        for word in range(self.n_words):
            self.multiply(&gradients, word, &self.signs_of_inputs[word, 0, 0],
                          gradient + units.start * self.n_inputs)

    cdef void inputs(self, const float *d_dots, Share rows, float *d_x) noexcept nogil:
        cdef Int8Gradients gradients = self.gradients_from(rows.start * ((self.n_units + 3) // 4), rows.start)
        cdef Py_ssize_t word
        self.tiles.quantize_rows(d_dots + rows.start * self.n_units, rows.stop - rows.start, self.n_units,
                                      self.n_units, &gradients)
        for word in range(self.n_words):
            self.multiply(&gradients, word, &self.signs_of_weights[word, 0, 0], d_x + rows.start * self.n_inputs)

    cdef Int8Gradients gradients_from(self, Py_ssize_t quad, Py_ssize_t row) noexcept nogil:
        """The arrays from there on, for a thread to fill."""
        return Int8Gradients(&self.quads[0] + quad, &self.scales[0] + row, &self.sums[0] + row, 0, 0, 0, 0)

    cdef void multiply(self, const Int8Gradients *gradients, Py_ssize_t word, const uint8_t *signs,
                       float *out) noexcept nogil:
        """The columns of one word of ``out``, rows of n_inputs, from the gradients and the signs."""
        self.tiles.signs_product(gradients, signs, min(<Py_ssize_t>64, self.n_inputs - 64 * word), out + 64 * word,
                                      self.n_inputs)


cdef BackwardProducts backward_products(Py_ssize_t n_units, Py_ssize_t n_inputs, Py_ssize_t max_rows, bint int8):
    """Those of bytes if ``int8``, and if this CPU has them."""
    if int8 and int8_tiles() is not NULL:
        return Int8Products(n_units, n_inputs, max_rows)
    return Float32Products(n_units, n_inputs, max_rows)


def products(const float[:, ::1] d_dots, const uint64_t[:, ::1] x, const uint64_t[:, ::1] mask,
             const uint64_t[:, :, ::1] packed_weights, Py_ssize_t n_inputs):
    """``weights`` and ``inputs`` from Python, by the instruction set in use; ``mask`` may be None."""
    cdef Py_ssize_t n_rows = d_dots.shape[0], n_units = d_dots.shape[1]
    cdef Share rows = Share(0, n_rows), units = Share(0, n_units)
    cdef BackwardProducts both = backward_products(n_units, n_inputs, n_rows, tiles().int8 is not NULL)
    cdef const uint64_t *kept = NULL
    cdef float[:, ::1] gradient = np.empty((n_units, n_inputs), np.float32)
    cdef float[:, ::1] d_x = np.empty((n_rows, n_inputs), np.float32)
    if mask is not None:
        kept = &mask[0, 0]
    both.spread_inputs(&x[0, 0], kept, rows, n_rows)
    both.spread_weights(&packed_weights[0, 0, 0], units)
    both.weights(&d_dots[0, 0], n_rows, units, &gradient[0, 0])
    both.inputs(&d_dots[0, 0], rows, &d_x[0, 0])
    return np.asarray(gradient), np.asarray(d_x)
