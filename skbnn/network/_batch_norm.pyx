"""Batch normalization (Ioffe and Szegedy, 2015) with weighted rows: a row of weight 2 counts as two rows."""

import numpy as np
from libc.math cimport sqrt

# Added to the variance of the dot products, whose scale is the fan-in, so it matters only where nothing varies.
cdef double EPSILON = 1e-5


cdef class BatchNorm:
    """Gain and bias, (n_units,), of one layer, and what its backward pass needs from the forward one.

    Matrices are (n_rows, n_units); ``weights`` (n_rows,) have the sum ``total_weight``. The statistics
    are those of the mini-batch.
    """

    def __init__(self, float[::1] gain, float[::1] bias):
        self.n_units = gain.shape[0]
        self.gain, self.bias = gain, bias
        self.gain_gradient = np.empty(self.n_units, np.float32)
        self.bias_gradient = np.empty(self.n_units, np.float32)
        self.inverse_std = np.empty(self.n_units, np.float32)
        self.sums = np.empty((2, self.n_units))

    cdef void normalize(self, float *x, const double *weights, double total_weight,
                        Py_ssize_t n_rows) noexcept nogil:
        """``x = (x - mean) / sqrt(variance + EPSILON)``, in place."""
        cdef double *mean = &self.sums[0, 0]
        cdef double *variance = &self.sums[1, 0]
        cdef float *inverse_std = &self.inverse_std[0]
        cdef Py_ssize_t row, unit, n_units = self.n_units
        cdef float *values
        for unit in range(n_units):
            mean[unit] = variance[unit] = 0
        for row in range(n_rows):
            values = x + row * n_units
            for unit in range(n_units):
                mean[unit] += weights[row] * values[unit]
        for unit in range(n_units):
            mean[unit] /= total_weight
        for row in range(n_rows):
            values = x + row * n_units
            for unit in range(n_units):
                variance[unit] += weights[row] * (values[unit] - mean[unit]) * (values[unit] - mean[unit])
        for unit in range(n_units):
            inverse_std[unit] = 1 / sqrt(variance[unit] / total_weight + EPSILON)
        for row in range(n_rows):
            values = x + row * n_units
            for unit in range(n_units):
                values[unit] = <float>(values[unit] - mean[unit]) * inverse_std[unit]

    cdef void forward(self, const float *normalized, float *out, Py_ssize_t n_rows) noexcept nogil:
        """``out = gain * normalized + bias``."""
        cdef const float *gain = &self.gain[0]
        cdef const float *bias = &self.bias[0]
        cdef Py_ssize_t row, unit, n_units = self.n_units
        for row in range(n_rows):
            for unit in range(n_units):
                out[row * n_units + unit] = gain[unit] * normalized[row * n_units + unit] + bias[unit]

    cdef void backward(self, const float *normalized, float *gradient, const double *weights,
                       double total_weight, Py_ssize_t n_rows) noexcept nogil:
        """Turn the gradient of ``forward``'s output into that of ``normalize``'s input, in place.

        The mean and the standard deviation depend on every row; their share is subtracted by the rows' weights.
        """
        cdef const float *gain = &self.gain[0]
        cdef double *sums = &self.sums[0, 0]
        cdef double *products = &self.sums[1, 0]
        cdef float *sum_of_gradient = &self.bias_gradient[0]
        cdef float *sum_of_products = &self.gain_gradient[0]
        cdef const float *inverse_std = &self.inverse_std[0]
        cdef const float *x
        cdef float *g
        cdef float share
        cdef Py_ssize_t row, unit, n_units = self.n_units
        for unit in range(n_units):
            sums[unit] = products[unit] = 0
        for row in range(n_rows):
            x, g = normalized + row * n_units, gradient + row * n_units
            for unit in range(n_units):
                sums[unit] += g[unit]
                products[unit] += <double>g[unit] * x[unit]
        for unit in range(n_units):
            sum_of_gradient[unit] = sums[unit]
            sum_of_products[unit] = products[unit]
        for row in range(n_rows):
            x, g = normalized + row * n_units, gradient + row * n_units
            share = weights[row] / total_weight
            for unit in range(n_units):
                g[unit] = gain[unit] * inverse_std[unit] * (
                    g[unit] - share * (sum_of_gradient[unit] + x[unit] * sum_of_products[unit]))
