"""What becomes of a training that Ctrl-C ends."""

from skbnn.training.epochs import Watcher
from skbnn.training.warn import warn


class KeepOnInterrupt(Watcher):
    """Keeps what was trained, with a warning, if each network has made a step."""

    def interrupted(self, state):
        """Whether there is something to keep."""
        if not all(trainer.n_steps[0] for trainer in state.trainers):
            return False
        done = f"after {len(state.losses)} of {state.decision.parameters.max_iter} epochs"
        warn(f"Training interrupted by user {done}; what was trained is kept.")
        return True
