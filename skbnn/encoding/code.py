"""The thermometer code, and how it is found in training data."""

from typing import NamedTuple

import numpy as np

from skbnn.encoding._encode import Encoder


class Code(NamedTuple):
    """How rows become bits; the arguments of Encoder."""

    thresholds: np.ndarray
    offsets: np.ndarray
    components: np.ndarray

    @property
    def n_bits(self):
        """Bits of a row."""
        return len(self.thresholds)


def find_code(X, n_thresholds, *, rng, subsample=200_000):
    """Choose each feature's thresholds between the distinct values of the training data.

    A feature with few distinct values gets a threshold between any two neighbours. Else the thresholds cut the rows
    into bins of equal size, as nearly as the distinct values allow; a value that would fill more than a bin has one
    of its own, and the bins are shared among the other values. A constant feature gets none.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Any real dtype, any memory order; read one column at a time.
    n_thresholds : int
        Thresholds a feature, at most.
    rng : numpy.random.Generator
        Draws the subsample.
    subsample : int, default=200_000
        Rows that are looked at, at most.

    Returns
    -------
    Code
        Its thresholds, (n_bits,) float64, ascend within a feature; feature f has those from ``offsets[f]`` to
        ``offsets[f + 1]``. There are no components.
    """
    rows = some_rows(X, subsample, rng)
    columns = [column_thresholds(X[rows, feature], n_thresholds) for feature in range(X.shape[1])]
    offsets = np.cumsum([0, *(len(column) for column in columns)], dtype=np.int64)
    return Code(np.concatenate(columns), offsets, np.empty((0, X.shape[1])))


def add_components(code, components, columns):
    """Encode linear combinations of the features as well.

    Parameters
    ----------
    code : Code
        That of the features, and of components that are there already.
    components : ndarray of shape (n_components, n_features), float64
    columns : list of ndarray
        Ascending thresholds of each.

    Returns
    -------
    Code
        The same, the components after what it had.
    """
    offsets = code.offsets[-1] + np.cumsum([len(column) for column in columns], dtype=np.int64)
    return Code(
        np.concatenate([code.thresholds, *columns]),
        np.concatenate([code.offsets, offsets]),
        np.vstack([code.components, components]),
    )


def component_thresholds(X, components, n_thresholds, *, rng, subsample=200_000):
    """Choose thresholds of linear combinations of the features, as ``find_code`` does of features.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    components : ndarray of shape (n_components, n_features), float64
    n_thresholds, rng, subsample
        As in ``find_code``.

    Returns
    -------
    list of ndarray
        Ascending thresholds of each component.
    """
    projected = project(X[some_rows(X, subsample, rng)], components)
    return [column_thresholds(column, n_thresholds) for column in projected.T]


def project(X, components):
    """Linear combinations of the features, (n_rows, n_components) float64, rounded as the encoder rounds them."""
    unused = np.zeros(X.shape[1] + len(components) + 1, np.int64)
    return Encoder(np.empty(0), unused, components).project(X)


def some_rows(X, most, rng):
    """Which rows to look at: all, or ``most`` of them, drawn and ascending."""
    return slice(None) if len(X) <= most else np.sort(rng.choice(len(X), most, replace=False))


def column_thresholds(column, n_thresholds):
    """Ascending thresholds of one feature, (n,) float64, n <= n_thresholds."""
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
    """Distinct values as they are compared, ascending, and the number of rows that have each."""
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
