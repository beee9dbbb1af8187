"""Batch normalization (Ioffe and Szegedy, 2015) with weighted rows: a row of weight 2 counts as two rows."""

import numpy as np

from skbnn.kernels._dispatch cimport tiles


cdef class BatchNorm:
    """Gain and bias, (n_units,), of one layer, and what its backward pass needs from the forward one.

    Matrices are (n_rows, n_units); ``weights`` (n_rows,) have the sum ``total_weight``. The statistics
    are those of the mini-batch.
    """

    def __init__(self, float[::1] gain, float[::1] bias):
        cdef Py_ssize_t n_units = gain.shape[0]
        self.gain, self.bias = gain, bias
        self.gain_gradient = np.empty(n_units, np.float32)
        self.bias_gradient = np.empty(n_units, np.float32)
        self.inverse_std = np.empty(n_units, np.float32)
        self.arrays = BatchNormArrays(&self.gain[0], &self.bias[0], &self.gain_gradient[0], &self.bias_gradient[0],
                                      &self.inverse_std[0], n_units)

    cdef void forward(self, float *x, float *out, const double *weights, double total_weight,
                      Py_ssize_t n_rows) noexcept nogil:
        """``x = (x - mean) / std``, in place, and ``out = gain * x + bias``."""
        tiles().normalize(x, out, weights, total_weight, n_rows, &self.arrays)

    cdef void backward(self, const float *normalized, float *gradient, const double *weights, double total_weight,
                       Py_ssize_t n_rows) noexcept nogil:
        """Turn the gradient of ``forward``'s output into that of its input, in place.

        The mean and the standard deviation depend on every row; their share is subtracted by the rows' weights.
        """
        tiles().normalize_backward(normalized, gradient, weights, total_weight, n_rows, &self.arrays)
