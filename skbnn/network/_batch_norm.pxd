cdef class BatchNorm:
    cdef Py_ssize_t n_units
    cdef readonly float[::1] gain, bias, gain_gradient, bias_gradient
    cdef float[::1] inverse_std
    cdef double[:, ::1] sums  # scratch: two numbers a unit
    cdef void normalize(self, float *x, const double *weights, double total_weight,
                        Py_ssize_t n_rows) noexcept nogil
    cdef void forward(self, const float *normalized, float *out, Py_ssize_t n_rows) noexcept nogil
    cdef void backward(self, const float *normalized, float *gradient, const double *weights,
                       double total_weight, Py_ssize_t n_rows) noexcept nogil
