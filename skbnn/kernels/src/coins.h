/* Random bits in plain C, for the compiler to vectorize; the includer chooses the instruction set. */
#include <string.h>

#include "tiles.h"

/* Bits that are 1 with probability p come from fair ones by p's binary digits, the last first: where a digit is 1, the
 * bit or the coin, else the bit and the coin. Each lane has a generator of its own, SFC64 (Doty-Humphrey, 2013). */
static void bernoulli(const uint64_t seeds[3][COIN_LANES], uint32_t digits, uint64_t *words, ptrdiff_t n_words) {
    uint64_t state[3][COIN_LANES], bits_of[COIN_LANES], counter = 1;
    memcpy(state, seeds, sizeof state);
    for (ptrdiff_t word = 0; word < n_words; word += COIN_LANES, counter += COIN_DIGITS) {
        const ptrdiff_t left = n_words - word;
        for (int lane = 0; lane < COIN_LANES; lane++) {
            uint64_t a = state[0][lane], b = state[1][lane], c = state[2][lane], bits = 0;
            PRAGMA(GCC unroll 16) /* so that the lanes are what is vectorized */
            for (int digit = 0; digit < COIN_DIGITS; digit++) {
                const uint64_t coins = a + b + counter + (uint64_t)digit, one = -(uint64_t)(digits >> digit & 1);
                a = b ^ (b >> 11);
                b = c + (c << 3);
                c = (c << 24 | c >> 40) + coins;
                bits = (coins & (bits | one)) | (bits & one);
            }
            state[0][lane] = a, state[1][lane] = b, state[2][lane] = c, bits_of[lane] = bits;
        }
        memcpy(words + word, bits_of, sizeof *words * (size_t)(left < COIN_LANES ? left : COIN_LANES));
    }
}
