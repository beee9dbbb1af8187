cdef class Optimizer:
    cdef float[::1] parameters
    cdef float bound
    cdef void update(self, const float *gradient, double learning_rate) noexcept nogil
