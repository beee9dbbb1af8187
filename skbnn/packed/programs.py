"""The native programs that a packed network predicts by: its arrays as the machine reads them fastest."""

import numpy as np

from skbnn.encoding import Encoder
from skbnn.encoding.columns import find_runs
from skbnn.packed._program import Program
from skbnn.packed._steps import sums_in_columns
from skbnn.packed.layout import pack_bits, spread_inputs

# Bytes that may be copied of what the input bits have, as a copy of mapped weights is not shared among processes, and
# that bits for features without one may add where that more than doubles the weights.
COPIED, ADDED = 2**20, 2**17


def compile_programs(network):
    """The Program that scores a PackedNetwork's rows, and the one that scores rows that are encoded already."""
    sums, ends = sums_of_steps(network)
    encoder = Encoder(network.thresholds, network.offsets, network.components, network.nominal)
    program = of_bits = compile_program(network, encoder, all_weights(network), sums, ends)
    if is_nearly_one_bit_each(network, sums):
        program = compile_program(network, *with_one_bit_each(network, sums))
    return program, of_bits


def all_weights(network):
    """Packed weights of each layer, the output's last."""
    return [*(weights for weights, _ in network.layers), network.output_weights]


def compile_program(network, encoder, layers_weights, sums, ends):
    """The Program on this encoding, packed weights and what ``sums_of_steps`` returns."""
    *hidden, last = layers_weights
    limits = (limits for _, limits in network.layers)
    layers = list(zip(hidden, limits, strict=True))
    scale = network.scale.astype(np.float64)
    at_no_popcount = network.bias + network.layer_sizes[-2] * scale.sum(axis=(0, 2))  # dot = fan_in - 2 * popcount
    firsts_and_lasts = np.concatenate([pack_bits(ends[np.newaxis, :-1]), pack_bits(ends[np.newaxis, 1:])])
    additive = sums, firsts_and_lasts, np.ascontiguousarray(network.slopes.T), network.ranges
    narrow = network.bias.dtype == np.int32
    return Program(encoder, layers, last, -2 * scale, at_no_popcount, *additive, narrow)


def sums_of_steps(network):
    """Sums of steps within runs of bits; and whether a run begins with each bit, or ends before it."""
    if not network.steps.size:
        return np.empty((0, len(network.bias))), np.zeros(1, bool)
    runs = find_runs(network.offsets, network.nominal)
    ends = np.zeros(len(network.thresholds) + 1, bool)
    ends[runs] = True
    return sums_in_columns(network.steps, runs), ends


def is_nearly_one_bit_each(network, sums):
    """Whether some features have no bit, the others one, and the missing bits are worth their memory."""
    n_bits, weights = network.layer_sizes[0], all_weights(network)[0]
    n_missing = network.n_features_in - n_bits
    if len(network.components) or network.nominal.any() or n_missing <= 0:
        return False
    of_each = weights.nbytes // (64 * weights.shape[2]) + sums.nbytes // n_bits + 16  # of thresholds and offsets
    worth_it = n_bits * of_each <= COPIED and n_missing * of_each <= max(weights.nbytes, ADDED)
    return worth_it and bool((np.diff(network.offsets) <= 1).all())


def with_one_bit_each(network, sums):
    """Encoder, weights, sums and ends of the network where a feature without a bit gets one that never fires.

    No weight looks at it. Then bits lie as the features do, and a row is compared as it lies there instead of feature
    by feature.
    """
    n_features, used = network.n_features_in, np.flatnonzero(np.diff(network.offsets))
    thresholds = np.full(n_features, np.nan)
    thresholds[used] = network.thresholds
    first, *others = all_weights(network)
    first = spread_inputs(first, used, n_features)
    if len(sums):
        spread = np.zeros((n_features, len(network.bias)))
        spread[used] = sums
        sums = spread
    ends = np.ones(len(sums) + 1, bool)
    return Encoder(thresholds, np.arange(n_features + 1, dtype=np.int32)), [first, *others], sums, ends
