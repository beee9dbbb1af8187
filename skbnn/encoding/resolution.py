"""How many thresholds each feature deserves: more, where targets vary between two of a few."""

import numpy as np

from skbnn.encoding.sparse import StoredColumn
from skbnn.encoding.thresholds import column_thresholds, varying_weights

FINER = 2, 4, 8  # times as many thresholds

GAIN = 0.1  # share of the variance between thresholds that more of them have to take off

MIN_ROWS = 256  # fewer say little

MAX_SIZE_TO_RESOLVE, MAX_TARGETS = 2**17, 16  # floats of X and columns of targets that are worth a look


def find_resolution(X, y, sample_weight, n_thresholds):
    """Find how many thresholds each feature deserves.

    Between two thresholds targets should vary no more than they do from one value of the feature to the next, which is
    what no threshold can tell.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows, n_targets)
        Numbers, or 0 and 1 for classes.
    sample_weight : ndarray of shape (n_rows,)
    n_thresholds : int
        As long as more do not serve.

    Returns
    -------
    ndarray of shape (n_features,), int
        ``n_thresholds``, or up to eight times as many.

    References
    ----------
    J. von Neumann, "Distribution of the ratio of the mean square successive difference to the variance", Annals of
    Mathematical Statistics 12, 1941.
    """
    resolution, y = np.full(X.shape[1], n_thresholds), y[:, :MAX_TARGETS]
    weights = varying_weights(sample_weight)
    for feature, column in enumerate(X.T):
        stored = StoredColumn(column, weights=weights)
        coarse = column_thresholds(stored, n_thresholds)
        if len(coarse) < n_thresholds:  # a threshold between any two values already
            continue
        known = ~np.isnan(column)
        values, means, counts = means_of_values(column[known], y[known], sample_weight[known])
        # The relative standard error of the successive variance of normal noise is sqrt(3 / n); three are tolerated.
        tolerance = GAIN + 3 * np.sqrt(3 / len(values))
        successive = successive_variance(means, counts)
        first = variance = variance_within(coarse, values, means, counts)
        for factor in FINER:
            if successive >= (1 - tolerance) * variance:
                break
            fine = column_thresholds(stored, factor * n_thresholds)
            variance = variance_within(fine, values, means, counts)
            if variance < (1 - GAIN) * first:
                resolution[feature] = factor * n_thresholds
    return resolution


def means_of_values(column, y, weights):
    """Distinct values, ascending, the mean targets of each less the first's, and how many rows of equal weight it has.

    A row that weighs more is one row, whose targets vary no less [1]_: unequal weights count as fewer rows.

    .. [1] L. Kish, "Survey Sampling", 1965.
    """
    values, which = np.unique(column, return_inverse=True)
    total = np.bincount(which, weights)
    means = np.stack([np.bincount(which, weights * target) for target in y.T], axis=1) / total[:, np.newaxis]
    return values, means - means[0], total**2 / np.bincount(which, weights**2)


def successive_variance(means, counts):
    """The variance of a row's targets by differences of neighbouring values' means, summed over targets."""
    differences = np.sum(np.diff(means, axis=0) ** 2, axis=1)
    return np.mean(differences / (1 / counts[1:] + 1 / counts[:-1]))


def variance_within(thresholds, values, means, counts):
    """The variance of a row's targets by values' means between the same two thresholds, summed over targets."""
    interval = np.searchsorted(thresholds, values, side="right")
    total = np.bincount(interval, counts)
    squares = counts @ means**2
    between = sum(np.sum(np.bincount(interval, counts * mean) ** 2 / np.maximum(total, 1e-300)) for mean in means.T)
    freedom = len(values) - np.count_nonzero(total)
    return (squares.sum() - between) / freedom if freedom else 0.0
