"""Columns of any magnitude brought to mean 0 and standard deviation 1."""

import numpy as np

MAD_TO_STD = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


def location_and_scale(columns, sample_weight):
    """Mean and standard deviation of each column by weights; the latter is exactly 0 where the column is constant."""
    largest = np.abs(columns).max(axis=0)
    # A power of two, so that dividing by it is exact and then no sum or square overflows or vanishes.
    unit = np.where(largest > 0, np.ldexp(1.0, np.frexp(largest)[1] - 1), 1)
    mean = np.average(columns / unit, axis=0, weights=sample_weight)
    spread = np.sqrt(np.average((columns / unit - mean) ** 2, axis=0, weights=sample_weight))
    return unit * mean, unit * np.where(columns.min(axis=0) < columns.max(axis=0), spread, 0)


def robust_location_and_scale(columns, sample_weight):
    """Median of each column by weights, and a standard deviation by the median distance from it.

    What few rows hold, however far away, moves neither. Where half of the rows are equal the standard deviation is that
    of ``location_and_scale``.
    """
    median = weighted_median(columns, sample_weight)
    deviation = MAD_TO_STD * weighted_median(np.abs(columns - median), sample_weight)
    return median, np.where(deviation > 0, deviation, location_and_scale(columns, sample_weight)[1])


def weighted_median(columns, sample_weight):
    """The smallest value of each column that rows of half the weight do not exceed."""
    order = np.argsort(columns, axis=0)
    reached = np.cumsum(sample_weight[order], axis=0)
    middle = np.argmax(reached >= reached[-1] / 2, axis=0)
    return np.take_along_axis(columns, np.take_along_axis(order, middle[np.newaxis], axis=0), axis=0)[0]


def standardize(X):
    """Columns of mean 0 and standard deviation 1, float64, and the factors that made them so, 0 of a constant one."""
    X = X.astype(np.float64, order="C")  # BLAS rounds by the memory's order
    mean, std = location_and_scale(X, np.ones(len(X)))
    with np.errstate(divide="ignore", over="ignore"):
        factor = np.where(np.isfinite(1 / std), 1 / std, 0)
        return X * factor - mean * factor, factor
