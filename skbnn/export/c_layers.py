"""The C of the layers, of the scores and of what they predict.

``NAME`` is the model's name. Tables and the sizes in ``enum`` are written by ``skbnn.export.c``.
"""

POPCOUNT = """
static inline int NAME_popcount(uint32_t x) {
#if defined(__POPCNT__) || defined(__aarch64__) || defined(__riscv_zbb)
    return __builtin_popcount(x);
#else /* without a multiplication */
    x -= x >> 1 & 0x55555555u;
    x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0fu;
    x += x >> 8;
    return (int)((x + (x >> 16)) & 63u);
#endif
}
"""

# A unit fires iff popcount(x ^ w) <= t. Let V be the inputs that are 1, v their number, A = sum of w over V, and C the
# sum of all w. Then popcount(x ^ w) = v + C - 2 A, so the unit fires iff 2 A + K - v >= C - t + K. Where V are the
# inputs that are 0, popcount(x ^ w) = K - v - C + 2 A, so it fires iff not 2 A + K - v >= t + C + 1. The fewer of the
# two are visited, at most K / 2. The right-hand sides are the thresholds in flash; none is negative.
#
# Bit p of 32 units' counts is one word, so one operation adds to, or compares, all of them.
LAYER = """
#if defined(__ARM_FEATURE_CLZ) || defined(__x86_64__) || defined(__aarch64__) || defined(__riscv_zbb)
#define NAME_TRAILING_ZEROS __builtin_ctz
#endif

/* A full adder for each bit: sum + a + b is the new sum + 2 * carry. */
#define NAME_ADD(carry, sum, a, b) \\
    do { \\
        const uint32_t a_ = (a), b_ = (b), half_ = (sum) ^ a_; \\
        (carry) = ((sum) & a_) | (half_ & b_); \\
        (sum) = half_ ^ b_; \\
    } while (0)

/* Add twice the bits of rows of the weights, which start at these words, to the units' counts; 16 rows at a time. */
static inline void NAME_add_rows(const uint32_t *weights, const NAME_row_t *rows, int n_rows, int n_groups,
                                 uint32_t *counts) {
    const NAME_row_t *const end = rows + n_rows;
    for (; n_groups > 0; n_groups--, weights++, counts += NAME_n_planes) {
        uint32_t ones = counts[1], twos = counts[2], fours = counts[3], eights = counts[4];
        for (const NAME_row_t *row = rows; row < end; row += 16) {
            uint32_t a, b, c, d, e;
            NAME_ADD(a, ones, weights[row[0]], weights[row[1]]);
            NAME_ADD(b, ones, weights[row[2]], weights[row[3]]);
            NAME_ADD(c, twos, a, b);
            NAME_ADD(a, ones, weights[row[4]], weights[row[5]]);
            NAME_ADD(b, ones, weights[row[6]], weights[row[7]]);
            NAME_ADD(d, twos, a, b);
            NAME_ADD(e, fours, c, d);
            NAME_ADD(a, ones, weights[row[8]], weights[row[9]]);
            NAME_ADD(b, ones, weights[row[10]], weights[row[11]]);
            NAME_ADD(c, twos, a, b);
            NAME_ADD(a, ones, weights[row[12]], weights[row[13]]);
            NAME_ADD(b, ones, weights[row[14]], weights[row[15]]);
            NAME_ADD(d, twos, a, b);
            NAME_ADD(a, fours, c, d);
            NAME_ADD(b, eights, e, a);
            for (uint32_t *count = counts + 5; b; count++) {
                a = *count;
                *count = a ^ b;
                b &= a;
            }
        }
        counts[1] = ones;
        counts[2] = twos;
        counts[3] = fours;
        counts[4] = eights;
    }
}

/* Bit u of y: whether unit u differs from x in few enough places. Only the inputs that are 1 are looked at, or those
   that are 0, whichever are fewer. Row j of the weights has bit u of input j; behind the last is a row of zeros. */
static inline void NAME_layer(const uint32_t *x, int n_inputs, const uint32_t *weights, const uint32_t *thresholds,
                              int n_groups, uint32_t *y) {
    uint32_t counts[NAME_max_groups * NAME_n_planes], flip = 0;
    NAME_row_t rows[NAME_max_rows];
    int n_rows = 0, visited = 0, start = 0;
    for (int i = 0; i < (n_inputs + 31) / 32; i++)
        visited += NAME_popcount(x[i]);
    if (2 * visited > n_inputs) {
        flip = ~flip;
        visited = n_inputs - visited;
        thresholds += n_groups * NAME_n_planes;
    }
    for (int bit = 0; bit < NAME_n_planes; bit++)
        for (int g = 0; g < n_groups; g++)
            counts[g * NAME_n_planes + bit] = 0u - ((uint32_t)(n_inputs - visited) >> bit & 1u);
    for (int left = n_inputs; left > 0; left -= 32, start += 32 * n_groups) {
        uint32_t bits = *x++ ^ flip;
        if (left < 32)
            bits &= (1u << left) - 1u;
        for (int row = start; bits; bits >>= 1, row += n_groups) {
#ifdef NAME_TRAILING_ZEROS
            const int skipped = NAME_TRAILING_ZEROS(bits);
            bits >>= skipped;
            row += skipped * n_groups;
#else
            for (; !(bits & 1u); bits >>= 1)
                row += n_groups;
#endif
            rows[n_rows++] = (NAME_row_t)row;
            if (n_rows == NAME_max_rows) {
                NAME_add_rows(weights, rows, n_rows, n_groups, counts);
                n_rows = 0;
            }
        }
    }
    do
        rows[n_rows++] = (NAME_row_t)(n_inputs * n_groups);
    while (n_rows % 16);
    NAME_add_rows(weights, rows, n_rows, n_groups, counts);
    for (const uint32_t *count = counts; n_groups > 0; n_groups--) {
        uint32_t reached = ~0u; /* by the bits so far, from the lowest */
        for (int bit = 0; bit < NAME_n_planes; bit++, count++)
            reached ^= (*count ^ *thresholds++) & (reached ^ *count);
        *y++ = reached ^ flip;
    }
}
"""

UNITS = """
/* The output units: a dot product of n numbers -1 or +1 is n - 2 * popcount(x ^ w). */
static inline void NAME_add_units(const uint32_t *x, int member, NAME_score_t *scores) {
    const uint32_t *weights = NAME_output_weights[member];
    const NAME_scale_t *scale = NAME_scale[member];
    for (int o = 0; o < NAME_n_outputs; o++)
        for (int u = 0; u < NAME_units_per_output; u++) {
            int differ = 0;
            for (int i = 0; i < (NAME_fan_in + 31) / 32; i++)
                differ += NAME_popcount(x[i] ^ *weights++);
            scores[o] += (NAME_score_t)*scale++ * (NAME_fan_in - 2 * differ);
        }
}
"""

SCORES_START = """
/* Integer scores, NAME_n_outputs of them: output o's score is scores[o] * 2 ** NAME_exponents[o]. */
static inline void NAME_scores(const NAME_input_t *x, NAME_score_t *scores) {
"""

PREDICT_LARGEST = """
/* The class with the largest score, the first of several. */
static inline int NAME_predict(const NAME_input_t *x) {
    NAME_score_t scores[NAME_n_outputs];
    int best = 0;
    NAME_scores(x, scores);
    for (int o = 1; o < NAME_n_outputs; o++)
        if (scores[o] > scores[best])
            best = o;
    return best;
}
"""

PREDICT_POSITIVE = """
/* The class, 0 or 1. */
static inline int NAME_predict(const NAME_input_t *x) {
    NAME_score_t score;
    NAME_scores(x, &score);
    return score > 0;
}
"""

PREDICT_LABELS = """
/* 1 for each label that applies, else 0; NAME_n_outputs of them. */
static inline void NAME_predict(const NAME_input_t *x, uint8_t *labels) {
    NAME_score_t scores[NAME_n_outputs];
    NAME_scores(x, scores);
    for (int o = 0; o < NAME_n_outputs; o++)
        labels[o] = scores[o] > 0;
}
"""

PREDICT_VALUE = """
/* The value. */
static inline double NAME_predict(const NAME_input_t *x) {
    NAME_score_t score;
    NAME_scores(x, &score);
    return NAME_factor[0] * (double)score;
}
"""

PREDICT_VALUES = """
/* NAME_n_outputs values. */
static inline void NAME_predict(const NAME_input_t *x, double *values) {
    NAME_score_t scores[NAME_n_outputs];
    NAME_scores(x, scores);
    for (int o = 0; o < NAME_n_outputs; o++)
        values[o] = NAME_factor[o] * (double)scores[o];
}
"""
