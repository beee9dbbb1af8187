"""Decides on all that training has to know, by the data and by what was asked for."""

from dataclasses import replace

from skbnn.initial_models.additive import MAX_FEATURES
from skbnn.training.candidates import find_encodings
from skbnn.training.decision import Decision
from skbnn.training.selection import select

# The mean of two networks errs less than one does; beyond so many rows, one learns more by itself and takes long.
MAX_ROWS_FOR_TWO = 50_000


def decide(samples, targets, parameters, rng):
    """Decide on what is to be trained, and how.

    Parameters
    ----------
    samples : Samples
    targets : Targets
    parameters : Parameters
    rng : numpy.random.Generator
        Draws rows to look at, and what is compared.

    Returns
    -------
    decision : Decision
    samples : Samples
        Encoded as decided.

    Raises
    ------
    ValueError
        If these data can't have what was asked for.
    """
    if parameters.streaming:
        parameters = parameters.where_auto(n_components=0, n_estimators=1, dropout=0.0)
    parameters = parameters.where_auto(n_estimators=1 if len(samples.rows) > MAX_ROWS_FOR_TWO else 2).paced(samples)
    if samples.X.shape[1] > MAX_FEATURES:
        parameters = replace(parameters, init="constant")
    encoding, extensions = find_encodings(samples, targets, parameters, rng)
    decision, samples = Decision(parameters, encoding), samples.encode(encoding)
    if extensions or parameters.dropout == "auto":
        decision, samples = select(decision, samples, extensions, targets, rng)
    initial_model = targets.initial_model(samples, samples.rows, rng, additive=parameters.init == "additive")
    parameters = decision.parameters.where_auto(n_components=len(decision.encoding.components), dropout=0.0)
    return replace(decision, parameters=parameters, initial_model=initial_model), samples
