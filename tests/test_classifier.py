"""Labels, probabilities and what else is the classifier's own."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_multilabel_classification
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skbnn import BinaryMLPClassifier

SHORT = {"hidden_layer_sizes": (64,), "max_iter": 60, "random_state": 0}


def test_learns_digits():
    X_train, X_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    model = BinaryMLPClassifier((128, 128), max_iter=60, random_state=0).fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.96


@pytest.mark.parametrize("solver", ["adam", "sgd", "bop"])
@pytest.mark.parametrize("binarization", ["sign", "stochastic"])
@pytest.mark.parametrize("loss", ["log_loss", "squared_hinge"])
def test_every_solver_binarization_and_loss_learns(solver, binarization, loss):
    X, y = load_digits(return_X_y=True)
    model = BinaryMLPClassifier((64,), solver=solver, binarization=binarization, loss=loss, max_iter=30, random_state=0)
    assert model.fit(X[:1200], y[:1200]).score(X[1200:], y[1200:]) > 0.85


@pytest.mark.parametrize("solver", ["adam", "sgd", "bop"])
@pytest.mark.parametrize("binarization", ["sign", "stochastic"])
def test_every_solver_learns_two_classes_by_their_margin(solver, binarization):
    X, y = load_breast_cancer(return_X_y=True)
    model = BinaryMLPClassifier(solver=solver, binarization=binarization, loss="squared_hinge", **SHORT)
    assert model.fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.9


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [-1, 1], [3.0, 7.0]])
def test_two_labels_of_any_type(labels):
    X, target = load_breast_cancer(return_X_y=True)
    y = np.array(labels)[target]
    model = BinaryMLPClassifier(**SHORT).fit(X, y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    scores = model.decision_function(X)
    assert scores.shape == (len(X),)
    np.testing.assert_array_equal(model.predict(X), model.classes_[(scores > 0).astype(int)])
    assert (model.predict(X) == y).mean() > 0.95


def test_string_labels_of_several_classes():
    X, target = load_iris(return_X_y=True)
    names = load_iris().target_names[target]
    model = BinaryMLPClassifier(**SHORT).fit(X, names)
    assert model.n_outputs_ == 3
    assert model.out_activation_ == "softmax"
    np.testing.assert_array_equal(model.predict(X), model.classes_[model.decision_function(X).argmax(axis=1)])
    assert (model.predict(X) == names).mean() > 0.9


def test_multilabel_targets():
    X, y = make_multilabel_classification(400, n_classes=4, random_state=0)
    model = BinaryMLPClassifier(**SHORT).fit(X, y)
    assert model.predict(X).shape == model.predict_proba(X).shape == y.shape
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)
    assert (model.predict(X) == y).mean() > 0.87  # .925 over seeds, with a deviation of .02
    with pytest.raises(ValueError, match="the first y had 4 columns, of labels"):
        model.partial_fit(X, y[:, :2])
    sparse = BinaryMLPClassifier(**SHORT).fit(X, csr_array(y))
    np.testing.assert_array_equal(sparse.predict(X), BinaryMLPClassifier(**SHORT).fit(X, y).predict(X))


@pytest.mark.parametrize("n_classes", [2, 5])
def test_probabilities_sum_to_one_and_agree_with_their_logarithms(n_classes):
    X, y = load_digits(n_class=n_classes, return_X_y=True)
    model = BinaryMLPClassifier(**SHORT).fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (len(X), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probabilities)
    np.testing.assert_allclose(model.packed_.predict_proba(X), probabilities, rtol=1e-12)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))
    assert log_loss(y, probabilities) < 0.2


def test_squared_hinge_has_no_probabilities():
    X, y = load_iris(return_X_y=True)
    model = BinaryMLPClassifier(loss="squared_hinge", **SHORT).fit(X, y)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        _ = model.predict_proba


def test_a_fitted_model_answers_as_it_was_fitted():
    X, y = load_iris(return_X_y=True)
    for loss, other in ("log_loss", "squared_hinge"), ("squared_hinge", "log_loss"):
        model = BinaryMLPClassifier(loss=loss, **SHORT).fit(X, y).set_params(loss=other)
        assert hasattr(model, "predict_proba") == (loss == "log_loss")
        assert hasattr(model.fit(X, y), "predict_proba") == (other == "log_loss")


def test_a_stream_of_labels_checks_that_classes_are_their_columns():
    X, y = make_multilabel_classification(100, n_classes=3, random_state=0)
    for wrong in [0, 1], [0, 1, 2, 3], [1, 2, 3]:
        with pytest.raises(ValueError, match=r"must be the indices of y's 3 columns"):
            BinaryMLPClassifier(**SHORT).partial_fit(X, y, classes=wrong)


def test_early_stopping_sees_rare_labels():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 5))
    y = (X @ rng.normal(size=(5, 40)) + rng.normal(size=(600, 40)) > 3).astype(int)  # rarely is a row right in all
    model = BinaryMLPClassifier(early_stopping=True, **SHORT).fit(X[:400], y[:400])
    probabilities = model.predict_proba(X[400:])
    loss = -np.mean(np.log(np.where(y[400:], probabilities, 1 - probabilities)))
    assert -model.best_validation_score_ == pytest.approx(loss, rel=0.2)
    shares = y[:400].mean(axis=0).clip(1e-3)
    frequencies = -np.mean(np.log(np.where(y[400:], shares, 1 - shares)))
    assert loss < 0.9 * frequencies


def test_class_weight_equals_sample_weight():
    X, y = load_iris(return_X_y=True)
    weights = {0: 1.0, 1: 4.0, 2: 0.5}
    # Without classes' weights are what held-out rows decide, and thresholds, unless all values have one between them.
    model = BinaryMLPClassifier(dropout=0.0, n_thresholds=64, **SHORT)
    by_class = clone(model).set_params(class_weight=weights).fit(X, y)
    by_sample = model.fit(X, y, sample_weight=[weights[label] for label in y])
    assert by_class.loss_curve_ == by_sample.loss_curve_


def test_balanced_class_weight_finds_the_rare_class():
    rng = np.random.default_rng(0)
    y = (rng.random(6000) < 0.05).astype(int)
    X = rng.normal(size=(6000, 5)) + 0.8 * y[:, np.newaxis]
    recall = {}
    for class_weight in None, "balanced":
        model = BinaryMLPClassifier((32,), class_weight=class_weight, max_iter=20, random_state=0)
        model.fit(X[:3000], y[:3000])
        recall[class_weight] = model.predict(X[3000:])[y[3000:] == 1].mean()
    assert recall["balanced"] > recall[None] + 0.1


@pytest.mark.parametrize("class_weight", [{0: -1, 1: 1, 2: 1}, {0: np.nan, 1: 1, 2: 1}])
def test_class_weights_that_are_no_weights_raise(class_weight):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="gives rows weights that are negative or not finite"):
        BinaryMLPClassifier(class_weight=class_weight, **SHORT).fit(X, y)


@pytest.mark.parametrize("loss", ["log_loss", "squared_hinge"])
@pytest.mark.parametrize("settings", [{}, {"init": "constant"}, {"dropout": 0.0}, {"early_stopping": True}])
@pytest.mark.parametrize("kept", [[0], [1, 2]])
def test_a_class_whose_rows_weigh_nothing_is_known_but_not_predicted(loss, settings, kept):
    X, y = load_iris(return_X_y=True)
    weightless = {"sample_weight": np.isin(y, kept).astype(float)}, {}
    for fit_parameters, class_weight in zip(
        weightless, [None, {c: 0 for c in {0, 1, 2}.difference(kept)}], strict=True
    ):
        model = BinaryMLPClassifier(loss=loss, class_weight=class_weight, **SHORT).set_params(**settings)
        model.fit(X, y, **fit_parameters)
        np.testing.assert_array_equal(model.classes_, [0, 1, 2])
        assert model.decision_function(X).shape == (150, 3)
        predicted = model.predict(X)
        assert set(predicted) == set(kept)
        assert (predicted == y)[np.isin(y, kept)].mean() > 0.8


def test_ensembles_that_weigh_rows_see_every_class():
    X, y = load_iris(return_X_y=True)
    voting = VotingClassifier([("one", BinaryMLPClassifier(**SHORT))], voting="soft")
    assert voting.fit(X, y, sample_weight=(y > 0) * 1.0).score(X[50:], y[50:]) > 0.9
    few = np.r_[0:50:10, 50:150:20]
    bagging = BaggingClassifier(BinaryMLPClassifier(**SHORT), n_estimators=8, random_state=0).fit(X[few], y[few])
    assert bagging.predict_proba(X).shape == (150, 3)


@pytest.mark.parametrize("loss", ["log_loss", "squared_hinge"])
@pytest.mark.parametrize("settings", [{}, {"init": "constant"}, {"early_stopping": True}])
def test_a_single_class_is_predicted(loss, settings):
    X, _ = load_iris(return_X_y=True)
    model = BinaryMLPClassifier(loss=loss, **SHORT).set_params(**settings).fit(X, np.full(150, "only"))
    np.testing.assert_array_equal(model.classes_, ["only"])
    assert (model.predict(X) == "only").all()
    assert model.decision_function(X).shape == (150,)
    if loss == "log_loss":
        np.testing.assert_array_equal(model.predict_proba(X), np.ones((150, 1)))
        np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((150, 1)))
    streamed = BinaryMLPClassifier(loss=loss, **SHORT).partial_fit(X, np.full(150, "only"), classes=["only"])
    assert (streamed.predict(X) == "only").all()


@pytest.mark.parametrize("frequent", [0.2, 0.9])
def test_scores_under_squared_hinge_start_from_the_frequencies(frequent):
    rng = np.random.default_rng(0)
    y = (rng.random(500) < frequent).astype(int)
    model = BinaryMLPClassifier((8,), loss="squared_hinge", max_iter=1, dropout=0.0)
    model.fit(rng.normal(size=(500, 4)), y)
    assert model._state.decision.initial_model.constant == pytest.approx(2 * y.mean() - 1)  # of least loss


def test_a_class_weight_names_any_classes_of_a_stream():
    X, y = load_iris(return_X_y=True)
    lacking = y > 0  # no row of class 0
    by_class, by_sample = (
        BinaryMLPClassifier(**SHORT, n_thresholds=64, class_weight=weights) for weights in ({0: 5, 2: 3}, None)
    )
    by_class.partial_fit(X[lacking], y[lacking], classes=[0, 1, 2]).partial_fit(X, y)
    by_sample.partial_fit(X[lacking], y[lacking], classes=[0, 1, 2], sample_weight=np.array([5, 1, 3])[y[lacking]])
    by_sample.partial_fit(X, y, sample_weight=np.array([5, 1, 3])[y])
    assert by_class.loss_curve_ == by_sample.loss_curve_
    with pytest.raises(ValueError, match="not in class_weight"):
        BinaryMLPClassifier(class_weight={7: 2}, **SHORT).partial_fit(X, y, classes=[0, 1, 2])


def test_class_weights_of_labels_that_a_batch_may_lack():
    X, y = make_multilabel_classification(100, n_classes=3, random_state=0)
    y[:, 1] = 0
    weights = [{1: 3}, {1: 2}, {0: 0.5, 1: 1}]
    by_class, by_sample = (BinaryMLPClassifier(**SHORT, class_weight=one) for one in (weights, None))
    by_class.partial_fit(X, y, classes=[0, 1, 2])
    of_rows = np.where(y[:, 0], 3, 1) * np.where(y[:, 2], 1, 0.5)
    by_sample.partial_fit(X, y, classes=[0, 1, 2], sample_weight=of_rows)
    assert by_class.loss_curve_ == by_sample.loss_curve_
    for wrong in {0: 1, 1: 2}, weights[:2]:
        with pytest.raises(ValueError, match="must be a dict, or a list of one for each label"):
            BinaryMLPClassifier(**SHORT, class_weight=wrong).fit(X, y)


def test_balanced_weights_need_all_rows():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="class_weight='balanced' is not supported by partial_fit"):
        BinaryMLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])


def test_partial_fit_needs_classes_first_and_none_unknown_later():
    X, y = load_iris(return_X_y=True)
    model = BinaryMLPClassifier(**SHORT)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        model.partial_fit(X, y)
    model.partial_fit(X[:60], y[:60], classes=[0, 1, 2])  # no row of class 2
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`: \[5\]"):
        model.partial_fit(X, np.where(y == 2, 5, y))
    for _ in range(60):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.9


def test_fit_after_partial_fit_takes_the_classes_of_its_own_data():
    X, y = load_iris(return_X_y=True)
    model = BinaryMLPClassifier(**SHORT).partial_fit(X, y, classes=[0, 1, 2, 3])
    np.testing.assert_array_equal(model.fit(X, y).classes_, [0, 1, 2])


def test_several_multiclass_outputs_raise():
    for y in [[1, 2], [2, 1], [3, 3]], [["a", "x"], ["b", "y"], ["c", "x"]]:
        with pytest.raises(ValueError, match=r"several columns of several classes.*MultiOutputClassifier"):
            BinaryMLPClassifier().fit([[1], [2], [3]], y)


def test_multilabel_targets_other_than_0_and_1_raise():
    X = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.raises(ValueError, match="Multilabel y must hold 0 and 1 only"):
        BinaryMLPClassifier(**SHORT).fit(X, np.where(X > 0, 1, -1))


def test_balanced_weights_do_not_count_rows_of_weight_0():
    X, y = load_iris(return_X_y=True)
    weights = np.where(np.arange(150) < 40, 0.0, 1.0)
    model = BinaryMLPClassifier(class_weight="balanced", dropout=0.0, **SHORT)
    with_zeros = model.fit(X, y, sample_weight=weights).loss_curve_
    assert model.fit(X[40:], y[40:]).loss_curve_ == with_zeros


def test_a_class_too_rare_to_be_sampled_has_no_additive_model(monkeypatch):
    monkeypatch.setattr("skbnn.training.categories.MAX_SIZE", 200)
    X = np.random.default_rng(0).normal(size=(500, 20))
    model = BinaryMLPClassifier((8,), max_iter=1, dropout=0.0, random_state=0).fit(X, np.arange(500) == 77)
    assert not model.packed_.steps.any() and not model.packed_.slopes.any()


def test_probabilities_are_those_of_packed_to_the_last_bit():
    X, y = load_digits(return_X_y=True)
    model = BinaryMLPClassifier(**SHORT).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), model.packed_.predict_proba(X))


@pytest.mark.parametrize("n_rows", [1, 2])
def test_calls_of_a_row_or_two_do_not_unlearn_a_fit(n_rows):
    X, y = load_digits(return_X_y=True)
    model = BinaryMLPClassifier(**{**SHORT, "max_iter": 3}, init="constant", dropout=0.0).fit(X[:400], y[:400])
    before = model.score(X[1000:], y[1000:])
    for start in range(400, 600, n_rows):
        model.partial_fit(X[start : start + n_rows], y[start : start + n_rows])
    assert model.score(X[1000:], y[1000:]) > before - 0.1
