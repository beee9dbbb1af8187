"""Principal components, which can be encoded beside the features."""

import numpy as np
from sklearn.decomposition import PCA

from skbnn._scale import location_and_scale

MAX_SIZE = 2**22  # floats of the copy that is looked at; rows beyond that are left out


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
        Coefficients of the features as they are; of a constant one they are 0.
    """
    max_rows = max(MAX_SIZE // X.shape[1], n_components + 1)
    if len(X) > max_rows:
        X = X[np.sort(rng.choice(len(X), max_rows, replace=False))]
    X = X.astype(np.float64)
    mean, std = location_and_scale(X, np.ones(len(X)))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # invalid: shares of no variance at all
        factor = np.where(np.isfinite(1 / std), 1 / std, 0)
        pca = PCA(n_components, svd_solver="covariance_eigh").fit(X * factor - mean * factor)
    return pca.components_ * factor
