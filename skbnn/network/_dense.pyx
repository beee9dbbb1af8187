"""Fully connected ±1 weights: exact integer products forward, two real products backward."""

import numpy as np
from libc.stdint cimport int32_t, uint64_t

from skbnn.kernels._dispatch cimport tiles
from skbnn.kernels._layer cimport layer_popcounts
from skbnn.network._products cimport backward_products
from skbnn.network._random cimport RandomBits
from skbnn.network._team cimport COLUMNS, Share, Team, n_blocks, width


cdef extern from *:
    """
    #ifdef __GNUC__
    #define popcount64 __builtin_popcountll
    #else
    #include <intrin.h>
    #define popcount64 __popcnt64
    #endif
    """
    int popcount64(uint64_t word) nogil


cdef enum:
    WORDS_AT_A_TIME = 64


cdef class BinaryDense:
    """Latent weights, (n_units, n_inputs), their signs as bits, and their gradient; ``int8`` for products of bytes.

    ``gradient`` is filled, and takes memory, only where someone looks at all of it.
    """

    def __init__(self, float[:, ::1] latent_weights, Py_ssize_t max_rows, bint int8):
        self.n_units, self.n_inputs = latent_weights.shape[0], latent_weights.shape[1]
        self.n_words = n_blocks(self.n_inputs)
        self.latent_weights = latent_weights
        self.gradient = np.empty((self.n_units, self.n_inputs), np.float32)
        self.packed_weights = np.zeros(((self.n_units + 7) // 8, self.n_words, 8), np.uint64)
        self.products = backward_products(self.n_units, self.n_inputs, max_rows, int8)
        self.noise = np.zeros(self.n_inputs, np.float32)

    cdef void binarize_weights(self, Share units, RandomBits random) noexcept nogil:
        """Take the sign of some units' latent weights, sign(0) = +1, or, given ``random``, draw them.

        A weight is +1 where it reaches noise uniform in (-1, 1), which is P(+1) = hard_sigmoid(latent)
        (Courbariaux et al., 2015); the sign is the same with noise 0.
        """
        cdef Py_ssize_t unit, word, first, start
        cdef uint64_t words[WORDS_AT_A_TIME]
        for unit in range(units.start, units.stop):
            if random is not None:
                random.uniform(&self.noise[0], self.n_inputs)
            first = 0
            while first < self.n_words:
                start = 64 * first
                tiles().compare32(&self.latent_weights[unit, start], &self.noise[start],
                                  min(<Py_ssize_t>64 * WORDS_AT_A_TIME, self.n_inputs - start), words)
                for word in range(first, min(self.n_words, first + WORDS_AT_A_TIME)):
                    self.packed_weights[unit // 8, word, unit % 8] = words[word - first]
                first += WORDS_AT_A_TIME

    cdef Py_ssize_t scratch_bytes(self) noexcept nogil:
        """Bytes that each thread of a team needs as scratch: for ``backward``, then for the gradient of a block."""
        return max(self.products.scratch_bytes(), <Py_ssize_t>(width(0, self.n_units) * self.n_inputs * sizeof(float)))

    cdef void forward(self, Py_ssize_t block, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows,
                      float *dots) noexcept nogil:
        """``dots = (x * mask) @ binary_weights.T`` of a block, whose popcounts are written where the dots will be.

        ``x`` is packed ±1, ``mask`` packed 0/1 or, where all inputs are kept, NULL.
        """
        cdef Py_ssize_t n = width(block, self.n_units)
        layer_popcounts(x, mask, n_rows, self.n_words, &self.packed_weights[block * COLUMNS // 8, 0, 0], self.n_words,
                        (n + 7) // 8, <int32_t *>dots, COLUMNS)
        tiles().dots(dots, mask, self.n_words, self.n_inputs, n_rows, n)

    cdef void backward(self, const Team *team, const uint64_t *x, const uint64_t *mask, const float *d_dots,
                       Py_ssize_t n_rows, float *d_x) noexcept nogil:
        """``d_x = d_dots @ binary_weights``, unless NULL; and get ready for ``weights_gradient``.

        Of ``d_dots`` this thread's units must be ready; it fills its inputs' part of ``d_x``.
        """
        self.products.take(team, d_dots, x, mask, n_rows, d_x is not NULL)
        if d_x is not NULL:
            self.products.inputs(team, &self.packed_weights[0, 0, 0], n_rows, d_x)

    cdef void weights_gradient(self, Py_ssize_t block, Py_ssize_t n_rows, float *gradient) noexcept nogil:
        """``gradient = d_dots.T @ (x * mask)`` of a block of units, with what ``backward`` was given."""
        self.products.weights(block, n_rows, gradient)


cdef class Signs:
    """The signs that latent weights, (n_units, n_inputs), have now; sign(0) = +1."""

    cdef const float[:, ::1] latent_weights
    cdef uint64_t[:, ::1] bits
    cdef uint64_t[::1] latest
    cdef float[::1] zeros

    def __init__(self, const float[:, ::1] latent_weights):
        cdef Py_ssize_t n_words = (latent_weights.shape[1] + 63) // 64
        self.latent_weights, self.zeros = latent_weights, np.zeros(latent_weights.shape[1], np.float32)
        self.bits, self.latest = np.zeros((latent_weights.shape[0], n_words), np.uint64), np.zeros(n_words, np.uint64)
        self.count_flips()

    def count_flips(self):
        """How many weights have another sign than at the last call; what they have now is what the next compares."""
        cdef Py_ssize_t unit, word, n_flips = 0
        with nogil:
            for unit in range(self.bits.shape[0]):
                tiles().compare32(&self.latent_weights[unit, 0], &self.zeros[0], self.zeros.shape[0], &self.latest[0])
                for word in range(self.latest.shape[0]):
                    n_flips += popcount64(self.latest[word] ^ self.bits[unit, word])
                    self.bits[unit, word] = self.latest[word]
        return n_flips
