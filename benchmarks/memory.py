"""Peak memory of fit and predict above their input, each in a process of its own."""

import multiprocessing
import resource
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from common import as_float, load, main
from peers import multilayer_perceptron

from skbnn import BinaryMLPClassifier


def run(arguments):
    """Yield the tables."""
    models = {"skbnn": binary_network(), "MLPClassifier": multilayer_perceptron(256)}
    rows = [
        {"model": name, "MiB above the input": in_child(fit, model, arguments.data)} for name, model in models.items()
    ]
    yield "fit of an epoch, 60,000 x 784 uint8, 3x256", rows

    data = load(arguments.data, quick=True)
    for model in models.values():
        model.fit(as_float(data.X_train), data.y_train)
    n_rows = 200_000 if arguments.quick else 1_000_000
    cases = ("skbnn", np.uint8), ("skbnn", np.float32), ("MLPClassifier", np.float32)
    peaks = [in_child(predict, models[name], n_rows, dtype) for name, dtype in cases]
    rows = [
        {"model": name, "X": np.dtype(dtype).name, "MiB above the input": peak}
        for (name, dtype), peak in zip(cases, peaks, strict=True)
    ]
    yield f"predict of {n_rows:,} x 784, 3x256", rows


def binary_network():
    """A binary network of the same shape as the float one."""
    options = {"n_thresholds": 1, "n_estimators": 1, "batch_size": 128, "max_iter": 1}
    return BinaryMLPClassifier((256,) * 3, **options, random_state=0)


def in_child(function, *arguments):
    """The function's result, from a new process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak():
    """Largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def fit(model, folder):
    """MiB of a fit above the training data."""
    data = load(folder)
    X, y = data.X_train, data.y_train
    before = peak()
    model.fit(X, y)
    return peak() - before


def predict(model, n_rows, dtype):
    """MiB of predicting above the rows, labels included."""
    X = np.ones((n_rows, 784), dtype)
    before = peak()
    model.predict(X)
    return peak() - before


if __name__ == "__main__":
    main(run, __doc__)
