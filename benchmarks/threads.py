"""Rows predicted a second, and the time of training steps and of a default fit, against the number of threads.

One model after the other, with a pause, and each through its own pool (OpenMP, BLAS): a pool's idle threads spin for a
while after every change, on the cores that the other one needs.
"""

import os
from functools import partial
from time import sleep

import numpy as np
from common import HARDLY_TRAINED, as_float, interleaved, load, main
from datasets import arrays
from peers import multilayer_perceptron
from threadpoolctl import ThreadpoolController

from skbnn import BinaryMLPClassifier
from skbnn.network.network import BinaryNetwork
from skbnn.network.trainer import Trainer, TrainingData, TrainingOptions
from skbnn.packed.layout import pack_bits

N_BATCHES = 16

# Inputs, hidden layers and output units, and rows of a mini-batch.
STEPS = {
    "3x256, batches of 128": ([784, 256, 256, 256, 40], 128),
    "3x1024, batches of 128": ([784, 1024, 1024, 1024, 40], 128),
    "512-512, batches of 512": ([784, 512, 512, 40], 512),
}


def run(arguments):
    """Yield the tables."""
    data = load(arguments.data, arguments.quick)
    repeats = arguments.repeats or (3 if arguments.quick else 15)
    X, X_train, y = as_float(data.X_test), as_float(data.X_train[:2000]), data.y_train[:2000]
    controller, threads = ThreadpoolController(), counts(arguments.threads)
    for width in (256, 1024):
        binary = BinaryMLPClassifier((width,) * 3, **HARDLY_TRAINED)
        binary.fit(X_train, y)
        floating = multilayer_perceptron(width).fit(X_train, y)
        seconds = {}
        for name, model, pool in ("skbnn", binary, "openmp"), ("MLPClassifier", floating, "blas"):
            own = controller.select(user_api=pool)
            calls = {(name, n): limited(own, n, partial(model.predict, X)) for n in threads}
            sleep(1)
            seconds |= interleaved(calls, repeats)
            for n in threads:
                np.testing.assert_array_equal(calls[name, n](), calls[name, 1](), err_msg=f"{n} threads")
        yield f"{len(X):,} rows of float32, 3x{width}", rows(seconds, len(X))
    own = controller.select(user_api="openmp")
    for name, (sizes, n_rows) in STEPS.items():
        seconds = interleaved({n: steps(sizes, n_rows, n) for n in threads}, repeats)
        yield f"a training step, {name}", against_one(seconds, "ms", 1000 / N_BATCHES)
    if arguments.data:
        X, y, *_ = arrays("letter", arguments.data)
        fits = {n: limited(own, n, partial(BinaryMLPClassifier(random_state=0).fit, X, y)) for n in threads}
        yield "default fit of letter", against_one(interleaved(fits, min(repeats, 3)), "s", 1)


def counts(most):
    """Numbers of threads: powers of two, and the largest."""
    return sorted({2**power for power in range(most.bit_length())} | {most})


def limited(controller, n_threads, function):
    """A call of a function with at most this many threads."""

    def call():
        with controller.limit(limits=n_threads):
            return function()

    return call


def steps(sizes, n_rows, n_threads):
    """A call of N_BATCHES training steps on random bits, in as many threads as they are worth."""
    rng = np.random.default_rng(0)
    network = BinaryNetwork.initialize(sizes, 10, output_gain=1.0, spreads=[0.1] * (len(sizes) - 1), rng=rng)
    n = N_BATCHES * n_rows
    bits = pack_bits(rng.integers(2, size=(n, sizes[0])))
    data = TrainingData(bits, np.ones(n), rng.integers(10, size=(n, 1)).astype(np.float32))
    trainer = Trainer(network, TrainingOptions("multiclass_log_loss"), seed=0, max_rows=n_rows)
    batches = np.split(np.arange(n), N_BATCHES)
    return lambda: trainer.train(data, batches, np.zeros(N_BATCHES), n_threads)


def against_one(seconds, unit, scale):
    """Rows of a table, with the speed against one thread's, paired by turns."""
    return [
        {
            "threads": n,
            unit: float(scale * np.median(values)),
            "lowest": scale * values.min(),
            "highest": scale * values.max(),
            "speed, 1 thread = 1": float(np.median(seconds[1] / values)),
        }
        for n, values in seconds.items()
    ]


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
