/* AVX-512 with VPOPCNTDQ: one register is one word of eight units. */
#include "tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

/* Loops in plain C take whole registers, too; Clang does so by itself and ignores every target beside one unknown. */
#ifdef __clang__
#define WIDE ""
#else
#define WIDE ",prefer-vector-width=512"
#endif

TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq" WIDE)

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
    INLINE uint64_t word##bits(const type *values, const type *thresholds, ptrdiff_t n, mask_t *bad) {            \
        uint64_t word = 0;                                                                                        \
        for (ptrdiff_t bit = 0; bit < 64 && bit < n; bit += LANES) {                                              \
            mask_t lanes = first##bits(n - bit);                                                                  \
            __auto_type some = mask_load(lanes, values + bit);                                                    \
            *bad |= fpclass(some, NOT_FINITE);                                                                    \
            word |= (uint64_t)mask_compare(lanes, some, mask_load(lanes, thresholds + bit), _CMP_GE_OQ) << bit;   \
        }                                                                                                         \
        return word;                                                                                              \
    }                                                                                                             \
    static int compare##bits(const type *values, const type *thresholds, ptrdiff_t n_bits, uint64_t *out) {       \
        mask_t bad = 0;                                                                                           \
        ptrdiff_t bit = 0;                                                                                        \
        for (; bit + 64 <= n_bits; bit += 64) *out++ = word##bits(values + bit, thresholds + bit, 64, &bad);      \
        if (bit < n_bits) *out = word##bits(values + bit, thresholds + bit, n_bits - bit, &bad);                  \
        return !bad;                                                                                              \
    }                                                                                                             \
    static inline uint64_t reaches##bits(type value, const type *thresholds) {                                    \
        return cmp(broadcast(value), loadu(thresholds), _CMP_GE_OQ);                                              \
    }
COMPARE(float, 32, 16, __mmask16, _mm512_maskz_loadu_ps, _mm512_mask_cmp_ps_mask, _mm512_fpclass_ps_mask,
        _mm512_set1_ps, _mm512_loadu_ps, _mm512_cmp_ps_mask)
COMPARE(double, 64, 8, __mmask8, _mm512_maskz_loadu_pd, _mm512_mask_cmp_pd_mask, _mm512_fpclass_pd_mask, _mm512_set1_pd,
        _mm512_loadu_pd, _mm512_cmp_pd_mask)

#define SKBNN_POPCOUNT __builtin_popcountll
#include "adam.h"
#include "batch_norm.h"
#include "coins.h"
#include "dots.h"
#include "drop.h"
#include "exp.h"
#include "surrogate.h"
#include "encode.h"
ENCODE(encode32, float, 16, reaches32, all_finite32)
ENCODE(encode64, double, 8, reaches64, all_finite64)
END_TARGET

TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,bmi2" WIDE)

#include "quantize.h"

/* Sixteen bits of four words in turn: bit 4k + i is bit 16 * part + k of words[i]. */
INLINE __mmask64 interleave(const uint64_t words[4], int part) {
    uint64_t bits = 0;
    EACH (i, 4) bits |= _pdep_u64(words[i] >> (16 * part), (uint64_t)0x1111111111111111u << i);
    return bits;
}

static void sign_quads(const uint64_t words[4], const uint64_t *keep, uint8_t out[SIGN_QUADS]) {
    EACH (part, 4) {
        __m512i bytes = _mm512_maskz_mov_epi8(interleave(words, part), _mm512_set1_epi8(2));
        if (keep) bytes = _mm512_mask_mov_epi8(_mm512_set1_epi8(1), interleave(keep, part), bytes);
        _mm512_storeu_si512(out + 64 * part, bytes);
    }
}

/* sum += four products of unsigned and signed bytes in each lane. The intrinsic is the same, but GCC 12 keeps half of
 * its sums on the stack, at half the speed. */
INLINE __m512i add_products(__m512i sum, __m512i unsigned_bytes, __m512i signed_bytes) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(unsigned_bytes), "v"(signed_bytes));
    return sum;
}

/* ROWS rows of the product, a constant wherever this is inlined: four registers of 16 columns each. Since a sign's byte
 * is one more than the sign, a row starts at minus the sum of its gradients. */
INLINE void product_of(const Int8Gradients *a, ptrdiff_t first, const int ROWS, const uint8_t *signs, ptrdiff_t n,
                       float *out, ptrdiff_t out_stride) {
    const uint32_t *quads = a->quads + first * a->row_stride;
    const ptrdiff_t row_stride = a->row_stride, quad_stride = a->quad_stride, n_quads = a->n_quads;
    __m512i sums[TILE_ROWS][4];
    EACH (row, ROWS)
        EACH (part, 4) sums[row][part] = _mm512_set1_epi32(-a->sums[first + row]);
    for (ptrdiff_t quad = 0; quad < n_quads; quad++) {
        __m512i columns[4];
        EACH (part, 4) columns[part] = _mm512_loadu_si512(signs + quad * SIGN_QUADS + 64 * part);
        EACH (row, ROWS) {
            __m512i gradients = _mm512_set1_epi32((int)quads[row * row_stride + quad * quad_stride]);
            EACH (part, 4) sums[row][part] = add_products(sums[row][part], columns[part], gradients);
        }
    }
    EACH (part, 4) {
        __mmask16 lanes = n > 16 * part ? first32(n - 16 * part) : 0;
        EACH (row, ROWS) {
            __m512 scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[row][part]), _mm512_set1_ps(a->scales[first + row]));
            _mm512_mask_storeu_ps(out + (first + row) * out_stride + 16 * part, lanes, scaled);
        }
    }
}

static void signs_product(const Int8Gradients *a, const uint8_t *signs, ptrdiff_t n, float *out, ptrdiff_t out_stride) {
    ptrdiff_t row = 0, n_rows = a->n_rows;
#define PRODUCT(ROWS, SIGNS) product_of(a, row, ROWS, SIGNS, n, out, out_stride)
    DOWN_THE_ROWS(PRODUCT, signs)
}
END_TARGET

static const Int8Tiles int8_tiles = {quantize_rows, quantize_columns, sign_quads, signs_product};
static const Tiles tiles = TILES("avx512_vpopcntdq", NULL);
static const Tiles vnni_tiles = TILES("avx512_vpopcntdq_vnni", &int8_tiles);

const Tiles *avx512_tiles(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512vpopcntdq")
               ? &tiles
               : NULL;
}

const Tiles *avx512_vnni_tiles(void) {
    return avx512_tiles() && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("bmi2") ? &vnni_tiles
                                                                                                    : NULL;
}
#else
const Tiles *avx512_tiles(void) { return NULL; }
const Tiles *avx512_vnni_tiles(void) { return NULL; }
#endif
