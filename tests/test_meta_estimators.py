"""The estimators inside scikit-learn's meta-estimators and tools, on its bundled data."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.ensemble import BaggingClassifier, BaggingRegressor, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import (
    HalvingGridSearchCV,
    TunedThresholdClassifierCV,
    cross_validate,
    train_test_split,
)
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

SMALL = {"hidden_layer_sizes": (32,), "max_iter": 20, "dropout": 0.0, "n_estimators": 1, "random_state": 0}
CLASSIFIER = BinaryMLPClassifier(**SMALL)
REGRESSOR = BinaryMLPRegressor(**SMALL, n_components=0)

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True, as_frame=True)


def halves(data):
    """Rows to fit and rows to test by, of each class alike."""
    return train_test_split(*data, test_size=0.5, random_state=0, stratify=data[1])


def iris_beside_noise():
    """With eight more features that say nothing."""
    return np.hstack([IRIS[0], np.random.default_rng(0).standard_normal((150, 8))]), IRIS[1]


def test_calibrated_classifier_cv():
    X, X_test, y, y_test = halves(load_breast_cancer(return_X_y=True))
    calibrated = CalibratedClassifierCV(CLASSIFIER, cv=3).fit(X, y)
    assert calibrated.score(X_test, y_test) > 0.93
    assert log_loss(y_test, calibrated.predict_proba(X_test)) < 0.15


def test_bagging_classifier_takes_bootstrap_counts_as_weights():
    X, X_test, y, y_test = halves(IRIS)
    bagging = BaggingClassifier(CLASSIFIER, n_estimators=5, random_state=0).fit(X, y)
    assert bagging.score(X_test, y_test) > 0.9
    assert bagging.predict_proba(X_test).sum(axis=1) == pytest.approx(1)


def test_bagging_classifier_with_a_class_that_most_bootstraps_lack():
    X, y = IRIS[0], IRIS[1].copy()
    y[0] = 3
    bagging = BaggingClassifier(CLASSIFIER, n_estimators=5, max_samples=0.3, random_state=0).fit(X, y)
    assert bagging.classes_.tolist() == [0, 1, 2, 3] and bagging.predict_proba(X).shape == (150, 4)
    assert bagging.score(X, y) > 0.9


def test_bagging_regressor():
    X, X_test, y, y_test = train_test_split(*DIABETES, random_state=0)
    bagging = BaggingRegressor(REGRESSOR, n_estimators=5, random_state=0).fit(X, y)
    assert bagging.score(X_test, y_test) > 0.3


def test_stacking_classifier():
    X, X_test, y, y_test = halves(IRIS)
    stacking = StackingClassifier([("bits", CLASSIFIER), ("floats", LogisticRegression())], cv=3).fit(X, y)
    assert stacking.transform(X_test).shape == (75, 6) and stacking.score(X_test, y_test) > 0.9


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting_classifier(voting):
    X, X_test, y, y_test = halves(IRIS)
    members = [("bits", CLASSIFIER), ("more", clone(CLASSIFIER).set_params(random_state=1))]
    vote = VotingClassifier(members, voting=voting).fit(X, y, sample_weight=1.0 + y)
    assert vote.score(X_test, y_test) > 0.9


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting_classifier_where_a_class_has_no_weight(voting):
    X, y = IRIS
    vote = VotingClassifier([("bits", CLASSIFIER)], voting=voting).fit(X, y, sample_weight=(y > 0) * 1.0)
    assert vote.score(X[y > 0], y[y > 0]) > 0.95


def test_self_training_classifier():
    X, y = load_digits(return_X_y=True)
    unknown = np.random.default_rng(0).random(len(y)) < 0.8
    labelled = np.where(unknown, -1, y)
    training = SelfTrainingClassifier(CLASSIFIER, threshold=0.9, max_iter=3).fit(X, labelled)
    assert (training.transduction_[unknown] >= 0).mean() > 0.5
    assert training.score(X[unknown], y[unknown]) > 0.88


def test_multi_output_regressor():
    X, y = DIABETES
    y = np.column_stack([y, X["bmi"] * 1000])
    model = MultiOutputRegressor(REGRESSOR).fit(X, y)
    for output in range(2):
        alone = clone(REGRESSOR).fit(X, y[:, output])
        assert model.predict(X)[:, output].tolist() == alone.predict(X).tolist()


def test_multi_output_classifier_of_several_columns_of_several_classes():
    X, X_test, y, y_test = halves(IRIS)
    names = np.array(["a", "b", "c"]), np.array(["y", "z", "x"])
    columns = [np.column_stack([labels[part] for labels in names]) for part in (y, y_test)]
    with pytest.raises(ValueError, match="MultiOutputClassifier fits one for each column"):
        clone(CLASSIFIER).fit(X, columns[0])
    model = MultiOutputClassifier(CLASSIFIER).fit(X, columns[0])
    assert [one.shape for one in model.predict_proba(X_test)] == [(75, 3), (75, 3)]
    assert (model.predict(X_test) == columns[1]).mean(axis=0).min() > 0.9


def test_halving_grid_search_cv():
    X, y = load_digits(return_X_y=True)
    grid = {"hidden_layer_sizes": [(2,), (64,)], "n_thresholds": [1, 4]}
    model = clone(CLASSIFIER).set_params(init="constant")  # beside a good initial model two units may do
    search = HalvingGridSearchCV(model, grid, cv=2, factor=2, min_resources=400, random_state=0).fit(X, y)
    assert search.n_candidates_ == [4, 2, 1] and search.n_resources_ == [400, 800, 1600]
    assert search.best_params_["hidden_layer_sizes"] == (64,) and search.best_score_ > 0.85


def test_halving_grid_search_cv_by_epochs():
    X, y = IRIS
    search = HalvingGridSearchCV(
        CLASSIFIER, {"n_thresholds": [1, 16]}, resource="max_iter", max_resources=20, min_resources=5, factor=2, cv=3
    ).fit(X, y)
    assert search.best_params_ == {"max_iter": 10, "n_thresholds": 16} and search.best_score_ > 0.9


def test_tuned_threshold_classifier_cv():
    X, y = load_breast_cancer(return_X_y=True)
    kept = (y == 1) | (np.arange(len(y)) % 6 == 0)  # few of class 0
    X, X_test, y, y_test = halves((X[kept], y[kept]))
    tuned = TunedThresholdClassifierCV(CLASSIFIER, scoring="balanced_accuracy", cv=3, random_state=0).fit(X, y)
    untuned = cross_validate(CLASSIFIER, X, y, scoring="balanced_accuracy", cv=3)
    assert tuned.best_threshold_ > 0.5 and tuned.best_score_ > untuned["test_score"].mean()
    assert balanced_accuracy_score(y_test, tuned.predict(X_test)) > 0.85


def test_permutation_importance():
    X, X_test, y, y_test = halves(iris_beside_noise())
    found = permutation_importance(clone(CLASSIFIER).fit(X, y), X_test, y_test, n_repeats=5, random_state=0)
    assert set(np.argsort(found.importances_mean)[-2:]) == {2, 3}
    assert np.abs(found.importances_mean[4:]).max() < 0.05


def test_partial_dependence():
    X, y = DIABETES
    model = clone(REGRESSOR).fit(X, y)
    found = partial_dependence(model, X, ["bmi"], kind="average", grid_resolution=5)
    for value, average in zip(found["grid_values"][0], found["average"][0], strict=True):
        assert average == pytest.approx(model.predict(X.assign(bmi=value)).mean())
    assert found["average"][0, -1] - found["average"][0, 0] > 30
    classifier = clone(CLASSIFIER).fit(*IRIS)
    assert partial_dependence(classifier, IRIS[0], [2])["average"].sum(axis=0) == pytest.approx(1)


def test_cross_validate_in_two_processes_is_the_same_as_in_one():
    X, y = IRIS
    options = {"cv": 3, "scoring": ["accuracy", "neg_log_loss", "roc_auc_ovr"]}
    alone, together = (cross_validate(CLASSIFIER, X, y, **options, n_jobs=n_jobs) for n_jobs in (1, 2))
    for name, least in ("accuracy", 0.9), ("neg_log_loss", -0.3), ("roc_auc_ovr", 0.97):
        assert alone[f"test_{name}"].tolist() == together[f"test_{name}"].tolist()
        assert alone[f"test_{name}"].mean() > least


def test_select_from_model_in_a_pipeline():
    X, X_test, y, y_test = halves(iris_beside_noise())
    pipeline = make_pipeline(StandardScaler(), SelectFromModel(CLASSIFIER), CLASSIFIER).fit(X, y)
    assert set(pipeline[1].get_support(indices=True)) <= {0, 1, 2, 3}
    assert {2, 3} <= set(pipeline[1].get_support(indices=True)) and pipeline.score(X_test, y_test) > 0.9
