/* AVX2: four units a register; bits are counted a nibble at a time by table (Muła et al., 2018). */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

TARGET("avx2")

/* A byte counts at most 8 a word, so 31 words fit before it is widened. */
enum { CHUNK = 31 };

/* The nibbles of a chunk of each row in bytes of their own: low ones, high ones. The xor of split operands is split
 * already, and the splitting is shared by all units. */
typedef uint64_t Nibbles[TILE_ROWS][2][CHUNK];

INLINE void split(const uint64_t *x, ptrdiff_t x_stride, const int ROWS, ptrdiff_t n_words, Nibbles nibbles) {
    const uint64_t low = 0x0f0f0f0f0f0f0f0fu;
    for (int row = 0; row < ROWS; row++)
        for (ptrdiff_t word = 0; word < n_words; word++) {
            nibbles[row][0][word] = x[row * x_stride + word] & low;
            nibbles[row][1][word] = x[row * x_stride + word] >> 4 & low;
        }
}

/* popcount((x ^ w) & mask) of each byte, for one half of the nibbles. */
INLINE __m256i count(const uint64_t *x, const uint64_t *mask, __m256i units) {
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    __m256i differ = _mm256_xor_si256(_mm256_set1_epi64x((long long)*x), units);
    if (mask) differ = _mm256_and_si256(differ, _mm256_set1_epi64x((long long)*mask));
    return _mm256_shuffle_epi8(table, differ);
}

/* Add the counts of a chunk of n_words <= CHUNK words of four units, w[word * 8], to each row's sums. */
INLINE void accumulate_chunk(Nibbles inputs, Nibbles kept, const int ROWS, const uint64_t *w, ptrdiff_t n_words,
                             __m256i sums[TILE_ROWS]) {
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i bytes[TILE_ROWS];
    EACH (row, ROWS) bytes[row] = _mm256_setzero_si256();
    for (ptrdiff_t word = 0; word < n_words; word++) {
        __m256i units = _mm256_loadu_si256((const __m256i *)(w + word * 8));
        __m256i low = _mm256_and_si256(units, nibble), high = _mm256_and_si256(_mm256_srli_epi16(units, 4), nibble);
        EACH (row, ROWS) {
            __m256i lows = count(&inputs[row][0][word], kept ? &kept[row][0][word] : NULL, low);
            __m256i highs = count(&inputs[row][1][word], kept ? &kept[row][1][word] : NULL, high);
            bytes[row] = _mm256_add_epi8(bytes[row], _mm256_add_epi8(lows, highs));
        }
    }
    EACH (row, ROWS) sums[row] = _mm256_add_epi64(sums[row], _mm256_sad_epu8(bytes[row], _mm256_setzero_si256()));
}

/* Popcounts of ROWS rows with 2 * GROUPS times four units. */
INLINE void accumulate(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                       ptrdiff_t n_words, const int GROUPS, __m256i sums[2 * TILE_GROUPS][TILE_ROWS]) {
    Nibbles inputs, kept;
    EACH (half, 2 * GROUPS)
        EACH (row, ROWS) sums[half][row] = _mm256_setzero_si256();
    for (ptrdiff_t start = 0; start < n_words; start += CHUNK) {
        ptrdiff_t words = n_words - start < CHUNK ? n_words - start : CHUNK;
        split(x + start, x_stride, ROWS, words, inputs);
        if (mask) split(mask + start, x_stride, ROWS, words, kept);
        for (int half = 0; half < 2 * GROUPS; half++)
            accumulate_chunk(inputs, mask ? kept : NULL, ROWS, w + (half / 2 * n_words + start) * 8 + half % 2 * 4,
                             words, sums[half]);
    }
}

/* Eight 64-bit counts, each below 2^31, as 32-bit ones in the units' order. */
INLINE __m256i narrow(__m256i low, __m256i high) {
    __m256 even = _mm256_shuffle_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), _MM_SHUFFLE(2, 0, 2, 0));
    return _mm256_permute4x64_epi64(_mm256_castps_si256(even), _MM_SHUFFLE(3, 1, 2, 0));
}

INLINE void fires_of(const uint64_t *x, ptrdiff_t x_stride, const int ROWS, const uint64_t *w, ptrdiff_t n_words,
                     const int GROUPS, const int32_t *thresholds, uint8_t *out, ptrdiff_t out_stride) {
    __m256i sums[2 * TILE_GROUPS][TILE_ROWS];
    accumulate(x, NULL, x_stride, ROWS, w, n_words, GROUPS, sums);
    for (int group = 0; group < GROUPS; group++) {
        __m256i limits = _mm256_loadu_si256((const __m256i *)(thresholds + 8 * group));
        EACH (row, ROWS) {
            __m256i silent = _mm256_cmpgt_epi32(narrow(sums[2 * group][row], sums[2 * group + 1][row]), limits);
            out[row * out_stride + group] = (uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(silent));
        }
    }
}

INLINE void popcounts_of(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                         ptrdiff_t n_words, const int GROUPS, int32_t *out, ptrdiff_t out_stride) {
    __m256i sums[2 * TILE_GROUPS][TILE_ROWS];
    accumulate(x, mask, x_stride, ROWS, w, n_words, GROUPS, sums);
    for (int group = 0; group < GROUPS; group++)
        EACH (row, ROWS)
            _mm256_storeu_si256((__m256i *)(out + row * out_stride + 8 * group),
                                narrow(sums[2 * group][row], sums[2 * group + 1][row]));
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

#define SKBNN_POPCOUNT __builtin_popcountll
#include "adam.h"
#include "batch_norm.h"
#include "coins.h"
#include "dots.h"
#include "drop.h"
#include "exp.h"
#include "surrogate.h"
#include "encode.h"
ENCODE(encode32, float, 8, reaches32, all_finite32)
ENCODE(encode64, double, 4, reaches64, all_finite64)
END_TARGET

static const Tiles tiles = TILES("avx2", NULL);

const Tiles *avx2_tiles(void) { return __builtin_cpu_supports("avx2") ? &tiles : NULL; }
#else
const Tiles *avx2_tiles(void) { return NULL; }
#endif
