"""Decides on all that training has to know, by the data and by what was asked for."""

from dataclasses import replace

import numpy as np

from skbnn.encoding import Encoding
from skbnn.encoding.principal_components import principal_components
from skbnn.encoding.thresholds import find_combinations, find_encoding
from skbnn.initial_models.additive import MAX_FEATURES
from skbnn.training.held_out import TOO_FEW, select
from skbnn.training.parameters import Decision
from skbnn.training.warn import warn

# The mean of two networks errs less than one does; beyond so many rows, one learns more by itself and takes long.
MAX_ROWS_FOR_TWO = 50_000

# With more features than this their principal components take longer to compute than the network, in prediction.
MAX_FEATURES_FOR_COMPONENTS = 32

# A direction has to leave less than this share of the loss, and so have principal components: they make predictions
# slower, and short training of narrow networks, which judges them, likes them better than the one to come does.
WORTH = 0.9

# A target can vary along a direction more than along a feature, so it has this many times as many thresholds.
FINER = 2


def decide(samples, targets, parameters, rng):
    """Decide on what is to be trained, and how.

    Parameters
    ----------
    samples : Samples
    targets : Targets
    parameters : Parameters
    rng : numpy.random.Generator
        Draws the rows to look at, the splits, and the networks that are compared.

    Returns
    -------
    decision : Decision
    samples : Samples
        Encoded as decided.

    Raises
    ------
    ValueError
        If ``n_components`` is not below the number of rows, or above that of features.
    """
    if parameters.streaming:
        parameters = parameters.where_auto(n_components=0, n_estimators=1, dropout=0.0)
    parameters = parameters.where_auto(n_estimators=1 if len(samples.rows) > MAX_ROWS_FOR_TWO else 2).paced(samples)
    if samples.X.shape[1] > MAX_FEATURES:
        parameters = replace(parameters, init="constant")
    encoding, extensions = find_encodings(samples, targets, parameters, rng)
    samples, dropout, shrinkage = select(samples.encode(encoding), extensions, targets, parameters, rng)
    parameters = replace(parameters, dropout=dropout).where_auto(n_components=len(samples.encoding.components))
    initial_model = targets.initial_model(samples, samples.rows, rng, init=parameters.init)
    return Decision(parameters, samples.encoding, initial_model, shrinkage), samples


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
    extensions : list of (Combinations, float)
        To be tried in this order, one at most to be kept: with it, the loss has to be less than this share of what it
        is without. None if ``n_components`` is a number.

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
            extensions = [(directions, WORTH ** len(directions.components)), (principal, WORTH)]
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
    return encoding, [(found, worth) for found, worth in extensions if len(found.components)]


def always_on(encoding):
    """The same with one bit that is always +1, so that there is a network to hold the mean."""
    offsets = np.minimum(np.arange(len(encoding.offsets)), 1)
    return Encoding(np.array([np.finfo(np.float64).min]), offsets, encoding.components)
