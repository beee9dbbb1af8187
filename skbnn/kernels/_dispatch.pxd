from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t


cdef extern from "tiles.h" nogil:
    enum:
        TILE_GROUPS
        THRESHOLDS_PADDING
    ctypedef struct AdamStep:
        float keep_1, keep_2, rate, scale, epsilon, bound
    ctypedef struct Tiles:
        const char *name
        void (*fires)(
            const uint64_t *x, Py_ssize_t x_stride, Py_ssize_t n_rows, const uint64_t *w, Py_ssize_t n_words,
            Py_ssize_t groups, const int32_t *thresholds, uint8_t *out, Py_ssize_t out_stride
        ) noexcept nogil
        void (*popcounts)(
            const uint64_t *x, Py_ssize_t x_stride, Py_ssize_t n_rows, const uint64_t *w, Py_ssize_t n_words,
            Py_ssize_t groups, int32_t *out, Py_ssize_t out_stride
        ) noexcept nogil
        void (*masked_popcounts)(
            const uint64_t *x, const uint64_t *mask, Py_ssize_t x_stride, Py_ssize_t n_rows, const uint64_t *w,
            Py_ssize_t n_words, Py_ssize_t groups, int32_t *out, Py_ssize_t out_stride
        ) noexcept nogil
        bint (*compare32)(
            const float *values, const float *thresholds, Py_ssize_t n_bits, uint64_t *out
        ) noexcept nogil
        bint (*compare64)(
            const double *values, const double *thresholds, Py_ssize_t n_bits, uint64_t *out
        ) noexcept nogil
        bint (*encode32)(
            const float *features, Py_ssize_t n_features, const float *thresholds, const int32_t *offsets, uint64_t *out
        ) noexcept nogil
        bint (*encode64)(
            const double *features, Py_ssize_t n_features, const double *thresholds, const int32_t *offsets,
            uint64_t *out
        ) noexcept nogil
        void (*adam)(
            float *value, const float *gradient, float *first, float *second, Py_ssize_t n, const AdamStep *step
        ) noexcept nogil
        void (*interleave)(
            const uint64_t *even, const uint64_t *odd, Py_ssize_t n_words, uint64_t *out
        ) noexcept nogil
        void (*signs_product)(
            const uint32_t *a, Py_ssize_t a_row, Py_ssize_t a_pair, Py_ssize_t n_rows, const uint64_t *signs,
            const uint64_t *keep, Py_ssize_t n_pairs, Py_ssize_t n, float *out, Py_ssize_t out_stride
        ) noexcept nogil


cdef const Tiles* tiles() noexcept nogil
