"""The loop over epochs, the only one, and what may watch it."""

import numpy as np

from skbnn.network.ensemble import train_epoch


class Watcher:
    """Is told by the loop what happens; does nothing unless a method is overridden."""

    def epoch_ended(self, state):
        """Return whether to stop; the epoch's loss is the last in ``state.history``."""
        return False

    def interrupted(self, state):
        """Return whether to keep what was trained when Ctrl-C was pressed, instead of raising KeyboardInterrupt."""
        return False

    def loop_ended(self, state):
        """Do what is left to do before networks are packed."""


def run_epochs(state, data, rows, watchers=()):
    """Train a state's networks for as many epochs as were decided on.

    Parameters
    ----------
    state : TrainingState
        Changed in place.
    data : TrainingData
    rows : ndarray of int
        Those to train on.
    watchers : iterable of Watcher, default=()
        Told of each event in this order; one is enough to stop, or to keep what was trained.
    """
    parameters, history = state.decision.parameters, state.history
    n_epochs = parameters.max_iter
    history.n_planned = len(history.losses) + n_epochs
    state.n_rows_seen += len(rows)
    try:
        for epoch in range(n_epochs):
            state.packed = None
            batches = draw_batches(rows, parameters, state.rng)
            history.losses.append(train_epoch(state.trainers, data, batches, epoch, n_epochs))
            if any([watcher.epoch_ended(state) for watcher in watchers]):
                break
    except KeyboardInterrupt:
        if not any([watcher.interrupted(state) for watcher in watchers]):
            raise
    for watcher in watchers:
        watcher.loop_ended(state)


def draw_batches(rows, parameters, rng):
    """The rows of each mini-batch of an epoch; their numbers differ by one at most."""
    if parameters.shuffle:
        rows = rng.permutation(rows)
    return np.array_split(rows, -(-len(rows) // parameters.batch_size))
