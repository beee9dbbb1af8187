"""dropout="auto": which rows judge, what is chosen, and that the network's part is shrunk where it does harm."""

import re

import numpy as np
import pytest
from skbnn.network._losses import SquaredError
from sklearn.base import clone
from sklearn.datasets import load_iris

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.network.trainer import TrainingData
from skbnn.training import epochs, held_out

MODEL = BinaryMLPRegressor((64, 64), max_iter=40, random_state=0)


def noise_and_signal(noise, n_rows=400):
    """Targets that no additive model explains, and noise."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (n_rows, 4))
    return X, np.sign(X[:, 0] * X[:, 1]) + noise * rng.normal(size=n_rows)


@pytest.mark.parametrize("n_rows, n_parts", [(49, 0), (50, 3), (3999, 3), (4000, 1), (100_000, 1)])
def test_rows_that_judge_do_not_train(n_rows, n_parts):
    rows = np.arange(n_rows) + 7
    parts = held_out.splits(rows, seed=0)
    assert len(parts) == n_parts
    for train, held in parts:
        np.testing.assert_array_equal(np.sort(np.concatenate([train, held])), rows)
        assert len(held) <= held_out.ENOUGH
    if n_parts == held_out.N_FOLDS:
        np.testing.assert_array_equal(np.sort(np.concatenate([held for _, held in parts])), rows)


@pytest.mark.parametrize("wanted, found", [(0.3, 0.3), (2.0, 1.0), (-1.0, 0.0)])
def test_the_best_factor_is_within_zero_and_one(wanted, found):
    scores = np.random.default_rng(0).normal(size=(50, 1))
    offsets = np.full((50, 1), 0.5, np.float32)
    data = TrainingData(np.zeros((50, 1), np.uint64), np.ones(50), (wanted * scores + 0.5).astype(np.float32), offsets)
    loss, factor = held_out.best_factor([(scores, data)], SquaredError(), shrinks=True)
    assert factor == (found if found in (0, 1) else pytest.approx(found, abs=2e-3))
    assert loss == pytest.approx(0.5 * (wanted - factor) ** 2 * np.mean(scores**2), rel=1e-3, abs=1e-5)
    loss, factor = held_out.best_factor([(scores, data)], SquaredError(), shrinks=False)
    assert factor == 1 and loss == pytest.approx(0.5 * (wanted - 1) ** 2 * np.mean(scores**2), rel=1e-3, abs=1e-5)


def test_a_network_that_only_learns_noise_is_shrunk_away():
    X, y = noise_and_signal(noise=1)
    noise = np.random.default_rng(1).normal(size=len(y))
    model = clone(MODEL).fit(X, noise)
    assert model.shrinkage_ < 0.6
    assert model.score(X, noise) < 0.7 * clone(MODEL).set_params(dropout=0.0).fit(X, noise).score(X, noise)


def test_a_network_that_is_right_is_trusted():
    model = clone(MODEL).set_params(max_iter=200).fit(*noise_and_signal(noise=0))
    assert model.shrinkage_ > 0.6


@pytest.mark.parametrize("n_rows, shrinkage", [(3999, 0.5), (4000, 0.25)])
def test_of_small_samples_the_shrinkage_is_mild(monkeypatch, n_rows, shrinkage):
    monkeypatch.setattr(held_out, "best_factor", lambda judged, loss, shrinks: (1.0, 0.25))
    model = clone(MODEL).set_params(max_iter=1, n_components=0).fit(*noise_and_signal(noise=1, n_rows=n_rows))
    assert model.shrinkage_ == shrinkage


@pytest.mark.parametrize("n_components, sizes, n_epochs", [(0, [128, 64], 7), ("auto", [64, 64], 5)])
def test_what_is_compared_is_narrower_and_shorter(monkeypatch, n_components, sizes, n_epochs):
    seen = []

    def network_scores(network, encoding, data, train, held):
        seen.append(network.layer_sizes[1:-1])
        return np.zeros((len(held), 1))

    monkeypatch.setattr(held_out, "network_scores", network_scores)
    model = BinaryMLPRegressor((256, 70), max_iter=20, n_components=n_components, random_state=0)
    numbers, train_epoch = set(), epochs.train_epoch
    monkeypatch.setattr(epochs, "train_epoch", lambda *arguments: numbers.add(arguments[-1]) or train_epoch(*arguments))
    model.fit(*noise_and_signal(noise=1, n_rows=100))
    assert all(layers == sizes for layers in seen) and numbers == {n_epochs, 20}


def test_several_classes_choose_as_well(capsys):
    X, y = load_iris(return_X_y=True)
    model = BinaryMLPClassifier((32,), n_components="auto", max_iter=20, random_state=0, verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    choices = [(n_components, dropout) for n_components in (0, 4) for dropout in held_out.DROPOUTS]
    chosen = f"Chosen: {model.n_components_} components, dropout {model.dropout_}, shrinkage {model.shrinkage_:.2f}"
    assert lines[4] == chosen
    for line, (n_components, dropout) in zip(lines[:4], choices, strict=True):
        said = rf"{n_components} components, dropout {dropout}: loss = \d\.\d+ on held-out rows, shrinkage [01]\.\d\d"
        assert re.fullmatch(said, line)
    assert model.dropout_ in held_out.DROPOUTS
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize(
    "losses, n_components",
    [
        ([1, 1, 1], 0),
        ([1, 0.91, 0.91], 0),
        ([1, 0.91, 0.89], 4),
        ([1, 0.89], 1),
    ],
)
def test_components_have_to_be_worth_it(monkeypatch, losses, n_components):
    """One direction, or else four principal components; each of the two alone has to take a tenth off."""
    losses = iter(losses)
    monkeypatch.setattr(held_out, "best_factor", lambda judged, loss, shrinks: (next(losses), 1.0))
    X, _ = noise_and_signal(noise=1)
    model = clone(MODEL).set_params(max_iter=1, dropout=0.0).fit(X, X.sum(axis=1))
    assert model.n_components_ == n_components
    assert next(losses, None) is None  # after a direction that is kept nothing else is tried


def test_losses_of_encodings_are_in_the_same_unit(monkeypatch):
    """The start on components leaves hardly anything of targets that are one, and that shows in the loss."""
    left = []

    def best_factor(judged, loss, shrinks):
        left.append(np.mean([np.mean(data.targets**2) for _, data in judged]))
        return left[-1], 1.0

    monkeypatch.setattr(held_out, "best_factor", best_factor)
    common, own = np.random.default_rng(0).normal(size=(2, 400))
    X = np.c_[common + 0.02 * own, common - 0.02 * own]
    model = clone(MODEL).set_params(max_iter=1, dropout=0.0).fit(X, np.sin(2 * own))
    assert model.n_components_ == 1
    assert left[0] > 0.5 and left[1] < 0.1


@pytest.mark.parametrize("outlier", [1e10, 1e39, 1e300])
def test_an_outlier_that_is_held_out_breaks_nothing(outlier):
    X, y = noise_and_signal(noise=1, n_rows=60)
    y[0] = outlier
    for unit in 1, 1e-300:
        model = clone(MODEL).set_params(max_iter=2).fit(X, np.r_[y[0], y[1:] * unit])
        assert np.isfinite(model.predict(X)).all()


def test_what_is_constant_drops_nothing():
    X, _ = noise_and_signal(noise=0, n_rows=60)
    model = clone(MODEL).set_params(max_iter=2).fit(X, np.full(60, 3.0))
    assert model.dropout_ == 0
