from skbnn.kernels._dispatch cimport BatchNormArrays


cdef class BatchNorm:
    cdef readonly float[::1] gain, bias, gain_gradient, bias_gradient
    cdef float[::1] inverse_std
    cdef BatchNormArrays arrays  # the same, as the tiles take them
    cdef void forward(self, float *x, float *out, const double *weights, double total_weight,
                      Py_ssize_t n_rows) noexcept nogil
    cdef void backward(self, const float *normalized, float *gradient, const double *weights, double total_weight,
                       Py_ssize_t n_rows) noexcept nogil
