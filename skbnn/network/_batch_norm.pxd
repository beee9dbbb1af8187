from skbnn.kernels._dispatch cimport BatchNormArrays
from skbnn.network._team cimport Share, Team


cdef class BatchNorm:
    cdef readonly float[::1] gain, bias, gain_gradient, bias_gradient
    cdef float[::1] inverse_std
    cdef void forward(self, const Team *team, float *x, float *out, const double *weights, double total_weight,
                      Py_ssize_t n_rows) noexcept nogil
    cdef void backward(self, const Team *team, const float *normalized, float *gradient, const double *weights,
                       double total_weight, Py_ssize_t n_rows) noexcept nogil
    cdef BatchNormArrays arrays(self, Share units) noexcept nogil
