from skbnn.kernels._dispatch cimport BatchNormArrays
from skbnn.network._team cimport Share


cdef class BatchNorm:
    cdef readonly float[::1] gain, bias, gain_gradient, bias_gradient
    cdef float[::1] inverse_std
    cdef void forward(self, Share units, float *x, float *out, const double *weights, double total_weight,
                      Py_ssize_t n_rows) noexcept nogil
    cdef void backward(self, Share units, const float *normalized, float *gradient, const double *weights,
                       double total_weight, Py_ssize_t n_rows) noexcept nogil
    cdef BatchNormArrays arrays(self, Share units) noexcept nogil
