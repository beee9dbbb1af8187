from libc.stdint cimport uint64_t


cdef void unpack(const uint64_t *words, Py_ssize_t n, float *out) noexcept nogil

cdef class SurrogateGradient:
    cdef void backward(self, const float *x, float *gradient, Py_ssize_t n) noexcept nogil
