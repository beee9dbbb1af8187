"""Principal components: which they are, and that nothing makes them fail."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from skbnn.encoding.principal_components import principal_components
from skbnn.encoding.thresholds import find_combinations


def test_components_are_those_of_standardized_features():
    rng = np.random.default_rng(0)
    X = 1000 + rng.normal(size=(600, 6)) @ rng.normal(size=(6, 6)) * 10.0 ** np.arange(6)
    components = principal_components(X, np.arange(X.shape[1]), 4, rng)
    assert components.shape == (4, 6)
    expected = PCA(4).fit_transform(StandardScaler().fit_transform(X))
    projected = X @ components.T
    np.testing.assert_allclose(np.abs(projected - projected.mean(axis=0)), np.abs(expected), atol=1e-5)  # of 24 bits


@pytest.mark.parametrize("extreme", [1e300, 5e-324])
def test_constant_and_extreme_features_give_finite_components(extreme):
    X = np.random.default_rng(0).normal(size=(50, 4))
    X[:, 1] = 7
    X[:, 2] = extreme * (X[:, 2] > 0)
    components = principal_components(X, np.arange(X.shape[1]), 4, np.random.default_rng(0))
    assert np.isfinite(components).all() and not components[:, 1].any()
    assert not principal_components(np.ones((50, 4)), np.arange(4), 4, np.random.default_rng(0)).any()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_features_that_depend_on_each_other_give_fewer_components(dtype):
    a, b = np.random.default_rng(0).normal(size=(2, 600)).astype(dtype)
    X = np.c_[a, b, a + b, a]
    components = principal_components(X, np.arange(X.shape[1]), 4, np.random.default_rng(0))
    assert components[:2].all() and not components[2:].any()
    combinations = find_combinations(X, components, 32, rng=np.random.default_rng(0))
    assert [len(column) for column in combinations.columns] == [32, 32, 0, 0]


@pytest.mark.parametrize("n_features", [3, 40])
def test_rows_count_by_their_weights(n_features):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(30, n_features)), rng.integers(1, 4, 30)
    X[:, 1] += X[:, 0] * (weights - 1)
    found = principal_components(X, np.arange(n_features), 2, rng, weights.astype(float))
    expected = principal_components(X.repeat(weights, axis=0), np.arange(n_features), 2, rng)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-5)  # of 24 bits
    assert np.abs(found - principal_components(X, np.arange(n_features), 2, rng)).max() > 0.01


def test_more_features_than_rows_give_the_same_components():
    X = np.random.default_rng(0).normal(size=(20, 30))
    components = principal_components(X, np.arange(X.shape[1]), 4, np.random.default_rng(0))
    expected = PCA(4, svd_solver="full").fit_transform(StandardScaler().fit_transform(X))
    projected = X @ components.T
    np.testing.assert_allclose(np.abs(projected - projected.mean(axis=0)), np.abs(expected), atol=1e-5)  # of 24 bits
