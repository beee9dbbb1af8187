from libc.stdint cimport int32_t, uint64_t

from skbnn.network._products cimport BackwardProducts
from skbnn.network._random cimport RandomBits
from skbnn.network._team cimport Share, Team


cdef class BinaryDense:
    cdef readonly Py_ssize_t n_units, n_inputs, n_words, n_groups
    cdef readonly float[:, ::1] latent_weights, gradient
    cdef readonly uint64_t[:, :, ::1] packed_weights
    cdef BackwardProducts products
    cdef int32_t[:, ::1] popcounts
    cdef float[::1] noise
    cdef void binarize_weights(self, const Team *team, RandomBits random) noexcept nogil
    cdef void forward(self, const Team *team, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows,
                      float *dots) noexcept nogil
    cdef void backward(self, const float *d_dots, Py_ssize_t n_rows, Share units) noexcept nogil
    cdef void input_gradient(self, const Team *team, const float *d_dots, Py_ssize_t n_rows, float *d_x) noexcept nogil
