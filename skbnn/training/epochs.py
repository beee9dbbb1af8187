"""The loop over epochs, the only one, and what may watch it."""

from itertools import pairwise

import numpy as np

from skbnn.network.ensemble import train_epoch


class Watcher:
    """Is told by the loop what happens; does nothing unless a method is overridden."""

    def loop_began(self, state):
        """Is called once before the first epoch."""

    def epoch_began(self, state):
        """Is called before each epoch."""

    def epoch_ended(self, state):
        """Return whether to stop; the epoch's loss is the last in ``state.losses``."""
        return False

    def interrupted(self, state):
        """Return whether to keep what was trained when Ctrl-C was pressed, instead of raising KeyboardInterrupt."""
        return False

    def loop_ended(self, state):
        """Is called after the last epoch, also after an interrupt that was kept, and again if that came within."""


def train_on(state, data, rows, epoch):
    """Train a state's networks on these rows for an epoch; the mean loss."""
    parameters = state.decision.parameters
    batches = draw_batches(rows, parameters, state.rng)
    return train_epoch(state.trainers, data, batches, epoch, parameters.max_iter)


def run_epochs(state, data, rows, watchers=(), *, train=train_on):
    """Train a state's networks for as many epochs as were decided on.

    Parameters
    ----------
    state : TrainingState
        Changed in place.
    data : TrainingData or None
        None if ``train`` has its own.
    rows : sequence of int
        Those to train on.
    watchers : iterable of Watcher, default=()
        Told of each event in this order; one is enough to stop, or to keep what was trained.
    train : callable
        Called as ``train_on``, to train for an epoch.

    Raises
    ------
    ValueError
        If a loss is not finite.
    KeyboardInterrupt
        If no watcher keeps what was trained.
    """
    parameters, n_losses, n_rows_trained = state.decision.parameters, len(state.losses), state.n_rows_trained
    for watcher in watchers:
        watcher.loop_began(state)
    try:
        for epoch in range(parameters.max_iter):
            for watcher in watchers:
                watcher.epoch_began(state)
            state.packed = None
            state.losses.append(train(state, data, rows, epoch))
            state.n_rows_trained += len(rows)
            if any([watcher.epoch_ended(state) for watcher in watchers]):  # a list, so that all are told
                break
        for watcher in watchers:
            watcher.loop_ended(state)
    except KeyboardInterrupt:
        if not any([watcher.interrupted(state) for watcher in watchers]):
            raise
        state.n_rows_trained = n_rows_trained + (len(state.losses) - n_losses) * len(rows)
        for watcher in watchers:
            watcher.loop_ended(state)


def draw_batches(rows, parameters, rng):
    """The rows of each mini-batch of an epoch; their numbers differ by one at most."""
    if parameters.shuffle:
        rows = rng.permutation(rows)
    n_batches = -(-len(rows) // parameters.batch_size)
    starts = np.arange(n_batches + 1) * len(rows) // n_batches
    return [rows[start:stop] for start, stop in pairwise(starts)]
