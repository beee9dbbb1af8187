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
    scale : float or ndarray of shape (n_outputs,)
        What a network's scores are multiplied by: the standard deviation of what is left of real targets.
    relative_scale : float or ndarray of shape (n_outputs,)
        The same in standard deviations of the targets, so that held-out losses of different models compare.
    penalty : ndarray of shape (n_outputs,) or None
        That of the ridge regression, where there is one.
    """

    additive: AdditivePart
    scale: np.ndarray = 1.0
    relative_scale: np.ndarray = 1.0
    penalty: np.ndarray = None
