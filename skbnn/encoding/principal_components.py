"""Principal components of the standardized features."""

import numpy as np
from sklearn.decomposition import PCA

from skbnn.encoding.encoding import round_significand
from skbnn.encoding.sparse import dense
from skbnn.encoding.standardization import standardize
from skbnn.encoding.thresholds import subsample

MAX_SIZE = 2**22  # floats of the copy that is looked at; rows beyond that are left out

ROUNDING = 1e-12  # variance of a component, in shares of the whole, below which it is that of rounded numbers


def principal_components(X, features, n_components, rng, sample_weight=None):
    """Find the leading principal components of some features, standardized.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features_in)
    features : ndarray of shape (n_features,), int
        Which columns of X they are.
    n_components : int
        At most ``min(n_rows - 1, n_features)``.
    rng : numpy.random.Generator
        Draws the rows, where they are too many.
    sample_weight : ndarray of shape (n_rows,), default=None
        By which rows count; None is all the same.

    Returns
    -------
    ndarray of shape (n_components, n_features), float64
        Coefficients of the features as they are; of a constant one they are 0, and so is a component that does not
        vary, as of features that depend on each other.
    """
    n_features = len(features)
    rows = subsample(np.arange(X.shape[0]), max(MAX_SIZE // n_features, n_components + 1), rng)
    weights = None if sample_weight is None else sample_weight[rows]
    standardized, factor = standardize(dense(X[np.ix_(rows, features)]), weights)
    if weights is not None:
        weighed = np.sqrt(weights / weights.mean())[:, np.newaxis] * standardized
        standardized = np.vstack([weighed, -weighed])  # whose mean, which PCA takes off, is 0
    solver = "covariance_eigh" if n_features <= len(rows) else "full"  # the first takes n_features³ steps
    with np.errstate(divide="ignore", invalid="ignore"):  # shares of no variance at all
        pca = PCA(n_components, svd_solver=solver).fit(standardized)
    varies = pca.explained_variance_ > ROUNDING * n_features
    return np.where(varies[:, np.newaxis], round_significand(pca.components_ * factor), 0)
