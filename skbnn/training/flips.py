"""How many weights flip in each epoch."""

from skbnn.network._dense import Signs
from skbnn.training.epochs import Watcher


class FlipRatio(Watcher):
    """Notes the share of binary weights, of all networks, whose sign an epoch changed.

    It says how much training still moves (Helwegen et al., "Latent Weights Do Not Exist", 2019).

    Parameters
    ----------
    state : TrainingState
        Before the first epoch.
    """

    def __init__(self, state):
        weights = [layer.latent_weights for trainer in state.trainers for layer in trainer.network.layers]
        self.signs, self.n_weights = [Signs(of_layer) for of_layer in weights], sum(one.size for one in weights)

    def epoch_ended(self, state):
        """Compare signs with those before the epoch."""
        state.flip_ratios.append(sum(signs.count_flips() for signs in self.signs) / self.n_weights)
        return False

    def interrupted(self, state):
        """An epoch counts once its flips are counted."""
        del state.losses[len(state.flip_ratios) :]
        return False
