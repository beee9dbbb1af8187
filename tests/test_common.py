"""scikit-learn's own checks of estimators."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
    parametrize_with_checks,
)

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder
from skbnn.kernels import available_instruction_sets, use_instruction_set


@parametrize_with_checks([BinaryMLPClassifier(), BinaryMLPRegressor(), ThermometerEncoder()])
def test_scikit_learn_compliance(estimator, check):
    check(estimator)


SMALL = {"hidden_layer_sizes": (16,), "max_iter": 20, "n_estimators": 1, "dropout": 0.0, "n_components": 0}
CLASSIFIERS = [  # each solver with either binarization and loss
    {"solver": "adam", "binarization": "stochastic"},
    {"solver": "sgd"},
    {"solver": "sgd", "binarization": "stochastic", "loss": "squared_hinge"},
    {"solver": "bop", "loss": "squared_hinge"},
    {"solver": "bop", "binarization": "stochastic"},
    {"hidden_layer_sizes": (), "n_components": "auto", "init": "constant", "learning_rate": "constant"},
]
REGRESSORS = [
    {"solver": "adam", "binarization": "stochastic", "loss": "absolute_error"},
    {"solver": "sgd", "loss": "huber"},
    {"solver": "sgd", "binarization": "stochastic"},
    {"solver": "bop", "loss": "absolute_error"},
    {"solver": "bop", "binarization": "stochastic", "loss": "huber"},
    {"hidden_layer_sizes": (), "learning_rate": "exponential"},
]


@parametrize_with_checks(
    [BinaryMLPClassifier(**SMALL | settings) for settings in CLASSIFIERS]
    + [BinaryMLPRegressor(**SMALL | settings) for settings in REGRESSORS]
)
def test_scikit_learn_compliance_whatever_the_solver_binarization_and_loss(estimator, check):
    check(estimator)


@pytest.mark.parametrize("instruction_set", available_instruction_sets())
@pytest.mark.parametrize(
    "estimator, settings",
    [
        (BinaryMLPClassifier, [{}, {"loss": "squared_hinge"}, {"solver": "bop"}, {"class_weight": {1: 4}}]),
        (BinaryMLPRegressor, [{}, {"loss": "huber"}, {"n_components": 2}, {"batch_size": 3}]),
    ],
)
def test_of_few_rows_a_weight_is_exactly_as_many_rows(estimator, settings, instruction_set):
    with use_instruction_set(instruction_set):
        for one in settings:
            check_sample_weight_equivalence_on_dense_data(estimator.__name__, estimator(max_iter=10, **one))


@pytest.mark.parametrize("n_rows", [10, 100])
@pytest.mark.parametrize("model", [BinaryMLPClassifier(), BinaryMLPRegressor()])
def test_without_shuffling_rows_keep_their_order(model, n_rows):
    X = np.random.default_rng(0).normal(size=(n_rows, 3))
    model = clone(model).set_params(shuffle=False, batch_size=2, max_iter=1, dropout=0, n_components=0, random_state=0)
    forward, backward = (
        clone(model).fit(X[order], X[order, 0] > 0).loss_curve_ for order in ([*range(n_rows)], [*range(n_rows)][::-1])
    )
    assert forward != backward


@pytest.mark.parametrize("estimator", [BinaryMLPClassifier, BinaryMLPRegressor])
def test_within_a_mini_batch_a_weight_equals_repeated_rows(estimator):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 5, (60, 4)), rng.integers(0, 3, 60)  # so few values that thresholds are between any two
    weights = rng.integers(0, 4, 60)
    # what looks at rows one by one can't take a weight for repeated rows, and Adam steps along rounding errors
    rowwise = {"init": "constant", "dropout": 0.0, "n_components": 0, "n_thresholds": 4}
    model = estimator(
        (32,), solver="sgd", learning_rate_init=0.1, max_iter=5, batch_size=200, random_state=0, **rowwise
    )
    with use_instruction_set("portable"), pytest.warns(UserWarning, match="is clipped"):  # not of 8 bits
        repeated = clone(model).fit(X.repeat(weights, axis=0), y.repeat(weights))
        weighted = clone(model).fit(X, y, sample_weight=weights)
    for one, other in zip(repeated.packed_.binary_weights, weighted.packed_.binary_weights, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(repeated.loss_curve_, weighted.loss_curve_, rtol=1e-5)
    predict = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    np.testing.assert_allclose(getattr(repeated, predict)(X), getattr(weighted, predict)(X), rtol=1e-4)
