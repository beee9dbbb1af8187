"""Random numbers inside a mini-batch, drawn without the GIL from a NumPy bit generator."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset
from numpy.random cimport bitgen_t

from skbnn.kernels._dispatch cimport COIN_DIGITS, COIN_LANES, tiles


cdef class RandomBits:
    """A ``numpy.random.BitGenerator`` as the training kernels read it."""

    def __init__(self, bit_generator):
        self.bit_generator = bit_generator
        self.stream = <bitgen_t *>PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")

    cdef void uniform(self, float *out, Py_ssize_t n) noexcept nogil:
        """``out = uniform(-1, 1, n)``, in steps of 2**-23."""
        cdef Py_ssize_t i
        for i in range(n):
            out[i] = (self.stream.next_uint32(self.stream.state) >> 8) * <float>(2.0 ** -23) - 1

    cdef void bernoulli(self, double probability, uint64_t *words, Py_ssize_t n_words) noexcept nogil:
        """Bits that are 1 with ``probability``, rounded to a multiple of 2**-16.

        This stream gives the seeds of faster ones, of which several run side by side.
        """
        cdef uint32_t digits = <uint32_t>(probability * (1 << COIN_DIGITS) + 0.5)
        cdef uint64_t seeds[3][COIN_LANES]
        cdef Py_ssize_t i
        if digits >> COIN_DIGITS:
            memset(words, 255, n_words * sizeof(uint64_t))
            return
        for i in range(3 * COIN_LANES):
            seeds[i // COIN_LANES][i % COIN_LANES] = self.stream.next_uint64(self.stream.state)
        tiles().bernoulli(seeds, digits, words, n_words)
