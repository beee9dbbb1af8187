"""The packed network as one native call: blocks of rows go through all layers while they are in cache."""

import numpy as np

cimport numpy as cnp
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from skbnn.encoding._encode cimport CHUNK, Encoder
from skbnn.encoding._source cimport Source, as_source, convert
from skbnn.kernels._layer cimport layer_fires, layer_popcounts

from skbnn.kernels import effective_n_threads

cnp.import_array()


cdef enum:
    BLOCK = 96  # rows; a multiple of every tile's height, and few enough that their bits stay in cache
    WORTH_A_THREAD = 1 << 18  # eight-lane popcounts, about a tenth of a millisecond


cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #else
    static int omp_get_thread_num(void) { return 0; }
    #endif
    """
    int omp_get_thread_num() nogil


cdef extern from *:
    """
    #ifdef __GNUC__
    #define trailing_zeros __builtin_ctzll
    #else
    #include <intrin.h>
    static int trailing_zeros(unsigned long long word) { unsigned long i; _BitScanForward64(&i, word); return (int)i; }
    #endif
    """
    int trailing_zeros(uint64_t word) nogil


cdef struct Hidden:
    const uint64_t *weights
    const int32_t *thresholds
    Py_ssize_t n_words, n_groups, out_words


cdef class Program:
    """Raw pointers into a PackedNetwork's arrays, and the loops over them.

    Scores are integers below 2**53. They are added up in float64, which holds them exactly and is as fast everywhere.

    Parameters
    ----------
    encoder : Encoder
    layers : list of (packed_weights, thresholds)
        Hidden layers.
    output_weights : ndarray of shape (n_members, n_groups, n_words, 8), uint64
    scale : ndarray of shape (n_members, n_outputs, units_per_output), float64
        Of the output units' popcounts. Integers, as are the next two.
    bias : ndarray of shape (n_outputs,), float64
        Scores where no popcount is.
    sums : ndarray of shape (n_bits, n_outputs), or (0, n_outputs), float64
        Of the steps from the first bit of a column, or of a nominal feature's step, to each.
    run_ends : ndarray of shape (2, n_words), uint64
        Bits that are the first, and the last, of what these sums go over.
    slopes : ndarray of shape (n_features, n_outputs), or (0, n_outputs), float64
    ranges : ndarray of shape (2, n_features), or (2, 0), float64
    narrow : bool
        Whether all scores are below 2**31.
    """

    cdef Encoder encoder
    cdef object arrays  # keeps alive what the pointers point to
    cdef Hidden *hidden  # of the first member, then of the next
    cdef Py_ssize_t n_members, n_hidden, widest, work
    cdef const uint64_t[:, :, :, ::1] output_weights
    cdef const double[:, :, ::1] scale
    cdef const double[::1] bias
    cdef const double[:, ::1] sums, slopes, ranges
    cdef const uint64_t[:, ::1] run_ends
    cdef bint narrow

    def __cinit__(self, Encoder encoder not None, list layers, const uint64_t[:, :, :, ::1] output_weights,
                  const double[:, :, ::1] scale, const double[::1] bias, const double[:, ::1] sums,
                  const uint64_t[:, ::1] run_ends, const double[:, ::1] slopes,
                  const double[:, ::1] ranges, bint narrow):
        cdef Py_ssize_t i, member
        cdef const uint64_t[:, :, :, ::1] weights
        cdef const int32_t[:, ::1] thresholds
        cdef Hidden *layer
        self.encoder, self.output_weights = encoder, output_weights
        self.scale, self.bias = scale, bias
        self.sums, self.run_ends, self.slopes, self.ranges = sums, run_ends, slopes, ranges
        self.arrays, self.narrow = layers, narrow
        self.n_members, self.n_hidden = output_weights.shape[0], len(layers)
        self.hidden = <Hidden *>PyMem_Malloc(max(1, self.n_members * self.n_hidden) * sizeof(Hidden))
        if self.hidden is NULL:
            raise MemoryError()
        for i in range(self.n_hidden):
            weights, thresholds = layers[i]
            for member in range(self.n_members):
                layer = &self.hidden[member * self.n_hidden + i]
                layer.weights, layer.thresholds = &weights[member, 0, 0, 0], &thresholds[member, 0]
                layer.n_groups, layer.n_words = weights.shape[1], weights.shape[2]
                layer.out_words = (layer.n_groups + 7) // 8
                self.widest = max(self.widest, layer.out_words)
            self.work += weights.shape[0] * weights.shape[1] * weights.shape[2]
        self.work += self.n_members * output_weights.shape[1] * output_weights.shape[2]

    def __dealloc__(self):
        PyMem_Free(self.hidden)

    def scores(self, X):
        """Scores of rows as the encoder reads them, (n_rows, n_outputs) float64 integers."""
        cdef Source source
        _kept = as_source(X, self.encoder.n_features, &source)
        cdef cnp.ndarray out = np.empty((source.n_rows, self.bias.shape[0]))
        self.run(&source, NULL, source.n_rows, <double *>cnp.PyArray_DATA(out), NULL)
        return out

    def largest(self, X):
        """``scores(X).argmax(axis=1)``, without the memory of all scores."""
        cdef Source source
        _kept = as_source(X, self.encoder.n_features, &source)
        cdef cnp.ndarray out = np.empty(source.n_rows, np.intp)
        self.run(&source, NULL, source.n_rows, NULL, <Py_ssize_t *>cnp.PyArray_DATA(out))
        return out

    def scores_from_bits(self, bits):
        """Scores of packed rows, (n_rows, n_outputs) float64 integers."""
        if self.slopes.shape[0]:
            raise ValueError("scores of a network with slopes need the features, not only their bits")
        given = np.asarray(bits)
        if given.ndim != 2 or not np.issubdtype(given.dtype, np.uint64):
            raise ValueError(f"bits have shape {given.shape} and dtype {given.dtype}, expected rows of uint64")
        if given.shape[1] != self.encoder.n_words:
            raise ValueError(f"bits have {given.shape[1]} words a row, expected {self.encoder.n_words}")
        cdef cnp.ndarray words = np.array(given, np.uint64, order="C")  # which nobody changes once it is checked
        cdef Py_ssize_t padding_from = self.encoder.n_bits % 64
        if padding_from and (words[:, -1] >> np.uint64(padding_from)).any():  # no step belongs to them
            raise ValueError("padding bits of rows must be 0")
        cdef cnp.ndarray out = np.empty((len(words), self.bias.shape[0]))
        self.run(NULL, <const uint64_t *>cnp.PyArray_DATA(words), len(words), <double *>cnp.PyArray_DATA(out), NULL)
        return out

    cdef run(self, const Source *source, const uint64_t *bits, Py_ssize_t n_rows, double *scores, Py_ssize_t *largest):
        """Fill ``scores`` or, where that is NULL, ``largest`` from ``source`` or, where that is NULL, ``bits``."""
        cdef Py_ssize_t n_blocks = (n_rows + BLOCK - 1) // BLOCK
        cdef int n_threads = 1
        if not n_rows:
            return
        if n_blocks > 1 and n_rows * self.work >= 2 * WORTH_A_THREAD:
            n_threads = min(effective_n_threads(), n_blocks, n_rows * self.work // WORTH_A_THREAD)
        cdef Py_ssize_t block, stride = self.scratch_bytes(min(n_rows, BLOCK))
        cdef cnp.ndarray memory = np.empty((n_threads, stride), np.uint8)
        cdef char *scratch = <char *>cnp.PyArray_DATA(memory)
        if n_threads == 1:
            with nogil:
                for block in range(n_blocks):
                    self.run_block(source, bits, block * BLOCK, min(n_rows, (block + 1) * BLOCK), scratch, scores,
                                   largest)
        else:
            for block in prange(n_blocks, nogil=True, num_threads=n_threads, schedule="static"):
                self.run_block(source, bits, block * BLOCK, min(n_rows, (block + 1) * BLOCK),
                               scratch + omp_get_thread_num() * stride, scores, largest)

    cdef Py_ssize_t scratch_bytes(self, Py_ssize_t rows) noexcept nogil:
        """Encoder's scratch, scores, bits of the input and of two layers, the output layer's popcounts; rounded up to
        cache lines."""
        cdef Py_ssize_t n_bytes = self.encoder.scratch_bytes(rows) + rows * self.bias.shape[0] * sizeof(double)
        n_bytes += rows * (self.encoder.n_words + 2 * self.widest) * sizeof(uint64_t)
        n_bytes += rows * self.output_weights.shape[1] * 8 * sizeof(int32_t)
        return (n_bytes + 63) // 64 * 64

    cdef void run_block(self, const Source *source, const uint64_t *bits, Py_ssize_t start, Py_ssize_t stop,
                        char *scratch, double *scores, Py_ssize_t *largest) noexcept nogil:
        """``run`` the rows from ``start`` to ``stop``."""
        cdef Py_ssize_t member, row, rows = stop - start, n_outputs = self.bias.shape[0]
        cdef double *block_scores = <double *>(scratch + self.encoder.scratch_bytes(rows))
        cdef uint64_t *x = <uint64_t *>(block_scores + rows * n_outputs)
        cdef bint finite = True
        if source is NULL:
            memcpy(x, bits + start * self.encoder.n_words, rows * self.encoder.n_words * sizeof(uint64_t))
        else:
            finite = self.encoder.encode_rows(source, start, stop, scratch, x)
        if scores is not NULL:
            block_scores = scores + start * n_outputs
        self.start_scores(x, rows, block_scores)
        if self.slopes.shape[0]:
            self.add_slopes(source, start, stop, finite, scratch, block_scores)
        for member in range(self.n_members):
            self.run_member(member, x, rows, block_scores)
        if largest is not NULL:
            for row in range(rows):
                largest[start + row] = argmax(block_scores + row * n_outputs, n_outputs)

    cdef void run_member(self, Py_ssize_t member, uint64_t *x, Py_ssize_t rows, double *scores) noexcept nogil:
        """Add a member's scores; behind the input bits lie the buffers of two layers and of popcounts."""
        cdef Py_ssize_t i, row, n_groups = self.output_weights.shape[1], n_words = self.output_weights.shape[2]
        cdef uint64_t *buffers = x + rows * self.encoder.n_words
        cdef uint64_t *fired
        cdef int32_t *popcounts = <int32_t *>(buffers + 2 * rows * self.widest)
        cdef Hidden *layer
        for i in range(self.n_hidden):
            layer = &self.hidden[member * self.n_hidden + i]
            fired = buffers + (i % 2) * rows * self.widest
            if layer.n_groups % 8:  # the last word's padding, which no group writes
                for row in range(rows):
                    fired[(row + 1) * layer.out_words - 1] = 0
            layer_fires(x, rows, layer.n_words, layer.weights, layer.n_words, layer.n_groups, layer.thresholds,
                        <uint8_t *>fired, 8 * layer.out_words)
            x = fired
        layer_popcounts(x, NULL, rows, n_words, &self.output_weights[member, 0, 0, 0], n_words, n_groups, popcounts,
                        8 * n_groups)
        self.add_units(member, popcounts, rows, scores)

    cdef void start_scores(self, const uint64_t *x, Py_ssize_t rows, double *scores) noexcept nogil:
        """``scores = bias + sum(steps[bits])`` over the bits that are 1, by runs of them within a column.

        A run adds the sum of the column's steps to its last bit. Where it does not begin with the column, which a
        thermometer encoding never does, it subtracts those before.
        """
        cdef Py_ssize_t _row, word, n_outputs = self.bias.shape[0], n_words = self.encoder.n_words
        cdef uint64_t bits, before, after, lasts, firsts
        for _row in range(rows):
            memcpy(scores, &self.bias[0], n_outputs * sizeof(double))
            before = 0
            for word in range(n_words if self.sums.shape[0] else 0):
                bits = x[word]
                after = x[word + 1] & 1 if word + 1 < n_words else 0
                lasts = bits & (self.run_ends[1, word] | ~(bits >> 1 | after << 63))
                firsts = bits & ~(self.run_ends[0, word] | bits << 1 | before)
                before = bits >> 63
                while lasts:
                    self.add_sums(64 * word + trailing_zeros(lasts), 1, scores)
                    lasts &= lasts - 1
                while firsts:
                    self.add_sums(64 * word + trailing_zeros(firsts) - 1, -1, scores)
                    firsts &= firsts - 1
            x += n_words
            scores += n_outputs

    cdef inline void add_sums(self, Py_ssize_t bit, double sign, double *scores) noexcept nogil:
        cdef Py_ssize_t output
        for output in range(self.sums.shape[1]):
            scores[output] += sign * self.sums[bit, output]

    cdef void add_slopes(self, const Source *source, Py_ssize_t start, Py_ssize_t stop, bint finite, char *scratch,
                         double *scores) noexcept nogil:
        """``scores += trunc(slopes * (clip(x, *ranges) - ranges[0]))`` over the features, all ``finite`` or not."""
        cdef Py_ssize_t row, feature, rows, n_outputs = self.bias.shape[0], n_features = self.slopes.shape[0]
        cdef double *x
        cdef double rises[2]
        while start < stop:
            rows = min(<Py_ssize_t>CHUNK, stop - start)
            convert(source, source.data + start * source.row_stride, rows, n_features, False, scratch)
            for row in range(rows):
                x = <double *>scratch + row * n_features
                if not finite:
                    self.encoder.fill_missing(x)
                for feature in range(0, n_features, 2):
                    rises[0] = self.rise(feature, x)
                    rises[1] = self.rise(feature + 1, x) if feature + 1 < n_features else 0
                    self.add_two_lines(feature, rises, scores)
                scores += n_outputs
            start += rows

    cdef inline double rise(self, Py_ssize_t feature, const double *x) noexcept nogil:
        """How far a feature lies above its range's lower end; 0 for NaN, whose cast to an integer is undefined."""
        cdef double lower = self.ranges[0, feature]
        return min(max(lower, x[feature]), self.ranges[1, feature]) - lower

    cdef inline void add_two_lines(self, Py_ssize_t feature, const double *rises, double *scores) noexcept nogil:
        """Those of a feature and the next, which halves the loads and stores of scores."""
        cdef Py_ssize_t output
        cdef const double *slopes = &self.slopes[feature, 0]
        cdef const double *others = &self.slopes[min(feature + 1, self.slopes.shape[0] - 1), 0]
        if self.narrow:  # any instruction set casts several of these at a time
            for output in range(self.slopes.shape[1]):
                scores[output] += <int32_t>(slopes[output] * rises[0]) + <int32_t>(others[output] * rises[1])
        else:
            for output in range(self.slopes.shape[1]):
                scores[output] += <int64_t>(slopes[output] * rises[0]) + <int64_t>(others[output] * rises[1])

    cdef void add_units(self, Py_ssize_t member, const int32_t *popcounts, Py_ssize_t rows,
                        double *scores) noexcept nogil:
        """``scores += sum(scale * popcounts)`` over each output's units."""
        cdef Py_ssize_t row, output, unit, n_outputs = self.scale.shape[1], per_output = self.scale.shape[2]
        cdef Py_ssize_t stride = 8 * self.output_weights.shape[1]
        cdef const int32_t *counts
        cdef double score
        for row in range(rows):
            for output in range(n_outputs):
                counts = popcounts + row * stride + output * per_output
                score = scores[row * n_outputs + output]
                for unit in range(per_output):
                    score += self.scale[member, output, unit] * counts[unit]
                scores[row * n_outputs + output] = score


cdef inline Py_ssize_t argmax(const double *scores, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, best = 0
    for i in range(1, n):
        if scores[i] > scores[best]:
            best = i
    return best
