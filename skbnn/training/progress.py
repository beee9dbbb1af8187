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

    def compared(self, encoding, outcome):
        """An outcome on held-out rows."""
        losses = f"loss = {outcome.loss:.6f} on held-out rows, {outcome.alone:.6f} without a network"
        self.say(f"{encoding.n_bits} bits, {len(encoding.components)} components: {losses}")

    def chosen(self, parameters, shrinkage):
        """What is best by all that was compared."""
        says = "" if shrinkage else ": the initial model alone predicts"
        layers = "-".join(map(str, parameters.hidden_layer_sizes))
        how = f"layers {layers}, {parameters.n_components} components, dropout {parameters.dropout}"
        self.say(f"Chosen: {how}, shrinkage {shrinkage:.2f}{says}")

    def epoch_ended(self, state):
        """The epoch's loss, its score where there is one, and the time since the last."""
        parameters, epoch, now = state.decision.parameters, len(state.losses), time.perf_counter()
        planned = "" if parameters.streaming else f"/{parameters.max_iter}"  # a stream has no end
        score = f", validation score = {state.scores[-1]:.4f}" if len(state.scores) == epoch else ""
        self.say(f"Epoch {epoch}{planned}, loss = {state.losses[-1]:.6f}{score}, {now - self.since:.2f} s")
        self.since = now
