"""Early stopping, by a score of the packed network."""

from copy import deepcopy

import numpy as np

from skbnn.training.epochs import Watcher


class EarlyStopping(Watcher):
    """Stops when the score improves no longer, and brings back the best epoch's networks.

    Parameters
    ----------
    score : callable
        ``score(packed)`` is what a packed network is worth, a float, by rows that it is not trained on.
    data : TrainingData
    rows : ndarray of int
        Those to train on.
    tol : float
        What a score has to gain to count as better.
    patience : int
        Epochs without a better score, after which training stops.
    """

    def __init__(self, score, data, rows, *, tol, patience):
        self.score, self.data, self.rows, self.tol, self.patience = score, data, rows, tol, patience
        self.best_score, self.last_gain, self.best = -np.inf, 0, None

    def epoch_ended(self, state):
        """Score the network as it would be delivered."""
        score = self.score(state.pack(self.data, self.rows))
        state.scores.append(score)
        if score > self.best_score + self.tol or self.best is None:
            self.last_gain = len(state.scores)
        if score > self.best_score or self.best is None:
            self.best_score, self.best = score, (deepcopy(state.trainers), state.packed)
        return len(state.scores) - self.last_gain >= self.patience

    def loop_ended(self, state):
        """Go back to the best epoch; an interrupt can come before there is one."""
        if self.best is not None:
            state.trainers, state.packed = self.best
