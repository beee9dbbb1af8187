"""What the benchmarks share: arguments, pinned threads, data, timing; ``report.py`` has tables and JSON."""

import argparse
import importlib
import os
import sys
from collections import namedtuple
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from report import environment, markdown, write

Data = namedtuple("Data", "X_train y_train X_test y_test")

THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"


# What predicts at a network's own speed, which does not depend on its weights, with one threshold a feature.
HARDLY_TRAINED = {"n_thresholds": 1, "n_estimators": 1, "init": "constant"}
HARDLY_TRAINED |= {"dropout": 0.0, "max_iter": 1, "random_state": 0}


def main(run, description, *, threads=1, flags=(), options=None, sources=("MNIST", "synthetic")):
    """Run a benchmark from the command line.

    Parameters
    ----------
    run : callable
        Takes the parsed arguments and yields tables, (title, list of dicts with the same keys).
    description : str
        The benchmark's docstring.
    threads : int
        Default of ``--threads``.
    flags : iterable of (name, help)
        Further switches.
    options : dict of str to dict
        Further options, as ``add_argument`` takes them.
    sources : tuple of (str, str)
        Where the data are from with ``--data``, and without it.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--threads", type=int, default=threads, help=f"of every library, default {threads}")
    parser.add_argument("--repeats", type=int, help="default 15, for long calls 5; with --quick 3")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see whether it runs")
    parser.add_argument("--data", type=Path, help=f"folder with the files; without it, {sources[1]} data")
    parser.add_argument("--json", type=Path, help="also write the tables, versions and the CPU's name here")
    for name, text in flags:
        parser.add_argument(name, action="store_true", help=text)
    for name, keywords in (options or {}).items():
        parser.add_argument(name, **keywords)
    arguments = parser.parse_args()
    pin(arguments.threads)
    clock = "CPU" if single_threaded() else "wall"
    facts = {
        "threads": arguments.threads,
        "clock": clock,
        "data": sources[0 if arguments.data else 1],
        "quick": arguments.quick,
    }
    tables = {}
    for title, rows in run(arguments):
        print(f"\n{title}\n\n{markdown(rows)}", flush=True)
        tables[title] = rows
        if arguments.json:  # after each table, as a long run may be stopped
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            write(arguments.json, {**environment(), **facts, "tables": tables})


def pin(threads):
    """Start this program anew with the number of threads in its environment, which libraries read when imported."""
    wanted = dict.fromkeys(THREADS, str(threads))
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        sys.stdout.flush()
        os.execve(sys.executable, sys.orig_argv, os.environ | wanted)


def load(folder, quick=False):
    """MNIST, or without a folder synthetic rows like it: 784 uint8 features, most of them 0, of ten classes.

    Needs hardly more memory than the rows, as ``memory.py`` looks at the peak.
    """
    if folder:
        with np.load(folder / "mnist.npz") as file:
            data = Data(*(file[name] for name in Data._fields))
    else:
        rng = np.random.default_rng(0)
        masks = np.where(rng.random((10, 784)) < 0.2, 255, 0).astype(np.uint8)
        y = rng.integers(10, size=70_000, dtype=np.uint8)
        X = rng.integers(256, size=(70_000, 784), dtype=np.uint8)
        for start in range(0, len(X), 1000):
            X[start : start + 1000] &= masks[y[start : start + 1000]]
        data = Data(X[:60_000], y[:60_000], X[60_000:], y[60_000:])
    if quick:
        data = Data(data.X_train[:2000], data.y_train[:2000], data.X_test[:1000], data.y_test[:1000])
    return data


def as_float(X):
    """Rows as float networks want them: float32 within [0, 1]."""
    return X.astype(np.float32) / np.float32(255)


def optional(name):
    """A module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def single_threaded():
    """Whether everything runs in the thread that calls it."""
    return os.environ[THREADS[0]] == "1"


def now():
    """Seconds; of the process' CPU time where it has a single thread, so that a busy machine disturbs little.

    TensorFlow computes in a thread of its own, so that the caller's time alone would not do.
    """
    return process_time() if single_threaded() else perf_counter()


def score_and_seconds(model, X, y, train, held):
    """Score of rows that are held out, after a fit to others, and the seconds of the fit."""
    start = now()
    model.fit(X[train], y[train])
    seconds = now() - start
    return model.score(X[held], y[held]), seconds


def interleaved(functions, repeats, number=1):
    """Seconds a call of each function, measured in turns so that noise meets all of them alike.

    Parameters
    ----------
    functions : dict of str to callable
    repeats : int
        Measurements of each function, after one call that does not count.
    number : int
        Calls a measurement.

    Returns
    -------
    dict of str to ndarray of shape (repeats,)
    """
    seconds = {name: np.empty(repeats) for name in functions}
    for function in functions.values():
        function()
    for repeat in range(repeats):
        for name, function in functions.items():
            start = now()
            for _ in range(number):
                function()
            seconds[name][repeat] = (now() - start) / number
    return seconds


def compare(seconds, label, unit, scale, reference):
    """Rows of a table: median and range in ``unit``, and how many times the reference's speed, paired by turns."""
    return [
        {
            label: name,
            unit: scale * np.median(values),
            "lowest": scale * values.min(),
            "highest": scale * values.max(),
            f"speed, {reference} = 1": np.median(seconds[reference] / values),
        }
        for name, values in seconds.items()
    ]
