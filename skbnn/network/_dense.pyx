"""Fully connected ±1 weights: exact integer products forward, two float32 products backward."""

import numpy as np
from libc.stdint cimport int32_t, uint64_t
from scipy.linalg.cython_blas cimport sgemm

from skbnn.kernels._layer cimport layer_popcounts
from skbnn.network._binarize cimport binarize
from skbnn.network._random cimport RandomBits


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


cdef class BinaryDense:
    """Latent weights, (n_units, n_inputs), and the three forms in which a mini-batch needs them."""

    def __init__(self, float[:, ::1] latent_weights, Py_ssize_t max_rows):
        self.n_units, self.n_inputs = latent_weights.shape[0], latent_weights.shape[1]
        self.n_words, self.n_groups = (self.n_inputs + 63) // 64, (self.n_units + 7) // 8
        self.latent_weights = latent_weights
        self.binary_weights = np.empty((self.n_units, self.n_inputs), np.float32)
        self.gradient = np.empty((self.n_units, self.n_inputs), np.float32)
        self.packed_weights = np.zeros((self.n_groups, self.n_words, 8), np.uint64)
        self.popcounts = np.empty((max_rows, self.n_groups * 8), np.int32)
        self.row_words = np.empty(self.n_words, np.uint64)
        self.noise = np.zeros(self.n_inputs, np.float32)

    cdef void binarize_weights(self, RandomBits random) noexcept nogil:
        """Take the sign of the latent weights, or, given ``random``, draw them."""
        cdef Py_ssize_t unit, word
        for unit in range(self.n_units):
            if random is not None:
                random.uniform(&self.noise[0], self.n_inputs)
            binarize(&self.latent_weights[unit, 0], &self.noise[0], self.n_inputs, &self.binary_weights[unit, 0],
                     &self.row_words[0])
            for word in range(self.n_words):
                self.packed_weights[unit // 8, word, unit % 8] = self.row_words[word]

    cdef void forward(self, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows, float *dots) noexcept nogil:
        """``dots = (x * mask) @ binary_weights.T`` from packed ±1 inputs and, unless NULL, a packed 0/1 mask."""
        cdef Py_ssize_t row, unit, word, kept = self.n_inputs
        cdef const int32_t *counts
        layer_popcounts(x, mask, n_rows, self.n_words, &self.packed_weights[0, 0, 0], self.n_words, self.n_groups,
                        &self.popcounts[0, 0], self.n_groups * 8)
        for row in range(n_rows):
            counts = &self.popcounts[row, 0]
            if mask is not NULL:
                kept = 0
                for word in range(self.n_words):
                    kept += popcount64(mask[row * self.n_words + word])
            for unit in range(self.n_units):
                dots[row * self.n_units + unit] = <float>(<int32_t>kept - 2 * counts[unit])

    cdef void backward(self, const float *x, const float *d_dots, Py_ssize_t n_rows, float *d_x) noexcept nogil:
        """``gradient = d_dots.T @ x`` and, unless ``d_x`` is NULL, ``d_x = d_dots @ binary_weights``.

        BLAS counts by columns, so each row-major matrix is passed as its transpose.
        """
        cdef int units = self.n_units, inputs = self.n_inputs, rows = n_rows
        cdef float one = 1, zero = 0
        if d_x is not NULL:
            sgemm("N", "N", &inputs, &rows, &units, &one, &self.binary_weights[0, 0], &inputs, <float *>d_dots, &units,
                  &zero, d_x, &inputs)
        sgemm("N", "T", &inputs, &units, &rows, &one, <float *>x, &inputs, <float *>d_dots, &units, &zero,
              &self.gradient[0, 0], &inputs)
