"""Which features are worth something, and which pairs of them."""

import numpy as np
import pytest
from skbnn.network._losses import LogisticLogLoss, SquaredError

from skbnn.encoding.thresholds import find_encoding
from skbnn.initial_models.initial_model import InitialModel
from skbnn.packed.additive_part import AdditivePart
from skbnn.training import relevance
from skbnn.training.relevance import Relevance, Unseen, find_relevance
from skbnn.training.samples import Samples
from skbnn.training.score_test import ScoreTest


def test_the_statistic_is_that_of_each_centered_product():
    rng = np.random.default_rng(0)
    X, gradients = rng.normal(1, 2, (300, 4)), rng.normal(0.5, 1, (300, 2))
    tested = ScoreTest.of(X, gradients)
    centered, slopes = X - X.mean(axis=0), gradients - gradients.mean(axis=0)
    for output in range(2):
        for i in range(4):
            for j in range(4):
                each = slopes[:, output] * centered[:, i] * centered[:, j]
                np.testing.assert_allclose(tested.sums[output, i, j], each.sum(), atol=1e-9)
                np.testing.assert_allclose(tested.squares[output, i, j], (each**2).sum())
    both = tested + ScoreTest.of(X[:100], gradients[:100])
    assert both.n_rows == 400
    np.testing.assert_allclose(both.sums - tested.sums, ScoreTest.of(X[:100], gradients[:100]).sums)


@pytest.mark.parametrize("n_features", [1, 2, 30])
def test_chance_is_no_evidence(n_features):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, gradients = rng.normal(size=(200, n_features)), rng.standard_t(4, (200, 3))
        assert not ScoreTest.of(X, gradients).evidence().any(), seed


def test_evidence_of_a_product_is_that_pairs_own():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    gradients = np.stack([rng.normal(size=500), X[:, 1] * X[:, 3] + rng.normal(size=500)], axis=1)
    found = ScoreTest.of(X, gradients).evidence()
    assert np.argwhere(found).tolist() == [[1, 3], [3, 1]]
    assert found[1, 3] == pytest.approx(1 / 10, rel=0.4)  # E[p²]² / E[p² (p² + 1)] of products p


def unseen(X, y, *, scores=None, nominal=None, weight=None, n_thresholds=8):
    """Rows that a model of these scores has not seen, which is one of slopes of 0."""
    n_rows, n_features = X.shape
    nominal = np.zeros(n_features, bool) if nominal is None else np.array(nominal)
    encoding = find_encoding(X, n_thresholds, rng=np.random.default_rng(0), nominal=nominal)
    samples = Samples(X, y, np.ones(n_rows), np.arange(n_rows), nominal=nominal).encode(encoding)
    additive = AdditivePart.of_constant(np.zeros(y.shape[1]))
    additive = additive._replace(slopes=np.zeros((y.shape[1], n_features)), ranges=np.zeros((2, n_features)))
    scores = np.zeros(y.shape) if scores is None else scores
    model = InitialModel(additive, np.zeros(y.shape[1]))
    return Unseen(samples, model, np.arange(n_rows), y.astype(np.float32), np.ones(n_rows), scores)


@pytest.mark.parametrize("loss, n_rows", [(SquaredError(), 600), (LogisticLogLoss(), 600)], ids=["squares", "classes"])
def test_features_that_only_together_say_something_are_worth_about_what_they_take_off(loss, n_rows):
    X = np.random.default_rng(0).uniform(-1, 1, (n_rows, 4))
    signs = np.sign(X[:, :1] * X[:, 2:3])
    y = signs if isinstance(loss, SquaredError) else (signs > 0).astype(float)
    found = find_relevance([unseen(X, y)], loss)
    assert found.interacts and not found.alone.any()
    assert found.exceeds(0.003).tolist() == [True, False, True, False]
    assert 0.2 < found.together[0] / loss_of_nothing(loss, y) < 1


def loss_of_nothing(loss, y):
    scores = np.zeros(y.shape, np.float32)
    return loss(scores, y.astype(np.float32), np.ones(len(y)), np.empty_like(scores))


def test_what_an_initial_model_says_already_is_no_interaction():
    X = np.random.default_rng(0).normal(size=(1000, 3))
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]  # features that go together
    y = X.sum(axis=1, keepdims=True) + np.random.default_rng(1).normal(size=(1000, 1))
    assert not find_relevance([unseen(X, y, scores=X.sum(axis=1, keepdims=True))], SquaredError()).interacts


def test_codes_of_categories_have_no_products():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 5, (800, 2)).astype(float)
    y = (X[:, :1] - 2) * (X[:, 1:] - 2)
    assert find_relevance([unseen(X, y)], SquaredError()).interacts
    assert not find_relevance([unseen(X, y, nominal=[True, False])], SquaredError()).interacts


def test_rows_that_are_too_many_are_thinned_and_not_cut_off(monkeypatch):
    """A table sorted by its targets would have but one kind of them at its beginning."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1000, 3)), np.arange(1000.0)[:, np.newaxis]
    part = unseen(X, y)
    np.testing.assert_array_equal(part.thinned(100).rows, np.arange(0, 1000, 10))
    assert len(part.thinned(999).rows) == 500 and part.thinned(1000).rows is not None and len(part.thinned(0).rows) == 1
    monkeypatch.setattr(relevance, "MOST_BITS", 100 * part.samples.encoding.n_bits)
    monkeypatch.setattr(relevance, "MOST_PRODUCTS", 50 * 9)
    assert relevance.tested_products(part, SquaredError()).n_rows == 50
    assert relevance.worth_alone(part, SquaredError()).shape == (3,)


def test_many_features_or_outputs_have_no_pairs(monkeypatch):
    X = np.random.default_rng(0).uniform(-1, 1, (600, 4))
    part = unseen(X, np.sign(X[:, :1] * X[:, 2:3]))
    monkeypatch.setattr(relevance, "MOST_SUMS", 15)
    assert not find_relevance([part], SquaredError()).interacts


def test_parts_add_up_and_those_of_constants_say_nothing():
    X = np.random.default_rng(0).uniform(-1, 1, (90, 3))
    part = unseen(X, np.sign(X[:, :1] * X[:, 1:2]))
    model = part.initial_model
    constant = part._replace(initial_model=model._replace(additive=AdditivePart.of_constant(model.constant)))
    assert not find_relevance([constant], SquaredError()).interacts
    alone = find_relevance([part, constant], SquaredError())
    np.testing.assert_array_equal(alone.together, find_relevance([part], SquaredError()).together)
    thirds = [part.every(3, first) for first in range(3)]
    assert not any(find_relevance([third], SquaredError()).interacts for third in thirds)
    assert find_relevance(thirds, SquaredError()).interacts


def test_all_features_are_relevant_where_none_is():
    nothing = Relevance(np.zeros(3), np.zeros(3))
    assert nothing.exceeds(0.1).all()
    assert Relevance(np.array([1, -2, 0.05]), np.zeros(3)).exceeds(0.1).tolist() == [True, False, False]
