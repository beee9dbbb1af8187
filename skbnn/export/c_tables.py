"""The tables of an exported network: what PackedNetwork holds, as the C reads it."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np

from skbnn.encoding.columns import PRESENT, find_fills, find_runs
from skbnn.packed._steps import sums_in_columns
from skbnn.packed.fixed_point import LIMIT

EXACT = int(LIMIT)  # float64 holds every integer below it
LARGEST_EXPONENT = 1023  # of float64

SIGNED = np.int8, np.int16, np.int32, np.int64
UNSIGNED = np.uint8, np.uint16, np.uint32


# What stands above each table; layers' tables have their number behind the name.
COMMENTS = {
    "thresholds": "Thresholds of the features, ascending, as keys.",
    "skips": "How many features each threshold's lies behind the last one's, at first behind feature 0.",
    "counts": "How many thresholds each feature has.",
    "kinds": "0: numbers. 1: codes, a bit each. Else ordered codes: 2, and how many thresholds a missing one reaches.",
    "fills": "What a missing value of each feature counts as, the bits of a double.",
    "component_counts": "How many thresholds each combination has.",
    "components": "Coefficients of the features in each combination.",
    "component_thresholds": "Thresholds of the combinations, ascending, as keys.",
    "sums": "What each output gains from a column that has reached this threshold and no further.",
    "slopes": "Slopes of each feature's lines, for each output.",
    "shifts": "Powers of 2 that slopes are divided by.",
    "ranges": "Lower and upper ends of the features' ranges.",
    "layer_weights": "For each input, the bits of all units; behind the last, zeros.",
    "layer_thresholds": "For each 32 units, the bits of their thresholds, lowest first; then for inputs that are 0.",
    "output_weights": "For each output unit, the bits of its inputs.",
    "scale": "What counts an output unit's dot product.",
    "bias": "What scores start with.",
    "exponents": "A score is the integer score times 2 to this power.",
    "factor": "These powers of 2.",
    "classes": "Labels of the classes.",
}


def tables_of(network, dtype):
    """All tables of a network whose rows have this dtype, an iterator of (name, array).

    Raises ValueError if the dtype can't take the network's features.
    """
    yield from encoding_tables(network, dtype)
    if network.steps.size:
        runs = find_runs(network.offsets, network.nominal)
        yield "sums", narrowest(sums_in_columns(network.steps, runs).astype(np.int64))
    if network.slopes.size:
        yield from line_tables(network, dtype)
    *hidden, output = network.binary_weights
    n_members = len(output)
    for i, (weights, (_, limits)) in enumerate(zip(hidden, network.layers, strict=True)):
        rows = np.pad(words_of(weights.swapaxes(1, 2) > 0), ((0, 0), (0, 1), (0, 0)))
        yield f"layer_weights_{i}", rows.reshape(n_members, -1)
        planes = threshold_planes(weights, limits, n_planes(network))
        yield f"layer_thresholds_{i}", planes.reshape(n_members, -1)
    yield "output_weights", words_of(output > 0).reshape(n_members, -1)
    yield "scale", narrowest(network.scale.reshape(n_members, -1))
    yield "bias", narrowest(network.bias)
    exponents = np.frexp(network.factor)[1] - 1
    yield "exponents", narrowest(exponents)
    if network.output == "identity" and dtype.kind == "f":
        yield "factor", network.factor
    if network.classes is not None:
        if network.classes.dtype.kind == "f" and not np.isfinite(network.classes).all():
            raise ValueError(f"classes must be finite to be numbers of C, got {network.classes.tolist()}")
        wide = {"b": np.uint8, "f": np.float64}.get(network.classes.dtype.kind, network.classes.dtype)
        yield "classes", network.classes.astype(wide)


def narrowest(integers, types=SIGNED):
    """The integers in the smallest type that holds all of them."""
    return next(
        integers.astype(kind)
        for kind in types
        if np.iinfo(kind).min <= integers.min() and integers.max() <= np.iinfo(kind).max
    )


def row_dtype(network):
    """The dtype of positions in a member's table of a hidden layer's weights, of which there is one at least."""
    largest = max((n_inputs + 1) * -(-n_units // 32) for n_inputs, n_units in pairwise(network.layer_sizes[:-1]))
    return np.dtype(np.uint16 if largest <= 2**16 else np.uint32)


def words_of(bits):
    """Bits along the last axis in words of 32, bit j of word i is entry ``32 * i + j``."""
    padding = [(0, 0)] * (bits.ndim - 1) + [(0, -bits.shape[-1] % 32)]
    octets = np.packbits(np.ascontiguousarray(np.pad(bits, padding)), axis=-1, bitorder="little")
    return np.ascontiguousarray(octets).view("<u4").astype(np.uint32)


def n_planes(network):
    """Bits of the counts in hidden layers; five at least, as sixteen rows are added at a time."""
    return max(5, int(2 * max(network.layer_sizes[:-2], default=0) + 1).bit_length())


def threshold_planes(weights, limits, n):
    """What counts are compared with, (n_members, 2, n_groups, n) uint32: bit p of 32 units is one word.

    ``skbnn.export.c_layers`` derives the two thresholds, for the inputs that are 1 and for those that are 0.
    """
    n_members, n_units, n_inputs = weights.shape
    padded = -(-n_units // 32) * 32
    ones = np.zeros((n_members, padded), np.int64)
    ones[:, :n_units] = (weights > 0).sum(axis=2)
    most = np.full_like(ones, -1)
    most[:, :n_units] = np.clip(limits[:, :n_units], -1, n_inputs)  # beyond, a unit is constant as well
    both = np.stack([ones - most + n_inputs, most + ones + 1], axis=1)
    planes = words_of((both[..., np.newaxis, :] >> np.arange(n)[:, np.newaxis] & 1).astype(bool))
    return planes.swapaxes(2, 3)


def encoding_tables(network, dtype):
    """Thresholds of features and of components, as keys of the dtype; and how many there are."""
    n_features, offsets = network.n_features_in, network.offsets
    counts, first = np.diff(offsets), offsets[network.n_features_in]
    if first:
        yield "thresholds", feature_keys(network, dtype)
    of_features, kinds = counts[:n_features], kinds_of(network, dtype)
    is_image = of_features.max() == 1 and not of_features.all() and not network.steps.size and not kinds.any()
    if first and is_image:
        skips = np.diff(np.flatnonzero(of_features), prepend=0)
        yield "skips", narrowest(skips, UNSIGNED)
    elif first and (of_features != of_features[0]).any():
        yield "counts", narrowest(of_features, UNSIGNED)
    if first and kinds.any():
        yield "kinds", kinds
    if dtype.kind == "f" and (len(network.components) or network.slopes.size):
        yield "fills", find_fills(network.thresholds, offsets, network.nominal).view(np.uint64)
    if first == offsets[-1]:
        return
    yield "component_counts", narrowest(counts[n_features:], UNSIGNED)
    if dtype.kind == "f":
        yield "components", network.components
        yield "component_thresholds", float_keys(network.thresholds[first:], np.int64)
        return
    coefficients, keys = zip(
        *(integer_component(network, k, dtype) for k in range(len(network.components))), strict=True
    )
    yield "components", narrowest(np.array(coefficients))
    yield "component_thresholds", np.concatenate(keys)


def feature_keys(network, dtype):
    """The features' thresholds as integers: of an integer x, ``x >= t`` is the same as ``x >= ceil(t)``.

    Every integer reaches -inf, and of categories every code, which are at least 0.
    """
    thresholds = network.thresholds[: network.offsets[network.n_features_in]]
    if dtype.kind == "f":
        return float_keys(thresholds, key_of_float(network, dtype))
    whole = np.ceil(thresholds)
    lowest, highest = np.iinfo(dtype).min, np.iinfo(dtype).max
    features = np.repeat(np.arange(network.n_features_in), np.diff(network.offsets)[: network.n_features_in])
    is_code = kinds_of(network, dtype)[features] > 0
    most = highest - (is_code & (dtype.kind == "u"))  # the largest stands for NaN
    check_codes(network, dtype)
    for beyond in np.flatnonzero((whole > PRESENT) & (whole <= lowest) & ~is_code | (whole > most)):
        raise ValueError(
            f"threshold {thresholds[beyond]:g} of {feature_name(network, features[beyond])} tells no values of "
            f"dtype {dtype} apart, which are from {lowest} to {highest}; the model was fitted to other numbers"
        )
    merged = (
        (features[1:] == features[:-1]) & ~is_code[1:] & (thresholds[1:] > thresholds[:-1]) & (whole[1:] == whole[:-1])
    )
    for at in np.flatnonzero(merged):
        raise ValueError(
            f"dtype {dtype} can't tell thresholds {thresholds[at]:g} and {thresholds[at + 1]:g} of "
            f"{feature_name(network, features[at])} apart; the model was fitted to fractions, so use a float dtype"
        )
    mixed = np.uint8, np.int8, np.int16, np.uint16, np.int32  # all of which C compares with an int32_t as they are
    keys = np.maximum(whole, np.where(is_code, 0, lowest)).astype(np.int64)
    return narrowest(keys, UNSIGNED if dtype.kind == "u" else mixed)


def kinds_of(network, dtype):
    """What features are, as COMMENTS has it, (n_features,); in floats, which have NaN, an order is one of numbers."""
    kinds = network.nominal.astype(np.int64)
    if network.categories is not None and dtype.kind != "f":
        fills = find_fills(network.thresholds, network.offsets, network.nominal)
        for feature in np.flatnonzero([labels is not None for labels in network.categories] & ~network.nominal):
            thresholds = network.thresholds[slice(*network.offsets[feature : feature + 2])]
            kinds[feature] = 2 + (thresholds <= fills[feature]).sum()
    return narrowest(kinds, UNSIGNED)


def check_codes(network, dtype):
    """Raise ValueError if a feature has more categories than integers of the dtype have codes."""
    most = np.iinfo(dtype).max + (dtype.kind == "i")
    for feature, labels in enumerate(network.categories or ()):
        if len(labels or ()) > most:
            raise ValueError(
                f"{feature_name(network, feature)} has {len(labels)} categories, and dtype {dtype} {most} codes at most"
            )


def key_of_float(network, dtype):
    """The dtype of floats' keys: int64 of float64, and of float32 where a missing value lies between float32s.

    That is where a feature's middle threshold, which a missing value reaches, and a higher one are the same of float32.
    """
    if dtype.itemsize == 8:
        return np.int64
    fills = find_fills(network.thresholds, network.offsets, network.nominal)
    counts = np.diff(network.offsets)[: network.n_features_in]
    thresholds = network.thresholds[: counts.sum()]
    between = thresholds > np.repeat(fills, counts)
    same = float_keys(thresholds, np.int32) == np.repeat(float_keys(fills, np.int32), counts)
    return np.int64 if (between & same).any() else np.int32


def feature_name(network, feature):
    """What to call a feature in a message."""
    return f"feature {feature if network.feature_names is None else repr(network.feature_names[feature])}"


def float_keys(thresholds, integer):
    """Integers that are ordered as floats of their size are: those of the smallest floats that are not below."""
    kind = np.float32 if integer is np.int32 else np.float64
    with np.errstate(over="ignore"):
        floats = thresholds.astype(kind)
        floats = np.where(floats < thresholds, np.nextafter(floats, kind(np.inf)), floats)
    bits = np.where(floats == 0, kind(-0.0), floats).astype(kind).view(integer)  # -0.0 reaches 0 as well
    return np.where(bits < 0, bits ^ np.iinfo(integer).max, bits)


def integer_and_exponent(value):
    """A float as ``integer * 2**exponent``, the integer odd or 0."""
    numerator, denominator = float(value).as_integer_ratio()
    if not numerator:
        return 0, 0
    zeros = (numerator & -numerator).bit_length() - 1
    return numerator >> zeros, zeros - (denominator.bit_length() - 1)


def integer_component(network, k, dtype):
    """Coefficients and thresholds of component k in units of one power of two, so that sums are exact integers.

    Raises ValueError if a sum could be beyond what float64 holds exactly: there the package's own sums are rounded.
    """
    first = network.n_features_in + k
    coefficients = [integer_and_exponent(value) for value in network.components[k]]
    unit = min((exponent for integer, exponent in coefficients if integer), default=0)
    whole = [integer << exponent - unit if integer else 0 for integer, exponent in coefficients]
    largest = max(-int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)) * sum(map(abs, whole))
    if largest >= EXACT or largest.bit_length() + unit > LARGEST_EXPONENT:
        raise ValueError(
            f"component {k}, a combination of features, needs {largest.bit_length()} bits where these can be anything "
            f"of dtype {dtype}, and 53 are exact; use a narrower dtype, a float's, or fit with n_components=0"
        )
    thresholds = network.thresholds[network.offsets[first] : network.offsets[first + 1]]
    keys = [EXACT if math.isinf(t) else math.ceil(Fraction(t) / Fraction(2) ** unit) for t in thresholds.tolist()]
    return whole, np.array([min(max(key, -EXACT), EXACT) for key in keys], np.int64)


def line_tables(network, dtype):
    """Slopes and ranges, by feature; for integers in fixed point: ``(slope * rise) >> shift``."""
    if dtype.kind == "f":
        yield "slopes", np.ascontiguousarray(network.slopes.T)
        yield "ranges", network.ranges
        return
    slopes, shifts = np.zeros((2, network.n_features_in, len(network.bias)), np.int64)
    ranges = np.zeros_like(network.ranges, np.int64)
    for feature in np.flatnonzero(network.slopes.any(axis=0)):
        lower, upper = ranges[:, feature] = checked_range(network, feature, dtype)
        for output in np.flatnonzero(network.slopes[:, feature] if upper > lower else []):
            integer, exponent = integer_and_exponent(network.slopes[output, feature])
            if abs(integer) * int(upper - lower) >= EXACT:
                raise ValueError(
                    f"the slope of {feature_name(network, feature)} times its range needs more than 53 bits; "
                    'use a float dtype or fit with init="constant"'
                )
            slopes[feature, output], shifts[feature, output] = integer << max(exponent, 0), min(max(-exponent, 0), 63)
    yield "slopes", narrowest(slopes)
    yield "shifts", shifts.astype(np.uint8)
    yield "ranges", narrowest(ranges)


def checked_range(network, feature, dtype):
    """Lower and upper end of a line as integers; ValueError if they are not of the dtype."""
    lower, upper = network.ranges[:, feature].tolist()
    limits = np.iinfo(dtype)
    if not (lower.is_integer() and upper.is_integer() and limits.min <= lower and upper <= limits.max):
        raise ValueError(
            f"{feature_name(network, feature)} was fitted to values from {lower:g} to {upper:g}, which are not of "
            f'dtype {dtype}; use a float dtype or fit with init="constant"'
        )
    return int(lower), int(upper)
