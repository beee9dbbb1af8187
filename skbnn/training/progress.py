"""What ``verbose`` prints."""

import time

from skbnn.training.epochs import Watcher


class Progress(Watcher):
    """Prints a line for each thing that is compared, for what is chosen and for each epoch, if ``verbose``."""

    def __init__(self, verbose):
        self.verbose, self.since = verbose, time.perf_counter()

    def say(self, line):
        """Print at once, or not at all."""
        if self.verbose:
            print(line, flush=True)

    def compared(self, n_components, outcome):
        """An outcome on held-out rows."""
        said = f"{n_components} components, dropout {outcome.dropout}: loss = {outcome.loss:.6f} on held-out rows"
        self.say(f"{said}, shrinkage {outcome.factor:.2f}")

    def chosen(self, decision):
        """What is best of all that was compared."""
        n_components, shrinkage = len(decision.encoding.components), decision.shrinkage
        says = "" if shrinkage else ": the initial model alone predicts"
        dropout = decision.parameters.dropout
        self.say(f"Chosen: {n_components} components, dropout {dropout}, shrinkage {shrinkage:.2f}{says}")

    def epoch_ended(self, state):
        """The epoch's loss, its score where there is one, and the time since the last."""
        history, now = state.history, time.perf_counter()
        scored = history.scores is not None and len(history.scores) == len(history.losses)
        score = f", validation score = {history.scores[-1]:.4f}" if scored else ""
        done = f"Epoch {len(history.losses)}/{history.n_planned}"
        self.say(f"{done}, loss = {history.losses[-1]:.6f}{score}, {now - self.since:.2f} s")
        self.since = now
