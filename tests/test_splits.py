"""Which rows train and which judge."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone, is_classifier
from sklearn.metrics import average_precision_score, log_loss

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.encoding.sparse import hash_rows
from skbnn.training.categories import Classes
from skbnn.training.category_order import order_categories
from skbnn.training.reals import Reals
from skbnn.training.samples import Samples
from skbnn.training.splits import ENOUGH, N_FOLDS, SMALL, find_copies, halves, splits


def samples_of(X, y):
    return Samples(X, np.reshape(y, (len(y), -1)).astype(np.float32), None, rows=np.arange(len(y)))


def table(n_rows, seed=0):
    """Numbers, and two classes that they have little to do with."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 5))
    return X, (X[:, 0] + X[:, 1] * X[:, 2] + 2 * rng.logistic(size=n_rows) > 0).astype(int)


@pytest.mark.parametrize("n_rows, n_parts", [(19, 0), (20, 3), (3999, 3), (4000, 1), (100_000, 1)])
def test_rows_that_judge_do_not_train(n_rows, n_parts):
    samples = Samples(np.arange(n_rows + 7)[:, np.newaxis], np.zeros((n_rows + 7, 1)), None, rows=np.arange(n_rows) + 7)
    parts = splits(samples, Reals(1, "huber"), seed=0)
    assert len(parts) == n_parts
    for train, held in parts:
        np.testing.assert_array_equal(np.sort(np.concatenate([train, held])), samples.rows)
        assert len(held) <= ENOUGH
    if n_parts == N_FOLDS:
        np.testing.assert_array_equal(np.sort(np.concatenate([held for _, held in parts])), samples.rows)


@pytest.mark.parametrize(
    "counts, n_parts", [([4500, 2], 1), ([4500, 3], 3), ([4500, 99], 3), ([4500, 100], 1), ([20_000, 50], 1)]
)
def test_a_rare_class_is_judged_by_all_of_its_rows(counts, n_parts):
    y = np.arange(len(counts)).repeat(counts)
    parts = splits(samples_of(np.arange(len(y))[:, np.newaxis], y), Classes(np.arange(2), "log_loss"), seed=0)
    assert len(parts) == n_parts
    assert n_parts == 1 or sum(y[held].sum() for _, held in parts) == counts[1]


@pytest.mark.parametrize("counts", [[40, 20], [50, 9, 1], [1] * 60, [4500, 1]])
def test_rows_that_judge_are_of_classes_that_train(counts):
    labels = np.arange(len(counts))
    y = labels.repeat(counts)
    samples = samples_of(np.arange(len(y))[:, np.newaxis], y)
    for train, held in splits(samples, Classes(labels, "log_loss"), seed=0):
        assert np.isin(y[held], y[train]).all()
        if len(y) < SMALL:  # each class is dealt evenly
            assert all(abs((y[held] == label).sum() - count / 3) < 1 for label, count in enumerate(counts) if count > 1)


RESAMPLE = {
    "a class": lambda rng, y: np.r_[np.arange(len(y)), np.flatnonzero(y).repeat(4)],
    "all, some more often": lambda rng, y: np.arange(len(y)).repeat(rng.integers(2, 6, len(y))),
    "with replacement": lambda rng, y: rng.integers(0, len(y), 6 * len(y)),
}
CONVERT = {"numbers": np.asarray, "sparse": csr_array, "integers": lambda X: np.round(100 * X).astype(int)}


@pytest.mark.parametrize("resample", RESAMPLE.values(), ids=RESAMPLE)
@pytest.mark.parametrize("convert", CONVERT.values(), ids=CONVERT)
@pytest.mark.parametrize("n_rows", [200, 5000])
def test_copies_are_on_one_side(n_rows, convert, resample):
    X, y = table(n_rows)
    rng = np.random.default_rng(0)
    copied = rng.permutation(resample(rng, y))
    samples = samples_of(convert(X[copied]), y[copied])
    parts = splits(samples, Classes(np.arange(2), "log_loss"), seed=0)
    _, copy_of = find_copies(samples, samples.rows)
    parts.append(halves(samples.rows, copy_of, np.random.default_rng(0)))
    for train, held in parts:
        assert not np.isin(copied[train], copied[held]).any()
        assert len(train) + len(held) == len(copied) and len(held) > len(copied) / 7
        assert 0.5 < y[copied[held]].mean() / y[copied[train]].mean() < 2
    assert len(parts) == (N_FOLDS if n_rows < SMALL else 1) + 1


def lookup(kind, n_rows=2000):
    """Rows of few values, as many as twenty equal ones each, and what a table says of them."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 100, n_rows)
    if kind == "one-hot":
        return np.eye(100)[codes], rng.integers(0, 2, 100)[codes]
    if kind == "truth table":
        X = np.tile(np.stack(np.meshgrid(*[[0, 1]] * 6), axis=-1).reshape(64, 6), (20, 1))
        return X, np.tile(rng.integers(0, 2, 64), 20)
    if kind == "bits":
        X = rng.integers(0, 2, size=(n_rows, 7))
        return X, rng.integers(0, 2, 128)[X @ 2 ** np.arange(7)]
    X = np.column_stack([codes // 10, codes % 10])
    if kind == "products":
        X = np.column_stack([X, X**2, X[:, 0] * X[:, 1]])
    return X, rng.integers(0, 2, 100)[codes]


@pytest.mark.parametrize("kind", ["one-hot", "truth table", "bits", "numbers", "products"])
def test_rows_of_few_values_are_no_copies(kind):
    """Rows to come are equal to those that were learnt as well."""
    X, y = lookup(kind)
    for train, held in splits(samples_of(X, y), Classes(np.arange(2), "log_loss"), seed=0):
        assert len(np.unique(X[train], axis=0)) == len(np.unique(X, axis=0))
        assert len(train) + len(held) == len(y)


@pytest.mark.parametrize("kind", ["one-hot", "bits", "numbers", "products"])
def test_rows_of_few_values_that_occur_a_few_times_are_no_copies(kind):
    """Columns that depend on each other have more equal rows than others would, by a factor of thousands."""
    X, y = lookup(kind, 1000)
    assert len(find_copies(samples_of(X, y), np.arange(1000))[0]) == 1000


def test_rows_of_a_rare_class_that_differ_are_no_copies():
    """Of shops with ten rows each, which sell in one row of twenty."""
    X, _ = table(300)
    y = np.random.default_rng(0).random(3000) < 0.05
    samples = samples_of(X.repeat(10, axis=0), y)
    assert len(find_copies(samples, samples.rows)[0]) == 3000


@pytest.mark.parametrize("n_distinct, n_others", [(19, 0), (20, 100), (45, 225)])
def test_copies_of_too_few_rows_to_judge_by_are_rows(n_distinct, n_others):
    X, y = table(n_distinct)
    first, _ = find_copies(samples_of(np.tile(X, (6, 1)), np.tile(y, 6)), np.arange(6 * n_distinct))
    assert 6 * n_distinct - len(first) == n_others


def test_rows_with_other_targets_are_no_copies():
    X, y = table(200)
    X, y = np.tile(X, (5, 1)), np.tile(y, 5)
    y[::3] ^= 1
    train, held = splits(samples_of(X, y), Classes(np.arange(2), "log_loss"), seed=0)[0]
    assert np.isin(X[held, 0], X[train, 0]).mean() > 0.9


def test_copies_of_many_categories_are_on_one_side():
    """Whose place in an order is by the targets of other rows."""
    X, y = table(300)
    X[:, 4] = np.random.default_rng(0).integers(0, 60, 300)
    X, y = np.tile(X, (5, 1)), np.tile(y, 5)
    samples = replace(samples_of(X, y), sample_weight=np.ones(1500), nominal=np.arange(5) == 4)
    ordered, places = order_categories(samples, Classes(np.arange(2), "log_loss"), np.random.default_rng(0))
    assert places
    for train, held in splits(ordered, Classes(np.arange(2), "log_loss"), seed=0):
        assert not np.isin(X[train, 0], X[held, 0]).any()


def test_classes_among_copies_are_among_those_that_train():
    X, y = table(100)
    X, y = np.r_[np.tile(X, (10, 1)), X[[0] * 5]], np.r_[np.tile(y, 10), [2] * 5]
    for train, held in splits(samples_of(X, y), Classes(np.arange(3), "log_loss"), seed=0):
        assert np.isin(y[held], y[train]).all()


def test_equal_rows_have_one_number_and_others_have_others():
    X = np.stack(np.meshgrid(*[np.arange(-20, 20)] * 3), axis=-1).reshape(-1, 3)
    rows = np.random.default_rng(0).permutation(len(X))
    numbers = hash_rows(X, rows)
    assert len(np.unique(numbers)) == len(X)
    for same in X.astype(np.float32), np.copysign(X, X), csr_array(X), csr_array(X.astype(float)):
        np.testing.assert_array_equal(hash_rows(same, rows), numbers)
    assert len(np.unique(hash_rows(np.full((3, 2), np.nan), np.arange(3)))) == 1


def test_many_copies_are_one_row_of_their_weight():
    X, y = table(200)
    X[:, 0] = np.arange(200)
    rng = np.random.default_rng(0)
    copied, weights = rng.integers(0, 200, 500), rng.integers(1, 4, 500).astype(float)
    unweighed = weights * (1 + y[copied])
    merged = replace(samples_of(X[copied], y[copied]), sample_weight=weights, unweighed=unweighed).merged()
    row = merged.X[:, 0].astype(int)
    np.testing.assert_array_equal(np.sort(row), np.unique(copied))
    np.testing.assert_array_equal(merged.y[:, 0], y[row])
    expected = np.bincount(copied, weights)[row]
    np.testing.assert_allclose(merged.sample_weight / merged.sample_weight.sum(), expected / expected.sum())
    expected *= 1 + y[row]
    np.testing.assert_allclose(merged.unweighed / merged.unweighed.sum(), expected / expected.sum())
    few = samples_of(np.r_[X, X[:40]], np.r_[y, y[:40]])
    assert few.merged() is few


@pytest.mark.parametrize("model", [BinaryMLPClassifier(), BinaryMLPRegressor()])
def test_copies_change_little(model):
    """A regressor would find directions that suit rows whose copies judge them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3240, 8))
    y = X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=3240)
    y = y > 0 if is_classifier(model) else y
    model.set_params(random_state=0)
    alone, copied = (
        clone(model).fit(np.tile(X[:240], (n, 1)), np.tile(y[:240], n)).score(X[240:], y[240:]) for n in (1, 3)
    )
    assert abs(alone - copied) < 0.05


def test_copies_of_noise_are_not_believed():
    X, y = table(1300)
    model = BinaryMLPClassifier(random_state=0).fit(np.tile(X[:300], (3, 1)), np.tile(y[:300], 3))
    assert log_loss(y[300:], model.predict_proba(X[300:])) < 0.7
    model = BinaryMLPRegressor(random_state=0).fit(np.tile(X[:300], (3, 1)), np.tile(y[:300], 3))
    assert model.score(X[300:], y[300:]) > 0


def test_a_rare_class_may_be_sampled_often():
    """Ranks stay about those without; boosting and a float network learn the copies by heart."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2600, 8))
    y = X[:, 0] + X[:, 1] / 2 + rng.logistic(size=2600) > 3
    more = rng.choice(np.flatnonzero(y[:600]), (~y[:600]).sum() - y[:600].sum())
    precisions = []
    for rows in np.arange(600), np.append(np.arange(600), more):
        model = BinaryMLPClassifier(random_state=0).fit(X[rows], y[rows])
        precisions.append(average_precision_score(y[600:], model.predict_proba(X[600:])[:, 1]))
    assert precisions[1] > 0.9 * precisions[0]
