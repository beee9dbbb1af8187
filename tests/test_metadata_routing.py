"""Weights and rows to stop early by, on their way through scikit-learn's meta-estimators with metadata routing."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import accuracy_score, make_scorer, r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_validate, train_test_split
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

SHORT = {"hidden_layer_sizes": (16,), "max_iter": 5, "dropout": 0.0, "n_estimators": 1, "random_state": 0}
CLASSIFIER, REGRESSOR = BinaryMLPClassifier(**SHORT), BinaryMLPRegressor(**SHORT, n_components=0)
IRIS, DIABETES = load_iris(return_X_y=True), load_diabetes(return_X_y=True)
FOLDS = KFold(3, shuffle=True, random_state=0)

both = pytest.mark.parametrize(
    "model, X, y, metric", [(CLASSIFIER, *IRIS, accuracy_score), (REGRESSOR, *DIABETES, r2_score)], ids="cr"
)


@pytest.fixture(autouse=True)
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def weights_of(y):
    """Weights that differ much, some of them 0."""
    return np.random.default_rng(0).integers(0, 5, len(y)).astype(float)


@both
def test_weights_reach_fit_and_score_in_cross_validation(model, X, y, metric):
    weights = weights_of(y)
    asking = clone(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    found = cross_validate(asking, X, y, params={"sample_weight": weights}, cv=FOLDS)["test_score"]
    for (train, test), score in zip(FOLDS.split(X), found, strict=True):
        fitted = clone(model).fit(X[train], y[train], sample_weight=weights[train])
        assert score == metric(y[test], fitted.predict(X[test]), sample_weight=weights[test])


@both
def test_what_nobody_asked_for_raises_and_what_was_declined_is_not_passed(model, X, y, metric):
    with pytest.raises(UnsetMetadataPassedError, match=type(model).__name__):
        cross_validate(clone(model), X, y, params={"sample_weight": weights_of(y)}, error_score="raise")
    asking = clone(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    found = cross_validate(asking, X, y, params={"sample_weight": weights_of(y)}, cv=FOLDS, return_estimator=True)
    for (_, test), fitted, score in zip(FOLDS.split(X), found["estimator"], found["test_score"], strict=True):
        assert score == metric(y[test], fitted.predict(X[test]))


@both
def test_weights_reach_a_scorer_of_a_grid_search(model, X, y, metric):
    weights = weights_of(y)
    scorer = make_scorer(metric).set_score_request(sample_weight="importance")
    asking = clone(model).set_fit_request(sample_weight="importance")
    search = GridSearchCV(asking, {"n_thresholds": [1, 8]}, cv=FOLDS, scoring=scorer).fit(X, y, importance=weights)
    scores = []
    for train, test in FOLDS.split(X):
        fitted = clone(model).set_params(n_thresholds=8).fit(X[train], y[train], sample_weight=weights[train])
        scores.append(metric(y[test], fitted.predict(X[test]), sample_weight=weights[test]))
    assert search.cv_results_["mean_test_score"][1] == pytest.approx(np.mean(scores))


@both
def test_rows_to_stop_by_are_transformed_by_a_pipeline(model, X, y, metric):
    X, X_val, y, y_val, weights, weights_val = train_test_split(X, y, weights_of(y), random_state=0)
    asking = clone(model).set_fit_request(X_val=True, y_val=True, sample_weight_val=True, sample_weight=True)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = Pipeline([("scaler", scaler), ("model", asking)], transform_input=["X_val"])
    given = {"y_val": y_val, "sample_weight": weights, "sample_weight_val": weights_val}
    pipeline.fit(X, y, X_val=X_val, **given)
    scaler = StandardScaler().fit(X)
    alone = clone(model).fit(scaler.transform(X), y, X_val=scaler.transform(X_val), **given)
    assert pipeline[-1].validation_scores_ == alone.validation_scores_ and alone.best_validation_score_ > 0.2
    np.testing.assert_array_equal(pipeline.predict(X_val), alone.predict(scaler.transform(X_val)))


@both
def test_rows_to_stop_by_are_the_same_in_each_fold_of_a_search(model, X, y, metric):
    X, X_val, y, y_val = train_test_split(X, y, random_state=0)
    asking = clone(model).set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline([("scaler", StandardScaler()), ("model", asking)], transform_input=["X_val"])
    search = GridSearchCV(pipeline, {"model__n_thresholds": [1, 8]}, cv=FOLDS, error_score="raise")
    best = search.fit(X, y, X_val=X_val, y_val=y_val).best_estimator_
    assert best[-1].best_validation_score_ == metric(y_val, best.predict(X_val)) > 0.2
    again = cross_validate(pipeline, X, y, params={"X_val": X_val, "y_val": y_val}, cv=FOLDS, return_estimator=True)
    for one in again["estimator"]:
        assert one[-1].best_validation_score_ == metric(y_val, one.predict(X_val))


@both
def test_a_scorer_to_stop_by_has_weights_without_asking(model, X, y, metric):
    X, X_val, y, y_val, _, weights = train_test_split(X, y, weights_of(y), random_state=0)
    scorers = make_scorer(metric), make_scorer(metric).set_score_request(sample_weight=True)
    for scorer in scorers:  # as HistGradientBoosting calls it
        fitted = clone(model).set_params(scoring=scorer).fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
        expected = metric(y_val, fitted.predict(X_val), sample_weight=weights)
        assert fitted.best_validation_score_ == pytest.approx(expected)


def test_weights_reach_partial_fit():
    X, y = IRIS
    weights, columns = weights_of(y), np.column_stack([y, y[::-1]])
    stream = MultiOutputClassifier(clone(CLASSIFIER).set_partial_fit_request(sample_weight=True))
    stream.partial_fit(X, columns, classes=[np.unique(y)] * 2, sample_weight=weights)
    with_weights, without = (
        clone(CLASSIFIER).partial_fit(X, columns[:, 1], classes=[0, 1, 2], **given)
        for given in ({"sample_weight": weights}, {})
    )
    assert stream.estimators_[1].loss_curve_ == with_weights.loss_curve_ != without.loss_curve_
    regressor = clone(REGRESSOR).set_partial_fit_request(sample_weight="importance")
    assert regressor.get_metadata_routing().partial_fit.requests == {"sample_weight": "importance"}
