"""What training needs to go on: an estimator keeps it for ``partial_fit`` and ``warm_start``, and predicts without."""

from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np

from skbnn.folding import estimate_statistics, fold
from skbnn.network.network import BinaryNetwork
from skbnn.network.trainer import SPREADS, Trainer
from skbnn.packed import PackedNetwork
from skbnn.training.category_order import known_codes, known_labels
from skbnn.training.importances import draw_values, importances
from skbnn.training.parameters import Decision
from skbnn.training.stream import REPLAYED, Memory, share_of
from skbnn.training.targets import Targets

CURVES = "losses", "flip_ratios", "scores"  # a number for each epoch

# An output that no other competes with adds up this many binary units: a finer score than one unit can give.
UNITS_PER_OUTPUT = 8


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
        Rows that what follows a stream is an average over.
    share : float
        Share of the last call's rows in that.
    memory : Memory
        Rows that a stream keeps.
    n_rows_trained : int
        Rows that the networks have been trained on, each as often as it was.
    packed : PackedNetwork or None
        The networks as they predict; None while training has moved them.
    values : ndarray or sparse matrix of shape (n_values, n_features) or None
        Values of each feature, each drawn by itself, by which importances are told.
    categories : tuple of (tuple or None) of length n_features, or None
        Labels of what X has as codes.
    known : ndarray of uint64
        Hashes of rows that came, by which those that come again are told.
    """

    targets: Targets
    decision: Decision
    rng: np.random.Generator
    trainers: list
    seed: int | None = None
    losses: list = field(default_factory=list)
    flip_ratios: list = field(default_factory=list)
    scores: list = field(default_factory=list)
    n_rows_seen: int = 0
    share: float = 1.0
    memory: Memory = Memory()  # noqa: RUF009, it is immutable
    n_rows_trained: int = 0
    packed: PackedNetwork | None = None
    values: np.ndarray | None = None
    categories: tuple | None = None
    known: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))

    @classmethod
    def begin(cls, targets, decision, rng, seed, n_rows):
        """With networks as they are drawn."""
        return cls(targets, decision, rng, [], seed, n_rows_seen=n_rows).with_networks()

    def with_networks(self):
        """The same with new networks, as they are drawn."""
        n_networks = self.decision.parameters.n_estimators
        return replace(self, trainers=[new_trainer(self.targets, self.decision, self.rng) for _ in range(n_networks)])

    def resumed(self, targets, decision, samples, n_new, memory):
        """The state to go on with on encoded samples, ``n_new`` of them new, of the same networks.

        A stream goes on counting, ``fit`` counts anew. Should training fail, this state is as it was.
        """
        streaming = decision.parameters.streaming
        if streaming and len(samples.rows) < REPLAYED:  # nothing is trained until more have come
            decision = replace(self.decision, parameters=replace(decision.parameters, max_iter=0))
            return replace(self, decision=decision, memory=memory)
        n_seen = self.n_rows_seen + n_new if streaming else n_new
        share = share_of(n_new, n_seen)
        trainers = [trainer.going_on(decision.parameters, decision.parameters.batch_size) for trainer in self.trainers]
        decision = replace(decision, initial_model=targets.followed(decision.initial_model, samples, share))
        now = {"targets": targets, "decision": decision, "trainers": trainers, "memory": memory}
        now |= {"n_rows_seen": n_seen, "share": share}
        if streaming:
            return replace(self, **now, **self._curves())
        return replace(self, **now, **{name: [] for name in CURVES}, n_rows_trained=0)

    def snapshot(self):
        """The state as it is now, of which training that goes on changes nothing, nor the other way round."""
        return replace(self, trainers=deepcopy(self.trainers), rng=deepcopy(self.rng), **self._curves())

    def _curves(self):
        return {name: [*getattr(self, name)] for name in CURVES}

    def known_codes(self, X):
        """Rows as the encoding reads them, from those with the codes of ``categories``."""
        return known_codes(X, self.decision.places, self.decision.encoding)

    def known_labels(self):
        """Labels of what the encoding reads as codes, of each feature, or None."""
        return known_labels(self.categories, self.decision.places, self.decision.encoding)

    def pack(self, data, rows):
        """Set ``packed``, unless it is, with batch norm's statistics taken from these rows; returns it."""
        if self.packed is None:
            for trainer in self.trainers:
                trainer.check()
            for trainer in self.trainers:
                estimate_statistics(trainer.network, data.bits, data.sample_weight, rows=rows, momentum=self.share)
            self.packed = self.folded()
        return self.packed

    def folded(self):
        """The networks as they predict by batch norm's statistics, which are known."""
        encoding, initial_model = self.decision.encoding, self.decision.initial_model
        factor, networks = self.decision.shrinkage * initial_model.scale, [trainer.network for trainer in self.trainers]
        return fold(networks, encoding, initial_model.additive, output=self.targets.output, factor=factor)

    def draw_values(self, samples):
        """Set ``values``, those of a stream in part."""
        rng = np.random.default_rng([self.seed, self.n_rows_seen])  # training draws the same with and without
        self.values = draw_values(samples, rng, before=self.values, share=self.share)

    def importances(self, packed):
        """Each feature's part of what moves the scores of the network that predicts, (n_features,)."""
        return importances(packed.named(), self.values)  # whose categories are codes

    def finalized(self, packed):
        """What to keep of this if nothing is trained any more."""
        return FinalState(self.targets, self.importances(packed))


@dataclass(frozen=True, eq=False)
class FinalState:
    """What is left of a TrainingState by which nothing is trained any more: no networks, and no values of rows.

    Attributes
    ----------
    targets : Targets
    of_features : ndarray of shape (n_features,)
        The importances.
    """

    targets: Targets
    of_features: np.ndarray

    def importances(self, packed):
        """Each feature's part of what moves the scores, as it was told when there were values to tell it by."""
        return self.of_features.copy()

    def finalized(self, packed):
        """The same, as there is nothing more to drop."""
        return self


def sizes_of(targets, parameters, n_bits):
    """Bits, then units of each layer, the output's as well."""
    units_per_output = 1 if targets.output == "softmax" else UNITS_PER_OUTPUT
    return [n_bits, *parameters.hidden_layer_sizes, targets.n_outputs * units_per_output]


def new_trainer(targets, decision, rng):
    """A Trainer of a newly drawn network."""
    parameters, sizes = decision.parameters, decision.parameters.hidden_layer_sizes
    spreads = np.full(len(sizes) + 1, SPREADS[parameters.binarization])
    if parameters.binarization == "sign":  # drawn weights have the whole range already
        spreads[0] *= targets.spread_factors[0]
        spreads[-1] *= targets.spread_factors[1]
    layer_sizes = sizes_of(targets, parameters, decision.encoding.n_bits)
    gain = targets.output_gain(decision.initial_model)
    network = BinaryNetwork.initialize(layer_sizes, targets.n_outputs, output_gain=gain, spreads=spreads, rng=rng)
    return Trainer(network, parameters, seed=rng.integers(2**63), max_rows=parameters.batch_size)
