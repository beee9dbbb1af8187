from libc.stdint cimport uint64_t


cdef class BackwardProducts:
    cdef Py_ssize_t n_units, n_inputs, n_words, max_rows
    cdef void weights(self, const float *d_dots, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows,
                      float *gradient) noexcept nogil
    cdef void inputs(self, const float *d_dots, const uint64_t *packed_weights, Py_ssize_t n_rows,
                     float *d_x) noexcept nogil


cdef BackwardProducts backward_products(Py_ssize_t n_units, Py_ssize_t n_inputs, Py_ssize_t max_rows, bint int8)
