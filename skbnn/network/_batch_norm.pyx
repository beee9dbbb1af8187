"""Batch normalization (Ioffe and Szegedy, 2015) with weighted rows: a row of weight 2 counts as two rows."""

import numpy as np

from skbnn.kernels._dispatch cimport BatchNormArrays, tiles
from skbnn.network._team cimport COLUMNS, width


cdef class BatchNorm:
    """Gain and bias, (n_units,), of one layer, and what its backward pass needs from the forward one.

    Matrices are blocks, (n_rows, COLUMNS); ``weights`` (n_rows,) have the sum ``total_weight``. The statistics are
    those of the mini-batch.
    """

    def __init__(self, float[::1] gain, float[::1] bias):
        cdef Py_ssize_t n_units = gain.shape[0]
        self.gain, self.bias = gain, bias
        self.gain_gradient = np.empty(n_units, np.float32)
        self.bias_gradient = np.empty(n_units, np.float32)
        self.inverse_std = np.empty(n_units, np.float32)

    cdef void forward(self, Py_ssize_t block, float *x, const double *weights, double total_weight,
                      Py_ssize_t n_rows) noexcept nogil:
        """``x = (x - mean) / std``, in place, of a block."""
        cdef BatchNormArrays arrays = self.arrays(block)
        tiles().normalize(x, weights, total_weight, n_rows, &arrays)

    cdef void outputs(self, Py_ssize_t block, const float *normalized, Py_ssize_t n_rows, float *out) noexcept nogil:
        """``out = gain * normalized + bias``, of some rows of a block."""
        cdef BatchNormArrays arrays = self.arrays(block)
        tiles().scale_and_shift(normalized, n_rows, &arrays, out)

    cdef void backward(self, Py_ssize_t block, const float *normalized, float *gradient, const double *weights,
                       double total_weight, Py_ssize_t n_rows) noexcept nogil:
        """Turn the gradient of ``outputs`` into that of ``forward``'s input, in place, of a block.

        The mean and the standard deviation depend on every row; their share is subtracted by the rows' weights.
        """
        cdef BatchNormArrays arrays = self.arrays(block)
        tiles().normalize_backward(normalized, gradient, weights, total_weight, n_rows, &arrays)

    cdef BatchNormArrays arrays(self, Py_ssize_t block) noexcept nogil:
        """The units of a block, as the tiles take them."""
        cdef Py_ssize_t start = block * COLUMNS
        return BatchNormArrays(&self.gain[start], &self.bias[start], &self.gain_gradient[start],
                               &self.bias_gradient[start], &self.inverse_std[start],
                               width(block, self.gain.shape[0]))
