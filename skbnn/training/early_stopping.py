"""Early stopping, by a score of the packed network."""

from copy import deepcopy
from typing import NamedTuple

from skbnn.packed import PackedNetwork
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
        self.found = None

    def epoch_ended(self, state):
        """Score the network as it would be delivered."""
        score, found = self.score(state.pack(self.data, self.rows)), self.found
        scores = [*state.scores, score]
        last_gain = len(scores) if found is None or score > found.score + self.tol else found.last_gain
        if found is None or score > found.score:
            found = Found(score, deepcopy(state.trainers), state.packed, scores, last_gain)
        self.found = found._replace(scores=scores, last_gain=last_gain)  # in one step, as Ctrl-C can come at any
        state.scores = scores
        return len(scores) - last_gain >= self.patience

    def loop_ended(self, state):
        """Go back to the best epoch; an interrupt can come before there is one."""
        if self.found is not None:
            state.trainers, state.packed, state.scores = self.found.trainers, self.found.packed, self.found.scores


class Found(NamedTuple):
    """The best epoch's score, trainers and packed network; all scores, and of how many the last gained enough."""

    score: float
    trainers: list
    packed: PackedNetwork
    scores: list
    last_gain: int
