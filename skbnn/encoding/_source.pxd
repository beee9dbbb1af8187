from libc.stdint cimport int64_t


cdef struct Source:
    # A matrix of any real dtype and any memory order, as it lies there; strides are in bytes.
    const char *data
    Py_ssize_t n_rows, row_stride, column_stride
    Py_ssize_t itemsize
    char kind  # NumPy's: f, i or u; s for a sparse matrix
    # A sparse matrix in CSR format: values, their columns, and in ``data``, for each row, where the one before ends.
    const double *values
    const int64_t *columns


cdef object as_source(object X, Py_ssize_t n_features, Source *source)


cdef void convert(const Source *source, const char *x, Py_ssize_t n_rows, Py_ssize_t n_features, bint narrow,
                  char *out) noexcept nogil
