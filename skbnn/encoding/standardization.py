"""Columns of any magnitude brought to mean 0 and standard deviation 1."""

import numpy as np


def location_and_scale(columns, sample_weight):
    """Mean and standard deviation of each column by weights; the latter is exactly 0 where the column is constant."""
    largest = np.abs(columns).max(axis=0)
    # A power of two, so that dividing by it is exact and then no sum or square overflows or vanishes.
    unit = np.where(largest > 0, np.ldexp(1.0, np.frexp(largest)[1] - 1), 1)
    mean = np.average(columns / unit, axis=0, weights=sample_weight)
    spread = np.sqrt(np.average((columns / unit - mean) ** 2, axis=0, weights=sample_weight))
    return unit * mean, unit * np.where(columns.min(axis=0) < columns.max(axis=0), spread, 0)


def standardize(X):
    """Columns of mean 0 and standard deviation 1, float64, and the factors that made them so, 0 of a constant one."""
    X = X.astype(np.float64, order="C")  # BLAS rounds by the memory's order
    mean, std = location_and_scale(X, np.ones(len(X)))
    with np.errstate(divide="ignore", over="ignore"):
        factor = np.where(np.isfinite(1 / std), 1 / std, 0)
        return X * factor - mean * factor, factor
