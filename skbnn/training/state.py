"""What training needs to go on: an estimator keeps it for ``partial_fit`` and ``warm_start``, and predicts without."""

from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np

from skbnn.folding import estimate_statistics, fold
from skbnn.network.network import BinaryNetwork
from skbnn.network.trainer import SPREADS, Trainer
from skbnn.packed import PackedNetwork
from skbnn.training.parameters import Decision
from skbnn.training.targets import Targets

# An output that no other competes with adds up this many binary units: a finer score than one unit can give.
UNITS_PER_OUTPUT = 8

# The statistics of a stream are an average over all calls, at least this share of it from the last.
SHARE_OF_LAST = 0.1


@dataclass
class History:
    """What training went like.

    Attributes
    ----------
    losses : list of float
        Mean loss of each epoch's mini-batches.
    n_planned : int
        Epochs, past ones included, that there are to be.
    scores : list of float or None
        Score of each epoch on held-out rows, where there are any.
    best_score : float or None
    """

    losses: list = field(default_factory=list)
    n_planned: int = 0
    scores: list = None
    best_score: float = None


@dataclass
class TrainingState:
    """Networks in training, and what they are trained by.

    Attributes
    ----------
    targets : Targets
    decision : Decision
    rng : numpy.random.Generator
        Draws networks and mini-batches.
    trainers : list of Trainer
        One for each network.
    seed : int
        That ``rng`` began with; it draws the rows that are held out.
    history : History
    n_rows_seen : int
        Rows that the networks' statistics are an average over.
    packed : PackedNetwork or None
        The networks as they predict; None while training has moved them.
    """

    targets: Targets
    decision: Decision
    rng: np.random.Generator
    trainers: list
    seed: int = None
    history: History = field(default_factory=History)
    n_rows_seen: int = 0
    packed: PackedNetwork = None

    @classmethod
    def begin(cls, targets, decision, rng, seed=None):
        """With networks as they are drawn."""
        trainers = [new_trainer(targets, decision, rng) for _ in range(decision.parameters.n_estimators)]
        return cls(targets, decision, rng, trainers, seed)

    def resumed(self, targets, decision):
        """The state to go on with, of the same networks; should that fail, this one still says what was."""
        for trainer in self.trainers:
            trainer.reconfigure(decision.parameters, decision.parameters.batch_size)
        return replace(self, targets=targets, decision=decision, history=deepcopy(self.history))

    def forget_history(self, *, scored):
        """Count epochs and rows from here on; with scores, or None instead."""
        self.history, self.n_rows_seen = History(scores=[] if scored else None), 0

    def pack(self, data, rows):
        """Set ``packed``, unless it is, with batch norm's statistics taken from these rows; returns it."""
        if self.packed is None:
            networks = [trainer.network for trainer in self.trainers]
            bits, sample_weight = data.bits[rows], data.sample_weight[rows]
            momentum = max(SHARE_OF_LAST, len(rows) / self.n_rows_seen)
            for network in networks:
                estimate_statistics(network, bits, sample_weight, momentum=momentum)
            encoding, initial_model = self.decision.encoding, self.decision.initial_model
            factor = self.decision.shrinkage * initial_model.scale
            self.packed = fold(networks, encoding, initial_model.additive, output=self.targets.output, factor=factor)
        return self.packed


def new_trainer(targets, decision, rng):
    """A trainer of a network that is drawn."""
    parameters, sizes = decision.parameters, decision.parameters.hidden_layer_sizes
    units_per_output = 1 if targets.output == "softmax" else UNITS_PER_OUTPUT
    spreads = np.full(len(sizes) + 1, SPREADS[parameters.binarization])
    if parameters.binarization == "sign":  # drawn weights have the whole range already
        spreads[0] *= targets.spread_factors[0]
        spreads[-1] *= targets.spread_factors[1]
    network = BinaryNetwork.initialize(
        [decision.encoding.n_bits, *sizes, targets.n_outputs * units_per_output],
        targets.n_outputs,
        output_gain=targets.output_gain(decision.initial_model),
        spreads=spreads,
        rng=rng,
    )
    return Trainer(network, parameters, seed=rng.integers(2**63), max_rows=parameters.batch_size)
