"""What training needs to go on: an estimator keeps it for ``partial_fit`` and ``warm_start``, and predicts without."""

from dataclasses import dataclass, field, replace

import numpy as np

from skbnn.folding import estimate_statistics, fold
from skbnn.network.network import BinaryNetwork
from skbnn.network.trainer import SPREADS, Trainer
from skbnn.packed import PackedNetwork
from skbnn.training.importances import draw_values
from skbnn.training.parameters import Decision
from skbnn.training.targets import Targets

# An output that no other competes with adds up this many binary units: a finer score than one unit can give.
UNITS_PER_OUTPUT = 8

# The statistics of a stream are an average over all calls, at least this share of it from the last.
SHARE_OF_LAST = 0.1


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
    losses : list of float
        Mean loss of each epoch's mini-batches: the epochs of the last ``fit``, and of the stream that goes on from it.
    flip_ratios : list of float
        Share of the weights that changed their sign in each of these, where FlipRatio watches.
    scores : list of float
        Score of each epoch on held-out rows, where there are any.
    n_rows_seen : int
        Rows that the networks' statistics are an average over.
    n_rows_trained : int
        Rows that the networks have been trained on, each as often as it was.
    packed : PackedNetwork or None
        The networks as they predict; None while training has moved them.
    values : ndarray of shape (n_values, n_features) or None
        Values of each feature, each drawn by itself, by which importances are told.
    """

    targets: Targets
    decision: Decision
    rng: np.random.Generator
    trainers: list
    seed: int = None
    losses: list = field(default_factory=list)
    flip_ratios: list = field(default_factory=list)
    scores: list = field(default_factory=list)
    n_rows_seen: int = 0
    n_rows_trained: int = 0
    packed: PackedNetwork = None
    values: np.ndarray = None

    @classmethod
    def begin(cls, targets, decision, rng, seed=None):
        """With networks as they are drawn."""
        trainers = [new_trainer(targets, decision, rng) for _ in range(decision.parameters.n_estimators)]
        return cls(targets, decision, rng, trainers, seed)

    def resumed(self, targets, decision):
        """The state to go on with, of the same networks: a stream goes on counting, ``fit`` counts anew.

        Should training fail, this state still says what was.
        """
        for trainer in self.trainers:
            trainer.reconfigure(decision.parameters, decision.parameters.batch_size)
        if decision.parameters.streaming:
            curves = {name: [*getattr(self, name)] for name in ("losses", "flip_ratios", "scores")}
            return replace(self, targets=targets, decision=decision, **curves)
        anew = {"losses": [], "flip_ratios": [], "scores": [], "n_rows_seen": 0, "n_rows_trained": 0}
        return replace(self, targets=targets, decision=decision, **anew)

    def pack(self, data, rows):
        """Set ``packed``, unless it is, with batch norm's statistics taken from these rows; returns it."""
        if self.packed is None:
            networks = [trainer.network for trainer in self.trainers]
            bits, sample_weight = data.bits[rows], data.sample_weight[rows]
            momentum = self._momentum(rows)
            for network in networks:
                estimate_statistics(network, bits, sample_weight, momentum=momentum)
            encoding, initial_model = self.decision.encoding, self.decision.initial_model
            factor = self.decision.shrinkage * initial_model.scale
            self.packed = fold(networks, encoding, initial_model.additive, output=self.targets.output, factor=factor)
        return self.packed

    def draw_values(self, samples):
        """Set ``values``, those of a stream in part."""
        rng = np.random.default_rng([self.seed, self.n_rows_seen])  # training draws the same with and without
        self.values = draw_values(samples, rng, before=self.values, share=self._momentum(samples.rows))

    def _momentum(self, rows):
        return max(SHARE_OF_LAST, len(rows) / self.n_rows_seen)


def new_trainer(targets, decision, rng):
    """A Trainer of a newly drawn network."""
    parameters, sizes = decision.parameters, decision.parameters.hidden_layer_sizes
    units_per_output = 1 if targets.output == "softmax" else UNITS_PER_OUTPUT
    spreads = np.full(len(sizes) + 1, SPREADS[parameters.binarization])
    if parameters.binarization == "sign":  # drawn weights have the whole range already
        spreads[0] *= targets.spread_factors[0]
        spreads[-1] *= targets.spread_factors[1]
    layer_sizes = [decision.encoding.n_bits, *sizes, targets.n_outputs * units_per_output]
    gain = targets.output_gain(decision.initial_model)
    network = BinaryNetwork.initialize(layer_sizes, targets.n_outputs, output_gain=gain, spreads=spreads, rng=rng)
    return Trainer(network, parameters, seed=rng.integers(2**63), max_rows=parameters.batch_size)
