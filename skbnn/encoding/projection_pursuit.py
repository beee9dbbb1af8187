"""Projection pursuit: directions such that smooth functions along them add up to the targets, and their thresholds."""

from operator import attrgetter
from typing import NamedTuple

import numpy as np
from scipy.interpolate import BSpline
from scipy.linalg import solve
from scipy.spatial import KDTree
from sklearn.linear_model import Ridge, RidgeCV

from skbnn.encoding.encoding import Combinations, project, round_significand
from skbnn.encoding.standardization import standardize
from skbnn.encoding.thresholds import midpoints
from skbnn.kernels.quiet import quiet

MAX_DIRECTIONS = 8

# Each takes at least this share off the squared error that those before it leave of an output, and there are no more
# where that is a share of the whole that a thermometer encoding can't resolve.
GAIN, RESOLUTION = 0.1, 1e-4

# With fewer rows a coefficient, a direction that fits them says little about others.
ROWS_PER_COEFFICIENT = 20

PENALTIES = np.logspace(-1, 4, 6)  # of the ridge regression that gives a first guess, to choose from

# Local slopes are those around so many rows, or fewer if neighbours come to so many floats; with so many neighbours a
# coefficient.
N_SLOPES, MAX_SIZE, NEIGHBOURS = 300, 2**20, 5

# Damping of a local slope, in shares of its curvature's trace, and beside that: more than rounding leaves of a trace.
SLOPE_DAMPING, ROUNDING = 0.01, 1e-24

N_KNOTS, DEGREE = 8, 3
SPLINE_PENALTY = 1e-3  # keeps coefficients finite where rows hardly determine them

# A step has to take this share off the error; damping, in shares of the curvature's trace, keeps it finite.
MAX_STEPS, STEP_GAIN, DAMPING = 20, 0.01, 1e-5


class Fit(NamedTuple):
    """A direction, and what the smooth functions along it that fit best leave of the targets."""

    error: float
    direction: np.ndarray
    residual: np.ndarray


def pursue_directions(X, y, sample_weight, n_thresholds):
    """Find directions one after the other, by projection pursuit regression [1]_, and thresholds along them.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows, n_outputs)
        Outputs share the directions; each has functions of its own [2]_.
    sample_weight : ndarray of shape (n_rows,)
    n_thresholds : int
        Of a direction, at most.

    Returns
    -------
    Combinations
        Coefficients of a constant feature are 0. At most ``MAX_DIRECTIONS``, and none where rows are few or no smooth
        function of a direction fits.

    References
    ----------
    .. [1] Friedman and Stuetzle, "Projection Pursuit Regression", J. of the American Statistical Association, 1981.
    .. [2] Friedman, "SMART User's Guide", Stanford, 1984.
    """
    n_rows, n_features = X.shape
    weights = sample_weight / sample_weight.mean()  # penalties mean the same for any weights
    standardized, factor = standardize(X)
    residual, _ = standardize(y)
    residual -= np.average(residual, axis=0, weights=weights)
    totals = errors = squared_errors(residual, weights)
    directions, columns = np.empty((0, n_features)), []
    most = min(MAX_DIRECTIONS, n_rows // (ROWS_PER_COEFFICIENT * n_features))
    near = neighbourhoods(standardized, y.shape[1])
    # Equal features, and rows that outweigh all others, are no one's mistake.
    with quiet, np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        while len(directions) < most and (left := np.flatnonzero(errors > RESOLUTION * totals)).size:
            units = np.sqrt(errors[left] / weights.sum())  # what is left of each output counts as much
            wanted = residual[:, left] / units
            best = best_fit(standardized, wanted, weights, near)
            if best is None or squared_errors(best.residual, weights).min() > (1 - GAIN) * weights.sum():
                break
            direction = round_significand(best.direction * factor)
            direction[~np.isfinite(direction)] = 0  # of features that hardly vary
            position = project(X, direction[np.newaxis])[:, 0]
            column = companding_thresholds(position, wanted, weights, n_thresholds)
            if not len(column):  # what remains is rounding errors
                break
            directions = np.vstack([directions, direction])
            columns.append(column)
            residual[:, left] = best.residual * units
            errors = squared_errors(residual, weights)
    return Combinations(directions, columns)


def companding_thresholds(position, y, weights, n_thresholds):
    """Thresholds between which steps follow the smooth function with the least squared error, ascending, (n,) float64.

    Where rows have density p and the function has slope s, thresholds have that of the cube root of p s² (Panter and
    Dite, "Quantization Distortion in Pulse-Count Modulation with Nonuniform Spacing of Levels", 1951).
    """
    values, value_of = np.unique(position, return_inverse=True)
    if len(values) - 1 <= n_thresholds:
        return midpoints(values[:-1], values[1:])
    mass = np.bincount(value_of, weights)
    rises = np.diff(smooth_function(position, y, weights)(values), axis=0)
    shares = np.cumsum(np.cbrt((mass[1:] + mass[:-1]) * (rises**2).sum(axis=1)))
    wanted = shares[-1] * np.arange(1, n_thresholds + 1) / (n_thresholds + 1)
    gaps = np.unique(np.searchsorted(shares, wanted))
    return midpoints(values[gaps], values[gaps + 1])


def best_fit(X, y, weights, near):
    """The best Fit of what several first guesses lead to, or None; X is standardized, ``near`` its neighbourhoods."""
    slopes = RidgeCV(PENALTIES).fit(X, y, weights).coef_.reshape(-1, X.shape[1])
    # Targets that rise on both sides have no slope, but curvature (Li, "On Principal Hessian Directions", 1992).
    curvatures = np.vstack([weighted_gram(X, weights * target) for target in y.T])
    # Those that rise and fall several times have neither, but slopes from place to place (Xia, Tong, Li and Zhu, "An
    # Adaptive Estimation of Dimension Reduction Space", 2002).
    of_places = local_slopes(X, y, weights, near)
    guesses = [*leading_directions(slopes, 1), *leading_directions(curvatures, 2), *leading_directions(of_places, 2)]
    fits = [refine(guess, X, y, weights) for guess in guesses]
    return min((fit for fit in fits if fit is not None), key=attrgetter("error"), default=None)


def neighbourhoods(X, n_outputs):
    """The nearest rows of some rows, (n_slopes, n_neighbours)."""
    n_rows, n_features = X.shape
    n_neighbours = min(n_rows, NEIGHBOURS * (n_features + 1))
    n_slopes = min(N_SLOPES, 1 + MAX_SIZE // (n_neighbours * (n_features + n_outputs)))
    some = X[:: -(-n_rows // n_slopes)]
    return KDTree(X).query(some, n_neighbours)[1].reshape(len(some), n_neighbours)


def local_slopes(X, y, weights, near):
    """Slopes of the targets in each neighbourhood, one below the other, each by ridge regression."""
    share = (weights[near] / weights[near].sum(axis=1, keepdims=True))[:, np.newaxis]
    around, rise = X[near], y[near]
    for part in around, rise:
        part -= share @ part
    weighted = around.transpose(0, 2, 1) * share
    curvature = weighted @ around
    damping = SLOPE_DAMPING * np.trace(curvature, axis1=1, axis2=2) / X.shape[1] + ROUNDING
    damping = damping[:, np.newaxis, np.newaxis] * np.eye(X.shape[1])
    slopes = np.linalg.solve(curvature + damping, weighted @ rise).transpose(0, 2, 1).reshape(-1, X.shape[1])
    return slopes[np.isfinite(slopes).all(axis=1)]  # not where all weights are too small to count


def leading_directions(rows, n):
    """Right singular vectors of the largest singular values."""
    return np.linalg.svd(rows, full_matrices=False)[2][:n]


def refine(direction, X, y, weights):
    """Turn a direction by Levenberg-Marquardt steps while they lessen the squared error; the best Fit, or None."""
    best = None
    for _ in range(MAX_STEPS):
        direction = direction / (X @ direction).std()
        position = X @ direction
        if not np.ptp(position) > 0:  # NaN where nothing varies, and 0 where only rounding does
            break
        function = smooth_function(position, y, weights)
        residual = y - function(position)
        error = squared_errors(residual, weights).sum()
        if best is not None and not error < (1 - STEP_GAIN) * best.error:
            break
        best = Fit(error, direction, residual)
        slope = function.derivative()(position)
        curvature = weighted_gram(X, weights * (slope**2).sum(axis=1))
        damping = DAMPING * np.trace(curvature)
        if not 0 < damping < np.inf:
            break
        gradient = X.T @ (weights * (slope * residual).sum(axis=1))
        direction = direction + solve(curvature + damping * np.eye(X.shape[1]), gradient, assume_a="pos")
    return best


def weighted_gram(X, weights):
    """Sum of the rows' outer products with themselves, by weights, (n_features, n_features)."""
    return (X * weights[:, np.newaxis]).T @ X


def smooth_function(position, y, weights):
    """A cubic spline of the position for each column of y, by least squares."""
    knots = np.unique(np.quantile(position, np.linspace(0, 1, N_KNOTS)))
    knots = np.pad(knots, DEGREE, mode="edge")
    basis = BSpline.design_matrix(position, knots, DEGREE).toarray()
    ridge = Ridge(SPLINE_PENALTY, fit_intercept=False, solver="cholesky").fit(basis, y, weights)
    return BSpline(knots, ridge.coef_.reshape(y.shape[1], -1).T, DEGREE)


def squared_errors(residual, weights):
    """Sums over rows, by weights, (n_outputs,)."""
    return weights @ residual**2
