"""Targets and losses of the regressor."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.model_selection import train_test_split

from skbnn import BinaryMLPRegressor

SHORT = {"hidden_layer_sizes": (128,), "max_iter": 60, "random_state": 0}


def friedman():
    X, y = make_friedman1(1200, random_state=0)
    return train_test_split(X, y, random_state=0)


@pytest.mark.parametrize("solver", ["adam", "sgd", "bop"])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_every_solver_and_loss_learns(solver, loss):
    X_train, X_test, y_train, y_test = friedman()
    model = BinaryMLPRegressor(solver=solver, loss=loss, **SHORT).fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.8


@pytest.mark.parametrize("solver", ["adam", "sgd", "bop"])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_every_solver_learns_with_drawn_weights(solver, loss):
    X_train, X_test, y_train, y_test = friedman()
    model = BinaryMLPRegressor(solver=solver, loss=loss, binarization="stochastic", init="constant", **SHORT)
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.7


def test_several_targets_of_different_scale():
    X, y = make_friedman1(800, random_state=0)
    targets = np.column_stack([y, -1e6 * y + 5, 1e-6 * y])
    model = BinaryMLPRegressor(**SHORT).fit(X, targets)
    assert model.predict(X).shape == targets.shape
    assert model.n_outputs_ == 3
    assert model.score(X, targets) > 0.9


def test_predictions_move_with_the_targets():
    X, y = load_diabetes(return_X_y=True)
    plain = BinaryMLPRegressor(**SHORT).fit(X, y).predict(X)
    moved = BinaryMLPRegressor(**SHORT).fit(X, 4 * y + 1024).predict(X)
    np.testing.assert_allclose(moved, 4 * plain + 1024, rtol=1e-6)


def test_a_constant_target_is_predicted():
    X, _ = load_diabetes(return_X_y=True)
    model = BinaryMLPRegressor((16,), max_iter=200, random_state=0).fit(X, np.full(len(X), 3.5))
    np.testing.assert_array_equal(model.predict(X), 3.5)


@pytest.mark.parametrize("factor", [2.0**1010, 2.0**-1060])
def test_targets_of_extreme_size(factor):
    X_train, X_test, y_train, y_test = friedman()
    model = BinaryMLPRegressor(**SHORT).fit(X_train, y_train * factor)
    assert np.corrcoef(model.predict(X_test) / factor, y_test)[0, 1] > 0.9


@pytest.mark.parametrize("constant", [0.1, 16777217.3, 1e9 + 0.3, 3.14159265358979e15])
def test_a_constant_target_is_predicted_as_it_is(constant):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.c_[np.full(60, constant), X[:, 0]]
    alone = BinaryMLPRegressor(**SHORT).fit(X, y[:, 0]).predict(X)
    np.testing.assert_allclose(alone, constant, rtol=1e-14)
    np.testing.assert_allclose(BinaryMLPRegressor(**SHORT).fit(X, y).predict(X)[:, 0], constant, rtol=1e-14)


def test_absolute_error_resists_outliers():
    X_train, X_test, y_train, y_test = friedman()
    spoiled = y_train.copy()
    spoiled[::10] += 1000
    errors = {}
    for loss in "squared_error", "absolute_error":
        model = BinaryMLPRegressor(loss=loss, **SHORT).fit(X_train, spoiled)
        errors[loss] = np.median(np.abs(model.predict(X_test) - y_test))
    assert errors["absolute_error"] < 0.5 * errors["squared_error"]


def test_partial_fit_learns_from_a_stream():
    X_train, X_test, y_train, y_test = friedman()
    model = BinaryMLPRegressor(**SHORT)
    for _ in range(15):
        for start in range(0, len(X_train), 300):
            model.partial_fit(X_train[start : start + 300], y_train[start : start + 300])
    assert model.score(X_test, y_test) > 0.7
    with pytest.raises(ValueError, match="y has 2 outputs; the first y had 1"):
        model.partial_fit(X_train, np.column_stack([y_train, y_train]))


def test_infinite_targets_raise():
    X, y = load_diabetes(return_X_y=True)
    y[3] = np.inf
    with pytest.raises(ValueError, match="Input y contains infinity"):
        BinaryMLPRegressor().fit(X, y)


def test_a_first_call_that_diverged_is_not_gone_on_from():
    X, y = load_diabetes(return_X_y=True)
    model = BinaryMLPRegressor((16,), solver="sgd", learning_rate_init=1e36, random_state=0)
    with pytest.raises(ValueError, match="Lower learning_rate_init"):
        model.partial_fit(X, y)
    assert np.isfinite(model.set_params(learning_rate_init=0.1).partial_fit(X, y).loss_curve_).all()


def test_sparse_targets_are_dense_ones():
    X, y = load_diabetes(return_X_y=True)
    Y = np.c_[y, y > 150]
    dense, sparse = (
        BinaryMLPRegressor((8,), max_iter=1, dropout=0.0, random_state=0).fit(X, part) for part in (Y, csr_array(Y))
    )
    np.testing.assert_array_equal(dense.predict(X), sparse.predict(X))


def in_batches(X, y, n_batches):
    return list(zip(np.array_split(X, n_batches), np.array_split(y, n_batches), strict=True))


def standardized_diabetes():
    X, y = load_diabetes(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()


FIRST_TARGETS = {"0": lambda y: 0 * y, "a hundredth": lambda y: y / 100, "a hundred times": lambda y: 100 * y}
FIRST_TARGETS["an outlier"] = lambda y: np.where(np.arange(len(y)) == 3, 1e6, y)


@pytest.mark.parametrize("first", FIRST_TARGETS)
def test_a_stream_recovers_from_a_first_batch_of_another_scale(first):
    X, y = standardized_diabetes()
    batches = in_batches(X, y, 9)
    model = BinaryMLPRegressor((64,), random_state=0).partial_fit(batches[0][0], FIRST_TARGETS[first](batches[0][1]))
    for _ in range(20):
        for batch in batches:
            model.partial_fit(*batch)
    assert model.score(X, y) > 0.4


@pytest.mark.parametrize("by", ["targets", "a feature"])
def test_a_sorted_stream_is_learnt(by):
    X, y = standardized_diabetes()
    order = np.argsort(y if by == "targets" else X[:, 2])
    model = BinaryMLPRegressor((64,), random_state=0)
    for _ in range(20):
        for batch in in_batches(X[order], y[order], 9):
            model.partial_fit(*batch)
    assert model.score(X, y) > 0.4


@pytest.mark.parametrize("n_rows", [1, 5])
def test_calls_of_few_rows_are_learnt(n_rows):
    X, y = standardized_diabetes()
    model = BinaryMLPRegressor((32,), random_state=0)
    for _ in range(2):
        for batch in in_batches(X, y, len(y) // n_rows):
            model.partial_fit(*batch)
    assert model.score(X, y) > 0.3


@pytest.mark.parametrize("again", ["partial_fit", "fit"])
def test_the_scale_of_each_output_follows_after_fit(again):
    X, y = load_diabetes(return_X_y=True)
    Y = np.column_stack([y, y])
    model = BinaryMLPRegressor((32,), warm_start=True, max_iter=30, random_state=0, dropout=0.0).fit(X, Y)
    moved = Y * [1, 30] + [0, 1e4]
    for _ in range(30):
        getattr(model, again)(X, moved)
    assert model.score(X, moved) > 0.4
