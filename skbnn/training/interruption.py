"""What becomes of a training that Ctrl-C ends."""

import signal
from contextlib import contextmanager, suppress

from skbnn.training.epochs import Watcher
from skbnn.training.warn import warn

PASSES, ENDS_TRAINING, WAITS, ALL_WAIT = range(4)  # what Ctrl-C does


class KeepOnInterrupt(Watcher):
    """Keeps what was trained, with a warning, if each network has made a step.

    Once training has ended, by Ctrl-C or by itself, all of it would be lost by a next one. So that waits until the
    context ``until_whole`` is left. One more does not, as nobody is to be kept from leaving.
    """

    def __init__(self):
        self.ctrl_c, self.waiting, self.before = PASSES, False, None

    @contextmanager
    def until_whole(self):
        """Around a fit, all of it: what is kept must also be delivered."""
        try:
            self.before = signal.getsignal(signal.SIGINT)
            if callable(self.before):
                with suppress(ValueError):  # in another thread than the main one, which Ctrl-C ends
                    signal.signal(signal.SIGINT, self.hear)
            yield
        finally:
            self.ctrl_c = ALL_WAIT
            if signal.getsignal(signal.SIGINT) == self.hear:
                signal.signal(signal.SIGINT, self.before)
            if self.waiting:
                signal.raise_signal(signal.SIGINT)

    def hear(self, signum, frame):
        """Let Ctrl-C do what it did before, or wait."""
        if self.ctrl_c == ALL_WAIT or (self.ctrl_c == WAITS and not self.waiting):
            self.waiting = True
            return
        if self.ctrl_c == ENDS_TRAINING:
            self.ctrl_c = WAITS
        self.before(signum, frame)

    def epoch_began(self, state):
        """From now on Ctrl-C ends training."""
        self.ctrl_c = ENDS_TRAINING

    def interrupted(self, state):
        """Whether there is something to keep."""
        if not all(trainer.n_steps[0] for trainer in state.trainers):
            return False
        done = f"after {len(state.losses)} of {state.decision.parameters.max_iter} epochs"
        warn(f"Training interrupted by user {done}; what was trained is kept.")
        return True

    def loop_ended(self, state):
        """All is trained."""
        self.ctrl_c = WAITS
