"""What is asked of training, and what is decided once the data are known, as plain values."""

from dataclasses import dataclass, field, fields, replace

import numpy as np

from skbnn.encoding import Encoding
from skbnn.initial_models.initial_model import InitialModel
from skbnn.network.trainer import TrainingOptions
from skbnn.training.warn import warn

# Epochs of max_iter=None: EPOCHS; on small data more, as the targets need; on large data as many as make ENOUGH_ROWS,
# FEWEST_EPOCHS at least.
EPOCHS, ENOUGH_ROWS, FEWEST_EPOCHS = 28, 10_000_000, 5

# Fewer rows than this make one mini-batch.
FEW = 50

# n_thresholds="auto" is a share of the rows, within these bounds: between two thresholds there have to be some.
ROWS_PER_THRESHOLD, FEWEST_THRESHOLDS, MOST_THRESHOLDS = 12, 4, 32

# Wide tables have fewer: no more bits than this, but for one a feature. And layers are as narrow as it takes to have no
# more weights on bits than this, or than so many for each row.
MOST_BITS, MOST_WEIGHTS, WEIGHTS_PER_ROW, NARROWEST = 2**14, 2**20, 256, 16

# What a network and its encoding are made of can't change once there are any.
FIXED = "hidden_layer_sizes", "n_thresholds", "n_components", "n_estimators"

# batch_size="auto" is a share of the rows, but so many at most.
BATCHES, LARGEST_BATCH = 40, 128

# Drawn weights are what was learnt only once latent weights have come from ±1 to the other end, ten times as far as in
# ±0.1. Bop has no latent weights.
LEARNING_RATES = {
    "sign": {"adam": 0.01, "sgd": 5.0, "bop": 0.003},
    "stochastic": {"adam": 0.1, "sgd": 50.0, "bop": 0.003},
}


@dataclass(frozen=True, kw_only=True)
class Parameters(TrainingOptions):
    """An estimator's parameters. "auto" and None leave some of them open.

    Attributes
    ----------
    validation_fraction : float or None
        Share of the rows to hold out for early stopping, if any.
    streaming : bool
        Whether the rows are those of one call of ``partial_fit``.
    """

    hidden_layer_sizes: tuple | str
    n_thresholds: int | str
    thresholds: list | None
    n_components: int | str
    n_estimators: int | str
    init: str
    batch_size: int | str
    max_iter: int | None
    shuffle: bool
    validation_fraction: float | None
    streaming: bool

    @classmethod
    def of(cls, given, loss, *, streaming=False):
        """From an estimator's parameters by name, with the network's loss.

        Raises
        ------
        ValueError
            If ``hidden_layer_sizes`` are not positive integers.
        """
        sizes = given["hidden_layer_sizes"]
        if not isinstance(sizes, str):
            sizes = tuple(np.ravel(sizes).tolist())
            if not all(type(size) is int and size > 0 for size in sizes):
                raise ValueError(f"hidden_layer_sizes must be integers > 0, got {given['hidden_layer_sizes']}.")
        rate = given["learning_rate_init"] or LEARNING_RATES[given["binarization"]][given["solver"]]
        named = {field.name: given[field.name] for field in fields(cls) if field.name in given}
        named |= {"hidden_layer_sizes": sizes, "learning_rate_init": rate, "loss": loss}
        if streaming:  # without an end for a schedule, and with too few rows in one call to fit an additive model to
            named |= {"init": "constant", "learning_rate": "constant", "max_iter": 1}
        return cls(**named, streaming=streaming)

    def where_auto(self, **values):
        """The same with these values where "auto" was asked for."""
        return replace(self, **{name: value for name, value in values.items() if getattr(self, name) == "auto"})

    def paced(self, samples, targets):
        """The same with the thresholds, batch size and number of epochs that suit these samples."""
        n_rows, n_features = samples.n_rows, samples.X.shape[1]
        few = n_rows < FEW
        suited = MOST_THRESHOLDS if few or self.streaming else max(n_rows // ROWS_PER_THRESHOLD, FEWEST_THRESHOLDS)
        n_thresholds = min(suited, MOST_THRESHOLDS, most_thresholds(n_features))
        if self.batch_size != "auto" and self.batch_size > n_rows:
            warn(f"batch_size={self.batch_size} is larger than the {n_rows} training samples and is clipped.")
        share = n_rows if few else min(max(n_rows // BATCHES, targets.smallest_batch), LARGEST_BATCH)
        batch_size = min(share if self.batch_size == "auto" else self.batch_size, n_rows)
        n_batches = -(-n_rows // batch_size)
        n_epochs = min(max(EPOCHS, -(-targets.fewest_steps // n_batches)), targets.most_epochs)
        n_epochs = self.max_iter or min(n_epochs, max(ENOUGH_ROWS // n_rows, FEWEST_EPOCHS))
        return replace(self, batch_size=batch_size, max_iter=n_epochs).where_auto(n_thresholds=n_thresholds)

    def sized(self, samples, targets):
        """The same with the layers that suit these samples, which have bits."""
        n_rows, n_bits = samples.n_rows, samples.encoding.n_bits
        most_weights = max(MOST_WEIGHTS, WEIGHTS_PER_ROW * n_rows)
        width = min(targets.width(n_rows), max(NARROWEST, most_weights // n_bits))
        return self.where_auto(hidden_layer_sizes=(width, width))


def most_thresholds(n_features):
    """Thresholds a feature that a table of so many may have, where that was left open."""
    return max(MOST_BITS // n_features, 1)


@dataclass(frozen=True, eq=False)
class Decision:
    """All that training has to know beside the rows and what their targets mean.

    Attributes
    ----------
    parameters : Parameters
        None of them is left open.
    encoding : Encoding
    initial_model : InitialModel
    shrinkage : float or ndarray of shape (n_factors,)
        Factor of the networks' part of the scores.
    places : dict of ndarray
        What codes become in a feature that has too many, as ``order_categories`` says.
    """

    parameters: Parameters
    encoding: Encoding
    initial_model: InitialModel
    shrinkage: float | np.ndarray = 1.0
    places: dict = field(default_factory=dict)

    def revised(self, parameters, samples, targets):
        """The decision for going on: what there is stays, and how it is trained is as these parameters say.

        Raises
        ------
        ValueError
            If they ask for another network or encoding than there is.
        """
        before = self.parameters
        kept = {name: getattr(before, name) for name in FIXED}
        for name, value in kept.items():
            if getattr(parameters, name) not in ("auto", value):
                raise ValueError(f"{name}={getattr(parameters, name)} can't go on from {value}.")
        shrinkage = self.shrinkage if parameters.dropout == "auto" else 1.0
        n_epochs = parameters.max_iter or (None if before.streaming else before.max_iter)
        parameters = replace(parameters.where_auto(**kept, dropout=before.dropout), max_iter=n_epochs)
        return replace(self, parameters=parameters.paced(samples, targets), shrinkage=shrinkage)
