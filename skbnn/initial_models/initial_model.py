"""What a network starts from, as a plain value."""

from typing import NamedTuple

import numpy as np

from skbnn.packed.additive_part import AdditivePart


class InitialModel(NamedTuple):
    """The scores before there is a network, and the unit of what they leave to it.

    Attributes
    ----------
    additive : AdditivePart
        The scores: constants, or an additive model.
    constant : ndarray of shape (n_outputs,)
        What is best said of every row alike: the mean of real targets, classes' log-probabilities.
    scale : float or ndarray of shape (n_outputs,)
        What a network's scores are multiplied by: the standard deviation of what is left of real targets, before
        anything is shrunk.
    spread : float or ndarray of shape (n_outputs,)
        The unit in which losses of different models compare: the standard deviation of real targets.
    """

    additive: AdditivePart
    constant: np.ndarray
    scale: np.ndarray | float = 1.0
    spread: np.ndarray | float = 1.0

    @property
    def unit(self):
        """What scores are divided by for losses; infinite where targets do not vary."""
        return np.where(self.spread > 0, self.spread, np.inf)

    def shrunk(self, share):
        """The same with this share, or one for each output, of what the scores differ from row to row."""
        if not np.any(share):
            return self._replace(additive=AdditivePart.of_constant(self.constant))
        return self._replace(additive=self.additive.scaled(share, (1 - share) * self.constant))
