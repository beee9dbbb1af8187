"""Rows as they come, in a matrix of any real dtype and memory order or in a sparse one, are written out as floats."""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport (int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t)
from libc.string cimport memset

from skbnn.encoding.sparse import canonical, is_sparse

cnp.import_array()

cdef extern from "prefetch.h":
    const Py_ssize_t COLUMNS_AHEAD
    void prefetch(const char *start, Py_ssize_t n_bytes) noexcept nogil

cdef extern from "transpose.h":
    void transpose_bytes(const char *columns, Py_ssize_t stride, Py_ssize_t n_rows, Py_ssize_t n_columns,
                         char *out) noexcept nogil

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

cdef enum:
    COLUMNS = 4  # of a matrix in Fortran order that are copied together

ctypedef fused compared_t:
    float
    double


cdef void convert(const Source *source, const char *x, Py_ssize_t n_rows, Py_ssize_t n_features, bint narrow,
                  char *out) noexcept nogil:
    """Copy rows to a contiguous matrix of float32, if ``narrow``, or float64.

    ``out`` has room for float64. Half of that is free for bytes, transposed, where float32 is asked for.
    """
    cdef Source rows
    cdef char *transposed = out + n_rows * n_features * sizeof(float)
    if narrow and source.itemsize == source.row_stride == 1 != source.column_stride:
        transpose_bytes(x, source.column_stride, n_rows, n_features, transposed)
        rows = source[0]
        rows.row_stride, rows.column_stride = n_features, 1
        convert(&rows, transposed, n_rows, n_features, narrow, out)
    elif source.kind == b"s":
        write_out(source, <const int64_t *>x, n_rows, n_features, <double *>out)
    elif source.kind == b"f" and source.itemsize == 4:
        copy_rows_as(<const float *>x, source, n_rows, n_features, narrow, out)
    elif source.kind == b"f":
        copy_rows_as(<const double *>x, source, n_rows, n_features, narrow, out)
    elif source.kind == b"u" and source.itemsize == 1:
        copy_rows_as(<const uint8_t *>x, source, n_rows, n_features, narrow, out)
    elif source.kind == b"u" and source.itemsize == 2:
        copy_rows_as(<const uint16_t *>x, source, n_rows, n_features, narrow, out)
    elif source.kind == b"u" and source.itemsize == 4:
        copy_rows_as(<const uint32_t *>x, source, n_rows, n_features, narrow, out)
    elif source.kind == b"u":
        copy_rows_as(<const uint64_t *>x, source, n_rows, n_features, narrow, out)
    elif source.itemsize == 1:
        copy_rows_as(<const int8_t *>x, source, n_rows, n_features, narrow, out)
    elif source.itemsize == 2:
        copy_rows_as(<const int16_t *>x, source, n_rows, n_features, narrow, out)
    elif source.itemsize == 4:
        copy_rows_as(<const int32_t *>x, source, n_rows, n_features, narrow, out)
    else:
        copy_rows_as(<const int64_t *>x, source, n_rows, n_features, narrow, out)


cdef void write_out(const Source *source, const int64_t *ends, Py_ssize_t n_rows, Py_ssize_t n_features,
                    double *out) noexcept nogil:
    """Write out sparse rows."""
    cdef Py_ssize_t row, at
    memset(out, 0, n_rows * n_features * sizeof(double))
    for row in range(n_rows):
        for at in range(ends[row], ends[row + 1]):
            out[row * n_features + source.columns[at]] = source.values[at]


cdef inline void copy_rows_as(const feature_t *x, const Source *source, Py_ssize_t n_rows, Py_ssize_t n_features,
                              bint narrow, char *out) noexcept nogil:
    if narrow:
        copy_rows(x, source, n_rows, n_features, <float *>out)
    else:
        copy_rows(x, source, n_rows, n_features, <double *>out)


cdef void copy_rows(const feature_t *x, const Source *source, Py_ssize_t n_rows, Py_ssize_t n_features,
                    compared_t *out) noexcept nogil:
    """``out[row, feature] = x[row, feature]``, walking along rows or down a few columns at a time."""
    cdef Py_ssize_t row, i, feature = 0, column = source.column_stride
    cdef const char *at
    if source.column_stride == sizeof(feature_t):
        for row in range(n_rows):
            for feature in range(n_features):
                out[row * n_features + feature] = <compared_t>x[feature]
            x = <const feature_t *>(<const char *>x + source.row_stride)
        return
    while feature + COLUMNS <= n_features:
        at = <const char *>x + feature * column
        if source.row_stride == sizeof(feature_t) and feature + COLUMNS_AHEAD + COLUMNS <= n_features:
            for i in range(COLUMNS_AHEAD, COLUMNS_AHEAD + COLUMNS):
                prefetch(at + i * column, n_rows * <Py_ssize_t>sizeof(feature_t))
        for row in range(n_rows):
            for i in range(COLUMNS):
                out[row * n_features + feature + i] = <compared_t>(<const feature_t *>(at + i * column))[0]
            at += source.row_stride
        feature += COLUMNS
    for feature in range(feature, n_features):
        at = <const char *>x + feature * column
        for row in range(n_rows):
            out[row * n_features + feature] = <compared_t>(<const feature_t *>at)[0]
            at += source.row_stride


cdef object as_source(object X, Py_ssize_t n_features, Source *source):
    """Describe the rows of ``X`` for ``encode_rows``; returns what to keep alive meanwhile."""
    if is_sparse(X):
        return as_sparse_source(X, n_features, source)
    cdef cnp.ndarray array = np.asarray(X)
    if array.ndim != 2:
        raise ValueError(f"X has {array.ndim} dimensions, expected rows of {n_features} features")
    if array.shape[1] != n_features:
        raise ValueError(f"X has {array.shape[1]} features, expected {n_features}")
    cdef char kind = array.descr.kind
    cdef Py_ssize_t itemsize = array.descr.itemsize
    if kind == b"b":
        kind = b"u"
    elif kind not in b"fiu" or itemsize > 8:
        raise ValueError(f"X has dtype {array.dtype}, expected real numbers of at most 64 bits")
    if (kind == b"f" and itemsize == 2) or not cnp.PyArray_ISBEHAVED_RO(array):  # swapped, or misaligned
        readable = np.float32 if itemsize == 2 else array.dtype.newbyteorder("=")
        return as_source(array.astype(readable), n_features, source)
    source.data = <const char *>cnp.PyArray_DATA(array)
    source.n_rows, source.row_stride, source.column_stride = array.shape[0], array.strides[0], array.strides[1]
    source.kind, source.itemsize = kind, itemsize
    return array


cdef tuple as_sparse_source(object X, Py_ssize_t n_features, Source *source):
    """The same of a sparse matrix; ``canonical`` says what is wrong with one that can't be read as it is."""
    if X.shape[1] != n_features:
        raise ValueError(f"X has {X.shape[1]} features, expected {n_features}")
    kept = read_csr(X, n_features, source) if X.format == "csr" else None
    if kept is None:
        kept = read_csr(canonical(X), n_features, source)
    if kept is None:
        raise ValueError("X is a sparse matrix that changes while it is read")
    return kept


cdef tuple read_csr(object X, Py_ssize_t n_features, Source *source):
    """Describe a matrix in CSR format; None unless its arrays are those of one with ascending columns.

    Indices are checked in a copy. So whoever changes the matrix meanwhile, in another thread, may change what is
    predicted, but nothing is read or written out of bounds.
    """
    cdef cnp.ndarray values = np.asarray(X.data), columns = np.asarray(X.indices), ends = np.asarray(X.indptr)
    if values.ndim != 1 or columns.ndim != 1 or ends.ndim != 1 or not columns.descr.kind == ends.descr.kind == b"i":
        return None
    if values.descr.kind not in b"fiub" or values.descr.itemsize > 8:
        raise ValueError(f"X has dtype {values.dtype}, expected real numbers of at most 64 bits")
    if values.descr.type_num != cnp.NPY_FLOAT64 or not cnp.PyArray_ISCARRAY_RO(values):
        values = np.array(values, np.float64, order="C")
    columns, ends = np.array(columns, np.int64, order="C"), np.array(ends, np.int64, order="C")
    source.kind, source.n_rows, source.data = b"s", X.shape[0], <const char *>cnp.PyArray_DATA(ends)
    source.values = <const double *>cnp.PyArray_DATA(values)
    source.columns = <const int64_t *>cnp.PyArray_DATA(columns)
    source.row_stride = source.itemsize = sizeof(int64_t)
    fits = 0 < ends.shape[0] == source.n_rows + 1 and values.shape[0] == columns.shape[0]
    return (values, columns, ends) if fits and is_canonical(source, values.shape[0], n_features) else None


cdef bint is_canonical(const Source *source, Py_ssize_t n_stored, Py_ssize_t n_features) noexcept nogil:
    """Whether sparse rows end where something is stored, and have columns that are features and ascend."""
    cdef const int64_t *ends = <const int64_t *>source.data
    cdef Py_ssize_t row, at
    cdef int64_t last
    if ends[0] != 0 or ends[source.n_rows] > n_stored:
        return False
    for row in range(source.n_rows):
        if ends[row + 1] < ends[row] or ends[row + 1] > n_stored:
            return False
        last = -1
        for at in range(ends[row], ends[row + 1]):
            if source.columns[at] <= last:
                return False
            last = source.columns[at]
        if last >= n_features:
            return False
    return True
