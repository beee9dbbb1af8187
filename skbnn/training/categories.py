"""Targets that are classes or labels."""

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from skbnn.initial_models.additive import (
    LINE_POWERS,
    MAX_SIZE,
    MAX_SIZE_TO_CHOOSE,
    PENALTIES,
    Columns,
    fit_logistic,
)
from skbnn.initial_models.initial_model import InitialModel
from skbnn.network.trainer import LOSSES
from skbnn.packed.additive_part import AdditivePart
from skbnn.training.targets import Targets

# Labels to choose a penalty by, and with more labels than the latter no regression of each.
ENOUGH_LABELS, MOST_LABELS = 4, 16

MANY_CLASSES = 16  # more of them have more to tell apart in as many rows

RARE = 1e-3  # share of all rows that are taken to be of any class, so that no class is impossible

# Kinds of additive models of classes, and what is fitted where rows are too few to choose.
LOGISTIC, UNCHOSEN = ("lines", "logistic"), ("lines", 1.0)


class Categories(Targets):
    """What classes and labels have in common: a score for each that may be true."""

    # Networks grow ever surer of the classes of rows that they have seen.
    overconfidence = 2.0

    # Penalties to choose from are few, and what a row can ask for is bounded.
    largest_share = 2.0

    def constant(self, y, sample_weight):
        """The scores of a row of which nothing is known, (n_outputs,) float64: those of the smallest loss.

        Of a stream, which may come sorted by class, frequencies say nothing.
        """
        if self.streaming:
            return np.zeros(self.n_outputs)
        shares = self.shares(y, sample_weight)
        if self.loss == "squared_hinge":
            return 2 * shares[-self.n_outputs :] - 1
        return self.log_odds(shares)

    @abstractmethod
    def shares(self, y, sample_weight):
        """The share of rows of which each class or label is true, by encoded targets; with two classes, of both."""

    @abstractmethod
    def log_odds(self, shares):
        """The scores that say these shares, (n_outputs,), as log_loss reads them; none of them is impossible."""

    @abstractmethod
    def fit_additive(self, columns, samples, rows, penalties):
        """Logistic regressions of these rows, an AdditivePart for each penalty, one after the other."""

    def mean_loss(self, scores, y, sample_weight):
        """The loss of the scores of rows with encoded targets."""
        scores = scores.astype(np.float32)
        return LOSSES[self.network_loss]()(scores, y.astype(np.float32), sample_weight, np.empty_like(scores))

    def loss_score(self, packed, X, y, sample_weight, initial_model=None):
        return -self.mean_loss(packed.decision_function(X), y, sample_weight)

    def choose_penalty(self, samples, parts, rng):
        if self.loss != "log_loss":
            return None, {}
        if not parts:
            return UNCHOSEN, {}
        losses, fitted, most = {}, {}, MAX_SIZE_TO_CHOOSE["logistic"] // len(parts)
        for kind in LOGISTIC:
            least, paths = np.inf, [self.path(samples, train, rng, kind, PENALTIES[kind], most) for train, _ in parts]
            # A model of some of the rows chooses a penalty, but says less than the one that is to come.
            whole = all(len(train) * self.columns(samples, train, kind).n_columns <= most for train, _ in parts)
            for strength, *models in zip(PENALTIES[kind], *paths, strict=True):
                each = zip(models, parts, strict=True)
                loss = sum(self.loss_of_initial_model(model, samples, held) for model, (_, held) in each)
                losses[kind, strength] = loss
                if whole:
                    fitted[kind, strength] = models
                if loss > least:  # weaker ones take longest, and overfit even more
                    break
                least = loss
        return min(losses, key=losses.get), fitted

    def loss_of_initial_model(self, initial_model, samples, rows):
        """The mean loss of the initial model on these rows."""
        scores = initial_model.additive.scores(samples.X[rows], samples.bits[rows])
        return self.mean_loss(scores, samples.y[rows], samples.sample_weight[rows])

    def stronger(self, penalty):
        kind, strength = penalty
        return kind, 10 * strength

    def initial_model(self, samples, rows, rng, *, penalty=None):
        if penalty is None:
            constant = self.constant(samples.y[rows], samples.sample_weight[rows])
            return InitialModel(AdditivePart.of_constant(constant), constant)
        kind, strength = penalty
        return next(self.path(samples, rows, rng, kind, [strength], MAX_SIZE))

    def path(self, samples, rows, rng, kind, strengths, max_size):
        """Yield an initial model for each strength of the penalty, by as many rows as come to ``max_size`` floats."""
        constant = self.constant(samples.y[rows], samples.sample_weight[rows])
        columns = self.columns(samples, rows, kind)
        for additive in self.fit_additive(columns, samples, columns.sample(max_size, rng), strengths):
            yield InitialModel(additive, constant)

    def columns(self, samples, rows, kind):
        """Those of an additive model with steps or, by its kind, without."""
        return Columns(samples, rows, self.n_outputs, LINE_POWERS["logistic"], steps=kind != "lines")

    def truth(self, samples, initial_model, rows):
        scores = initial_model.additive.scores(samples.X[rows], samples.bits[rows])
        return samples.y[rows], initial_model.constant, scores - initial_model.constant

    def training_data(self, samples, initial_model):
        additive, bits = initial_model.additive, samples.bits
        if additive.varies:
            offsets = additive.scores(samples.X, bits, np.float32)
        else:  # one row in place of all
            offsets = np.broadcast_to(additive.constant.astype(np.float32), (len(bits), self.n_outputs))
        return replace(super().training_data(samples, initial_model), offsets=offsets)

    def output_gain(self, initial_model):
        """Scores larger than 1 train faster under a cross-entropy, but for those beside an additive model's."""
        return 1.0 if initial_model.additive.varies or self.loss != "log_loss" else 2.0


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

    n_factors = 1

    @property
    def most_rows_for_additive(self):
        return np.inf if self.output == "logistic" else 10_000

    def width(self, n_rows):
        return super().width(n_rows * max(1, self.n_outputs / MANY_CLASSES))

    def going_on(self, y, *, loss, streaming):
        classes = np.unique(y)
        if not streaming and not np.array_equal(classes, self.labels):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.labels}, `y` has {classes}."
            )
        return super().going_on(y, loss=loss, streaming=streaming)

    def encode(self, y):
        if y.ndim != 1:
            raise ValueError(f"y has shape {y.shape}; the first y had one column, of classes.")
        unknown = np.setdiff1d(y, self.labels)
        if len(unknown):
            raise ValueError(f"`y` has classes not in `self.classes_`: {unknown}. Known are {self.labels}.")
        return np.searchsorted(self.labels, y).astype(np.float32)[:, np.newaxis]

    def decode(self, y):
        return self.labels[y[:, 0].astype(int)]

    def strata(self, y):
        return self.decode(y)

    def numbers(self, samples, rows):
        y = samples.y[rows]
        return y if self.output == "logistic" else np.eye(self.n_outputs)[y[:, 0].astype(int)]

    def shares(self, y, sample_weight):
        return np.bincount(y[:, 0].astype(int), sample_weight, len(self.labels)) / sample_weight.sum()

    def log_odds(self, shares):
        log_shares = np.log((1 - RARE) * shares + RARE / len(shares))
        return log_shares[1:] - log_shares[:1] if self.output == "logistic" else log_shares

    def fit_additive(self, columns, samples, rows, penalties):
        y, sample_weight = samples.y, samples.sample_weight
        constant = self.constant(y[rows], sample_weight[rows])
        return fit_logistic(columns, y[:, 0], sample_weight, rows, constant=constant, penalties=penalties)


@dataclass(frozen=True, eq=False)
class Labels(Categories):
    """Any number of several labels a row, encoded as 0 or 1."""

    n_outputs: int
    loss: str
    streaming: bool = False
    output = "logistic"

    @property
    def most_rows_for_additive(self):
        return np.inf if self.n_outputs <= MOST_LABELS else 0

    def choose_penalty(self, samples, parts, rng):
        if self.n_outputs > ENOUGH_LABELS:  # for the rest as well
            few = replace(samples, y=samples.y[:, :ENOUGH_LABELS])
            penalty, _ = replace(self, n_outputs=ENOUGH_LABELS).choose_penalty(few, parts, rng)
            return penalty, {}
        return super().choose_penalty(samples, parts, rng)

    def score(self, packed, X, y, sample_weight):
        """Minus the mean loss of a label: of many, hardly a row is right in all, and rare ones are hardly ever true."""
        return self.loss_score(packed, X, y, sample_weight) / self.n_outputs

    def encode(self, y):
        if y.ndim != 2 or y.shape[1] != self.n_outputs:
            raise ValueError(f"y has shape {y.shape}; the first y had {self.n_outputs} columns, of labels.")
        return np.ascontiguousarray(y, np.float32)

    def decode(self, y):
        return y.astype(int)

    def shares(self, y, sample_weight):
        return np.average(y, axis=0, weights=sample_weight)

    def log_odds(self, shares):
        shares = (1 - RARE) * shares + RARE / 2
        return np.log(shares / (1 - shares))

    def fit_additive(self, columns, samples, rows, penalties):
        y, sample_weight = samples.y, samples.sample_weight
        constants = self.constant(y[rows], sample_weight[rows])[:, np.newaxis]
        fits = [
            list(fit_logistic(columns, label, sample_weight, rows, constant=constant, penalties=penalties))
            for label, constant in zip(y.T, constants, strict=True)
        ]
        return [AdditivePart.stacked(of_labels) for of_labels in zip(*fits, strict=True)]
