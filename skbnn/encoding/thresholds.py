"""Thresholds of features, and of linear combinations of them, found in training data."""

import numpy as np

from skbnn.encoding.encoding import Combinations, Encoding, project
from skbnn.encoding.rows import stored_columns

NONE = np.empty(0)  # thresholds of a feature that does not vary


def find_encoding(X, n_thresholds, *, rng, subsample=200_000):
    """Choose each feature's thresholds between the distinct values of the training data.

    A feature with few distinct values gets a threshold between any two neighbours. Else the thresholds cut the rows
    into bins of equal size, as nearly as the distinct values allow; a value that would fill more than a bin has one
    of its own, and the bins are shared among the other values. A constant feature gets none.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Any real dtype, any memory order; read one column at a time.
    n_thresholds : int or ndarray of shape (n_features,)
        Thresholds a feature, at most.
    rng : numpy.random.Generator
        Draws the subsample.
    subsample : int, default=200_000
        Rows that are looked at, at most.

    Returns
    -------
    Encoding
        Of the features alone.
    """
    rows = some_rows(X, subsample, rng)
    numbers = np.broadcast_to(n_thresholds, X.shape[1])
    pairs = zip(stored_columns(X, rows), numbers, strict=True)
    columns = [column_thresholds(column, number, n_zeros) for (column, n_zeros), number in pairs]
    return Encoding.from_columns(columns, np.empty((0, X.shape[1])))


def find_combinations(X, components, n_thresholds, *, rng, subsample=200_000):
    """Choose thresholds of linear combinations of the features, as ``find_encoding`` does of features.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    components : ndarray of shape (n_components, n_features), float64
    n_thresholds, rng, subsample
        As in ``find_encoding``.

    Returns
    -------
    Combinations
    """
    projected = project(X[some_rows(X, subsample, rng)], components)
    return Combinations(components, [column_thresholds(column, n_thresholds) for column in projected.T])


def some_rows(X, most, rng):
    """Which rows to look at: all, without a copy of them, or ``most``."""
    n_rows = X.shape[0]
    return slice(None) if n_rows <= most else subsample(np.arange(n_rows), most, rng)


def subsample(rows, most, rng):
    """The rows, or ``most`` of them, drawn and ascending."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def column_thresholds(column, n_thresholds, n_zeros=0):
    """Ascending thresholds of one feature, (n,) float64, n <= n_thresholds; of a sparse one, with its other zeros."""
    if not len(column):  # most features of a hashing vectorizer are 0 in every row
        return NONE
    values, counts = distinct(column, n_zeros)
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


def distinct(column, n_zeros=0):
    """Distinct values as they are compared, ascending, and the number of rows that have each, of zeros so many more."""
    if n_zeros:
        values, counts = distinct(np.append(column, column.dtype.type(0)))
        counts[np.searchsorted(values, 0)] += n_zeros - 1
        return values, counts
    if column.dtype.kind in "bu" and column.dtype.itemsize <= 2:  # counting is ten times faster than sorting
        counts = np.bincount(column)
        values = np.flatnonzero(counts)
        return values, counts[values]
    if column.dtype.kind in "iu" and column.dtype.itemsize == 8:
        column = column.astype(np.float64)  # neighbours beyond 2**53 may fall together
    return np.unique(column, return_counts=True)


def midpoints(low, high):
    """A float64 t with low < t <= high: halfway, or ``high`` where no float lies between."""
    middle = low / 2 + high / 2  # the sum could overflow
    return np.where((low < middle) & (middle < high), middle, high)
