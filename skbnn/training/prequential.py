"""How far a stream's networks are trusted: as far as they were right about rows before they were trained on them."""

import numpy as np

from skbnn.network.trainer import LOSSES
from skbnn.training.held_out import held_out


def followed_shrinkage(before, samples, n_new, share):
    """The factor of the networks' scores once a call's rows have come, of which a state has not seen the last.

    It takes a step of Newton's by the new rows towards what is best for them, of a size that leaves it, call by call,
    the mean over the stream. So it is the same on average for rows that come one by one and for rows that come at once.

    Parameters
    ----------
    before : TrainingState
        That of the last call.
    samples : Samples
        Encoded rows of this call.
    n_new : int
        So many of them, the last, have not been trained on.
    share : float
        Of the new rows in what follows the stream.

    Returns
    -------
    ndarray of shape (n_factors,)
        From 0 to 1, as ``Targets.n_factors`` says.

    References
    ----------
    Dawid, "Present Position and Potential Developments: Some Personal Views: Statistical Theory: The Prequential
    Approach", J. of the Royal Statistical Society A, 1984.
    """
    shrinkage, initial_model = before.decision.shrinkage, before.decision.initial_model
    networks, loss = [trainer.network for trainer in before.trainers], LOSSES[before.decision.parameters.loss]()
    parts = held_out(before.targets, samples, initial_model, samples.rows, networks)

    def slopes(factor, rows):
        """Of these rows' mean loss along each factor."""
        predicted = (parts.constant + parts.varying + factor * parts.scores).astype(np.float32)
        gradient = np.empty_like(predicted)
        loss(predicted, parts.targets, parts.sample_weight, gradient)
        by_output = (gradient * parts.scores)[rows].sum(axis=0) / parts.sample_weight[rows].sum()
        return by_output.reshape(before.targets.n_factors, -1).sum(axis=1)

    every, new = slice(None), slice(-n_new, None)
    curvature = slopes(1.0, every) - slopes(0.0, every)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        step = share * slopes(shrinkage, new) / curvature
    return np.clip(shrinkage - np.where((curvature > 0) & np.isfinite(step), step, 0.0), 0.0, 1.0)
