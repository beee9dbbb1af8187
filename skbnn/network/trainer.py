"""Trains a BinaryNetwork on packed rows."""

from copy import copy, deepcopy
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from skbnn.kernels._dispatch import has_int8_products
from skbnn.network._batch_norm import BatchNorm
from skbnn.network._binarize import ApproxSign, ClippedIdentity, SwishSign
from skbnn.network._dense import BinaryDense
from skbnn.network._layers import Dropout, HiddenLayer, OutputLayer
from skbnn.network._losses import (
    AbsoluteError,
    Huber,
    LogisticLogLoss,
    OneVsRestSquaredHinge,
    SoftmaxLogLoss,
    SquaredError,
    SquaredHinge,
)
from skbnn.network._optimizers import SGD, Adam, Bop
from skbnn.network._random import RandomBits
from skbnn.network._step import TrainingStep

SURROGATE_GRADIENTS = {
    "approx_sign": ApproxSign,
    "clipped_identity": ClippedIdentity,
    "swish_sign": SwishSign,
}

# by name and, for the losses over labels, by whether exactly one of several classes is true
LOSSES = {
    "log_loss": LogisticLogLoss,
    "multiclass_log_loss": SoftmaxLogLoss,
    "squared_hinge": SquaredHinge,
    "multiclass_squared_hinge": OneVsRestSquaredHinge,
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
}
REGRESSION_LOSSES = "squared_error", "absolute_error", "huber"

# Latent weights start within ±0.1, times a factor of the layer, where a step of Adam flips them soon. Drawn weights are
# +1 with probability (1 + latent) / 2, so within ±0.1 they would be coin flips; they start over the whole range.
SPREADS = {"sign": 0.1, "stochastic": 1.0}


# Learning rate of batch norm's gain and bias beside that of the latent weights. Adam's steps have the size of the rate,
# SGD's that of the gradient too, which sums over many weights for a gain or a bias. Drawn weights have ten times the
# rate, as they have ten times as far to go, but a gain has not: with SGD it would diverge.
NORM_SHARES = {
    "sign": {"adam": 0.1, "sgd": 0.02},
    "stochastic": {"adam": 0.1, "sgd": 0.002},
}

# What each solver goes by beside a rate; beside Bop's weights, batch norm has Adam.
SETTINGS = {"sgd": ("momentum",)} | dict.fromkeys(("adam", "bop"), ("beta_1", "beta_2", "epsilon"))

# Multiplications of a step that are worth a thread. With fewer, threads wait for each other longer than they multiply.
WORTH_A_THREAD = 2**23


@dataclass(frozen=True)
class TrainingOptions:
    """How to train; the names and meanings are those of the estimators' parameters, but for one.

    ``int8_products`` is which of its two kinds of products the backward pass takes, which round differently; by default
    the kind of the instruction set that is in use when the options are made.
    """

    loss: str
    binarization: str = "sign"
    surrogate_gradient: str = "approx_sign"
    solver: str = "adam"
    learning_rate_init: float = 0.01
    learning_rate: str = "cosine"
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    flip_threshold: float = 1.0
    dropout: float = 0.0
    int8_products: bool = field(default_factory=has_int8_products)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What training reads of all rows.

    Attributes
    ----------
    bits : ndarray of shape (n_rows, n_words), uint64
        Packed rows.
    sample_weight : ndarray of shape (n_rows,), float64
    targets : ndarray of shape (n_rows, n_targets), float32
    offsets : ndarray of shape (n_rows, n_outputs), float32, or None
        Added to the network's scores. All rows may be one in memory.
    """

    bits: np.ndarray
    sample_weight: np.ndarray
    targets: np.ndarray
    offsets: np.ndarray | None = None

    def of(self, rows):
        """The same of some rows only."""
        parts = (None if part is None else part[rows] for part in vars(self).values())
        return TrainingData(*parts)


def are_finite(array):
    """Whether all numbers are; a sum, which needs no copy, mostly says so."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def schedule(name, progress):
    """Factor of the learning rate when ``progress``, in [0, 1), of the training is done.

    Parameters
    ----------
    name : {"cosine", "exponential", "constant"}
        Half a cosine wave from 1 to 0, a geometric fall from 1 to 1/1000, or 1.
    progress : ndarray

    Returns
    -------
    ndarray
    """
    if name == "cosine":
        return 0.5 * (1 + np.cos(np.pi * progress))
    return 1e-3**progress if name == "exponential" else np.ones_like(progress)


class Trainer:
    """Optimizes a network; keeps what a later call needs to go on: moments, random streams, the steps done.

    Parameters
    ----------
    network : BinaryNetwork
        Changed in place.
    options : TrainingOptions
    seed : int
        Of dropout and stochastic binarization.
    max_rows : int
        Rows of the largest mini-batch.
    """

    def __init__(self, network, options, *, seed, max_rows):
        self.network, self.options, self.max_rows = network, options, max_rows
        self.rng = np.random.Generator(np.random.SFC64(seed))
        self.moments = [
            [np.zeros((2, value.size), np.float32) for value in layer.parameters] for layer in network.layers
        ]
        self.n_steps = np.zeros(1, np.int64)
        self._step = None

    def __getstate__(self):
        """Everything but the native step, which is built anew on demand."""
        return {**self.__dict__, "_step": None}

    def going_on(self, options, max_rows):
        """A Trainer that goes on from this one, which stays as it is, with other options or larger mini-batches.

        Each solver's moments mean something else.
        """
        trainer = copy(self)
        own = self.network, self.rng, self.moments, self.n_steps
        trainer.network, trainer.rng, trainer.moments, trainer.n_steps = deepcopy(own)
        if options.solver != self.options.solver:
            trainer.n_steps[:] = 0
            for moments in (moments for layer in trainer.moments for moments in layer):
                moments[:] = 0
        trainer.options, trainer.max_rows = options, max_rows
        return trainer

    def train(self, data, batches, progress, n_threads=1):
        """Train on mini-batches, one after the other.

        Parameters
        ----------
        data : TrainingData
        batches : list of ndarray of int64
            Which rows make up each, ``max_rows`` at most.
        progress : ndarray of shape (n_batches,)
            Share of the training that is done before each, for the learning rate's schedule.
        n_threads : int, default=1
            Threads that may share each step; what is learnt does not depend on it.

        Returns
        -------
        float
            Sum of their losses before the steps.

        Raises
        ------
        ValueError
            If a loss is not finite.
        """
        if self._step is None:
            self._step = self._build(data.targets.shape[1])
        rates = np.outer(
            schedule(self.options.learning_rate, progress), [self.options.learning_rate_init, self._norm_rate]
        )
        starts = np.cumsum([0, *map(len, batches)])
        columns = data.bits, data.targets, data.offsets, data.sample_weight
        loss = self._step.train(*columns, np.concatenate(batches), starts, rates, self.worth(n_threads))
        if not isfinite(loss):
            raise ValueError(self._diverged(f"The training loss is {loss}"))
        return loss

    def worth(self, n_threads):
        """How many of these threads steps are worth: one where they draw from one stream or look at all weights."""
        if self.options.binarization == "stochastic" or self.options.solver == "bop":
            return 1
        work = self.max_rows * sum(layer.latent_weights.size for layer in self.network.layers)
        return max(1, min(n_threads, work // WORTH_A_THREAD))

    def check(self):
        """Look at what the last steps have left, as a loss is of the weights before.

        Raises
        ------
        ValueError
            If any number that is trained, or a moment, is not finite.
        """
        layers = zip(self.network.layers, self.moments, strict=True)
        if not all(are_finite(array) for layer, moments in layers for array in (*layer.parameters, *moments)):
            raise ValueError(self._diverged("Weights or their moments are not finite"))

    def _diverged(self, what):
        """An error's message that says what else may be to blame than the rate."""
        options, names = self.options, SETTINGS[self.options.solver]
        settings = ", ".join(f"{name}={getattr(options, name)!r}" for name in ("solver", "learning_rate_init", *names))
        odd = [name for name in names if getattr(options, name) != getattr(TrainingOptions, name)]
        mended = "".join(f", leave {name} at {getattr(TrainingOptions, name)}" for name in odd)
        return (
            f"{what} after {self.n_steps[0]} steps with {settings}: training diverged. "
            f"Lower learning_rate_init{mended}{', or scale the targets' if options.loss in REGRESSION_LOSSES else ''}."
        )

    @property
    def _norm_rate(self):
        """Batch norm's rate: a share of the weights'; beside Bop, whose rate means something else, that of Adam."""
        if self.options.solver == "bop":
            return 1e-3
        return NORM_SHARES[self.options.binarization][self.options.solver] * self.options.learning_rate_init

    def _build(self, n_targets):
        """Chain the native layers, last to first."""
        network, options = self.network, self.options
        random = RandomBits(self.rng.bit_generator)
        drawn = random if options.binarization == "stochastic" else None
        chain = None
        for index in reversed(range(len(network.layers))):
            layer = network.layers[index]
            dense = BinaryDense(layer.latent_weights, self.max_rows, options.int8_products)
            parts = dense, BatchNorm(layer.gain, layer.bias), self._optimizers(index), drawn, self.max_rows
            if chain is None:
                chain = OutputLayer(*parts, n_outputs=network.n_outputs, loss=LOSSES[options.loss]())
            else:
                chain = HiddenLayer(
                    *parts,
                    after=chain,
                    surrogate=SURROGATE_GRADIENTS[options.surrogate_gradient](),
                    dropout=self._dropout(dense.n_units, random),
                    activations_random=drawn,
                )
        n_inputs = network.layer_sizes[0]
        dropout = self._dropout(n_inputs, random)
        return TrainingStep(chain, dropout, n_inputs, n_targets, network.n_outputs, self.max_rows, self.n_steps)

    def _dropout(self, n_units, random):
        if not self.options.dropout:
            return None
        return Dropout(self.options.dropout, random, self.max_rows, n_units)

    def _optimizers(self, index):
        """One optimizer for each parameter of a layer: latent weights within ±1, gain, bias."""
        options = self.options
        adam = {"beta_1": options.beta_1, "beta_2": options.beta_2, "epsilon": options.epsilon}
        optimizers = []
        bounds = 1.0, np.inf, np.inf
        parameters = self.network.layers[index].parameters
        for which, (value, bound, moments) in enumerate(zip(parameters, bounds, self.moments[index], strict=True)):
            flat = value.reshape(-1)
            if options.solver == "sgd":
                optimizer = SGD(flat, bound, moments[0], momentum=options.momentum, nesterov=options.nesterovs_momentum)
            elif options.solver == "bop" and which == 0:
                optimizer = Bop(flat, moments[0], threshold=options.flip_threshold)
            else:
                optimizer = Adam(flat, bound, moments, **adam)
            optimizers.append(optimizer)
        return optimizers
