"""What a fit takes is what doc/training.rst says, and what is too much is refused by the names of its parameters."""

import gc
import tracemalloc
import warnings

import numpy as np
import pytest

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.encoding.sparse import finite_columns
from skbnn.initial_models.additive import MAX_SIZE
from skbnn.training import decide
from skbnn.training.parameters import MOST_THRESHOLDS
from skbnn.training.room import bytes_of_training, check_room

BYTES_OF_AN_ADDITIVE_MODEL = 24  # for each number that it is fitted to
PYTHON = 2**21  # bytes of what Python keeps beside arrays


def table(n_rows, n_features, n_outputs, *, real):
    """Rows and targets that depend on a feature."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    if real:
        return X, X[:, :1] + rng.normal(size=(n_rows, n_outputs))
    return X, np.argsort(np.argsort(X[:, 0])) * max(n_outputs, 2) // n_rows


def peak_of(model, X, y, monkeypatch):
    """Largest memory of a fit in bytes, and what is documented of one without an additive model."""
    layer_sizes = None

    def recording(parameters, sizes, samples):
        """Held-out rows may leave bits and units out of the sizes later."""
        nonlocal layer_sizes
        layer_sizes = sizes
        check_room(parameters, sizes, samples)

    monkeypatch.setattr(decide, "check_room", recording)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:60], y[:60])  # what is imported on the way
        gc.disable()  # what waits for the collector is taken, too
        tracemalloc.start()
        try:
            model.fit(X, y)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            gc.enable()
    return peak, bytes_of_training(layer_sizes, model.n_estimators_, model.batch_size_, *X.shape)


@pytest.mark.parametrize(
    "Estimator, shape, parameters",
    [
        (BinaryMLPClassifier, (10, 5000, 1), {}),
        (BinaryMLPClassifier, (100, 9000, 1), {}),
        (BinaryMLPClassifier, (300, 2000, 1), {}),
        (BinaryMLPClassifier, (1000, 30, 1), {"hidden_layer_sizes": (512, 512)}),
        (BinaryMLPClassifier, (500, 100, 1), {"hidden_layer_sizes": (256,), "n_thresholds": 255, "n_estimators": 3}),
        (BinaryMLPClassifier, (20_000, 8, 1), {"hidden_layer_sizes": (16,)}),
        (BinaryMLPClassifier, (2000, 8, 100), {"hidden_layer_sizes": (64,)}),
        (BinaryMLPRegressor, (2000, 8, 50), {"hidden_layer_sizes": (64,)}),
    ],
)
def test_memory_of_a_fit_is_what_is_documented(Estimator, shape, parameters, monkeypatch):
    X, y = table(*shape, real=Estimator is BinaryMLPRegressor)
    peak, documented = peak_of(Estimator(init="constant", max_iter=1, random_state=0, **parameters), X, y, monkeypatch)
    assert documented / 3 < peak < documented + PYTHON


@pytest.mark.parametrize("shape", [(4000, 10, 1), (3000, 100, 1)])
def test_an_additive_model_takes_what_is_documented_for_each_number(shape, monkeypatch):
    X, y = table(*shape, real=False)
    model = BinaryMLPClassifier((8,), max_iter=1, random_state=0)
    peak, documented = peak_of(model, X, y, monkeypatch)
    n_columns = (MOST_THRESHOLDS + 1) * X.shape[1]
    assert peak < documented + PYTHON + BYTES_OF_AN_ADDITIVE_MODEL * min(len(X) * n_columns, MAX_SIZE)


def test_columns_that_can_be_combined_are_found_without_a_copy_of_the_table():
    X = np.ones((100_000, 8))
    X[70_000, 3], X[5, 6], X[5, 7] = np.nan, np.inf, np.nan
    tracemalloc.start()
    try:
        assert finite_columns(X, np.array([1, 3, 5, 6])).tolist() == [1, 5]
        assert tracemalloc.get_traced_memory()[1] < X.nbytes / 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": (2**44,)},
        {"hidden_layer_sizes": (10**30,)},
        {"hidden_layer_sizes": (2**22, 2**22)},
        {"n_estimators": 2**62},
    ],
    ids=str,
)
@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_what_is_too_large_is_refused_at_once(call, parameters):
    X, y = table(200, 50, 1, real=True)
    model = BinaryMLPRegressor(random_state=0, **parameters)
    tracemalloc.start()
    try:
        with pytest.raises(MemoryError, match=rf"Training takes [\d,]+ bytes.*{next(iter(parameters))}="):
            getattr(model, call)(X, y[:, 0])
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
