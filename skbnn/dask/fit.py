"""The walk of a table in partitions through a fit."""

from dataclasses import replace

from dask import delayed

from skbnn.dask.decision import decide_by, draw
from skbnn.dask.partitions import partitions_of, places_of, runs_of
from skbnn.dask.slots import encode, join, size_of
from skbnn.dask.tables import look, put_together
from skbnn.dask.training import Training
from skbnn.training.epochs import run_epochs
from skbnn.training.flips import FlipRatio
from skbnn.training.rounds import Plan, in_rounds
from skbnn.training.warn import warn


def summarize(cluster, estimator, data, classes):
    """The partitions of ``data``, which are X, y and weights, and the Table that they are."""
    partitions = partitions_of(cluster.client, *data)
    looked = each(cluster, look, partitions, estimator, classes)
    return partitions, put_together(cluster.results(looked), classes)


def decide_on(cluster, estimator, partitions, table, seed):
    """The future of the Guide, and what it gives: one worker has a sample of the rows, and decides."""
    drawn = each(cluster, draw, partitions, estimator, table, seed)
    guide = cluster.submit(decide_by, estimator, table, seed, *drawn)
    found = cluster.result(guide)
    cluster.drop(drawn)
    for message in found.warnings:
        warn(message)
    return guide, found


def distribute(cluster, guide, partitions, table, n_slots):
    """Futures of slots, ``n_slots`` if there are as many partitions, and the workers that have them.

    A slot is a contiguous run of partitions, so which rows are in it follows from these and the number of workers
    alone. A partition is encoded where it is, or else by the worker of its slot.
    """
    workers, runs = list(cluster.n_threads()) or [None], runs_of(table.n_rows, n_slots)
    workers *= -(-len(runs) // len(workers))  # some may have died since ``n_slots`` was said
    places = places_of(runs, partitions, table.n_rows, workers)
    placed = list(zip(runs, places, strict=True))
    there = [
        partitions[number]._replace(home=partitions[number].home or place) for run, place in placed for number in run
    ]
    pieces = dict(zip((one.number for one in there), each(cluster, encode, there, guide), strict=True))
    slots = [cluster.submit(join, *(pieces[number] for number in run), worker=place) for run, place in placed]
    return slots, places


def train(cluster, slots, workers, state, max_iter, watchers):
    """Train a state for as many epochs as were asked for, or as suit the slots, and pack it."""
    sizes = cluster.results([cluster.submit(size_of, slot) for slot in slots])
    filled = [(slot, worker, *size) for slot, worker, size in zip(slots, workers, sizes, strict=True) if size[0]]
    if not filled:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    slots, workers, n_rows, weights = zip(*filled, strict=True)
    parameters = in_rounds(state.decision.parameters, state.targets, n_rows, max_iter=max_iter)
    state.decision = replace(state.decision, parameters=parameters)
    plan = Plan(parameters, n_rows, weights, state.seed)
    training = Training(cluster, [*slots], workers, plan)
    run_epochs(state, None, range(sum(n_rows)), [FlipRatio(state), *watchers], train=training.train)
    return training.pack(state)


def each(cluster, function, partitions, *args):
    """The futures of a function of these arguments and of each partition's number and X, y and weights."""
    call, futures = delayed(function, pure=False), {}
    for home in {partition.home for partition in partitions}:
        here = [one for one in partitions if one.home == home]
        calls = [call(*args, one.number, [one.X, one.y, one.sample_weight]) for one in here]
        futures |= zip((one.number for one in here), cluster.compute(calls, worker=home), strict=True)
    return [futures[partition.number] for partition in partitions]
