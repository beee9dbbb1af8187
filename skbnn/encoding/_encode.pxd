from libc.stdint cimport int32_t, uint8_t, uint64_t

from skbnn.encoding._source cimport Source


cdef enum:
    CHUNK = 16  # rows that are converted at a time: a column of a Fortran-ordered matrix is read by whole cache lines


cdef class Encoder:
    cdef readonly Py_ssize_t n_features, n_components, n_bits, n_words
    cdef const double[:, ::1] components
    cdef const float[::1] thresholds32
    cdef const double[::1] thresholds64
    cdef const int32_t[::1] offsets
    cdef const uint8_t[::1] nominal
    cdef const uint64_t[::1] same_nominal
    cdef const uint64_t[::1] bits_of_zeros
    cdef bint one_bit_each
    cdef Py_ssize_t scratch_bytes(self, Py_ssize_t rows) noexcept nogil
    cdef bint encode_rows(self, const Source *source, Py_ssize_t start, Py_ssize_t stop, char *scratch,
                          uint64_t *out) noexcept nogil
    cdef bint encode_stored(self, const Source *source, Py_ssize_t start, Py_ssize_t stop,
                            uint64_t *out) noexcept nogil
    cdef bint encode_row(self, const char *x, bint narrow, uint64_t *out) noexcept nogil
    cdef void copy_row(self, const char *x, bint narrow, double *out) noexcept nogil
    cdef void fill_missing(self, double *x) noexcept nogil
    cdef double fill_of(self, Py_ssize_t feature) noexcept nogil
    cdef void add_components(self, double *x, bint finitely) noexcept nogil
    cdef void keep_last_of_nominal(self, uint64_t *bits) noexcept nogil
