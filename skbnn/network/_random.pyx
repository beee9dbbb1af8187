"""Random numbers inside a mini-batch, drawn without the GIL from a NumPy bit generator."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport uint32_t, uint64_t
from numpy.random cimport bitgen_t


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

        Each compares a uniform number with the probability, binary digit by digit from the first: as soon as one
        differs, the bit is known. Half of those that are open are then, so 64 bits take 7 draws on average.
        """
        cdef uint32_t digits = <uint32_t>(probability * 65536 + 0.5)
        cdef Py_ssize_t word
        cdef int digit
        cdef uint64_t coins, bits, unknown
        for word in range(n_words):
            bits, unknown, digit = 0, ~<uint64_t>0, 16
            if digits >> 16:
                bits, unknown = unknown, 0
            while unknown and digit > 0:
                digit -= 1
                coins = self.stream.next_uint64(self.stream.state)
                if digits >> digit & 1:
                    bits |= unknown & ~coins
                    unknown &= coins
                else:
                    unknown &= ~coins
            words[word] = bits
