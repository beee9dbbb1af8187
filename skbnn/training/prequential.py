"""How far a stream's networks are trusted: as far as they were right about rows before they were trained on them."""

from dataclasses import replace

import numpy as np

from skbnn.network.trainer import LOSSES
from skbnn.training.held_out import held_out
from skbnn.training.stream import SHARED, share_of


def with_followed_shrinkage(resumed, before, samples, n_new):
    """A stream's state with the factor that its networks deserve by the rows of a call, which they have not seen.

    Rows that a fit judged by, or before which training began anew, count beside those of the stream; the latter, which
    judged nothing, as few.

    Parameters
    ----------
    resumed : TrainingState
        Ready to train on the call's rows.
    before : TrainingState
        The same as it was.
    samples : Samples
        Encoded rows of this call.
    n_new : int
        So many of them, the last, have not been trained on.
    """
    if not resumed.decision.parameters.max_iter:  # too few to train on
        return resumed
    n_begun = resumed.memory.n_begun
    n_judged = resumed.n_rows_seen - (n_begun - SHARED if np.isfinite(n_begun) else 0)
    shrinkage = followed_shrinkage(before, samples, n_new, share_of(n_new, n_judged))
    return replace(resumed, decision=replace(resumed.decision, shrinkage=shrinkage))


def followed_shrinkage(before, samples, n_new, share):
    """The factor of the networks' scores, or of each output's, after a step by the last rows.

    It is a step of Newton's towards what is best for them. Its size, their share, leaves the mean over the stream, so
    that rows one by one are the same on average as rows at once.

    Parameters
    ----------
    before : TrainingState
        Whose networks have not seen the last rows.
    samples : Samples
        Encoded; the others say how much a factor matters.
    n_new : int
        Rows that are the last.
    share : float
        Of these rows among all that the factor goes by.

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
    curvature = slopes(1.0, every) - slopes(0.0, every)  # of the loss, on average between no trust and all
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        step = share * slopes(shrinkage, new) / curvature
    return np.clip(shrinkage - np.where((curvature > 0) & np.isfinite(step), step, 0.0), 0.0, 1.0)
