"""What Ctrl-C, an error or a divergence leaves of an estimator."""

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count, product
from threading import Thread

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import r2_score

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder
from skbnn._whole import whole
from skbnn.network import ensemble
from skbnn.training import epochs
from skbnn.training import state as training_state
from skbnn.training.early_stopping import EarlyStopping

SHORT = {"hidden_layer_sizes": (8,), "max_iter": 4, "dropout": 0.0, "n_components": 0, "random_state": 0}
MODELS = [
    (BinaryMLPClassifier(**SHORT), *load_iris(return_X_y=True)),
    (BinaryMLPRegressor(**SHORT), *load_diabetes(return_X_y=True)),
]
both = pytest.mark.parametrize("model, X, y", MODELS, ids=["classifier", "regressor"])
going_on = pytest.mark.parametrize("again", ["fit", "partial_fit"])


@pytest.fixture(autouse=True)
def ctrl_c():
    """Of a terminal, whatever runs the tests; it is in place after a fit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def press(function, n=1):
    """The same with Ctrl-C pressed so many times on the way in."""

    def pressed(*given, **named):
        for _ in range(n):
            signal.raise_signal(signal.SIGINT)
        return function(*given, **named)

    return pressed


def press_before_epoch(number, monkeypatch):
    train_epoch = epochs.train_epoch

    def pressed(trainers, data, batches, epoch, n_epochs):
        if epoch == number:
            signal.raise_signal(signal.SIGINT)
        return train_epoch(trainers, data, batches, epoch, n_epochs)

    monkeypatch.setattr(epochs, "train_epoch", pressed)


def same(one, other):
    return one.packed_ == other.packed_ and one.loss_curve_ == other.loss_curve_ and one.t_ == other.t_


@both
def test_ctrl_c_in_the_final_fold_waits_until_the_estimator_is_the_new_one(model, X, y, monkeypatch):
    expected, model = clone(model).fit(X, y), clone(model)
    monkeypatch.setattr(training_state, "fold", press(training_state.fold))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert same(model, expected)


@both
def test_a_second_ctrl_c_waits_until_what_was_trained_is_kept(model, X, y, monkeypatch):
    model = clone(model)
    press_before_epoch(2, monkeypatch)
    monkeypatch.setattr(training_state, "fold", press(training_state.fold))
    with pytest.warns(UserWarning, match="after 2 of 4 epochs"), pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 2 and len(model.predict(X)) == len(X)


@both
def test_nobody_is_kept_from_leaving(model, X, y, monkeypatch):
    model = clone(model)
    monkeypatch.setattr(training_state, "fold", press(training_state.fold, n=2))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert vars(model).keys() == model.get_params().keys()


@both
def test_ctrl_c_while_watchers_are_told_of_the_end_keeps_all(model, X, y, monkeypatch):
    model = clone(model).set_params(early_stopping=True)
    expected = clone(model).fit(X, y)
    monkeypatch.setattr(EarlyStopping, "loop_ended", press_once(EarlyStopping.loop_ended))
    with pytest.warns(UserWarning, match="after 4 of 4 epochs"):
        model.fit(X, y)
    assert same(model, expected)


def press_once(function):
    """The same with Ctrl-C pressed on the way in of the first call."""
    first = iter([press(function)])
    return lambda *given: next(first, function)(*given)


@both
@going_on
def test_what_cannot_be_kept_leaves_weights_random_numbers_and_memory_as_they_were(model, X, y, again, monkeypatch):
    model = clone(model).fit(X[::2], y[::2]).partial_fit(X[1::2], y[1::2]).set_params(warm_start=True)
    untouched = clone(model).fit(X[::2], y[::2]).partial_fit(X[1::2], y[1::2])
    for name in "estimate_statistics", "fold":  # once all is trained
        monkeypatch.setattr(training_state, name, press(getattr(training_state, name), n=2))
        with pytest.raises(KeyboardInterrupt):
            getattr(model, again)(X, y)
        monkeypatch.undo()
    assert same(getattr(model, again)(X, y), getattr(untouched, again)(X, y))
    assert same(model.partial_fit(X, y), untouched.partial_fit(X, y))


@both
def test_ctrl_c_in_a_stream_learns_nothing_of_the_call(model, X, y, monkeypatch):
    model, untouched = clone(model).fit(X, y), clone(model).fit(X, y)
    monkeypatch.setattr(training_state, "fold", press(training_state.fold))
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X[:40], y[:40])
    monkeypatch.undo()
    assert same(model, untouched) and same(model.partial_fit(X, y), untouched.partial_fit(X, y))


@both
def test_ctrl_c_that_a_fit_within_a_scorer_keeps_does_not_count_for_the_fit_around_it(model, X, y):
    def scoring(act):
        epochs = count(1)
        return lambda estimator, X, y: act(next(epochs)) or 0.0

    def press_in_second(epoch):
        if epoch == 2:
            signal.raise_signal(signal.SIGINT)

    def fit_in_first_and_press_in_third(epoch):
        if epoch == 1:
            inner.fit(X, y)
        press_in_second(epoch - 1)

    inner = clone(model).set_params(scoring=scoring(press_in_second), early_stopping=True)
    outer = clone(model).set_params(scoring=scoring(fit_in_first_and_press_in_third), early_stopping=True)
    with pytest.warns(UserWarning, match="interrupted by user"):
        outer.fit(X, y)
    assert inner.n_iter_ == 2 and outer.n_iter_ == 3


def test_a_fit_in_another_thread_leaves_ctrl_c_alone():
    model, X, y = MODELS[0]
    model, handlers = clone(model), []

    def scoring(estimator, X, y):
        handlers.append(signal.getsignal(signal.SIGINT))
        return 0.0

    thread = Thread(target=lambda: model.set_params(scoring=scoring, early_stopping=True).fit(X, y))
    thread.start()
    thread.join()
    assert model.n_iter_ and set(handlers) == {signal.default_int_handler}


def test_ctrl_c_that_is_ignored_stays_so():
    model, X, y = MODELS[0]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        clone(model).fit(X, y)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_no_thread_trains_on_that_ctrl_c_has_made_the_caller_forget(monkeypatch):
    class Forgetful(ThreadPoolExecutor):
        def submit(self, *given):
            super().submit(*given)
            raise KeyboardInterrupt

    class Endless:
        n_calls = 0

        def train(self, data, batches, progress, n_threads):
            self.n_calls += 1
            return 0.0

    trainers = [Endless(), Endless()]
    monkeypatch.setattr(ensemble, "effective_n_threads", lambda: 2)
    with Forgetful(2) as pool:
        monkeypatch.setattr(ensemble, "threads", lambda process: pool)
        with pytest.raises(KeyboardInterrupt):
            ensemble.train_epoch(trainers, None, [np.arange(1)] * 10**6, 0, 1)
        counts = [trainer.n_calls for trainer in trainers]
    assert counts == [trainer.n_calls for trainer in trainers]  # all threads have ended by now


class BreaksOff(Exception):
    """Raised by what users write."""


def broken_scorer(estimator, X, y):
    raise BreaksOff


class BrokenStream:
    """A standard output that cannot be written to."""

    def write(self, text):
        raise BreaksOff

    def flush(self):
        pass

    def isatty(self):
        return False


BAD = {
    "a target that is NaN": lambda model, X, y: model.fit(X, np.where(np.arange(len(y)) == 3, np.nan, y)),
    "rows that are not as many": lambda model, X, y: model.fit(X[:, :2], y[1:]),
    "a weight that is negative": lambda model, X, y: model.fit(X[:, :2], y, -np.ones(len(y))),
    "a parameter": lambda model, X, y: model.set_params(batch_size=1).fit(X[:, :2], y),
    "another network": lambda model, X, y: model.set_params(hidden_layer_sizes=(0,)).fit(X[:, :2], y),
    "held-out rows that are too few": lambda model, X, y: held_out(model, 1e-9).fit(X[:, :2], y),
    "a scorer": lambda model, X, y: model.set_params(scoring=broken_scorer, early_stopping=True).fit(X[:, :2], y),
    "a stream that stops early": lambda model, X, y: held_out(model, 0.1).partial_fit(X, y),
    "a stream that diverges": lambda model, X, y: model.set_params(learning_rate_init=1e300).partial_fit(X, y),
    "validation rows": lambda model, X, y: model.fit(X[:, :2], y, X_val=X, y_val=y),
}
BAD_AFTER_A_FIT = {
    "a stream of fewer columns": lambda model, X, y: model.partial_fit(X[:, :2], y),
    "a stream of other targets": lambda model, X, y: model.partial_fit(X, np.c_[y, y, y]),
}


def held_out(model, fraction):
    return model.set_params(early_stopping=True, validation_fraction=fraction)


@both
@pytest.mark.parametrize(
    "fails, was_fitted", [*product(BAD, [True, False]), *product(BAD_AFTER_A_FIT, [True])], ids=str
)
def test_a_call_that_fails_leaves_all_as_it_was(model, X, y, fails, was_fitted):
    model, fails = clone(model), (BAD | BAD_AFTER_A_FIT)[fails]
    if was_fitted:
        model.fit(X, y)
    fitted = vars(model).keys() - model.get_params().keys()
    before = {name: vars(model)[name] for name in fitted}
    with pytest.raises((ValueError, BreaksOff)):
        fails(model, X, y)
    assert {name: value for name, value in vars(model).items() if name not in model.get_params()} == before
    if was_fitted:
        model.set_params(**SHORT, learning_rate_init=None, early_stopping=False, batch_size="auto")
        assert same(model.partial_fit(X, y), clone(model).set_params(scoring=None).fit(X, y).partial_fit(X, y))


@both
def test_what_is_shown_may_fail(model, X, y, monkeypatch):
    model = clone(model).fit(X, y).set_params(verbose=2)
    before = vars(model).copy()
    monkeypatch.setattr(sys, "stdout", BrokenStream())
    with pytest.raises(BreaksOff):
        model.fit(X[:, :2], y)
    assert vars(model) == before


def test_an_encoder_that_fails_to_learn_is_as_it_was(monkeypatch):
    X, _ = load_iris(return_X_y=True)
    encoder = ThermometerEncoder().fit(X)
    before, codes = vars(encoder).copy(), encoder.transform(X)
    monkeypatch.setattr("skbnn._thermometer.find_encoding", None)
    with pytest.raises(TypeError):
        encoder.fit(X[:, :2])
    monkeypatch.undo()
    assert vars(encoder) == before
    np.testing.assert_array_equal(encoder.transform(X), codes)


def test_an_estimator_becomes_its_copy_in_one_step_and_keeps_what_others_set():
    encoder = ThermometerEncoder()
    encoder.old_, encoder.gone_ = 1, 2
    with whole(encoder) as fitted:
        fitted.old_, fitted.new_ = 3, 4
        del fitted.gone_
        encoder.noted, encoder.output = 5, "zero_one"  # as a callback may
        assert encoder.old_ == 1 and encoder.gone_ == 2 and not hasattr(encoder, "new_")
    expected = {**clone(encoder).get_params(), "old_": 3, "new_": 4, "noted": 5, "output": "zero_one"}
    assert vars(encoder) == expected
    with pytest.raises(BreaksOff), whole(encoder) as fitted:
        fitted.old_ = 6
        raise BreaksOff
    assert vars(encoder) == expected


@both
@pytest.mark.parametrize("solver", ["adam", "sgd", "bop"])
@going_on
def test_a_sane_rate_goes_on_where_another_diverged(model, X, y, solver, again):
    model = clone(model).set_params(solver=solver, warm_start=True, init="constant").fit(X, y)
    expected = getattr(clone(model).fit(X, y), again)(X, y)
    with pytest.raises(ValueError, match=r"learning_rate_init=1e\+30.*training diverged"):
        getattr(model.set_params(learning_rate_init=1e30), again)(X, y)
    assert same(getattr(model.set_params(learning_rate_init=None), again)(X, y), expected)


@both
@pytest.mark.parametrize("dropout", [0.0, "auto"])
@pytest.mark.parametrize(
    "extreme, says",
    [
        ({"learning_rate_init": 1e30}, r"solver='adam', learning_rate_init=1e\+30"),
        ({"learning_rate_init": 1e300, "solver": "bop"}, r"solver='bop', learning_rate_init=1e\+300"),
        (
            {"learning_rate_init": 1e36, "solver": "sgd", "momentum": 0.999999},
            r"momentum=0.999999: training diverged. Lower learning_rate_init, leave momentum at 0.9",
        ),
        (
            {"learning_rate_init": 1e38, "beta_2": 0.0},
            r"beta_1=0.9, beta_2=0.0, .*Lower learning_rate_init, leave beta_2 at 0.999",
        ),
    ],
)
def test_a_training_that_diverges_says_by_what(model, X, y, dropout, extreme, says):
    with pytest.raises(ValueError, match=says):
        clone(model).set_params(**extreme, dropout=dropout, init="constant").fit(X, y)


@both
@pytest.mark.parametrize(
    "extreme",
    [
        *({"epsilon": value} for value in (1e300, 1e39, 1e-320)),
        *({"learning_rate_init": 1e-320, "solver": solver} for solver in ("adam", "sgd", "bop")),
        *({"beta_1": value} for value in (0.0, 0.999999)),
        *({"beta_2": value} for value in (0.0, 0.999999)),
        {"momentum": 0.999999, "solver": "sgd"},
        *({"tol": value, "early_stopping": True} for value in (0.0, 1e308)),
        {"n_iter_no_change": 2**70, "early_stopping": True},
        {"dropout": 0.999},
        {"dropout": 1e-320},
    ],
    ids=str,
)
def test_extreme_parameters_that_do_not_diverge_train(model, X, y, extreme):
    model = clone(model).set_params(**extreme).fit(X, y)
    assert np.isfinite(model.loss_curve_).all() and np.isfinite(model.score(X, y))


@pytest.mark.parametrize("loss", ["squared_error", "huber", "absolute_error"])
@pytest.mark.parametrize("scale", [1e-300, 1e200, 1e306])
def test_early_stopping_scores_targets_of_any_size(loss, scale):
    model, X, y = MODELS[1]
    model = clone(model).set_params(loss=loss, early_stopping=True)
    y = (y - y.mean()) / y.std()
    expected, scaled = clone(model).fit(X, y), clone(model).fit(X, scale * y)
    assert scaled.validation_scores_ == pytest.approx(expected.validation_scores_, abs=0.05)
    assert r2_score(y, scaled.predict(X) / scale) == pytest.approx(expected.score(X, y), abs=0.05)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("again", ["fit", "partial_fit"])
def test_targets_that_are_too_large_are_said_to_be(early_stopping, again):
    model, X, y = MODELS[1]
    y = 1.7e308 * ((y - y.min()) / np.ptp(y))
    with pytest.raises(ValueError, match=r"y is too large|y has to be scaled down|partial_fit does not support early"):
        getattr(clone(model).set_params(early_stopping=early_stopping), again)(X, y)
