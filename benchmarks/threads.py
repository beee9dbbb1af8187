"""Rows predicted a second against the number of threads.

One model after the other, with a pause, and each through its own pool (OpenMP, BLAS): a pool's idle threads spin for a
while after every change, on the cores that the other one needs.
"""

import os
from time import sleep

import numpy as np
from common import HARDLY_TRAINED, as_float, interleaved, load, main
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
        binary = BinaryMLPClassifier((width,) * 3, **HARDLY_TRAINED)
        binary.fit(X_train, y)
        floating = multilayer_perceptron(width).fit(X_train, y)
        seconds = {}
        for name, model, pool in ("skbnn", binary, "openmp"), ("MLPClassifier", floating, "blas"):
            own = controller.select(user_api=pool)
            calls = {(name, n): limited(own, n, model, X) for n in range(1, arguments.threads + 1)}
            sleep(1)
            seconds |= interleaved(calls, repeats)
            for n in range(1, arguments.threads + 1):
                np.testing.assert_array_equal(calls[name, n](), calls[name, 1](), err_msg=f"{n} threads")
        yield f"{len(X):,} rows of float32, 3x{width}", rows(seconds, len(X))


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
