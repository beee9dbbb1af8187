"""Rows predicted a second against the number of threads."""

import os

import numpy as np
from common import as_float, interleaved, load, main
from peers import multilayer_perceptron
from threadpoolctl import ThreadpoolController

from skbnn import BinaryMLPClassifier


def run(arguments):
    """Yield the tables."""
    data = load(arguments.data, arguments.quick)
    repeats = arguments.repeats or (3 if arguments.quick else 15)
    X, X_train, y = as_float(data.X_test), as_float(data.X_train[:2000]), data.y_train[:2000]
    controller = ThreadpoolController()
    for width in (256, 1024):
        binary = BinaryMLPClassifier((width,) * 3, n_thresholds=1, max_iter=1, random_state=0).fit(X_train, y)
        models = {"skbnn": binary, "MLPClassifier": multilayer_perceptron(width).fit(X_train, y)}
        calls = {
            (name, n): limited(controller, n, model, X)
            for name, model in models.items()
            for n in range(1, arguments.threads + 1)
        }
        for n in range(1, arguments.threads + 1):
            np.testing.assert_array_equal(calls["skbnn", n](), calls["skbnn", 1](), err_msg=f"{n} threads")
        yield f"{len(X):,} rows of float32, 3x{width}", rows(interleaved(calls, repeats), len(X))


def limited(controller, n_threads, model, X):
    """A call of predict with at most this many threads."""

    def call():
        with controller.limit(limits=n_threads):
            return model.predict(X)

    return call


def rows(seconds, n_rows):
    """Rows of a table, with the speed against one thread's, paired by turns."""
    return [
        {
            "model": name,
            "threads": n,
            "rows/s": float(n_rows / np.median(values)),
            "lowest": n_rows / values.max(),
            "highest": n_rows / values.min(),
            "speed, 1 thread = 1": float(np.median(seconds[name, 1] / values)),
        }
        for (name, n), values in seconds.items()
    ]


if __name__ == "__main__":
    main(run, __doc__, threads=os.cpu_count())
