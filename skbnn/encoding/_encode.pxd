cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t, uint64_t


cdef struct Source:
    # A matrix of any real dtype and any memory order, as it lies there; strides are in bytes.
    const char *data
    Py_ssize_t n_rows, row_stride, column_stride
    Py_ssize_t itemsize
    char kind  # NumPy's: f, i or u; s for a sparse matrix
    # A sparse matrix in CSR format: values, their columns, and in ``data``, for each row, where the one before ends.
    const double *values
    const int64_t *columns


cdef enum:
    CHUNK = 16  # rows that are converted at a time: a column of a Fortran-ordered matrix is read by whole cache lines


cdef class Encoder:
    cdef readonly Py_ssize_t n_features, n_components, n_bits, n_words
    cdef const double[:, ::1] components
    cdef const float[::1] thresholds32
    cdef const double[::1] thresholds64
    cdef const int32_t[::1] offsets
    cdef const uint64_t[::1] bits_of_zeros
    cdef bint one_bit_each
    cdef Py_ssize_t scratch_bytes(self) noexcept nogil
    cdef bint encode_rows(self, const Source *source, Py_ssize_t start, Py_ssize_t stop, char *scratch,
                          uint64_t *out) noexcept nogil
    cdef bint encode_stored(self, const Source *source, Py_ssize_t start, Py_ssize_t stop, uint64_t *out) noexcept nogil
    cdef bint encode_row(self, const char *x, bint narrow, uint64_t *out) noexcept nogil
    cdef void add_components(self, const char *x, bint narrow, double *out) noexcept nogil


cdef object as_source(object X, Py_ssize_t n_features, Source *source)


cdef void convert(const Source *source, const char *x, Py_ssize_t n_rows, Py_ssize_t n_features, bint narrow,
                  char *out) noexcept nogil
