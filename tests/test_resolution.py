"""How many thresholds a feature deserves, and locations and scales that outliers do not move."""

import numpy as np
import pytest

from skbnn.encoding.resolution import MIN_ROWS, error_of_means, find_resolution
from skbnn.encoding.standardization import robust_location_and_scale, weighted_quantile


def test_a_feature_between_whose_thresholds_targets_vary_has_more():
    rng = np.random.default_rng(0)
    X = np.c_[rng.uniform(size=(4000, 2)), rng.integers(0, 8, 4000)]
    y = np.c_[np.sin(30 * np.pi * X[:, 0]) + X[:, 1] + X[:, 2] / 8, rng.normal(size=4000)]
    weights = rng.uniform(0.5, 2, 4000)
    resolution = find_resolution(X, y[:, :1], weights, 16, np.random.default_rng(0))
    assert resolution[0] >= 64 and resolution[1:].tolist() == [16, 16]
    assert find_resolution(X, y[:, 1:], weights, 16, rng).tolist() == [16, 16, 16]
    assert find_resolution(X[: MIN_ROWS - 1], y[: MIN_ROWS - 1], weights[: MIN_ROWS - 1], 16, rng).tolist() == [16] * 3


def test_the_error_is_that_of_means_of_one_half_for_the_other():
    column, y = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 1.0]), np.array([[2.0], [4.0], [9.0], [9.0], [1.0], [5.0]])
    first, weights = np.array([True, True, True, False, False, False]), np.array([1.0, 1.0, 2.0, 1.0, 1.0, 2.0])
    mean, unit = (2 + 4 + 18) / 4, 8 / 6
    means = np.array([(6 + unit * mean) / (2 + unit), (18 + unit * mean) / (2 + unit)])
    expected = (9 - means[1]) ** 2 + (1 - means[0]) ** 2 + 2 * (5 - means[1]) ** 2
    assert error_of_means(np.array([0.5]), column, y, weights, first) == pytest.approx(expected)


def test_quantiles_count_rows_by_their_weights():
    columns = np.array([[1.0, 5.0], [2.0, 1.0], [3.0, 9.0]])
    np.testing.assert_array_equal(weighted_quantile(columns, np.ones(3), 0.5), [2, 5])
    np.testing.assert_array_equal(weighted_quantile(columns, np.ones(3), 0.9), [3, 9])
    np.testing.assert_array_equal(weighted_quantile(columns, np.array([1.0, 1.0, 5.0]), 0.5), [3, 9])


def test_outliers_move_neither_location_nor_scale():
    x = np.random.default_rng(0).normal(loc=7, scale=3, size=(5000, 1))
    x[:50] = 1e9
    location, scale = robust_location_and_scale(x, np.ones(5000))
    np.testing.assert_allclose([location, scale], [[7], [3]], rtol=0.1)


def test_where_nearly_all_are_equal_the_scale_is_the_standard_deviation():
    x = np.r_[np.zeros(19), 3][:, np.newaxis]
    location, scale = robust_location_and_scale(x, np.ones(20))
    assert location == 0 and scale == pytest.approx(x.std())
    mixed = np.r_[np.zeros(300), np.random.default_rng(0).normal(10, 3, 200)][:, np.newaxis]
    _, scale = robust_location_and_scale(mixed, np.ones(500))
    assert scale > 5
    np.testing.assert_array_equal(robust_location_and_scale(np.full((4, 1), 3.0), np.ones(4)), [[3], [0]])
