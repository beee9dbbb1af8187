"""Scores of predictions, partition by partition."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score

from skbnn.dask.tables import of_partition


def count_right(model, number, rows):
    """The weight of a partition's rows, and of those that a classifier is right about."""
    X, y, sample_weight = rows
    weights = weights_of(y, sample_weight)
    if not weights.any():
        return 0.0, 0.0
    with of_partition(number):
        y = model._check_y(np.asarray(y))
        right = accuracy_score(y, model.predict(X), sample_weight=weights, normalize=False)
    return weights.sum(), right


def measure(model, number, rows):
    """The weight of a partition's rows and, of each target, its mean, and the squares about this and the prediction."""
    X, y, sample_weight = rows
    weights = weights_of(y, sample_weight)
    if not weights.any():
        return 0.0, 0.0, 0.0, 0.0
    with of_partition(number):
        y = np.asarray(y, np.float64).reshape(X.shape[0], -1)
        left = y - model.predict(X).reshape(y.shape)
    mean = np.average(y, axis=0, weights=weights)
    return weights.sum(), mean, weights @ (y - mean) ** 2, weights @ left**2


def weights_of(y, sample_weight):
    """The weights of a partition's rows; ones if none are given."""
    return np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)


def measure_of(model):
    """What to ask of each partition, and the score by what they say."""
    return (count_right, accuracy) if is_classifier(model) else (measure, r2)


def accuracy(measured):
    """The share of the weight that is right."""
    total, right = np.sum(measured, axis=0)
    return float(right / total)


def r2(measured):
    """R² of all rows, the mean over the targets; of one that is constant, 1 if it was met and else 0."""
    weights, means, about_means, left = zip(*measured, strict=True)
    mean = sum(weight * one for weight, one in zip(weights, means, strict=True)) / sum(weights)
    parts = zip(weights, means, about_means, strict=True)
    about_mean = sum(squares + weight * (one - mean) ** 2 for weight, one, squares in parts)
    left = sum(left)
    varies = about_mean > 0
    unexplained = np.where(varies, left / np.where(varies, about_mean, 1), left > 0)
    return float(np.mean(1 - unexplained))
