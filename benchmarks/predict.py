"""Time per row of predicting, 784-h-h-h-10: a batch, one row, many rows, dtypes and memory orders."""

from functools import partial

import numpy as np
from common import HARDLY_TRAINED, as_float, compare, interleaved, load, main, now, optional
from peers import exported, larq_predict, multilayer_perceptron, onnx_runtime, torch_network

from skbnn import BinaryMLPClassifier

WIDTHS = 256, 512, 1024
BLOCK = 100_000  # rows generated at a time


def run(arguments):
    """Yield the tables."""
    data = load(arguments.data, arguments.quick)
    repeats = arguments.repeats or (3 if arguments.quick else 15)
    X = as_float(data.X_test)
    for width in WIDTHS:
        models = fitted(width, data, arguments.threads)
        unit = f"{len(X):,} rows, 3x{width}", "µs/row", 1e6 / len(X)
        yield measured({name: partial(predict, X) for name, predict in models.items()}, repeats, 1, *unit)
        calls = {name: partial(predict, X[:1]) for name, predict in models.items()}
        calls["skbnn, packed_"] = partial(models["skbnn, packed_"], X[0])
        yield measured(calls, repeats, 20 if arguments.quick else 200, f"one row, 3x{width}", "µs", 1e6)
    largest = 4 if arguments.quick else 7 if arguments.full else 6
    yield "rows of float32 generated in blocks, 3x256", [many_rows(data, 10**n, repeats) for n in range(3, largest + 1)]
    yield dtypes(data, repeats)


def measured(functions, repeats, number, title, unit, scale):
    """A table of models beside MLPClassifier."""
    return title, compare(interleaved(functions, repeats, number), "model", unit, scale, "MLPClassifier")


def fit_binary(width, X, y):
    """A binary network with one threshold a feature, hardly trained: speed does not depend on the weights."""
    binary = BinaryMLPClassifier((width,) * 3, **HARDLY_TRAINED)
    return binary.fit(X[:2000], y[:2000])


def fitted(width, data, threads):
    """Every model's predict function."""
    X, y = as_float(data.X_train[:2000]), data.y_train[:2000]
    binary = fit_binary(width, X, y)
    mlp = multilayer_perceptron(width).fit(X, y)
    models = {"skbnn": binary.predict, "skbnn, packed_": binary.packed_.predict, "MLPClassifier": mlp.predict}
    if optional("onnxruntime") and optional("onnx"):
        models["skbnn, ONNX Runtime"] = exported(binary, threads)
        models["ONNX Runtime float32"] = onnx_runtime(mlp, threads)
        models["ONNX Runtime int8"] = onnx_runtime(mlp, threads, int8=True)
    if optional("torch"):
        models["torch float32"] = torch_network(mlp, threads)
    if optional("larq"):
        models["Larq"] = larq_predict(width, X.shape[1], threads)
    return models


def many_rows(data, n_rows, repeats):
    """Cost per row, for a row of the table; the clock stands still while a block is generated."""
    predict = fit_binary(256, as_float(data.X_train), data.y_train).predict
    rng = np.random.default_rng(0)
    costs = []
    for _ in range(repeats if n_rows <= BLOCK else n_rows // BLOCK):
        X = rng.random((min(n_rows, BLOCK), 784), dtype=np.float32)
        start = now()
        predict(X)
        costs.append(1e6 * (now() - start) / len(X))
    return {"rows": n_rows, "µs/row": float(np.median(costs)), "lowest": min(costs), "highest": max(costs)}


def dtypes(data, repeats):
    """The same values in other dtypes and orders, which have to give the same scores to the last bit."""
    network = fit_binary(256, data.X_train, data.y_train).packed_
    arrays = {
        f"{np.dtype(dtype)}, {order} order": data.X_test.astype(dtype, order=order)
        for dtype in (np.float32, np.float64, np.uint8, np.int64)
        for order in "CF"
    }
    expected = network.decision_function(data.X_test)
    for name, X in arrays.items():
        np.testing.assert_array_equal(network.decision_function(X), expected, err_msg=name)
    seconds = interleaved({name: partial(network.predict, X) for name, X in arrays.items()}, repeats)
    title = f"{len(expected):,} rows, 3x256, packed_"
    return title, compare(seconds, "X", "µs/row", 1e6 / len(expected), "float32, C order")


if __name__ == "__main__":
    main(run, __doc__, flags=[("--full", "up to ten million rows")])
