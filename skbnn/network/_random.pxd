from libc.stdint cimport uint64_t
from numpy.random cimport bitgen_t


cdef class RandomBits:
    cdef object bit_generator  # keeps the stream's memory alive
    cdef bitgen_t *stream
    cdef void uniform(self, float *out, Py_ssize_t n) noexcept nogil
    cdef void bernoulli(self, double probability, uint64_t *words, Py_ssize_t n_words) noexcept nogil
