/* AVX-512 with VPOPCNTDQ: one register is one word of eight units. */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")

/* Popcounts of ROWS rows with GROUPS groups, one accumulator each: 12 of the 32 registers for the whole tile. */
INLINE void accumulate(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                       ptrdiff_t n_words, const int GROUPS, __m512i sums[TILE_ROWS][TILE_GROUPS]) {
    EACH (row, ROWS)
        EACH (group, GROUPS) sums[row][group] = _mm512_setzero_si512();
    for (ptrdiff_t word = 0; word < n_words; word++) {
        __m512i units[TILE_GROUPS];
        EACH (group, GROUPS) units[group] = _mm512_loadu_si512(w + (group * n_words + word) * 8);
        EACH (row, ROWS) {
            __m512i input = _mm512_set1_epi64((long long)x[row * x_stride + word]);
            EACH (group, GROUPS) {
                __m512i differ = _mm512_xor_si512(input, units[group]);
                if (mask) differ = _mm512_and_si512(differ, _mm512_set1_epi64((long long)mask[row * x_stride + word]));
                sums[row][group] = _mm512_add_epi64(sums[row][group], _mm512_popcnt_epi64(differ));
            }
        }
    }
}

/* A row's 64-bit counts, each below 2^31, as 32-bit ones in the units' order; one group fills the low half. */
INLINE __m512i narrow(const __m512i sums[TILE_GROUPS], const int GROUPS) {
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_epi32(sums[0], even, sums[GROUPS - 1]);
}

INLINE __mmask16 lanes_of(const int GROUPS) { return GROUPS == 2 ? 0xffff : 0xff; }

INLINE void fires_of(const uint64_t *x, ptrdiff_t x_stride, const int ROWS, const uint64_t *w, ptrdiff_t n_words,
                     const int GROUPS, const int32_t *thresholds, uint8_t *out, ptrdiff_t out_stride) {
    __m512i sums[TILE_ROWS][TILE_GROUPS];
    accumulate(x, NULL, x_stride, ROWS, w, n_words, GROUPS, sums);
    __m512i limits = _mm512_maskz_loadu_epi32(lanes_of(GROUPS), thresholds);
    EACH (row, ROWS) {
        uint16_t bits = _mm512_cmple_epi32_mask(narrow(sums[row], GROUPS), limits);
        memcpy(out + row * out_stride, &bits, (size_t)GROUPS);
    }
}

INLINE void popcounts_of(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                         ptrdiff_t n_words, const int GROUPS, int32_t *out, ptrdiff_t out_stride) {
    __m512i sums[TILE_ROWS][TILE_GROUPS];
    accumulate(x, mask, x_stride, ROWS, w, n_words, GROUPS, sums);
    EACH (row, ROWS) _mm512_mask_storeu_epi32(out + row * out_stride, lanes_of(GROUPS), narrow(sums[row], GROUPS));
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

#include "adam.h"
#include "encode.h"
ENCODE(encode32, float, 16, reaches32, all_finite32)
ENCODE(encode64, double, 8, reaches64, all_finite64)
END_TARGET

TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,bmi2")

static void interleave(const uint64_t *even, const uint64_t *odd, ptrdiff_t n_words, uint64_t *out) {
    const uint64_t evens = 0x5555555555555555u, odds = ~evens;
    for (ptrdiff_t word = 0; word < n_words; word++) {
        out[2 * word] = _pdep_u64(even[word], evens) | _pdep_u64(odd[word], odds);
        out[2 * word + 1] = _pdep_u64(even[word] >> 32, evens) | _pdep_u64(odd[word] >> 32, odds);
    }
}

/* ROWS rows of the product, a constant wherever this is inlined: four registers of 16 columns each. */
INLINE void product_of(const uint32_t *a, ptrdiff_t a_row, ptrdiff_t a_pair, const int ROWS, const uint32_t *signs,
                       const uint32_t *keep, ptrdiff_t n_pairs, ptrdiff_t n, float *out, ptrdiff_t out_stride) {
    const __m512i plus = _mm512_set1_epi16(0x3f80), minus = _mm512_set1_epi16((short)0xbf80); /* +-1 in bfloat16 */
    __m512 sums[TILE_ROWS][4];
    EACH (row, ROWS)
        EACH (part, 4) sums[row][part] = _mm512_setzero_ps();
    for (ptrdiff_t pair = 0; pair < n_pairs; pair++) {
        __m512i ones[4];
        EACH (part, 4) {
            ones[part] = _mm512_mask_blend_epi16(signs[4 * pair + part], minus, plus);
            if (keep) ones[part] = _mm512_maskz_mov_epi16(keep[4 * pair + part], ones[part]);
        }
        EACH (row, ROWS) {
            __m512i both = _mm512_set1_epi32((int)a[row * a_row + pair * a_pair]);
            EACH (part, 4) sums[row][part] = _mm512_dpbf16_ps(sums[row][part], (__m512bh)both, (__m512bh)ones[part]);
        }
    }
    EACH (part, 4) {
        __mmask16 lanes = n - 16 * part >= 16 ? 0xffff : n > 16 * part ? (__mmask16)((1u << (n - 16 * part)) - 1) : 0;
        EACH (row, ROWS) _mm512_mask_storeu_ps(out + row * out_stride + 16 * part, lanes, sums[row][part]);
    }
}

static void signs_product(const uint32_t *a, ptrdiff_t a_row, ptrdiff_t a_pair, ptrdiff_t n_rows, const uint64_t *signs,
                          const uint64_t *keep, ptrdiff_t n_pairs, ptrdiff_t n, float *out, ptrdiff_t out_stride) {
    const uint32_t *halves = (const uint32_t *)signs, *kept = (const uint32_t *)keep;
    ptrdiff_t row = 0;
#define PRODUCT(ROWS, KEEP) \
    product_of(a + row * a_row, a_row, a_pair, ROWS, halves, KEEP, n_pairs, n, out + row * out_stride, out_stride)
    if (keep) {
        DOWN_THE_ROWS(PRODUCT, kept)
    } else {
        DOWN_THE_ROWS(PRODUCT, NULL)
    }
}
END_TARGET

static const Tiles tiles = {
    "avx512_vpopcntdq", fires, popcounts, masked_popcounts, compare32, compare64, encode32, encode64, adam, NULL, NULL};
static const Tiles bf16_tiles = {"avx512_vpopcntdq_bf16",
                                 fires,
                                 popcounts,
                                 masked_popcounts,
                                 compare32,
                                 compare64,
                                 encode32,
                                 encode64,
                                 adam,
                                 interleave,
                                 signs_product};

const Tiles *avx512_tiles(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512vpopcntdq")
               ? &tiles
               : NULL;
}

const Tiles *avx512_bf16_tiles(void) {
    return avx512_tiles() && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("bmi2") ? &bf16_tiles
                                                                                                    : NULL;
}
#else
const Tiles *avx512_tiles(void) { return NULL; }
const Tiles *avx512_bf16_tiles(void) { return NULL; }
#endif
