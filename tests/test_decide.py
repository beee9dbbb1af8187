"""Which combinations of features can be encoded, and which are by held-out rows."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_friedman1
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.encoding import Combinations
from skbnn.encoding.thresholds import find_encoding
from skbnn.training import decide, reals
from skbnn.training.parameters import Parameters
from skbnn.training.reals import Reals
from skbnn.training.samples import Samples

SHORT = BinaryMLPRegressor((16,), n_components=3, max_iter=2, dropout=0.0, random_state=0)


def correlated(n_rows=600):
    """Three pairs of nearly equal features, on very different scales; targets need the differences of two pairs."""
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(n_rows, 3)), 0.1 * rng.normal(size=(n_rows, 3))
    X = np.hstack([common + own, common - own]) * 10.0 ** np.arange(6)
    return 1000 + X, np.sin(15 * own[:, 0]) + np.sign(own[:, 1])


def test_rows_of_early_stopping_have_no_say_in_the_directions(monkeypatch):
    X, y = correlated()
    monkeypatch.setattr(decide, "WORTH_OF_DIRECTION", np.inf)  # whatever is tried first is kept
    model = clone(SHORT).set_params(n_components="auto", early_stopping=True).fit(X, y)
    before = model.packed_
    assert len(before.components)
    _, held = train_test_split(np.arange(len(y)), test_size=0.1, random_state=model._state.seed)
    y[held] += 10 * X[held, 0]
    after = model.fit(X, y).packed_
    np.testing.assert_array_equal(after.components, before.components)
    np.testing.assert_array_equal(after.thresholds, before.thresholds)


def test_held_out_rows_choose_components_where_features_are_correlated(monkeypatch):
    X, y = correlated()
    monkeypatch.setattr(reals, "pursue_directions", lambda *arguments: Combinations(np.empty((0, 6)), []))
    model = BinaryMLPRegressor((64, 64), max_iter=60, random_state=0)
    rotated = clone(model).fit(X[:400], y[:400])
    assert rotated.n_components_ == 6
    plain = clone(model).set_params(n_components=0).fit(X[:400], y[:400])
    assert plain.n_components_ == 0
    assert rotated.score(X[400:], y[400:]) > plain.score(X[400:], y[400:]) + 0.1


def test_held_out_rows_choose_directions_where_features_are_correlated():
    X, y = correlated()
    model = BinaryMLPRegressor((64, 64), max_iter=60, random_state=0)
    default = clone(model).fit(X[:400], y[:400])
    assert default.n_components_ in (2, 3, 4)
    plain = clone(model).set_params(n_components=0).fit(X[:400], y[:400])
    assert default.score(X[400:], y[400:]) > plain.score(X[400:], y[400:]) + 0.1


@pytest.mark.parametrize(
    "law",
    [
        lambda X: np.sign(X[:, 0]) + (X[:, 1] > 0.5),
        lambda X: 2.0 * np.where(X[:, 0] > 0, X[:, 1] > 0.3, X[:, 2] > -0.3),
    ],
)
def test_combinations_take_nothing_where_steps_of_features_are_what_counts(law):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(3000, 8))
    y = law(X) + 0.3 * rng.normal(size=3000)
    model = BinaryMLPRegressor((64,), max_iter=60, random_state=0)
    default, plain = (clone(model).set_params(n_components=n).fit(X[:600], y[:600]) for n in ("auto", 0))
    assert default.score(X[600:], y[600:]) > plain.score(X[600:], y[600:]) - 0.01


def test_a_classifier_has_none_by_default():
    X, y = correlated()
    assert BinaryMLPClassifier((16,), max_iter=5, random_state=0).fit(X, y > 0).n_components_ == 0


def test_wide_data_have_no_combinations_by_default():
    X, y = np.random.default_rng(0).normal(size=(60, 33)), np.arange(60) % 7.0
    samples = Samples(X, y[:, np.newaxis], np.ones(60), rows=np.arange(60))
    samples = samples.encode(find_encoding(X, 8, rng=np.random.default_rng(0)))
    assert decide.to_look_for(decide.Judged(samples, samples, None, {})) == []


def test_a_single_feature_has_nothing_to_be_combined_with(capsys):
    X, y = correlated()
    model = clone(SHORT).set_params(n_components="auto", verbose=True).fit(X[:, :1], y)
    assert model.n_components_ == 0 and tried(capsys) == [0]


@pytest.mark.filterwarnings("ignore:No feature varies")
@pytest.mark.parametrize("n_components, kept", [(2, 2), ("auto", 0)])
def test_training_goes_on_from_rows_without_variation(n_components, kept):
    X, y = correlated(60)
    model = clone(SHORT).set_params(n_components=n_components).partial_fit(np.ones_like(X), y)
    assert model.partial_fit(X, y).n_components_ == kept
    assert np.isfinite(model.predict(X)).all()
    model = clone(SHORT).set_params(n_components=n_components, warm_start=True).fit(np.ones_like(X), y)
    assert model.fit(X, y).n_components_ == kept


def test_a_number_is_had_by_streams_and_refused_beyond_features_and_rows():
    X, y = correlated()
    model = clone(SHORT).partial_fit(X, y)
    components = model.packed_.components
    assert components.shape == (3, 6)
    np.testing.assert_array_equal(model.partial_fit(X, y).packed_.components, components)
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
    assert len(tried(capsys)) >= 2
    assert (model.dropout_, model.shrinkage_) == (0.2, 1.0)


def tried(capsys):
    """Numbers of components that held-out rows saw, in their order."""
    return [int(number) for number in re.findall(r"(\d+) components: loss", capsys.readouterr().out)]


@pytest.mark.parametrize("worth, numbers", [(np.inf, [0, 1]), (0, [0, 1, 4])])
def test_principal_components_are_tried_where_directions_are_not_kept(worth, numbers, monkeypatch, capsys):
    X = np.random.default_rng(0).normal(size=(600, 4))
    monkeypatch.setattr(decide, "WORTH_OF_DIRECTION", worth)
    monkeypatch.setattr(decide, "WORTH_OF_COMPONENTS", worth)
    clone(SHORT).set_params(n_components="auto", verbose=True).fit(X, X @ [1.0, 1.0, -1.0, 0.5])
    assert tried(capsys) == numbers


def test_held_out_rows_choose_the_direction_where_steps_go_along_it():
    X = np.random.default_rng(0).normal(size=(1000, 5))
    y = np.floor(X @ [1.0, -1.0, 0.5, 0.5, 2.0] / 2)
    model = BinaryMLPRegressor((64,), max_iter=40, random_state=0).fit(X[:700], y[:700])
    assert model.n_components_ == 1
    without = clone(model).set_params(n_components=0).fit(X[:700], y[:700])
    assert 1 - model.score(X[700:], y[700:]) < 0.7 * (1 - without.score(X[700:], y[700:]))


def test_a_direction_has_twice_as_many_thresholds(monkeypatch):
    X = np.random.default_rng(0).normal(size=(600, 4))
    monkeypatch.setattr(decide, "WORTH_OF_DIRECTION", np.inf)
    z = X @ [1.0, 1.0, -1.0, 0.5]
    model = clone(SHORT).set_params(n_components="auto", n_thresholds=8).fit(X, np.c_[np.tanh(z), z])
    assert np.diff(model.packed_.offsets).tolist() == [8, 8, 8, 8, 16]  # one for both outputs


def test_held_out_rows_choose_directions_for_a_smooth_product():
    X = np.random.default_rng(0).normal(size=(1500, 4))
    y = X[:, 0] * X[:, 1]
    model = BinaryMLPRegressor((64,), random_state=0).fit(X[:1000], y[:1000])
    assert model.n_components_ >= 2
    without = clone(model).set_params(n_components=0).fit(X[:1000], y[:1000])
    assert 1 - model.score(X[1000:], y[1000:]) < 0.5 * (1 - without.score(X[1000:], y[1000:]))


def test_each_direction_has_to_be_worth_it(monkeypatch):
    X, y = correlated()
    two = Combinations(np.eye(6)[:2], [np.array([1000.0])] * 2)
    monkeypatch.setattr(reals, "pursue_directions", lambda *arguments: two)
    samples = Samples(X, y[:, np.newaxis], np.ones(len(y)), rows=np.arange(len(y)))
    samples = samples.encode(find_encoding(X, 8, rng=np.random.default_rng(0)))
    wanted, targets = decide.to_look_for(decide.Judged(samples, samples, None, {})), Reals(1, "squared_error")
    worths = [find(samples, features, targets, 8, np.random.default_rng(0))[1] for find, features in wanted]
    assert worths == pytest.approx([decide.WORTH_OF_DIRECTION**2, decide.WORTH_OF_COMPONENTS])


def test_constant_features_change_nothing():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(300, 5))
    y = np.sin(6 * X[:, 0] * X[:, 1]) + X[:, 2]
    with_constants = np.insert(X, [0, 2, 2, 5], 7.0, axis=1)
    models = [BinaryMLPRegressor((32, 32), max_iter=30, random_state=0).fit(x, y) for x in (X, with_constants)]
    assert models[0].n_components_ == models[1].n_components_ > 0
    np.testing.assert_allclose(models[0].predict(X), models[1].predict(with_constants), rtol=1e-9)


def test_a_feature_has_more_thresholds_where_the_target_asks_for_them():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(2000, 3))
    y = np.sin(16 * np.pi * X[:, 1]) + 0.1 * rng.normal(size=2000)
    model = BinaryMLPRegressor((64, 64), random_state=0).fit(X[:1500], y[:1500])
    counts = np.diff(model.packed_.offsets)
    assert counts[1] >= 128 and max(counts[0], counts[2]) <= 32
    assert model.score(X[1500:], y[1500:]) > 0.95
    fixed = clone(model).set_params(n_thresholds=32).fit(X[:1500], y[:1500])
    assert np.diff(fixed.packed_.offsets).max() <= 32


def test_wide_tables_have_few_bits_and_narrow_layers():
    X = np.random.default_rng(0).normal(size=(20, 20_000))
    model = BinaryMLPRegressor(random_state=0).fit(X, X[:, 0])
    assert len(model.packed_.thresholds) == 20_000 and model.hidden_layer_sizes_ == (52, 52)
    assert model.packed_.steps.size == 0
    widest = SimpleNamespace(n_rows=20, encoding=SimpleNamespace(n_bits=70_000))
    parameters = Parameters.of(BinaryMLPRegressor().get_params(), "squared_error")
    assert parameters.sized(widest, Reals(1, "squared_error")).hidden_layer_sizes == (16, 16)


@pytest.mark.parametrize("asked", [None, 40])
@pytest.mark.parametrize(
    "n_rows, n_epochs", [(100, 300), (5000, 32), (50_000, 28), (357_142, 28), (10**6, 10), (4 * 10**6, 5)]
)
def test_epochs_follow_the_rows(n_rows, n_epochs, asked):
    X = np.broadcast_to(np.zeros(1), (n_rows, 1))
    samples = Samples(X, X, X[:, 0], np.arange(n_rows))
    parameters = Parameters.of(BinaryMLPRegressor(max_iter=asked).get_params(), "squared_error")
    assert parameters.paced(samples, Reals).max_iter == (asked or n_epochs)


@pytest.mark.parametrize(
    "n_rows, width, batch_size, n_thresholds", [(49, 128, 49, 32), (60, 128, 32, 5), (4000, 256, 100, 32)]
)
def test_sizes_follow_the_rows(n_rows, width, batch_size, n_thresholds):
    X = np.random.default_rng(0).normal(size=(n_rows, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = BinaryMLPClassifier(max_iter=1, dropout=0.0, random_state=0).fit(X, y)  # nothing is curbed
    assert model.batch_size_ == batch_size
    assert model.hidden_layer_sizes_ == (width, width)
    assert np.diff(model.packed_.offsets).max() == n_thresholds


@pytest.mark.parametrize("n_classes, width", [(2, 128), (16, 128), (32, 256), (120, 512)])
def test_many_classes_deserve_wider_layers(n_classes, width):
    X = np.random.default_rng(0).normal(size=(2000, 2))
    model = BinaryMLPClassifier(max_iter=1, dropout=0.0, init="constant").fit(X, np.arange(2000) % n_classes)
    assert model.hidden_layer_sizes_ == (width, width)


def test_where_a_network_hardly_helps_training_is_short_also_when_it_goes_on():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    model = BinaryMLPRegressor(random_state=0, warm_start=True).fit(X, y)
    assert model.hidden_layer_sizes_ == (256, 256) and model.n_iter_ == 100
    assert model.fit(X, y).n_iter_ == 100
    asked = BinaryMLPRegressor((40,), max_iter=30, random_state=0).fit(X, y)
    assert asked.hidden_layer_sizes_ == (40,) and asked.n_iter_ == 30


@pytest.mark.parametrize("init", ["additive", "constant"])
def test_features_that_say_nothing_give_the_frequencies(init):
    rng = np.random.default_rng(0)
    X, Xt, shares = rng.normal(size=(600, 8)), rng.normal(size=(500, 8)), np.array([0.6, 0.3, 0.1])
    model = BinaryMLPClassifier(random_state=0, init=init).fit(X, rng.choice(3, 600, p=shares))
    np.testing.assert_allclose(model.predict_proba(Xt).mean(axis=0), shares, atol=0.06)
    assert np.abs(model.predict_proba(Xt) - shares).mean() < 0.1 and (model.predict(Xt) == 0).mean() > 0.95
    labels = (rng.random((600, 3)) < shares).astype(int)
    model = BinaryMLPClassifier(random_state=0, init=init).fit(X, labels)
    assert np.abs(model.predict_proba(Xt) - shares).mean() < 0.1


@pytest.mark.filterwarnings("ignore:The number of unique classes:UserWarning")
def test_as_many_classes_as_rows_are_told_apart():
    X = np.random.default_rng(0).normal(size=(60, 5))
    assert BinaryMLPClassifier(random_state=0).fit(X, np.arange(60)).score(X, np.arange(60)) > 0.9


@pytest.mark.parametrize("loss", ["huber", "absolute_error"])
def test_outliers_do_not_move_robust_losses(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 4))
    truth = X @ [1.0, 2.0, 0.0, -1.0]
    y = truth + 0.3 * rng.normal(size=1000)
    y[rng.choice(1000, 10, replace=False)] = 9999
    model = BinaryMLPRegressor((64, 64), loss=loss, random_state=0).fit(X, y)
    assert np.mean(np.abs(model.predict(X) - truth)) < 0.3


@pytest.mark.parametrize("loss", ["huber", "absolute_error"])
@pytest.mark.parametrize("noise", [0, 1e-12, 0.1])
def test_robust_losses_know_the_scale_where_half_of_the_targets_are_alike(loss, noise):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = np.where(X[:, 0] > 0.3, 3 * X[:, 1] + 10, 0.0) + noise * rng.normal(size=600)
    model = BinaryMLPRegressor((64, 64), loss=loss, n_components=0, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.88


def test_features_that_say_nothing_each_by_itself_have_directions():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 20))
    y = X.sum(axis=1) ** 2 + rng.normal(size=2000)
    assert BinaryMLPRegressor((64,), random_state=0).fit(X[:600], y[:600]).score(X[600:], y[600:]) > 0.8


@pytest.mark.parametrize("seed", range(3))
def test_a_row_beyond_the_range_of_all_others_does_not_stretch_the_initial_model(seed):
    rng = np.random.default_rng(seed)
    X = np.exp(3 * rng.normal(size=(500, 4)))
    y = X[:, 0] + 0.3 * X[:, 1] + 0.2 * rng.normal(size=500)
    assert BinaryMLPRegressor((64,), random_state=seed).fit(X, y).score(X, y) > 0.99


def test_outliers_hide_no_direction_from_robust_losses():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2400, 5))
    truth = 3 * np.sin(X[:, 0] + X[:, 1]) + X[:, 2]
    y = truth + 0.1 * rng.normal(size=2400)
    y[:12] += 1e4 * rng.normal(size=12)
    model = BinaryMLPRegressor(loss="huber", random_state=1).fit(X[:400], y[:400])
    assert model.n_components_ > 0 and model.score(X[400:], truth[400:]) > 0.85


@pytest.mark.parametrize(
    "law, draw, noise",
    [
        (lambda X: (X[:, 0] * X[:, 1] + X[:, 2]) / np.sqrt(2), "normal", 1.0),
        (lambda X: np.sin(6 * (X[:, 0] + X[:, 1] - X[:, 2])), "uniform", 0.3),
    ],
)
def test_smooth_functions_of_directions_are_found_in_noise(law, draw, noise):
    """Where no loss can fall far, as noise is most of it, and where a function rises and falls several times."""
    rng = np.random.default_rng(0)
    X = getattr(rng, draw)(size=(3000, 6))
    truth = law(X)
    y = truth + noise * rng.normal(size=3000)
    predicted = BinaryMLPRegressor(random_state=0).fit(X[:1000], y[:1000]).predict(X[1000:])
    assert np.corrcoef(predicted, truth[1000:])[0, 1] ** 2 > 0.85


def test_irrelevant_features_get_no_bits():
    X, y = make_friedman1(1500, n_features=30, noise=1.0, random_state=0)
    model = BinaryMLPRegressor((64, 64), random_state=0).fit(X[:1000], y[:1000])
    counts = np.diff(model.packed_.offsets)[:30]
    assert (counts[:5] > 0).all() and (counts[5:] > 0).sum() <= 3
    assert model.score(X[1000:], y[1000:]) > 0.93


@pytest.mark.parametrize(
    "model, n_rows, n_features, wrong, least",
    [
        (BinaryMLPClassifier(), 900, 8, 0.0, 0.95),
        (BinaryMLPClassifier(), 1500, 6, 0.15, 0.78),
        (BinaryMLPClassifier(), 3000, 10, 0.2, 0.76),
        (BinaryMLPRegressor((64, 64), n_components=0), 900, 8, 0.0, 0.95),
    ],
)
def test_features_that_matter_in_products_only_are_found_among_noise_and_wrong_labels(
    model, n_rows, n_features, wrong, least
):
    """Labels of the rows to test have as many wrong ones, so a perfect model scores one minus their share."""
    scores = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n_rows + 4000, n_features))
        y = (X[:, 0] * X[:, 1] > 0) ^ (rng.random(len(X)) < wrong)
        fitted = clone(model).set_params(random_state=seed).fit(X[:n_rows], y[:n_rows])
        scores.append(np.mean((fitted.predict(X[n_rows:]) > 0.5) == y[n_rows:]))
    assert np.mean(scores) > least


def test_where_networks_say_nothing_they_do_not_train_long():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.integers(0, 2, 300)
    model = BinaryMLPClassifier(random_state=0).fit(X, y)
    assert (model.shrinkage_, model.n_iter_) == (0, 1)
    assert clone(model).set_params(max_iter=7).fit(X, y).n_iter_ == 7


def test_very_few_rows_trust_the_initial_model():
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(15, 3)), rng.normal(size=(500, 3))
    model = BinaryMLPClassifier(random_state=0).fit(X, X[:, 0] > 0)
    assert model.shrinkage_ == 0.25 and model.score(Xt, Xt[:, 0] > 0) > 0.75


def test_weights_of_classes_have_no_say_in_what_is_decided():
    X, y = make_classification(4500, 10, n_informative=5, weights=[0.98], flip_y=0, random_state=0)
    model = BinaryMLPClassifier((64, 64), max_iter=10, random_state=0)
    plain, balanced = (clone(model).set_params(class_weight=weight).fit(X, y) for weight in (None, "balanced"))
    np.testing.assert_array_equal(plain.packed_.thresholds, balanced.packed_.thresholds)
    assert (plain.dropout_, plain.shrinkage_) == (balanced.dropout_, balanced.shrinkage_)
    assert balanced.predict(X).mean() > 1.5 * plain.predict(X).mean()
    scores = [average_precision_score(y, model.predict_proba(X)[:, 1]) for model in (plain, balanced)]
    assert scores[1] > scores[0] - 0.25
