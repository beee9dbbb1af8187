"""Linear combinations of the features, which can be encoded beside them."""

import warnings

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV

from skbnn._scale import location_and_scale

# Floats of the copy that is looked at; rows beyond that are left out. A regression costs more than a mean.
MAX_SIZE, MAX_SIZE_TO_REGRESS = 2**22, 2**20

ROUNDING = 1e-12  # variance of a component, in shares of the whole, below which it is that of rounded numbers

PENALTIES = np.logspace(-1, 4, 6)  # to choose from


def principal_components(X, n_components, rng):
    """Find the leading principal components of the standardized features.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    n_components : int
        At most ``min(n_rows - 1, n_features)``.
    rng : numpy.random.Generator
        Draws the rows, where they are too many.

    Returns
    -------
    ndarray of shape (n_components, n_features), float64
        Coefficients of the features as they are; of a constant one they are 0, and so is a component that does not
        vary, as of features that depend on each other.
    """
    n_features = X.shape[1]
    rows = sample(np.arange(len(X)), max(MAX_SIZE // n_features, n_components + 1), rng)
    standardized, factor = standardize(X[rows])
    solver = "covariance_eigh" if n_features <= len(rows) else "full"  # the first takes n_features³ steps
    with np.errstate(divide="ignore", invalid="ignore"):  # shares of no variance at all
        pca = PCA(n_components, svd_solver=solver).fit(standardized)
    varies = pca.explained_variance_ > ROUNDING * n_features
    return np.where(varies[:, np.newaxis], pca.components_ * factor, 0)


def linear_directions(X, y, sample_weight, rows, rng):
    """Find the direction along which each target rises, by ridge regression on the standardized features.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows, n_outputs)
    sample_weight : ndarray of shape (n_rows,)
    rows : ndarray of int
        Those to fit by.
    rng : numpy.random.Generator
        Draws the rows, where they are too many.

    Returns
    -------
    ndarray of shape (n_outputs, n_features), float64
        Coefficients of the features as they are; of a constant one they are 0.
    """
    rows = sample(rows, MAX_SIZE_TO_REGRESS // X.shape[1], rng)
    standardized, factor = standardize(X[rows])
    targets, _ = standardize(y[rows])
    weights = sample_weight[rows] / sample_weight[rows].mean()  # so that a penalty means the same for any weights
    ridge = RidgeCV(PENALTIES, alpha_per_target=y.shape[1] > 1)
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        warnings.simplefilter("ignore", LinAlgWarning)  # equal features are no one's mistake
        directions = ridge.fit(standardized, targets, weights).coef_.reshape(-1, X.shape[1]) * factor
    directions[~np.isfinite(directions)] = 0  # of features that hardly vary
    return directions


def sample(rows, most, rng):
    """The rows, or ``most`` of them, ascending."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def standardize(X):
    """Columns of mean 0 and standard deviation 1, float64, and the factors that made them so, 0 of a constant one."""
    X = X.astype(np.float64, order="C")  # BLAS rounds by the memory's order
    mean, std = location_and_scale(X, np.ones(len(X)))
    with np.errstate(divide="ignore", over="ignore"):
        factor = np.where(np.isfinite(1 / std), 1 / std, 0)
        return X * factor - mean * factor, factor
