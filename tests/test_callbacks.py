"""scikit-learn's callbacks, where its release has them, watch a fit and may stop it."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.training import epochs

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has no callbacks before 1.9")

IRIS = load_iris(return_X_y=True)
CLASSIFIER = BinaryMLPClassifier((8,), max_iter=4, dropout=0.1, random_state=0)
REGRESSOR = BinaryMLPRegressor((8,), max_iter=4, random_state=0)
both = pytest.mark.parametrize("model, X, y", [(CLASSIFIER, *IRIS), (REGRESSOR, *load_diabetes(return_X_y=True))])


class Recorder:
    """Notes what it is told, and stops after an epoch."""

    def __init__(self, last=None):
        self.last, self.told, self.fitted = last, [], []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X, y, metadata):
        self.told.append(f"begin {context.task_name}")
        self.given = X, y, metadata

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.told.append(f"end {context.task_name}")
        if context.task_name == "epoch":
            self.fitted.append(fitted_estimator)
        return context.task_name == "epoch" and context.task_id == self.last


class GoesOn(Recorder):
    """Trains each epoch's estimator further, which is no business of the fit."""

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.task_name == "epoch":
            fitted_estimator.set_callbacks().partial_fit(X, y)


def told(*parts):
    """What a Recorder is told of a fit with these parts of "train"."""
    return [
        "setup",
        "begin fit",
        "begin decide",
        "end decide",
        "begin train",
        *parts,
        "end train",
        "end fit",
        "teardown",
    ]


EPOCH = ["begin epoch", "end epoch"]


@both
def test_a_fit_is_told_as_tasks_with_the_rows_as_they_were_given(model, X, y):
    recorder, weight = Recorder(), np.ones(len(X))
    model = clone(model).set_callbacks(recorder).fit(X, y, weight)
    assert recorder.told == told(*4 * EPOCH)
    assert recorder.given[0] is X and recorder.given[1] is y and recorder.given[2]["sample_weight"] is weight
    model.partial_fit(X, y)
    assert recorder.told[len(told(*4 * EPOCH)) :] == told(*EPOCH) and recorder.given[2] is None
    assert len(recorder.fitted) == 5 and recorder.fitted[-1].packed_ == model.packed_


@both
@pytest.mark.parametrize("make", [Recorder, GoesOn])
def test_callbacks_change_nothing_in_what_is_trained(model, X, y, make):
    plain, watched = clone(model).fit(X, y), clone(model).set_callbacks(make()).fit(X, y)
    assert watched.packed_ == plain.packed_ and watched.loss_curve_ == plain.loss_curve_
    assert watched.partial_fit(X, y).packed_ == plain.partial_fit(X, y).packed_


@both
def test_each_epoch_has_the_estimator_that_would_be_delivered_if_a_callback_stopped_there(model, X, y):
    recorder = Recorder()
    clone(model).set_callbacks(recorder).fit(X, y)
    for epoch, fitted in enumerate(recorder.fitted):
        stopping = Recorder(last=epoch)
        stopped = clone(model).set_callbacks(stopping).fit(X, y)
        assert stopping.told == told(*(epoch + 1) * EPOCH)
        assert fitted.packed_ == stopped.packed_ and fitted.n_iter_ == stopped.n_iter_ == epoch + 1
        assert fitted.loss_curve_ == stopped.loss_curve_ and fitted.flip_ratio_curve_ == stopped.flip_ratio_curve_
        np.testing.assert_array_equal(fitted.feature_importances_, stopped.feature_importances_)
    assert len({fitted.packed_ for fitted in recorder.fitted}) > 1


def test_callbacks_find_validation_scores_in_the_epochs_estimator():
    recorder = Recorder()
    model = clone(CLASSIFIER).set_params(early_stopping=True).set_callbacks(recorder).fit(*IRIS)
    assert [len(fitted.validation_scores_) for fitted in recorder.fitted] == [1, 2, 3, 4]
    assert recorder.fitted[-1].validation_scores_ == model.validation_scores_


@pytest.mark.parametrize("loud", [False, True])
def test_callbacks_that_ask_for_no_estimator_cost_no_packing(loud, monkeypatch):
    class Quiet(Recorder):
        def on_fit_task_end(self, estimator, context):
            pass

    copies, attributes_of = [], BinaryMLPClassifier._attributes_of
    monkeypatch.setattr(
        BinaryMLPClassifier, "_attributes_of", lambda *given, **kept: copies.append(1) or attributes_of(*given, **kept)
    )
    clone(CLASSIFIER).set_callbacks(Recorder() if loud else Quiet()).fit(*IRIS)
    assert len(copies) == (4 if loud else 0)


@pytest.mark.parametrize("at, kept", [(2, True), (0, False)])
def test_an_interrupt_ends_what_began_and_tears_down(at, kept, monkeypatch):
    train_epoch = epochs.train_epoch

    def interrupted(*arguments):
        if arguments[-2] == at:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    recorder = Recorder()
    model = clone(CLASSIFIER).set_callbacks(recorder)
    monkeypatch.setattr(epochs, "train_epoch", interrupted)
    with pytest.warns(UserWarning, match="interrupted by user") if kept else pytest.raises(KeyboardInterrupt):
        model.fit(*IRIS)
    monkeypatch.undo()
    assert recorder.told.count("teardown") == 1
    assert not kept or recorder.told == told(*3 * EPOCH)
    recorder.told.clear()
    model.fit(*IRIS)
    assert recorder.told == told(*4 * EPOCH)


def test_a_fit_that_fails_tears_down():
    recorder = Recorder()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clone(CLASSIFIER).set_callbacks(recorder).fit(IRIS[0], IRIS[1][1:])
    assert recorder.told == ["setup", "begin fit", "begin decide", "teardown"]


def test_the_scoring_monitor_scores_each_epoch_of_a_frame_with_weights():
    X, y = load_iris(return_X_y=True, as_frame=True)
    weight = 1.0 + y
    monitor, recorder = callback.ScoringMonitor(scoring="accuracy"), Recorder()
    model = clone(CLASSIFIER).set_callbacks(monitor, recorder).fit(X, y, weight)
    log = monitor.get_logs().data
    scores = [row["accuracy"] for row in log if row["task_name"] == "epoch"]
    assert scores == [accuracy_score(y, fitted.predict(X), sample_weight=weight) for fitted in recorder.fitted]
    assert [row["accuracy"] for row in log if row["task_name"] == "fit"] == [model.score(X, y, weight)]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_grid_search_hands_callbacks_down(n_jobs, capfd):
    pytest.importorskip("rich")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = clone(CLASSIFIER).set_callbacks(monitor)
    search = GridSearchCV(model, {"dropout": [0.0, 0.2]}, cv=2, n_jobs=n_jobs)
    search.set_callbacks(callback.ProgressBar()).fit(*IRIS)
    of_epochs = [row["task_id_path"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(of_epochs) == 4 * (2 * 2 + 1) and len({path[:-2] for path in of_epochs}) == 5
    shown = capfd.readouterr().out
    assert shown.count("BinaryMLPClassifier - train") >= 5 and "GridSearchCV - fit" in shown


def test_a_pipeline_hands_callbacks_down(capfd):
    pytest.importorskip("rich")
    pipeline = make_pipeline(StandardScaler(), clone(CLASSIFIER)).set_callbacks(callback.ProgressBar())
    assert pipeline.fit(*IRIS).score(*IRIS) > 0.8
    assert "BinaryMLPClassifier - train" in capfd.readouterr().out
