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
        """Bits that are 1 with ``probability``, rounded to a multiple of 2**-16; 16 draws make 64 of them.

        Reading the probability's binary digits from the last to the first, a fair coin `or` (digit 1) or `and`
        (digit 0) what came before halves the distance to the digit.
        """
        cdef uint32_t digits = <uint32_t>(probability * 65536 + 0.5)
        cdef Py_ssize_t word, digit
        cdef uint64_t coins, bits
        for word in range(n_words):
            bits = ~<uint64_t>0 if digits >> 16 else 0
            if not digits >> 16:
                for digit in range(16):
                    coins = self.stream.next_uint64(self.stream.state)
                    bits = bits | coins if digits >> digit & 1 else bits & coins
            words[word] = bits
