"""Thresholds of features, and of linear combinations of them, found in training data."""

import numpy as np

from skbnn.encoding.columns import PRESENT
from skbnn.encoding.encoding import Combinations, Encoding, project
from skbnn.encoding.sparse import StoredColumn, stored_columns

MOST_ROWS = 200_000  # that are looked at; but missing values, and codes, are seen wherever they are

NONE = np.empty(0)  # thresholds of a feature that does not vary


def find_encoding(X, n_thresholds, *, rng, nominal=None, sample_weight=None):
    """Choose each feature's thresholds between the distinct values of the training data.

    A feature with few distinct values gets a threshold between any two neighbours. Else the thresholds cut the rows
    into bins of equal size, as nearly as the distinct values allow; a value that would fill more than a bin has one
    of its own, and the bins are shared among the other values. A constant feature gets none. A feature that has missing
    values, NaN, and others gets a bit more, by which they differ.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        Any real dtype, any memory order; read one column at a time.
    n_thresholds : int or ndarray of shape (n_features,)
        Thresholds a feature, at most.
    rng : numpy.random.Generator
        Draws the subsample.
    nominal : ndarray of shape (n_features,), bool, default=None
        Features whose values are codes of categories, 0, 1 and so on: each that occurs gets a bit.
    sample_weight : ndarray of shape (n_rows,), default=None
        By which the bins are of equal size; None is all the same.

    Returns
    -------
    Encoding
        Of the features alone.
    """
    rows = some_rows(X, rng)
    numbers = np.broadcast_to(n_thresholds, X.shape[1])
    nominal = np.zeros(X.shape[1], bool) if nominal is None else nominal
    columns = [NONE] * X.shape[1]
    for feature, some, every in stored_columns(X, rows, sample_weight):
        if nominal[feature]:
            columns[feature] = code_thresholds(every)
        else:
            columns[feature] = np.append(presence(every), column_thresholds(some, numbers[feature]))
    return Encoding.from_columns(columns, np.empty((0, X.shape[1])), nominal)


def given_encoding(thresholds, X, nominal):
    """The encoding with thresholds that were given; codes of nominal features have theirs.

    Raises
    ------
    ValueError
        If they are not a list of ascending numbers for each feature.
    """
    n_features = X.shape[1]
    if len(thresholds) != n_features:
        raise ValueError(f"thresholds are of {len(thresholds)} features, and X has {n_features}.")
    columns = []
    for feature, given in enumerate(thresholds):
        try:
            column = np.asarray(given, np.float64)
        except (TypeError, ValueError):
            column = np.array(np.nan)
        if column.ndim != 1 or not (column[1:] > column[:-1]).all() or np.isnan(column).any():
            raise ValueError(f"thresholds of feature {feature} must be a list of ascending numbers, got {given!r}.")
        columns.append(code_thresholds(StoredColumn(X[:, feature])) if nominal[feature] else column)
    return Encoding.from_columns(columns, np.empty((0, n_features)), nominal)


def find_combinations(X, components, n_thresholds, *, rng, sample_weight=None):
    """Choose thresholds of linear combinations of the features, as ``find_encoding`` does of features.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
    components : ndarray of shape (n_components, n_features), float64
    n_thresholds, rng, sample_weight
        As in ``find_encoding``.

    Returns
    -------
    Combinations
    """
    rows = some_rows(X, rng)
    weights = None if sample_weight is None else sample_weight[rows]
    columns = [StoredColumn(column, weights=weights) for column in project(X[rows], components).T]
    return Combinations(components, [column_thresholds(column, n_thresholds) for column in columns])


def varying_weights(sample_weight):
    """The weights, or None if they are all the same: rows can be counted then, which is faster."""
    return sample_weight if (sample_weight != sample_weight[0]).any() else None


def some_rows(X, rng):
    """Which rows to look at: all, without a copy of them, or ``MOST_ROWS``."""
    n_rows = X.shape[0]
    return slice(None) if n_rows <= MOST_ROWS else subsample(np.arange(n_rows), MOST_ROWS, rng)


def subsample(rows, most, rng):
    """The rows, or ``most`` of them, drawn and ascending."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def column_thresholds(column, n_thresholds):
    """Ascending thresholds of a StoredColumn, (n,) float64, n <= n_thresholds."""
    values, counts = distinct(column)
    if len(values) - 1 > n_thresholds:
        size = bin_size(counts, n_thresholds + 1)
        below = np.cumsum(np.minimum(counts, size))[:-1]  # rows below the cut after each value but the last
        wanted = size * np.arange(1, n_thresholds + 1)
        after = np.clip(np.searchsorted(below, wanted), 1, len(below) - 1)
        nearest = np.where(wanted - below[after - 1] <= below[after] - wanted, after - 1, after)
        cuts = np.unique(nearest)
    else:
        cuts = np.arange(len(values) - 1)
    return midpoints(values[cuts].astype(np.float64), values[cuts + 1].astype(np.float64))


def bin_size(counts, n_bins):
    """Rows of a bin, when each value that has more gets a bin of its own and the others share what bins are left.

    Without that, the quantiles of a column that is mostly 0 would nearly all be 0, and the rest hardly told apart.
    """
    heaviest = np.sort(counts)[::-1][:n_bins]
    others = counts.sum() - np.cumsum(heaviest) + heaviest  # rows beside those of the i heaviest values
    size = others / np.arange(n_bins, 0, -1)
    return size[np.argmax(heaviest <= size)]


def distinct(column):
    """Distinct values of a StoredColumn as they are compared, NaN aside, ascending, and what the rows of each weigh."""
    values, zeros, weights = column
    if zeros:
        weights = np.append(np.ones(len(values)) if weights is None else weights, zeros)
        values = np.append(values, values.dtype.type(0))
    if values.dtype.kind in "bu" and values.dtype.itemsize <= 2:  # counting is ten times faster than sorting
        counts = np.bincount(values, weights)
        values = np.flatnonzero(counts)
        return values, counts[values]
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        values = values.astype(np.float64)  # neighbours beyond 2**53 may fall together
    if weights is None:
        values, counts = np.unique(values, return_counts=True)
    else:
        values, place = np.unique(values, return_inverse=True)
        counts = np.bincount(place, weights)
    known = values == values  # NaN is the last, if any
    return (values, counts) if known.all() else (values[known], counts[known])


def presence(column):
    """What comes before the thresholds of a feature, (0,) or (1,): a bit by which missing values differ from others."""
    values = column.values
    n_missing = np.count_nonzero(np.isnan(values)) if values.dtype.kind == "f" else 0
    return np.full(int(0 < n_missing < len(values) + column.zeros), PRESENT)


def code_thresholds(column):
    """Thresholds of a nominal feature, (n,) float64: each code; none if it does not vary."""
    codes, _ = distinct(column)
    varies = len(codes) + len(presence(column)) > 1
    return np.arange(codes[-1] + 1, dtype=np.float64) if varies else NONE


def midpoints(low, high):
    """A float64 t with low < t <= high: halfway, or ``high`` where no float lies between."""
    with np.errstate(invalid="ignore"):
        middle = low / 2 + high / 2  # the sum could overflow; NaN between infinities
    return np.where((low < middle) & (middle < high), middle, high)
