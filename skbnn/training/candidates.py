"""Encodings to choose from: of the features alone, or with linear combinations beside them."""

from typing import NamedTuple

import numpy as np

from skbnn.encoding import Combinations, Encoding
from skbnn.encoding.principal_components import principal_components
from skbnn.encoding.thresholds import find_combinations, find_encoding
from skbnn.training.selection import TOO_FEW
from skbnn.training.warn import warn

# With more features than this their principal components take longer to compute than the network, in prediction.
MAX_FEATURES_FOR_COMPONENTS = 32

# A direction has to leave less than this share of the loss, and so have principal components: they make predictions
# slower, and short training of narrow networks, which judges them, likes them better than the one to come does.
WORTH = 0.9

# A target can vary along a direction more than along a feature, so it has this many times as many thresholds.
FINER = 2


class Extension(NamedTuple):
    """Combinations that an encoding could have beside the features.

    With them, the loss has to be less than the share ``worth`` of what it is without.
    """

    combinations: Combinations
    worth: float


def find_encodings(samples, targets, parameters, rng):
    """Find the encoding, and what it could have beside.

    Parameters
    ----------
    samples : Samples
    targets : Targets
    parameters : Parameters
    rng : numpy.random.Generator
        Draws the rows to look at, where they are too many.

    Returns
    -------
    encoding : Encoding
    extensions : list of Extension
        To be tried in this order, one at most to be kept; none if ``n_components`` is a number.

    Raises
    ------
    ValueError
        If there can't be as many components.
    """
    X, n_thresholds, n_components = samples.X, parameters.n_thresholds, parameters.n_components
    n_rows, n_features = X.shape
    most = min(n_rows - 1, n_features)
    encoding, extensions = find_encoding(X, n_thresholds, rng=rng), []

    if n_components == "auto":
        if 2 <= n_features <= MAX_FEATURES_FOR_COMPONENTS and n_rows >= TOO_FEW:
            directions = targets.directions(samples, FINER * n_thresholds, rng)
            components = principal_components(X, most, rng)
            components = components[components.any(axis=1)]  # each costs every prediction
            principal = find_combinations(X, components, n_thresholds, rng=rng)
            extensions = [Extension(directions, WORTH ** len(directions.components)), Extension(principal, WORTH)]
    elif n_components > most:
        raise ValueError(
            f"n_components={n_components} must be below n_samples={n_rows} and at most n_features={n_features}."
        )
    elif n_components:
        components = principal_components(X, n_components, rng)
        encoding = encoding.with_combinations(find_combinations(X, components, n_thresholds, rng=rng))
    if not encoding.n_bits:
        warn(f"No feature varies in these {n_rows} rows; the network can only predict a constant.")
        return always_on(encoding), []
    return encoding, [extension for extension in extensions if len(extension.combinations.components)]


def always_on(encoding):
    """The same with one bit that is always +1, so that there is a network to hold the mean."""
    offsets = np.minimum(np.arange(len(encoding.offsets)), 1)
    return Encoding(np.array([np.finfo(np.float64).min]), offsets, encoding.components)
