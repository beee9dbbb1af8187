/* NEON: two units a register, four registers for a word of eight; part of every 64-bit Arm. */
#include "tiles.h"

#if defined(__aarch64__) && defined(__GNUC__)
#include <arm_neon.h>

/* A byte counts at most 8 a word, so 31 words fit before it is widened. One group's four accumulators a row leave room
 * for the units in the 32 registers at six rows. */
enum { CHUNK = 31, PAIRS = 4 };

/* Popcounts of ROWS rows with one group. */
INLINE void accumulate(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                       ptrdiff_t n_words, uint64x2_t sums[TILE_ROWS][PAIRS]) {
    EACH (row, ROWS)
        EACH (pair, PAIRS) sums[row][pair] = vdupq_n_u64(0);
    for (ptrdiff_t start = 0; start < n_words; start += CHUNK) {
        ptrdiff_t stop = n_words - start < CHUNK ? n_words : start + CHUNK;
        uint8x16_t bytes[TILE_ROWS][PAIRS];
        EACH (row, ROWS)
            EACH (pair, PAIRS) bytes[row][pair] = vdupq_n_u8(0);
        for (ptrdiff_t word = start; word < stop; word++)
            EACH (row, ROWS) {
                uint64x2_t input = vdupq_n_u64(x[row * x_stride + word]);
                EACH (pair, PAIRS) {
                    uint64x2_t differ = veorq_u64(input, vld1q_u64(w + word * 8 + 2 * pair));
                    if (mask) differ = vandq_u64(differ, vdupq_n_u64(mask[row * x_stride + word]));
                    bytes[row][pair] = vaddq_u8(bytes[row][pair], vcntq_u8(vreinterpretq_u8_u64(differ)));
                }
            }
        EACH (row, ROWS)
            EACH (pair, PAIRS)
                sums[row][pair] = vpadalq_u32(sums[row][pair], vpaddlq_u16(vpaddlq_u8(bytes[row][pair])));
    }
}

/* Four 64-bit counts, each below 2^31, as 32-bit ones in the units' order. */
INLINE int32x4_t narrow(uint64x2_t low, uint64x2_t high) {
    return vreinterpretq_s32_u32(vcombine_u32(vmovn_u64(low), vmovn_u64(high)));
}

INLINE void fires_of(const uint64_t *x, ptrdiff_t x_stride, const int ROWS, const uint64_t *w, ptrdiff_t n_words,
                     const int GROUPS, const int32_t *thresholds, uint8_t *out, ptrdiff_t out_stride) {
    const uint32x4_t bits = {1, 2, 4, 8};
    for (int group = 0; group < GROUPS; group++) {
        uint64x2_t sums[TILE_ROWS][PAIRS];
        accumulate(x, NULL, x_stride, ROWS, w + group * n_words * 8, n_words, sums);
        int32x4_t low = vld1q_s32(thresholds + 8 * group), high = vld1q_s32(thresholds + 8 * group + 4);
        EACH (row, ROWS) {
            uint32x4_t first = vandq_u32(vcleq_s32(narrow(sums[row][0], sums[row][1]), low), bits);
            uint32x4_t second = vandq_u32(vcleq_s32(narrow(sums[row][2], sums[row][3]), high), bits);
            out[row * out_stride + group] = (uint8_t)(vaddvq_u32(first) | vaddvq_u32(second) << 4);
        }
    }
}

INLINE void popcounts_of(const uint64_t *x, const uint64_t *mask, ptrdiff_t x_stride, const int ROWS, const uint64_t *w,
                         ptrdiff_t n_words, const int GROUPS, int32_t *out, ptrdiff_t out_stride) {
    for (int group = 0; group < GROUPS; group++) {
        uint64x2_t sums[TILE_ROWS][PAIRS];
        accumulate(x, mask, x_stride, ROWS, w + group * n_words * 8, n_words, sums);
        EACH (row, ROWS) {
            int32_t *to = out + row * out_stride + 8 * group;
            vst1q_s32(to, narrow(sums[row][0], sums[row][1]));
            vst1q_s32(to + 4, narrow(sums[row][2], sums[row][3]));
        }
    }
}

#include "each_size.h"

/* Plain C for the others: NEON is in the baseline, so the compiler uses it. */
#define SKBNN_POPCOUNT __builtin_popcountll
#include "adam.h"
#include "batch_norm.h"
#include "coins.h"
#include "dots.h"
#include "drop.h"
#include "exp.h"
#include "surrogate.h"
#include "compare.h"

static const Tiles tiles = TILES("neon", NULL);

const Tiles *neon_tiles(void) { return &tiles; }
#else
const Tiles *neon_tiles(void) { return NULL; }
#endif
