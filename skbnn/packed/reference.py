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


def encode(X, thresholds, offsets, components):
    """Twin of ``Encoder.encode``: bit j is ``columns[:, column_of_bit[j]] >= thresholds[j]``."""
    X = np.asarray(X, np.float64)
    projected = np.zeros((len(X), len(components)))
    with np.errstate(over="ignore", invalid="ignore"):
        for feature, coefficients in zip(X.T, components.T, strict=True):
            projected += feature[:, np.newaxis] * coefficients
    largest = np.finfo(np.float64).max
    projected = np.clip(np.nan_to_num(projected, nan=-largest), -largest, largest)
    column_of_bit = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return pack_bits(np.hstack([X, projected])[:, column_of_bit] >= thresholds)


def integer_scores(network, X):
    """Twin of ``PackedNetwork.integer_scores``, in ±1 integers rather than in bits."""
    X = np.asarray(X)
    bits = encode(X, network.thresholds, network.offsets, network.components)
    inputs = unpack_bits(bits, network.layer_sizes[0]).astype(np.int64)
    total = np.repeat(network.bias[np.newaxis].astype(np.int64), len(inputs), axis=0)
    if network.steps.size:
        total += (inputs > 0) @ network.steps.T.astype(np.int64)
    for x, slopes, (lower, upper) in zip(X.T, network.slopes.T, network.ranges.T, strict=False):
        total += (slopes * (np.clip(x.astype(np.float64), lower, upper) - lower)[:, np.newaxis]).astype(np.int64)
    *hidden, output = network.binary_weights
    for member, scale in enumerate(network.scale):
        x = inputs
        for weights, (_, thresholds) in zip(hidden, network.layers, strict=True):
            m = (weights.shape[2] - x @ weights[member].T) // 2
            x = np.where(m <= thresholds[member, : weights.shape[1]], 1, -1)
        dots = (x @ output[member].T).reshape(len(x), *scale.shape)
        total += (scale * dots).sum(axis=2)
    return total
