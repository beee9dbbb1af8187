from skbnn.network._team cimport Share


cdef class Loss:
    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil
    cdef void rows(self, Share rows, const float *scores, const float *targets, Py_ssize_t n_targets,
                   const double *weights, double total_weight, Py_ssize_t n_outputs, double *losses,
                   float *gradient) noexcept nogil
