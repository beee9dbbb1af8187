"""The walk of a table in partitions through a fit."""

from dask import delayed

from skbnn.dask.decision import decide_by, draw
from skbnn.dask.partitions import homes_of, partitions_of, places_of, runs_of
from skbnn.dask.slots import encode
from skbnn.dask.tables import look, put_together
from skbnn.dask.training import begin
from skbnn.training.epochs import run_epochs
from skbnn.training.flips import FlipRatio
from skbnn.training.warn import warn


def summarize(cluster, estimator, data, classes=None):
    """The partitions of ``data``, which are X, y and weights, and the Table that they are."""
    partitions = partitions_of(*data)
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


def distribute(cluster, guide, state, partitions, table, X):
    """The Training of slots, as many as workers if there are as many partitions; each has a contiguous run of them.

    So which rows are in a slot follows from the partitions and the number of workers alone. A partition is encoded by
    the worker that has it, or that of its slot.
    """
    workers = list(cluster.n_threads())
    runs, homes = runs_of(table.n_rows, len(workers)), homes_of(cluster.client, X)
    places = places_of(runs, homes, table.n_rows, workers)
    at = {worker: [] for worker in workers}
    for run, place in zip(runs, places, strict=True):
        for number in run:
            home = homes.get(number)
            at[home if home in at else place].append(partitions[number])
    pieces = {}
    for worker, held in at.items():
        futures = each(cluster, encode, held, guide, worker=worker)
        pieces |= {partition.number: future for partition, future in zip(held, futures, strict=True)}
    return begin(cluster, pieces, runs, places, state)


def run(training, state, n_rows, watchers):
    """Train all epochs, and pack."""
    run_epochs(state, None, range(n_rows), [FlipRatio(state), *watchers], train=training.train)
    return training.pack(state)


def each(cluster, function, partitions, *args, worker=None):
    """The futures of a function of these arguments and of each partition's number, X, y and weights."""
    call = delayed(function, pure=False)
    return cluster.compute([call(*args, *partition) for partition in partitions], worker=worker)
