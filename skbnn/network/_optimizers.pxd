from skbnn.network._team cimport Share


cdef class Optimizer:
    cdef float[::1] parameters
    cdef float bound
    cdef bint in_parts
    cdef void update(self, const float *gradient, Share part, long long number, double rate) noexcept nogil
