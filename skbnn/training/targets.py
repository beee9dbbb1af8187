"""What targets mean: how y is encoded, the loss, what there is before a network, the score, what the output says."""

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from sklearn.metrics import accuracy_score

from skbnn.encoding import Combinations
from skbnn.encoding.resolution import MAX_SIZE_TO_RESOLVE, MIN_ROWS, find_resolution
from skbnn.encoding.sparse import dense
from skbnn.encoding.thresholds import subsample
from skbnn.network.trainer import TrainingData


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

    # Units of each of two layers, for tables of at least so many rows.
    widths = {0: 128, 4000: 256, 15_000: 512}

    # What a small table takes: rows of a mini-batch and mini-batches at least, and epochs at most.
    smallest_batch, fewest_steps, most_epochs = 32, 1500, 150

    # A network has to take this share off the loss of the initial model alone to be worth more than a short training;
    # ``decide`` has other limits where rows are many and where combinations were found.
    little = 0.05

    # The exponent of what a network deserves that trains for longer than the judge's: its errors grow with its scores.
    overconfidence = 1.0

    # Of an initial model, that held-out rows may ask for. One that is beyond the range of the others, where lines end,
    # could ask for much more than all others together.
    largest_share = 1.0

    fewest_to_score = 1

    # With more rows, a network learns as much without an additive model, which takes long to fit.
    most_rows_for_additive = np.inf

    @property
    def n_factors(self):
        """How many factors networks' scores deserve: one an output, unless only their differences mean anything."""
        return self.n_outputs

    def width(self, n_rows):
        """Units of each of two layers that suit so many rows."""
        return max(width for rows, width in self.widths.items() if rows <= n_rows)

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

    @abstractmethod
    def decode(self, y):
        """Targets as they were before ``encode``."""

    def strata(self, y):
        """The class of each row of encoded targets, or None where rows have none."""
        return None

    def resolution(self, samples, n_thresholds, rng):
        """Thresholds that each feature deserves, as ``find_resolution`` says; where rows are few, ``n_thresholds``."""
        most = MAX_SIZE_TO_RESOLVE // samples.X.shape[1]
        if min(most, len(samples.rows)) < MIN_ROWS:
            return n_thresholds
        rows = subsample(samples.rows, most, rng)
        numbers, sample_weight = self.numbers(samples, rows), samples.sample_weight[rows]
        return find_resolution(dense(samples.X[rows]), numbers, sample_weight, n_thresholds)

    def numbers(self, samples, rows):
        """Targets of some rows as numbers whose means say something, (n_rows, n)."""
        return samples.y[rows]

    def score(self, packed, X, y, sample_weight):
        """Score of a packed network on rows with encoded targets, higher is better."""
        return float(accuracy_score(y, packed.predict(X), sample_weight=sample_weight))

    @abstractmethod
    def loss_score(self, packed, X, y, sample_weight, initial_model):
        """Minus the packed network's mean loss of rows with encoded targets, as ``TrainingState.losses`` measure it."""

    def directions(self, samples, features, n_thresholds, rng):
        """Combinations of some features to try before principal components, of so many thresholds each at most."""
        return Combinations(np.empty((0, len(features))), [])

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
        penalty : hashable
            None if there is to be no additive model.
        fitted : dict of object to sequence of InitialModel
            Of some penalties the initial models of all parts, where they had to be fitted.
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

    def followed(self, initial_model, samples, share):
        """The initial model of what was seen, of which encoded samples are this share."""
        return initial_model

    def going_on(self, y, *, loss, streaming):
        """The same for a next call, which has this y.

        Raises
        ------
        ValueError
            If ``fit`` can't go on with it.
        """
        return replace(self, loss=loss, streaming=streaming)

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
