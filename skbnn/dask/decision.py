"""Decides on a sample of a table, on one worker."""

import warnings
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from skbnn._base import BaseBinaryMLP
from skbnn.dask.tables import of_partition
from skbnn.encoding.sparse import joined
from skbnn.encoding.tables import are_categorical
from skbnn.encoding.thresholds import subsample
from skbnn.kernels.blas import one_blas_thread
from skbnn.training.decide import decide
from skbnn.training.progress import Progress
from skbnn.training.samples import Samples
from skbnn.training.state import TrainingState


@dataclass(frozen=True, eq=False)
class Guide:
    """All that a worker has to know to encode rows.

    Attributes
    ----------
    estimator : BaseBinaryMLP
        Unfitted, but for its features and classes.
    state : TrainingState
        Without networks.
    warnings : list of str
        What the user is to be told.
    """

    estimator: BaseBinaryMLP
    state: TrainingState
    warnings: list


def draw(estimator, table, seed, number, rows):
    """The partition's part of the sample, validated: all rows that have a weight, or as many as it is to give."""
    n_rows, n_sampled = table.n_rows[number], table.n_sampled[number]
    if not n_sampled:
        return None
    with of_partition(number):
        X, y, sample_weight = estimator._validate(*rows, table.categories, reset=False)
    weighty = np.flatnonzero(sample_weight > 0)
    if len(weighty) != n_rows:
        raise ValueError(f"partition {number} had {n_rows} rows at first, and {len(weighty)} when computed anew.")
    some = subsample(weighty, n_sampled, np.random.default_rng([seed, number]))
    return X[some], y[some], sample_weight[some]


def decide_by(estimator, table, seed, *drawn):
    """The Guide that the drawn rows of all partitions give, as ``fit`` of these rows would, at the table's pace."""
    X, y, sample_weight = (joined(*parts) for parts in zip(*filter(None, drawn), strict=True))
    estimator, rng = copy(estimator), np.random.default_rng(seed)
    targets = estimator._learn_targets(y, streaming=False)
    if y.ndim == 1 and table.counts:  # the sample may lack some
        estimator.classes_ = table.labels
        targets = replace(targets, labels=table.labels)
    parameters = estimator._parameters(targets, None, streaming=False)
    nominal = are_categorical(table.categories, X.shape[1])
    samples = Samples.of(*estimator._rows(X, y, sample_weight, targets), nominal=nominal)
    samples = samples.arranged(parameters, targets, seed)
    n_rows = int(table.n_rows.sum())
    if n_rows > len(samples.y):  # a part was drawn, or copies were merged, which workers train on
        samples = replace(samples, n_of_table=n_rows)
    with one_blas_thread(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        decision, samples = decide(samples, targets, parameters, Progress(), rng)
    state = TrainingState(targets, decision, rng, [], seed, n_rows_seen=samples.n_rows, categories=table.categories)
    state.draw_values(samples)
    return Guide(estimator, state, [str(one.message) for one in caught])
