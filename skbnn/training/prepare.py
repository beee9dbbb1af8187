"""Makes training ready: from the start, or to go on from what there is."""

from dataclasses import replace

import numpy as np

from skbnn.encoding.tables import are_categorical
from skbnn.training.decide import decide
from skbnn.training.prequential import with_followed_shrinkage, with_known
from skbnn.training.samples import Samples, weights_by_class
from skbnn.training.state import TrainingState
from skbnn.training.stream import Memory


def begin(rows, categories, targets, parameters, progress, seed):
    """A state that is ready to train from the start, and its samples.

    Parameters
    ----------
    rows : tuple of ndarray
        As ``Samples.of`` takes them.
    categories : tuple or None
        Labels of each feature's categories.
    targets : Targets
    parameters : Parameters
    progress : Progress
    seed : int

    Returns
    -------
    state : TrainingState
    samples : Samples
        Encoded.
    """
    rng, memory = np.random.default_rng(seed), Memory()
    if parameters.streaming:
        memory, rows, _ = Memory(n_begun=0).after(rows, rng)
    samples = samples_of(rows, categories).arranged(parameters, targets, seed)
    state, samples = begun(samples, targets, parameters, progress, rng, seed)
    return replace(state, memory=memory, categories=categories), samples


def go_on(state, rows, categories, targets, parameters, progress):
    """A state that is ready to go on from this one, and its samples.

    A stream of which little has come may begin anew, with all of it.

    Parameters
    ----------
    state : TrainingState
    rows, categories, targets, parameters, progress
        As ``begin`` takes them, of this call.

    Returns
    -------
    state : TrainingState
    samples : Samples
        Encoded: these rows and, in a stream, some of those that it keeps.
    """
    n_new, memory, begins = len(rows[1]), Memory(), False
    if parameters.streaming:
        memory, rows, begins = state.memory.after(rows, state.rng)
    samples = samples_of(rows, categories).arranged(parameters, targets, state.seed)
    n_new = n_new if parameters.streaming else len(samples.rows)
    decision = state.decision.revised(parameters, samples, targets)
    if begins:
        parameters = replace(decision.parameters, max_iter=len(state.losses) + 1)  # as many as there have been
        anew, samples = begun(samples, targets, parameters, progress, state.rng, state.seed)
        return replace(anew, memory=memory, categories=categories), samples
    _, hashes = samples.hashes(samples.rows)
    state = replace(state, categories=categories)
    samples = replace(samples, X=state.known_codes(samples.X)).encode(decision.encoding)
    resumed = state.resumed(targets, decision, samples, n_new, memory)
    if parameters.streaming:
        n_weighty = np.count_nonzero(weights_by_class(*rows[2:])[-n_new:])
        hashes = hashes[len(hashes) - n_weighty :]  # of the new rows, which come last
        if parameters.dropout == "auto":
            resumed = with_followed_shrinkage(resumed, state, samples.without_class_weights(), hashes)
    return with_known(resumed, hashes), samples


def begun(samples, targets, parameters, progress, rng, seed):
    """A state with new networks, decided on by arranged samples, and these as they are encoded."""
    _, hashes = samples.hashes(samples.rows)
    decision, samples = decide(samples, targets, parameters, progress, rng)
    return with_known(TrainingState.begin(targets, decision, rng, seed, len(samples.rows)), hashes), samples


def samples_of(rows, categories):
    """Rows with the features that are nominal."""
    return Samples.of(*rows, nominal=are_categorical(categories, rows[0].shape[1]))
