"""Training on a Dask cluster of this machine: rows a second of two one-thread workers against one's, bytes, memory.

An epoch's time is the difference between fits of several epochs and of one, so it holds the rounds with all that
crosses between processes, but not what a fit does once: looking, deciding, encoding, packing. The clusters take turns.
Two clusters of one worker, which train on half of the rows each and know nothing of the other, show what the machine
leaves to two workers, their schedulers and the client.
``--rows`` generates a table of so many rows on two workers instead, trains an epoch, and shows peak memory.
"""

import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from time import perf_counter
from types import SimpleNamespace

import dask.array as da
import numpy as np
from common import load, main
from distributed import Client, LocalCluster

from skbnn.dask import DaskBinaryMLPClassifier
from skbnn.training.rounds import Plan

FEATURES, CHUNKS = 28, 16  # of the generated tables
EPOCHS = 3  # beyond the first
SHARED = {"n_estimators": 1, "init": "constant", "dropout": 0.0, "random_state": 0}
MEGABYTE = 1e6


def run(arguments):
    """Yield the tables."""
    if arguments.rows:
        yield f"Peak memory, {arguments.rows:,} rows of {FEATURES} features, an epoch", [memory(arguments.rows)]
        return
    repeats = arguments.repeats or (1 if arguments.quick else 3)
    n_rows = 20_000 if arguments.quick else 1_000_000
    with ExitStack() as stack:
        one, two, other = (stack.enter_context(cluster_of(n)) for n in (1, 2, 1))
        clients = {"1": [one], "2": [two], "2, apart": [one, other]}
        data = load(arguments.data, arguments.quick)
        images = da.from_array(data.X_train, chunks=(-(-len(data.X_train) // CHUNKS), -1))
        labels = da.from_array(data.y_train, chunks=-(-len(data.y_train) // CHUNKS))
        shape = {"hidden_layer_sizes": (512,) * 3, "n_thresholds": 1, "batch_size": 128}
        yield f"{len(data.X_train):,} images, 3x512", compare(clients, images, labels, shape, repeats)
        shape = {"hidden_layer_sizes": (512, 512), "batch_size": arguments.batch_size}
        table = generated(n_rows)
        yield (
            f"{n_rows:,} x {FEATURES}, 512-512, batch {arguments.batch_size}",
            compare(clients, *table, shape, repeats),
        )


def cluster_of(n_workers):
    """A client of so many one-thread processes; leaving it ends them."""
    return Client(LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None), set_as_default=False)


def generated(n_rows):
    """A table that workers generate: the label is the sign of a sum of products."""
    X = da.random.default_rng(0).normal(size=(n_rows, FEATURES), chunks=(-(-n_rows // CHUNKS), -1)).astype(np.float32)
    return X, (X[:, ::2] * X[:, 1::2]).sum(axis=1) > 0


def compare(clients, X, y, shape, repeats):
    """Rows of a table: one for each list of clients, speeds paired by turns."""
    seconds, sent = {name: [] for name in clients}, {}
    for _ in range(repeats):
        for name, several in clients.items():
            first, _ = timed_fits(several, X, y, {**shape, "max_iter": 1})
            bytes_before = bytes_between(several)
            whole, model = timed_fits(several, X, y, {**shape, "max_iter": 1 + EPOCHS})
            seconds[name].append(((whole - first) / EPOCHS, whole))
            sent[name] = bytes_between(several) - bytes_before
    epochs = {name: np.array(values)[:, 0] for name, values in seconds.items()}
    return [
        {
            "workers": name,
            "rows/s in an epoch": len(X) / np.median(epochs[name]),
            "speed, 1 worker = 1": float(np.median(epochs["1"] / epochs[name])),
            f"s, a fit of {1 + EPOCHS} epochs": float(np.median(np.array(seconds[name])[:, 1])),
            "MB between workers, a fit": sent[name] / MEGABYTE,
            "the same, a round": sent[name] / MEGABYTE / rounds_of(model, len(X), several[0]),
            "MB of a network with its moments": weights_of(model) * 12 / MEGABYTE,
        }
        for name, several in clients.items()
    ]


def timed_fits(clients, X, y, parameters):
    """Seconds of fits at the same time, each by a client on its share of the rows, and one of the models."""
    bounds = np.linspace(0, len(X), len(clients) + 1).astype(int)
    shares = [slice(*some) for some in pairwise(bounds.tolist())]
    begun = perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        fits = [
            pool.submit(timed_fit, client, X[share], y[share], parameters)
            for client, share in zip(clients, shares, strict=True)
        ]
        models = [fit.result()[1] for fit in fits]
    return perf_counter() - begun, models[0]


def timed_fit(client, X, y, parameters):
    """Seconds of a fit, and the model."""
    model = DaskBinaryMLPClassifier(**SHARED, **parameters)
    model.client = client
    begun = perf_counter()
    model.fit(X, y)
    return perf_counter() - begun, model


def weights_of(model):
    """Weights of the network."""
    return sum(weights.size for weights in model.coefs_)


def rounds_of(model, n_rows, client):
    """Rounds of a fit of this model to so many rows, which workers of the client have equal parts of."""
    pace, n_slots = SimpleNamespace(batch_size=model.batch_size_, max_iter=model.n_iter_), len(client.nthreads())
    return Plan(pace, (n_rows // n_slots,) * n_slots, (1.0,) * n_slots, 0).n_rounds


def bytes_between(clients):
    """Bytes that workers have got from each other so far."""
    logs = [
        client.run(lambda dask_worker: sum(entry["total"] for entry in dask_worker.transfer_incoming_log))
        for client in clients
    ]
    return sum(sum(of_workers.values()) for of_workers in logs)


def memory(n_rows):
    """A row of a table: peak memory of the client, in whose process the scheduler is, and of the workers."""
    with cluster_of(2) as client:
        before = peak()
        seconds, _ = timed_fit(client, *generated(n_rows), {"hidden_layer_sizes": (512, 512), "max_iter": 1})
        of_workers = client.run(peak)
    return {
        "client and scheduler, MB": peak(),
        "of that before the fit, MB": before,
        "largest worker, MB": max(of_workers.values()),
        "s": seconds,
    }


def peak():
    """Peak resident memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE


if __name__ == "__main__":
    options = {
        "--rows": {"type": int, "help": "show the memory of a fit of so many generated rows, and nothing else"},
        "--batch-size": {"type": int, "default": 512, "help": "of the generated table, default 512"},
    }
    main(run, __doc__, options=options)
