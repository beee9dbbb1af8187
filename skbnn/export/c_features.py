"""The C that reads features: keys, components, the thermometer encoding, lines.

``NAME`` is the model's name. Tables and the sizes in ``enum`` are written by ``skbnn.export.c``.
"""

# A float's bits, read as an integer of sign and magnitude, become one that is ordered as the floats are. So floats are
# compared without floating-point instructions. -0.0 comes right before 0.0, whose place thresholds of 0 take. FLOAT is
# the input's type or, where that can't tell two thresholds apart that a missing value tells, double.
KEY_OF_FLOAT = """
/* An integer that is ordered as floats are; the least one is NaN's. */
static inline NAME_key_t NAME_key(NAME_input_t x) {
    const FLOAT value = x;
    NAME_key_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & KEY_MAX) > KEY_OF_INFINITY)
        return KEY_OF_NAN;
    return bits < 0 ? bits ^ KEY_MAX : bits;
}
"""

# KEY_OF_PRESENT is that of -inf. A feature with such a threshold has a bit that says whether a value is there.
FILLED = """
/* A missing value counts as the middle one of its feature's thresholds, unless a bit tells. */
static inline NAME_key_t NAME_filled(NAME_key_t key, const NAME_key_t *thresholds, int count) {
    if (key == KEY_OF_NAN && count && thresholds[0] != KEY_OF_PRESENT)
        return thresholds[count / 2];
    return key;
}
"""

KEY_OF_INTEGER = """
static inline NAME_key_t NAME_key(NAME_input_t x) {
    return (NAME_key_t)x;
}
"""

VALUE = """
/* A feature as a number, and as what it counts if it is missing: NaN where a bit tells. */
static inline double NAME_value(const NAME_input_t *x, int f) {
    double value = (double)x[f];
    if (NAME_key(x[f]) == KEY_OF_NAN)
        memcpy(&value, &NAME_fills[f], sizeof value);
    return value;
}
"""

FLOAT_COMPONENT = """
/* An integer that is ordered as finite doubles are. */
static inline int64_t NAME_key_of_component(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? bits ^ INT64_MAX : bits;
}

/* Combination k of the features: each product and each sum is rounded to double, in the features' order. The volatile
   store keeps a compiler from fusing the two. */
static inline int64_t NAME_component(const NAME_input_t *x, int k) {
    const double largest = 1.7976931348623157e308;
    double sum = 0;
    for (int f = 0; f < NAME_n_features; f++) {
        const NAME_key_t key = NAME_key(x[f]);
        double value = NAME_value(x, f);
        if (key <= KEY_OF_PRESENT || key >= KEY_OF_INFINITY) /* so that cores without FPU compare no doubles */
            value = value > largest ? largest : value < -largest ? -largest : value == value ? value : 0;
        volatile double product = value * NAME_components[k][f];
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

REACHED = """            while (reached < count && value >= threshold[reached])
                reached++;
"""

# IS_NONE: whether column c is an integer that stands for NaN.
REACHED_OR_NONE = """            if (IS_NONE)
                reached = NAME_kinds[c] > 1 ? NAME_kinds[c] - 2 : 0;
            else
                while (reached < count && value >= threshold[reached])
                    reached++;
"""

# Of a nominal feature the bit of the last threshold that is reached is 1, and no other. REACH counts them.
ENCODE_CODES = """    {
        const THRESHOLD *threshold = THRESHOLDS;
        for (int c = 0; c < COLUMNS; c++) {
            const int count = COUNT;
            const KEY value = VALUE;
            int reached = 0;
REACH
            for (int i = 0; i < count; i++)
                NAME_write(&to, NAME_kinds[c] == 1 ? i + 1 == reached : i < reached);
            threshold += count;
        }
    }
"""

ENCODE_CODES_WITH_STEPS = ENCODE_CODES.replace(
    "        for (int c",
    "        const NAME_sum_t *sums = SUMS;\n        for (int c",
).replace(
    "            threshold += count;\n",
    """            if (reached)
                for (int o = 0; o < NAME_n_outputs; o++)
                    scores[o] += sums[(reached - 1) * NAME_n_outputs + o];
            threshold += count;
            sums += count * NAME_n_outputs;
""",
)

# Pixels have one threshold each, or none where they are always the same. VALUE: of the feature.
ENCODE_PIXELS = """    {
        const NAME_input_t *feature = x;
        for (int i = 0; i < N_THRESHOLDS; i++) {
            feature += NAME_skips[i];
            NAME_write(&to, VALUE >= NAME_thresholds[i]);
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
        double rise = NAME_value(x, f);
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
