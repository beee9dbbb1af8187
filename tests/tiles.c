/* Compares the tiles of NEON with the portable ones over many sizes; prints the first difference and returns 1.
 * test_neon.py compiles it for Arm and runs it there or under an emulator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tiles.h"

enum { MOST_ROWS = 13, MOST_WORDS = 70, MOST_BITS = 200 };

static uint64_t random_bits(void) {
    static uint64_t state = 88172645463325252u; /* xorshift */
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static int differ(const char *what, const void *a, const void *b, size_t n, ptrdiff_t rows, ptrdiff_t words) {
    if (!memcmp(a, b, n)) return 0;
    printf("%s differ at %td rows, %td words\n", what, rows, words);
    return 1;
}

static int layers_differ(const Tiles *tiles, const Tiles *truth, ptrdiff_t rows, ptrdiff_t words, ptrdiff_t groups) {
    static uint64_t x[MOST_ROWS * MOST_WORDS], mask[MOST_ROWS * MOST_WORDS], w[TILE_GROUPS * MOST_WORDS * 8];
    static int32_t thresholds[TILE_GROUPS * 8], counts[2][MOST_ROWS * TILE_GROUPS * 8];
    uint8_t bits[2][MOST_ROWS * TILE_GROUPS] = {{0}};
    for (ptrdiff_t i = 0; i < rows * words; i++) x[i] = random_bits(), mask[i] = random_bits();
    for (ptrdiff_t i = 0; i < groups * words * 8; i++) w[i] = random_bits();
    for (ptrdiff_t i = 0; i < words; i++) x[i] = 0, w[8 * i + 5] = ~(uint64_t)0; /* the most that can be counted */
    for (int i = 0; i < TILE_GROUPS * 8; i++) thresholds[i] = (int32_t)(32 * words + random_bits() % 9 - 4);
    const Tiles *both[2] = {tiles, truth};
    ptrdiff_t stride = TILE_GROUPS * 8;
    for (int i = 0; i < 2; i++) both[i]->fires(x, words, rows, w, words, groups, thresholds, bits[i], TILE_GROUPS);
    if (differ("fires", bits[0], bits[1], sizeof bits[0], rows, words)) return 1;
    for (int i = 0; i < 2; i++) both[i]->popcounts(x, words, rows, w, words, groups, counts[i], stride);
    if (differ("popcounts", counts[0], counts[1], sizeof counts[0], rows, words)) return 1;
    for (int i = 0; i < 2; i++) both[i]->masked_popcounts(x, mask, words, rows, w, words, groups, counts[i], stride);
    return differ("masked popcounts", counts[0], counts[1], sizeof counts[0], rows, words);
}

static int comparisons_differ(const Tiles *tiles, const Tiles *truth, ptrdiff_t n) {
    float narrow[MOST_BITS], narrow_limits[MOST_BITS];
    double wide[MOST_BITS], wide_limits[MOST_BITS];
    uint64_t bits[2][(MOST_BITS + 63) / 64] = {{0}};
    const Tiles *both[2] = {tiles, truth};
    for (ptrdiff_t i = 0; i < n; i++) {
        wide[i] = narrow[i] = (float)(random_bits() % 5);
        wide_limits[i] = narrow_limits[i] = (float)(random_bits() % 5);
    }
    for (int i = 0; i < 2; i++) both[i]->compare32(narrow, narrow_limits, n, bits[i]);
    if (differ("float comparisons", bits[0], bits[1], sizeof bits[0], 1, n)) return 1;
    for (int i = 0; i < 2; i++) both[i]->compare64(wide, wide_limits, n, bits[i]);
    return differ("double comparisons", bits[0], bits[1], sizeof bits[0], 1, n);
}

static float random_float(void) { return (float)(random_bits() % 2000001) / 500000 - 2; }

/* What a training step does to a block of units, one tile after the other; `out` is what they leave. */
typedef struct {
    float x[MOST_ROWS * 64], outputs[MOST_ROWS * 64], gradient[MOST_ROWS * 64], inverse_std[64], of_gain[64],
        of_bias[64];
    float exponentials[MOST_ROWS * 64], value[MOST_ROWS * 64], first[MOST_ROWS * 64], second[MOST_ROWS * 64];
    uint64_t coins[MOST_ROWS];
} Block;

static void step_through(const Tiles *tiles, ptrdiff_t rows, ptrdiff_t units, const Block *in, const double *weights,
                         const uint64_t *mask, const uint64_t seeds[3][COIN_LANES], Block *out) {
    const BatchNormArrays norm = {in->of_gain, in->of_bias, out->of_gain, out->of_bias, out->inverse_std, units};
    const AdamStep adam = {0.9f, 0.99f, 0.01f, 1e-8f, 1};
    *out = *in;
    tiles->dots(out->x, mask, 1, 64, rows, units);
    tiles->normalize(out->x, weights, (double)rows, rows, &norm);
    tiles->scale_and_shift(out->x, rows, &norm, out->outputs);
    tiles->drop(out->gradient, mask, rows, 1);
    tiles->approx_sign(out->outputs, out->gradient, rows * 64);
    tiles->normalize_backward(out->x, out->gradient, weights, (double)rows, rows, &norm);
    tiles->exp_of_negative(out->exponentials, rows * 64);
    tiles->adam(out->value, out->gradient, out->first, out->second, rows * 64, &adam);
    tiles->bernoulli(seeds, 45000, out->coins, rows);
}

static int steps_differ(const Tiles *tiles, const Tiles *truth, ptrdiff_t rows, ptrdiff_t units) {
    static Block in, out[2];
    double weights[MOST_ROWS];
    uint64_t mask[MOST_ROWS], seeds[3][COIN_LANES];
    for (int i = 0; i < MOST_ROWS * 64; i++) {
        const int32_t popcount = i % 64 < units ? (int32_t)(random_bits() % 65) : 0;
        memcpy(in.x + i, &popcount, sizeof popcount);
        in.gradient[i] = i % 64 < units ? random_float() : 0;
        in.exponentials[i] = 20 * (random_float() - 2), in.value[i] = random_float() / 2;
    }
    for (int i = 0; i < 64; i++) in.of_gain[i] = random_float(), in.of_bias[i] = random_float();
    for (int i = 0; i < MOST_ROWS; i++) weights[i] = (double)(random_bits() % 100) / 50, mask[i] = random_bits();
    for (int i = 0; i < 3 * COIN_LANES; i++) seeds[i / COIN_LANES][i % COIN_LANES] = random_bits();
    step_through(tiles, rows, units, &in, weights, mask, seeds, &out[0]);
    step_through(truth, rows, units, &in, weights, mask, seeds, &out[1]);
    return differ("steps", &out[0], &out[1], sizeof out[0], rows, units);
}

int main(void) {
    const Tiles *tiles = neon_tiles(), *truth = portable_tiles();
    if (!tiles) return puts("no NEON"), 1;
    for (ptrdiff_t rows = 1; rows <= MOST_ROWS; rows++)
        for (ptrdiff_t words = 1; words <= MOST_WORDS; words++)
            for (ptrdiff_t groups = 1; groups <= TILE_GROUPS; groups++)
                if (layers_differ(tiles, truth, rows, words, groups)) return 1;
    for (ptrdiff_t n = 1; n <= MOST_BITS; n++)
        if (comparisons_differ(tiles, truth, n)) return 1;
    for (ptrdiff_t rows = 1; rows <= MOST_ROWS; rows++)
        for (ptrdiff_t units = 1; units <= 64; units++)
            if (steps_differ(tiles, truth, rows, units)) return 1;
    return 0;
}
