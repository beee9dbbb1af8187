"""dropout="auto": what is chosen, and that the network's part is shrunk where it does harm."""

import re
from dataclasses import replace

import numpy as np
import pytest
from skbnn.network._losses import SquaredError
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss, r2_score

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.encoding.thresholds import find_encoding
from skbnn.training import decide, epochs, held_out
from skbnn.training.categories import Classes
from skbnn.training.parameters import Parameters
from skbnn.training.progress import Progress
from skbnn.training.reals import Reals
from skbnn.training.relevance import Relevance, Unseen, worth_alone
from skbnn.training.samples import Samples
from skbnn.training.splits import SMALL, find_copies, halves, splits

MODEL = BinaryMLPRegressor((64, 64), max_iter=40, random_state=0)
CLASSES, TARGETS = Classes(np.arange(3), "log_loss"), Reals(1, "squared_error")
SAME = Relevance(np.ones((1, 4)), np.zeros(4))  # of features that are worth the same, each by itself


def noise_and_signal(noise, n_rows=400):
    """Targets that no additive model explains, and noise."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (n_rows, 4))
    return X, np.sign(X[:, 0] * X[:, 1]) + noise * rng.normal(size=n_rows)


def outcome(loss, alone=1.0, *, factor=1.0, **others):
    """The Outcome of one output's numbers, or of several outputs' lists."""
    loss, alone, factor = (np.atleast_1d(np.asarray(values, float)) for values in (loss, alone, factor))
    return held_out.Outcome(loss, alone, np.ones(len(loss)), factor, **others)


def outcome_of(targets, varying, scores, constant=0.5):
    part = held_out.HeldOut(targets.astype(np.float32), np.ones(len(targets)), np.full(1, constant), varying, scores)
    return held_out.weigh([part], SquaredError(), TARGETS)


@pytest.mark.parametrize("share, factor", [(1.0, 0.3), (0.5, 1.5), (0.0, 0.0), (-1.0, 3.0)])
def test_the_best_share_and_factor_are_those_of_least_squares_within_bounds(share, factor):
    varying, scores = np.random.default_rng(0).normal(size=(2, 500, 1))
    found = outcome_of(0.5 + share * varying + factor * scores, varying, scores)
    expected = np.clip([share, factor], 0, [TARGETS.largest_share, held_out.LARGEST_FACTOR])
    np.testing.assert_allclose(np.ravel([found.share, found.factor]), expected, atol=0.05)
    assert found.loss <= found.alone + 1e-6
    if np.array_equal(expected, [share, factor]):
        assert found.loss < 1e-4
        assert found.alone == pytest.approx(0.5 * factor**2 * np.mean(scores**2), rel=0.05, abs=1e-4)


@pytest.mark.parametrize("factor, dropout", [(0.5, 0.1), (1.0, 0.1), (1.2, 0.0), ([1.2, 0.0], 0.1), ([1.3, 0.9], 0.0)])
def test_a_network_that_says_too_little_needs_no_dropout(factor, dropout):
    assert outcome(1, factor=factor).dropout == dropout


@pytest.mark.parametrize(
    "model, max_iter, shrinkage",
    [(BinaryMLPClassifier(), 1, 0.5), (BinaryMLPClassifier(), 3, 0.25), (BinaryMLPRegressor(), 3, 0.5)],
)
def test_a_longer_training_makes_a_classifier_surer_than_it_should_be(model, max_iter, shrinkage, monkeypatch):
    """Than one that a judge, who trains for a third of the epochs, gives half of what it says."""
    X, y = np.random.default_rng(0).normal(size=(200, 3)), np.arange(200) % 2
    monkeypatch.setattr(held_out, "weigh", lambda *_: outcome(0.9, factor=0.5))
    model.set_params(max_iter=max_iter, n_estimators=1, n_components=0, random_state=0).fit(X, y)
    assert model.shrinkage_ == pytest.approx(shrinkage)


def test_outputs_count_by_their_own_losses():
    """A loss of one that is small, as that of a target that can be known, is not hidden by that of noise."""
    before, after = outcome([0.01, 1.0], [1, 1]), outcome([0.005, 1.01], [1, 1])
    assert after.loss.sum() > before.loss.sum()
    assert after.share_of(before) == pytest.approx(np.sqrt(0.5 * 1.01), rel=1e-3)
    assert after.beats(before, 0.6) and not after.beats(before, 0.4) and not before.beats(after, 2)
    assert before.gain == pytest.approx(0.99, rel=1e-3)
    exact = outcome([0, 0.5], [0, 1])
    assert exact.gain == pytest.approx(0.5, rel=1e-3)  # an output without a loss has nothing to gain
    undefined = before._replace(loss=np.full(2, np.nan))
    assert not undefined.share_of(before) <= 1 and not undefined.beats(before, 1)


@pytest.mark.parametrize(
    "alone, rival, beats",
    [
        (0.02, 0.024, True),
        (0.49, 0.5, False),
        (0.0001, 0.0004, False),
        ([0.02, 0.5], [0.024, 0.5], True),
        ([0.02, 0.7], [0.024, 0.5], False),
        ([1e-6, 0.4988], [1e-5, 0.5], False),
    ],
)
def test_an_initial_model_may_say_more_than_a_rival_with_its_network(alone, rival, beats):
    """Of one output by share and by difference: where all is next to exact, longer training takes a larger share."""
    assert outcome(np.multiply(alone, 0.5), alone).beats_alone(outcome(rival, np.multiply(rival, 2))) == beats


def test_noise_beside_a_target_hides_neither_its_direction_nor_its_network():
    rng = np.random.default_rng(2)
    X = rng.uniform(size=(3000, 6))
    y = np.column_stack([np.sin(9 * X[:, 0] * X[:, 1]), rng.normal(size=(3000, 3))])
    predicted = BinaryMLPRegressor(random_state=2).fit(X[:1000], y[:1000]).predict(X[1000:])
    assert r2_score(y[1000:, 0], predicted[:, 0]) > 0.95
    assert r2_score(y[1000:, 1:], predicted[:, 1:]) > -0.05


def test_a_feature_is_worth_what_the_loss_is_without_it():
    X = np.random.default_rng(0).normal(size=(400, 3))
    y = 3 * X[:, :1] + X[:, 1:2] + 7
    targets, rng, rows = Reals(1, "squared_error"), np.random.default_rng(0), np.arange(400)
    samples = Samples(X, y, np.ones(400), rows=rows).encode(find_encoding(X, 16, rng=rng))
    model = targets.initial_model(samples, rows, rng, penalty=np.ones(1))
    expected, constant, varying = targets.truth(samples, model, rows)
    unseen = Unseen(samples, model, rows, expected.astype(np.float32), samples.sample_weight, constant + varying)
    np.testing.assert_allclose(worth_alone(unseen, SquaredError(), 1), [[0.5 * 9 / 10, 0.5 / 10, 0]], atol=0.05)


def judge_of(samples, targets, max_iter=3):
    """A Judge of three parts whose trainings are short, and the samples with bits."""
    rng = np.random.default_rng(0)
    samples = samples.encode(find_encoding(samples.X, 16, rng=rng))
    asked = {**MODEL.get_params(), "max_iter": max_iter, "hidden_layer_sizes": (8,)}
    parameters = Parameters.of(asked, targets.network_loss).paced(samples, targets)
    parts = splits(samples, targets, seed=0)
    return held_out.Judge(parameters, parts, targets, Progress(), rng), samples


def test_penalties_that_overfit_even_more_are_not_tried():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 10)), rng.integers(0, 3, 300)
    judge, samples = judge_of(Samples(X, CLASSES.encode(y), np.ones(300), rows=np.arange(300)), CLASSES)
    penalty, fitted = judge.choose_penalty(samples)
    assert ("logistic", 100.0) in fitted and ("logistic", 0.1) not in fitted
    train, _ = judge.parts[1]
    expected = CLASSES.initial_model(samples, train, rng, penalty=penalty).additive.scores(X, samples.bits)
    np.testing.assert_allclose(fitted[penalty][1].additive.scores(X, samples.bits), expected, atol=0.05)


def test_models_that_were_fitted_to_choose_a_penalty_are_judged_as_they_are(monkeypatch):
    X, y = load_iris(return_X_y=True)
    judge, samples = judge_of(Samples(X, CLASSES.encode(y), np.ones(len(y)), rows=np.arange(len(y))), CLASSES)
    monkeypatch.setattr(Classes, "initial_model", None)
    penalty, fitted = judge.choose_penalty(samples)
    for of_fitted in fitted:
        assert judge(samples, of_fitted, fitted).penalty == of_fitted
    with pytest.raises(TypeError, match="not callable"):
        judge(samples, penalty)


@pytest.mark.parametrize("first, n_trained", [(0.0, 1), (np.inf, 3)])
def test_a_rival_that_is_better_on_the_first_part_ends_a_comparison(first, n_trained, monkeypatch):
    X, _ = noise_and_signal(noise=1)
    targets = Reals(1, "squared_error")
    judge, samples = judge_of(Samples(X, X[:, :1], np.ones(len(X)), rows=np.arange(len(X))), targets)
    trained, train = [], held_out.Judge.train
    monkeypatch.setattr(held_out.Judge, "train", lambda *arguments: trained.append(1) or train(*arguments))
    penalty, _ = judge.choose_penalty(samples)
    judged = judge(samples, penalty, rival=outcome(1, first=np.array([first])))
    assert len(trained) == n_trained and (judged is None) == (n_trained == 1)


def test_a_network_that_only_learns_noise_is_shrunk_away():
    X, y = noise_and_signal(noise=1)
    noise = np.random.default_rng(1).normal(size=len(y))
    model = clone(MODEL).fit(X, noise)
    assert model.shrinkage_ < 0.6
    trusted = clone(MODEL).set_params(dropout=0.0, n_components=0).fit(X, noise)  # of whose length nothing is decided
    assert model.score(X, noise) < 0.7 * trusted.score(X, noise)


def test_a_network_that_is_right_is_trusted():
    model = clone(MODEL).set_params(max_iter=200).fit(*noise_and_signal(noise=0))
    assert model.shrinkage_ > 0.6


@pytest.mark.parametrize("factor, n_networks, trusted", [(0.25, 1, 0.25), (0.25, 2, 0.4), (0.0, 2, 0.0), (1.7, 2, 1.0)])
def test_several_networks_deserve_more_trust_than_one(factor, n_networks, trusted):
    assert decide.trust(factor, n_networks) == pytest.approx(trusted)


@pytest.mark.parametrize("n_components", [0, "auto"])
def test_what_is_compared_is_narrower_and_shorter(monkeypatch, n_components):
    seen = []

    def network_scores(networks, encoding, bits):
        seen.extend(network.layer_sizes[1:-1] for network in networks)
        return np.zeros((len(bits), 1))

    monkeypatch.setattr(held_out, "network_scores", network_scores)
    model = BinaryMLPRegressor((256, 70), max_iter=20, n_components=n_components, random_state=0)
    numbers, train_epoch = set(), epochs.train_epoch
    monkeypatch.setattr(epochs, "train_epoch", lambda *arguments: numbers.add(arguments[-1]) or train_epoch(*arguments))
    model.fit(*noise_and_signal(noise=1, n_rows=100))
    assert seen and all(layers == [128, 64] for layers in seen) and numbers == {7, 20}


def test_each_target_has_a_factor_of_its_own():
    """One for all of them would take from the first what the others do not deserve."""
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(1000, 4))
    y = np.column_stack([np.sin(9 * X[:, 0] * X[:, 1]), rng.normal(size=(1000, 2))])
    model = BinaryMLPRegressor(n_components=0, max_iter=60, random_state=0).fit(X[:500], y[:500])
    of_targets = r2_score(y[500:], model.predict(X[500:]), multioutput="raw_values")
    assert of_targets[0] > 0.8 and of_targets[1:].min() > -0.3
    assert model.shrinkage_[0] > 0.9 and model.shrinkage_[1:].max() < 0.75


def test_each_label_has_a_factor_of_its_own():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 6))
    y = np.column_stack([X[:, 0] * X[:, 1] > 0, rng.random((3000, 2)) < 0.4]).astype(int)
    model = BinaryMLPClassifier(random_state=0).fit(X[:1000], y[:1000])
    of_labels = [log_loss(label, p) for label, p in zip(y[1000:].T, model.predict_proba(X[1000:]).T, strict=True)]
    assert of_labels[0] < 0.25 and max(of_labels[1:]) < 0.72
    assert model.shrinkage_[0] > 0.8 and model.shrinkage_[1:].max() < 0.6


def test_several_classes_choose_as_well(capsys):
    X, y = load_iris(return_X_y=True)
    model = BinaryMLPClassifier((32,), max_iter=20, random_state=0, verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    bits = len(model.packed_.thresholds)
    number = r"\d\.\d+"
    said = f"{bits} bits, 0 components: loss = {number} on held-out rows, {number} without a network"
    assert lines[:3] == ["Finding thresholds", "Choosing the initial model", f"Trying {bits} bits"]
    assert re.fullmatch(said, lines[3])
    how = f"layers 32, 0 components, dropout {model.dropout_}, shrinkage {model.shrinkage_:.2f}"
    assert lines[-model.n_iter_ - 1].startswith(f"Chosen: {how}")
    assert model.score(X, y) > 0.9


class Losses:
    """Stands in for a Judge that says these losses of one encoding after the other, and takes note of these."""

    def __init__(self, losses):
        self.losses, self.seen = iter(losses), []
        self.targets, self.progress, self.rng = Reals(1, "squared_error"), Progress(), np.random.default_rng(0)

    def choose_penalty(self, samples):
        """None."""
        return None, {}

    def __call__(self, samples, penalty, fitted, rival=None):
        """The next Outcome; what is to be gained beside the initial model is much."""
        self.seen.append(len(samples.encoding.components))
        return outcome(next(self.losses), 10, penalty=penalty, relevance=SAME)


@pytest.mark.parametrize(
    "losses, n_components",
    [
        ([1, 1, 1], 0),
        ([1, 0.91, 0.86], 0),
        ([1, 0.91, 0.84], 4),
        ([1, 0.89], 1),
    ],
)
def test_combinations_have_to_be_worth_it(losses, n_components):
    """One direction has to take a tenth off, or else four principal components .15."""
    X, _ = noise_and_signal(noise=1)
    judge = Losses(losses)
    parameters = Parameters.of(MODEL.get_params(), "squared_error")
    parameters = replace(parameters, n_thresholds=16)
    samples = Samples(X, X.sum(axis=1, keepdims=True), np.ones(len(X)), rows=np.arange(len(X)))
    samples = samples.encode(find_encoding(X, 16, rng=judge.rng))
    chosen, best, _ = decide.choose_encoding(samples, judge.targets, parameters, judge)
    assert len(chosen.encoding.components) == n_components
    assert judge.seen == [0, 1, 4][: len(losses)]  # after a direction that is kept nothing else is tried
    assert best.loss == (losses[-1] if n_components else 1)


@pytest.mark.parametrize("losses, fewer", [([1, 1], True), ([1, 1.1], False)])
def test_features_that_say_nothing_lose_their_bits_unless_held_out_rows_want_them(losses, fewer):
    X = np.random.default_rng(0).normal(size=(200, 6))
    parameters = replace(Parameters.of(MODEL.get_params(), "squared_error"), n_components=0)
    samples = Samples(X, X[:, :1], np.ones(200), rows=np.arange(200))
    samples = samples.encode(find_encoding(X, 4, rng=np.random.default_rng(0)))
    relevance = Relevance(np.array([[5, 0, 1, 0.001, -1, 0]]), together=np.array([0, 0, 0, 0, 0, 0.02]))

    class Judge(Losses):
        def __call__(self, samples, penalty, fitted=None, rival=None):
            return super().__call__(samples, penalty, fitted)._replace(relevance=relevance)

        def of_relevant_features(self, samples, penalty, share):
            assert share == decide.RELEVANT
            return self

        def choose_penalty(self, samples):
            assert np.diff(samples.encoding.offsets).tolist() == ([4, 0, 4, 0, 0, 4] if self.seen else [4] * 6)
            return None, {}

    judge = Judge(losses)
    chosen, _, _ = decide.choose_encoding(samples, judge.targets, parameters, judge)
    assert np.diff(chosen.encoding.offsets).tolist() == ([4, 0, 4, 0, 0, 4] if fewer else [4] * 6)


@pytest.mark.parametrize("targets", [Reals(1, "squared_error"), Reals(3, "squared_error"), CLASSES], ids=str)
@pytest.mark.parametrize("n_rows", [400, SMALL])
def test_rows_that_judge_features_have_no_say_in_which_they_are(targets, n_rows):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 3))
    y = X[:, 0] + 0.5 * rng.normal(size=n_rows)
    y = np.repeat(y[:, np.newaxis], targets.n_outputs, axis=1) if isinstance(targets, Reals) else np.digitize(y, [0, 1])
    samples = Samples(X, targets.encode(y), np.ones(n_rows), rows=np.arange(n_rows))
    judge, samples = judge_of(samples, targets)
    penalty, fitted = judge.choose_penalty(samples)
    first = judge(samples, penalty, fitted)
    assert (first.relevance.alone[:, 0] > 10 * np.abs(first.relevance.alone[:, 1:]).max()).all()
    assert not first.relevance.interacts
    selecting = judge.of_relevant_features(samples, penalty, 0.1)
    assert [features.tolist() for features in selecting.features] == [[True, False, False]] * len(judge.parts)
    rng_state = judge.rng.bit_generator.state
    relevances = []
    for of_judging in samples.y[judge.parts[0][1]], samples.y[judge.parts[0][1]][::-1]:
        samples.y[judge.parts[0][1]] = of_judging
        judge.rng.bit_generator.state = rng_state
        both = halves(judge.parts[0][0], find_copies(samples, judge.parts[0][0])[1], judge.rng)
        relevances.append(judge.relevance_within(samples, both, penalty))
    for one, other in zip(*relevances, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("gain, losses, n_epochs", [(0.9, [1, 2], 1), (0.005, [1, 0.9, 2], 3), (0.005, [1, 1.1, 2], 1)])
def test_an_interaction_that_a_short_training_does_not_find_is_given_a_longer_one(gain, losses, n_epochs):
    """The judge's outcome is the longer training's where that is better, and so is what is judged after it."""
    X, _ = noise_and_signal(noise=0)
    rng, losses, seen = np.random.default_rng(0), iter(losses), []

    class Judge:
        n_epochs = 1

        def choose_penalty(self, samples):
            return (1.0,), {}

        def __call__(self, samples, penalty, fitted):
            seen.append((self.n_epochs, *penalty))
            loss, interacting = next(losses), Relevance(SAME.alone, together=np.ones(4))
            return outcome(loss, loss / (1 - gain), penalty=penalty, relevance=interacting)

        def longer(self):
            longer = Judge()
            longer.n_epochs = 3
            return longer

    parameters = replace(Parameters.of(MODEL.get_params(), "squared_error"), n_components=0)
    samples = Samples(X, X[:, :1], np.ones(len(X)), rows=np.arange(len(X))).encode(find_encoding(X, 4, rng=rng))
    targets = Reals(1, "squared_error")
    _, _, judge = decide.choose_encoding(samples, targets, parameters, Judge())
    assert judge.n_epochs == n_epochs
    assert seen == ([(1, 1), (1, 10)] if gain == 0.9 else [(1, 1), (3, 1)])


@pytest.mark.parametrize("max_iter", [1, 4, 20])
def test_a_longer_judge_trains_for_all_epochs(max_iter):
    X, y = noise_and_signal(noise=0)
    targets = Reals(1, "squared_error")
    samples = Samples(X, y[:, np.newaxis], np.ones(len(y)), rows=np.arange(len(y)))
    judge, _ = judge_of(samples, targets, max_iter=max_iter)
    assert judge.parameters.max_iter == -(-max_iter // 3) and judge.longer().parameters.max_iter == max_iter


def test_noise_in_many_features_is_not_believed():
    losses = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(1300, 100)), rng.integers(0, 2, 1300)
        model = BinaryMLPClassifier(random_state=0).fit(X[:300], y[:300])
        losses.append(log_loss(y[300:], model.predict_proba(X[300:])))
    assert np.mean(losses) < 0.75  # .69 is a constant's, and .81 that of features which the same rows select and judge


def test_the_penalty_is_the_stronger_one_where_held_out_rows_like_it_better():
    X, y = noise_and_signal(noise=0)
    asked = []

    class Judge:
        def choose_penalty(self, samples):
            return (3.0,), {3.0: "models"}

        def __call__(self, samples, penalty, fitted):
            asked.append((penalty, fitted))
            return outcome(3 / penalty[0], 10, penalty=penalty, relevance=SAME)

    parameters = replace(Parameters.of(MODEL.get_params(), "squared_error"), n_components=0)
    samples = Samples(X, y[:, np.newaxis], np.ones(len(y)), rows=np.arange(len(y)))
    samples = samples.encode(find_encoding(X, 4, rng=np.random.default_rng(0)))
    _, best, _ = decide.choose_encoding(samples, Reals(1, "squared_error"), parameters, Judge())
    assert asked == [((3.0,), {3.0: "models"}), ((30.0,), {3.0: "models"})] and best.penalty == (30.0,)


@pytest.mark.parametrize("outlier", [1e10, 1e39, 1e300])
def test_an_outlier_that_is_held_out_breaks_nothing(outlier):
    X, y = noise_and_signal(noise=1, n_rows=60)
    y[0] = outlier
    for unit in 1, 1e-300:
        model = clone(MODEL).set_params(max_iter=2).fit(X, np.r_[y[0], y[1:] * unit])
        assert np.isfinite(model.predict(X)).all()


def test_what_is_constant_is_predicted():
    X, _ = noise_and_signal(noise=0, n_rows=60)
    np.testing.assert_array_equal(clone(MODEL).set_params(max_iter=2).fit(X, np.full(60, 3.0)).predict(X), 3)
