"""The codes that an estimator chooses from: features alone, or with linear combinations beside them."""

import warnings
from typing import NamedTuple

import numpy as np

from skbnn._components import principal_components
from skbnn._tuning import TOO_FEW
from skbnn.encoding import Code, add_components, component_thresholds, find_code

# With more features than this their principal components take longer to compute than the network, in prediction.
MAX_FEATURES_FOR_COMPONENTS = 32

# A direction has to leave less than this share of the loss, and so have principal components: they make predictions
# slower, and short training of narrow networks, which judges them, likes them better than the one to come does.
WORTH = 0.9

# A target can vary along a direction more than along a feature, so it has this many times as many thresholds.
FINER = 2


class Extension(NamedTuple):
    """Linear combinations of the features that a code could have beside them, and their thresholds.

    With them, the loss has to be less than the share ``worth`` of what it is without.
    """

    components: np.ndarray
    columns: list
    worth: float


def find_codes(X, n_thresholds, n_components, directions, rng):
    """Find the code, and what it could have beside.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    n_thresholds : int
        Thresholds of a feature or component, at most.
    n_components : int or "auto"
        How many principal components to encode; "auto" leaves it open whether there are any.
    directions : callable
        Returns combinations to try before principal components if ``n_components="auto"``, (n_directions, n_features),
        and their thresholds, a list of arrays, of which its parameter says how many at most.
    rng : numpy.random.Generator
        Draws the rows to look at, where they are too many.

    Returns
    -------
    code : Code
    extensions : list of Extension
        To be tried in this order, one at most to be kept; none if ``n_components`` is a number.

    Raises
    ------
    ValueError
        If there can't be as many components.
    """
    n_rows, n_features = X.shape
    most = min(n_rows - 1, n_features)
    code, extensions = find_code(X, n_thresholds, rng=rng), []
    if n_components == "auto":
        if 2 <= n_features <= MAX_FEATURES_FOR_COMPONENTS and n_rows >= TOO_FEW:
            found, columns = directions(FINER * n_thresholds)
            extensions.append(Extension(found, columns, WORTH ** len(found)))
            components = principal_components(X, most, rng)
            components = components[components.any(axis=1)]  # each costs every prediction
            columns = component_thresholds(X, components, n_thresholds, rng=rng)
            extensions.append(Extension(components, columns, WORTH))
    elif n_components > most:
        raise ValueError(
            f"n_components={n_components} must be below n_samples={n_rows} and at most n_features={n_features}."
        )
    elif n_components:
        components = principal_components(X, n_components, rng)
        code = add_components(code, components, component_thresholds(X, components, n_thresholds, rng=rng))
    if not code.n_bits:
        said = f"No feature varies in these {n_rows} rows; the network can only predict a constant."
        warnings.warn(said, stacklevel=8)  # of the call that fits
        return constant_code(code), []
    return code, [extension for extension in extensions if len(extension.components)]


def constant_code(code):
    """The same with one bit that is always +1, so that there is a network to hold the mean."""
    offsets = np.minimum(np.arange(len(code.offsets)), 1)
    return Code(np.array([np.finfo(np.float64).min]), offsets, code.components)
