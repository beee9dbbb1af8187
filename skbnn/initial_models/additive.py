"""Fits additive models: of each feature a step function and a straight line."""

import warnings

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV

from skbnn.encoding.standardization import location_and_scale
from skbnn.encoding.thresholds import subsample
from skbnn.packed.additive_part import AdditivePart, rise
from skbnn.packed.layout import unpack

# Largest matrix, in floats, to choose a penalty by and to fit; rows beyond that are left out.
MAX_SIZE_TO_CHOOSE, MAX_SIZE = 2**19, 2**23

# With more bits than this, MAX_SIZE would leave too few rows to fit them by, so steps are at every other threshold, or
# every third, and so on.
MAX_BITS = 4096

# With more features than this, each would have a step even so, and there is no additive model.
MAX_FEATURES = 4096

SMALLEST_UNIT = 1e-100  # a feature of a smaller standard deviation has no line, as slopes would be huge

PENALTIES = np.logspace(-1, 4, 6)  # of a ridge regression, to choose from

INVERSE_PENALTY = 0.4  # C of the logistic regression


class Columns:
    """The columns that an additive model weighs: bits as 0 or 1, and each feature that has several, as a number.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    bits : ndarray of shape (n_rows, n_words), uint64
        Packed rows.
    encoding : skbnn.encoding.Encoding
    rows : ndarray of int
        Those to fit by.
    lines : bool, default=True
        Whether there are features beside the bits.
    """

    def __init__(self, X, bits, encoding, rows, *, lines=True):
        self.X, self.bits, self.n_bits, self.rows = X, bits, encoding.n_bits, rows
        self.steps = spread(encoding.offsets, -(-encoding.n_bits // MAX_BITS))
        # A feature's only bit says it all, or all that was asked for.
        bits_of = np.diff(encoding.offsets)[: X.shape[1]]
        self.lines = np.flatnonzero(bits_of >= 2) if lines else np.empty(0, np.intp)
        # A feature's steps share a line that they make up, and then pay a fraction of its penalty; so does its number.
        steps_of = np.diff(np.searchsorted(self.steps, encoding.offsets))
        self.line_weights = np.sqrt(steps_of[self.lines])

    def sample(self, max_size, rng):
        """As many of the rows as come to ``max_size`` floats, ascending."""
        return subsample(self.rows, max_size // (len(self.steps) + len(self.lines)), rng)

    def fit(self, model, rows, y, sample_weight):
        """Fit scikit-learn's linear model to these rows of y and of the weights; returns it as an AdditivePart."""
        weights = sample_weight[rows] / sample_weight[rows].mean()
        X = self.X[np.ix_(rows, self.lines)]
        ranges = find_ranges(X)  # of these rows: no other has a say in the slopes, nor reaches farther along them
        risen = rise(X, ranges)
        _, std = location_and_scale(risen, np.ones(len(risen)))  # by weights it could be far below the range
        unit = np.where(std > SMALLEST_UNIT, std / self.line_weights, np.inf)
        steps = unpack(self.bits[rows], self.n_bits)[:, self.steps]
        matrix = np.hstack([steps.astype(np.float32), (risen / unit).astype(np.float32)])
        # Equal columns, and rows that outweigh all others, are no one's mistake, and this need not be the optimum.
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.simplefilter("ignore", LinAlgWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(matrix, y[rows], weights)
        coef = model.coef_.reshape(-1, matrix.shape[1]).astype(np.float64)
        part = AdditivePart(np.reshape(model.intercept_, len(coef)), np.zeros((len(coef), self.n_bits)))
        part.steps[:, self.steps] = coef[:, : len(self.steps)]
        if not len(self.lines):
            return part
        slopes, all_ranges = np.zeros((len(coef), self.X.shape[1])), np.zeros((2, self.X.shape[1]))
        slopes[:, self.lines], all_ranges[:, self.lines] = coef[:, len(self.steps) :] / unit, ranges
        return part._replace(slopes=slopes, ranges=all_ranges)


def choose_penalty(columns, y, sample_weight, rng):
    """The penalty that leave-one-out cross-validation likes best, (n_outputs,); parameters are ``fit_ridge``'s."""
    ridge = RidgeCV(PENALTIES, alpha_per_target=y.shape[1] > 1)
    columns.fit(ridge, columns.sample(MAX_SIZE_TO_CHOOSE, rng), y, sample_weight)
    return np.broadcast_to(ridge.alpha_, y.shape[1])


def fit_ridge(columns, y, sample_weight, rng, *, penalty):
    """Ridge regression.

    Parameters
    ----------
    columns : Columns
    y : ndarray of shape (n_rows, n_outputs)
        Standardized targets.
    sample_weight : ndarray of shape (n_rows,)
    rng : numpy.random.Generator
        Draws the rows, where they are too many.
    penalty : ndarray of shape (n_outputs,)
        Factor of the squared coefficients beside the sum of squared errors. Features count in standard deviations
        divided by the root of their number of bits.

    Returns
    -------
    AdditivePart
    """
    ridge = Ridge(penalty, solver="cholesky")
    return columns.fit(ridge, columns.sample(MAX_SIZE, rng), y, sample_weight)


def fit_logistic(columns, y, sample_weight, rng):
    """Logistic regression; parameters and result are ``fit_ridge``'s, but y of shape (n_rows,) is 0 or 1.

    Where only one class is to be seen, nothing can be fitted, and the scores are 0.
    """
    rows = columns.sample(MAX_SIZE, rng)
    if len(np.unique(y[rows])) < 2:
        return AdditivePart(np.zeros(1))
    return columns.fit(LogisticRegression(C=INVERSE_PENALTY), rows, y, sample_weight)


def find_ranges(X):
    """Smallest and largest value of each feature, (2, n_features) float64; 0 where their distance overflows."""
    ranges = np.stack([X.min(axis=0), X.max(axis=0)]).astype(np.float64)
    with np.errstate(over="ignore"):
        ranges[:, np.isinf(ranges[1] - ranges[0])] = 0
    return ranges


def spread(offsets, stride):
    """Every ``stride``-th bit of each column, beginning halfway, ascending; of one that has fewer, the middle."""
    bits_of = np.diff(offsets)
    position = np.arange(offsets[-1]) - np.repeat(offsets[:-1], bits_of)
    first = np.repeat(np.minimum(stride, bits_of) // 2, bits_of)
    return np.flatnonzero(position % stride == first)
