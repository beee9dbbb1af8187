from libc.stdint cimport uint8_t, uint64_t

from skbnn.network._products cimport BackwardProducts
from skbnn.network._random cimport RandomBits
from skbnn.network._team cimport Share, Team


cdef class BinaryDense:
    cdef readonly Py_ssize_t n_units, n_inputs, n_words
    cdef readonly float[:, ::1] latent_weights, gradient
    cdef readonly uint64_t[:, :, ::1] packed_weights
    cdef BackwardProducts products
    cdef float[::1] noise
    cdef void binarize_weights(self, Share units, RandomBits random) noexcept nogil
    cdef Py_ssize_t scratch_bytes(self) noexcept nogil
    cdef void forward(self, Py_ssize_t block, const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows,
                      float *dots) noexcept nogil
    cdef void backward(self, const Team *team, const uint64_t *x, const uint64_t *mask, const float *d_dots,
                       Py_ssize_t n_rows, float *d_x) noexcept nogil
    cdef void weights_gradient(self, Py_ssize_t block, Py_ssize_t n_rows, float *gradient) noexcept nogil
