cdef class Loss:
    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil
    cdef double batch(self, const float *scores, const float *targets, Py_ssize_t n_targets, const double *weights,
                      double total_weight, Py_ssize_t n_rows, Py_ssize_t n_outputs, float *gradient) noexcept nogil
