"""What features are worth to the scores."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification, make_friedman1
from sklearn.feature_selection import RFECV, SelectFromModel

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

SMALL = {"hidden_layer_sizes": (64,), "max_iter": 30, "dropout": 0.0, "random_state": 0}
INFORMATIVE = [True] * 5 + [False] * 25


def friedman1(n_samples):
    return make_friedman1(n_samples, n_features=30, random_state=0)


def total_effects_of_friedman1():
    """What can't be said without each of the five features: half the mean squared change if it alone is drawn anew."""
    rng = np.random.default_rng(0)

    def function(x):
        return 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]

    X = rng.random((5, 100_000))
    effects = np.empty(5)
    for feature in range(5):
        other = X.copy()
        other[feature] = rng.random(X.shape[1])
        effects[feature] = np.mean((function(other) - function(X)) ** 2)
    return effects / effects.sum()


@pytest.mark.parametrize("options", [{}, {"init": "constant"}, {"n_components": 10}])
def test_they_are_those_of_the_function_that_was_learnt(options):
    found = BinaryMLPRegressor(**SMALL, **options).fit(*friedman1(1000)).feature_importances_
    assert found.shape == (30,) and np.isclose(found.sum(), 1)
    assert np.abs(found[:5] - total_effects_of_friedman1()).max() < 0.08
    assert found[5:].max() < 0.02


def test_select_from_model_finds_the_informative_features():
    selector = SelectFromModel(BinaryMLPRegressor(**SMALL)).fit(*friedman1(300))
    assert selector.get_support().tolist() == INFORMATIVE
    X, y = make_classification(
        600, n_informative=4, n_redundant=0, n_classes=3, n_clusters_per_class=1, shuffle=False, random_state=0
    )
    selector = SelectFromModel(BinaryMLPClassifier(random_state=0)).fit(X, y)
    assert selector.get_support().tolist() == [True] * 4 + [False] * 16


def test_rfecv_finds_the_informative_features():
    regressor = BinaryMLPRegressor(**SMALL, init="constant", n_components=0)
    rfecv = RFECV(regressor, step=5, cv=3, min_features_to_select=5).fit(*friedman1(300))
    assert rfecv.support_.tolist() == INFORMATIVE


def test_outputs_count_the_same_whatever_their_unit():
    X = np.random.default_rng(0).random((500, 4))
    model = BinaryMLPRegressor(**SMALL).fit(X, X[:, :2] * [1, 1e6])
    assert model.feature_importances_ == pytest.approx([0.5, 0.5, 0, 0], abs=0.03)


def test_several_labels_have_them():
    X = np.random.default_rng(0).random((500, 4))
    model = BinaryMLPClassifier(**SMALL).fit(X, X[:, 1:3] > 0.5)
    assert model.feature_importances_ == pytest.approx([0, 0.5, 0.5, 0], abs=0.05)


def test_they_are_0_where_no_score_moves():
    with pytest.warns(UserWarning, match="No feature varies"):
        model = BinaryMLPRegressor(**SMALL).fit(np.ones((30, 2)), np.arange(30))
    assert model.feature_importances_.tolist() == [0, 0]


def test_there_are_none_before_fit():
    assert not hasattr(BinaryMLPClassifier(), "feature_importances_")


def test_values_are_kept_as_frequent_as_in_training_but_no_row():
    X = np.random.default_rng(0).random((500, 3))
    X[400:] += 10
    weights = np.where(np.arange(500) < 400, 1.0, 4.0)
    values = BinaryMLPRegressor(**SMALL).fit(X, X[:, 0], sample_weight=weights)._state.values
    assert all(np.isin(values[:, feature], X[:, feature]).all() for feature in range(3))
    assert not (values[:, np.newaxis] == X).all(axis=2).any()
    assert np.mean(values > 10) == pytest.approx(0.5, abs=0.05)


def test_values_follow_a_stream():
    X = np.random.default_rng(0).random((100, 5))
    model = BinaryMLPRegressor(**SMALL).partial_fit(X, X[:, 0])
    model.partial_fit(X + 10, X[:, 0])
    assert np.mean(model._state.values > 10) == pytest.approx(0.5, abs=0.05)
    for _ in range(40):
        model.partial_fit(X + 20, X[:, 0])
    assert np.mean(model._state.values > 20) > 0.9


def test_they_are_the_same_at_each_access_and_after_each_equal_fit():
    X, y = load_iris(return_X_y=True)
    first, second = (BinaryMLPClassifier(**SMALL).fit(X, y) for _ in range(2))
    assert first.feature_importances_.tolist() == first.feature_importances_.tolist()
    assert first.feature_importances_.tolist() == second.feature_importances_.tolist()
