"""Columns of any magnitude brought to mean 0 and standard deviation 1."""

import numpy as np

NORMAL_QUANTILE = 1.645  # standard deviations within which nine tenths of a normal distribution are


def location_and_scale(columns, sample_weight):
    """Mean and standard deviation of each column by weights; the latter is exactly 0 where the column is constant."""
    lowest, highest = columns.min(axis=0), columns.max(axis=0)
    largest = np.maximum(np.abs(lowest), np.abs(highest))
    # A power of two, so that dividing by it is exact and then no sum or square overflows or vanishes.
    unit = np.where(largest > 0, np.ldexp(1.0, np.frexp(largest)[1] - 1), 1)
    scaled = columns / unit
    mean = np.average(scaled, axis=0, weights=sample_weight)
    scaled -= mean
    scaled *= scaled
    spread = np.sqrt(np.average(scaled, axis=0, weights=sample_weight))
    return unit * mean, unit * np.where(lowest < highest, spread, 0)


def robust_location_and_scale(columns, sample_weight):
    """Median of each column by weights, and a standard deviation by what nine tenths of the rows lie within of it.

    What a tenth of the rows hold, however far away, moves neither much. Where nine tenths are equal, the standard
    deviation is that of ``location_and_scale``.
    """
    median = weighted_quantile(columns, sample_weight, 0.5)
    with np.errstate(over="ignore"):
        deviation = weighted_quantile(np.abs(columns - median), sample_weight, 0.9) / NORMAL_QUANTILE
        return median, np.where(deviation > 0, deviation, location_and_scale(columns, sample_weight)[1])


def weighted_quantile(columns, sample_weight, share):
    """The smallest value of each column that rows of this share of the weight do not exceed."""
    order = np.argsort(columns, axis=0)
    reached = np.cumsum(sample_weight[order], axis=0)
    first = np.argmax(reached >= share * reached[-1], axis=0)
    return np.take_along_axis(columns, np.take_along_axis(order, first[np.newaxis], axis=0), axis=0)[0]


def standardize(X, sample_weight=None):
    """Columns of mean 0 and standard deviation 1, float64, and the factors that made them so, 0 of a constant one.

    Mean and standard deviation are by the weights, if there are any.
    """
    X = X.astype(np.float64, order="C")  # BLAS rounds by the memory's order
    mean, std = location_and_scale(X, np.ones(len(X)) if sample_weight is None else sample_weight)
    with np.errstate(divide="ignore", over="ignore"):
        factor = np.where(np.isfinite(1 / std), 1 / std, 0)
        return X * factor - mean * factor, factor
