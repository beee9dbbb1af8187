"""Turns features into packed bits: bit j is ``x[feature_of_bit[j]] >= thresholds[j]``.

The comparison is exact whatever the dtype, so the same values give the same bits: 8- and 16-bit integers and float32
are compared in float32, where ``x >= t`` is the same as ``x >= (smallest float32 >= t)``; the others in float64.
"""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport (int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t)

from skbnn.kernels._dispatch cimport Tiles, tiles

cnp.import_array()

ctypedef fused feature_t:
    float
    double
    uint8_t
    uint16_t
    uint32_t
    uint64_t
    int8_t
    int16_t
    int32_t
    int64_t

ctypedef fused compared_t:
    float
    double


cdef class Encoder:
    """A thermometer code, as ``find_thresholds`` returns it.

    Parameters
    ----------
    thresholds : ndarray of shape (n_bits,), float64
    offsets : ndarray of shape (n_features + 1,), int64
        Feature f has ``thresholds[offsets[f]:offsets[f + 1]]``.
    """

    def __init__(self, thresholds, offsets):
        self.thresholds, self.offsets = thresholds, offsets
        self.n_features, self.n_bits = len(offsets) - 1, len(thresholds)
        self.n_words = (self.n_bits + 63) // 64
        self.thresholds64 = thresholds
        with np.errstate(over="ignore"):  # beyond float32's range the smallest float32 >= t is infinity
            rounded = thresholds.astype(np.float32)
        self.thresholds32 = np.where(rounded < thresholds, np.nextafter(rounded, np.float32(np.inf)), rounded)
        self.feature_of_bit = np.repeat(np.arange(self.n_features, dtype=np.int32), np.diff(offsets))
        self.one_bit_each = self.n_bits == self.n_features and bool((np.diff(offsets) == 1).all())

    def encode(self, X):
        """Packed bits of each row.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Of any real dtype and any memory order; it is not copied (but for float16 and byte-swapped arrays).

        Returns
        -------
        bits : ndarray of shape (n_rows, n_words), uint64
            Bit j of word i is bit ``64 * i + j``; padding bits are 0.
        """
        cdef Source source
        cdef cnp.ndarray array = as_source(X, self.n_features, &source)
        out = np.empty((array.shape[0], self.n_words), np.uint64)
        cdef uint64_t[:, ::1] words = out
        cdef double[::1] scratch = np.empty(self.n_bits)
        if out.size:
            with nogil:
                self.encode_rows(&source, 0, source.n_rows, <char *>&scratch[0], &words[0, 0])
        return out

    cdef Py_ssize_t scratch_bytes(self) noexcept nogil:
        """Bytes that ``encode_rows`` needs as scratch."""
        return self.n_bits * sizeof(double)

    cdef void encode_rows(self, const Source *source, Py_ssize_t start, Py_ssize_t stop, char *scratch,
                          uint64_t *out) noexcept nogil:
        """Fill ``out``, (stop - start, n_words)."""
        cdef const Tiles *tile = tiles()
        cdef Py_ssize_t row
        cdef const char *x
        cdef const char *values
        cdef bint narrow
        for row in range(start, stop):
            x = source.data + row * source.row_stride
            if self.one_bit_each and source.kind == b"f" and source.column_stride == source.itemsize:
                values, narrow = x, source.itemsize == 4  # compared where they lie
            else:
                values, narrow = scratch, self.spread(source, x, scratch)
            if narrow:
                tile.compare32(<const float *>values, &self.thresholds32[0], self.n_bits, out)
            else:
                tile.compare64(<const double *>values, &self.thresholds64[0], self.n_bits, out)
            out += self.n_words

    cdef bint spread(self, const Source *source, const char *x, char *out) noexcept nogil:
        """Repeat each feature once a bit, as float32 if that holds every value of the dtype: then return True."""
        cdef const int32_t *features = &self.feature_of_bit[0]
        cdef Py_ssize_t stride = source.column_stride, n_bits = self.n_bits
        if source.kind == b"f" and source.itemsize == 4:
            spread(<const float *>x, stride, features, n_bits, <float *>out)
        elif source.kind == b"f":
            spread(<const double *>x, stride, features, n_bits, <double *>out)
        elif source.kind == b"u" and source.itemsize == 1:
            spread(<const uint8_t *>x, stride, features, n_bits, <float *>out)
        elif source.kind == b"u" and source.itemsize == 2:
            spread(<const uint16_t *>x, stride, features, n_bits, <float *>out)
        elif source.kind == b"u" and source.itemsize == 4:
            spread(<const uint32_t *>x, stride, features, n_bits, <double *>out)
        elif source.kind == b"u":
            spread(<const uint64_t *>x, stride, features, n_bits, <double *>out)
        elif source.itemsize == 1:
            spread(<const int8_t *>x, stride, features, n_bits, <float *>out)
        elif source.itemsize == 2:
            spread(<const int16_t *>x, stride, features, n_bits, <float *>out)
        elif source.itemsize == 4:
            spread(<const int32_t *>x, stride, features, n_bits, <double *>out)
        else:
            spread(<const int64_t *>x, stride, features, n_bits, <double *>out)
        return source.itemsize <= (4 if source.kind == b"f" else 2)


cdef void spread(const feature_t *x, Py_ssize_t stride, const int32_t *features, Py_ssize_t n_bits,
                 compared_t *out) noexcept nogil:
    """``out = x[features]``; a contiguous row has a loop of its own."""
    cdef Py_ssize_t bit
    if stride == sizeof(feature_t):
        for bit in range(n_bits):
            out[bit] = <compared_t>x[features[bit]]
    else:
        for bit in range(n_bits):
            out[bit] = <compared_t>(<const feature_t *>(<const char *>x + features[bit] * stride))[0]


cdef cnp.ndarray as_source(object X, Py_ssize_t n_features, Source *source):
    """Describe the rows of ``X`` for ``encode_rows``; returns the array to keep alive meanwhile."""
    cdef cnp.ndarray array = np.asarray(X)
    if array.ndim != 2 or array.shape[1] != n_features:
        raise ValueError(f"X has shape {np.shape(X)}, expected (n_rows, {n_features})")
    cdef char kind = array.descr.kind
    cdef Py_ssize_t itemsize = array.descr.itemsize
    if kind == b"b":
        kind = b"u"
    elif (kind == b"f" and itemsize == 2) or (kind in b"fiu" and not cnp.PyArray_ISNOTSWAPPED(array)):
        readable = np.float32 if itemsize == 2 else array.dtype.newbyteorder("=")
        return as_source(array.astype(readable), n_features, source)
    elif kind not in b"fiu" or itemsize > 8:
        raise ValueError(f"X has dtype {array.dtype}, expected real numbers of at most 64 bits")
    source.data = <const char *>cnp.PyArray_DATA(array)
    source.n_rows, source.row_stride, source.column_stride = array.shape[0], array.strides[0], array.strides[1]
    source.kind, source.itemsize = kind, itemsize
    return array
