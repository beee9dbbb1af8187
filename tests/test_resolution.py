"""How many thresholds a feature deserves, and locations and scales that outliers do not move."""

import numpy as np
import pytest

from skbnn.encoding.resolution import find_resolution, means_of_values, successive_variance, variance_within
from skbnn.encoding.standardization import robust_location_and_scale, weighted_quantile


def test_a_feature_between_whose_thresholds_targets_vary_has_more():
    rng = np.random.default_rng(0)
    X = np.c_[rng.uniform(size=(4000, 2)), rng.integers(0, 8, 4000)]
    y = np.c_[np.sin(30 * np.pi * X[:, 0]) + X[:, 1] + X[:, 2] / 8, rng.normal(size=4000), np.ones(4000)]
    weights = rng.uniform(0.5, 2, 4000)
    resolution = find_resolution(X, y[:, :1], weights, 16)
    assert resolution[0] >= 64 and resolution[1:].tolist() == [16, 16]
    X[::7, 0] = np.nan
    np.testing.assert_array_equal(find_resolution(X, y[:, :1], weights, 16), resolution)
    assert find_resolution(X, y[:, 1:2], weights, 16).tolist() == [16, 16, 16]
    assert find_resolution(X, y[:, 2:], weights, 16).tolist() == [16, 16, 16]


@pytest.mark.parametrize("n_rows", [256, 1000])
def test_noise_has_no_more_thresholds(n_rows):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(n_rows, 5)), rng.standard_t(4, (n_rows, 2))
        for weights in np.ones(n_rows), np.where(rng.random(n_rows) < 0.1, 10.0, 1.0), rng.lognormal(size=n_rows):
            assert (find_resolution(X, y, weights, 16) == 16).all(), seed


def test_variances_are_those_of_rows_between_thresholds_and_of_neighbours():
    rng = np.random.default_rng(0)
    column, y, counts = rng.integers(0, 40, 300).astype(float), rng.normal(size=(300, 2)), rng.integers(1, 4, 300)
    values, means, rows = means_of_values(column, y, counts)
    of_first = np.average(y[column == values[0]], axis=0, weights=counts[column == values[0]])
    for value, mean, n_rows in zip(values, means + of_first, rows, strict=True):
        of_value = column == value
        np.testing.assert_allclose(mean, np.average(y[of_value], axis=0, weights=counts[of_value]))
        assert n_rows == pytest.approx(counts[of_value].sum() ** 2 / np.sum(counts[of_value] ** 2))
    thresholds = np.array([9.5, 20.5])
    parts = [slice(0, 10), slice(10, 21), slice(21, 40)]
    squares = [rows[part] @ (means[part] - np.average(means[part], axis=0, weights=rows[part])) ** 2 for part in parts]
    assert variance_within(thresholds, values, means, rows) == pytest.approx(np.sum(squares) / (40 - 3))
    assert variance_within(values[:-1] + 0.5, values, means, rows) == 0
    # Means of as many rows of a variance of 1 have it divided by these, and so have their differences.
    noise = rng.normal(size=(5000, 1)) / np.sqrt(np.repeat([1, 4], 2500))[:, np.newaxis]
    assert successive_variance(noise, np.repeat([1, 4], 2500)) == pytest.approx(1, rel=0.1)


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
