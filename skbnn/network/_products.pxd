from libc.stdint cimport uint64_t

from skbnn.network._team cimport Share


cdef class BackwardProducts:
    cdef Py_ssize_t n_units, n_inputs, n_words
    cdef void spread_inputs(self, const uint64_t *x, const uint64_t *mask, Share rows,
                            Py_ssize_t n_rows) noexcept nogil
    cdef void spread_weights(self, const uint64_t *packed_weights, Share units) noexcept nogil
    cdef void weights(self, const float *d_dots, Py_ssize_t n_rows, Share units,
                      float *gradient) noexcept nogil
    cdef void inputs(self, const float *d_dots, Share rows, float *d_x) noexcept nogil


cdef BackwardProducts backward_products(Py_ssize_t n_units, Py_ssize_t n_inputs, Py_ssize_t max_rows, bint int8)
