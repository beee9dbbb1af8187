/* AVX2: a word of eight units is two registers; bits are counted a nibble at a time by table (Muła et al., 2018). */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2")

/* A byte counts at most 8 a word, so 31 words fit before it is widened. Three rows of one group keep all counters,
 * the table and its mask in the 16 registers. */
enum { WORDS_A_BYTE = 31, ROWS_AT_ONCE = 3 };

static inline __attribute__((always_inline)) __m256i count_bytes(__m256i bits) {
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i low = _mm256_and_si256(bits, nibble), high = _mm256_and_si256(_mm256_srli_epi16(bits, 4), nibble);
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, low), _mm256_shuffle_epi8(table, high));
}

/* Popcounts of ROWS <= ROWS_AT_ONCE rows, a constant wherever this is inlined, with one group. */
static inline __attribute__((always_inline)) void accumulate(const uint64_t *x, const uint64_t *mask,
                                                             ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                                                             ptrdiff_t n_words, __m256i sums[ROWS_AT_ONCE][2]) {
    for (int row = 0; row < ROWS; row++) sums[row][0] = sums[row][1] = _mm256_setzero_si256();
    for (ptrdiff_t start = 0; start < n_words; start += WORDS_A_BYTE) {
        ptrdiff_t stop = start + WORDS_A_BYTE < n_words ? start + WORDS_A_BYTE : n_words;
        __m256i bytes[ROWS_AT_ONCE][2];
        for (int row = 0; row < ROWS; row++) bytes[row][0] = bytes[row][1] = _mm256_setzero_si256();
        for (ptrdiff_t word = start; word < stop; word++)
            for (int half = 0; half < 2; half++) {
                __m256i units = _mm256_loadu_si256((const __m256i *)(w + word * 8 + half * 4));
                for (int row = 0; row < ROWS; row++) {
                    __m256i differ = _mm256_xor_si256(_mm256_set1_epi64x((long long)x[row * x_stride + word]), units);
                    if (mask)
                        differ = _mm256_and_si256(differ, _mm256_set1_epi64x((long long)mask[row * x_stride + word]));
                    bytes[row][half] = _mm256_add_epi8(bytes[row][half], count_bytes(differ));
                }
            }
        for (int row = 0; row < ROWS; row++)
            for (int half = 0; half < 2; half++)
                sums[row][half] =
                    _mm256_add_epi64(sums[row][half], _mm256_sad_epu8(bytes[row][half], _mm256_setzero_si256()));
    }
}

/* Eight 64-bit counts, each below 2^31, as 32-bit ones in the units' order. */
static inline __attribute__((always_inline)) __m256i narrow(const __m256i sums[2]) {
    const __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    __m256i low = _mm256_permutevar8x32_epi32(sums[0], even), high = _mm256_permutevar8x32_epi32(sums[1], even);
    return _mm256_blend_epi32(low, high, 0xf0);
}

static inline __attribute__((always_inline)) void fires_of(const uint64_t *x, ptrdiff_t x_stride, const int ROWS,
                                                           const uint64_t *w, ptrdiff_t n_words, const int GROUPS,
                                                           const int32_t *thresholds, uint8_t *out,
                                                           ptrdiff_t out_stride) {
    __m256i sums[ROWS_AT_ONCE][2];
    for (int group = 0; group < GROUPS; group++) {
        __m256i limits = _mm256_loadu_si256((const __m256i *)(thresholds + 8 * group));
        for (int first = 0; first < ROWS; first += ROWS_AT_ONCE) {
            const int rows = ROWS - first < ROWS_AT_ONCE ? ROWS - first : ROWS_AT_ONCE;
            accumulate(x + first * x_stride, NULL, x_stride, rows, w + group * n_words * 8, n_words, sums);
            for (int row = 0; row < rows; row++) {
                __m256i silent = _mm256_cmpgt_epi32(narrow(sums[row]), limits);
                out[(first + row) * out_stride + group] = (uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(silent));
            }
        }
    }
}

static inline __attribute__((always_inline)) void popcounts_of(const uint64_t *x, const uint64_t *mask,
                                                               ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                                                               ptrdiff_t n_words, const int GROUPS, int32_t *out,
                                                               ptrdiff_t out_stride) {
    __m256i sums[ROWS_AT_ONCE][2];
    for (int group = 0; group < GROUPS; group++)
        for (int first = 0; first < ROWS; first += ROWS_AT_ONCE) {
            const int rows = ROWS - first < ROWS_AT_ONCE ? ROWS - first : ROWS_AT_ONCE;
            accumulate(x + first * x_stride, mask ? mask + first * x_stride : NULL, x_stride, rows,
                       w + group * n_words * 8, n_words, sums);
            for (int row = 0; row < rows; row++)
                _mm256_storeu_si256((__m256i *)(out + (first + row) * out_stride + 8 * group), narrow(sums[row]));
        }
}

#include "each_size.h"

/* Eight floats or four doubles at once; what is left of the last word one by one. */
#define COMPARE(type, bits, LANES, loadu, cmp, movemask, broadcast)                                         \
    static int all_finite##bits(const type *values, ptrdiff_t n) {                                          \
        type sum = 0; /* 0 times a finite number is 0, times any other NaN */                               \
        ptrdiff_t i = 0;                                                                                    \
        int bad = 0;                                                                                        \
        for (; i + LANES <= n; i += LANES) {                                                                \
            __auto_type difference = loadu(values + i) - loadu(values + i); /* NaN unless finite */         \
            bad |= movemask(cmp(difference, difference, _CMP_UNORD_Q));                                     \
        }                                                                                                   \
        for (; i < n; i++) sum += values[i] * 0;                                                            \
        return !bad && sum == 0;                                                                            \
    }                                                                                                       \
    static int compare##bits(const type *values, const type *thresholds, ptrdiff_t n_bits, uint64_t *out) { \
        for (ptrdiff_t start = 0; start < n_bits; start += 64) {                                            \
            ptrdiff_t stop = start + 64 < n_bits ? start + 64 : n_bits, bit = start;                        \
            uint64_t word = 0;                                                                              \
            for (; bit + LANES <= stop; bit += LANES)                                                       \
                word |= (uint64_t)movemask(cmp(loadu(values + bit), loadu(thresholds + bit), _CMP_GE_OQ))   \
                        << (bit - start);                                                                   \
            for (; bit < stop; bit++) word |= (uint64_t)(values[bit] >= thresholds[bit]) << (bit - start);  \
            out[start / 64] = word;                                                                         \
        }                                                                                                   \
        return all_finite##bits(values, n_bits);                                                            \
    }                                                                                                       \
    static inline uint64_t reaches##bits(type value, const type *thresholds) {                              \
        return (uint64_t)movemask(cmp(broadcast(value), loadu(thresholds), _CMP_GE_OQ));                    \
    }
COMPARE(float, 32, 8, _mm256_loadu_ps, _mm256_cmp_ps, _mm256_movemask_ps, _mm256_set1_ps)
COMPARE(double, 64, 4, _mm256_loadu_pd, _mm256_cmp_pd, _mm256_movemask_pd, _mm256_set1_pd)

#include "encode.h"
ENCODE(encode32, float, 8, reaches32, all_finite32)
ENCODE(encode64, double, 4, reaches64, all_finite64)
#pragma GCC pop_options

static const Tiles tiles = {"avx2", fires, popcounts, masked_popcounts, compare32, compare64, encode32, encode64};

const Tiles *avx2_tiles(void) { return __builtin_cpu_supports("avx2") ? &tiles : NULL; }
#else
const Tiles *avx2_tiles(void) { return NULL; }
#endif
