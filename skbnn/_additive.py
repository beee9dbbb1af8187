"""The additive model that a network can start from: a step function of each feature, fitted on the bits."""

import warnings

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV

BLOCK = 4096  # rows; bounds the memory of scores

# Largest matrix of bits, in floats, to choose a penalty by and to fit; rows beyond that are left out.
MAX_SIZE_TO_CHOOSE, MAX_SIZE = 2**19, 2**23

# With more bits than this, MAX_SIZE would leave too few rows to fit them by.
MAX_BITS = 4096

PENALTIES = np.logspace(-1, 4, 6)  # to choose from
INVERSE_PENALTY = 0.4  # C of the logistic regression


def choose_penalty(bits, n_bits, y, sample_weight, rng):
    """The penalty that leave-one-out cross-validation likes best, (n_outputs,); parameters are ``fit_ridge``'s."""
    ridge = RidgeCV(PENALTIES, alpha_per_target=y.shape[1] > 1)
    fitted = fit_sampled(ridge, MAX_SIZE_TO_CHOOSE, bits, n_bits, y, sample_weight, rng)
    return np.broadcast_to(fitted.alpha_, y.shape[1])


def fit_ridge(bits, n_bits, y, sample_weight, rng, *, penalty):
    """Ridge regression.

    Parameters
    ----------
    bits : ndarray of shape (n_rows, n_words), uint64
        Packed rows.
    n_bits : int
    y : ndarray of shape (n_rows, n_outputs)
        Standardized targets.
    sample_weight : ndarray of shape (n_rows,)
    rng : numpy.random.Generator
        Draws the rows, where they are too many.
    penalty : ndarray of shape (n_outputs,)
        Factor of the squared steps, beside the sum of squared errors.

    Returns
    -------
    steps : ndarray of shape (n_outputs, n_bits)
        What a bit adds to a score where it is +1.
    intercept : ndarray of shape (n_outputs,)
    """
    ridge = fit_sampled(Ridge(penalty, solver="cholesky"), MAX_SIZE, bits, n_bits, y, sample_weight, rng)
    return ridge.coef_.reshape(y.shape[1], n_bits), np.reshape(ridge.intercept_, y.shape[1])


def fit_sampled(ridge, max_size, bits, n_bits, y, sample_weight, rng):
    """The estimator fitted on as many rows as come to ``max_size`` floats."""
    rows = sample(len(bits), max_size // n_bits, rng)
    weights = sample_weight[rows] / sample_weight.mean()
    # Equal columns, and rows that outweigh all others, are no one's mistake; any of the solutions is a start.
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", LinAlgWarning)
        return ridge.fit(as_float(bits[rows], n_bits), y[rows], weights)


def fit_logistic(bits, n_bits, y, sample_weight, rng):
    """Logistic regression; parameters and result are ``fit_ridge``'s, but y of shape (n_rows,) is 0 or 1.

    Where only one class is to be seen, nothing can be fitted, and all is 0.
    """
    rows = sample(len(bits), MAX_SIZE // n_bits, rng)
    if len(np.unique(y[rows])) < 2:
        return np.zeros((1, n_bits)), np.zeros(1)
    logistic = LogisticRegression(C=INVERSE_PENALTY)
    with warnings.catch_warnings():  # a start need not be the optimum
        warnings.simplefilter("ignore", ConvergenceWarning)
        logistic.fit(as_float(bits[rows], n_bits), y[rows], sample_weight[rows] / sample_weight[rows].mean())
    return logistic.coef_, logistic.intercept_


def scores_of_steps(bits, steps, constant):
    """``constant`` and the steps of each row's bits, summed, (n_rows, n_outputs)."""
    out = np.empty((len(bits), len(steps)))
    for start in range(0, len(bits), BLOCK):
        rows = slice(start, start + BLOCK)
        out[rows] = as_float(bits[rows], steps.shape[1]) @ steps.T + constant
    return out


def as_float(bits, n_bits):
    """Packed rows as a matrix of 0 and 1, (n_rows, n_bits) float32."""
    return np.unpackbits(bits.view(np.uint8), axis=1, count=n_bits, bitorder="little").astype(np.float32)


def sample(n_rows, most, rng):
    """Row numbers, at most so many, ascending."""
    return np.arange(n_rows) if n_rows <= most else np.sort(rng.choice(n_rows, most, replace=False))
