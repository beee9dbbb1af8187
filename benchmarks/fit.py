"""Time of training: seconds an epoch, tiny data, linear in the number of rows."""

import numpy as np
from common import as_float, compare, interleaved, load, main, optional
from peers import larq_epoch, multilayer_perceptron, torch_epoch
from sklearn.datasets import load_digits, load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale

from skbnn import BinaryMLPClassifier


def run(arguments):
    """Yield the tables."""
    data = load(arguments.data, arguments.quick)
    repeats = arguments.repeats or (3 if arguments.quick else 5)
    for width in (256, 1024):
        seconds = interleaved(epochs(width, data, arguments.threads), repeats)
        title = f"an epoch of {len(data.X_train):,} rows, 3x{width}, batches of 128"
        yield title, compare(seconds, "model", "s/epoch", 1.0, "MLPClassifier")
    for name, dataset in ("iris", load_iris), ("digits", load_digits):
        functions, n_steps = default_fits(*dataset(return_X_y=True))
        seconds = interleaved(functions, repeats)
        title = f"default fit of {name}, {n_steps:,} steps a network"
        yield title, compare(seconds, "model", "s", 1.0, "MLPClassifier")
    functions, n_steps = small_fits(*load_digits(return_X_y=True))
    seconds = interleaved(functions, repeats)
    yield "a step, 64-64, batches of 32", compare(seconds, "model", "µs/step", 1e6 / n_steps, "MLPClassifier")
    yield "fit of two epochs, 3x256", linear(data, repeats)


def epochs(width, data, threads):
    """Functions that train one epoch, of every model: a first call begins, later ones go on."""
    X, y = as_float(data.X_train), data.y_train
    classes = np.unique(y)
    binary = BinaryMLPClassifier((width,) * 3, n_thresholds=1, n_estimators=1, batch_size=128, random_state=0)
    mlp = multilayer_perceptron(width)
    functions = {
        "skbnn": lambda: binary.partial_fit(data.X_train, y, classes=classes),
        "MLPClassifier": lambda: mlp.partial_fit(X, y, classes=classes),
    }
    if optional("torch"):
        functions["torch float32, batch norm"] = torch_epoch(width, X, y, threads)
    if optional("larq"):
        functions["Larq"] = larq_epoch(width, X, y, threads)
    return functions


def float_fit(shape, X, y, batch_size, n_epochs):
    """MLPClassifier for exactly this many epochs; fits standardized float32, which is faster than float64."""
    mlp = MLPClassifier(shape, batch_size=batch_size, max_iter=n_epochs, n_iter_no_change=n_epochs, random_state=0)
    X = scale(X).astype(np.float32)
    return lambda: mlp.fit(X, y)


def default_fits(X, y):
    """The default fit, and MLPClassifier's with the same shape, batches and number of steps."""
    binary = BinaryMLPClassifier(random_state=0).fit(X, y)
    batch_size = binary.batch_size_
    mlp_fit = float_fit(binary.hidden_layer_sizes_, X, y, batch_size, binary.n_iter_)
    n_steps = binary.n_iter_ * -(-len(X) // batch_size)
    return {"skbnn": lambda: binary.fit(X, y), "MLPClassifier": mlp_fit}, n_steps


def small_fits(X, y, n_epochs=20):
    """Fits of a small network with small batches; all costs of a fit are shared out among its steps."""
    options = {"n_thresholds": 1, "n_estimators": 1, "dropout": 0.0, "init": "constant", "random_state": 0}
    binary = BinaryMLPClassifier((64, 64), batch_size=32, max_iter=n_epochs, **options)
    mlp_fit = float_fit((64, 64), X, y, 32, n_epochs)
    return {"skbnn": lambda: binary.fit(X, y), "MLPClassifier": mlp_fit}, n_epochs * -(-len(X) // 32)


def linear(data, repeats):
    """Time against the number of rows."""
    options = {"n_thresholds": 1, "n_estimators": 1, "dropout": 0.0, "init": "constant", "random_state": 0}
    binary = BinaryMLPClassifier((256,) * 3, batch_size=128, max_iter=2, **options)
    sizes = [len(data.X_train) // part for part in (8, 4, 2, 1)]
    fits = {n_rows: lambda n_rows=n_rows: binary.fit(data.X_train[:n_rows], data.y_train[:n_rows]) for n_rows in sizes}
    medians = {n_rows: float(np.median(times)) for n_rows, times in interleaved(fits, repeats).items()}
    return [{"rows": n, "s": median, "µs/row and epoch": 1e6 * median / n / 2} for n, median in medians.items()]


if __name__ == "__main__":
    main(run, __doc__)
