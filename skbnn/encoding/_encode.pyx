"""Turns features into packed bits: bit j says whether its feature, or component, reaches ``thresholds[j]``.

The same values give the same bits whatever the dtype: 8- and 16-bit integers and float32 are compared in float32, where
``x >= t`` is the same as ``x >= (smallest float32 >= t)``; the others in float64. That is exact, but that integers
beyond 2**53 are rounded to float64.
Components are sums in float64, in the order of the features.

A missing value, NaN, reaches no threshold. A feature that had some in training has a first threshold of -inf, which
all other values reach. For a feature without one, NaN counts as the middle one of its thresholds. Bits of a nominal
feature, whose values are codes of categories, say which code it is and not which codes it reaches.

Of a sparse matrix only what is stored is looked at; where that does not do, a few rows at a time are written out.
"""

import numpy as np

from libc.float cimport DBL_MAX
from libc.math cimport INFINITY, NAN, isfinite, isnan
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from skbnn.encoding._source cimport Source, as_source, convert
from skbnn.kernels._dispatch cimport THRESHOLDS_PADDING, Tiles, tiles

from skbnn.encoding.columns import same_nominal


cdef class Encoder:
    """A thermometer encoding.

    Parameters
    ----------
    thresholds : ndarray of shape (n_bits,), float64
    offsets : ndarray of shape (n_features + n_components + 1,), int32
        Feature f has ``thresholds[offsets[f]:offsets[f + 1]]``; components come after the features.
    components : ndarray of shape (n_components, n_features), float64, default=None
        Linear combinations of the features.
    nominal : ndarray of shape (n_features,), bool, default=None
        Features whose bits are 1 from their threshold to the next one only.
    """

    def __init__(self, thresholds, offsets, components=None, nominal=None):
        self.n_components = 0 if components is None else len(components)
        self.n_features, self.n_bits = len(offsets) - 1 - self.n_components, len(thresholds)
        if self.n_components:
            self.components = np.ascontiguousarray(components.T)
        self.n_words = (self.n_bits + 63) // 64
        self.one_bit_each = False
        if self.n_bits == self.n_features and not self.n_components:
            self.one_bit_each = bool((np.diff(offsets) == 1).all())
        self.offsets = np.asarray(offsets, dtype=np.int32)
        wide = np.append(thresholds, np.full(THRESHOLDS_PADDING, np.nan))
        with np.errstate(over="ignore"):  # beyond float32's range the smallest float32 >= t is infinity
            narrow = wide.astype(np.float32)
            np.nextafter(narrow, np.float32(np.inf), out=narrow, where=narrow < wide)
        self.thresholds32 = narrow
        self.thresholds64 = wide
        reached = np.packbits(wide[: 64 * self.n_words] <= 0, bitorder="little")
        self.bits_of_zeros = np.pad(reached, (0, 8 * self.n_words - len(reached))).view(np.uint64)
        if nominal is None:
            nominal = np.zeros(self.n_features, bool)
        self.nominal = np.asarray(nominal).view(np.uint8)
        self.same_nominal = same_nominal(offsets, nominal) if nominal.any() else np.empty(0, np.uint64)

    def encode(self, X):
        """Packed bits of each row.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n_rows, n_features)
            Of any real dtype and any memory order; it is not copied (but for float16, byte-swapped and misaligned
            arrays, and of a sparse one what is stored, unless that is float64 in CSR format, and where).

        Returns
        -------
        bits : ndarray of shape (n_rows, n_words), uint64
            Bit j of word i is bit ``64 * i + j``; padding bits are 0.
        """
        cdef Source source
        _kept = as_source(X, self.n_features, &source)
        out = np.empty((source.n_rows, self.n_words), np.uint64)
        cdef uint64_t[:, ::1] words = out
        cdef char[::1] scratch = np.empty(self.scratch_bytes(source.n_rows) + 1, np.int8)
        if out.size:
            with nogil:
                self.encode_rows(&source, 0, source.n_rows, &scratch[0], &words[0, 0])
        return out

    def project(self, X):
        """Components of each row, (n_rows, n_components) float64, as they are compared with the thresholds."""
        cdef Source source
        _kept = as_source(X, self.n_features, &source)
        cdef double[:, ::1] components = np.empty((source.n_rows, self.n_components))
        cdef double[::1] extended = np.empty(self.n_features + self.n_components)  # a row with its components
        cdef Py_ssize_t row
        for row in range(source.n_rows):
            convert(&source, source.data + row * source.row_stride, 1, self.n_features, False, <char *>&extended[0])
            self.add_components(&extended[0], True)
            components[row] = extended[self.n_features :]
        return np.asarray(components)

    cdef Py_ssize_t scratch_bytes(self, Py_ssize_t rows) noexcept nogil:
        """Bytes that ``encode_rows`` needs as scratch: rows as they are converted, one with its components."""
        return ((min(rows, <Py_ssize_t>CHUNK) + 1) * self.n_features + self.n_components) * sizeof(double)

    cdef bint encode_rows(self, const Source *source, Py_ssize_t start, Py_ssize_t stop, char *scratch,
                          uint64_t *out) noexcept nogil:
        """Fill ``out``, (stop - start, n_words); returns whether every value is finite."""
        cdef bint narrow = source.itemsize <= (4 if source.kind == b"f" else 2)
        cdef bint in_place = source.kind == b"f" and source.column_stride == source.itemsize
        cdef Py_ssize_t _, rows, row = start, stride = source.row_stride
        cdef const char *x
        cdef double *extended = <double *>scratch + min(stop - start, <Py_ssize_t>CHUNK) * self.n_features
        cdef bint all_finite = True, finite
        if source.kind == b"s" and self.encode_stored(source, start, stop, out):
            return True
        if not in_place:
            stride = self.n_features * <Py_ssize_t>(sizeof(float) if narrow else sizeof(double))
        while row < stop:
            rows = min(<Py_ssize_t>CHUNK, stop - row)
            x = source.data + row * source.row_stride
            if not in_place:
                convert(source, x, rows, self.n_features, narrow, scratch)
                x = scratch
            for _ in range(rows):
                if self.n_components:
                    self.copy_row(x, narrow, extended)
                    self.add_components(extended, False)
                    finite = self.encode_row(<char *>extended, False, out)
                else:
                    finite = self.encode_row(x, narrow, out)
                if not finite:
                    self.copy_row(x, narrow, extended)
                    self.fill_missing(extended)
                    self.add_components(extended, True)
                    self.encode_row(<char *>extended, False, out)
                    all_finite = False
                if self.same_nominal.shape[0]:
                    self.keep_last_of_nominal(out)
                x += stride
                out += self.n_words
            row += rows
        return all_finite

    cdef bint encode_stored(self, const Source *source, Py_ssize_t start, Py_ssize_t stop,
                            uint64_t *out) noexcept nogil:
        """``encode_rows`` of sparse ones by what is stored; returns False where that does not do.

        It does not for components, nominal features, and values that are not finite.
        """
        cdef const int64_t *ends = <const int64_t *>source.data
        cdef Py_ssize_t row, at, bit
        cdef uint64_t mask
        if self.n_components or self.same_nominal.shape[0]:
            return False
        for row in range(start, stop):
            memcpy(out, &self.bits_of_zeros[0], self.n_words * sizeof(uint64_t))
            for at in range(ends[row], ends[row + 1]):
                if not isfinite(source.values[at]):
                    return False
                for bit in range(self.offsets[source.columns[at]], self.offsets[source.columns[at] + 1]):
                    mask = <uint64_t>1 << (bit % 64)
                    if source.values[at] >= self.thresholds64[bit]:
                        out[bit // 64] |= mask
                    else:
                        out[bit // 64] &= ~mask
            out += self.n_words
        return True

    cdef inline bint encode_row(self, const char *x, bint narrow, uint64_t *out) noexcept nogil:
        """Bits of one contiguous row, components included, of float32, if ``narrow``, or float64."""
        cdef const Tiles *tile = tiles()
        if self.one_bit_each and narrow:
            return tile.compare32(<const float *>x, &self.thresholds32[0], self.n_bits, out)
        if self.one_bit_each:
            return tile.compare64(<const double *>x, &self.thresholds64[0], self.n_bits, out)
        cdef Py_ssize_t n_columns = self.n_features + self.n_components
        if narrow:
            return tile.encode32(<const float *>x, n_columns, &self.thresholds32[0], &self.offsets[0], out)
        return tile.encode64(<const double *>x, n_columns, &self.thresholds64[0], &self.offsets[0], out)

    cdef void copy_row(self, const char *x, bint narrow, double *out) noexcept nogil:
        """Copy a row of float32, if ``narrow``, or float64."""
        cdef Py_ssize_t feature
        for feature in range(self.n_features):
            out[feature] = (<const float *>x)[feature] if narrow else (<const double *>x)[feature]

    cdef void fill_missing(self, double *x) noexcept nogil:
        """Set what stands for NaN in a row, which is NaN itself where a bit says so."""
        cdef Py_ssize_t feature
        for feature in range(self.n_features):
            if isnan(x[feature]):
                x[feature] = self.fill_of(feature)

    cdef double fill_of(self, Py_ssize_t feature) noexcept nogil:
        """What a feature's missing value counts as, as ``find_fills`` says of all features."""
        cdef Py_ssize_t first = self.offsets[feature], count = self.offsets[feature + 1] - first
        cdef double middle
        if not count:
            return 0
        if self.nominal[feature] or self.thresholds64[first] == -INFINITY:
            return NAN
        middle = self.thresholds64[first + count // 2]
        return 0 if isnan(middle) else middle

    cdef void add_components(self, double *x, bint finitely) noexcept nogil:
        """Write a row's components behind it; ``finitely`` where NaN is to count as 0, and infinity as the largest.

        What overflows is cut to the finite range, and inf - inf to its lower end, so that only the features decide
        whether the row is finite.
        """
        cdef double *components = x + self.n_features
        cdef double value
        cdef Py_ssize_t feature, i
        for i in range(self.n_components):
            components[i] = 0
        for feature in range(self.n_features):
            value = x[feature]
            if finitely:
                value = min(max(value, -DBL_MAX), DBL_MAX) if value == value else 0
            for i in range(self.n_components):
                components[i] += value * self.components[feature, i]
        for i in range(self.n_components):
            components[i] = min(components[i], DBL_MAX) if components[i] >= -DBL_MAX else -DBL_MAX

    cdef void keep_last_of_nominal(self, uint64_t *bits) noexcept nogil:
        """Of the bits of a nominal feature that a row reaches, keep the last."""
        cdef Py_ssize_t word
        cdef uint64_t following
        for word in range(self.n_words):
            following = bits[word] >> 1
            if word + 1 < self.n_words:
                following |= bits[word + 1] << 63
            bits[word] &= ~(following & self.same_nominal[word])
