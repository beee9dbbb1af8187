"""Pseudo-gradients that stand in for the sign's derivative, which is 0 wherever it exists; bits back to ±1."""

from libc.math cimport expf, fabsf
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from skbnn.kernels._dispatch cimport tiles

cdef float signs_of_byte[256][8]
for byte in range(256):
    for bit in range(8):
        signs_of_byte[byte][bit] = 1 if byte >> bit & 1 else -1


cdef void unpack(const uint64_t *words, Py_ssize_t n, float *out) noexcept nogil:
    """The first ``n`` bits as ±1."""
    cdef const uint8_t *octets = <const uint8_t *>words
    cdef Py_ssize_t at
    for at in range(n // 8):
        memcpy(out + 8 * at, signs_of_byte[octets[at]], 8 * sizeof(float))
    if n % 8:
        memcpy(out + n // 8 * 8, signs_of_byte[octets[n // 8]], n % 8 * sizeof(float))


cdef class SurrogateGradient:
    """Base class: the identity."""

    cdef void backward(self, const float *x, float *gradient, Py_ssize_t n) noexcept nogil:
        """Multiply ``gradient`` by the pseudo-derivative of the sign at ``x``, in place."""

    def __call__(self, const float[::1] x, float[::1] gradient):
        """``backward`` from Python."""
        self.backward(&x[0], &gradient[0], x.shape[0])


cdef class ApproxSign(SurrogateGradient):
    """max(0, 2 - 2·abs(x)), the derivative of a piecewise quadratic sign (Bi-Real Net, Liu et al., 2018)."""

    cdef void backward(self, const float *x, float *gradient, Py_ssize_t n) noexcept nogil:
        tiles().approx_sign(x, gradient, n)


cdef class ClippedIdentity(SurrogateGradient):
    """1 where abs(x) <= 1, else 0: the derivative of the hard tanh (Hubara et al., 2016)."""

    cdef void backward(self, const float *x, float *gradient, Py_ssize_t n) noexcept nogil:
        tiles().clipped_identity(x, gradient, n)


cdef class SwishSign(SurrogateGradient):
    """β(2 - βx·tanh(βx/2)) / (1 + cosh(βx)) with β = 5 (Darabi et al., 2018)."""

    cdef void backward(self, const float *x, float *gradient, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        cdef float z, e
        for i in range(n):
            z = 5 * fabsf(x[i])  # the function is even
            e = expf(-z)  # at most 1: tanh(z/2) = (1 - e)/(1 + e), 1 + cosh(z) = (1 + e)²/(2e)
            gradient[i] *= 5 * (2 - z * (1 - e) / (1 + e)) * 2 * e / ((1 + e) * (1 + e))
