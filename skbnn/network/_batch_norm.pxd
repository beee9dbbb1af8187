from skbnn.kernels._dispatch cimport BatchNormArrays


cdef class BatchNorm:
    cdef readonly float[::1] gain, bias, gain_gradient, bias_gradient
    cdef float[::1] inverse_std
    cdef void forward(self, Py_ssize_t block, float *x, const double *weights, double total_weight,
                      Py_ssize_t n_rows) noexcept nogil
    cdef void outputs(self, Py_ssize_t block, const float *normalized, Py_ssize_t n_rows, float *out) noexcept nogil
    cdef void backward(self, Py_ssize_t block, const float *normalized, float *gradient, const double *weights,
                       double total_weight, Py_ssize_t n_rows) noexcept nogil
    cdef BatchNormArrays arrays(self, Py_ssize_t block) noexcept nogil
