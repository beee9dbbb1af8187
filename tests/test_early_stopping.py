"""Rows to stop early by, held out or given, and what to go by."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, check_scoring, get_scorer, log_loss, make_scorer
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.training import epochs

SHORT = {"hidden_layer_sizes": (16,), "max_iter": 6, "dropout": 0.0, "n_estimators": 1, "random_state": 0}
CLASSIFIER, REGRESSOR = BinaryMLPClassifier(**SHORT), BinaryMLPRegressor(**SHORT, n_components=0)

IRIS, CANCER, DIABETES = load_iris(), load_breast_cancer(), load_diabetes()
LABELS = make_multilabel_classification(200, n_classes=3, random_state=0)

# each a model, X, y, and scorers that suit it
KINDS = {
    "binary": (CLASSIFIER, CANCER.data, CANCER.target, ["accuracy", "neg_log_loss", "roc_auc", "neg_brier_score"]),
    "strings": (CLASSIFIER, IRIS.data, IRIS.target_names[IRIS.target], ["f1_macro", "neg_log_loss", "roc_auc_ovr"]),
    "labels": (CLASSIFIER, *LABELS, ["accuracy", "f1_micro", "roc_auc"]),
    "hinge": (clone(CLASSIFIER).set_params(loss="squared_hinge"), IRIS.data, IRIS.target, ["balanced_accuracy"]),
    "real": (REGRESSOR, DIABETES.data, DIABETES.target, ["r2", "neg_mean_absolute_error"]),
    "reals": (REGRESSOR, DIABETES.data, np.c_[DIABETES.target, DIABETES.data[:, 2]], ["neg_mean_squared_error"]),
    "huber": (clone(REGRESSOR).set_params(loss="huber"), DIABETES.data, DIABETES.target, ["neg_median_absolute_error"]),
}
of_each_kind = pytest.mark.parametrize("model, X, y, scorers", KINDS.values(), ids=KINDS)
both = pytest.mark.parametrize("model, X, y", [(CLASSIFIER, IRIS.data, IRIS.target), KINDS["real"][:3]], ids="cr")


def parts(*arrays):
    """Of each array the rows to train on and the rows to stop by, as lists."""
    halves = train_test_split(*arrays, test_size=0.4, random_state=0)
    return halves[::2], halves[1::2]


class Recorder:
    """A scorer that notes what it is passed, and gives scores one after the other."""

    def __init__(self, *scores):
        self.scores, self.seen = scores, []

    def __call__(self, estimator, X, y, sample_weight=None):
        check_is_fitted(estimator)
        self.seen.append((estimator, estimator.n_iter_, estimator.predict(X), X, y, sample_weight))
        return self.scores[len(self.seen) - 1] if self.scores else len(self.seen)


@pytest.mark.parametrize(
    "ours, theirs",
    [(BinaryMLPClassifier, HistGradientBoostingClassifier), (BinaryMLPRegressor, HistGradientBoostingRegressor)],
)
def test_fit_takes_what_hist_gradient_boosting_takes(ours, theirs):
    def parameters(estimator):
        every = inspect.signature(estimator.fit).parameters.values()
        return [(one.name, one.kind, one.default) for one in every]

    assert parameters(ours) == parameters(theirs)


@of_each_kind
@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
def test_the_best_score_is_that_of_the_model_delivered_on_the_rows_given(model, X, y, scorers, weighted):
    weights = np.random.default_rng(0).integers(0, 4, len(X)) if weighted else np.ones(len(X))
    (X, y, _), (X_val, y_val, weights) = parts(X, y, weights)
    validation = {"X_val": X_val, "y_val": y_val, **({"sample_weight_val": weights} if weighted else {})}
    for scoring in scorers:
        fitted = clone(model).set_params(scoring=scoring).fit(X, y, **validation)
        expected = get_scorer(scoring)(fitted, X_val, y_val, sample_weight=weights)
        assert fitted.best_validation_score_ == pytest.approx(expected)
        assert fitted.best_validation_score_ == max(fitted.validation_scores_)
        assert all(type(score) is float for score in fitted.validation_scores_)
    if scorers != KINDS["labels"][3]:  # they go by their loss
        fitted = clone(model).fit(X, y, **validation)
        expected = fitted.score(X_val, y_val, sample_weight=weights)
        assert fitted.best_validation_score_ == pytest.approx(expected)


@of_each_kind
def test_rows_that_are_given_are_not_held_out_and_not_trained_on(model, X, y, scorers):
    (X, y), (X_val, y_val) = parts(X, y)
    fits = [clone(model).set_params(tol=0, n_iter_no_change=99, scoring=Recorder()) for _ in range(3)]
    auto, always, never = (
        one.set_params(early_stopping=how) for one, how in zip(fits, ("auto", True, False), strict=True)
    )
    auto.fit(X, y, X_val=X_val, y_val=y_val)
    always.fit(X, y, X_val=X_val, y_val=y_val)
    never.fit(X, y)  # whose last epoch is the best of a score that grows
    assert auto.validation_scores_ == always.validation_scores_ == [1, 2, 3, 4, 5, 6]
    assert never.validation_scores_ is None and never.scoring.seen == []
    for one in fits:
        assert one.loss_curve_ == never.loss_curve_ and one.t_ == 6 * len(y)
        np.testing.assert_array_equal(one.predict(X_val), never.predict(X_val))


@both
def test_auto_is_off_without_rows_that_are_given(model, X, y):
    automatic, never = clone(model).fit(X, y), clone(model).set_params(early_stopping=False).fit(X, y)
    assert model.early_stopping == "auto" and automatic.validation_scores_ is None
    np.testing.assert_array_equal(automatic.predict(X), never.predict(X))
    assert automatic.partial_fit(X, y).n_iter_ == 7


@of_each_kind
@pytest.mark.parametrize("given", [True, False], ids=["given", "held out"])
def test_a_scorer_sees_the_estimator_as_it_would_be_and_targets_as_they_were(model, X, y, scorers, given):
    (X, y), (X_val, y_val) = parts(X, y)
    recorder = Recorder(3, 4, 1, 2, 0, 1)
    fitted = clone(model).set_params(scoring=recorder, early_stopping=True)
    fitted.fit(X, y, **({"X_val": X_val, "y_val": y_val} if given else {}))
    assert fitted.validation_scores_ == [3, 4, 1, 2, 0, 1]
    for epoch, (estimator, n_iter, predicted, rows, targets, sample_weight) in enumerate(recorder.seen, 1):
        assert type(estimator) is type(model) and estimator is not fitted and n_iter == epoch
        assert sample_weight is None and predicted.dtype == fitted.predict(X).dtype
        assert targets.dtype.kind == y.dtype.kind and targets.shape[1:] == y.shape[1:]
        if given:
            np.testing.assert_array_equal(rows, X_val)
            np.testing.assert_array_equal(targets, y_val)
        else:
            found = [np.flatnonzero((row == X).all(axis=1))[0] for row in rows]
            np.testing.assert_array_equal(targets, y[found])
            assert 0 < len(rows) < 0.2 * len(X)
    np.testing.assert_array_equal(fitted.predict(rows), recorder.seen[1][2])  # the second epoch is the best


def test_a_scorer_of_a_frame_hears_no_warning_and_may_ask_of_other_rows():
    frame = load_iris(as_frame=True)
    asked = []

    def scorer(estimator, X, y):
        asked.append((estimator.feature_names_in_.tolist(), estimator.predict(frame.data), estimator.predict_proba(X)))
        return estimator.score(X, y)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for options in {"early_stopping": True}, {}:
            model = clone(CLASSIFIER).set_params(scoring=scorer, **options)
            given = {} if options else {"X_val": frame.data, "y_val": frame.target}
            model.fit(frame.data, frame.target, **given)
    names, predicted, probabilities = asked[-1]
    assert names == frame.feature_names and predicted.shape == (150,) and probabilities.shape == (150, 3)


@of_each_kind
def test_a_loss_as_score_is_in_the_unit_of_the_losses_of_training(model, X, y, scorers):
    (X, y), (X_val, y_val) = parts(X, y)
    fitted = clone(model).set_params(scoring="loss").fit(X, y, X_val=X_val, y_val=y_val)
    if model.loss == "log_loss" and y.ndim == 1:
        expected = log_loss(y_val, fitted.predict_proba(X_val))
    elif model.loss == "log_loss":
        p = fitted.predict_proba(X_val)
        expected = -np.log(np.where(y_val, p, 1 - p)).sum(axis=1).mean()
        alone = clone(model).fit(X, y, X_val=X_val, y_val=y_val)  # goes by the loss of one label
        assert [3 * score for score in alone.validation_scores_] == pytest.approx(fitted.validation_scores_)
    elif model.loss == "squared_hinge":
        signs = np.where(y_val[:, np.newaxis] == fitted.classes_, 1, -1)
        expected = (np.maximum(0, 1 - signs * fitted.decision_function(X_val)) ** 2).sum(axis=1).mean()
    else:
        left = ((y_val - fitted.predict(X_val)).T / fitted._state.decision.initial_model.scale[:, np.newaxis]).T
        squares, beyond = left.reshape(len(y_val), -1) ** 2 / 2, np.abs(left.reshape(len(y_val), -1)) - 0.5
        expected = (np.where(squares > 0.5, beyond, squares) if model.loss == "huber" else squares).sum(axis=1).mean()
        scaled = clone(model).set_params(scoring="loss").fit(X, 1024 * y, X_val=X_val, y_val=1024 * y_val)
        assert scaled.validation_scores_ == pytest.approx(fitted.validation_scores_, rel=1e-5)
    assert fitted.best_validation_score_ == pytest.approx(-expected, rel=1e-5)


def test_targets_that_no_float32_holds_have_a_loss():
    X, y = DIABETES.data, DIABETES.target
    model = clone(REGRESSOR).set_params(scoring="loss").fit(X, y, X_val=X[:5], y_val=[1e300, 1, 2, 3, -1e300])
    assert np.isfinite(model.validation_scores_).all()
    assert clone(model).fit(X, 0 * y, X_val=X, y_val=y).best_validation_score_ == 0


@both
def test_early_stopping_given_rows_stops_and_keeps_the_best_epoch(model, X, y):
    (X, y), (X_val, y_val) = parts(X, y)
    stopped = clone(model).set_params(max_iter=50, n_iter_no_change=3, learning_rate="constant")
    stopped.set_params(scoring=Recorder(5, 6, 7, 8, 3, 3, 3, 3)).fit(X, y, X_val=X_val, y_val=y_val)
    assert stopped.n_iter_ == 7 and stopped.best_validation_score_ == 8
    shorter = clone(model).set_params(max_iter=4, learning_rate="constant").fit(X, y)
    np.testing.assert_array_equal(stopped.predict(X_val), shorter.predict(X_val))


@both
def test_a_warm_start_goes_on_with_other_rows_to_stop_by(model, X, y):
    (X, y), (X_val, y_val) = parts(X, y)
    model = clone(model).set_params(warm_start=True).fit(X, y, X_val=X_val, y_val=y_val)
    assert len(model.fit(X, y, X_val=X_val[:9], y_val=y_val[:9]).validation_scores_) == model.n_iter_
    assert model.fit(X, y).validation_scores_ is None and model.best_validation_score_ is None
    with pytest.raises(ValueError, match="X_val, y_val: X has 2 features"):
        model.fit(X, y, X_val=X_val[:, :2], y_val=y_val)


@both
def test_ctrl_c_brings_back_the_best_epoch(model, X, y, monkeypatch):
    (X, y), (X_val, y_val) = parts(X, y)
    model = clone(model).set_params(scoring=Recorder(1, 5, 3, 3))
    scoring, train_epoch = model.scoring, epochs.train_epoch

    def interrupted(*arguments):
        if len(scoring.seen) == 4:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    monkeypatch.setattr(epochs, "train_epoch", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user after 4 of 6 epochs"):
        model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.best_validation_score_ == 5
    np.testing.assert_array_equal(model.predict(X_val), scoring.seen[1][2])


@both
def test_ctrl_c_while_a_scorer_works_leaves_its_epoch_without_a_score(model, X, y):
    (X, y), (X_val, y_val) = parts(X, y)
    recorder = Recorder(1, 5, 3)

    def scorer(estimator, X, y):
        if len(recorder.seen) == 3:
            raise KeyboardInterrupt
        return recorder(estimator, X, y)

    model = clone(model).set_params(scoring=scorer)
    with pytest.warns(UserWarning, match="Training interrupted by user after 4 of 6 epochs"):
        model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.validation_scores_ == [1, 5, 3] and model.n_iter_ == 4
    np.testing.assert_array_equal(model.predict(X_val), recorder.seen[1][2])


@both
def test_weights_count_rows_and_are_passed_where_they_differ(model, X, y):
    (X, y), (X_val, y_val) = parts(X, y)
    weights = np.arange(len(y_val)) % 3
    fits = [
        clone(model).fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights),
        clone(model).fit(X, y, X_val=X_val.repeat(weights, axis=0), y_val=y_val.repeat(weights)),
        clone(model).fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=2.0**900 * weights),
    ]
    assert fits[0].validation_scores_ == pytest.approx(fits[1].validation_scores_)
    assert fits[0].validation_scores_ == fits[2].validation_scores_
    for passed, expected in (weights, [1, 2]), (np.full(len(weights), 3.0), None):
        scorer = (
            clone(model)
            .set_params(scoring=Recorder())
            .fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=passed)
            .scoring
        )
        sample_weight = scorer.seen[0][-1]
        if expected is None:
            assert sample_weight is None
        else:
            found = np.unique(sample_weight / sample_weight.min())  # rows of weight 0 are no rows
            assert found.tolist() == expected and len(sample_weight) == np.count_nonzero(weights)


def test_a_scorer_is_given_no_weights_of_classes():
    (X, y), (X_val, y_val) = parts(IRIS.data, IRIS.target)
    model = clone(CLASSIFIER).set_params(class_weight={0: 4, 2: 2}, scoring=Recorder())
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert all(sample_weight is None for *_, sample_weight in model.scoring.seen)
    model.set_params(early_stopping=True, scoring=Recorder()).fit(X, y)
    assert all(sample_weight is None for *_, sample_weight in model.scoring.seen)


def test_equal_rows_of_a_small_table_are_scored_by_their_number():
    rows = np.repeat([0, 1, 60, 61, 62, 63], [3, 3, 5, 5, 5, 5])
    model = clone(CLASSIFIER).set_params(scoring=Recorder(), early_stopping=True, validation_fraction=0.5)
    *_, targets, sample_weight = model.fit(IRIS.data[rows], IRIS.target[rows]).scoring.seen[0]
    numbers = np.where(targets == 0, 3, 5)
    assert sorted(targets) == [0, 1, 1]
    np.testing.assert_allclose(sample_weight / numbers, sample_weight[0] / numbers[0], rtol=2**-23)


def test_labels_and_targets_are_validated_as_y_is():
    X = IRIS.data
    names = IRIS.target_names[IRIS.target]
    few = clone(CLASSIFIER).fit(X, names, X_val=X[:60], y_val=names[:60].tolist())  # without a class
    assert few.best_validation_score_ == few.score(X[:60], names[:60])
    one = clone(CLASSIFIER).fit(X, names, X_val=X[:1], y_val=names[:1])
    assert one.best_validation_score_ == 1
    X, y = LABELS
    dense, sparse = (clone(CLASSIFIER).fit(X, y, X_val=X, y_val=y_val) for y_val in (y, csr_array(y)))
    assert dense.validation_scores_ == sparse.validation_scores_
    frame = pd.DataFrame(DIABETES.data, columns=DIABETES.feature_names)
    column = pd.Series(DIABETES.target)
    fits = [
        clone(REGRESSOR).fit(frame, column, X_val=frame, y_val=column),
        clone(REGRESSOR).fit(DIABETES.data, DIABETES.target, X_val=DIABETES.data.tolist(), y_val=column.tolist()),
    ]
    assert fits[0].validation_scores_ == fits[1].validation_scores_


@both
def test_one_of_two_is_an_error_as_in_hist_gradient_boosting(model, X, y):
    peer = HistGradientBoostingClassifier() if is_classifier(model) else HistGradientBoostingRegressor()
    for given in {"X_val": X}, {"y_val": y}, {"X_val": X, "sample_weight_val": y}:
        messages = []
        for one in peer, model:
            with pytest.raises(ValueError, match="is provided, but") as raised:
                clone(one).fit(X, y, **given)
            messages.append(str(raised.value))
        assert messages[0] == messages[1]
    with pytest.raises(ValueError, match="sample_weight_val is provided, but X_val was not provided"):
        clone(model).fit(X, y, sample_weight_val=y)
    for one in peer, model:
        with pytest.raises(ValueError, match=r"X_val and y_val are passed .* early_stopping is False"):
            clone(one).set_params(early_stopping=False).fit(X, y, X_val=X, y_val=y)


@of_each_kind
def test_rows_that_are_not_like_those_of_training_are_named(model, X, y, scorers):
    def message(X_val, y_val, **given):
        with pytest.raises(ValueError, match=r"^X_val, y_val: ") as raised:
            clone(model).fit(X, y, X_val=X_val, y_val=y_val, **given)
        return str(raised.value)

    assert "X has 2 features, but" in message(X[:, :2], y)
    assert "inconsistent numbers of samples" in message(X, y[1:])
    assert "Found array with 0 sample(s)" in message(X[:0], y[:0])
    assert "Negative values in data passed to `sample_weight`" in message(X, y, sample_weight_val=-np.ones(len(y)))
    assert "must contain at least one non-zero number" in message(X, y, sample_weight_val=np.zeros(len(y)))
    assert "sample_weight.shape" in message(X, y, sample_weight_val=np.ones(3))
    assert "the first y had" in message(X, np.zeros((len(y), 4), int) if y.ndim == 1 else y[:, [0, 1, 0, 1]])


@pytest.mark.parametrize("names", [None, ["a", "b", "c"], [3, 7, 9]])
def test_classes_that_y_lacks_are_named(names):
    (X, y), (X_val, y_val) = parts(IRIS.data, IRIS.target if names is None else np.array(names)[IRIS.target])
    known = y != np.unique(y)[1]
    with pytest.raises(ValueError, match=rf"X_val, y_val: `y` has classes not in .*: \['?{np.unique(y)[1]}'?\]"):
        clone(CLASSIFIER).fit(X[known], y[known], X_val=X_val, y_val=y_val)


def test_columns_of_other_names_raise():
    frame = load_iris(as_frame=True).data
    with pytest.raises(ValueError, match=r"X_val, y_val: The feature names should match"):
        clone(CLASSIFIER).fit(frame, IRIS.target, X_val=frame.rename(columns=str.upper), y_val=IRIS.target)


@both
def test_what_is_no_scorer_or_gives_no_number_raises(model, X, y):
    def fails(scoring, match):
        with pytest.raises(ValueError, match=match):
            clone(model).set_params(scoring=scoring, early_stopping=True).fit(X, y)

    fails("accurate", r"'scoring' parameter .* must be .*Got 'accurate' instead")
    fails(accuracy_score, "looks like it is a metric function rather than a scorer")
    for nothing in None, np.nan, "1", [1, 2]:
        fails(lambda estimator, X, y, nothing=nothing: nothing, "gives .* which is no number")
    if is_classifier(model):
        hinge = clone(model).set_params(loss="squared_hinge", scoring="neg_log_loss")
        with pytest.raises(AttributeError, match="predict_proba"):
            hinge.fit(X, y, X_val=X, y_val=y)


def test_a_row_has_no_r2_but_an_error():
    X, y = DIABETES.data, DIABETES.target
    with (
        pytest.warns(UserWarning, match="not well-defined with less than two samples"),
        pytest.raises(ValueError, match="scoring=None gives nan, which is no number, of 1 rows"),
    ):
        clone(REGRESSOR).fit(X, y, X_val=X[:1], y_val=y[:1])
    model = clone(REGRESSOR).set_params(scoring="neg_mean_absolute_error").fit(X, y, X_val=X[:1], y_val=y[:1])
    assert model.best_validation_score_ == pytest.approx(-abs(model.predict(X[:1]) - y[:1])[0])


def test_a_scorer_made_of_a_metric_works():
    (X, y), (X_val, y_val) = parts(IRIS.data, IRIS.target)
    model = clone(CLASSIFIER).set_params(scoring=make_scorer(accuracy_score)).fit(X, y, X_val=X_val, y_val=y_val)
    assert model.validation_scores_ == clone(CLASSIFIER).fit(X, y, X_val=X_val, y_val=y_val).validation_scores_
    assert model.best_validation_score_ == check_scoring(model, "accuracy")(model, X_val, y_val)
