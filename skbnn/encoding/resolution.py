"""How many thresholds each feature deserves: more, where targets vary between two of a few."""

import numpy as np

from skbnn.encoding.sparse import StoredColumn
from skbnn.encoding.thresholds import column_thresholds, varying_weights

FINER = 2, 4, 8  # times as many thresholds

GAIN = 0.1  # share of the squared error on other rows that they have to take off

MIN_ROWS = 512  # fewer say nothing

MAX_SIZE_TO_RESOLVE, MAX_TARGETS = 2**17, 16  # floats of X and columns of targets that are worth a look


def find_resolution(X, y, sample_weight, n_thresholds, rng):
    """Find how many thresholds each feature deserves.

    The mean of the targets between neighbouring thresholds, from half of the rows, predicts the other half.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows, n_targets)
        Numbers, or 0 and 1 for classes.
    sample_weight : ndarray of shape (n_rows,)
    n_thresholds : int
        As long as more do not serve the prediction.
    rng : numpy.random.Generator
        Draws the halves.

    Returns
    -------
    ndarray of shape (n_features,), int
        ``n_thresholds``, or up to eight times as many.
    """
    resolution = np.full(X.shape[1], n_thresholds)
    if len(X) < MIN_ROWS:
        return resolution
    weights = varying_weights(sample_weight)
    first, y = rng.permutation(len(X)) < len(X) // 2, y[:, :MAX_TARGETS]
    for feature, column in enumerate(X.T):
        stored = StoredColumn(column, weights=weights)
        coarse = column_thresholds(stored, n_thresholds)
        if len(coarse) < n_thresholds:  # a threshold between any two values already
            continue
        rows = column, y, sample_weight, first
        known = ~np.isnan(column)
        if not known.all():
            if np.count_nonzero(known) < MIN_ROWS:
                continue
            rows = [part[known] for part in rows]
        error = error_of_means(coarse, *rows)
        for factor in FINER:
            fine = column_thresholds(stored, factor * n_thresholds)
            finer_error = error_of_means(fine, *rows)
            if finer_error < (1 - GAIN) * error:
                resolution[feature], error = factor * n_thresholds, finer_error
    return resolution


def error_of_means(thresholds, column, y, sample_weight, first):
    """Squared error of the ``first`` rows' means between thresholds, for the other rows."""
    interval = np.searchsorted(thresholds, column, side="right")
    mean = np.average(y[first], axis=0, weights=sample_weight[first])
    # One row more of the mean of all stands in for an interval that has none.
    unit = sample_weight.mean()
    total = unit + np.bincount(interval[first], sample_weight[first], len(thresholds) + 1)
    error = 0.0
    for target, of_all in zip(y.T, mean, strict=True):
        sums = np.bincount(interval[first], (sample_weight * target)[first], len(thresholds) + 1)
        predicted = (sums + unit * of_all) / total
        error += sample_weight[~first] @ (target - predicted[interval])[~first] ** 2
    return error
