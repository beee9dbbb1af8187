"""Which features say something of the targets, each alone or two together."""

from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np

from skbnn.packed.layout import unpack
from skbnn.training.score_test import ScoreTest

# Features are judged by as many rows as have so many bits.
MOST_BITS = 2**22

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
        """So many of the rows at most, spread evenly."""
        return self.every(-(-len(self.rows) // max(most, 1)))

    def every(self, nth, first=0):
        """Every ``nth`` of the rows, from ``first`` on."""
        some = np.arange(first, len(self.rows), nth)
        return self._replace(**{name: getattr(self, name)[some] for name in self._fields[2:]})

    def loss(self, loss, scores):
        """The loss of other scores of these rows, and its slopes, (n_rows, n_outputs)."""
        slopes = np.empty(scores.shape, np.float32)
        return loss(scores.astype(np.float32), self.targets, self.sample_weight, slopes), slopes


class Relevance(NamedTuple):
    """What features are worth, as the loss of initial models on rows that these have not seen.

    Attributes
    ----------
    alone : ndarray of shape (n_features,)
        How much more the loss is without what the initial model adds for each feature.
    together : ndarray of shape (n_features,)
        About how much less it would be with the best product of each feature and another; 0 if that may be chance.
    """

    alone: np.ndarray
    together: np.ndarray

    @property
    def interacts(self):
        """Whether two features say together what neither says alone."""
        return bool(self.together.any())

    def exceeds(self, share):
        """Which features are worth more than this share of what all of them are, a mask; all if none is."""
        worth = self.alone + self.together
        selected = worth > share * worth.clip(0).sum()
        return selected if selected.any() else np.ones(len(selected), bool)


def find_relevance(parts, loss):
    """The Relevance of features.

    Parameters
    ----------
    parts : list of Unseen
        Rows of each of several initial models.
    loss : Loss
        Of the scores.

    Returns
    -------
    Relevance
    """
    n_features = parts[0].samples.X.shape[1]
    parts = [part for part in parts if part.initial_model.additive.varies]
    if not parts:
        return Relevance(*np.zeros((2, n_features)))
    alone = np.mean([worth_alone(part, loss) for part in parts], axis=0)
    together = np.zeros(n_features)
    if n_features**2 * parts[0].scores.shape[1] <= MOST_SUMS:
        tested = reduce(add, (tested_products(part, loss) for part in parts))
        # What a product takes off is half its chi-squared of a cross-entropy, which is about a half itself, and of
        # squared errors as many times their half, which is their loss.
        together = tested.evidence().max(axis=0) * np.mean([part.loss(loss, part.scores)[0] for part in parts])
    return Relevance(alone, together)


def worth_alone(part, loss):
    """How much more the loss of the initial model is without what each feature adds to it, (n_features,)."""
    part = part.thinned(MOST_BITS // part.samples.encoding.n_bits)
    X, bits, initial_model = part.samples.X[part.rows], part.samples.bits[part.rows], part.initial_model
    unit = np.where(initial_model.spread > 0, initial_model.spread, 1)
    of_features = initial_model.additive.scores_of_features(X, bits, part.samples.encoding.offsets)
    without = (part.scores - (added - added.mean(axis=0)) / unit for added in of_features)
    return np.array([part.loss(loss, scores)[0] for scores in without]) - part.loss(loss, part.scores)[0]


def tested_products(part, loss):
    """The ScoreTest of features, each as the number of its bits that are set; categories have no order, and no say."""
    encoding, n_features = part.samples.encoding, part.samples.X.shape[1]
    n_products = n_features**2 * part.scores.shape[1]
    part = part.thinned(min(MOST_BITS // encoding.n_bits, MOST_PRODUCTS // n_products))
    set_before = np.zeros((len(part.rows), encoding.n_bits + 1))
    np.cumsum(unpack(part.samples.bits[part.rows], encoding.n_bits), axis=1, out=set_before[:, 1:])
    levels = np.diff(set_before[:, encoding.offsets[: n_features + 1]], axis=1)
    levels[:, encoding.nominal] = 0
    return ScoreTest.of(levels, part.loss(loss, part.scores)[1].astype(np.float64))
