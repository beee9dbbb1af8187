"""Targets that are real numbers."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import r2_score

from skbnn.encoding.projection_pursuit import pursue_directions
from skbnn.encoding.sparse import dense
from skbnn.encoding.standardization import location_and_scale, robust_location_and_scale
from skbnn.encoding.thresholds import subsample
from skbnn.initial_models.additive import LINE_POWERS, Columns, choose_ridge_penalty, fit_ridge
from skbnn.initial_models.initial_model import InitialModel
from skbnn.network.trainer import LOSSES
from skbnn.packed.additive_part import AdditivePart
from skbnn.training.targets import Targets

# How far from the rest a target counts, in standard deviations. A row that is held out can be arbitrarily far, and its
# square has to be finite; losses that are robust are not to be judged by outliers.
FARTHEST = {"squared_error": 1e18, "huber": 10.0, "absolute_error": 10.0}

# The same in a stream, whose scale is not known yet, and whose networks a single row can lead astray.
FARTHEST_OF_STREAM = 10.0

# Beyond so many standard deviations a target counts as if it were there, where least squares stand in for the loss.
OUTLYING = {"squared_error": np.inf, "huber": 3.0, "absolute_error": 3.0}

MAX_SIZE_TO_PURSUE = 2**17  # floats of X and y by which directions are sought


@dataclass(frozen=True, eq=False)
class Reals(Targets):
    """Real numbers; a network learns what the initial model leaves, standardized."""

    n_outputs: int
    loss: str
    streaming: bool = False
    output = "identity"

    # By validation rows. Adam's output weights flip before those of the first layer. Real numbers take more units than
    # classes do, and longer training, of which a short one shows less.
    spread_factors = 2.0, 0.5
    widths = {0: 512}
    smallest_batch, fewest_steps, most_epochs = 128, 1250, 300
    little = 0.03

    fewest_to_score = 2  # rows; R² needs two

    def encode(self, y):
        columns = y.reshape(len(y), -1).astype(np.float64)
        if columns.shape[1] != self.n_outputs:
            raise ValueError(f"y has {columns.shape[1]} outputs; the first y had {self.n_outputs}.")
        return columns

    def decode(self, y):
        return y[:, 0] if self.n_outputs == 1 else y

    def score(self, packed, X, y, sample_weight):
        exponents = np.frexp(np.abs(y).max(axis=0))[1]  # R² knows no unit, but squares could overflow
        predicted = packed.predict(X).reshape(y.shape)
        return float(r2_score(np.ldexp(y, -exponents), np.ldexp(predicted, -exponents), sample_weight=sample_weight))

    def loss_score(self, packed, X, y, sample_weight, initial_model):
        left = in_units_of(initial_model.scale, y - packed.decision_function(X))
        left = np.clip(left, -FARTHEST["squared_error"], FARTHEST["squared_error"]).astype(np.float32)
        return -LOSSES[self.loss]()(left, np.zeros_like(left), sample_weight, np.empty_like(left))

    def directions(self, samples, features, n_thresholds, rng):
        rows = subsample(samples.rows, MAX_SIZE_TO_PURSUE // (len(features) + samples.y.shape[1]), rng)
        X = dense(samples.X[np.ix_(rows, features)])
        numbers = np.clip(self.numbers(samples, rows), -OUTLYING[self.loss], OUTLYING[self.loss])
        return pursue_directions(X, numbers, samples.sample_weight[rows], n_thresholds)

    def constant(self, samples, rows):
        """The initial model of constants."""
        location, scale = self.location_and_scale(samples.y[rows], samples.sample_weight[rows])
        return InitialModel(AdditivePart.of_constant(location), location, scale, scale)

    def location_and_scale(self, y, sample_weight, scale=0):
        """Those that suit the loss."""
        find = location_and_scale if self.loss == "squared_error" else robust_location_and_scale
        if self.streaming:  # one outlier would be in there for a long time
            median, spread = robust_location_and_scale(y, sample_weight)
            with np.errstate(over="ignore"):
                reach = FARTHEST_OF_STREAM * np.maximum(spread, scale)
                y = np.clip(y, median - reach, median + reach)
        return find(y, sample_weight)

    def followed(self, initial_model, samples, share):
        """The same with the mean and the standard deviation of what it leaves as they are with these samples."""
        additive, scale, rows = initial_model.additive, initial_model.scale, samples.rows
        left, sample_weight = residual(samples, additive)[rows], samples.sample_weight[rows]
        location, spread = self.location_and_scale(left, sample_weight, scale)
        # Of a mixture of two: the mean squares within each, and the square of their distance. Squares could overflow.
        within = np.hypot(np.sqrt(1 - share) * scale, np.sqrt(share) * spread)
        scale = np.hypot(within, np.sqrt(share * (1 - share)) * location)
        return initial_model._replace(
            additive=additive._replace(constant=additive.constant + share * location), scale=scale
        )

    def additive_targets(self, samples, constant):
        """What an additive model fits by least squares: standardized targets, of robust losses without outliers."""
        return np.clip(standardized_residual(samples, constant), -OUTLYING[self.loss], OUTLYING[self.loss])

    def numbers(self, samples, rows):
        return self.standardized(samples.y[rows], self.constant(samples, rows))

    def standardized(self, y, initial_model):
        """Targets in standard deviations from the mean, as far as they count; 0 where they do not vary."""
        farthest = FARTHEST[self.loss]
        with np.errstate(over="ignore", invalid="ignore"):
            deviations = (y - initial_model.constant) / initial_model.unit
        return np.clip(np.nan_to_num(deviations), -farthest, farthest)

    def choose_penalty(self, samples, parts, rng):
        columns = Columns(samples, samples.rows, self.n_outputs, LINE_POWERS["ridge"])
        standardized = self.additive_targets(samples, self.constant(samples, samples.rows))
        return tuple(choose_ridge_penalty(columns, standardized, samples.sample_weight, rng)), {}

    def stronger(self, penalty):
        return tuple(10 * of_output for of_output in penalty)

    def initial_model(self, samples, rows, rng, *, penalty=None):
        constant = self.constant(samples, rows)
        if penalty is None:
            return constant
        columns = Columns(samples, rows, self.n_outputs, LINE_POWERS["ridge"])
        standardized = self.additive_targets(samples, constant)
        ridge = fit_ridge(columns, standardized, samples.sample_weight, rng, penalty=penalty)
        additive = ridge.scaled(constant.scale, constant.constant)
        _, left = self.location_and_scale(residual(samples, additive)[rows], samples.sample_weight[rows])
        return constant._replace(additive=additive, scale=np.where(constant.scale > 0, left, 0))

    def truth(self, samples, initial_model, rows):
        scores = initial_model.additive.scores(samples.X[rows], samples.bits[rows])
        targets = self.standardized(samples.y[rows], initial_model)
        return targets, np.zeros(self.n_outputs), (scores - initial_model.constant) / initial_model.unit

    def output_gain(self, initial_model):
        """Less is better beside an additive model, by validation rows; alone it would take a stream long to grow."""
        return 0.1 if initial_model.additive.varies else 1.0

    def training_data(self, samples, initial_model):
        farthest = FARTHEST_OF_STREAM if self.streaming else FARTHEST["squared_error"]
        targets = np.clip(standardized_residual(samples, initial_model), -farthest, farthest).astype(np.float32)
        return replace(super().training_data(samples, initial_model), targets=targets)


def residual(samples, additive):
    """What the additive part leaves of real targets, (n_rows, n_outputs)."""
    return samples.y - additive.scores(samples.X, samples.bits)


def in_units_of(scale, left):
    """Differences of real targets by their scale; 0 where that is 0."""
    with np.errstate(over="ignore"):
        return left / np.where(scale > 0, scale, np.inf)


def standardized_residual(samples, initial_model):
    """What the initial model leaves, by its scale; 0 where that is 0, so that a constant predicts itself.

    Raises ValueError if the scale is not finite.
    """
    targets = in_units_of(initial_model.scale, residual(samples, initial_model.additive))
    if np.isnan(targets).any() or not np.isfinite(initial_model.scale).all():
        raise ValueError("y is too large: its spread is not finite.")
    return targets
