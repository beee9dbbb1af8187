"""Folding is exact: every unit decides by its integer threshold as batch norm and sign do in float64."""

import tracemalloc

import numpy as np
import pytest

from skbnn.encoding import Encoding
from skbnn.folding import BLOCK, batch_norm, estimate_statistics, fold, fold_layer, pack_layer
from skbnn.network.network import BinaryNetwork, Layer
from skbnn.packed.additive_part import AdditivePart
from skbnn.packed.layout import pack_bits, unpack_bits


def layer_of(n_inputs, gain, bias, mean, variance, seed=0):
    n_units = len(gain)
    latent = np.random.default_rng(seed).normal(size=(n_units, n_inputs)).astype(np.float32)
    return Layer(
        latent, np.float32(gain), np.float32(bias), np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    )


def random_layer(n_inputs, n_units=200, seed=0):
    rng = np.random.default_rng(seed)
    gain = rng.normal(size=n_units) * rng.choice([1e-6, 1, 1e6], n_units)
    gain[:5] = 0, -0.0, 1e-38, -1e-38, 1e30
    return layer_of(
        n_inputs,
        gain,
        bias=rng.normal(size=n_units) * rng.choice([0, 1, 1e3], n_units),
        mean=rng.integers(-n_inputs, n_inputs + 1, n_units) + rng.choice([0, 0.5, 1e-12], n_units),
        variance=rng.choice([0, 1e-8, 1, n_inputs], n_units),
    )


def assert_exact(layer):
    """Compare both decisions for every popcount that can occur."""
    n_inputs = layer.latent_weights.shape[1]
    _, thresholds = fold_layer(layer)
    m = np.arange(n_inputs + 1)[:, np.newaxis]  # with the weights as they are
    expected = batch_norm(layer, n_inputs - 2 * m) >= 0
    popcount = np.where(layer.gain < 0, n_inputs - m, m)  # with flipped weights
    np.testing.assert_array_equal(popcount <= thresholds, expected)


@pytest.mark.parametrize("n_inputs", [1, 2, 63, 64, 65, 127, 128, 129, 784, 1000])
def test_every_popcount_decides_as_float64_does(n_inputs):
    assert_exact(random_layer(n_inputs, seed=n_inputs))


def test_a_tie_fires():
    layer = layer_of(4, gain=[1, -1, 3], bias=[0, 0, 0], mean=[0, 0, 2], variance=[1, 1, 1])
    assert_exact(layer)
    assert fold_layer(layer)[1].tolist() == [2, 2, 1]


@pytest.mark.parametrize("bias, threshold", [(1, 10), (-1, -1), (0, 10)])
def test_without_gain_the_bias_decides(bias, threshold):
    layer = layer_of(10, gain=[0], bias=[bias], mean=[3], variance=[2])
    assert_exact(layer)
    assert fold_layer(layer)[1] == threshold


def test_a_negative_gain_flips_the_weights():
    layer = layer_of(10, gain=[1, -1], bias=[0, 0], mean=[0, 0], variance=[1, 1])
    weights, _ = fold_layer(layer)
    signs = np.where(layer.latent_weights >= 0, 1, -1)
    np.testing.assert_array_equal(weights, signs * [[1], [-1]])


def test_padding_units_never_fire():
    packed_weights, thresholds = pack_layer(random_layer(70, n_units=13))
    assert packed_weights.shape == (2, 2, 8)
    assert (thresholds[13:] == -1).all()


ENCODING = Encoding.from_columns(list(np.zeros((70, 1))), np.empty((0, 70)))


def small_network(seed=0):
    rng = np.random.default_rng(seed)
    network = BinaryNetwork.initialize([70, 20, 9, 6], 2, output_gain=1.5, spreads=[0.1] * 3, rng=rng)
    for layer in network.layers:
        layer.gain[:] = rng.normal(size=len(layer.gain))
        layer.bias[:] = rng.normal(size=len(layer.bias))
    return network, rng.choice([-1, 1], (500, 70)), rng.integers(1, 4, 500).astype(float)


def float_scores(network, x, sample_weight=None):
    """Scores in float64; sets the statistics to those of the rows if they come with weights."""
    for layer in network.layers:
        dots = x @ np.where(layer.latent_weights >= 0, 1, -1).T
        if sample_weight is not None:
            layer.mean[:] = np.average(dots, axis=0, weights=sample_weight)
            layer.variance[:] = np.average((dots - layer.mean) ** 2, axis=0, weights=sample_weight)
        z = batch_norm(layer, dots)
        x = np.where(z >= 0, 1, -1)
    return z.reshape(len(z), network.n_outputs, -1).sum(axis=2)


def test_statistics_are_the_weighted_ones_of_the_packed_network():
    network, x, sample_weight = small_network()
    expected, _, _ = small_network()
    float_scores(expected, x, sample_weight)
    estimate_statistics(network, pack_bits(x), sample_weight)
    for layer, reference in zip(network.layers, expected.layers, strict=True):
        np.testing.assert_allclose(layer.mean, reference.mean, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(layer.variance, reference.variance, rtol=1e-9)


def test_momentum_is_the_share_of_the_new_statistics():
    network, x, sample_weight = small_network()
    full, _, _ = small_network()
    before = network.layers[0].mean.copy()
    estimate_statistics(network, pack_bits(x), sample_weight, momentum=0.25)
    estimate_statistics(full, pack_bits(x), sample_weight)
    np.testing.assert_allclose(network.layers[0].mean, 0.75 * before + 0.25 * full.layers[0].mean)


def test_statistics_of_more_rows_take_no_more_memory():
    network, peaks = small_network()[0], []
    for n_rows in 2 * BLOCK, 64 * BLOCK:
        bits, sample_weight = np.zeros((n_rows, 2), np.uint64), np.ones(n_rows)
        tracemalloc.start()
        estimate_statistics(network, bits, sample_weight)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def assert_within_the_grid(packed, scores, expected, times=1):
    """No score is off by more than doc/arithmetic.rst says, or so many times that."""
    n_members, _, units_per_output = packed.scale.shape
    n_rounded = 1 + len(packed.offsets) - 1 + n_members * units_per_output * packed.layer_sizes[-2]
    most = packed.factor * n_rounded / 2
    if packed.slopes.size:
        most = most + packed.factor * packed.n_features_in  # cut off
        most = most + packed.factor * np.abs(packed.slopes) @ (packed.ranges[1] - packed.ranges[0]) * 2.0**-24
    assert (np.abs(scores - expected) <= times * most + 1e-12 * np.abs(expected)).all()
    assert len(np.unique(scores)) > 10


def test_the_packed_network_scores_as_the_float_one():
    network, x, sample_weight = small_network()
    estimate_statistics(network, pack_bits(x), sample_weight)
    scale, mean = np.array([10.0, 0.1]), np.array([3.0, -4.0])
    packed = fold([network], ENCODING, AdditivePart.of_constant(mean), output="identity", factor=scale)
    expected = float_scores(network, x) * scale + mean
    assert_within_the_grid(packed, packed.decision_function_from_bits(pack_bits(x)), expected)
    np.testing.assert_array_equal(packed.decision_function(x), packed.decision_function_from_bits(pack_bits(x)))
    np.testing.assert_array_equal(unpack_bits(pack_bits(x), 70), x)


def test_several_packed_networks_score_their_mean():
    networks, x = [], None
    for seed in range(3):
        network, x, sample_weight = small_network(seed)
        estimate_statistics(network, pack_bits(x), sample_weight)
        networks.append(network)
    bits = pack_bits(np.random.default_rng(9).choice([-1, 1], size=(50, 70)))
    options = {
        "additive": AdditivePart.of_constant(np.full(2, 3.0)),
        "output": "identity",
        "factor": np.array([10.0, 0.1]),
    }
    alone = [fold([network], ENCODING, **options).decision_function_from_bits(bits) for network in networks]
    together = fold(networks, ENCODING, **options).decision_function_from_bits(bits)
    assert_within_the_grid(fold(networks, ENCODING, **options), together, np.mean(alone, axis=0), times=2)
