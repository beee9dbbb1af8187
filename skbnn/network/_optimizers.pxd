from skbnn.network._team cimport Share, Team


cdef class Optimizer:
    cdef float[::1] parameters
    cdef float bound
    cdef void update(self, const Team *team, const float *gradient, Share part, long long number,
                     double rate) noexcept nogil
