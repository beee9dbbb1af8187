"""A factor of all weights makes no difference: it is a unit, and what it rounds does not show."""

import numpy as np
import pytest
from sklearn.base import clone

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.training.samples import scale_weights, without_unit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
Y = np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.8])
SMALL = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
WEIGHTS = {"equal": np.ones(90), "counts": RNG.integers(0, 5, 90), "real": RNG.uniform(0.01, 5, 90)}
FACTORS = 3.7, 1e-250 / 7

by_factor = pytest.mark.parametrize("factor", FACTORS)
by_weights = pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)


def assert_same(one, other):
    """Two models are the same, bit for bit."""
    np.testing.assert_array_equal(one.loss_curve_, other.loss_curve_)
    np.testing.assert_array_equal(one.packed_.integer_scores(X), other.packed_.integer_scores(X))
    np.testing.assert_array_equal(one.feature_importances_, other.feature_importances_)


@by_factor
@by_weights
@pytest.mark.parametrize(
    "model",
    [
        BinaryMLPClassifier(**SMALL),
        BinaryMLPClassifier(loss="squared_hinge", **SMALL, solver="bop"),
        BinaryMLPClassifier(**SMALL, class_weight="balanced", early_stopping=True, validation_fraction=0.2),
        BinaryMLPRegressor(**SMALL),
        BinaryMLPRegressor(loss="huber", **SMALL, solver="sgd"),
        BinaryMLPRegressor(loss="absolute_error", **SMALL, binarization="stochastic"),
    ],
    ids=str,
)
def test_fit_knows_no_unit_of_weights(model, weights, factor):
    assert_same(clone(model).fit(X, Y, weights), clone(model).fit(X, Y, factor * weights))


@pytest.mark.parametrize("n_rows", [30, 90])
@pytest.mark.parametrize("model", [BinaryMLPClassifier(**SMALL), BinaryMLPRegressor(**SMALL)])
def test_equal_weights_are_none(model, n_rows):
    weights = np.full(n_rows, 3.7)
    assert_same(clone(model).fit(X[:n_rows], Y[:n_rows]), clone(model).fit(X[:n_rows], Y[:n_rows], weights))


@by_factor
@by_weights
def test_few_rows_that_repeat_know_no_unit_of_weights(weights, factor):
    rows = np.arange(40) % 25
    model = BinaryMLPClassifier(**SMALL)
    fits = [clone(model).fit(X[rows], Y[rows], some) for some in (weights[:40], factor * weights[:40])]
    assert_same(*fits)


@by_factor
@by_weights
@pytest.mark.parametrize("model", [BinaryMLPClassifier(**SMALL), BinaryMLPRegressor(**SMALL)])
def test_streams_and_warm_starts_know_no_unit_of_weights(model, weights, factor):
    one, other = (clone(model).set_params(warm_start=True) for _ in range(2))
    for _ in range(2):
        assert_same(one.fit(X, Y, weights), other.fit(X, Y, factor * weights))
    one, other = clone(model), clone(model)
    classes = {"classes": np.unique(Y)} if isinstance(model, BinaryMLPClassifier) else {}
    for start in range(0, 90, 30):
        some = slice(start, start + 30)
        one.partial_fit(X[some], Y[some], sample_weight=weights[some], **classes)
        other.partial_fit(X[some], Y[some], sample_weight=factor * weights[some], **classes)
        assert_same(one, other)


@by_factor
def test_weights_of_classes_know_no_unit(factor):
    shares = {0: 1, 1: 3, 2: 5}
    scaled = {label: factor * share for label, share in shares.items()}
    equal = dict.fromkeys(shares, factor)
    model = BinaryMLPClassifier(**SMALL)
    assert_same(*(clone(model).set_params(class_weight=one).fit(X, Y) for one in (shares, scaled)))
    assert_same(clone(model).fit(X, Y), clone(model).set_params(class_weight=equal).fit(X, Y))


@by_factor
@by_weights
@pytest.mark.parametrize("scoring", [None, "loss", "accuracy"])
def test_weights_to_stop_early_by_know_no_unit(scoring, weights, factor):
    model = BinaryMLPClassifier(**SMALL, scoring=scoring)
    fits = [clone(model).fit(X, Y, X_val=X, y_val=Y, sample_weight_val=some) for some in (weights, factor * weights)]
    assert_same(*fits)
    assert fits[0].validation_scores_ == fits[1].validation_scores_


def test_weights_of_a_class_may_be_as_large_as_can_be():
    largest = np.finfo(float).max
    model = BinaryMLPClassifier(**SMALL)
    heavy = clone(model).set_params(class_weight=dict.fromkeys(range(3), largest)).fit(X, Y, np.full(90, largest))
    assert_same(heavy, clone(model).fit(X, Y))


def test_counts_are_what_they_are():
    counts = np.array([1, 2, 3, 5, 1000, 2**24 - 1], float)
    scaled = without_unit(scale_weights(counts))
    np.testing.assert_array_equal(scaled / scaled[0], counts)
    np.testing.assert_array_equal(without_unit(scale_weights(counts / 3)), scaled)
