"""The slow truth: a NumPy twin of every kernel and of the whole packed network. Tests compare them bit for bit."""

import numpy as np

from skbnn.packed.layout import pack_bits, unpack_bits


def popcounts(x, packed_weights, mask=None):
    """Twin of ``layer_popcounts``: ``popcount((x ^ w) & mask)``, (n_rows, 8 * n_groups) int32."""
    units = packed_weights.swapaxes(1, 2).reshape(-1, packed_weights.shape[1])
    differ = x[:, np.newaxis] ^ units
    if mask is not None:
        differ &= mask[:, np.newaxis]
    octets = np.ascontiguousarray(differ).view(np.uint8)
    return np.unpackbits(octets, axis=2).sum(axis=2, dtype=np.int32)


def fires(x, packed_weights, thresholds):
    """Twin of ``layer_fires``: the packed bits ``popcount(x ^ w) <= threshold``."""
    return pack_bits(popcounts(x, packed_weights) <= thresholds)


def encode(X, thresholds, offsets, components, nominal=()):
    """Twin of ``Encoder.encode``: bit j is ``columns[:, column_of_bit[j]] >= thresholds[j]``.

    Of a nominal feature, it also says that the next threshold is not reached.
    """
    X = filled(X, thresholds, offsets, nominal)
    projected = np.zeros((len(X), len(components)))
    largest = np.finfo(np.float64).max
    with np.errstate(over="ignore", invalid="ignore"):
        for feature, coefficients in zip(X.T, components.T, strict=True):
            finite = np.clip(np.nan_to_num(feature, nan=0), -largest, largest)
            projected += finite[:, np.newaxis] * coefficients
    projected = np.clip(np.nan_to_num(projected, nan=-largest), -largest, largest)
    column_of_bit = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    bits = np.hstack([X, projected])[:, column_of_bit] >= thresholds
    for feature in np.flatnonzero(nominal):
        reached = bits[:, offsets[feature] : offsets[feature + 1]]
        reached[:, :-1] &= ~reached[:, 1:].copy()
    return pack_bits(bits)


def filled(X, thresholds, offsets, nominal):
    """X where a missing value of a feature without a bit for it is the middle one of its thresholds; float64."""
    X = np.array(X, np.float64)
    for feature, column in enumerate(X.T):
        of_feature = thresholds[offsets[feature] : offsets[feature + 1]]
        if not len(of_feature):
            column[np.isnan(column)] = 0
        elif of_feature[0] > -np.inf and feature not in np.flatnonzero(nominal):
            column[np.isnan(column)] = of_feature[len(of_feature) // 2]
    return X


def integer_scores(network, X):
    """Twin of ``PackedNetwork.integer_scores``, in ±1 integers rather than in bits."""
    encoding = network.thresholds, network.offsets
    bits = encode(X, *encoding, network.components, network.nominal)
    X = filled(X, *encoding, network.nominal)
    inputs = unpack_bits(bits, network.layer_sizes[0]).astype(np.int64)
    total = np.repeat(network.bias[np.newaxis].astype(np.int64), len(inputs), axis=0)
    if network.steps.size:
        total += (inputs > 0) @ network.steps.T.astype(np.int64)
    for x, slopes, (lower, upper) in zip(X.T, network.slopes.T, network.ranges.T, strict=False):
        rises = np.nan_to_num(np.clip(x, lower, upper), nan=lower) - lower
        total += (slopes * rises[:, np.newaxis]).astype(np.int64)
    *hidden, output = network.binary_weights
    for member, scale in enumerate(network.scale):
        x = inputs
        for weights, (_, thresholds) in zip(hidden, network.layers, strict=True):
            m = (weights.shape[2] - x @ weights[member].T) // 2
            x = np.where(m <= thresholds[member, : weights.shape[1]], 1, -1)
        dots = (x @ output[member].T).reshape(len(x), *scale.shape)
        total += (scale * dots).sum(axis=2)
    return total
