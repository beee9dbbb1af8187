"""The C that reads features: keys, components, the thermometer encoding, lines.

``NAME`` is the model's name. Tables and the sizes in ``enum`` are written by ``skbnn.export.c``.
"""

# A float's bits, read as an integer of sign and magnitude, become one that is ordered as the floats are. So floats are
# compared without floating-point instructions. -0.0 comes right before 0.0, whose place thresholds of 0 take.
KEY_OF_FLOAT = """
/* An integer that is ordered as finite floats are. */
static inline NAME_key_t NAME_key(NAME_input_t x) {
    NAME_key_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? bits ^ NAME_KEY_MAX : bits;
}
"""

KEY_OF_INTEGER = """
static inline NAME_key_t NAME_key(NAME_input_t x) {
    return (NAME_key_t)x;
}
"""

KEY_OF_COMPONENT = (
    KEY_OF_FLOAT.replace("NAME_key(NAME_input_t x)", "NAME_key_of_component(double x)")
    .replace("NAME_key_t", "int64_t")
    .replace("NAME_KEY_MAX", "INT64_MAX")
)

FLOAT_COMPONENT = """
/* Combination k of the features: each product and each sum is rounded to double, in the features' order. The volatile
   store keeps a compiler from fusing the two. */
static inline int64_t NAME_component(const NAME_input_t *x, int k) {
    const double largest = 1.7976931348623157e308;
    double sum = 0;
    for (int f = 0; f < NAME_n_features; f++) {
        volatile double product = (double)x[f] * NAME_components[k][f];
        sum += product;
    }
    if (!(sum >= -largest))
        sum = -largest;
    return NAME_key_of_component(sum > largest ? largest : sum);
}
"""

INTEGER_COMPONENT = """
/* Combination k of the features, in its own unit. */
static inline int64_t NAME_component(const NAME_input_t *x, int k) {
    int64_t sum = 0;
    for (int f = 0; f < NAME_n_features; f++)
        sum += (int64_t)NAME_components[k][f] * x[f];
    return sum;
}
"""

WRITER = """
/* Bits are gathered into words; the next one goes where the mask is. */
typedef struct {
    uint32_t *words, word, mask;
} NAME_writer_t;

static inline void NAME_write(NAME_writer_t *to, int bit) {
    if (bit)
        to->word |= to->mask;
    to->mask <<= 1;
    if (!to->mask) {
        *to->words++ = to->word;
        to->word = 0;
        to->mask = 1;
    }
}
"""

ENCODE_START = """
/* Thermometer encoding: a bit is 1 where its column reaches the threshold. Scores start with what columns add. */
static inline void NAME_encode(const NAME_input_t *x, uint32_t *words, NAME_score_t *scores) {
    NAME_writer_t to = {words, 0, 1};
    for (int o = 0; o < NAME_n_outputs; o++)
        scores[o] = NAME_bias[o];
"""

# COLUMNS: how many; VALUE: of column c, a KEY; COUNT: thresholds of column c, out of THRESHOLDS, a THRESHOLD each.
ENCODE_COLUMNS = """    {
        const THRESHOLD *threshold = THRESHOLDS;
        for (int c = 0; c < COLUMNS; c++) {
            const KEY value = VALUE;
            for (int left = COUNT; left > 0; left--)
                NAME_write(&to, value >= *threshold++);
        }
    }
"""

ENCODE_COLUMNS_WITH_STEPS = """    {
        const THRESHOLD *threshold = THRESHOLDS;
        const NAME_sum_t *sums = SUMS;
        for (int c = 0; c < COLUMNS; c++) {
            const KEY value = VALUE;
            const NAME_sum_t *reached = 0;
            for (int left = COUNT; left > 0; left--) {
                const int bit = value >= *threshold++;
                if (bit)
                    reached = sums;
                sums += NAME_n_outputs;
                NAME_write(&to, bit);
            }
            if (reached)
                for (int o = 0; o < NAME_n_outputs; o++)
                    scores[o] += reached[o];
        }
    }
"""

# Pixels have one threshold each, or none where they are always the same.
ENCODE_PIXELS = """    {
        const NAME_input_t *feature = x;
        for (int i = 0; i < N_THRESHOLDS; i++) {
            feature += NAME_skips[i];
            NAME_write(&to, NAME_key(*feature) >= NAME_thresholds[i]);
        }
    }
"""

ENCODE_END = """    if (to.mask != 1)
        *to.words = to.word;
}
"""

FLOAT_LINES = """
/* Straight lines within each feature's range; a product is cut off toward zero. */
static inline void NAME_add_lines(const NAME_input_t *x, NAME_score_t *scores) {
    for (int f = 0; f < NAME_n_features; f++) {
        const double lower = NAME_ranges[0][f], upper = NAME_ranges[1][f];
        double rise = (double)x[f];
        rise = rise > lower ? rise : lower;
        rise = rise < upper ? rise : upper;
        rise -= lower;
        for (int o = 0; o < NAME_n_outputs; o++)
            scores[o] += (NAME_score_t)(NAME_slopes[f][o] * rise);
    }
}
"""

# The x87 computes with 64 bits of significand, and would round twice.
DOUBLES = """
#if defined __FLT_EVAL_METHOD__ && (__FLT_EVAL_METHOD__ == 2 || __FLT_EVAL_METHOD__ < 0)
#error "scores need arithmetic of doubles as IEEE 754 has it; for 32-bit x86 compile with -msse2 -mfpmath=sse"
#endif
"""

INTEGER_LINES = """
/* Straight lines within each feature's range; a product is cut off toward zero. */
static inline void NAME_add_lines(const NAME_input_t *x, NAME_score_t *scores) {
    for (int f = 0; f < NAME_n_features; f++) {
        const int64_t lower = NAME_ranges[0][f], upper = NAME_ranges[1][f];
        int64_t rise = (int64_t)x[f];
        rise = rise > lower ? rise : lower;
        rise = rise < upper ? rise : upper;
        rise -= lower;
        for (int o = 0; o < NAME_n_outputs; o++) {
            const int64_t slope = NAME_slopes[f][o];
            const NAME_score_t size = (NAME_score_t)((slope < 0 ? -slope : slope) * rise >> NAME_shifts[f][o]);
            scores[o] += slope < 0 ? -size : size;
        }
    }
}
"""
