"""Fits additive models: of each feature a step function and a straight line."""

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV

from skbnn.encoding.columns import PRESENT, find_runs
from skbnn.encoding.sparse import dense
from skbnn.encoding.standardization import location_and_scale
from skbnn.encoding.thresholds import subsample
from skbnn.initial_models.logistic import LogisticRegression
from skbnn.kernels.quiet import quiet
from skbnn.packed.additive_part import AdditivePart, rise
from skbnn.packed.layout import unpack

# Largest matrix, in floats, to choose a penalty by and to fit; rows beyond that are left out.
MAX_SIZE_TO_CHOOSE, MAX_SIZE = {"ridge": 2**19, "logistic": 2**21}, 2**23

# Beside that matrix, rows are unpacked, and features looked at, so many floats at a time.
AT_A_TIME = 2**19

# With more bits than this, fits take long and have few rows for each, so steps are at every other threshold, or every
# third, and so on.
MAX_BITS = 1024

# With more features than this, each would have a step even so, and there is no additive model.
MAX_FEATURES = 4096

# Steps of all outputs; with more of them than this, they would make up most of the packed network, and there are lines
# only.
MAX_COEFFICIENTS = 2**18

SMALLEST_UNIT = 1e-100  # a feature of a smaller standard deviation has no line, as slopes would be huge

# A feature's steps share a line that they make up, and then pay a fraction of its penalty. Its number pays a fraction
# as well: the number of steps to minus twice this power.
LINE_POWERS = {"ridge": 0.5, "logistic": 0.25}

# To choose from: of a ridge regression as scikit-learn's alpha, of a logistic regression as 1 / C, and of one with
# lines alone, which have little to overfit with.
PENALTIES = {"ridge": np.logspace(-1, 4, 6), "logistic": [1000.0, 100.0, 10.0, 1.0, 0.1], "lines": [10.0, 1.0, 0.1]}

# Slopes at which logistic regressions end. With steps of several classes that is early, which serves a network beside
# them better than the optimum does, and takes a fraction of the time.
TOLERANCE, TOLERANCE_OF_CLASSES = 1e-4, 1e-2


class Columns:
    """The columns that an additive model weighs: bits as 0 or 1, and each feature that has several, as a number.

    Parameters
    ----------
    samples : Samples
        With bits.
    rows : ndarray of int
        Those to fit by.
    n_outputs : int
        Scores a row.
    line_power : float
        One of ``LINE_POWERS``.
    steps : bool, default=True
        Whether there are steps beside lines; without, only those of bits that no line stands for: a feature's only
        one, and bits of categories and of missing values.
    """

    def __init__(self, samples, rows, n_outputs, line_power, *, steps=True):
        encoding, self.X, self.bits, self.rows = samples.encoding, samples.X, samples.bits, rows
        self.n_bits = encoding.n_bits
        bits_of, room = np.diff(encoding.offsets), n_outputs * self.n_bits <= MAX_COEFFICIENTS
        self.has_steps, self.steps = steps and room, encoding.offsets[:0]
        if self.has_steps:
            self.steps = every_nth_bit(encoding, -(-encoding.n_bits // MAX_BITS))
        elif room:
            runs = find_runs(encoding.offsets, encoding.nominal)
            alone = runs[:-1][np.diff(runs) == 1]
            self.steps = np.union1d(alone, np.flatnonzero(encoding.thresholds == PRESENT))
        # Beside steps, a feature's only bit says it all, or all that was asked for.
        fewest = 2 if len(self.steps) else 1
        self.lines = np.flatnonzero((bits_of[: self.X.shape[1]] >= fewest) & ~encoding.nominal)
        steps_of = np.diff(np.searchsorted(self.steps, encoding.offsets))
        self.line_weights = np.maximum(steps_of[self.lines], 1) ** line_power

    def sample(self, max_size, rng):
        """As many of the rows as come to ``max_size`` floats, ascending."""
        return subsample(self.rows, max_size // self.n_columns, rng)

    @property
    def n_columns(self):
        """Of the matrix, in which a column of zeros stands for none."""
        return max(1, len(self.steps) + len(self.lines))

    def fit(self, model, rows, y, sample_weight):
        """Fit a linear model of scikit-learn's kind to these rows of y and of the weights; returns an AdditivePart."""
        return next(self.fit_each([model], rows, y, sample_weight))

    def fit_each(self, models, rows, y, sample_weight):
        """The same for each of several models, one after the other."""
        weights = sample_weight[rows] / sample_weight[rows].mean()
        matrix, units, ranges = self.matrix(rows)
        for model in models:
            # Equal columns, as many classes as rows, and rows that outweigh all others are no one's mistake, and this
            # need not be the optimum.
            with quiet, np.errstate(divide="ignore", invalid="ignore"):
                model.fit(matrix, y[rows], weights)
            coef = model.coef_.reshape(-1, matrix.shape[1]).astype(np.float64) / units
            yield self.additive_part(model.intercept_, coef, ranges)

    def matrix(self, rows):
        """The matrix, (n_rows, n_columns), each column divided by its unit; the units; ranges of the lines.

        Ranges are those of these rows: no other has a say in the slopes, nor reaches farther along them.
        """
        n_steps, n_lines = len(self.steps), len(self.lines)
        matrix = np.zeros((len(rows), self.n_columns), np.float32, order="C" if n_lines else "F")
        units, ranges = np.ones(self.n_columns), np.zeros((2, n_lines))
        some = max(AT_A_TIME // self.n_bits, 1)
        for start in range(0, len(rows) if n_steps else 0, some):
            block = slice(start, start + some)
            matrix[block, :n_steps] = unpack(self.bits[rows[block]], self.n_bits)[:, self.steps]
        if not self.has_steps:
            units[:n_steps] = units_of(matrix[:, :n_steps])
            matrix[:, :n_steps] /= units[:n_steps]
        # Three lines at least, as NumPy adds up the rows of a lone column in another order than those of several.
        n_parts = -(-n_lines // max(AT_A_TIME // len(rows), 3))
        for part in np.array_split(np.arange(n_lines), n_parts) if n_lines else ():
            X, columns = dense(self.X[np.ix_(rows, self.lines[part])]), n_steps + part
            ranges[:, part] = find_ranges(X)
            risen = rise(X, ranges[:, part])
            units[columns] = units_of(risen) / self.line_weights[part]
            matrix[:, columns] = risen / units[columns]
        return matrix, units, ranges

    def additive_part(self, intercept, coef, ranges):
        """The model with these coefficients of steps and rises."""
        part = AdditivePart.of_constant(np.array(np.broadcast_to(intercept, len(coef)), np.float64))
        if len(self.steps):
            part = part._replace(steps=np.zeros((len(coef), self.n_bits)))
            part.steps[:, self.steps] = coef[:, : len(self.steps)]
        if len(self.lines):
            n_features = self.X.shape[1]
            part = part._replace(slopes=np.zeros((len(coef), n_features)), ranges=np.zeros((2, n_features)))
            part.slopes[:, self.lines], part.ranges[:, self.lines] = coef[:, len(self.steps) :], ranges
        return part


def units_of(columns):
    """Standard deviation of each column, infinite where it is too small to divide by."""
    _, std = location_and_scale(columns, np.ones(len(columns)))  # by weights it could be far below the range
    return np.where(std > SMALLEST_UNIT, std, np.inf)


def choose_ridge_penalty(columns, y, sample_weight, rng):
    """The penalty that leave-one-out cross-validation likes best, (n_outputs,); parameters are ``fit_ridge``'s."""
    ridge = RidgeCV(PENALTIES["ridge"], alpha_per_target=y.shape[1] > 1)
    columns.fit(ridge, columns.sample(MAX_SIZE_TO_CHOOSE["ridge"], rng), y, sample_weight)
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
        times the columns' line weights.

    Returns
    -------
    AdditivePart
    """
    distinct, which = np.unique(penalty, return_inverse=True)  # Ridge would solve for each output by itself
    models = (Ridge(one, solver="cholesky") for one in distinct)
    parts = list(columns.fit_each(models, columns.sample(MAX_SIZE, rng), y, sample_weight))
    of_outputs = (np.stack(values)[which, np.arange(len(which))] for values in list(zip(*parts, strict=True))[:3])
    return AdditivePart(*of_outputs, parts[0].ranges)


def fit_logistic(columns, y, sample_weight, rows, *, constant, penalties):
    """Logistic regressions.

    Parameters
    ----------
    columns : Columns
    y : ndarray of shape (n_rows,)
        Indices of classes.
    sample_weight : ndarray of shape (n_rows,)
    rows : ndarray of int
        Those to fit by.
    constant : ndarray of shape (n_outputs,)
        Scores of a row of which nothing is known; one output stands for two classes. A class that no row has keeps
        them.
    penalties : iterable of float
        From the strongest down, for then each fit begins near its end. Factors of the squared coefficients' half beside
        the sum of the losses, in units as for ``fit_ridge``.

    Returns
    -------
    iterable of AdditivePart
        One for each penalty, fitted when it is asked for.
    """
    seen = np.unique(y[rows]).astype(int)
    if len(seen) < 2:
        return [AdditivePart.of_constant(constant) for _ in penalties]
    model = LogisticRegression(TOLERANCE_OF_CLASSES if columns.has_steps and len(seen) > 2 else TOLERANCE)
    models = (model.penalized(penalty) for penalty in penalties)
    parts = columns.fit_each(models, rows, y, sample_weight)
    return parts if len(constant) == 1 else (for_all_classes(part, seen, constant) for part in parts)


def for_all_classes(part, seen, constant):
    """The scores of all classes by those of the classes ``seen``, which of two are one number."""
    if len(seen) == 2:
        part = AdditivePart(*(np.outer([-0.5, 0.5], values) for values in part[:3]), part.ranges)
        part = part._replace(constant=part.constant[:, 0])
    level = constant[seen].mean() - part.constant.mean()  # scores of classes are known up to a constant
    full = constant.copy(), *(np.zeros((len(constant), values.shape[1])) for values in part[1:3])
    for values, found in zip(full, (part.constant + level, *part[1:3]), strict=True):
        values[seen] = found
    return AdditivePart(*full, part.ranges)


def find_ranges(X):
    """Smallest and largest value of each feature, (2, n_features) float64, missing ones aside.

    They are 0 where their distance overflows, or all values are missing.
    """
    ranges = np.stack([np.fmin.reduce(X), np.fmax.reduce(X)]).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        ranges[:, ~np.isfinite(ranges[1] - ranges[0])] = 0
    return ranges


def every_nth_bit(encoding, stride):
    """Every ``stride``-th bit of each column, beginning halfway, ascending; of one that has fewer, the middle.

    Bits of categories, and of missing values, are left out by none.
    """
    offsets = find_runs(encoding.offsets, encoding.nominal)
    bits_of = np.diff(offsets)
    position = np.arange(offsets[-1]) - np.repeat(offsets[:-1], bits_of)
    first = np.repeat(np.minimum(stride, bits_of) // 2, bits_of)
    return np.flatnonzero((position % stride == first) | (encoding.thresholds == PRESENT))
