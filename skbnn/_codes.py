"""The codes that an estimator chooses from: features by themselves, and with linear combinations beside them."""

import warnings

import numpy as np

from skbnn._components import principal_components
from skbnn._tuning import TOO_FEW
from skbnn.encoding import Code, add_components, find_code

# With more features than this their principal components take longer to compute than the network, in prediction.
MAX_FEATURES_FOR_COMPONENTS = 32


def find_codes(X, n_thresholds, n_components, directions, rng):
    """Find the codes to choose from.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    n_thresholds : int
        Thresholds of a feature or component, at most.
    n_components : int or "auto"
        How many principal components to encode; "auto" leaves it open whether there are any.
    directions : callable
        Returns combinations that come before principal components if ``n_components="auto"``,
        (n_directions, n_features).
    rng : numpy.random.Generator
        Draws the rows to look at, where they are too many.

    Returns
    -------
    list of Code
        The simplest first; a single one if ``n_components`` is a number.

    Raises
    ------
    ValueError
        If there can't be as many components.
    """
    n_rows, n_features = X.shape
    most = min(n_rows - 1, n_features)
    auto = n_components == "auto"
    if auto:
        worth_a_look = 2 <= n_features <= MAX_FEATURES_FOR_COMPONENTS and n_rows >= TOO_FEW
        n_components = most if worth_a_look else 0
    elif n_components > most:
        raise ValueError(
            f"n_components={n_components} must be below n_samples={n_rows} and at most n_features={n_features}."
        )
    codes = [find_code(X, n_thresholds, rng=rng)]
    if n_components:
        combinations = [directions()] if auto else []
        combinations.append(principal_components(X, n_components, rng))
        for components in combinations:
            if auto:
                components = components[components.any(axis=1)]  # each costs every prediction
            if len(components):
                codes.append(add_components(codes[-1], X, components, n_thresholds, rng=rng))
    if not codes[-1].n_bits:
        said = f"No feature varies in these {n_rows} rows; the network can only predict a constant."
        warnings.warn(said, stacklevel=8)  # of the call that fits
        return [constant_code(codes[-1])]
    return codes if auto else codes[-1:]


def constant_code(code):
    """The same with one bit that is always +1, so that there is a network to hold the mean."""
    offsets = np.minimum(np.arange(len(code.offsets)), 1)
    return Code(np.array([np.finfo(np.float64).min]), offsets, code.components)
