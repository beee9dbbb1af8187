"""How far a stream's networks are trusted: as far as they were right about rows before they were trained on them."""

from dataclasses import replace

import numpy as np

from skbnn.folding import network_scores
from skbnn.network.trainer import LOSSES
from skbnn.training.stream import SHARED, share_of

MOST_KNOWN = 1024  # hashes of rows that are kept, to tell rows that come again from new ones


def with_followed_shrinkage(resumed, before, samples, hashes):
    """A stream's state with the factor that its networks deserve by a call's rows, which they have not been trained on.

    It stays where most of these are rows that came before, as in a second pass of a table. All rows of a ``fit`` count
    as having judged. Of the rows that training began with in a stream, none has, and they count as ``SHARED``.

    Parameters
    ----------
    resumed : TrainingState
        Ready to train on the call's rows.
    before : TrainingState
        The same as it was.
    samples : Samples
        Encoded: rows of this call, the last of which are those that came.
    hashes : ndarray of uint64
        ``Samples.hashes`` of the latter, with their targets.
    """
    n_new = len(hashes)
    if not resumed.decision.parameters.max_iter or not n_new or came_before(before.known, hashes):
        return resumed
    n_begun = resumed.memory.n_begun
    n_judged = resumed.n_rows_seen
    if np.isfinite(n_begun):  # which counts rows that weigh nothing, too
        n_judged = SHARED + max(n_judged - n_begun, n_new)
    shrinkage = followed_shrinkage(before, samples, n_new, share_of(n_new, n_judged))
    return replace(resumed, decision=replace(resumed.decision, shrinkage=shrinkage))


def followed_shrinkage(before, samples, n_new, share):
    """The factor of the networks' scores, or of each output's, after a step by the last rows.

    It is a step of Newton's towards what is best for them, of the size that keeps an average over the stream: so rows
    of which each says little move it as far, on average, as they do at once.

    Parameters
    ----------
    before : TrainingState
        Whose networks have not been trained on the last rows.
    samples : Samples
        Encoded; the others say how much a factor matters.
    n_new : int
        Rows that are the last.
    share : float
        Of these rows in the average.

    Returns
    -------
    ndarray of shape (n_factors,)
        From 0 to 1, as ``Targets.n_factors`` says.

    References
    ----------
    Dawid, "Present Position and Potential Developments: Some Personal Views: Statistical Theory: The Prequential
    Approach", J. of the Royal Statistical Society A, 1984.
    """
    targets, decision = before.targets, before.decision
    data = targets.training_data(samples, decision.initial_model)  # in the unit in which networks learn
    offsets = 0.0 if data.offsets is None else data.offsets
    scores = network_scores([trainer.network for trainer in before.trainers], decision.encoding, data.bits)
    loss = LOSSES[decision.parameters.loss]()

    def slopes(factor):
        """Of the mean loss along a factor for each row, or for each of its outputs."""
        predicted = (offsets + factor * scores).astype(np.float32)
        gradient = np.empty_like(predicted)
        loss(predicted, data.targets, data.sample_weight, gradient)
        return (gradient * scores).reshape(len(scores), targets.n_factors, -1).sum(axis=2)

    share_of_new = data.sample_weight[-n_new:].sum() / data.sample_weight.sum()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        curvature = (slopes(1.0) - slopes(0.0)).sum(axis=0)  # on average between no trust and all
        step = share * slopes(decision.shrinkage)[-n_new:].sum(axis=0) / share_of_new / curvature
    step[~((curvature > 0) & np.isfinite(step))] = 0
    return np.clip(decision.shrinkage - step, 0.0, 1.0)


def with_known(state, hashes):
    """The state that knows rows of these hashes as well: the smallest of all are a sample of the rows.

    References
    ----------
    Bar-Yossef, Jayram, Kumar, Sivakumar and Trevisan, "Counting Distinct Elements in a Data Stream", 2002.
    """
    return replace(state, known=np.union1d(state.known, hashes)[:MOST_KNOWN])


def came_before(known, hashes):
    """Whether most of the rows of which it can be told came before."""
    if len(known) == MOST_KNOWN:
        hashes = hashes[hashes <= known[-1]]
    return len(hashes) > 0 and np.isin(hashes, known).mean() > 0.5
