"""What targets mean: how y is encoded, the loss, what there is before a network, the score, what the output says."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import accuracy_score, r2_score

from skbnn.encoding import Combinations
from skbnn.encoding.projection_pursuit import pursue_directions
from skbnn.encoding.resolution import MAX_SIZE_TO_RESOLVE, find_resolution
from skbnn.encoding.standardization import location_and_scale, robust_location_and_scale
from skbnn.encoding.thresholds import subsample
from skbnn.initial_models.additive import (
    LINE_POWERS,
    MAX_SIZE,
    MAX_SIZE_TO_CHOOSE,
    PENALTIES,
    Columns,
    choose_ridge_penalty,
    fit_logistic,
    fit_ridge,
)
from skbnn.initial_models.initial_model import InitialModel
from skbnn.network.trainer import LOSSES, TrainingData
from skbnn.packed.additive_part import AdditivePart

# How far from the rest a target counts, in standard deviations. A row that is held out can be arbitrarily far, and its
# square has to be finite; losses that are robust are not to be judged by outliers.
FARTHEST = {"squared_error": 1e18, "huber": 10.0, "absolute_error": 10.0}

RARE = 1e-3  # share of all rows that are taken to be of any class, so that no class is impossible

# Kinds of additive models of classes, and what is fitted where rows are too few to choose.
LOGISTIC, UNCHOSEN = ("lines", "logistic"), ("logistic", 1.0)


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

    # What a small table takes: units of a layer, rows of a mini-batch and mini-batches at least, and epochs at most.
    fewest_units, smallest_batch, fewest_steps, most_epochs = 128, 32, 1000, 100

    # A network has to take this share off the loss of the initial model alone to be worth more than a short training.
    little = 0.05

    fewest_to_score = 1

    # With more rows, a network learns as much without an additive model, which takes long to fit.
    most_rows_for_additive = np.inf

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

    def resolution(self, samples, n_thresholds, rng):
        """Thresholds that each feature deserves, (n_features,) int, as ``find_resolution`` says."""
        rows = subsample(samples.rows, MAX_SIZE_TO_RESOLVE // samples.X.shape[1], rng)
        numbers, sample_weight = self.numbers(samples, rows), samples.sample_weight[rows]
        return find_resolution(samples.X[rows], numbers, sample_weight, n_thresholds, rng)

    def numbers(self, samples, rows):
        """Targets of some rows as numbers whose means say something, (n_rows, n)."""
        return samples.y[rows]

    def score(self, y, predicted, sample_weight):
        """Score of what a packed network predicts for encoded targets, higher is better."""
        return accuracy_score(y, predicted, sample_weight=sample_weight)

    def mean_loss(self, scores, samples, rows):
        """The loss of the scores of some rows."""
        scores = scores.astype(np.float32)
        y, sample_weight = samples.y[rows].astype(np.float32), samples.sample_weight[rows]
        return LOSSES[self.network_loss]()(scores, y, sample_weight, np.empty_like(scores))

    def directions(self, samples, n_thresholds, rng):
        """Combinations to try before principal components, of ``n_thresholds`` thresholds each at most."""
        return Combinations(np.empty((0, samples.X.shape[1])), [])

    @abstractmethod
    def choose_penalty(self, samples, parts, rng):
        """The penalty that serves an additive model best, as ``initial_model`` takes it.

        Parameters
        ----------
        samples : Samples
            With bits.
        parts : list of (ndarray of int, ndarray of int)
            Rows to fit by and rows to judge by.
        rng : numpy.random.Generator
            Draws the rows to fit by, where they are too many.

        Returns
        -------
        object
            None if there is to be no additive model.
        """

    @abstractmethod
    def stronger(self, penalty):
        """The next stronger one: what an additive model overfits, a network beside it learns to believe."""

    @abstractmethod
    def initial_model(self, samples, rows, rng, *, penalty=None):
        """Find what the scores are before there is a network.

        Parameters
        ----------
        samples : Samples
            With bits.
        rows : ndarray of int
            Those to look at.
        rng : numpy.random.Generator
            Draws the rows to fit by, where they are too many.
        penalty : object, default=None
            Of an additive model, as ``choose_penalty`` gives it; None for constants.

        Returns
        -------
        InitialModel
        """

    @abstractmethod
    def truth(self, samples, initial_model, rows):
        """Encoded targets of some rows as the loss reads them, in the initial model's ``spread``, and its scores so.

        Returns
        -------
        targets : ndarray of shape (n_rows, n_columns), float32
        constant : ndarray of shape (n_outputs,)
        varying : ndarray of shape (n_rows, n_outputs)
            What the initial model adds to the constant.
        """

    @abstractmethod
    def output_gain(self, initial_model):
        """Standard deviation of a network's first scores."""

    def training_data(self, samples, initial_model):
        """The rows as a network learns them: targets as the loss reads them, and offsets of the scores."""
        return TrainingData(samples.bits, samples.sample_weight, samples.y)


class Categories(Targets):
    """What classes and labels have in common: scores are logarithms of probabilities, up to a constant."""

    def log_odds(self, y, sample_weight):
        """The scores of a row of which nothing is known, (n_outputs,) float64, by the frequencies of encoded targets.

        Of a stream, which may come sorted by class, they say nothing.
        """
        if self.streaming or self.loss != "log_loss":
            return np.zeros(self.n_outputs)
        return self._log_odds(y, sample_weight)

    @abstractmethod
    def _log_odds(self, y, sample_weight):
        """``log_odds`` where there are any."""

    @abstractmethod
    def fit_additive(self, columns, samples, rows, penalties):
        """Logistic regressions of these rows, a list of AdditivePart, one for each penalty."""

    def choose_penalty(self, samples, parts, rng):
        if self.loss != "log_loss":
            return None
        choices, losses = [(kind, penalty) for kind in LOGISTIC for penalty in PENALTIES[kind]], 0
        for train, held in parts:
            fits = []
            for kind in LOGISTIC:
                columns = self.columns(samples, train, kind)
                rows = columns.sample(MAX_SIZE_TO_CHOOSE["logistic"] // len(parts), rng)
                fits += self.fit_additive(columns, samples, rows, PENALTIES[kind])
            X, bits = samples.X[held], samples.bits[held]
            losses += np.array([self.mean_loss(fit.scores(X, bits), samples, held) for fit in fits])
        return choices[np.argmin(losses)] if parts else UNCHOSEN

    def stronger(self, penalty):
        kind, strength = penalty
        return kind, 10 * strength

    def initial_model(self, samples, rows, rng, *, penalty=None):
        constant = self.log_odds(samples.y[rows], samples.sample_weight[rows])
        if penalty is None:
            return InitialModel(AdditivePart.of_constant(constant), constant)
        kind, penalty = penalty
        columns = self.columns(samples, rows, kind)
        (additive,) = self.fit_additive(columns, samples, columns.sample(MAX_SIZE, rng), [penalty])
        return InitialModel(additive, constant)

    def columns(self, samples, rows, kind):
        """Those of an additive model with steps or, by its kind, without."""
        return Columns(samples, rows, self.n_outputs, LINE_POWERS["logistic"], steps=kind != "lines")

    def truth(self, samples, initial_model, rows):
        scores = initial_model.additive.scores(samples.X[rows], samples.bits[rows])
        return samples.y[rows], initial_model.constant, scores - initial_model.constant

    def training_data(self, samples, initial_model):
        offsets = initial_model.additive.scores(samples.X, samples.bits).astype(np.float32)
        return replace(super().training_data(samples, initial_model), offsets=offsets)

    def output_gain(self, initial_model):
        """Scores larger than 1 train faster under a cross-entropy, but for those beside an additive model's."""
        return 1.0 if initial_model.additive.steps.size or initial_model.additive.slopes.size else 2.0


@dataclass(frozen=True, eq=False)
class Classes(Categories):
    """One of several classes a row, encoded as its index."""

    labels: np.ndarray
    loss: str
    streaming: bool = False

    @property
    def output(self):
        return "logistic" if len(self.labels) == 2 else "softmax"

    @property
    def n_outputs(self):
        return 1 if len(self.labels) == 2 else len(self.labels)

    @property
    def most_rows_for_additive(self):
        return np.inf if self.n_outputs == 1 else 10_000

    def encode(self, y):
        if y.ndim != 1:
            raise ValueError(f"y has shape {y.shape}, which differs from the previous call's.")
        unknown = np.setdiff1d(y, self.labels)
        if len(unknown):
            raise ValueError(f"`y` has classes not in `self.classes_`: {unknown}. Known are {self.labels}.")
        return np.searchsorted(self.labels, y).astype(np.float32)[:, np.newaxis]

    def strata(self, y):
        return self.labels[y[:, 0].astype(int)]

    def numbers(self, samples, rows):
        y = samples.y[rows]
        return y if self.n_outputs == 1 else np.eye(self.n_outputs)[y[:, 0].astype(int)]

    def _log_odds(self, y, sample_weight):
        shares = np.bincount(y[:, 0].astype(int), sample_weight, len(self.labels)) / sample_weight.sum()
        log_shares = np.log((1 - RARE) * shares + RARE / len(shares))
        return log_shares[1:] - log_shares[:1] if self.n_outputs == 1 else log_shares

    def fit_additive(self, columns, samples, rows, penalties):
        y, sample_weight = samples.y, samples.sample_weight
        constant = self.log_odds(y[rows], sample_weight[rows])
        return fit_logistic(columns, y[:, 0], sample_weight, rows, constant=constant, penalties=penalties)


@dataclass(frozen=True, eq=False)
class Labels(Categories):
    """Any number of several labels a row, encoded as 0 or 1."""

    n_outputs: int
    loss: str
    streaming: bool = False
    output = "logistic"

    def encode(self, y):
        if y.ndim != 2 or y.shape[1] != self.n_outputs:
            raise ValueError(f"y has shape {y.shape}, which differs from the previous call's.")
        return np.ascontiguousarray(y, np.float32)

    def _log_odds(self, y, sample_weight):
        shares = (1 - RARE) * np.average(y, axis=0, weights=sample_weight) + RARE / 2
        return np.log(shares / (1 - shares))

    def fit_additive(self, columns, samples, rows, penalties):
        y, sample_weight = samples.y, samples.sample_weight
        constants = self.log_odds(y[rows], sample_weight[rows])[:, np.newaxis]
        fits = [
            fit_logistic(columns, label, sample_weight, rows, constant=constant, penalties=penalties)
            for label, constant in zip(y.T, constants, strict=True)
        ]
        return [AdditivePart.stacked(of_labels) for of_labels in zip(*fits, strict=True)]


@dataclass(frozen=True, eq=False)
class Reals(Targets):
    """Real numbers; a network learns what the initial model leaves, standardized."""

    n_outputs: int
    loss: str
    output = "identity"

    # By validation rows. Adam's output weights flip before those of the first layer. Real numbers take more units than
    # classes do, and longer training, of which a short one shows less.
    spread_factors = 2.0, 0.5
    fewest_units, smallest_batch, fewest_steps, most_epochs = 384, 128, 1250, 300
    little = 0.03

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

    def constant(self, samples, rows):
        """The initial model of constants."""
        find = location_and_scale if self.loss == "squared_error" else robust_location_and_scale
        location, scale = find(samples.y[rows], samples.sample_weight[rows])
        return InitialModel(AdditivePart.of_constant(location), location, scale, scale)

    def numbers(self, samples, rows):
        return self.standardized(samples.y[rows], self.constant(samples, rows))

    def standardized(self, y, initial_model):
        """Targets in standard deviations from the mean, as far as they count; 0 where they do not vary."""
        spread, farthest = initial_model.spread, FARTHEST[self.loss]
        with np.errstate(over="ignore", invalid="ignore"):
            deviations = (y - initial_model.constant) / np.where(spread > 0, spread, np.inf)
        return np.clip(np.nan_to_num(deviations), -farthest, farthest)

    def choose_penalty(self, samples, parts, rng):
        if self.loss != "squared_error":
            return None
        columns = Columns(samples, samples.rows, self.n_outputs, LINE_POWERS["ridge"])
        standardized = standardized_residual(samples, self.constant(samples, samples.rows))
        return choose_ridge_penalty(columns, standardized, samples.sample_weight, rng)

    def stronger(self, penalty):
        return 10 * penalty

    def initial_model(self, samples, rows, rng, *, penalty=None):
        constant = self.constant(samples, rows)
        if penalty is None:
            return constant
        columns = Columns(samples, rows, self.n_outputs, LINE_POWERS["ridge"])
        standardized = standardized_residual(samples, constant)
        ridge = fit_ridge(columns, standardized, samples.sample_weight, rng, penalty=penalty)
        additive = ridge.scaled(constant.scale, constant.constant)
        _, left = location_and_scale(residual(samples, additive)[rows], samples.sample_weight[rows])
        return constant._replace(additive=additive, scale=np.where(constant.scale > 0, left, 0))

    def truth(self, samples, initial_model, rows):
        unit = np.where(initial_model.spread > 0, initial_model.spread, np.inf)
        scores = initial_model.additive.scores(samples.X[rows], samples.bits[rows])
        targets = self.standardized(samples.y[rows], initial_model)
        return targets, np.zeros(self.n_outputs), (scores - initial_model.constant) / unit

    def output_gain(self, initial_model):
        """Less is better beside an additive model, by validation rows; alone it would take a stream long to grow."""
        return 0.1 if initial_model.additive.slopes.size or initial_model.additive.steps.size else 1.0

    def training_data(self, samples, initial_model):
        farthest = FARTHEST["squared_error"]
        targets = np.clip(standardized_residual(samples, initial_model), -farthest, farthest).astype(np.float32)
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
