/* No instruction set assumed: the set bits of a word added up in parallel (Hacker's Delight, section 5-1). */
#include "tiles.h"

static inline uint64_t popcount(uint64_t word) {
    word -= (word >> 1) & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (word * 0x0101010101010101u) >> 56;
}

#define SKBNN_POPCOUNT popcount
#include "scalar.h"

static const Tiles tiles = TILES("portable", NULL);

const Tiles *portable_tiles(void) { return &tiles; }
