"""The loop over epochs, what watches it, and what targets mean to it."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.training import epochs
from skbnn.training import state as training_state
from skbnn.training.categories import Classes, Labels
from skbnn.training.early_stopping import EarlyStopping
from skbnn.training.epochs import Watcher, draw_batches, run_epochs
from skbnn.training.reals import Reals

ROWS = np.arange(100, 110)


def parameters(**values):
    return SimpleNamespace(**{"max_iter": 6, "shuffle": True, "batch_size": 4, **values})


@pytest.fixture
def state(monkeypatch):
    """A state without networks, whose trainers count epochs; Ctrl-C is pressed in epoch 3 if ``state.interrupt``."""
    state = SimpleNamespace(
        losses=[], scores=[], rng=np.random.default_rng(0), n_rows_trained=0, packed=None, trainers=[]
    )
    state.decision = SimpleNamespace(parameters=parameters())
    state.interrupt = False

    def train_epoch(trainers, data, batches, epoch, n_epochs):
        if state.interrupt and epoch == 3:
            raise KeyboardInterrupt
        assert n_epochs == 6 and state.packed is None
        trainers.append(epoch)
        return float(epoch)

    monkeypatch.setattr(epochs, "train_epoch", train_epoch)
    return state


class Recorder(Watcher):
    """Stops after an epoch, or keeps what an interrupt leaves."""

    def __init__(self, last=None, keeps=False):
        self.last, self.keeps, self.seen = last, keeps, []

    def loop_began(self, state):
        self.seen.append("began")

    def epoch_began(self, state):
        self.seen.append(f"epoch {len(state.losses)}")

    def epoch_ended(self, state):
        self.seen.append(state.losses[-1])
        return state.losses[-1] == self.last

    def interrupted(self, state):
        self.seen.append("interrupted")
        return self.keeps

    def loop_ended(self, state):
        self.seen.append("ended")


def test_mini_batches_are_the_rows_in_parts_that_differ_by_one_at_most():
    batches = draw_batches(ROWS, parameters(), np.random.default_rng(0))
    assert sorted(len(batch) for batch in batches) == [3, 3, 4]
    assert np.concatenate(batches).tolist() != ROWS.tolist() == np.sort(np.concatenate(batches)).tolist()
    assert np.concatenate(draw_batches(ROWS, parameters(shuffle=False), None)).tolist() == ROWS.tolist()


def test_one_watcher_stops_the_loop_and_all_are_told(state):
    watchers = Recorder(), Recorder(last=2), Recorder()
    run_epochs(state, None, ROWS, watchers)
    assert all(watcher.seen == ["began", "epoch 0", 0, "epoch 1", 1, "epoch 2", 2, "ended"] for watcher in watchers)
    assert state.losses == [0, 1, 2] and state.n_rows_trained == 30


def test_one_watcher_keeps_what_an_interrupt_leaves_else_it_is_raised(state):
    state.interrupt = True
    watchers = Recorder(), Recorder(keeps=True), Recorder()
    run_epochs(state, None, ROWS, watchers)
    assert all(watcher.seen[-4:] == [2, "epoch 3", "interrupted", "ended"] for watcher in watchers)
    with pytest.raises(KeyboardInterrupt):
        run_epochs(state, None, ROWS, [Recorder()])


@pytest.mark.parametrize(
    "scores, tol, n_epochs, best",
    [
        ([1, 2, 3, 4, 5, 6], 0.0, 6, 5),
        ([3, 4, 4, 3, 9, 9], 0.0, 4, 1),
        ([3, 3.1, 3.2, 9, 9, 9], 0.5, 3, 2),  # better, but by too little to go on
        ([-5, -6, -4, -4, -4, 9], 0.0, 5, 2),
    ],
)
def test_early_stopping_waits_for_a_gain_and_brings_back_the_best(state, scores, tol, n_epochs, best):
    state.pack = lambda data, rows: setattr(state, "packed", (data, *rows, len(state.trainers))) or state.packed
    packed = []
    stopping = EarlyStopping(lambda packed: scores[packed[-1] - 1], "data", ROWS, tol=tol, patience=2)
    watch = Watcher()
    watch.epoch_ended = lambda state: packed.append(state.packed)
    run_epochs(state, None, ROWS, [stopping, watch])
    np.testing.assert_array_equal(state.scores, scores[:n_epochs])
    assert state.trainers == list(range(best + 1)) and state.packed is packed[best]
    assert all(one[:-1] == ("data", *ROWS) for one in packed)


@pytest.mark.parametrize(
    "targets, y, encoded, output, loss",
    [
        (Classes(np.array(["a", "b"]), "log_loss"), ["b", "a"], [[1], [0]], "logistic", "log_loss"),
        (Classes(np.array([3, 5, 9]), "log_loss"), [9, 3], [[2], [0]], "softmax", "multiclass_log_loss"),
        (Labels(2, "squared_hinge"), [[0, 1], [1, 1]], [[0, 1], [1, 1]], "logistic", "squared_hinge"),
        (Reals(1, "huber"), [1, 2.5], [[1], [2.5]], "identity", "huber"),
        (Reals(2, "huber"), [[1, 2.5]], [[1, 2.5]], "identity", "huber"),
    ],
)
def test_targets_are_encoded_and_those_of_another_kind_raise(targets, y, encoded, output, loss):
    assert targets.encode(np.array(y)).tolist() == encoded
    assert (targets.output, targets.network_loss) == (output, loss)
    with pytest.raises(ValueError, match="y has"):
        targets.encode(np.zeros((4, 3)))


def test_rows_are_held_out_by_their_labels_so_that_errors_name_these():
    labels = np.array(["often", "rare"])
    y = labels.repeat([39, 1])
    targets = Classes(labels, "log_loss")
    assert targets.strata(targets.encode(y)).tolist() == y.tolist()
    assert Labels(2, "log_loss").strata(np.zeros((3, 2))) is Reals(1, "huber").strata(np.zeros((3, 1))) is None
    with pytest.raises(
        ValueError, match=r"validation_fraction=0.1 does not suit 40 rows, copies aside: The least populated class"
    ):
        BinaryMLPClassifier(early_stopping=True).fit(np.arange(40.0)[:, np.newaxis], y)


def test_statistics_are_of_the_rows_trained_on_and_in_a_stream_an_average(monkeypatch):
    seen = []

    def estimate_statistics(network, bits, sample_weight, *, rows, momentum):
        seen.append((len(rows), momentum))

    monkeypatch.setattr(training_state, "estimate_statistics", estimate_statistics)
    X, y = load_diabetes(return_X_y=True)
    model = BinaryMLPRegressor((8,), n_components=0, n_estimators=1, max_iter=1, dropout=0.0, warm_start=True)
    model.set_params(early_stopping=True).fit(X, y).set_params(early_stopping=False)
    model.partial_fit(X[:100], y[:100]).partial_fit(X[:20], y[:20]).fit(X, y)
    replayed = 32
    assert seen == [(397, 1.0), (100, 100 / 497), (20 + replayed, pytest.approx(0.1 * 20 / 50)), (442, 1.0)]


def test_a_stream_has_a_constant_rate_and_what_goes_on_may_have_another_loss():
    X, y = load_diabetes(return_X_y=True)
    model = BinaryMLPRegressor((8,), n_components=0, max_iter=2, dropout=0.0, warm_start=True, random_state=0)
    streams = [clone(model).set_params(learning_rate=rate).partial_fit(X, y) for rate in ("constant", "cosine")]
    np.testing.assert_array_equal(*(stream.partial_fit(X, y).predict(X) for stream in streams))
    again = [clone(model).fit(X, y).set_params(loss=loss).fit(X, y) for loss in ("squared_error", "huber")]
    assert again[0].loss_curve_ != again[1].loss_curve_
