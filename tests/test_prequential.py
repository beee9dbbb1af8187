"""How far a stream's networks are trusted, which rows say before they are trained on."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import log_loss

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.training.prequential import MOST_KNOWN, followed_shrinkage
from skbnn.training.samples import Samples


def curved(n_rows, seed=0, wrong=0.0):
    """Rows of two classes that no line tells apart, some of them of the wrong class."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 2))
    return X, (np.hypot(X[:, 0], X[:, 1]) > 1.2) != (rng.random(n_rows) < wrong)


def in_calls(model, X, y, size, **of_first):
    """The model after calls of ``partial_fit`` with so many rows each."""
    for start in range(0, len(X), size):
        model.partial_fit(X[start : start + size], y[start : start + size], **of_first)
        of_first = {}
    return model


@pytest.mark.parametrize("size", [100, 500])
def test_what_a_fit_did_not_trust_is_trusted_once_it_has_learnt(size):
    X, y = curved(300, wrong=0.5)
    model = BinaryMLPClassifier(random_state=0).fit(X, y)
    before = model.shrinkage_
    in_calls(model, *curved(3000, seed=1), size)
    assert before < 0.2 and model.shrinkage_ > 0.6
    assert model.score(*curved(1000, seed=2)) > 0.85


def test_a_regressor_is_trusted_once_it_has_learnt():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(4300, 3))
    y = X[:, 0] * X[:, 1]
    model = BinaryMLPRegressor(random_state=0).fit(X[:300], rng.normal(size=300))
    before, model.tol = model.shrinkage_, 1e-3
    in_calls(model, X[300:], y[300:], 400)
    assert before < 0.2 and model.shrinkage_ > 0.6


@pytest.mark.parametrize("n_rows, size, most", [(500, 5, 0.85), (1000, 200, 0.72)])
def test_noise_is_not_trusted(n_rows, size, most):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n_rows + 500, 20)), rng.integers(0, 2, n_rows + 500)
    model = in_calls(BinaryMLPClassifier(random_state=0), X[:n_rows], y[:n_rows], size, classes=[0, 1])
    assert log_loss(y[n_rows:], model.predict_proba(X[n_rows:])) < most
    assert model.shrinkage_ < 0.3


def test_a_number_as_dropout_is_trusted():
    X, y = curved(500, wrong=0.5)
    model = in_calls(BinaryMLPClassifier(dropout=0.0, random_state=0), X, y, 100, classes=[False, True])
    assert model.shrinkage_ == 1.0


@pytest.mark.parametrize("begins", ["fit", "partial_fit"])
def test_rows_that_come_again_say_nothing(begins):
    """They have been learnt by heart: noise looks right in a second pass of a table."""
    X, y = curved(600, wrong=0.5)
    model = BinaryMLPClassifier(random_state=0)
    model = model.fit(X, y) if begins == "fit" else in_calls(model, X, y, 100, classes=[False, True])
    trusted = model.shrinkage_
    for order in np.random.default_rng(0).permuted([np.arange(600)] * 3, axis=1):
        assert in_calls(model, X[order], y[order], 100).shrinkage_ == trusted
    assert in_calls(model, *curved(400, seed=1), 100).shrinkage_ != trusted


def test_rows_of_a_long_stream_are_known_when_they_come_again():
    """By the smallest of their numbers, of which few are kept."""
    X, y = curved(6000, wrong=0.5)
    model = in_calls(BinaryMLPClassifier((8,), random_state=0), X, y, 1000, classes=[False, True])
    assert len(model._state.known) == MOST_KNOWN
    trusted = model.shrinkage_
    assert in_calls(model, X[::-1], y[::-1], 500).shrinkage_ == trusted
    assert in_calls(model, *curved(500, seed=1), 500).shrinkage_ != trusted


def test_rows_that_weigh_nothing_have_no_say():
    X, y = curved(700)
    three = np.where(X[:, 1] > 1, 2, y)
    model = BinaryMLPClassifier(class_weight={0: 0, 1: 1, 2: 1}, random_state=0)
    model.partial_fit(X[:300], three[:300], classes=[0, 1, 2])
    in_calls(model, X[300:600], three[300:600], 10)
    trusted, none = model.shrinkage_, three[600:] == 0
    assert in_calls(model, X[600:][none], three[600:][none], 20).shrinkage_ == trusted


def test_a_class_that_weighs_much_does_not_decide():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 5))
    y = np.where(rng.random(2000) < 0.005, 2, X[:, 0] > 0)
    trusted = []
    for weights in None, {0: 1, 1: 1, 2: 300}:
        model = BinaryMLPClassifier(class_weight=weights, random_state=0)
        trusted.append(in_calls(model, X, y, 100, classes=[0, 1, 2]).shrinkage_)
    assert min(trusted) > 0.6


@pytest.mark.parametrize("loss", ["squared_error", "huber", "absolute_error"])
@pytest.mark.parametrize("later", ["outlier", "larger", "none before"])
def test_real_targets_count_as_the_network_learns_them(loss, later):
    """What the first rows' scale and mean were is of no account, nor is how far away one row is."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2600, 3))
    y = X[:, 0] + X[:, 1] ** 2
    if later == "outlier":
        y[1500] = 1e4
    elif later == "larger":
        y[400:] *= 30
    else:
        y[:300] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = in_calls(BinaryMLPRegressor(loss=loss, random_state=0), X[:300], y[:300], 300)
        in_calls(model, X[300:2000], y[300:2000], 100)
    assert model.shrinkage_ > 0.6 and model.score(X[2000:], y[2000:]) > 0.6


def test_each_output_has_its_own():
    X = np.random.default_rng(0).normal(size=(300, 3))
    for dropout in "auto", 0.0:
        model = BinaryMLPRegressor((8,), max_iter=1, dropout=dropout, random_state=0).fit(X, X[:, :2])
        assert model.shrinkage_.shape == (2,)
        model.shrinkage_[:] = 7.0  # of no account
        assert model.partial_fit(X, X[:, :2]).shrinkage_.max() <= 1
    assert isinstance(BinaryMLPRegressor((8,), max_iter=1).fit(X, X[:, 0]).shrinkage_, float)


@pytest.fixture
def stream():
    """A stream of two targets, and encoded rows that come next."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 3))
    y = np.column_stack([3 * X[:, 0] + 5, 10 * rng.normal(size=1000)])
    model = in_calls(BinaryMLPRegressor((64,), random_state=0), X[:600], y[:600], 100)
    state = model._state
    samples = Samples(X[600:], y[600:], rng.uniform(0.5, 1, size=400), np.arange(400))
    return model, state, samples.encode(state.decision.encoding)


def by_least_squares(model, samples, rows):
    """The factors of the networks' part that are best for these rows."""
    constant = model._state.decision.initial_model.additive.constant
    scores = (model.predict(samples.X[rows]) - constant) / model.shrinkage_
    weights = samples.sample_weight[rows, np.newaxis]
    return (weights * scores * (samples.y[rows] - constant)).sum(axis=0) / (weights * scores**2).sum(axis=0)


def test_rows_that_are_all_that_came_are_given_their_best_factor(stream):
    model, state, samples = stream
    followed = followed_shrinkage(state, samples, 400, 1.0)
    np.testing.assert_allclose(followed, by_least_squares(model, samples, slice(None)).clip(0, 1), atol=1e-3)


def test_a_step_is_the_share_of_the_new_rows(stream):
    """Those before them, which were trained on, say how much a factor matters, but not which is best."""
    model, state, samples = stream
    before = state.decision.shrinkage
    by_all, by_half = (followed_shrinkage(state, samples, n_new, 0.01) - before for n_new in (400, 200))
    curvature = [np.average(model.predict(samples.X[rows]).var(axis=0)) for rows in (slice(None), slice(200, None))]
    assert curvature[0] == pytest.approx(curvature[1], rel=0.3)
    np.testing.assert_allclose(by_all / 0.01 + before, by_least_squares(model, samples, slice(None)), atol=0.02)
    expected = by_least_squares(model, samples, slice(200, None))
    np.testing.assert_allclose(by_half / 0.01 + before, expected, rtol=0.3, atol=0.1)
