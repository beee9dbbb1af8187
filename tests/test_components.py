"""Components and directions: what they are, who has them, and that the packed network carries them."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, _components
from skbnn._components import linear_directions, principal_components

SHORT = BinaryMLPRegressor((16,), n_components=3, max_iter=2, dropout=0.0, random_state=0)


def correlated(n_rows=600):
    """Three pairs of nearly equal features, on very different scales; targets need the differences of two pairs."""
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(n_rows, 3)), 0.1 * rng.normal(size=(n_rows, 3))
    X = np.hstack([common + own, common - own]) * 10.0 ** np.arange(6)
    return 1000 + X, np.sin(15 * own[:, 0]) + np.sign(own[:, 1])


def test_components_are_those_of_standardized_features():
    X, _ = correlated()
    components = principal_components(X, 4, np.random.default_rng(0))
    assert components.shape == (4, 6)
    expected = PCA(4).fit_transform(StandardScaler().fit_transform(X))
    projected = X @ components.T
    np.testing.assert_allclose(np.abs(projected - projected.mean(axis=0)), np.abs(expected), atol=1e-8)


@pytest.mark.parametrize("extreme", [1e300, 5e-324])
def test_constant_and_extreme_features_give_finite_components(extreme):
    X = np.random.default_rng(0).normal(size=(50, 4))
    X[:, 1] = 7
    X[:, 2] = extreme * (X[:, 2] > 0)
    components = principal_components(X, 4, np.random.default_rng(0))
    assert np.isfinite(components).all() and not components[:, 1].any()
    assert not principal_components(np.ones((50, 4)), 4, np.random.default_rng(0)).any()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_features_that_depend_on_each_other_give_fewer_components(dtype):
    a, b = np.random.default_rng(0).normal(size=(2, 600)).astype(dtype)
    X = np.c_[a, b, a + b, a]
    components = principal_components(X, 4, np.random.default_rng(0))
    assert components[:2].all() and not components[2:].any()
    model = clone(SHORT).set_params(n_components=4).fit(X, a * b)
    assert (np.diff(model.packed_.offsets)[-4:] == [32, 32, 0, 0]).all()


def test_more_features_than_rows_give_the_same_components():
    X = np.random.default_rng(0).normal(size=(20, 30))
    components = principal_components(X, 4, np.random.default_rng(0))
    expected = PCA(4, svd_solver="full").fit_transform(StandardScaler().fit_transform(X))
    projected = X @ components.T
    np.testing.assert_allclose(np.abs(projected - projected.mean(axis=0)), np.abs(expected), atol=1e-8)


def test_targets_that_do_not_vary_have_no_direction(monkeypatch):
    X, y = correlated()
    monkeypatch.setattr("skbnn._base.choose", lambda *arguments: (arguments[2][1], 0.0, 1.0))  # the second code
    model = clone(SHORT).set_params(n_components="auto").fit(X, np.c_[y, np.ones_like(y)])
    assert model.n_components_ == 1


def test_rows_of_early_stopping_have_no_say_in_the_direction(monkeypatch):
    X, y = correlated()
    monkeypatch.setattr("skbnn._base.choose", lambda *arguments: (arguments[2][1], 0.0, 1.0))  # the second code
    model = clone(SHORT).set_params(n_components="auto", early_stopping=True).fit(X, y)
    direction = model.packed_.components
    _, held = model._split(y)
    y[held] += 10 * X[held, 0]
    np.testing.assert_array_equal(model.fit(X, y).packed_.components, direction)


def test_held_out_rows_choose_components_where_features_are_correlated():
    X, y = correlated()
    model = BinaryMLPRegressor((64, 64), max_iter=60, random_state=0)
    rotated = clone(model).fit(X[:400], y[:400])
    assert rotated.n_components_ == 1 + 6
    plain = clone(model).set_params(n_components=0).fit(X[:400], y[:400])
    assert plain.n_components_ == 0
    assert rotated.score(X[400:], y[400:]) > plain.score(X[400:], y[400:]) + 0.1


def test_held_out_rows_refuse_components_where_features_are_what_counts():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(600, 8))
    y = np.sign(X[:, 0]) + (X[:, 1] > 0.5) + 0.3 * rng.normal(size=600)
    assert BinaryMLPRegressor((64,), max_iter=60, random_state=0).fit(X, y).n_components_ == 0


def test_a_classifier_has_none_by_default():
    X, y = correlated()
    assert BinaryMLPClassifier((16,), max_iter=5, random_state=0).fit(X, y > 0).n_components_ == 0


def test_wide_data_streams_and_few_rows_have_none_by_default(monkeypatch):
    X, y = np.random.default_rng(0).normal(size=(60, 33)), np.arange(60) % 7
    monkeypatch.setattr("skbnn._codes.principal_components", None)  # not even looked for
    model = clone(SHORT).set_params(n_components="auto")
    assert clone(model).fit(X, y).n_components_ == 0
    assert clone(model).partial_fit(X[:, :4], y).n_components_ == 0
    assert clone(model).fit(X[:40, :4], y[:40]).n_components_ == 0


def test_a_single_feature_has_nothing_to_be_combined_with(capsys):
    X, y = correlated()
    model = clone(SHORT).set_params(n_components="auto", verbose=True).fit(X[:, :1], y)
    assert model.n_components_ == 0 and "held-out" not in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:No feature varies")
@pytest.mark.parametrize("n_components, kept", [(2, 2), ("auto", 0)])
def test_training_goes_on_from_rows_without_variation(n_components, kept):
    X, y = correlated(60)
    model = clone(SHORT).set_params(n_components=n_components).partial_fit(np.ones_like(X), y)
    assert model.partial_fit(X, y).n_components_ == kept
    assert np.isfinite(model.predict(X)).all()
    model = clone(SHORT).set_params(n_components=n_components, warm_start=True).fit(np.ones_like(X), y)
    assert model.fit(X, y).n_components_ == kept


def test_the_packed_network_predicts_from_the_features_alone():
    X, y = correlated()
    model = clone(SHORT).fit(X, y)
    packed = pickle.loads(pickle.dumps(model.packed_))
    assert packed.n_features_in == 6 and packed.components.shape == (3, 6)
    expected = model.predict(X)
    np.testing.assert_array_equal(packed.predict(X), expected)
    np.testing.assert_array_equal(packed.predict(np.asfortranarray(X)), expected)
    np.testing.assert_array_equal([packed.predict(row) for row in X[:20]], expected[:20])
    with threadpool_limits(1):
        np.testing.assert_array_equal(model.predict(X), expected)


def test_a_stream_can_have_them():
    X, y = correlated()
    model = clone(SHORT).partial_fit(X, y)
    components = model.packed_.components
    assert components.shape == (3, 6)
    np.testing.assert_array_equal(model.partial_fit(X, y).packed_.components, components)
    with pytest.raises(ValueError, match="n_components=2 can't go on from 3"):
        model.set_params(n_components=2).partial_fit(X, y)


def test_more_components_than_features_or_rows_raise():
    X, y = correlated()
    for n_samples in 600, 5:
        with pytest.raises(ValueError, match=f"n_components=7 must be below n_samples={n_samples} and at most n_feat"):
            clone(SHORT).set_params(n_components=7).fit(X[:n_samples], y[:n_samples])


def test_a_number_of_components_leaves_dropout_to_the_held_out_rows():
    X, y = correlated()
    classifier = BinaryMLPClassifier((16,), n_components=2, max_iter=5, random_state=0).fit(X, y > 0)
    assert classifier.n_components_ == 2 and classifier.dropout_ in (0.0, 0.1)


def test_a_number_as_dropout_leaves_components_to_the_held_out_rows(capsys):
    X, y = correlated()
    model = clone(SHORT).set_params(n_components="auto", dropout=0.2, verbose=True).fit(X, y)
    said = capsys.readouterr().out
    assert "0 components, dropout 0.2" in said and re.findall("shrinkage [0-9.]+", said) == 4 * ["shrinkage 1.00"]
    assert (model.dropout_, model.shrinkage_) == (0.2, 1.0)


def test_directions_are_those_of_ridge_regression_on_standardized_features(monkeypatch):
    X, _ = correlated()
    y, weights = np.c_[X[:, 0] - X[:, 3] / 1000, X[:, 1]] / 10, np.linspace(0.1, 1, len(X))
    rows = np.arange(0, len(X), 2)
    y[1::2] = np.nan  # held out: not to be looked at
    standardized, targets = (StandardScaler().fit_transform(columns[rows]) for columns in (X, y))
    monkeypatch.setattr(_components, "PENALTIES", [10.0])
    directions = linear_directions(X, y, weights, rows, np.random.default_rng(0))
    share = weights[rows] / weights[rows].mean()
    expected = Ridge(10.0).fit(standardized, targets, share).predict(standardized)
    projected = X[rows] @ directions.T
    np.testing.assert_allclose(projected - projected[0], expected - expected[0], atol=1e-8)


def test_of_many_rows_some_are_drawn(monkeypatch):
    X, _ = correlated(100)
    weights, shapes = np.ones(100), []
    monkeypatch.setattr(_components, "standardize", lambda X: shapes.append(X.shape) or (X, np.ones(X.shape[1])))
    for size in 599, 600:
        monkeypatch.setattr(_components, "MAX_SIZE_TO_REGRESS", size)
        linear_directions(X, X[:, :1], weights, np.arange(100), np.random.default_rng(0))
    assert shapes == [(99, 6), (99, 1), (100, 6), (100, 1)]


def test_weights_count_by_their_ratio():
    X, _ = correlated(100)
    y, rows = X[:, :1] - X[:, 3:4] / 1000, np.arange(100)
    weights = np.where(rows == 0, 1e4, 1.0)
    expected = linear_directions(X, y, weights, rows, np.random.default_rng(0))
    for factor in 2.0**-20, 2.0**20:
        directions = linear_directions(X, y, factor * weights, rows, np.random.default_rng(0))
        np.testing.assert_allclose(directions, expected, rtol=1e-6)


def test_coefficients_that_overflow_are_left_out():
    common, own = np.random.default_rng(0).normal(size=(2, 600))
    X = np.c_[common + 0.01 * own, common - 0.01 * own] * 2e-308
    directions = linear_directions(X, own[:, np.newaxis], np.ones(600), np.arange(600), np.random.default_rng(0))
    assert np.isfinite(directions).all()


@pytest.mark.parametrize("extreme", [1e300, 5e-324, 0.0])
def test_directions_of_constant_and_extreme_features_are_finite(extreme):
    X = np.random.default_rng(0).normal(size=(50, 4))
    X[:, 1] = 7
    X[:, 2] = extreme * (X[:, 2] > 0)
    directions = linear_directions(X, X[:, :1], np.ones(50), np.arange(50), np.random.default_rng(0))
    assert np.isfinite(directions).all() and not directions[:, 1].any()


@pytest.mark.parametrize("n_features, n_outputs, codes", [(6, 1, [0, 1, 7]), (6, 6, [0, 6, 12]), (6, 7, [0, 6])])
def test_directions_are_looked_at_before_principal_components(n_features, n_outputs, codes, capsys):
    X, y = correlated()
    y = np.squeeze(np.outer(y, np.arange(1, n_outputs + 1)))
    clone(SHORT).set_params(n_components="auto", verbose=True).fit(X[:, :n_features], y)
    said = [line for line in capsys.readouterr().out.splitlines() if "held-out" in line]
    assert [int(line.split()[0]) for line in said] == codes


def test_a_direction_takes_ten_rows_a_feature(capsys):
    X, y = correlated()
    model = clone(SHORT).set_params(n_components="auto", verbose=True)
    for n_rows in 59, 60:
        clone(model).fit(X[:n_rows], y[:n_rows])
        assert ("1 components" in capsys.readouterr().out) == (n_rows == 60)


def test_held_out_rows_choose_the_direction_where_steps_go_along_it():
    X = np.random.default_rng(0).normal(size=(1000, 5))
    y = np.floor(X @ [1.0, -1.0, 0.5, 0.5, 2.0])
    model = BinaryMLPRegressor((64,), max_iter=40, random_state=0).fit(X[:700], y[:700])
    assert model.n_components_ == 1
    without = clone(model).set_params(n_components=0).fit(X[:700], y[:700])
    assert 1 - model.score(X[700:], y[700:]) < 0.7 * (1 - without.score(X[700:], y[700:]))
