"""Turns a trained network into a packed one: batch norm and sign become an integer comparison, scores integers."""

import numpy as np

from skbnn.kernels._layer import fires, popcounts
from skbnn.packed import PackedNetwork
from skbnn.packed.additive_part import AdditivePart
from skbnn.packed.fixed_point import to_fixed_point
from skbnn.packed.layout import pack_members, pack_weights

# Keeps a unit whose input never varies finite; dot products are integers, so it matters for no other.
EPSILON = 1e-5

BLOCK = 4096  # rows; bounds the memory of the estimation


def fold_layer(layer):
    """Weights and integer thresholds of a hidden layer.

    With ``m = popcount(x ^ w)``, a unit's dot product is ``n_inputs - 2 * m``, and the unit fires when
    ``gain * (dot - mean) / std + bias >= 0``, evaluated in float64. That is monotone in m, rounding included, so
    there is one threshold with ``fires == (m <= threshold)``; it is found by bisection of the very expression.
    Where the gain is negative the weights are flipped, which turns m into ``n_inputs - m``.

    Parameters
    ----------
    layer : skbnn.network.network.Layer

    Returns
    -------
    binary_weights : ndarray of shape (n_units, n_inputs), int8
        +1 or -1.
    thresholds : ndarray of shape (n_units,), int32
        From -1, never fires, to ``n_inputs``, always fires.

    References
    ----------
    Umuroglu et al., "FINN: A Framework for Fast, Scalable Binarized Neural Network Inference", 2017.
    """
    n_units, n_inputs = layer.latent_weights.shape
    flipped = layer.gain < 0
    below = np.full(n_units, -1)  # fires here, as far as m reaches down
    above = np.full(n_units, n_inputs + 1)  # does not fire here
    while (above - below > 1).any():
        middle = (below + above) // 2
        m = np.where(flipped, n_inputs - middle, middle)
        fired = batch_norm(layer, n_inputs - 2 * m) >= 0
        below, above = np.where(fired, middle, below), np.where(fired, above, middle)
    positive = (layer.latent_weights >= 0) != flipped[:, np.newaxis]
    return 2 * positive.view(np.int8) - 1, below.astype(np.int32)


def batch_norm(layer, dots):
    """The layer's batch norm of dot products, (..., n_units), in float64, by the statistics for prediction."""
    std = np.sqrt(layer.variance + EPSILON)
    return layer.gain.astype(np.float64) * ((dots - layer.mean) / std) + layer.bias


def fold(networks, encoding, additive, *, output, factor=1.0):
    """Pack networks of one shape, the mean of whose scores counts, with the encoding of their input.

    Parameters
    ----------
    networks : list of BinaryNetwork
    encoding : skbnn.encoding.Encoding
    additive : AdditivePart
        Added to the networks' scores.
    output : {"identity", "logistic", "softmax"}
        What the scores mean.
    factor : float or ndarray of shape (n_outputs,), default=1.0
        Of the networks' scores.

    Returns
    -------
    PackedNetwork
    """
    sizes = networks[0].layer_sizes
    scales, biases = zip(*(fold_output(network) for network in networks), strict=True)
    scale = np.stack(scales) * np.reshape(factor, (-1, 1)) / len(networks)
    additive = additive._replace(constant=np.mean(biases, axis=0) * factor + additive.constant)
    integers, scale, unit = to_fixed_point(additive, encoding.offsets, encoding.nominal, scale, sizes[-2], output)
    return PackedNetwork(
        **encoding._asdict(),
        layers=[pack_layers(layers) for layers in zip(*(network.layers[:-1] for network in networks), strict=True)],
        output_weights=pack_members([network.layers[-1].latent_weights >= 0 for network in networks]),
        layer_sizes=sizes,
        scale=scale,
        bias=integers.constant,
        factor=unit,
        output=output,
        steps=integers.steps,
        slopes=integers.slopes,
        ranges=integers.ranges,
    )


def network_scores(networks, encoding, bits):
    """What the mean of networks says of packed rows, (n_rows, n_outputs) float64, in their own unit."""
    nothing = AdditivePart.of_constant(np.zeros(networks[0].n_outputs))
    return fold(networks, encoding, nothing, output="identity").decision_function_from_bits(bits)


def fold_output(network):
    """Scale of the output units' dot products, (n_outputs, units_per_output), and bias of the scores, (n_outputs,)."""
    last = network.layers[-1]
    # A unit that never varied has said nothing so far; let it say nothing about other rows either.
    scale = np.where(last.variance > 0, last.gain / np.sqrt(last.variance + EPSILON), 0)
    shape = network.n_outputs, network.units_per_output
    return scale.reshape(shape), (last.bias - scale * last.mean).reshape(shape).sum(axis=1)


def pack_layers(members):
    """Packed weights and thresholds of a hidden layer of all members, as PackedNetwork takes them."""
    weights, thresholds = zip(*map(pack_layer, members), strict=True)
    return np.stack(weights), np.stack(thresholds)


def pack_layer(layer):
    """``fold_layer`` in the packed layout, padding units never firing."""
    binary_weights, thresholds = fold_layer(layer)
    padding = -len(thresholds) % 8
    return pack_weights(binary_weights), np.pad(thresholds, (0, padding), constant_values=-1)


def estimate_statistics(network, bits, sample_weight, *, rows=None, momentum=1.0):
    """Set every batch norm's mean and variance to those that rows have in the packed network, layer by layer.

    Parameters
    ----------
    network : BinaryNetwork
        Its statistics are changed in place.
    bits : ndarray of shape (n_rows, n_words), uint64
        Packed rows.
    sample_weight : ndarray of shape (n_rows,)
    rows : ndarray of int, default=None
        Those to look at, without a copy of their bits; None is all.
    momentum : float, default=1.0
        Share of the new statistics; the rest stays with the old ones.
    """
    sample_weight = sample_weight if rows is None else sample_weight[rows]
    for depth, layer in enumerate(network.layers, 1):
        means = mean_dots(network.layers[:depth], bits, sample_weight, rows)
        set_statistics(layer, *means, momentum=momentum)


def mean_dots(layers, bits, sample_weight, rows=None):
    """Means of the last layer's dot products, and of their squares, (n_units,) each, by the rows' weights.

    Activations of all rows are never kept: they would take about as much memory as the input's bits. Each block of rows
    goes through the layers below again, which costs little beside the sums.
    """
    *below, last = layers
    n_units, n_inputs = last.latent_weights.shape
    below, weights = [pack_layer(layer) for layer in below], pack_weights(last.latent_weights >= 0)
    mean, square = np.zeros((2, n_units))
    dots = np.empty((min(len(sample_weight), BLOCK), n_units))
    for start in range(0, len(sample_weight), BLOCK):
        block = slice(start, start + BLOCK)
        inputs = bits[block if rows is None else rows[block]]
        for layer in below:
            inputs = fires(inputs, *layer)
        values = np.multiply(-2.0, popcounts(inputs, weights)[:, :n_units], out=dots[: len(inputs)])
        values += n_inputs
        mean += sample_weight[block] @ values
        values *= values
        square += sample_weight[block] @ values
    total = sample_weight.sum()
    return mean / total, square / total


def set_statistics(layer, mean, square, *, momentum=1.0):
    """Set batch norm's mean and variance by means of dot products and of their squares."""
    layer.mean += momentum * (mean - layer.mean)
    layer.variance += momentum * (np.maximum(square - mean * mean, 0) - layer.variance)
