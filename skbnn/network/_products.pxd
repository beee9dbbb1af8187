from libc.stdint cimport uint64_t

from skbnn.network._team cimport Team


cdef class BackwardProducts:
    cdef Py_ssize_t n_units, n_inputs, n_words, max_rows
    cdef Py_ssize_t scratch_bytes(self) noexcept nogil
    cdef void take(self, const Team *team, const float *d_dots, const uint64_t *x, const uint64_t *mask,
                   Py_ssize_t n_rows, bint for_inputs) noexcept nogil
    cdef void inputs(self, const Team *team, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil
    cdef void weights(self, Py_ssize_t block, Py_ssize_t n_rows, float *gradient) noexcept nogil


cdef BackwardProducts backward_products(Py_ssize_t n_units, Py_ssize_t n_inputs, Py_ssize_t max_rows, bint int8)
