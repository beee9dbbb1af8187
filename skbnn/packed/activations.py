"""What turns scores into probabilities."""

import numpy as np


def expit(scores):
    """The logistic function, without overflow."""
    small = np.exp(-np.abs(scores))
    return np.where(scores >= 0, 1, small) / (1 + small)


def softmax(scores):
    """Along the last axis, without overflow."""
    with np.errstate(over="ignore"):  # so far below the largest, a probability is 0
        exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
