"""A table in partitions, as Dask's collections have it."""

from collections import Counter
from typing import NamedTuple

import dask.array as da
import numpy as np
from dask import is_dask_collection
from dask.delayed import Delayed
from distributed import futures_of
from scipy.optimize import linear_sum_assignment


class Partition(NamedTuple):
    """Some rows of a table, not computed yet.

    Attributes
    ----------
    number : int
        From 0, in the order of the table.
    X, y : Delayed
    sample_weight : Delayed or None
    home : str or None
        Address of the worker that has X already, if any.
    """

    number: int
    X: Delayed
    y: Delayed
    sample_weight: Delayed | None
    home: str | None


def is_lazy(data):
    """Whether data are Dask's: a collection, or a list of delayed partitions."""
    return is_dask_collection(data) or is_list_of_delayed(data)


def is_list_of_delayed(data):
    """Whether data are a list of delayed partitions."""
    return isinstance(data, list | tuple) and len(data) > 0 and all(isinstance(one, Delayed) for one in data)


def partitions_of(client, X, y, sample_weight=None):
    """The partitions of a table, a list of Partition.

    Arrays of known lengths are chunked as X is.

    Raises
    ------
    TypeError
        If they are not Dask's.
    ValueError
        If they are not chunked alike, or X is chunked along its columns.
    """
    X_parts = parts_of(X, "X")
    named = {"y": y} if sample_weight is None else {"y": y, "sample_weight": sample_weight}
    of_rows = []
    for name, data in named.items():
        parts = parts_of(like_rows(data, X, name), name)
        if len(parts) != len(X_parts):
            raise ValueError(
                f"X has {len(X_parts)} partitions, and {name} has {len(parts)}; they must be of the same rows. "
                "Persist a data frame before X and y are taken from it, not each by itself; rechunk() arrays."
            )
        of_rows.append(parts)
    if sample_weight is None:
        of_rows.append([None] * len(X_parts))
    homes = homes_of(client, X)
    rows = enumerate(zip(X_parts, *of_rows, strict=True))
    return [Partition(number, *parts, homes.get(number)) for number, parts in rows]


def parts_of(data, name):
    """The partitions of one collection, a list of Delayed."""
    if is_list_of_delayed(data):
        return list(data)
    if isinstance(data, da.Array):
        if name == "X" and data.ndim != 2:
            raise ValueError(f"Expected 2D array, got {data.ndim}D array instead")
        if name == "X" and data.numblocks[1] > 1:
            raise ValueError(
                f"X is chunked along its columns, in {data.numblocks[1]} chunks; X.rechunk({{1: -1}}) has all columns "
                "of a row in one."
            )
        return list(data.to_delayed().ravel())
    if is_dask_collection(data) and hasattr(data, "npartitions"):
        return data.to_delayed(optimize_graph=False)  # optimized, one column could have fewer partitions than several
    raise TypeError(
        f"{name} must be a dask array, a dask data frame or a list of delayed partitions, got {type(data).__name__}; "
        "estimators without Dask take what is in memory."
    )


def like_rows(data, X, name):
    """``data`` in chunks of X's rows, as far as lengths are known."""
    if not isinstance(data, da.Array):
        return data
    if data.ndim > 1:
        data = data.rechunk({1: -1})
    if not isinstance(X, da.Array) or np.isnan([*X.chunks[0], *data.chunks[0]]).any():
        return data
    if len(data) != len(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {len(X)} rows, {name} has {len(data)}."
        )
    return data.rechunk({0: X.chunks[0]})


def homes_of(client, X):
    """For each partition of X that a worker has, the worker's address, a dict."""
    futures = {}
    if is_list_of_delayed(X):
        for number, part in enumerate(X):
            futures |= {future.key: number for future in futures_of(part)}
    else:  # a key is a name, then the places of a chunk
        futures = {future.key: future.key[1] for future in futures_of(X) if isinstance(future.key, tuple)}
    held = client.who_has(futures_of(X)) if futures else {}
    return {futures[key]: min(workers) for key, workers in held.items() if key in futures and workers}


def runs_of(n_rows, n_slots):
    """Contiguous runs of partitions with about as many rows each, ``n_slots`` at most, a list of lists of int.

    Parameters
    ----------
    n_rows : ndarray of int
        Of each partition; those without rows are in no run.
    n_slots : int
    """
    middles = np.cumsum(n_rows) - n_rows / 2
    slots = (middles * n_slots / n_rows.sum()).astype(int)
    runs = [np.flatnonzero((slots == slot) & (n_rows > 0)).tolist() for slot in range(n_slots)]
    return [run for run in runs if run]


def places_of(runs, partitions, n_rows, workers):
    """A worker for each run, each entry of ``workers`` once, so that most rows are where they are already."""
    held = np.zeros((len(runs), len(workers)))
    for slot, run in enumerate(runs):
        rows = Counter()
        for number in run:
            rows[partitions[number].home] += n_rows[number]
        held[slot] = [rows[worker] for worker in workers]
    return [workers[place] for place in linear_sum_assignment(-held)[1]]
