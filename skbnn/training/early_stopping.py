"""Early stopping, by the score of the packed network on held-out rows."""

from copy import deepcopy

import numpy as np

from skbnn.training.epochs import Watcher


class EarlyStopping(Watcher):
    """Stops when the score improves no longer, and brings back the best epoch's networks.

    Parameters
    ----------
    samples : Samples
        With rows that are held out.
    data : TrainingData
        The same.
    tol : float
        What a score has to gain to count as better.
    patience : int
        Epochs without a better score, after which training stops.
    """

    def __init__(self, samples, data, *, tol, patience):
        held = samples.held
        self.X, self.y, self.sample_weight = samples.X[held], samples.y[held], samples.sample_weight[held]
        self.data, self.rows, self.tol, self.patience = data, samples.rows, tol, patience
        self.best_score, self.last_gain, self.best = -np.inf, 0, None

    def epoch_ended(self, state):
        """Score the network as it would be delivered."""
        scores, predicted = state.history.scores, state.pack(self.data, self.rows).predict(self.X)
        scores.append(score := state.targets.score(self.y, predicted, self.sample_weight))
        if score > self.best_score + self.tol or self.best is None:
            self.last_gain = len(scores)
        if score > self.best_score or self.best is None:
            self.best_score, self.best = score, (deepcopy(state.trainers), state.packed)
        return len(scores) - self.last_gain >= self.patience

    def loop_ended(self, state):
        """Go back to the best epoch; an interrupt can come before there is one."""
        if self.best is not None:
            state.trainers, state.packed = self.best
            state.history.best_score = self.best_score
