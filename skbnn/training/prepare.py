"""Makes training ready: from the start, or to go on from what there is."""

from dataclasses import replace

import numpy as np

from skbnn.encoding.tables import are_categorical
from skbnn.training.category_order import order_categories
from skbnn.training.decide import decide
from skbnn.training.prequential import with_followed_shrinkage, with_known
from skbnn.training.samples import Samples, weights_by_class
from skbnn.training.state import TrainingState
from skbnn.training.stream import Memory


def prepare(rows, categories, targets, parameters, progress, origin):
    """A state that is ready to train, and its samples.

    Parameters
    ----------
    rows : tuple of ndarray
        As ``Samples.of`` takes them.
    categories : tuple or None
        Labels of each feature's categories.
    targets : Targets
    parameters : Parameters
    progress : Progress
    origin : TrainingState or int
        What to go on from, or the seed to start with.

    Returns
    -------
    state : TrainingState
    samples : Samples
        Encoded: these rows and, in a stream, some of those that it keeps.
    """
    state = origin if isinstance(origin, TrainingState) else None
    seed, rng = (state.seed, state.rng) if state else (origin, np.random.default_rng(origin))
    n_new, memory, begins = len(rows[1]), Memory(), state is None
    if parameters.streaming:
        memory, rows, begins = (Memory(n_begun=0) if begins else state.memory).after(rows, rng)
    samples = Samples.of(*rows, nominal=are_categorical(categories, rows[0].shape[1]))
    samples = samples.arranged(parameters, targets, seed)
    _, hashes = samples.hashes(samples.rows)
    if state:
        decision = state.decision.revised(parameters, samples, targets)
        if not begins:
            state = replace(state, categories=categories)
            samples = replace(samples, X=state.known_codes(samples.X)).encode(decision.encoding)
            resumed = state.resumed(targets, decision, samples, n_new, memory)
            if parameters.streaming:
                hashes = hashes[len(hashes) - np.count_nonzero(weights_by_class(*rows[2:])[-n_new:]) :]
                if parameters.dropout == "auto":
                    resumed = with_followed_shrinkage(resumed, state, samples.without_class_weights(), hashes)
            return with_known(resumed, hashes), samples
        parameters = replace(decision.parameters, max_iter=len(state.losses) + 1)  # as many as there have been
    samples, places = order_categories(samples, targets, rng)
    decision, samples = decide(samples, targets, parameters, progress, rng)
    state = TrainingState.begin(targets, decision, rng, seed, len(samples.rows))
    return with_known(replace(state, memory=memory, categories=categories, places=places), hashes), samples
