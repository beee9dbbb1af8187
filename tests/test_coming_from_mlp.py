"""Habits from scikit-learn's networks and boosting; doc/coming_from_mlp.rst says which do not carry over."""

import re
import warnings
from inspect import signature
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_linnerud,
    load_wine,
    make_friedman1,
    make_multilabel_classification,
)
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, learning_curve
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

WINE = load_wine(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
LABELS = make_multilabel_classification(120, n_classes=4, random_state=3)
SHORT = {"hidden_layer_sizes": (16,), "max_iter": 8, "random_state": 0}

both = pytest.mark.parametrize(
    "model, X, y", [(BinaryMLPClassifier(**SHORT), *WINE), (BinaryMLPRegressor(**SHORT), *DIABETES)]
)


# Learning


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_are_learnt_and_predicted_as_they_were_given(n_classes):
    X, y = load_digits(n_class=n_classes, return_X_y=True)
    model = BinaryMLPClassifier(50, random_state=0).fit(X[:150], y[:150].astype(np.int16))
    assert model.score(X[150:], y[150:]) > 0.95
    assert model.predict(X).dtype == np.int16


def test_a_regressor_learns_rows_by_heart_only_where_told_to():
    X, y = load_diabetes(return_X_y=True)
    careful = BinaryMLPRegressor((64,), random_state=0).fit(X[:200], y[:200])
    greedy = BinaryMLPRegressor((64,), max_iter=300, dropout=0.0, init="constant", random_state=0).fit(X[:200], y[:200])
    assert greedy.score(X[:200], y[:200]) > 0.95 > careful.score(X[:200], y[:200])
    assert careful.score(X[200:], y[200:]) > greedy.score(X[200:], y[200:])


def test_several_targets_are_learnt_at_once():
    X, y = make_friedman1(300, random_state=1)
    model = BinaryMLPRegressor((64,), random_state=0).fit(X, np.column_stack([y, -y, y**2]))
    assert model.score(X, np.column_stack([y, -y, y**2])) > 0.9
    assert BinaryMLPRegressor(**SHORT).fit(*load_linnerud(return_X_y=True)).n_outputs_ == 3


def test_labels_are_learnt_at_once_or_in_calls_and_held_out_for_early_stopping():
    X, y = LABELS
    fitted, stream = BinaryMLPClassifier(random_state=0).fit(X, y), BinaryMLPClassifier(random_state=0)
    for _ in range(60):
        stream.partial_fit(X, y, classes=[0, 1, 2, 3])
    for model in fitted, stream:
        assert (model.predict(X) == y).mean() > 0.8
        assert model.score(X, y) == (model.predict(X) == y).all(axis=1).mean()
    stopped = BinaryMLPClassifier(early_stopping=True, **SHORT).fit(X, y)
    assert len(stopped.validation_scores_) == stopped.n_iter_


def test_values_of_any_size_need_no_scaling():
    X, y = WINE
    as_given = BinaryMLPClassifier(**SHORT).fit(X, y)
    huge = BinaryMLPClassifier(**SHORT).fit(X * 2.0**1000, y)  # near the largest float64
    np.testing.assert_array_equal(huge.predict(X * 2.0**1000), as_given.predict(X))


def test_float32_and_float64_that_are_equal_give_one_model():
    X, y = load_digits(n_class=2, return_X_y=True)
    for model in BinaryMLPClassifier(**SHORT), BinaryMLPRegressor(**SHORT):
        single, double = clone(model).fit(X.astype(np.float32), y), clone(model).fit(X, y)
        np.testing.assert_array_equal(single.predict(X.astype(np.float32)), double.predict(X))
        assert {weights.dtype for weights in single.coefs_} == {np.dtype(np.int8)}
        if single.out_activation_ == "identity":
            assert single.predict(X.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("estimator", [BinaryMLPClassifier, BinaryMLPRegressor])
def test_without_hidden_layers_features_do_not_interact(estimator):
    X, y = load_breast_cancer(return_X_y=True)
    model = estimator((), n_components=0, max_iter=20, random_state=0).fit(X, y)
    scores = model.packed_.decision_function
    one, other = X[:200], X[200:400]
    swap = np.arange(X.shape[1]) % 2 == 0
    np.testing.assert_allclose(
        scores(one) + scores(other), scores(np.where(swap, one, other)) + scores(np.where(swap, other, one))
    )
    assert np.ptp(scores(one)) > 0.5


@both
def test_shuffling_is_drawn_from_random_state(model, X, y):
    model = clone(model).set_params(batch_size=8, max_iter=1)
    curves = {
        shuffle: [clone(model).set_params(shuffle=shuffle).fit(X, y).loss_curve_ for _ in range(2)]
        for shuffle in (True, False)
    }
    assert curves[True][0] == curves[True][1] != curves[False][0] == curves[False][1]


# Probabilities


@pytest.mark.parametrize("X, y", [load_breast_cancer(return_X_y=True), WINE, LABELS], ids=["two", "three", "labels"])
def test_probabilities_agree_with_their_logarithms_and_with_predictions(X, y):
    model = BinaryMLPClassifier(**SHORT).fit(X, y)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(probabilities), rtol=1e-6, atol=1e-12)
    if y.ndim == 2:  # labels are independent
        assert not np.allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_array_equal(model.predict(X), probabilities > 0.5)
    else:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_array_equal(model.predict(X), probabilities.argmax(axis=1))
    assert roc_auc_score(y, probabilities[:, 1] if len(model.classes_) == 2 else probabilities, multi_class="ovr") > 0.9


# Going on


@both
def test_every_call_that_trains_returns_the_model(model, X, y):
    model = clone(model)
    assert model.fit(X, y) is model
    assert model.partial_fit(X, y) is model
    new, classes = clone(model), [np.unique(y)] if hasattr(model, "classes_") else []
    assert new.partial_fit(X, y, *classes) is new


def test_a_stream_of_all_rows_ends_about_where_fit_does():
    X, y = WINE
    fitted, stream = BinaryMLPClassifier(random_state=0).fit(X, y), BinaryMLPClassifier(random_state=0)
    for _ in range(100):
        stream.partial_fit(X, y, classes=np.unique(y))
    assert (fitted.predict(X) == stream.predict(X)).mean() > 0.95


def test_a_class_that_a_first_call_lacks_is_learnt_later():
    X, y = WINE
    model = BinaryMLPClassifier(random_state=0)
    model.partial_fit(X[y < 2], y[y < 2], classes=[2, 0, 1])
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    for _ in range(30):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.9


def test_classes_of_a_stream_are_told_once_and_for_all():
    X, y = WINE
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        BinaryMLPClassifier(**SHORT).partial_fit(X, y)
    with pytest.raises(ValueError, match=re.escape("`y` has classes not in `self.classes_`: [1 2]")):
        BinaryMLPClassifier(**SHORT).partial_fit(X, y, classes=[0])
    model = BinaryMLPClassifier(**SHORT).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        model.partial_fit(X, y, classes=[0, 1, 3])


def test_weights_in_front_of_classes_are_not_taken_for_them():
    X, y = WINE
    model = BinaryMLPClassifier(**SHORT)
    with pytest.raises(ValueError, match=re.escape("sample_weight.shape == (3,), expected (178,)")):
        model.partial_fit(X, y, np.ones(len(y)), [0, 1, 2])  # MLPClassifier's order
    model.fit(X, y)
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        model.partial_fit(X, y, np.ones(len(y)))


def test_a_loaded_model_learns_what_is_new(tmp_path):
    one = BinaryMLPRegressor(random_state=0)
    with pytest.warns(UserWarning, match="No feature varies"):
        one.fit([[2.0]], [4.0])
    joblib.dump(one, tmp_path / "model")
    again = joblib.load(tmp_path / "model")
    for _ in range(200):
        again.partial_fit([[2.0]], [1.0])
    assert again.predict([[2.0]]) == pytest.approx([1.0], abs=0.1)
    assert one.predict([[2.0]]) == pytest.approx([4.0])


@both
def test_warm_start_trains_for_max_iter_epochs_more(model, X, y):
    model = clone(model).set_params(warm_start=True, max_iter=3).fit(X, y)
    assert (model.n_iter_, model.t_) == (3, 3 * len(X))
    assert model.fit(X, y).n_iter_ == 3
    assert model.set_params(max_iter=5).fit(X, y).n_iter_ == 5


@both
def test_warm_start_and_early_stopping_go_together(model, X, y):
    model = clone(model).set_params(warm_start=True, early_stopping=True, max_iter=2).fit(X, y)
    model.set_params(max_iter=4).fit(X, y)
    assert len(model.validation_scores_) == 4


@pytest.mark.parametrize("classes", [[0, 1], [0, 1, 3], [0, 1, 2, 3], ["a", "b", "c"]])
def test_warm_start_needs_the_classes_of_the_last_fit(classes):
    X, y = WINE
    other = np.resize(classes, len(y))
    model = BinaryMLPClassifier(warm_start=True, **SHORT).fit(X, y)
    before = model.predict_proba(X)
    message = f"same classes as in the previous call to fit. Previously got [0 1 2], `y` has {np.unique(other)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(X, other)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    model.partial_fit(X[y < 2], y[y < 2])  # a batch may lack some


# Stopping


@both
@pytest.mark.parametrize("patience", [1, 3])
def test_training_stops_after_so_many_epochs_without_a_gain(model, X, y, patience):
    stopping = {"early_stopping": True, "tol": 1e9, "max_iter": 20}
    model = clone(model).set_params(n_iter_no_change=patience, **stopping).fit(X, y)
    assert model.n_iter_ == 1 + patience
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None


@both
def test_with_infinite_patience_training_never_stops(model, X, y):
    model = clone(model).set_params(n_iter_no_change=np.inf, early_stopping=True, tol=1e9, max_iter=20).fit(X, y)
    assert model.n_iter_ == len(model.validation_scores_) == 20


@both
def test_without_early_stopping_there_are_no_scores_and_no_warning_of_convergence(model, X, y):
    model = clone(model).set_params(max_iter=2).fit(X, y)  # warnings are errors here
    assert model.n_iter_ == len(model.loss_curve_) == 2
    assert model.validation_scores_ is None and model.best_validation_score_ is None
    assert model.best_loss_ == min(model.loss_curve_)


def test_early_stopping_takes_labels_of_any_type():
    X, y = WINE
    y = np.array(["barbera", "barolo", "grignolino"], object)[y]
    model = BinaryMLPClassifier(early_stopping=True, **SHORT).fit(X, y)
    assert len(model.validation_scores_) == model.n_iter_
    assert 0.5 < model.best_validation_score_ <= 1


def test_rows_too_few_to_hold_any_out_are_named():
    X, y = DIABETES
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 .*2 rows"):
        BinaryMLPRegressor(early_stopping=True).fit(X[:2], y[:2])


def test_a_class_of_one_row_cannot_be_held_out():
    with pytest.raises(
        ValueError, match=r"validation_fraction=0\.1 does not suit 4 rows, copies aside: The least populated class"
    ):
        BinaryMLPClassifier(early_stopping=True).fit([[1], [2], [3], [4]], ["a", "a", "a", "b"])


@both
def test_weights_of_one_are_no_weights(model, X, y):
    model = clone(model).set_params(early_stopping=True)
    without, ones = clone(model).fit(X, y), clone(model).fit(X, y, sample_weight=np.ones(len(y)))
    np.testing.assert_array_equal(without.predict(X), ones.predict(X))


@both
@pytest.mark.parametrize("early_stopping", [False, True])
def test_column_names_are_kept_and_checked_without_warnings_of_our_own(model, X, y, early_stopping):
    frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])
    model = clone(model).set_params(early_stopping=early_stopping).fit(frame, pd.Series(y, name="target"))
    np.testing.assert_array_equal(model.feature_names_in_, frame.columns)
    prediction = model.predict(frame)
    with pytest.warns(UserWarning, match=f"X does not have valid feature names, but {type(model).__name__} was fitted"):
        np.testing.assert_array_equal(model.predict(X), prediction)
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        model.predict(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        model.set_params(early_stopping=False).partial_fit(frame[frame.columns[::-1]], y)


@both
def test_verbose_says_something_of_each_kind_of_training(model, X, y, capsys):
    model = clone(model).set_params(verbose=True)
    for train in model.fit, model.partial_fit:
        train(X, y)
        assert "loss" in "".join(capsys.readouterr())


# Bad input: the same exception and the same words


BAD = {
    "one dimension": lambda X, y: (X[:, 0], y),
    "three dimensions": lambda X, y: (X[:, :, np.newaxis], y),
    "a scalar": lambda X, y: (3.0, y),
    "an empty list": lambda X, y: ([], []),
    "no rows": lambda X, y: (X[:0], y[:0]),
    "no features": lambda X, y: (X[:, :0], y),
    "complex numbers": lambda X, y: (X + 1j, y),
    "ragged rows": lambda X, y: ([[1, 2], [3]], [0, 1]),
    "a target too few": lambda X, y: (X, y[1:]),
    "no target": lambda X, y: (X, None),
    "a target in three dimensions": lambda X, y: (X, np.ones((len(X), 2, 2))),
    "a target that is missing": lambda X, y: (X, np.where(np.arange(len(y)), y, np.nan)),
    "weights too few": lambda X, y: (X, y, [1.0]),
    "weights in two dimensions": lambda X, y: (X, y, np.ones((len(X), 1))),
    "weights that are missing": lambda X, y: (X, y, np.full(len(X), np.nan)),
}
PEERS = {BinaryMLPClassifier: MLPClassifier, BinaryMLPRegressor: MLPRegressor}


def error_of(call, *arguments):
    with pytest.raises(Exception) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(*arguments)
    return type(caught.value), str(caught.value).replace("BinaryMLP", "MLP")


@both
@pytest.mark.parametrize("bad", BAD)
def test_bad_input_to_fit_is_told_as_scikit_learns_networks_do(model, X, y, bad):
    arguments = BAD[bad](X, y)
    assert error_of(clone(model).fit, *arguments) == error_of(PEERS[type(model)]().fit, *arguments)


def test_a_target_of_none_is_missing():
    X, y = DIABETES
    with pytest.raises(ValueError, match="Input y contains NaN"):
        BinaryMLPRegressor(**SHORT).fit(X, np.where(np.arange(len(y)), y, None))


@pytest.mark.parametrize("dtype", ["datetime64[D]", "timedelta64[s]"])
def test_dates_are_no_labels(dtype):
    X, y = WINE
    with pytest.raises(ValueError, match=re.escape(f"Labels of dtype {np.dtype(dtype)} are not supported")):
        BinaryMLPClassifier(**SHORT).fit(X, y.astype(dtype))


@both
def test_bad_input_to_a_fitted_model_is_told_as_scikit_learns_networks_do(model, X, y):
    model = clone(model).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = PEERS[type(model)](hidden_layer_sizes=2, max_iter=1).fit(X, y)
    for bad in X[0], X[:, :2], X[:0], X + 1j, 3.0, X[:, :, np.newaxis]:
        assert error_of(model.predict, bad) == error_of(peer.predict, bad)
    assert error_of(model.partial_fit, X[:, :2], y) == error_of(peer.partial_fit, X[:, :2], y)
    model, peer = clone(model), clone(peer)
    assert error_of(model.predict, X) == error_of(peer.predict, X)
    assert error_of(model.score, X, y) == error_of(peer.score, X, y)


@both
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_numpy_matrix_is_told_as_scikit_learns_networks_do(model, X, y):
    assert error_of(clone(model).fit, np.matrix(X), y) == error_of(PEERS[type(model)]().fit, np.matrix(X), y)


@both
@pytest.mark.parametrize("name", ["activation", "alpha", "power_t", "max_fun"])
def test_parameters_of_float_networks_are_unknown(model, X, y, name):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        type(model)(**{name: 1})
    with pytest.raises(ValueError, match=f"Invalid parameter '{name}' for estimator {type(model).__name__}"):
        model.set_params(**{name: 1})


# The rest of scikit-learn


@both
def test_rows_may_be_lists(model, X, y):
    lists = clone(model).fit(X.tolist(), y.tolist())
    np.testing.assert_array_equal(lists.predict(X.tolist()), clone(model).fit(X, y).predict(X))


@both
def test_polars_frames_are_read_as_arrays_are(model, X, y):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=[f"column {i}" for i in range(X.shape[1])])
    model = clone(model).fit(frame, polars.Series(y))
    # An old scikit-learn does not know a new polars' names.
    np.testing.assert_array_equal(getattr(model, "feature_names_in_", frame.columns), frame.columns)
    np.testing.assert_array_equal(model.predict(frame), clone(model).fit(X, y).predict(X))


@pytest.mark.parametrize(
    "labels",
    [["no", "yes", "often"], [False, True, True], [0.0, 2.0, 7.0], np.array(["b", "a", "c"], object), [-1, 5, 7]],
)
def test_classes_have_the_type_of_the_labels(labels):
    X, y = WINE
    y = np.asarray(labels)[y]
    model = BinaryMLPClassifier(**SHORT).fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert model.classes_.dtype == model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.9


def test_labels_of_a_pandas_column_are_its_values():
    X, y = WINE
    names = np.array(["a", "b", "c"])[y]
    for column in pd.Series(names), pd.Series(names, dtype="category"), pd.Series(y, dtype="Int64"):
        model = BinaryMLPClassifier(**SHORT).fit(X, column)
        np.testing.assert_array_equal(model.classes_, np.unique(np.asarray(column)))
        assert model.score(X, column) > 0.9


@both
def test_a_clone_of_a_fitted_model_has_its_parameters_and_nothing_learnt(model, X, y):
    fitted = clone(model).set_params(dropout=0.2).fit(X, y)
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    assert set(vars(again)) == set(fitted.get_params())
    prediction = fitted.predict(X)
    fitted.set_params(hidden_layer_sizes=(3,), n_thresholds=1)
    np.testing.assert_array_equal(fitted.predict(X), prediction)  # until the next fit


@both
def test_layers_can_be_searched_with_auto_among_them(model, X, y):
    layers = ["auto", (8,), (8, 8), 4, ()]
    search = GridSearchCV(model, {"hidden_layer_sizes": layers}, cv=2).fit(X, y)
    assert list(search.cv_results_["param_hidden_layer_sizes"]) == layers
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("y", [WINE[1], WINE[1] > 0, np.eye(3, dtype=int)[WINE[1]]], ids=["three", "two", "labels"])
def test_predictions_of_every_kind_can_be_cross_validated(y):
    model, X = BinaryMLPClassifier(**SHORT), WINE[0]
    shapes = [
        cross_val_predict(model, X, y, cv=2, method=name).shape for name in ("predict_proba", "predict_log_proba")
    ]
    assert shapes == 2 * [(len(X), len(np.unique(y)) if y.ndim == 1 else y.shape[1])]
    scores = cross_val_predict(model, X, y, cv=2, method="decision_function")
    assert scores.shape == ((len(X),) if y.dtype == bool else shapes[0])


def test_a_learning_curve_is_drawn_by_fit_and_by_partial_fit():
    X, y = WINE
    for incremental in False, True:
        arguments = {"cv": 2, "train_sizes": [30, 80], "exploit_incremental_learning": incremental}
        _, _, scores = learning_curve(BinaryMLPClassifier(**SHORT), X, y, shuffle=True, random_state=0, **arguments)
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("response_method", ["predict", "predict_proba", "decision_function"])
def test_decision_boundaries_are_drawn(response_method):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from sklearn.inspection import DecisionBoundaryDisplay

    X, y = WINE
    model = BinaryMLPClassifier(**SHORT).fit(X[:, :2], y)
    display = DecisionBoundaryDisplay.from_estimator(model, X[:, :2], response_method=response_method)
    assert np.ptp(display.response) > 0
    matplotlib.pyplot.close("all")


def test_transformers_that_give_frames_may_come_first():
    X, y = WINE
    frame = pd.DataFrame(X, columns=load_wine().feature_names)
    with config_context(transform_output="pandas"):
        pipeline = make_pipeline(StandardScaler(), BinaryMLPClassifier(**SHORT)).fit(frame, y)
        assert type(pipeline.predict_proba(frame)) is np.ndarray
    np.testing.assert_array_equal(pipeline[-1].feature_names_in_, frame.columns)
    assert not hasattr(pipeline[-1], "set_output")  # it is no transformer


def test_scaling_hardly_matters():
    X, y = WINE
    alone = BinaryMLPClassifier(random_state=0)
    scaled = make_pipeline(StandardScaler(), clone(alone))
    assert (alone.fit(X, y).predict(X) == scaled.fit(X, y).predict(X)).mean() > 0.97


# The page in the documentation


PAGE = Path(__file__).parents[1] / "doc" / "coming_from_mlp.rst"


@pytest.mark.skipif(not PAGE.is_file(), reason="an installed package has no documentation beside its tests")
@pytest.mark.parametrize(
    "peer", [MLPClassifier, MLPRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor]
)
def test_the_page_has_every_parameter_attribute_and_method_of_the_peers(peer):
    X, y = DIABETES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = peer(max_iter=2).fit(X, y > 100)
    names = {*signature(peer).parameters, *signature(peer.fit).parameters} - {"self", "X", "y"}
    names |= {name for name in dir(fitted) if not name.startswith("_") and name[-1] == "_"}
    names |= {name for name in vars(peer) if not name.startswith(("_", "set_"))}
    page = PAGE.read_text()
    tables = page.split(".. list-table::")
    table = tables[1 + peer.__name__.startswith("Hist")]
    first_cells = "".join(re.findall(r"^   \* - (.*)$", table, re.MULTILINE))
    assert names <= set(re.findall(r"``(\w+)``", first_cells)), names - set(re.findall(r"``(\w+)``", first_cells))
