"""What a column's thresholds say beside themselves: of missing values, and of categories."""

import numpy as np

# A first threshold that every value reaches, unless it is missing.
PRESENT = -np.inf


def find_fills(thresholds, offsets, nominal):
    """What a missing value counts as, (n_features,) float64.

    The middle one of the feature's thresholds, and 0 of a feature that has none. NaN, which reaches no threshold, where
    it has a bit for that or is nominal.
    """
    first, counts = offsets[:-1][: len(nominal)], np.diff(offsets)[: len(nominal)]
    fills, used = np.zeros(len(nominal)), np.flatnonzero(counts)
    middle = thresholds[first[used] + counts[used] // 2]
    fills[used] = np.where(np.isnan(middle), 0, middle)  # NaN is a threshold that nothing reaches, the same as none
    fills[used[nominal[used] | (thresholds[first[used]] == PRESENT)]] = np.nan
    return fills


def find_runs(offsets, nominal):
    """The offsets of runs of bits that are 1 together: those of columns, and each bit of a nominal feature."""
    if not nominal.any():
        return offsets
    is_nominal = np.zeros(len(offsets) - 1, bool)
    is_nominal[: len(nominal)] = nominal
    of_nominal = np.repeat(is_nominal, np.diff(offsets))
    is_end = np.zeros(offsets[-1] + 1, bool)
    is_end[offsets] = True
    is_end[:-1] |= of_nominal
    is_end[1:] |= of_nominal
    return np.flatnonzero(is_end).astype(np.int32)


def same_nominal(offsets, nominal):
    """Bits whose next bit belongs to the same nominal feature, packed, (n_words,) uint64."""
    bits = np.zeros(-(-int(offsets[-1]) // 64) * 64, bool)
    for feature in np.flatnonzero(nominal):
        bits[offsets[feature] : max(offsets[feature], offsets[feature + 1] - 1)] = True
    return np.packbits(bits, bitorder="little").view(np.uint64)
