"""The additive start: the fits on bits, what the network is left with, and that ``packed_`` predicts with both."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, RidgeCV

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder
from skbnn import _additive as additive
from skbnn.packed.layout import pack_bits

SHORT = {"hidden_layer_sizes": (16,), "max_iter": 2, "dropout": 0.0, "random_state": 0}


def problem(n_rows=300, n_bits=70):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (n_rows, n_bits)).astype(np.float32)
    scores = x[:, :5] @ rng.normal(size=(5, 2)) + 0.1 * rng.normal(size=(n_rows, 2))
    return x, pack_bits(x), scores - scores.mean(axis=0), rng.uniform(0.5, 2, n_rows)


def test_ridge_is_that_of_the_dense_matrix():
    x, bits, y, weights = problem()
    penalty = additive.choose_penalty(bits, 70, y, weights, np.random.default_rng(0))
    expected = RidgeCV(additive.PENALTIES, alpha_per_target=True).fit(x, y, weights / weights.mean())
    np.testing.assert_array_equal(penalty, expected.alpha_)
    steps, intercept = additive.fit_ridge(bits, 70, y, weights, np.random.default_rng(0), penalty=penalty)
    np.testing.assert_allclose(steps, expected.coef_, atol=1e-4)
    np.testing.assert_allclose(intercept, expected.intercept_, atol=1e-4)


def test_logistic_is_that_of_the_dense_matrix():
    x, bits, y, weights = problem()
    labels = (y[:, 0] > 0).astype(int)
    steps, intercept = additive.fit_logistic(bits, 70, labels, weights, np.random.default_rng(0))
    expected = LogisticRegression(C=additive.INVERSE_PENALTY).fit(x, labels, weights / weights.mean())
    np.testing.assert_allclose(steps, expected.coef_, atol=1e-3)
    np.testing.assert_allclose(intercept, expected.intercept_, atol=1e-3)


def test_scores_add_the_steps_of_the_bits(monkeypatch):
    x, bits, _, _ = problem()
    steps, constant = np.random.default_rng(1).normal(size=(2, 70)), np.array([3.0, -1.0])
    monkeypatch.setattr(additive, "BLOCK", 64)
    np.testing.assert_allclose(additive.scores_of_steps(bits, steps, constant), x @ steps.T + constant, rtol=1e-12)


def test_rows_beyond_the_largest_matrix_are_left_out(monkeypatch):
    _, bits, y, weights = problem()
    monkeypatch.setattr(additive, "MAX_SIZE_TO_CHOOSE", 70 * 50)
    monkeypatch.setattr(additive, "MAX_SIZE", 70 * 100)
    shapes, as_float = [], additive.as_float
    monkeypatch.setattr(additive, "as_float", lambda *args: shapes.append(len(args[0])) or as_float(*args))
    penalty = additive.choose_penalty(bits, 70, y, weights, np.random.default_rng(0))
    additive.fit_ridge(bits, 70, y, weights, np.random.default_rng(0), penalty=penalty)
    additive.fit_logistic(bits, 70, y[:, 0] > 0, weights, np.random.default_rng(0))
    assert shapes == [50, 100, 100]


def test_packed_predicts_with_both_parts():
    X, y = load_diabetes(return_X_y=True)
    model = BinaryMLPRegressor(**SHORT).fit(X, y)
    bits = ThermometerEncoder(output="zero_one").fit_transform(X)
    part = bits @ model.packed_.steps.T
    network = model.predict(X) - part[:, 0] - model._constant
    assert model.packed_.steps.shape == (1, bits.shape[1])
    assert np.std(network) > 1  # the network says something
    np.testing.assert_allclose(model._constant + part[:, 0], additive_predictions(model, X), rtol=1e-9)


def additive_predictions(model, X):
    """What the model predicts when its network is taken out."""
    state = model.packed_.__getstate__()
    network = type(model.packed_).__new__(type(model.packed_))
    network.__setstate__({**state, "scale": state["scale"] * 0, "bias": model._constant})
    return network.predict(X)


def test_a_step_function_of_each_feature_is_all_but_left_to_the_start():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 8, (500, 3))
    y = np.sin(X[:, 0]) + (X[:, 1] > 4) - 0.3 * X[:, 2]
    model = BinaryMLPRegressor(**SHORT).fit(X[:400], y[:400])
    plain = BinaryMLPRegressor(**SHORT, init="constant").fit(X[:400], y[:400])
    assert model.score(X[400:], y[400:]) > 0.999 > plain.score(X[400:], y[400:])
    assert plain.packed_.steps.shape == (1, 0)


def test_several_targets_each_have_a_start():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = np.c_[1000 * X[:, 0] + 5000, X[:, 1] / 1000, np.full(400, 7.0)]
    model = BinaryMLPRegressor(**SHORT).fit(X, y)
    residual = np.std(model.predict(X) - y, axis=0)
    assert (residual < 0.3 * np.std(y, axis=0)).tolist() == [True, True, False]
    np.testing.assert_array_equal(model.predict(X)[:, 2], 7)


def test_two_classes_start_from_log_odds():
    X, y = load_breast_cancer(return_X_y=True)
    model = BinaryMLPClassifier(**SHORT).fit(X[:400], y[:400])
    plain = BinaryMLPClassifier(**SHORT, init="constant").fit(X[:400], y[:400])
    assert model.loss_curve_[0] < 0.5 * plain.loss_curve_[0]
    assert model.score(X[400:], y[400:]) > 0.95


@pytest.mark.parametrize(
    "model, y",
    [
        (BinaryMLPClassifier(**SHORT), np.arange(90) % 3),
        (BinaryMLPClassifier(**SHORT), np.c_[np.arange(90) % 2, np.arange(90) % 3 > 0]),
        (BinaryMLPClassifier(**SHORT, loss="squared_hinge"), np.arange(90) % 2),
        (BinaryMLPRegressor(**SHORT, loss="huber"), np.arange(90.0)),
    ],
)
def test_other_outputs_and_losses_start_from_a_constant(model, y):
    X = np.random.default_rng(0).normal(size=(90, 4))
    assert model.fit(X, y).packed_.steps.size == 0


def test_so_many_bits_have_no_start(monkeypatch):
    monkeypatch.setattr("skbnn._base.MAX_BITS", 10)
    X, y = load_diabetes(return_X_y=True)
    assert BinaryMLPRegressor(**SHORT).fit(X, y).packed_.steps.size == 0


def test_partial_fit_starts_from_a_constant_and_goes_on_from_a_start():
    X, y = load_diabetes(return_X_y=True)
    model = BinaryMLPRegressor(**SHORT).partial_fit(X, y)
    assert model.packed_.steps.size == 0
    model = BinaryMLPRegressor(**SHORT).fit(X, y)
    steps = model.packed_.steps
    np.testing.assert_array_equal(model.partial_fit(X, y).packed_.steps, steps)


@pytest.mark.parametrize("weight", [1e16, 1e20])
def test_a_row_that_outweighs_all_others_neither_warns_nor_breaks(weight):
    X, y = load_diabetes(return_X_y=True)
    weights = np.r_[weight, np.ones(len(y) - 1)]
    assert np.isfinite(BinaryMLPRegressor(**SHORT).fit(X, y, sample_weight=weights).predict(X)).all()


def test_equal_features_do_not_warn():
    x = np.random.default_rng(0).integers(0, 2, 200_000).astype(np.uint8)
    model = BinaryMLPRegressor((4,), batch_size=4096, max_iter=1, dropout=0.0, random_state=0)
    assert model.fit(np.c_[x, x, x], 2.0 * x + 1).score(np.c_[x, x, x], 2.0 * x + 1) > 0.99
