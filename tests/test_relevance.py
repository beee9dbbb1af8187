"""Which features are worth something, and which pairs of them."""

import numpy as np
import pytest
from skbnn.network._losses import LogisticLogLoss, SquaredError

from skbnn.encoding.thresholds import find_encoding
from skbnn.initial_models.initial_model import InitialModel
from skbnn.packed.additive_part import AdditivePart
from skbnn.training import relevance, score_test
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


@pytest.mark.parametrize("n_features", [1, 2, 30])
def test_chance_is_no_evidence(n_features):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, gradients = rng.normal(size=(200, n_features)), rng.standard_t(4, (200, 3))
        assert not ScoreTest.of(X, gradients).significant_effects().any(), seed


def test_of_tables_of_noise_as_many_have_a_pair_as_the_rate_says(monkeypatch):
    monkeypatch.setattr(score_test, "SIGNIFICANCE", 0.05)
    rng = np.random.default_rng(0)
    tested = (ScoreTest.of(rng.normal(size=(500, 8)), rng.normal(size=(500, 3))) for _ in range(300))
    assert 0.01 < np.mean([one.significant_effects().any() for one in tested]) < 0.09  # .98 without a correction


def test_evidence_of_a_product_is_that_pairs_own():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    gradients = np.stack([rng.normal(size=500), X[:, 1] * X[:, 3] + rng.normal(size=500)], axis=1)
    found = ScoreTest.of(X, gradients).significant_effects()
    assert np.argwhere(found).tolist() == [[1, 3], [3, 1]]
    assert found[1, 3] == pytest.approx(1 / 10, rel=0.4)  # E[p²]² / E[p² (p² + 1)] of products p


def unseen(X, y, *, scores=None, nominal=None, sample_weight=None):
    """Rows that a model of these scores has not seen, which is one of slopes of 0."""
    (n_rows, n_features), n_outputs = X.shape, y.shape[1]
    nominal = np.zeros(n_features, bool) if nominal is None else np.array(nominal)
    sample_weight = np.ones(n_rows) if sample_weight is None else sample_weight
    encoding = find_encoding(X, 8, rng=np.random.default_rng(0), nominal=nominal)
    samples = Samples(X, y, sample_weight, np.arange(n_rows), nominal=nominal).encode(encoding)
    additive = AdditivePart.of_constant(np.zeros(n_outputs))
    additive = additive._replace(slopes=np.zeros((n_outputs, n_features)), ranges=np.zeros((2, n_features)))
    scores = np.zeros(y.shape) if scores is None else scores
    model = InitialModel(additive, np.zeros(n_outputs))
    return Unseen(samples, model, np.arange(n_rows), y.astype(np.float32), sample_weight, scores)


@pytest.mark.parametrize("n_outputs", [1, 8])
@pytest.mark.parametrize("loss", [SquaredError(), LogisticLogLoss()], ids=["squares", "labels"])
def test_features_that_only_together_say_something_are_worth_about_what_they_take_off(loss, n_outputs):
    """Of several outputs one has the product; the others are noise."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (600, 4))
    y = rng.choice([-1.0, 1.0], (600, n_outputs))
    y[:, 0] = np.sign(X[:, 0] * X[:, 2])
    y = y if isinstance(loss, SquaredError) else (y > 0).astype(float)
    found = find_relevance([unseen(X, y, sample_weight=rng.uniform(0.5, 1, 600))], loss, n_outputs)
    assert found.interacts
    assert found.exceeds(0.003).tolist() == [True, False, True, False]
    assert 0.2 < found.together[0] / loss_of_nothing(loss, y[:, :1]) < 1


def loss_of_nothing(loss, y):
    scores = np.zeros(y.shape, np.float32)
    return loss(scores, y.astype(np.float32), np.ones(len(y)), np.empty_like(scores))


def test_what_an_initial_model_says_already_is_no_interaction():
    X = np.random.default_rng(0).normal(size=(1000, 3))
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]  # features that go together
    y = X.sum(axis=1, keepdims=True) + np.random.default_rng(1).normal(size=(1000, 1))
    assert not find_relevance([unseen(X, y, scores=X.sum(axis=1, keepdims=True))], SquaredError(), 1).interacts


def test_categories_have_products_in_the_order_of_their_codes():
    rng = np.random.default_rng(0)
    X = np.c_[rng.integers(0, 2, 800), rng.integers(0, 4, 800), rng.normal(size=(800, 2))]
    y = (X[:, :1] - 0.5) * (X[:, 1:2] % 2 - 0.5) + 0.1 * rng.normal(size=(800, 1))
    for nominal in [[True, True, False, False], [False, True, False, False]]:
        found = find_relevance([unseen(X, y, nominal=nominal)], SquaredError(), 1)
        assert found.exceeds(0.003).tolist() == [True, True, False, False]


def test_a_bit_raises_a_level_by_one_and_that_of_a_category_by_its_place():
    offsets, nominal = np.array([0, 3, 3, 5, 9]), np.array([False, True, False, True])
    assert relevance.steps_of_bits(offsets, nominal).tolist() == [1, 1, 1, 1, 1, 1, 2, 3, 4]


def test_rows_that_are_too_many_are_thinned_and_not_cut_off(monkeypatch):
    """A table sorted by its targets would have but one kind of them at its beginning."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1000, 3)), np.arange(1000.0)[:, np.newaxis]
    part = unseen(X, y)
    np.testing.assert_array_equal(part.thinned(100).rows, np.arange(0, 1000, 10))
    assert [len(part.thinned(most).rows) for most in (0, 999, 1000)] == [1, 500, 1000]
    monkeypatch.setattr(relevance, "MOST_BITS", 100 * part.samples.encoding.n_bits)
    monkeypatch.setattr(relevance, "MOST_PRODUCTS", 50 * 9)
    assert relevance.tested_products(part, SquaredError()).n_rows == 50
    monkeypatch.setattr(relevance, "MOST_SCORES", 30 * 3)
    monkeypatch.setattr(Unseen, "thinned", lambda self, most: seen.append(most) or self)
    seen = []
    relevance.worth_alone(part, SquaredError(), 1)
    assert seen == [30]


def test_many_features_or_outputs_have_no_pairs(monkeypatch):
    X = np.random.default_rng(0).uniform(-1, 1, (600, 4))
    part = unseen(X, np.sign(X[:, :1] * X[:, 2:3]))
    monkeypatch.setattr(relevance, "MOST_SUMS", 15)
    assert not find_relevance([part], SquaredError(), 1).interacts


def test_parts_add_up_and_those_of_constants_say_nothing():
    X = np.random.default_rng(0).uniform(-1, 1, (90, 3))
    part = unseen(X, np.sign(X[:, :1] * X[:, 1:2]))
    model = part.initial_model
    constant = part._replace(initial_model=model._replace(additive=AdditivePart.of_constant(model.constant)))
    assert not find_relevance([constant], SquaredError(), 1).interacts
    alone = find_relevance([part, constant], SquaredError(), 1)
    np.testing.assert_array_equal(alone.together, find_relevance([part], SquaredError(), 1).together)
    arrays = [[array[first::3].copy() for first in range(3)] for array in part[2:]]
    thirds = [Unseen(part.samples, part.initial_model, *of_third) for of_third in zip(*arrays, strict=True)]
    assert not any(find_relevance([third], SquaredError(), 1).interacts for third in thirds)
    assert find_relevance(thirds, SquaredError(), 1).interacts


def test_all_features_are_relevant_where_none_is():
    nothing = Relevance(np.zeros((1, 3)), np.zeros(3))
    assert nothing.exceeds(0.1).all()
    assert Relevance(np.array([[1, -2, 0.05]]), np.zeros(3)).exceeds(0.1).tolist() == [True, False, False]


def test_a_feature_that_one_of_many_outputs_needs_is_relevant():
    """Each needs another one, of 40, so none is worth much of their sum; outputs of noise add nothing of theirs."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 50))
    y = np.column_stack([X[:, :40], rng.normal(size=(400, 5))]) + 0.1 * rng.normal(size=(400, 45))
    part = unseen(X, y)
    slopes = np.zeros((45, 50))
    slopes[:40, :40], slopes[40:] = np.eye(40), 0.02 * rng.normal(size=(5, 50))
    additive = part.initial_model.additive._replace(slopes=slopes, ranges=np.stack([X.min(axis=0), X.max(axis=0)]))
    part = part._replace(initial_model=part.initial_model._replace(additive=additive), scores=X @ slopes.T)
    found = find_relevance([part], SquaredError(), 45).exceeds(0.05)
    np.testing.assert_array_equal(found, np.arange(50) < 40)
