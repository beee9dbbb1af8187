"""Additive initial models: the fits, what a network is left with, and that ``packed_`` predicts with both."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder
from skbnn.encoding import Encoding
from skbnn.encoding.thresholds import find_encoding
from skbnn.initial_models import additive
from skbnn.packed.additive_part import AdditivePart
from skbnn.packed.layout import unpack_bits
from skbnn.training.samples import Samples

SHORT = {"hidden_layer_sizes": (16,), "max_iter": 2, "dropout": 0.0, "random_state": 0}


def problem(n_rows=300):
    """Features of many values, of two and of one; their encoding, bits and columns, two targets, and weights."""
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=(n_rows, 4)) * [1, 1e3, 1, 1e-3] + [0, 5e4, 0, 0], rng.integers(0, 2, (n_rows, 3))]
    X = np.c_[X, np.full(n_rows, 3.0)]
    encoding = find_encoding(X, 8, rng=rng)
    bits = encoding.encode(X)
    y = np.c_[X[:, 0] + X[:, 4], np.sin(3 * X[:, 2]) - X[:, 1] / 1e3] + 0.1 * rng.normal(size=(n_rows, 2))
    return X, encoding, bits, y - y.mean(axis=0), rng.uniform(0.5, 2, n_rows)


def columns_of(X, encoding, bits, kind="ridge", rows=None, **options):
    """Columns of the problem."""
    samples = Samples(X, None, None, rows=None, encoding=encoding, bits=bits)
    rows = np.arange(len(X)) if rows is None else rows
    return additive.Columns(samples, rows, 2, additive.LINE_POWERS[kind], **options)


def dense(X, encoding, bits, rows, power=0.5):
    """The matrix that an additive model weighs."""
    lines = (X[:, :4] - X[rows, :4].min(axis=0)) * 8**power / X[rows, :4].std(axis=0)
    return np.hstack([unpack_bits(bits, encoding.n_bits) > 0, lines])


def test_ridge_is_that_of_the_dense_matrix():
    X, encoding, bits, y, weights = problem()
    rows = np.arange(0, 300, 2)
    columns, rng = columns_of(X, encoding, bits, rows=rows), np.random.default_rng(0)
    matrix = dense(X, encoding, bits, rows)
    penalty = additive.choose_ridge_penalty(columns, y, weights, rng)
    expected = RidgeCV(additive.PENALTIES["ridge"], alpha_per_target=True)
    expected.fit(matrix[rows], y[rows], weights[rows] / weights[rows].mean())
    np.testing.assert_array_equal(penalty, expected.alpha_)
    part = additive.fit_ridge(columns, y, weights, rng, penalty=penalty)
    np.testing.assert_allclose(part.steps, expected.coef_[:, : encoding.n_bits], atol=1e-4)
    np.testing.assert_allclose(part.scores(X, bits)[rows], expected.predict(matrix[rows]), atol=1e-4)
    assert np.flatnonzero(part.slopes[0]).tolist() == [0, 1, 2, 3]  # the bits of the others say it all
    np.testing.assert_array_equal(part.ranges[:, :4], [X[rows, :4].min(axis=0), X[rows, :4].max(axis=0)])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_is_that_of_the_dense_matrix(n_classes, monkeypatch):
    monkeypatch.setattr(additive, "TOLERANCE_OF_CLASSES", 1e-6)
    X, encoding, bits, y, weights = problem()
    labels, rows = np.digitize(y[:, 0], [0, 1][: n_classes - 1]), np.arange(0, 300, 2)
    columns = columns_of(X, encoding, bits, "logistic", rows)
    constant = np.zeros(1 if n_classes == 2 else 3)
    parts = additive.fit_logistic(columns, labels, weights, rows, constant=constant, penalties=[10.0, 1.0])
    matrix = dense(X, encoding, bits, rows, power=0.25)
    for part, penalty in zip(parts, [10.0, 1.0], strict=True):
        expected = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=10_000)
        expected.fit(matrix[rows], labels[rows], weights[rows] / weights[rows].mean())
        scores = expected.decision_function(matrix).reshape(300, -1)
        found = part.scores(X, bits)
        if n_classes > 2:  # known up to a constant
            found -= found.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(found[rows], scores[rows], rtol=1e-2, atol=1e-2)


def test_lines_alone_are_of_every_feature_that_varies_but_for_those_of_one_bit():
    X, encoding, bits, y, weights = problem()
    columns = columns_of(X, encoding, bits, steps=False)
    part = additive.fit_ridge(columns, y, weights, np.random.default_rng(0), penalty=np.ones(2))
    assert np.flatnonzero(part.slopes[0]).tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(part.steps[0]).tolist() == [32, 33, 34]  # the bits of features of two values
    standardized = (X[:, :7] - X[:, :7].mean(axis=0)) / X[:, :7].std(axis=0)
    expected = Ridge(1.0).fit(standardized, y, weights / weights.mean()).predict(standardized)
    np.testing.assert_allclose(part.scores(X, bits), expected, rtol=1e-3, atol=1e-3)


def test_so_many_outputs_have_lines_only(monkeypatch):
    X, encoding, bits, _, _ = problem()
    monkeypatch.setattr(additive, "MAX_COEFFICIENTS", 2 * encoding.n_bits)
    assert len(columns_of(X, encoding, bits).steps)
    monkeypatch.setattr(additive, "MAX_COEFFICIENTS", 2 * encoding.n_bits - 1)
    columns = columns_of(X, encoding, bits)
    assert not len(columns.steps) and columns.lines.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_penalties_of_many_outputs_are_solved_once_each(monkeypatch):
    X, encoding, bits, y, weights = problem()
    columns, rng = columns_of(X, encoding, bits), np.random.default_rng(0)
    targets = np.tile(y, 10)
    penalty = np.where(np.arange(20) % 3, 1.0, 100.0)
    solved, solver = [], additive.Ridge
    monkeypatch.setattr(additive, "Ridge", lambda alpha, **options: solved.append(alpha) or solver(alpha, **options))
    together = additive.fit_ridge(columns, targets, weights, rng, penalty=penalty).scores(X, bits)
    assert solved == [1.0, 100.0]
    for output in range(20):
        alone = additive.fit_ridge(columns, targets[:, [output]], weights, rng, penalty=penalty[[output]])
        np.testing.assert_allclose(together[:, [output]], alone.scores(X, bits), rtol=1e-3, atol=1e-3)


def test_a_class_that_is_not_among_the_rows_keeps_its_constant():
    X, encoding, bits, y, weights = problem()
    labels = np.digitize(y[:, 0], [0, 1])
    rows = np.flatnonzero(labels != 1)
    constant = np.log([0.5, 0.01, 0.49])
    columns = columns_of(X, encoding, bits, "logistic", rows)
    (part,) = additive.fit_logistic(columns, labels, weights, rows, constant=constant, penalties=[1.0])
    scores = part.scores(X, bits)
    np.testing.assert_allclose(scores[:, 1], constant[1])
    assert (scores[rows].argmax(axis=1) == labels[rows]).mean() > 0.9
    (part,) = additive.fit_logistic(columns, labels * 0, weights, rows, constant=constant, penalties=[1.0])
    np.testing.assert_array_equal(part.scores(X, bits), np.tile(constant, (300, 1)))


def test_scores_add_steps_and_lines(monkeypatch):
    X, encoding, bits, _, _ = problem()
    rng = np.random.default_rng(1)
    ranges = np.quantile(X, [0.1, 0.9], axis=0)
    steps, slopes = rng.normal(size=(2, encoding.n_bits)), rng.normal(size=(2, 8))
    part = AdditivePart(np.array([3.0, -1.0]), steps, slopes, ranges)
    expected = part.constant + (unpack_bits(bits, encoding.n_bits) > 0) @ steps.T
    expected += (np.clip(X, *ranges) - ranges[0]) @ slopes.T
    monkeypatch.setattr("skbnn.packed.additive_part.BLOCK", 64)
    np.testing.assert_allclose(part.scores(X, bits), expected, rtol=1e-12)
    scaled = part.scaled(np.array([2.0, 0.0]), 5.0)
    np.testing.assert_allclose(scaled.scores(X, bits), expected * [2, 0] + 5, rtol=1e-12)


def test_rows_beyond_the_largest_matrix_are_left_out(monkeypatch):
    X, encoding, bits, y, weights = problem()
    columns = columns_of(X, encoding, bits)
    n_columns = encoding.n_bits + 4
    monkeypatch.setitem(additive.MAX_SIZE_TO_CHOOSE, "ridge", n_columns * 50)
    monkeypatch.setattr(additive, "MAX_SIZE", n_columns * 100)
    shapes, unpack = [], additive.unpack
    monkeypatch.setattr(additive, "unpack", lambda *args: shapes.append(len(args[0])) or unpack(*args))
    penalty = additive.choose_ridge_penalty(columns, y, weights, np.random.default_rng(0))
    additive.fit_ridge(columns, y, weights, np.random.default_rng(0), penalty=penalty)
    assert shapes == [50, 100]


def test_an_outlier_that_is_not_fitted_reaches_no_farther_than_those_that_are(monkeypatch):
    X, encoding, bits, y, weights = problem()
    monkeypatch.setattr(additive, "MAX_SIZE", 100 * (encoding.n_bits + 4))
    expected = None
    for outlier in 10.0, 1e6:
        columns = columns_of(X, encoding, bits)
        drawn = columns.sample(additive.MAX_SIZE, np.random.default_rng(0))
        X[np.setdiff1d(np.arange(len(X)), drawn)[0], 0] = outlier
        part = additive.fit_ridge(columns, y, weights, np.random.default_rng(0), penalty=np.ones(2))
        scores = part.scores(X, bits)
        expected = scores if expected is None else expected
        np.testing.assert_array_equal(scores, expected)


def test_rows_of_hardly_any_weight_may_lie_anywhere():
    X, y = load_diabetes(return_X_y=True)
    weights = np.ones(len(X))
    X[0, 2], weights[0] = 1e60, 1e-80
    assert np.isfinite(BinaryMLPRegressor(**SHORT).fit(X, y, weights).predict(X)).all()


def test_fits_of_either_memory_order_are_the_same():
    X, y = load_diabetes(return_X_y=True)
    fits = [BinaryMLPRegressor(**SHORT, n_components=3).fit(array, y) for array in (X, np.asfortranarray(X))]
    np.testing.assert_array_equal(*(model.predict(X) for model in fits))


def test_packed_predicts_with_all_parts():
    X, y = load_diabetes(return_X_y=True)
    model = BinaryMLPRegressor(**SHORT, n_components=0).fit(X, y)
    packed, bits = model.packed_, ThermometerEncoder(output="zero_one").fit_transform(X)
    parts = packed.factor * (bits @ packed.steps.T + (X - X.min(axis=0)) @ packed.slopes.T)
    network = model.predict(X) - parts[:, 0] - model._state.decision.initial_model.additive.constant
    assert packed.steps.shape == (1, bits.shape[1]) and np.count_nonzero(packed.slopes) == 9  # sex has two values
    assert np.std(network) > 1  # the network says something
    expected = initial_predictions(model, X)
    np.testing.assert_allclose(model._state.decision.initial_model.additive.constant + parts[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(initial_predictions(model, 1e300 * np.sign(X)), initial_predictions(model, np.sign(X)))


def initial_predictions(model, X):
    """What the model predicts when its network is taken out."""
    state = model.packed_.__getstate__()
    constant = np.rint(model._state.decision.initial_model.additive.constant / state["factor"]).astype(int)
    network = type(model.packed_).__new__(type(model.packed_))
    network.__setstate__({**state, "scale": state["scale"] * 0, "bias": constant})
    return network.predict(X)


def test_a_line_is_all_but_left_to_the_initial_model():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    y = X @ [1.0, -2.0, 0.5]
    model = BinaryMLPRegressor(**SHORT).fit(X[:400], y[:400])
    plain = BinaryMLPRegressor(**SHORT, init="constant").fit(X[:400], y[:400])
    assert model.score(X[400:], y[400:]) > 0.99 > plain.score(X[400:], y[400:])


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of scikit-learn, which adds up all of X
@pytest.mark.parametrize("scale, size", [(1e-320, 1), (1e308, 1), (1e-90, 1e290), (1e-200, 1e-200)])
def test_lines_of_features_and_targets_of_any_magnitude_are_finite(scale, size):
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (200, 2))
    y = x.sum(axis=1) * size
    model = BinaryMLPRegressor(**{**SHORT, "max_iter": 10}).fit(x * scale, y)
    assert np.corrcoef(model.predict(x * scale) / size, y / size)[0, 1] > 0.9


def test_a_step_function_of_each_feature_is_all_but_left_to_the_initial_model():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 8, (500, 3))
    y = np.sin(X[:, 0]) + (X[:, 1] > 4) - 0.3 * X[:, 2]
    model = BinaryMLPRegressor(**SHORT).fit(X[:400], y[:400])
    plain = BinaryMLPRegressor(**SHORT, init="constant").fit(X[:400], y[:400])
    assert model.score(X[400:], y[400:]) > 0.999 > plain.score(X[400:], y[400:])
    assert plain.packed_.steps.shape == (1, 0)


def test_several_targets_each_have_an_initial_model():
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
        (BinaryMLPClassifier(**SHORT, loss="squared_hinge"), np.arange(90) % 2),
        (BinaryMLPClassifier(**SHORT), np.arange(90)[:, np.newaxis] % np.arange(2, 20) == 0),
    ],
)
def test_other_losses_and_many_labels_start_from_a_constant(model, y):
    X = np.random.default_rng(0).normal(size=(90, 4))
    packed = model.fit(X, y).packed_
    assert packed.steps.size == 0 and packed.slopes.size == 0


def test_so_many_features_have_no_additive_model(monkeypatch):
    X, y = load_diabetes(return_X_y=True)
    for most in 9, 10:
        monkeypatch.setattr("skbnn.training.decide.MAX_FEATURES", most)
        assert bool(BinaryMLPRegressor(**SHORT).fit(X, y).packed_.steps.size) == (most == 10)


@pytest.mark.parametrize(
    "stride, kept", [(1, range(9)), (2, [1, 3, 6, 8]), (3, [1, 4, 6, 8]), (4, [2, 6, 8]), (9, [2, 6, 8])]
)
def test_steps_are_spread_over_the_thresholds(stride, kept):
    columns = [np.arange(n) for n in (5, 3, 0, 1)]
    encoding = Encoding.from_columns(columns, np.empty((0, 4)))
    np.testing.assert_array_equal(additive.every_nth_bit(encoding, stride), kept)
    missing = Encoding.from_columns([np.r_[-np.inf, 1:5], *columns[1:]], np.empty((0, 4)))
    np.testing.assert_array_equal(additive.every_nth_bit(missing, stride), sorted({0, *kept}))
    nominal = Encoding.from_columns(columns, np.empty((0, 4)), np.array([True, False, False, False]))
    of_others = [bit for bit in kept if bit > 4]
    np.testing.assert_array_equal(additive.every_nth_bit(nominal, stride), [*range(5), *of_others])


@pytest.mark.parametrize("model, labels", [(BinaryMLPRegressor(**SHORT), False), (BinaryMLPClassifier(**SHORT), True)])
def test_of_many_bits_a_part_makes_steps(monkeypatch, model, labels):
    X, y = load_diabetes(return_X_y=True)
    y = np.abs(X[:, 2]) > 0.03 if labels else y  # which no line says
    model.set_params(n_components=0)
    every = clone(model).fit(X, y).packed_
    monkeypatch.setattr(additive, "MAX_BITS", len(every.thresholds) // 2 + 1)
    part = model.fit(X, y).packed_
    assert every.steps.all() and 0.4 < (part.steps != 0).mean() < 0.6
    assert model.score(X, y) > 0.4


@pytest.mark.parametrize("weight", [1e16, 1e20])
def test_a_row_that_outweighs_all_others_neither_warns_nor_breaks(weight):
    X, y = load_diabetes(return_X_y=True)
    weights = np.r_[weight, np.ones(len(y) - 1)]
    assert np.isfinite(BinaryMLPRegressor(**SHORT).fit(X, y, sample_weight=weights).predict(X)).all()


def test_equal_features_do_not_warn():
    x = np.random.default_rng(0).integers(0, 2, 200_000).astype(np.uint8)
    model = BinaryMLPRegressor((4,), batch_size=4096, max_iter=1, dropout=0.0, random_state=0)
    assert model.fit(np.c_[x, x, x], 2.0 * x + 1).score(np.c_[x, x, x], 2.0 * x + 1) > 0.99
