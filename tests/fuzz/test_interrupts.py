"""After an interrupt or any other exception, at any moment, an estimator is whole: the old one or a new one.

Ctrl-C comes at a drawn moment of a call, once or twice: as a real signal from another thread, and where a trace of the
package's bytecode says so, by itself or as any exception. Then the estimator either is as it was, and goes on as if
nothing had been called, or is a new one that agrees with itself.
"""

import dis
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris

import skbnn
from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.folding import fold

# After these Python looks for signals. Elsewhere a trace could raise where Ctrl-C can't: as a lock is let go.
LOOKS = "CALL", "CALL_FUNCTION_EX", "CALL_KW", "JUMP_BACKWARD", "RESUME"

PACKAGE = str(Path(skbnn.__file__).parent) + os.sep
IRIS, DIABETES = load_iris(return_X_y=True), load_diabetes(return_X_y=True)
SHORT = {"hidden_layer_sizes": (8,), "max_iter": 3, "n_estimators": 2, "n_components": 0, "random_state": 0}
MODELS = {
    "classifier": (BinaryMLPClassifier(**SHORT, dropout=0.1, init="constant"), *(part[::2] for part in IRIS)),
    "regressor": (BinaryMLPRegressor(**SHORT, dropout=0.1, solver="sgd"), *(part[:80] for part in DIABETES)),
}


def fitted(name, **params):
    """A model that was fitted to half of the rows."""
    model, X, y = MODELS[name]
    return clone(model).set_params(**params).fit(X[::2], y[::2]), X, y


def of_fewer(name):
    """Rows of fewer features and classes."""
    _, X, y = MODELS[name]
    return X[y >= np.median(y), :3], y[y >= np.median(y)]


def first_fit(name):
    model, X, y = MODELS[name]
    return clone(model), lambda model: model.fit(X, y)


def another_fit(name):
    model, X, y = MODELS[name]
    return clone(model).fit(*of_fewer(name)), lambda model: model.fit(X, y)


def fit_that_stops_early(name):
    model, X, y = MODELS[name]
    return clone(model).set_params(early_stopping=True, max_iter=5), lambda model: model.fit(X, y)


def warm_start(name):
    model, X, y = fitted(name, warm_start=True)
    return model, lambda model: model.fit(X, y)


def first_call_of_a_stream(name):
    model, X, y = MODELS[name]
    classes = [np.unique(y)] if name == "classifier" else []
    return clone(model), lambda model: model.partial_fit(X, y, *classes)


def stream_that_begins_anew(name):
    model, X, y = MODELS[name]
    classes = [np.unique(y)] if name == "classifier" else []
    return clone(model).partial_fit(X[::3], y[::3], *classes), lambda model: model.partial_fit(X, y)


def stream(name):
    model, X, y = fitted(name)
    return model, lambda model: model.partial_fit(X[:40], y[:40])


def finalize(name):
    model, *_ = fitted(name)
    return model, lambda model: model.finalize()


def predict(name):
    model, X, _ = fitted(name)
    return model, lambda model: (model.predict(X), pickle.dumps(model), deepcopy(model), model.feature_importances_)


CALLS = [
    *[first_fit, another_fit, fit_that_stops_early, warm_start],
    *[first_call_of_a_stream, stream_that_begins_anew, stream, finalize, predict],
]
KEEPS = first_fit, another_fit, fit_that_stops_early, warm_start  # what an interrupt leaves


@cache
def prepared(call, name):
    """A model as it is before a call, the call, how long it takes and what it makes of the model."""
    before, run = call(name)
    after = deepcopy(before)
    since = time.perf_counter()
    run(after)
    return before, run, time.perf_counter() - since, after


@cache
def going_on(call, name):
    """What becomes of the old model by one more call of partial_fit."""
    before, *_ = prepared(call, name)
    return went_on(deepcopy(before), name)


def went_on(model, name):
    """The same of any; a model that was not fitted is fitted."""
    _, X, y = MODELS[name]
    if not hasattr(model, "n_features_in_"):
        return model.fit(X, y)
    return model.partial_fit(*((X, y) if X.shape[1] == model.n_features_in_ else of_fewer(name)))


def check_same(one, other):
    """Two models predict and were trained alike, and draw the same from now on."""
    assert one.packed_ == other.packed_ and one.loss_curve_ == other.loss_curve_ and one.t_ == other.t_
    assert one._state.rng.bit_generator.state == other._state.rng.bit_generator.state
    np.testing.assert_array_equal(one.feature_importances_, other.feature_importances_)


def check_agrees(model, name, after):
    """A model that an interrupt has left agrees with itself, and has to do with what it would have become."""
    state, packed, (_, X, y) = model._state, model.packed_, MODELS[name]
    assert (
        model.n_iter_ == len(model.loss_curve_) == len(model.flip_ratio_curve_) and np.isfinite(model.loss_curve_).all()
    )
    assert model.loss_ == (model.loss_curve_[-1] if model.loss_curve_ else None)
    scores = model.validation_scores_
    assert scores is None or (len(scores) <= model.n_iter_ and model.best_validation_score_ == max(scores))
    assert model.t_ * after.n_iter_ == after.t_ * model.n_iter_  # the same rows in each epoch
    assert model.n_features_in_ == X.shape[1] and model.hidden_layer_sizes_ == (8,)
    assert name == "regressor" or packed.classes.tolist() == model.classes_.tolist() == np.unique(y).tolist()
    initial, encoding = state.decision.initial_model, state.decision.encoding
    networks, factor = [trainer.network for trainer in state.trainers], state.decision.shrinkage * initial.scale
    assert fold(networks, encoding, initial.additive, output=packed.output, factor=factor) == state.packed
    np.testing.assert_array_equal(state.packed.decision_function(X), packed.decision_function(X))
    model.set_params(early_stopping=False)
    check_same(pickle.loads(pickle.dumps(model)).partial_fit(X, y), model.partial_fit(X, y))


def check_whole(model, before, name, call, *, raised):
    """A model is the old one, with the attributes that it had before, or a new one, as the call says."""
    *_, after = prepared(call, name)
    if vars(model).keys() == before.keys() and all(vars(model)[key] is value for key, value in before.items()):
        assert raised or call is predict
        check_same(went_on(model, name), going_on(call, name))
    elif call is finalize:
        assert type(model._state) is type(after._state) and model.packed_ == after.packed_
    elif call not in KEEPS or model.n_iter_ == after.n_iter_:
        check_same(model, after)
    else:
        check_agrees(model, name, after)


def run_interrupted(run, model, press):
    """Whether a call that ``press``, a context, interrupts raised, and that Ctrl-C does afterwards what it did."""

    def ctrl_c(signum, frame):
        if active:
            raise KeyboardInterrupt

    active, raised, begun = [True], False, False
    earlier = signal.signal(signal.SIGINT, ctrl_c)
    try:
        with warnings.catch_warnings(action="ignore"):
            while active:  # a second interrupt can come in here
                try:
                    if not begun:
                        begun = True
                        with press:
                            run(model)
                    active.clear()
                except (KeyboardInterrupt, MemoryError, SystemExit):
                    raised = True
        press.end()
        return raised, signal.getsignal(signal.SIGINT) is ctrl_c
    finally:
        signal.signal(signal.SIGINT, earlier)


class FromAnotherThread:
    """Presses Ctrl-C after each of some delays in seconds."""

    def __init__(self, *delays):
        self.delays, self.done = delays, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.press)
        self.thread.start()

    def __exit__(self, *exception):
        self.done.set()

    def end(self):
        """Wait for what may still come."""
        self.done.set()
        self.thread.join()

    def press(self):
        for delay in self.delays:
            if self.done.wait(delay):
                return
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


class WhereTraced:
    """Raises at the n-th bytecode before which Python looks for signals, and as an n-th call of C returns after that.

    Without numbers it counts. A trace that has raised is over, so the second is that of a profile.
    """

    def __init__(self, raises, first=None, second=None):
        self.raises, self.first, self.second, self.n_first, self.n_second = raises, first, second, 0, 0
        self.last = None  # bytecode, of any function

    def __enter__(self):
        sys._getframe().f_trace_opcodes = True  # else Python 3.12.1 shows none
        sys.settrace(self.trace)

    def __exit__(self, *exception):
        self.end()

    def end(self):
        """Leave no trace."""
        sys.settrace(None)
        sys.setprofile(None)

    def trace(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            looks, self.last = self.last in LOOKS, dis.opname[frame.f_code.co_code[frame.f_lasti]]
            if looks:
                self.n_first += 1
                if self.n_first - 1 == self.first:
                    if self.second is not None:
                        sys.setprofile(self.profile)
                    self.raises()
        return self.trace

    def profile(self, frame, event, argument):
        if event == "c_return" and frame.f_code.co_filename.startswith(PACKAGE):
            self.n_second += 1
            if self.n_second - 1 == self.second:
                sys.setprofile(None)
                self.raises()


@cache
def n_traced(call, name):
    """Bytecodes of a call."""
    before, run, *_ = prepared(call, name)
    press = WhereTraced(None)
    run_interrupted(run, deepcopy(before), press)
    assert press.n_first > 20
    return press.n_first


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def interrupt():
    raise KeyboardInterrupt


def run_out_of_memory():
    raise MemoryError


def leave():
    raise SystemExit


calls, names = st.sampled_from(CALLS), st.sampled_from(sorted(MODELS))
moments = st.integers(0, 999_999).map(lambda n: n / 1_000_000)  # of a call; unlike floats, as often late as early


# A signal may meet Hypothesis' own measurement of garbage collection, which Python then only warns of.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*gc_callback:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")
@given(calls, names, moments, st.none() | moments.map(lambda moment: moment / 50))
@settings(max_examples=settings().max_examples // 2)
def test_ctrl_c_leaves_a_whole_estimator(call, name, moment, second):
    before, run, seconds, _ = prepared(call, name)
    delays = [moment * seconds] if second is None else [moment * seconds, second]
    model = deepcopy(before)
    given = vars(model).copy()
    raised, restored = run_interrupted(run, model, FromAnotherThread(*delays))
    assert restored
    check_whole(model, given, name, call, raised=raised)


@given(
    calls,
    names,
    moments,
    st.none() | st.integers(0, 40) | st.integers(0, 2000),
    st.sampled_from([press_ctrl_c, interrupt, run_out_of_memory, leave]),
)
@example(first_fit, "classifier", 0.99, None, press_ctrl_c)  # in the final fold
@example(warm_start, "classifier", 0.7, 3, press_ctrl_c)
@example(warm_start, "regressor", 0.9, None, run_out_of_memory)
@example(stream, "regressor", 0.9, None, press_ctrl_c)
@settings(max_examples=settings().max_examples // 2)
def test_an_exception_at_any_bytecode_leaves_a_whole_estimator(call, name, moment, second, raises):
    before, run, *_ = prepared(call, name)
    model = deepcopy(before)
    given = vars(model).copy()
    press = WhereTraced(raises, int(moment * n_traced(call, name)), second)
    raised, restored = run_interrupted(run, model, press)
    assert restored or raises is not press_ctrl_c
    check_whole(model, given, name, call, raised=raised)
