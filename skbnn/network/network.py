"""The trainable network as plain arrays."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass
class Layer:
    """Parameters and statistics of one layer of ±1 units with batch norm.

    Attributes
    ----------
    latent_weights : ndarray of shape (n_units, n_inputs), float32
        Their sign is the binary weights.
    gain, bias : ndarray of shape (n_units,), float32
        Batch norm's learnt scale and shift.
    mean, variance : ndarray of shape (n_units,), float64
        Batch norm's statistics for prediction, of the integer dot products.
    """

    latent_weights: np.ndarray
    gain: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    @property
    def parameters(self):
        """The arrays that training changes."""
        return self.latent_weights, self.gain, self.bias


@dataclass
class BinaryNetwork:
    """Layers of ±1 units between packed inputs and real scores.

    A hidden unit's activation is the sign of its batch-normalized dot product; the score of an output is the sum of
    its ``units_per_output`` batch-normalized dot products.

    Attributes
    ----------
    layers : list of Layer
        Hidden layers, then the output layer.
    n_outputs : int
    """

    layers: list
    n_outputs: int

    @property
    def units_per_output(self):
        """Units that add up to one score."""
        return len(self.layers[-1].gain) // self.n_outputs

    @property
    def layer_sizes(self):
        """Number of inputs, then of units of each layer."""
        return [self.layers[0].latent_weights.shape[1], *(len(layer.gain) for layer in self.layers)]

    @classmethod
    def initialize(cls, layer_sizes, n_outputs, *, output_gain, spreads, rng):
        """Draw a layer's latent weights from uniform(-spread, spread).

        Parameters
        ----------
        layer_sizes : sequence of int
            Input bits, then units of each layer; the output layer's are a multiple of ``n_outputs``.
        n_outputs : int
        output_gain : float
            Initial standard deviation of the scores, were the output units independent.
        spreads : sequence of float
            Largest absolute value of an initial latent weight, of each layer.
        rng : numpy.random.Generator

        Returns
        -------
        BinaryNetwork
        """
        layers = [
            Layer(
                latent_weights=rng.uniform(-spread, spread, (n_units, fan_in)).astype(np.float32),
                gain=np.ones(n_units, np.float32),
                bias=np.zeros(n_units, np.float32),
                mean=np.zeros(n_units),
                variance=np.full(n_units, float(fan_in)),
            )
            for (fan_in, n_units), spread in zip(pairwise(layer_sizes), spreads, strict=True)
        ]
        network = cls(layers, n_outputs)
        layers[-1].gain[:] = output_gain / np.sqrt(network.units_per_output)
        return network
