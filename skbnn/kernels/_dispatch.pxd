from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t


cdef extern from "tiles.h" nogil:
    enum:
        TILE_GROUPS
        THRESHOLDS_PADDING
        SIGN_QUADS
        COIN_LANES
        COIN_DIGITS
    ctypedef struct AdamStep:
        float keep_1, keep_2, rate, squared_epsilon, bound
    ctypedef struct BatchNormArrays:
        const float *gain
        const float *bias
        float *gain_gradient
        float *bias_gradient
        float *inverse_std
        Py_ssize_t n_units
    ctypedef struct Int8Gradients:
        uint32_t *quads
        float *scales
        int32_t *sums
        Py_ssize_t n_rows, n_quads, row_stride, quad_stride
    ctypedef struct Int8Tiles:
        void (*quantize_rows)(const float *d, Py_ssize_t block_stride, const Int8Gradients *out) noexcept nogil
        void (*quantize_columns)(const float *d, Py_ssize_t n_rows, const Int8Gradients *out) noexcept nogil
        void (*sign_quads)(const uint64_t *words, const uint64_t *keep, uint8_t *out) noexcept nogil
        void (*signs_product)(
            const Int8Gradients *a, const uint8_t *signs, Py_ssize_t n, float *out, Py_ssize_t out_stride
        ) noexcept nogil
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
        void (*dots)(
            float *x, const uint64_t *mask, Py_ssize_t n_words, Py_ssize_t n_inputs, Py_ssize_t n_rows,
            Py_ssize_t n_units
        ) noexcept nogil
        void (*normalize)(
            float *x, const double *weights, double total_weight, Py_ssize_t n_rows, const BatchNormArrays *norm
        ) noexcept nogil
        void (*scale_and_shift)(
            const float *x, Py_ssize_t n_rows, const BatchNormArrays *norm, float *out
        ) noexcept nogil
        void (*normalize_backward)(
            const float *x, float *gradient, const double *weights, double total_weight, Py_ssize_t n_rows,
            const BatchNormArrays *norm
        ) noexcept nogil
        void (*exp_of_negative)(float *x, Py_ssize_t n) noexcept nogil
        void (*approx_sign)(const float *x, float *gradient, Py_ssize_t n) noexcept nogil
        void (*clipped_identity)(const float *x, float *gradient, Py_ssize_t n) noexcept nogil
        void (*drop)(float *gradient, const uint64_t *mask, Py_ssize_t n_rows, Py_ssize_t n_words) noexcept nogil
        void (*bernoulli)(
            const uint64_t (*seeds)[COIN_LANES], uint32_t digits, uint64_t *words, Py_ssize_t n_words
        ) noexcept nogil
        const Int8Tiles *int8


cdef const Tiles* tiles() noexcept nogil
cdef const Int8Tiles* int8_tiles() noexcept nogil
