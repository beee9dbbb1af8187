"""What workers do with their rows: each function is a task, which changes nothing that it is given."""

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from skbnn.dask.tables import of_partition
from skbnn.folding import mean_dots, set_statistics
from skbnn.network.trainer import TrainingData
from skbnn.training.rounds import train_round
from skbnn.training.samples import Samples, scale_weights, without_unit


@dataclass(frozen=True, eq=False)
class Slot:
    """Encoded rows that are trained on in one place.

    Attributes
    ----------
    data : TrainingData
    weight : float
        Of all of them.
    """

    data: TrainingData
    weight: float

    def __sizeof__(self):
        """Bytes, by which Dask weighs whether to move it."""
        return sum(part.nbytes for part in vars(self.data).values() if part is not None)


def encode(guide, number, rows):
    """The Slot of a partition's rows that have a weight, None if there are none. Its weights have no unit yet."""
    if not rows[0].shape[0]:
        return None
    estimator, state = guide.estimator, guide.state
    with of_partition(number):
        X, y, sample_weight = estimator._validate(*rows, state.categories, reset=False)
        if not (sample_weight > 0).any():
            return None
        X, y, sample_weight, of_classes = estimator._rows(X, y, sample_weight, state.targets)
    weights, encoding = sample_weight * of_classes, state.decision.encoding
    samples = Samples(state.known_codes(X), y, weights, np.arange(len(y))).encode(encoding)
    return Slot(state.targets.training_data(samples, state.decision.initial_model), float(weights.sum()))


def join(*slots):
    """The Slot of several, some of which may be None; None if none of their rows weighs anything."""
    slots = [slot for slot in slots if slot is not None and slot.weight]
    if not slots:
        return None
    columns = zip(*(vars(slot.data).values() for slot in slots), strict=True)
    data = TrainingData(*map(concatenated, columns))
    weights = scale_weights(data.sample_weight)
    if not weights.all():
        data, weights = data.of(weights > 0), weights[weights > 0]
    return Slot(replace(data, sample_weight=without_unit(weights)), sum(slot.weight for slot in slots))


def concatenated(parts):
    """The rows of all parts, or None; several lie one after the other, also where those of a part are one in memory."""
    return parts[0] if len(parts) == 1 or parts[0] is None else np.ascontiguousarray(np.concatenate(parts))


def size_of(slot):
    """Rows of a slot, and their weight; 0 of None."""
    return (0, 0.0) if slot is None else (len(slot.data.targets), slot.weight)


def train(plan, before, slot, order, n_threads, place):
    """What a slot learns in a round, from the mean of what was learnt; ``place`` is its number and the round's."""
    with threadpool_limits(n_threads, "openmp"):
        return train_round(plan, before, slot.data, order, *place)


def means_of(slot, *layers):
    """A slot's weight, and means of the last layer's dot products and of their squares."""
    return slot.weight, *mean_dots(layers, slot.data.bits, slot.data.sample_weight)


def with_statistics(layer, *of_slots):
    """The layer with batch norm's statistics of all slots' rows."""
    weights, means, squares = zip(*of_slots, strict=True)
    shares = np.array(weights) / sum(weights)
    layer = replace(layer, mean=layer.mean.copy(), variance=layer.variance.copy())
    set_statistics(layer, shares @ np.array(means), shares @ np.array(squares))
    return layer


def statistics_of(*layers):
    """Mean and variance of each layer's batch norm."""
    return [(layer.mean, layer.variance) for layer in layers]
