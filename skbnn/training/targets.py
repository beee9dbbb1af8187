"""What targets mean: how y is encoded, the loss, what there is before a network, the score, what the output says."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import accuracy_score, r2_score

from skbnn.encoding import Combinations
from skbnn.encoding.projection_pursuit import pursue_directions
from skbnn.encoding.standardization import location_and_scale
from skbnn.initial_models.additive import Columns, choose_penalty, fit_logistic, fit_ridge
from skbnn.initial_models.initial_model import InitialModel
from skbnn.network.trainer import TrainingData
from skbnn.packed.additive_part import AdditivePart


class Targets(ABC):
    """What an estimator's targets mean.

    Attributes
    ----------
    loss : str
        The estimator's parameter.
    n_outputs : int
        Scores a row.
    output : {"identity", "logistic", "softmax"}
        What the scores mean, as in PackedNetwork.
    """

    # What the initial range of latent weights in the first and in the output layer is multiplied by: in a wider range
    # they flip later.
    spread_factors = 1.0, 1.0

    fewest_to_score = 1

    @property
    def network_loss(self):
        """The loss by its name in ``skbnn.network.trainer.LOSSES``."""
        return f"multiclass_{self.loss}" if self.output == "softmax" else self.loss

    @abstractmethod
    def encode(self, y):
        """Validated targets as numbers, (n_rows, n_columns).

        Raises
        ------
        ValueError
            If they are not of these targets' kind.
        """

    def strata(self, y):
        """The class of each row of encoded targets, or None where rows have none."""
        return None

    def score(self, y, predicted, sample_weight):
        """Score of what a packed network predicts for encoded targets, higher is better."""
        return accuracy_score(y, predicted, sample_weight=sample_weight)

    def directions(self, samples, n_thresholds, rng):
        """Combinations to try before principal components, of ``n_thresholds`` thresholds each at most."""
        return Combinations(np.empty((0, samples.X.shape[1])), [])

    def initial_model(self, samples, rows, rng, *, init, penalty=None):
        """Find what the scores are before there is a network.

        Parameters
        ----------
        samples : Samples
            With bits.
        rows : ndarray of int
            Those to look at.
        rng : numpy.random.Generator
            Draws the rows to fit by, where they are too many.
        init : {"additive", "constant"}
            Whether it may be more than constants.
        penalty : ndarray of shape (n_outputs,), default=None
            Of a ridge regression; None to choose it.

        Returns
        -------
        InitialModel
        """
        return InitialModel(AdditivePart(np.zeros(self.n_outputs)))

    def output_gain(self, initial_model):
        """Standard deviation of a network's first scores; those larger than 1 train faster under a cross-entropy."""
        return 2.0

    def training_data(self, samples, initial_model):
        """The rows as a network learns them: targets as the loss reads them, and offsets of the scores."""
        return TrainingData(samples.bits, samples.sample_weight, samples.y)


@dataclass(frozen=True, eq=False)
class Classes(Targets):
    """One of several classes a row, encoded as its index."""

    labels: np.ndarray
    loss: str

    @property
    def output(self):
        return "logistic" if len(self.labels) == 2 else "softmax"

    @property
    def n_outputs(self):
        return 1 if len(self.labels) == 2 else len(self.labels)

    def encode(self, y):
        if y.ndim != 1:
            raise ValueError(f"y has shape {y.shape}, which differs from the previous call's.")
        unknown = np.setdiff1d(y, self.labels)
        if len(unknown):
            raise ValueError(f"`y` has classes not in `self.classes_`: {unknown}. Known are {self.labels}.")
        return np.searchsorted(self.labels, y).astype(np.float32)[:, np.newaxis]

    def strata(self, y):
        return self.labels[y[:, 0].astype(int)]

    def initial_model(self, samples, rows, rng, *, init, penalty=None):
        if not (init == "additive" and self.n_outputs == 1 and self.loss == "log_loss"):
            return super().initial_model(samples, rows, rng, init=init)
        columns = Columns(samples.X, samples.bits, samples.encoding, rows, lines=False)
        return InitialModel(fit_logistic(columns, samples.y[:, 0], samples.sample_weight, rng))

    def training_data(self, samples, initial_model):
        data = super().training_data(samples, initial_model)
        if initial_model.additive.steps is None:
            return data
        return replace(data, offsets=initial_model.additive.scores(samples.X, samples.bits).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Labels(Targets):
    """Any number of several labels a row, encoded as 0 or 1."""

    n_outputs: int
    loss: str
    output = "logistic"

    def encode(self, y):
        if y.ndim != 2 or y.shape[1] != self.n_outputs:
            raise ValueError(f"y has shape {y.shape}, which differs from the previous call's.")
        return np.ascontiguousarray(y, np.float32)


@dataclass(frozen=True, eq=False)
class Reals(Targets):
    """Real numbers; a network learns what the initial model leaves, standardized."""

    n_outputs: int
    loss: str
    output = "identity"

    spread_factors = 2.0, 0.5  # Adam's output weights flip before those of the first layer; by validation rows
    fewest_to_score = 2  # rows; R² needs two

    def encode(self, y):
        columns = y.reshape(len(y), -1).astype(np.float64)
        if columns.shape[1] != self.n_outputs:
            raise ValueError(f"y has {columns.shape[1]} outputs, expected {self.n_outputs} as in the previous call.")
        return columns

    def score(self, y, predicted, sample_weight):
        return r2_score(y, predicted, sample_weight=sample_weight)

    def directions(self, samples, n_thresholds, rng):
        return pursue_directions(samples.X, samples.y, samples.sample_weight, samples.rows, n_thresholds, rng)

    def initial_model(self, samples, rows, rng, *, init, penalty=None):
        y, sample_weight = samples.y, samples.sample_weight
        mean, std = location_and_scale(y[rows], sample_weight[rows])
        unit = np.where(std > 0, std, 1)
        constant = InitialModel(AdditivePart(mean), std, std / unit)
        if not (init == "additive" and self.loss == "squared_error"):
            return constant
        columns = Columns(samples.X, samples.bits, samples.encoding, rows)
        standardized = standardized_residual(samples, constant)
        if penalty is None:
            penalty = choose_penalty(columns, standardized, sample_weight, rng)
        ridge = fit_ridge(columns, standardized, sample_weight, rng, penalty=penalty).scaled(std, mean)
        _, left = location_and_scale(residual(samples, ridge)[rows], sample_weight[rows])
        scale = np.where(std > 0, left, 0)
        return InitialModel(ridge, scale, scale / unit, penalty)

    def output_gain(self, initial_model):
        """Less is better beside an additive model, by validation rows; alone it would take a stream long to grow."""
        return 1.0 if initial_model.additive.steps is None else 0.1

    def training_data(self, samples, initial_model):
        # A row that is held out can be arbitrarily far from those that gave the scale; its square has to be finite.
        targets = np.clip(standardized_residual(samples, initial_model), -1e18, 1e18).astype(np.float32)
        return replace(super().training_data(samples, initial_model), targets=targets)


def residual(samples, additive):
    """What the additive part leaves of real targets, (n_rows, n_outputs)."""
    return samples.y - additive.scores(samples.X, samples.bits)


def standardized_residual(samples, initial_model):
    """What the initial model leaves, by its scale; 0 where that is 0, so that a constant predicts itself.

    Raises ValueError if the scale is not finite.
    """
    scale = initial_model.scale
    with np.errstate(over="ignore"):
        targets = residual(samples, initial_model.additive) / np.where(scale > 0, scale, np.inf)
    if np.isnan(targets).any() or not np.isfinite(scale).all():
        raise ValueError("y is too large: its spread is not finite.")
    return targets
