from libc.stdint cimport uint64_t


cdef void unpack(const uint64_t *words, Py_ssize_t n, float *out) noexcept nogil

cdef void binarize(const float *x, const float *noise, Py_ssize_t n, float *out, uint64_t *words) noexcept nogil

cdef class SurrogateGradient:
    cdef void backward(self, const float *x, float *gradient, Py_ssize_t n) noexcept nogil
