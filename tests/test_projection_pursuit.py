"""Projection pursuit: which directions it finds, and that nothing makes it fail."""

import numpy as np
import pytest

from skbnn.encoding import projection_pursuit
from skbnn.encoding.projection_pursuit import companding_thresholds
from skbnn.training import reals
from skbnn.training.reals import Reals
from skbnn.training.samples import Samples


def pursue(X, y, weights=None, rows=None):
    """The directions that are found, and that thresholds of theirs are finite, ascending and no more than asked for."""
    rows = np.arange(len(X)) if rows is None else rows
    weights = np.ones(len(X)) if weights is None else weights
    samples = Samples(X, y.reshape(len(X), -1), weights, rows)
    features, rng = np.arange(X.shape[1]), np.random.default_rng(0)
    directions, columns = Reals(samples.y.shape[1], "squared_error").directions(samples, features, 16, rng)
    assert len(directions) == len(columns)
    for column in columns:
        assert len(column) <= 16 and np.isfinite(column).all() and (np.diff(column) > 0).all()
    return directions


def normal(n_rows=1000, n_features=4):
    return np.random.default_rng(0).normal(size=(n_rows, n_features))


def along(directions, X, expected):
    """Least share of a wanted direction's variance that the directions found explain."""
    found = np.linalg.qr((directions * X.std(axis=0)).T)[0]
    wanted = np.atleast_2d(expected * X.std(axis=0))
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    return np.linalg.norm(wanted @ found, axis=1).min()


@pytest.mark.parametrize("function", [np.exp, np.tanh, np.sign, np.square, np.cos])
def test_a_function_of_one_direction_has_that_direction(function):
    X, direction = normal() * [1, 10, 100, 1000] + 5, np.array([0.5, -0.1, 0.01, 0.002])
    y = function((X - 5) @ direction) + 0.05 * normal(1000, 5)[:, 4]
    directions = pursue(X, y)
    assert along(directions[:1], X, direction) > 0.995


@pytest.mark.parametrize("noise", [0, 0.3])
@pytest.mark.parametrize("n_features", [4, 8])
def test_a_function_that_rises_and_falls_several_times_has_its_direction(n_features, noise):
    rng = np.random.default_rng(0)
    X, direction = rng.uniform(size=(1000, n_features)), np.zeros(n_features)
    direction[:3] = 1, -1, 1
    y = np.sin(6 * X @ direction) + noise * rng.normal(size=1000)
    assert along(pursue(X, y)[:1], X, direction) > 0.99


def test_rows_all_alike_around_a_row_have_no_slope():
    X = np.repeat(normal(5, 3), 100, axis=0)
    slopes = projection_pursuit.local_slopes(X, X[:, :1], np.ones(500), projection_pursuit.neighbourhoods(X, 1))
    assert slopes.shape == (250, 3)
    np.testing.assert_allclose(slopes, 0, atol=1e-6)


def test_rows_that_hardly_weigh_anything_have_no_say():
    X = normal(400)
    weights = np.where(X[:, 3] > 0, 1e-300, 1e30)
    assert np.isfinite(pursue(X, X[:, 0] * X[:, 1], weights)).all()


def test_a_product_has_two_directions():
    X = normal()
    directions = pursue(X, X[:, 0] * X[:, 1])
    assert along(directions[:2], X, np.array([[1, 1, 0, 0], [1, -1, 0, 0]])) > 0.99


def test_a_linear_target_has_one_direction():
    X = normal()
    assert len(pursue(X, X @ [1.0, 2.0, 3.0, 4.0])) == 1


@pytest.mark.parametrize("target", [np.prod, np.linalg.norm])
def test_correlated_features_hide_no_direction(target):
    X = normal(2000, 4) + 2 * normal(2000, 5)[:, 4:]
    y = np.apply_along_axis(target, 1, X[:, :2])
    directions = pursue(X, y)
    assert along(directions, X, np.eye(4)[:2]) > 0.99


def test_there_are_eight_at_most():
    X = normal(3000, 12)  # rows for twelve
    assert len(pursue(X, (np.arange(1, 13) * X**2).sum(axis=1))) == 8


def test_features_of_heavy_tails_do_not_fail():
    for seed in range(10):
        z = np.random.default_rng(seed).normal(size=(200, 2))
        for X in np.exp(8 * z), np.exp(20 * z), np.exp(5 * z[:, [0, 0]]):
            for y in np.tanh(z[:, 0]), z[:, 0] ** 2:
                assert np.isfinite(pursue(X, y)).all()


@pytest.mark.parametrize("value", [0.0, 0.7, 3.3, 1e-300])
def test_a_direction_along_which_only_rounding_differs_is_none(value):
    """Its standard deviation is not 0 where sums of equal numbers round."""
    X = np.full((200, 3), value)
    with np.errstate(invalid="ignore", divide="ignore"):
        assert projection_pursuit.refine(np.full(3, 0.7), X, normal(200)[:, :1], np.ones(200)) is None


def test_a_weight_of_three_is_the_same_as_three_rows():
    X = normal(400)
    often = X[:, 3] > 0
    y, times = np.exp(np.where(often, X[:, 0] + X[:, 1], X[:, 0] - X[:, 2])), np.where(often, 3, 1)
    weighted, repeated = pursue(X, y, times.astype(float)), pursue(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert along(weighted[:1], X, repeated[:1]) > 0.997
    assert along(pursue(X, y)[:1], X, repeated[:1]) < 0.99


def test_each_output_counts_alike_whatever_of_it_is_left():
    X = normal(2000, 4)
    of_two = np.column_stack([np.tanh(X[:, 0] + X[:, 1]) + 0.05 * np.sin(3 * X[:, 2]), normal(2000, 6)[:, 4:]])
    assert along(pursue(X, of_two), X, np.eye(4)[2]) > 0.98


def test_noise_has_none():
    assert len(pursue(normal(), np.random.default_rng(1).normal(size=1000))) == 0


def test_outputs_share_directions():
    X = normal()
    z = X @ [1.0, 1.0, -1.0, 0.0]
    directions = pursue(X, np.c_[np.ones(1000), np.exp(z), np.sin(z), z**2])
    assert along(directions[:1], X, np.array([1.0, 1.0, -1.0, 0.0])) > 0.999


def test_other_rows_are_not_looked_at():
    X, rows = normal(), np.arange(0, 1000, 2)
    y = np.exp(X[:, 0] - X[:, 1])
    directions = pursue(X[rows], y[rows])
    y[1::2] = np.nan
    np.testing.assert_array_equal(pursue(X, y, rows=rows), directions)


def test_weights_count_by_their_ratio():
    X, weights = normal(), np.where(np.arange(1000) < 500, 1.0, 1e-4)
    y = np.where(weights == 1, np.exp(X[:, 0]), np.exp(X[:, 1]))
    expected = pursue(X, y, weights)
    assert along(expected[:1], X, np.array([1.0, 0, 0, 0])) > 0.99
    for factor in 2.0**-20, 2.0**20:
        np.testing.assert_allclose(pursue(X, y, factor * weights), expected, rtol=1e-6)


def test_a_direction_takes_twenty_rows_a_coefficient():
    X = normal(160)
    y = X[:, 0] * X[:, 1]
    assert [len(pursue(X[:n], y[:n])) for n in (79, 80, 159, 160)] == [0, 1, 1, 2]


def test_of_many_rows_some_are_drawn(monkeypatch):
    X, shapes = normal(100), []
    standardize = projection_pursuit.standardize
    monkeypatch.setattr(projection_pursuit, "standardize", lambda X: shapes.append(X.shape) or standardize(X))
    for size in 499, 500:  # floats of four features and a target
        monkeypatch.setattr(reals, "MAX_SIZE_TO_PURSUE", size)
        pursue(X, X[:, 0])
    assert shapes == [(99, 4), (99, 1), (100, 4), (100, 1)]


@pytest.mark.parametrize("extreme", [1e300, 5e-324, 0.0])
def test_constant_and_extreme_features_give_finite_directions(extreme):
    X = normal(200)
    y = np.exp(X[:, 0])
    X[:, 1] = 7
    X[:, 2] = extreme * (X[:, 2] > 0)
    directions = pursue(X, y)
    assert len(directions) and np.isfinite(directions).all() and not directions[:, 1].any()


def test_coefficients_that_overflow_are_left_out():
    common, own = np.random.default_rng(0).normal(size=(2, 600))
    X = np.c_[common + 0.01 * own, common - 0.01 * own] * 2e-308
    assert np.isfinite(pursue(X, own)).all()


@pytest.mark.parametrize(
    "X, y",
    [
        (np.ones((100, 3)), np.arange(100.0)),
        (normal(100), np.zeros(100)),
        (np.zeros((100, 3)), np.zeros(100)),
    ],
)
def test_what_does_not_vary_has_none(X, y):
    assert pursue(X, y).shape == (0, X.shape[1])


@pytest.mark.filterwarnings("error")
def test_equal_and_binary_features_and_one_row_that_outweighs_all_do_not_fail():
    X = (normal(400) > 1).astype(np.uint8)
    X[:, 3] = X[:, 0]
    weights = np.ones(400)
    weights[0] = 1e20
    for y in X[:, 0] + 2.0 * X[:, 1], (X[:, 0] != X[:, 1]).astype(float), np.eye(400)[0]:
        for each in None, weights:
            assert np.isfinite(pursue(X, y, each)).all()


def thresholds(position, *y):
    return companding_thresholds(position, np.stack(y, axis=1), np.ones(len(position)), 15)


def test_thresholds_are_dense_where_the_function_is_steep():
    position = np.linspace(0, 1, 5000)
    # The cube root of the squared slope is position ** (2 / 3), and its integral position ** (5 / 3).
    np.testing.assert_allclose(thresholds(position, position**2), (np.arange(1, 16) / 16) ** (3 / 5), rtol=0.01)


def thresholds_below_one(position, weights):
    column = companding_thresholds(position, position[:, np.newaxis], weights, 29)
    return (column < 1).sum()


def test_thresholds_are_dense_where_rows_are():
    """Of eight times the density the cube root is twice as much, so 20 of 29 are there; weights count as rows do."""
    grid = np.linspace(0, 2, 2001)
    weights = np.where(grid < 1, 8.0, 1.0)
    denser = np.r_[np.linspace(0, 1, 8000), np.linspace(1, 2, 1000)]
    for position in denser, np.repeat(grid, weights.astype(int)):
        assert abs(thresholds_below_one(position, np.ones(len(position))) - 20) <= 1
    assert abs(thresholds_below_one(grid, weights) - 20) <= 1


def test_thresholds_are_those_of_all_outputs():
    position = np.linspace(0, 1, 5000)
    np.testing.assert_array_equal(thresholds(position, np.ones(5000), position**2), thresholds(position, position**2))


def test_a_threshold_separates_rows_and_no_two_separate_the_same():
    position = np.repeat(np.arange(16.0), 100)
    assert thresholds(position, position == 7).tolist() == (np.arange(15) + 0.5).tolist()
    assert thresholds(np.zeros(100), np.arange(100.0)).size == 0


def test_steps_at_these_thresholds_err_less_than_at_quantiles():
    rng = np.random.default_rng(0)
    position = rng.exponential(size=20_000)
    y = position**2

    def error(column):
        bins = np.searchsorted(column, position, side="right")
        means = np.bincount(bins, y) / np.bincount(bins)
        return np.mean((y - means[bins]) ** 2)

    assert error(thresholds(position, y)) < error(np.quantile(position, np.arange(1, 16) / 16)) / 5
