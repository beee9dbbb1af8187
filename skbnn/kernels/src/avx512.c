/* AVX-512 with VPOPCNTDQ: one register is one word of eight units. */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")

/* Popcounts of ROWS rows with GROUPS groups, one accumulator each. ROWS and GROUPS are constants wherever this is
 * inlined, so the accumulators are registers: 12 of the 32 for the whole tile. */
static inline __attribute__((always_inline)) void accumulate(const uint64_t *x, const uint64_t *mask,
                                                             ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                                                             ptrdiff_t n_words, const int GROUPS,
                                                             __m512i sums[TILE_ROWS][TILE_GROUPS]) {
    for (int row = 0; row < ROWS; row++)
        for (int group = 0; group < GROUPS; group++) sums[row][group] = _mm512_setzero_si512();
    for (ptrdiff_t word = 0; word < n_words; word++) {
        __m512i units[TILE_GROUPS];
        for (int group = 0; group < GROUPS; group++)
            units[group] = _mm512_loadu_si512(w + (group * n_words + word) * 8);
        for (int row = 0; row < ROWS; row++) {
            __m512i input = _mm512_set1_epi64((long long)x[row * x_stride + word]);
            for (int group = 0; group < GROUPS; group++) {
                __m512i differ = _mm512_xor_si512(input, units[group]);
                if (mask) differ = _mm512_and_si512(differ, _mm512_set1_epi64((long long)mask[row * x_stride + word]));
                sums[row][group] = _mm512_add_epi64(sums[row][group], _mm512_popcnt_epi64(differ));
            }
        }
    }
}

static inline __attribute__((always_inline)) void fires_of(const uint64_t *x, ptrdiff_t x_stride, const int ROWS,
                                                           const uint64_t *w, ptrdiff_t n_words, const int GROUPS,
                                                           const int32_t *restrict thresholds, uint8_t *restrict out,
                                                           ptrdiff_t out_stride) {
    __m512i sums[TILE_ROWS][TILE_GROUPS], limits[TILE_GROUPS];
    for (int group = 0; group < GROUPS; group++)
        limits[group] = _mm512_cvtepi32_epi64(_mm256_loadu_si256((const __m256i *)(thresholds + 8 * group)));
    accumulate(x, NULL, x_stride, ROWS, w, n_words, GROUPS, sums);
    for (int row = 0; row < ROWS; row++) {
        uint16_t bits = 0; /* one store for all groups */
        for (int group = 0; group < GROUPS; group++)
            bits |= (uint16_t)(_cvtmask8_u32(_mm512_cmple_epi64_mask(sums[row][group], limits[group])) << 8 * group);
        memcpy(out + row * out_stride, &bits, (size_t)GROUPS);
    }
}

static inline __attribute__((always_inline)) void popcounts_of(const uint64_t *x, const uint64_t *mask,
                                                               ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                                                               ptrdiff_t n_words, const int GROUPS, int32_t *out,
                                                               ptrdiff_t out_stride) {
    __m512i sums[TILE_ROWS][TILE_GROUPS];
    accumulate(x, mask, x_stride, ROWS, w, n_words, GROUPS, sums);
    for (int row = 0; row < ROWS; row++)
        for (int group = 0; group < GROUPS; group++)
            _mm256_storeu_si256((__m256i *)(out + row * out_stride + 8 * group),
                                _mm512_cvtepi64_epi32(sums[row][group]));
}

#include "each_size.h"

/* Sixteen floats or eight doubles at once; lanes past the end are not read, come out 0 and count as finite. */
enum { NOT_FINITE = 0x99 }; /* for fpclass: quiet and signalling NaN, either infinity */

#define COMPARE(type, bits, LANES, mask_t, mask_load, mask_compare, fpclass, broadcast, loadu, cmp)               \
    static inline mask_t first##bits(ptrdiff_t n) { return n >= LANES ? (mask_t) - 1 : (mask_t)((1u << n) - 1); } \
    static int all_finite##bits(const type *values, ptrdiff_t n) {                                                \
        mask_t bad = 0;                                                                                           \
        for (ptrdiff_t i = 0; i < n; i += LANES)                                                                  \
            bad |= fpclass(mask_load(first##bits(n - i), values + i), NOT_FINITE);                                \
        return !bad;                                                                                              \
    }                                                                                                             \
    static int compare##bits(const type *values, const type *thresholds, ptrdiff_t n_bits, uint64_t *out) {       \
        mask_t bad = 0;                                                                                           \
        for (ptrdiff_t start = 0; start < n_bits; start += 64) {                                                  \
            uint64_t word = 0;                                                                                    \
            for (ptrdiff_t bit = start; bit < start + 64 && bit < n_bits; bit += LANES) {                         \
                mask_t lanes = first##bits(n_bits - bit);                                                         \
                __auto_type some = mask_load(lanes, values + bit);                                                \
                bad |= fpclass(some, NOT_FINITE);                                                                 \
                word |= (uint64_t)mask_compare(lanes, some, mask_load(lanes, thresholds + bit), _CMP_GE_OQ)       \
                        << (bit - start);                                                                         \
            }                                                                                                     \
            out[start / 64] = word;                                                                               \
        }                                                                                                         \
        return !bad;                                                                                              \
    }                                                                                                             \
    static inline uint64_t reaches##bits(type value, const type *thresholds) {                                    \
        return cmp(broadcast(value), loadu(thresholds), _CMP_GE_OQ);                                              \
    }
COMPARE(float, 32, 16, __mmask16, _mm512_maskz_loadu_ps, _mm512_mask_cmp_ps_mask, _mm512_fpclass_ps_mask,
        _mm512_set1_ps, _mm512_loadu_ps, _mm512_cmp_ps_mask)
COMPARE(double, 64, 8, __mmask8, _mm512_maskz_loadu_pd, _mm512_mask_cmp_pd_mask, _mm512_fpclass_pd_mask, _mm512_set1_pd,
        _mm512_loadu_pd, _mm512_cmp_pd_mask)

#include "encode.h"
ENCODE(encode32, float, 16, reaches32, all_finite32)
ENCODE(encode64, double, 8, reaches64, all_finite64)
#pragma GCC pop_options

static const Tiles tiles = {"avx512_vpopcntdq", fires,     popcounts, masked_popcounts,
                            compare32,          compare64, encode32,  encode64};

const Tiles *avx512_tiles(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512vpopcntdq")
               ? &tiles
               : NULL;
}
#else
const Tiles *avx512_tiles(void) { return NULL; }
#endif
