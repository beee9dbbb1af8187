"""The two products of a dense layer's backward pass: real gradients with ±1 operands, read as bits.

On CPUs with dot products of bytes (VNNI) the gradients are rounded to 8 bits, relative to the largest that is summed
with them: four times float32's peak. Elsewhere the bits are written out as float32 for BLAS, word by word of the
inputs, or block by block of the units, as what BLAS rounds depends on the shape.
"""

import numpy as np
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy
from scipy.linalg.cython_blas cimport sgemm

from skbnn.kernels._dispatch cimport SIGN_QUADS, Int8Gradients, Int8Tiles, int8_tiles, tiles
from skbnn.network._binarize cimport unpack
from skbnn.network._team cimport COLUMNS, Share, Team, alone, blocks_of, n_blocks, rows_of, wait, width

from skbnn.network.blocks import in_blocks, of_blocks


cdef class BackwardProducts:
    """Base class: shapes of a layer. Rows of bits are (n_words,), packed weights (n_groups, n_words, 8).

    Gradients of rows lie in blocks: ``d_dots`` in those of the units, ``d_x`` in those of the inputs.
    """

    def __init__(self, Py_ssize_t n_units, Py_ssize_t n_inputs, Py_ssize_t max_rows):
        self.n_units, self.n_inputs, self.max_rows = n_units, n_inputs, max_rows
        self.n_words = n_blocks(n_inputs)

    cdef Py_ssize_t scratch_bytes(self) noexcept nogil:
        """Bytes that each thread of a team needs as scratch."""
        return 0

    cdef void take(self, const Team *team, const float *d_dots, const uint64_t *x, const uint64_t *mask,
                   Py_ssize_t n_rows, bint for_inputs) noexcept nogil:
        """Get ready for the products with ``d_dots``, of which this thread's units are; a NULL mask keeps all.

        ``inputs`` may follow only if ``for_inputs``.
        """

    cdef void inputs(self, const Team *team, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil:
        """``d_x = d_dots @ binary_weights`` of this thread's inputs."""

    cdef void weights(self, Py_ssize_t block, Py_ssize_t n_rows, float *gradient) noexcept nogil:
        """``gradient = d_dots.T @ (x * mask)`` of a block of units, (n_units, n_inputs)."""


cdef class Float32Products(BackwardProducts):
    """Through BLAS, which counts by columns, so each row-major matrix is passed as its transpose."""

    cdef float[:, ::1] d_dots, x, binary_weights

    def __init__(self, n_units, n_inputs, max_rows):
        super().__init__(n_units, n_inputs, max_rows)
        self.d_dots = np.empty((max_rows, n_units), np.float32)
        self.x = np.empty((max_rows, n_inputs), np.float32)
        self.binary_weights = np.empty((n_units, n_inputs), np.float32)

    cdef void take(self, const Team *team, const float *d_dots, const uint64_t *x, const uint64_t *mask,
                   Py_ssize_t n_rows, bint for_inputs) noexcept nogil:
        cdef Share blocks = blocks_of(team, self.n_units), words = blocks_of(team, self.n_inputs)
        cdef Py_ssize_t block, row, word, i, n
        cdef float *signs
        for block in range(blocks.start, blocks.stop):
            for row in range(n_rows):
                memcpy(&self.d_dots[row, block * COLUMNS], d_dots + (block * self.max_rows + row) * COLUMNS,
                       width(block, self.n_units) * sizeof(float))
        for word in range(words.start, words.stop):
            n = width(word, self.n_inputs)
            for row in range(n_rows):
                signs = &self.x[row, 64 * word]
                unpack(x + row * self.n_words + word, n, signs)
                if mask is not NULL:
                    for i in range(n):
                        signs[i] *= mask[row * self.n_words + word] >> i & 1
        wait(team)

    cdef void weights(self, Py_ssize_t block, Py_ssize_t n_rows, float *gradient) noexcept nogil:
        cdef int n_units = self.n_units, inputs = self.n_inputs, rows = n_rows, n = width(block, self.n_units)
        cdef float one = 1, zero = 0
        sgemm("N", "T", &inputs, &n, &rows, &one, &self.x[0, 0], &inputs, &self.d_dots[0, block * COLUMNS], &n_units,
              &zero, gradient, &inputs)

    cdef void inputs(self, const Team *team, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil:
        cdef int n_units = self.n_units, inputs = self.n_inputs, rows = n_rows, n, stride = COLUMNS
        cdef float one = 1, zero = 0
        cdef Py_ssize_t unit, word
        cdef Share words = blocks_of(team, self.n_inputs)
        for word in range(words.start, words.stop):
            n = width(word, self.n_inputs)
            for unit in range(self.n_units):
                unpack(packed_weights + (unit // 8 * self.n_words + word) * 8 + unit % 8, n,
                       &self.binary_weights[unit, 64 * word])
            sgemm("N", "N", &n, &rows, &n_units, &one, &self.binary_weights[0, 64 * word], &inputs, &self.d_dots[0, 0],
                  &n_units, &zero, d_x + word * self.max_rows * COLUMNS, &stride)


cdef class Int8Products(BackwardProducts):
    """Through ``signs_product``, a word of inputs at a time; a quad is four neighbours of the dimension summed over."""

    cdef const Int8Tiles *tiles
    cdef Py_ssize_t unit_quads, row_quads  # at most, and with room for whole blocks
    cdef uint32_t[:, :, ::1] quads_of_units  # blocks
    cdef uint32_t[:, ::1] quads_of_rows
    cdef float[::1] scales_of_units, scales_of_rows
    cdef int32_t[::1] sums_of_units, sums_of_rows
    cdef uint8_t[:, ::1] signs_of_rows  # of each word

    def __init__(self, n_units, n_inputs, max_rows):
        super().__init__(n_units, n_inputs, max_rows)
        self.tiles = int8_tiles()
        cdef Py_ssize_t blocks = n_blocks(n_units)
        self.unit_quads, self.row_quads = blocks * COLUMNS // 4, (max_rows + 3) // 4
        self.quads_of_units = np.empty((blocks, self.row_quads, COLUMNS), np.uint32)
        self.quads_of_rows = np.empty((max_rows, self.unit_quads), np.uint32)
        self.scales_of_units = np.empty(blocks * COLUMNS, np.float32)
        self.sums_of_units = np.empty(blocks * COLUMNS, np.int32)
        self.scales_of_rows, self.sums_of_rows = np.empty(max_rows, np.float32), np.empty(max_rows, np.int32)
        self.signs_of_rows = np.empty((self.n_words, self.row_quads * SIGN_QUADS), np.uint8)

    cdef Py_ssize_t scratch_bytes(self) noexcept nogil:
        """The signs of a word: [quad][4 * column + summand]."""
        return self.unit_quads * SIGN_QUADS

    cdef void take(self, const Team *team, const float *d_dots, const uint64_t *x, const uint64_t *mask,
                   Py_ssize_t n_rows, bint for_inputs) noexcept nogil:
        cdef Share blocks = blocks_of(team, self.n_units), words = blocks_of(team, self.n_inputs)
        cdef Share rows = rows_of(team, n_rows)
        cdef Int8Gradients gradients
        cdef Py_ssize_t word, quad, i, row, block
        cdef uint64_t bits[4]
        cdef uint64_t kept[4]
        for block in range(blocks.start, blocks.stop):
            gradients = self.of_units(block, n_rows)
            self.tiles.quantize_columns(d_dots + block * self.max_rows * COLUMNS, n_rows, &gradients)
        for word in range(words.start, words.stop):
            for quad in range((n_rows + 3) // 4):
                for i in range(4):
                    row = min(4 * quad + i, n_rows - 1)  # a row that is lacking meets a gradient of 0
                    bits[i] = x[row * self.n_words + word]
                    if mask is not NULL:
                        kept[i] = mask[row * self.n_words + word]
                self.tiles.sign_quads(bits, NULL if mask is NULL else kept,
                                      &self.signs_of_rows[word, quad * SIGN_QUADS])
        wait(team)
        if for_inputs:
            gradients = self.of_rows(rows)
            self.tiles.quantize_rows(d_dots + rows.start * COLUMNS, self.max_rows * COLUMNS, &gradients)

    cdef void weights(self, Py_ssize_t block, Py_ssize_t n_rows, float *gradient) noexcept nogil:
        cdef Int8Gradients gradients = self.of_units(block, n_rows)
        cdef Py_ssize_t word
        for word in range(self.n_words):
            self.tiles.signs_product(&gradients, &self.signs_of_rows[word, 0], width(word, self.n_inputs),
                                     gradient + 64 * word, self.n_inputs)

    cdef void inputs(self, const Team *team, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil:
        cdef Int8Gradients gradients = self.of_rows(Share(0, n_rows))
        cdef Share words = blocks_of(team, self.n_inputs)
        cdef Py_ssize_t word, quad
        wait(team)
        for word in range(words.start, words.stop):
            for quad in range(gradients.n_quads):  # eight units lie together, so a quad always does
                self.tiles.sign_quads(packed_weights + (quad // 2 * self.n_words + word) * 8 + quad % 2 * 4, NULL,
                                      team.scratch + quad * SIGN_QUADS)
            self.tiles.signs_product(&gradients, team.scratch, width(word, self.n_inputs),
                                     d_x + word * self.max_rows * COLUMNS, COLUMNS)

    cdef Int8Gradients of_units(self, Py_ssize_t block, Py_ssize_t n_rows) noexcept nogil:
        """The gradients of a block of units."""
        return Int8Gradients(&self.quads_of_units[block, 0, 0], &self.scales_of_units[block * COLUMNS],
                             &self.sums_of_units[block * COLUMNS], width(block, self.n_units), (n_rows + 3) // 4, 1,
                             COLUMNS)

    cdef Int8Gradients of_rows(self, Share rows) noexcept nogil:
        """The gradients of some rows."""
        return Int8Gradients(&self.quads_of_rows[0, 0] + rows.start * self.unit_quads,
                             &self.scales_of_rows[0] + rows.start, &self.sums_of_rows[0] + rows.start,
                             rows.stop - rows.start, (self.n_units + 3) // 4, self.unit_quads, 1)


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
    cdef uint8_t[::1] scratch = np.empty(both.scratch_bytes() + 1, np.uint8)
    cdef Team team = alone(&scratch[0])
    cdef const uint64_t *kept = NULL
    cdef Py_ssize_t block
    cdef float[:, ::1] gradient = np.empty((n_units, n_inputs), np.float32)
    cdef float[:, :, ::1] blocks = in_blocks(np.asarray(d_dots))
    cdef float[:, :, ::1] d_x = np.empty((n_blocks(n_inputs), n_rows, COLUMNS), np.float32)
    if mask is not None:
        kept = &mask[0, 0]
    both.take(&team, &blocks[0, 0, 0], &x[0, 0], kept, n_rows, True)
    both.inputs(&team, &packed_weights[0, 0, 0], n_rows, &d_x[0, 0, 0])
    for block in range(n_blocks(n_units)):
        both.weights(block, n_rows, &gradient[block * COLUMNS, 0])
    return np.asarray(gradient), of_blocks(np.asarray(d_x), n_inputs)
