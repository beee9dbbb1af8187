"""The two products of a dense layer's backward pass: real gradients with ±1 operands, read as bits.

On CPUs with dot products of bytes (VNNI) the gradients are rounded to 8 bits, relative to the largest that is summed
with them: four times float32's peak. Elsewhere the bits are written out as float32 for BLAS.
"""

import numpy as np
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from scipy.linalg.cython_blas cimport sgemm

from skbnn.kernels._dispatch cimport SIGN_QUADS, Int8Gradients, Int8Tiles, int8_tiles, tiles
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


cdef class Int8Products(BackwardProducts):
    """Through ``signs_product``, 64 columns at a time; four neighbours of the dimension summed over make a quad."""

    cdef const Int8Tiles *tiles
    cdef Int8Gradients gradients  # in the next three
    cdef uint32_t[::1] quads
    cdef float[::1] scales
    cdef int32_t[::1] sums
    cdef uint8_t[:, ::1] signs  # of 64 columns: [quad][4 * column + summand]

    def __init__(self, n_units, n_inputs, max_rows):
        super().__init__(n_units, n_inputs, max_rows)
        self.tiles = int8_tiles()
        cdef Py_ssize_t unit_quads = (n_units + 3) // 4, row_quads = (max_rows + 3) // 4
        self.quads = np.empty(max(max_rows * unit_quads, row_quads * n_units), np.uint32)
        self.scales = np.empty(max(max_rows, n_units), np.float32)
        self.sums = np.empty(max(max_rows, n_units), np.int32)
        self.signs = np.empty((max(unit_quads, row_quads), SIGN_QUADS), np.uint8)
        self.gradients.quads, self.gradients.scales = &self.quads[0], &self.scales[0]
        self.gradients.sums = &self.sums[0]

    cdef void weights(self, const float *d_dots, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows,
                      float *gradient) noexcept nogil:
        cdef Py_ssize_t word, quad, i, row
        cdef uint64_t bits[4]
        cdef uint64_t kept[4]
        self.tiles.quantize_columns(d_dots, n_rows, self.n_units, &self.gradients)
        for word in range(self.n_words):
            for quad in range(self.gradients.n_quads):
                for i in range(4):
                    row = min(4 * quad + i, n_rows - 1)  # a row that is lacking meets a gradient of 0
                    bits[i] = x[row * self.n_words + word]
                    if mask is not NULL:
                        kept[i] = mask[row * self.n_words + word]
                self.tiles.sign_quads(bits, NULL if mask is NULL else kept, &self.signs[quad, 0])
            self.multiply(word, gradient)

    cdef void inputs(self, const float *d_dots, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil:
        cdef Py_ssize_t word, quad
        self.tiles.quantize_rows(d_dots, n_rows, self.n_units, &self.gradients)
        for word in range(self.n_words):
            for quad in range(self.gradients.n_quads):  # eight units lie together, so a quad always does
                self.tiles.sign_quads(packed_weights + (quad // 2 * self.n_words + word) * 8 + quad % 2 * 4, NULL,
                                      &self.signs[quad, 0])
            self.multiply(word, d_x)

    cdef void multiply(self, Py_ssize_t word, float *out) noexcept nogil:
        """The columns of one word of ``out``, (n_rows, n_inputs), from the gradients and the signs."""
        self.tiles.signs_product(&self.gradients, &self.signs[0, 0], min(<Py_ssize_t>64, self.n_inputs - 64 * word),
                                 out + 64 * word, self.n_inputs)


cdef BackwardProducts backward_products(Py_ssize_t n_units, Py_ssize_t n_inputs, Py_ssize_t max_rows, bint int8):
    """Those of bytes if ``int8``, and if this CPU has them."""
    if int8 and int8_tiles() is not NULL:
        return Int8Products(n_units, n_inputs, max_rows)
    return Float32Products(n_units, n_inputs, max_rows)


def products(const float[:, ::1] d_dots, const uint64_t[:, ::1] x, const uint64_t[:, ::1] mask,
             const uint64_t[:, :, ::1] packed_weights, Py_ssize_t n_inputs):
    """``weights`` and ``inputs`` from Python, by the instruction set in use; ``mask`` may be None."""
    cdef Py_ssize_t n_rows = d_dots.shape[0], n_units = d_dots.shape[1]
    cdef BackwardProducts both = backward_products(n_units, n_inputs, n_rows, tiles().int8 is not NULL)
    cdef const uint64_t *kept = NULL
    cdef float[:, ::1] gradient = np.empty((n_units, n_inputs), np.float32)
    cdef float[:, ::1] d_x = np.empty((n_rows, n_inputs), np.float32)
    if mask is not None:
        kept = &mask[0, 0]
    both.weights(&d_dots[0, 0], &x[0, 0], kept, n_rows, &gradient[0, 0])
    both.inputs(&d_dots[0, 0], &packed_weights[0, 0, 0], n_rows, &d_x[0, 0])
    return np.asarray(gradient), np.asarray(d_x)
