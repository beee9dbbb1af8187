"""Estimators without training state: all but training goes on as before, from far fewer bytes."""

import io
import pickle
from copy import copy, deepcopy

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import NotFittedError

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

SHORT = {"hidden_layer_sizes": (40, 24), "max_iter": 3, "dropout": 0.0, "random_state": 0}
METHODS = "predict", "predict_proba", "predict_log_proba", "decision_function"

both = pytest.mark.parametrize(
    "model, X, y",
    [
        (BinaryMLPClassifier(**SHORT), *load_digits(return_X_y=True)),
        (BinaryMLPRegressor(**SHORT), *load_diabetes(return_X_y=True, as_frame=True)),
    ],
    ids=["classifier", "regressor"],
)


def by_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def by_skops(model):
    skops = pytest.importorskip("skops.io")
    content = skops.dumps(model)
    return skops.loads(content, trusted=skops.get_untrusted_types(data=content))


def all_that_is_told(model, X, y):
    """Fitted attributes, documented or inherited, and what every method of a fitted estimator returns."""
    attributes = [name for name in dir(model) if name.endswith("_") and not name.startswith("_")]
    told = {name: getattr(model, name) for name in attributes}
    told |= {name: getattr(model, name)(X) for name in METHODS if hasattr(model, name)}
    return {**told, "score": model.score(X, y), "parameters": model.get_params()}


@both
@pytest.mark.parametrize(
    "round_trip", [copy, deepcopy, lambda model: pickle.loads(pickle.dumps(model)), by_joblib, by_skops]
)
def test_all_that_a_model_tells_stays_and_comes_back(model, X, y, round_trip):
    model = clone(model).fit(X, y)
    before = all_that_is_told(model, X, y)
    assert model.finalize() is model
    for one in model, round_trip(model), round_trip(model).finalize():
        after = all_that_is_told(one, X, y)
        assert "packed_" in after and "feature_importances_" in after and "n_features_in_" in after
        assert after.keys() == before.keys()
        for name, value in before.items():
            np.testing.assert_equal(after[name], value, err_msg=name)


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer, load_diabetes])
def test_a_pickle_takes_little_more_than_what_predicts(load):
    estimator = BinaryMLPRegressor if load is load_diabetes else BinaryMLPClassifier
    model = estimator(max_iter=3, dropout=0.0, random_state=0).fit(*load(return_X_y=True))
    whole, packed = len(pickle.dumps(model)), len(pickle.dumps(model.packed_))
    final = len(pickle.dumps(model.finalize()))
    assert packed < final < packed + 4096 < whole / 20


@both
def test_training_has_nothing_to_go_on_from_and_says_why(model, X, y):
    model = clone(model).fit(X, y).finalize()
    before = model.predict(X)
    with pytest.raises(ValueError, match=r"partial_fit has nothing to go on from: finalize\(\) has dropped"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"fit with warm_start=True has nothing to go on from: finalize\(\)"):
        model.set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)


@both
def test_fit_trains_from_the_start_and_can_be_gone_on_from_again(model, X, y):
    fresh, final = clone(model).fit(X, y), clone(model).fit(X[:50], y[:50]).finalize()
    assert final.fit(X, y).packed_ == fresh.packed_ == clone(final).fit(X, y).packed_
    assert final.partial_fit(X, y).packed_ == fresh.partial_fit(X, y).packed_


@both
def test_a_copy_that_was_made_before_goes_on(model, X, y):
    model = clone(model).fit(X, y)
    other, n_rows = copy(model), model.t_
    model.finalize()
    assert other.partial_fit(X, y).t_ == n_rows + len(X) and model.t_ == n_rows


@both
def test_there_is_nothing_to_keep_before_fit(model, X, y):
    with pytest.raises(NotFittedError):
        clone(model).finalize()


def test_probabilities_are_those_of_the_loss_that_was_trained():
    X, y = load_digits(return_X_y=True)
    model = BinaryMLPClassifier(**SHORT).fit(X, y).finalize().set_params(loss="squared_hinge")
    assert model.predict_proba(X).shape == (len(X), 10)
