"""The rows of a table, as training sees them."""

from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from sklearn.model_selection import train_test_split

from skbnn.encoding import Encoding
from skbnn.encoding.encoding import round_significand
from skbnn.encoding.sparse import dense, hash_rows, without_empty_columns
from skbnn.training.parameters import FEW
from skbnn.training.splits import find_copies

# Copies are merged where fewer of the rows than this share are distinct; they hardly matter where they are fewer.
MOST_DISTINCT = 0.8

# Share of the largest weight; targets in standard deviations by weights that differ more would overflow float32.
SMALLEST_WEIGHT = 1e-30


@dataclass(frozen=True, eq=False)
class Samples:
    """Validated rows.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        Real numbers of any dtype.
    y : ndarray of shape (n_rows, n_columns)
        As ``Targets.encode`` gives them.
    sample_weight : ndarray of shape (n_rows,), float64
    rows : ndarray of int
        Those to train on.
    held : ndarray of int or None
        Those that are held out for early stopping.
    encoding : Encoding or None
    bits : ndarray of shape (n_rows, n_words), uint64, or None
        The rows in this encoding.
    unweighed : ndarray of shape (n_rows,), float64, or None
        The sample weights without those of classes, where there are such.
    nominal : ndarray of shape (n_features,), bool
        Features whose values are codes of categories.
    n_of_table : int or None
        Rows of the table that these were drawn from, where there are more.
    """

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray
    rows: np.ndarray
    held: np.ndarray | None = None
    encoding: Encoding | None = None
    bits: np.ndarray | None = None
    unweighed: np.ndarray | None = None
    nominal: np.ndarray | None = None
    n_of_table: int | None = None

    @property
    def n_rows(self):
        """Rows that are to be trained on: these, or those of the table that they stand for."""
        return self.n_of_table or len(self.rows)

    @classmethod
    def of(cls, X, y, sample_weight, class_weight, *, nominal=None):
        """Rows whose weights are positive, with another factor of each by its class: those that weigh something."""
        by_class = weights_by_class(sample_weight, class_weight)
        if not by_class.any() and sample_weight.any():
            raise ValueError("class_weight leaves no row a weight above 0.")
        sample_weight = scale_weights(sample_weight)
        unweighed = np.maximum(sample_weight, SMALLEST_WEIGHT)
        X, y, by_class, unweighed = without_weightless(by_class, X, y, by_class, unweighed)
        nominal = np.zeros(X.shape[1], bool) if nominal is None else nominal
        return cls(X, y, by_class, np.arange(len(y)), unweighed=unweighed, nominal=nominal)

    def with_encoding(self, encoding):
        """The same with this encoding, and no bits yet."""
        return replace(self, encoding=encoding, bits=None)

    def encoded(self):
        """The same, with bits."""
        return self if self.bits is not None else replace(self, bits=self.encoding.encode(self.X))

    def encode(self, encoding):
        """The same with bits in this encoding."""
        return self.with_encoding(encoding).encoded()

    def hashes(self, rows):
        """Hashes of these rows, and of each with its targets, both (n_rows,) uint64."""
        of_features = hash_rows(self.X, rows)
        return of_features, of_features ^ (hash_rows(self.y, rows) << np.uint64(1))

    @property
    def validation(self):
        """Features, targets and weights of the rows that are held out, or None."""
        return None if self.held is None else (self.X[self.held], self.y[self.held], self.sample_weight[self.held])

    def without_class_weights(self):
        """The same where no class weighs more than its rows: few rows of a rare one would decide on everything."""
        return self if self.unweighed is None else replace(self, sample_weight=self.unweighed)

    def arranged(self, parameters, targets, seed):
        """The same as training takes them: copies merged, weights without a unit, those held out that were asked for.

        Rows are merged first, by sums that are exact where weights are as many rows.
        """
        samples = self.merged() if parameters.shuffle and not parameters.streaming else self
        weights, unweighed = map(without_unit, (samples.sample_weight, samples.unweighed))
        alike = np.array_equal(weights, unweighed)
        samples = replace(samples, sample_weight=weights, unweighed=None if alike else unweighed)
        if not parameters.validation_fraction:
            return samples
        return samples.hold_out(parameters.validation_fraction, targets, seed)

    def merged(self):
        """The same where copies of a row are one of their weights' sum: of few rows always, else if many are copies.

        Whatever is decided by rows, or by leaving some out, would take copies for knowledge of rows to come. Of few
        rows, equal ones are copies, and the order does not depend on the rows' own: a weight is exactly as many rows.
        """
        few = len(self.rows) < FEW
        first, place = self.equal_rows() if few else find_copies(self, self.rows)
        if not few and len(first) >= MOST_DISTINCT * len(self.rows):
            return self
        all_weights = self.sample_weight, self.without_class_weights().sample_weight
        sums = (scale_weights(np.bincount(place, part)) for part in all_weights)
        weights, unweighed = (np.maximum(part, SMALLEST_WEIGHT) for part in sums)
        X, y = self.X[first], self.y[first]
        return replace(self, X=X, y=y, sample_weight=weights, rows=np.arange(len(first)), unweighed=unweighed)

    def equal_rows(self):
        """The first row of each kind, ordered by values from the last target on, and the place of each row's kind."""
        place = np.zeros(len(self.y), int)  # by the last column, by the one before where that is the same, and so on
        for column in chain(self.y.T[::-1], dense(without_empty_columns(self.X)).T[::-1]):
            if place.max() == len(place) - 1:
                break
            values = np.unique(column, return_inverse=True)[1]  # one NaN is another
            place = np.unique(place * len(place) + values, return_inverse=True)[1]
        return np.unique(place, return_index=True)[1], place

    def hold_out(self, fraction, targets, seed):
        """The same with a part of ``rows`` held out.

        One seed holds out the same of the same rows, so that a warm start validates on rows that it has not seen.

        Raises
        ------
        ValueError
            If too few rows would be left, or held out.
        """
        n_rows, strata = len(self.rows), targets.strata(self.y[self.rows])
        try:
            rows, held = train_test_split(self.rows, test_size=fraction, stratify=strata, random_state=seed)
        except ValueError as error:
            raise ValueError(
                f"validation_fraction={fraction} does not suit {n_rows} rows, copies aside: {error}"
            ) from error
        if len(held) < targets.fewest_to_score:
            raise ValueError(f"validation_fraction={fraction} of {n_rows} rows is one row, which has no R².")
        return replace(self, rows=rows, held=held)


def without_weightless(sample_weight, *arrays):
    """The rows of positive weight of each array: a weight of zero is the same as no row at all."""
    kept = sample_weight > 0
    if not kept.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return arrays if kept.all() else tuple(array[kept] for array in arrays)


def scale_weights(sample_weight):
    """Divide weights by a power of two, which is exact, so that the largest is within [0.5, 1) and no sum overflows.

    What is too small beside it to count in a sum becomes 0.
    """
    scaled = np.ldexp(sample_weight, -np.frexp(sample_weight.max())[1])
    return np.where(scaled > SMALLEST_WEIGHT * scaled.max(), scaled, 0)


def weights_by_class(sample_weight, class_weight):
    """Weights with another factor of each by its class, scaled; what weighs nothing is 0."""
    return scale_weights(scale_weights(sample_weight) * scale_weights(class_weight))


def without_unit(sample_weight):
    """Scaled weights as multiples of the smallest that is not 0, so that a factor of all of them makes no difference.

    Division rounds, and so did the factor; the multiples have 24 significant bits, in which neither shows. Of weights
    that are as many rows, up to 2**24, these are all.
    """
    return scale_weights(round_significand(sample_weight / sample_weight[sample_weight > 0].min()))
