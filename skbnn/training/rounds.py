"""Training in rounds: slots, each with rows of its own, go on from the same networks, and their mean is the next."""

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from skbnn.network.ensemble import train_epoch
from skbnn.training.epochs import draw_batches
from skbnn.training.parameters import Parameters

# An epoch has as many rounds as there are slots, so that few rows are averaged often, and more where a round would have
# more mini-batches of a slot than this. By validation rows of protein, letter and 200,000 rows of make_classification.
STEPS = 128

# The mean of several networks moves less far than one does, so each has the rate times this power of their number, and
# so many times the epochs, where these were left open. By validation rows of protein.
POWER_OF_RATE, FACTOR_OF_EPOCHS = 0.5, 1.25

BLOCK = 2**15  # numbers of a mean at a time: their products stay in cache


@dataclass(frozen=True, eq=False)
class Learnt:
    """What a slot, or the mean of several, has learnt so far.

    Attributes
    ----------
    trainers : list of Trainer
        One for each network.
    rng : numpy.random.Generator
        Draws mini-batches of an only slot; several have streams of their own.
    weight : float
        Sum of the weights of the slots that have trained in this round; 0 if none has.
    loss : float
        Sum over the epoch's rounds so far of each round's mean loss.
    """

    trainers: list
    rng: np.random.Generator
    weight: float = 0.0
    loss: float = 0.0

    def __sizeof__(self):
        """Bytes, by which a cluster weighs whether to move it."""
        return sum(array.nbytes for trainer in self.trainers for array in trained_arrays(trainer))

    def write_to(self, state):
        """Let a TrainingState go on from here, its arrays in their places."""
        for trainer, learnt in zip(state.trainers, self.trainers, strict=True):
            for into, array in zip(trained_arrays(trainer), trained_arrays(learnt), strict=True):
                into[:] = array
            trainer.n_steps[:], trainer.rng = learnt.n_steps, learnt.rng
        state.rng = self.rng


@dataclass(frozen=True, eq=False)
class Plan:
    """How long which slots train.

    Attributes
    ----------
    parameters : Parameters
        None of them is left open.
    n_rows : tuple of int
        Rows of each slot, at least one.
    weights : tuple of float
        Of each slot in the mean.
    seed : int
        Draws for each of several slots.
    """

    parameters: Parameters
    n_rows: tuple
    weights: tuple
    seed: int

    @property
    def rounds_of_epoch(self):
        """Means of an epoch; one if there is nothing to average, and no more than the largest slot has mini-batches."""
        n_slots, n_batches = len(self.n_rows), most_batches(self.parameters, self.n_rows)
        return 1 if n_slots == 1 else min(max(n_slots, -(-n_batches // STEPS)), n_batches)

    @property
    def n_rounds(self):
        """All rounds, those of every epoch."""
        return self.parameters.max_iter * self.rounds_of_epoch


def most_batches(parameters, n_rows):
    """Mini-batches of the largest of slots that have so many rows."""
    return -(-max(n_rows) // parameters.batch_size)


def in_rounds(parameters, targets, n_rows, *, max_iter):
    """Parameters by which slots of so many rows learn as much as one trainer would.

    Parameters
    ----------
    parameters : Parameters
        As decided for one trainer, with which a slot that has no others stays.
    targets : Targets
    n_rows : tuple of int
    max_iter : int or None
        What was asked for. None is a quarter more epochs, and as many as give a slot the steps that a small table has.

    Returns
    -------
    spread : Parameters
    """
    if len(n_rows) == 1:
        return parameters
    rate, n_epochs = parameters.learning_rate_init * len(n_rows) ** POWER_OF_RATE, parameters.max_iter
    if max_iter is None:
        enough = min(-(-targets.fewest_steps // most_batches(parameters, n_rows)), targets.most_epochs)
        n_epochs = max(round(FACTOR_OF_EPOCHS * n_epochs), enough)
    return replace(parameters, learning_rate_init=rate, max_iter=n_epochs)


def order_of_epoch(plan, slot, epoch):
    """The rows of one of several slots as they follow each other in an epoch; None of an only slot, which draws it."""
    if len(plan.n_rows) == 1:
        return None
    rows = np.arange(plan.n_rows[slot])
    return np.random.default_rng([plan.seed, slot, epoch]).permutation(rows) if plan.parameters.shuffle else rows


def train_round(plan, before, data, order, slot, number):
    """Train a slot on its part of an epoch's mini-batches.

    An only slot trains as a fit without slots does, to the last bit.

    Parameters
    ----------
    plan : Plan
    before : list of Learnt
        It goes on from their mean. They stay as they are.
    data : TrainingData
        Rows of this slot, all of which are trained on.
    order : ndarray of int or None
        That of this epoch, as ``order_of_epoch`` gives it.
    slot, number : int
        Of the slot, and of the round, from 0. With the seed they say what is drawn: whoever trains, and however often,
        learns the same.

    Returns
    -------
    Learnt
        Of weight 0 if the slot has fewer mini-batches than the epoch has rounds, and this one has none.

    Raises
    ------
    ValueError
        If a loss is not finite.
    """
    parameters, n_parts, learnt = plan.parameters, plan.rounds_of_epoch, average(before)
    part = number % n_parts
    for member, trainer in enumerate(learnt.trainers):
        trainer.options, trainer.max_rows = parameters, parameters.batch_size
        if order is not None:
            trainer.rng = np.random.Generator(np.random.SFC64([plan.seed, slot, number, member]))
    if order is None:
        batches = draw_batches(np.arange(len(data.targets)), parameters, learnt.rng)
    else:
        batches = draw_batches(order, replace(parameters, shuffle=False), None)
        batches = batches[part * len(batches) // n_parts : (part + 1) * len(batches) // n_parts]
    loss = learnt.loss if part else 0.0
    if not batches:
        return replace(learnt, weight=0.0, loss=loss)
    loss += train_epoch(learnt.trainers, data, batches, number, plan.n_rounds)
    return replace(learnt, weight=plan.weights[slot], loss=loss)


def average(several):
    """The mean of what slots have learnt by their weights: weights, gains, biases and their moments.

    Means of means give the mean of all, up to rounding, which their order decides on.

    Parameters
    ----------
    several : list of Learnt
        Stay as they are. If no weight is above 0, the first is all.

    Returns
    -------
    Learnt
        Has its own arrays.
    """
    total = sum(one.weight for one in several)
    if not total:
        several = several[:1]
    shares = [one.weight / total if total else 1.0 for one in several]  # of Python's, so that arrays stay float32
    trainers = [mean(members, shares) for members in zip(*(one.trainers for one in several), strict=True)]
    loss = sum(share * one.loss for share, one in zip(shares, several, strict=True))
    return Learnt(trainers, deepcopy(several[0].rng), total, loss)


def mean(trainers, shares):
    """A Trainer of the mean network, with the first one's random streams."""
    out = trainers[0].going_on(trainers[0].options, trainers[0].max_rows)
    out.n_steps[:] = max(trainer.n_steps[0] for trainer in trainers)
    scratch = np.empty(BLOCK, np.float32)
    for arrays in zip(*map(trained_arrays, [out, *trainers[1:]]), strict=True):
        for start in range(0, arrays[0].size, BLOCK):
            into, *others = (array.reshape(-1)[start : start + BLOCK] for array in arrays)
            into *= shares[0]
            for share, other in zip(shares[1:], others, strict=True):
                into += np.multiply(other, share, out=scratch[: into.size])
    return out


def trained_arrays(trainer):
    """All that a Trainer changes of its network, and the moments of that, a list of ndarray."""
    layers = zip(trainer.network.layers, trainer.moments, strict=True)
    return [array for layer, moments in layers for array in (*layer.parameters, *moments)]
