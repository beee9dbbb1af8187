"""Which features say something of the targets, each alone or two together."""

from typing import NamedTuple

import numpy as np

from skbnn.packed.layout import unpack
from skbnn.training.score_test import ScoreTest

# Features are judged by as many rows as have so many bits; each alone by as many as have so many scores, of all outputs
# without each of the features.
MOST_BITS, MOST_SCORES = 2**22, 2**26

# Pairs are not looked at where sums of them would be so many, and by as many rows as come to so many products.
MOST_SUMS, MOST_PRODUCTS = 2**19, 2**28


class Unseen(NamedTuple):
    """Rows that an initial model has not seen.

    Attributes
    ----------
    samples : Samples
        With bits.
    initial_model : InitialModel
    rows : ndarray of int
        Those of the samples.
    targets : ndarray of shape (n_rows, n_columns), float32
        As the loss reads them.
    sample_weight : ndarray of shape (n_rows,)
    scores : ndarray of shape (n_rows, n_outputs)
        The initial model's.
    """

    samples: object
    initial_model: object
    rows: np.ndarray
    targets: np.ndarray
    sample_weight: np.ndarray
    scores: np.ndarray

    def thinned(self, most):
        """So many of the rows at most, spread evenly: the first ones could be of one class."""
        some = np.arange(0, len(self.rows), -(-len(self.rows) // max(most, 1)))
        of_some = (part[some] for part in (self.rows, self.targets, self.sample_weight, self.scores))
        return Unseen(self.samples, self.initial_model, *of_some)

    def loss_and_slopes(self, loss):
        """The loss of the scores, and its slopes, (n_rows, n_outputs)."""
        slopes = np.empty(self.scores.shape, np.float32)
        return loss(self.scores.astype(np.float32), self.targets, self.sample_weight, slopes), slopes


class Relevance(NamedTuple):
    """What features are worth, as the loss of initial models on rows that these have not seen.

    Attributes
    ----------
    alone : ndarray of shape (n_factors, n_features)
        How much more the loss is without what the initial model adds for each feature; one, or one of each output, as
        ``Targets.n_factors`` says.
    together : ndarray of shape (n_features,)
        Roughly how much less that of an output would be with the best product of each feature and another; 0 if that
        may be chance.
    """

    alone: np.ndarray
    together: np.ndarray

    @property
    def interacts(self):
        """Whether two features say together what the initial model does not."""
        return bool(self.together.any())

    def exceeds(self, share):
        """Which features are worth more than this share of what all of them are, a mask; all if none is.

        A feature counts if one output needs it. All outputs are measured by the largest total of one: the total of an
        output that is noise is chance.
        """
        worth = self.alone + self.together
        selected = (worth > share * worth.clip(0).sum(axis=1).max()).any(axis=0)
        return selected if selected.any() else np.ones(len(selected), bool)


def find_relevance(parts, loss, n_factors):
    """The Relevance of features.

    Parameters
    ----------
    parts : list of Unseen
        Rows of each of several initial models.
    loss : Loss
        Of the scores.
    n_factors : int
        As ``Targets.n_factors`` says.

    Returns
    -------
    Relevance
    """
    n_features = parts[0].samples.X.shape[1]
    parts = [part for part in parts if part.initial_model.additive.varies]
    if not parts:
        return Relevance(np.zeros((n_factors, n_features)), np.zeros(n_features))
    alone = np.mean([worth_alone(part, loss, n_factors) for part in parts], axis=0)
    together = np.zeros(n_features)
    if n_features**2 * parts[0].scores.shape[1] <= MOST_SUMS:
        tested = ScoreTest(*map(sum, zip(*(tested_products(part, loss) for part in parts), strict=True)))
        # Half the chi-squared a row, times the ratio of the slopes' squares to the curvature, is what a product takes
        # off. That is twice the loss for squared errors, and 1 for a cross-entropy, whose loss is near a half.
        of_target = np.mean([part.loss_and_slopes(loss)[0] / part.targets.shape[1] for part in parts])
        together = tested.significant_effects().max(axis=0) * of_target
    return Relevance(alone, together)


def worth_alone(part, loss, n_factors):
    """How much more the loss of the initial model is without what each feature adds to it, (n_factors, n_features)."""
    n_scores = part.samples.X.shape[1] * part.scores.shape[1]
    part = part.thinned(min(MOST_BITS // part.samples.encoding.n_bits, MOST_SCORES // n_scores))
    X, bits, initial_model = part.samples.X[part.rows], part.samples.bits[part.rows], part.initial_model
    of_features = initial_model.additive.scores_of_features(X, bits, part.samples.encoding.offsets)
    without = (
        part.scores - (added - np.average(added, axis=0, weights=part.sample_weight)) / initial_model.unit
        for added in of_features
    )
    of_all = losses_of_factors(loss, n_factors, part.scores, part)
    return np.stack([losses_of_factors(loss, n_factors, scores, part) - of_all for scores in without], axis=1)


def losses_of_factors(loss, n_factors, scores, rows):
    """The loss of the scores of each factor's outputs, (n_factors,), by the rows' ``targets`` and ``sample_weight``."""
    n_rows = len(scores)
    scores, targets = (array.reshape(n_rows * n_factors, -1) for array in (scores.astype(np.float32), rows.targets))
    weights = np.repeat(rows.sample_weight, n_factors)  # whose sum, by which a loss is divided, is so many times theirs
    of_rows = loss.of_rows(scores, targets, weights, np.empty_like(scores)).reshape(n_rows, n_factors)
    return n_factors * of_rows.sum(axis=0)


def tested_products(part, loss):
    """The ScoreTest of features, each as the number of its bits that are set, or as the place of its category."""
    encoding, n_features = part.samples.encoding, part.samples.X.shape[1]
    n_products = n_features**2 * part.scores.shape[1]
    part = part.thinned(min(MOST_BITS // encoding.n_bits, MOST_PRODUCTS // n_products))
    offsets = encoding.offsets[: n_features + 1]
    bits = unpack(part.samples.bits[part.rows], offsets[-1]) * steps_of_bits(offsets, encoding.nominal)
    sums_before = np.zeros((len(part.rows), offsets[-1] + 1), np.float32)
    np.cumsum(bits, axis=1, out=sums_before[:, 1:])
    levels, (_, slopes) = np.diff(sums_before[:, offsets], axis=1), part.loss_and_slopes(loss)
    return ScoreTest.of(levels.astype(np.float64), slopes.astype(np.float64))


def steps_of_bits(offsets, nominal):
    """By how much a bit that is set raises its feature's level, of which one of a nominal feature alone is set."""
    counts = np.diff(offsets)
    place = 1 + np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    return np.where(np.repeat(nominal, counts), place, 1).astype(np.float32)
