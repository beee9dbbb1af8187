from libc.stdint cimport int32_t, uint8_t, uint64_t


cdef void layer_fires(const uint64_t *x, Py_ssize_t n_rows, Py_ssize_t x_stride, const uint64_t *w,
                      Py_ssize_t n_words, Py_ssize_t n_groups, const int32_t *thresholds, uint8_t *out,
                      Py_ssize_t out_stride) noexcept nogil

cdef void layer_popcounts(const uint64_t *x, const uint64_t *mask, Py_ssize_t n_rows, Py_ssize_t x_stride,
                          const uint64_t *w, Py_ssize_t n_words, Py_ssize_t n_groups, int32_t *out,
                          Py_ssize_t out_stride) noexcept nogil
