"""What ``verbose`` shows: a bar, or lines."""

import sys
import time
from multiprocessing import parent_process
from threading import current_thread, main_thread

import numpy as np

from skbnn.kernels.quiet import quiet
from skbnn.training.epochs import Watcher

WITHOUT_EPOCHS, WITH_EPOCHS = "{desc} {elapsed}", "{desc} {n_fmt}/{total_fmt} |{bar}| {elapsed}<{remaining}{postfix}"


def progress_of(verbose, *, streaming=False):
    """The Progress of a fit: a bar where it can be seen, unless 2 or more asks for lines or a stream has no end."""
    if not verbose:
        return Progress()
    if verbose > 1 or streaming or not bar_can_be_seen():
        return Lines()
    try:
        with quiet:  # a notebook without ipywidgets shows the bar as text
            from tqdm.auto import tqdm
    except ImportError:
        return Lines()
    return Bar(tqdm)


def bar_can_be_seen():
    """Whether this is a terminal or a notebook, and no worker beside others, whose bars would write over each other."""
    if parent_process() is not None or current_thread() is not main_thread() or sys.stdout is None:
        return False
    return sys.stdout.isatty() or type(sys.stdout).__module__.startswith("ipykernel")


class Progress(Watcher):
    """Says nothing, unless a method is overridden. Is left when a fit ends, whatever ends it."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def say(self, line):
        """Show a line that stays."""

    def stage(self, what):
        """Say what is being done from now on."""

    def trial(self, encoding, n_epochs):
        """Say that short trainings, of so many epochs in all, are to judge an encoding; returns what watches them."""
        self.stage(f"Trying {encoding.n_bits} bits")
        return Watcher()

    def compared(self, encoding, outcome):
        """Say an outcome on held-out rows, None if the first part of them was enough."""
        says = "no better on the first part of the held-out rows"
        if outcome is not None:
            loss, alone = np.sum(outcome.loss), np.sum(outcome.alone)
            says = f"loss = {loss:.6f} on held-out rows, {alone:.6f} without a network"
        self.say(f"{encoding.n_bits} bits, {len(encoding.components)} components: {says}")

    def chosen(self, parameters, shrinkage):
        """Say what is best by all that was compared."""
        says = "" if np.any(shrinkage) else ": the initial model alone predicts"
        layers = "-".join(map(str, parameters.hidden_layer_sizes))
        how = f"layers {layers}, {parameters.n_components} components, dropout {parameters.dropout}"
        least, most = np.min(shrinkage), np.max(shrinkage)
        trust = f"{least:.2f}" if least == most else f"{least:.2f} to {most:.2f}"
        self.say(f"Chosen: {how}, shrinkage {trust}{says}")


class Lines(Progress):
    """A line for each stage, for each thing that is compared, for what is chosen and for each epoch."""

    def say(self, line):
        """Print it at once, as other threads and processes may print as well."""
        print(f"{line}\n", end="", flush=True)

    def stage(self, what):
        """Say it as it is."""
        self.say(what)

    def loop_began(self, state):
        """Time begins to count."""
        self.begun = self.since = time.perf_counter()

    def epoch_ended(self, state):
        """The epoch's loss, its score where there is one, the weights that flipped, its time, and the time left."""
        epoch, now, n_epochs = len(state.losses), time.perf_counter(), state.decision.parameters.max_iter
        streaming = state.decision.parameters.streaming  # without an end
        score = f", validation score = {state.scores[-1]:.4f}" if len(state.scores) == epoch else ""
        left = "" if streaming else f", {(now - self.begun) / epoch * (n_epochs - epoch):.1f} s left"
        self.say(
            f"Epoch {epoch}{'' if streaming else f'/{n_epochs}'}, loss = {state.losses[-1]:.6f}{score}, "
            f"{state.flip_ratios[-1]:.2%} of weights flipped, {now - self.since:.2f} s{left}"
        )
        self.since = now
        return False


class Bar(Progress):
    """One bar, of which a stage is a text and trainings are epochs; lines that stay come above it.

    Parameters
    ----------
    tqdm : type
        Of a terminal's bar or of a notebook's.
    """

    def __init__(self, tqdm):
        self.bar = tqdm(desc="Preparing", bar_format=WITHOUT_EPOCHS, miniters=1, file=sys.stdout)

    def __exit__(self, *exception):
        self.bar.close()

    def say(self, line):
        """Print it above the bar."""
        self.bar.write(line, file=sys.stdout)

    def stage(self, what):
        """Show it in place of the bar, with the time since."""
        self._show(what, WITHOUT_EPOCHS)

    def trial(self, encoding, n_epochs):
        """Show a bar that goes through all short trainings of this encoding."""
        self._show(f"Trying {encoding.n_bits} bits, epoch", WITH_EPOCHS, n_epochs)
        return Advance(self.bar)

    def loop_began(self, state):
        """Show a bar of the epochs to come."""
        self._show("Epoch", WITH_EPOCHS, state.decision.parameters.max_iter)

    def epoch_ended(self, state):
        """The epoch's loss, its score where there is one, and the weights that flipped."""
        score = f", score={state.scores[-1]:.4f}" if len(state.scores) == len(state.losses) else ""
        shown = f"loss={state.losses[-1]:.4g}{score}, flipped={state.flip_ratios[-1]:.2%}"
        self.bar.set_postfix_str(shown, refresh=False)
        self.bar.update()
        return False

    def interrupted(self, state):
        """End the line, as a warning may follow."""
        self.bar.close()
        return False

    def loop_ended(self, state):
        """Training that stops early is done as well."""
        self.bar.total = self.bar.n

    def _show(self, what, bar_format, n_epochs=None):
        self.bar.bar_format = bar_format
        self.bar.set_description_str(what, refresh=False)
        self.bar.set_postfix_str("", refresh=False)
        self.bar.reset(n_epochs)


class Advance(Watcher):
    """Moves a bar on by each epoch."""

    def __init__(self, bar):
        self.bar = bar

    def epoch_ended(self, state):
        """One of those that the bar is of."""
        self.bar.update()
        return False
