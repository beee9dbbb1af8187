"""What both estimators share: validation, the training loop, determinism, what survives a pickle."""

import io
import pickle
import re
from copy import copy
from dataclasses import replace
from itertools import count

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.kernels import available_instruction_sets, use_instruction_set
from skbnn.training import decide, epochs, held_out, state
from skbnn.training.samples import Samples

DIGITS = load_digits(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
SHORT = {"hidden_layer_sizes": (40, 24), "n_components": 0, "max_iter": 3, "dropout": 0.0, "random_state": 0}


def models():
    """Both estimators, short, with data."""
    return [(BinaryMLPClassifier(**SHORT), *DIGITS), (BinaryMLPRegressor(**SHORT), *DIABETES)]


both = pytest.mark.parametrize("model, X, y", models(), ids=["classifier", "regressor"])


def decision(model, X):
    return model.decision_function(X) if hasattr(model, "decision_function") else model.predict(X)


def same_weights(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.coefs_, other.coefs_, strict=True))


@both
@pytest.mark.parametrize("round_trip", ["pickle", "joblib"])
def test_a_round_trip_keeps_predictions_bit_for_bit(model, X, y, round_trip):
    model.fit(X, y)
    if round_trip == "pickle":
        again = pickle.loads(pickle.dumps(model))
    else:
        file = io.BytesIO()
        joblib.dump(model, file)
        file.seek(0)
        again = joblib.load(file)
    np.testing.assert_array_equal(decision(again, X), decision(model, X))


@both
def test_training_goes_on_after_a_round_trip_as_without_it(model, X, y):
    model.partial_fit(X, y, **({"classes": np.unique(y)} if hasattr(model, "classes_") or y.dtype == int else {}))
    again = pickle.loads(pickle.dumps(model))
    model.partial_fit(X, y)
    again.partial_fit(X, y)
    np.testing.assert_array_equal(decision(again, X), decision(model, X))


@both
@pytest.mark.parametrize("binarization", ["sign", "stochastic"])
def test_the_same_random_state_gives_the_same_model(model, X, y, binarization):
    model = clone(model).set_params(binarization=binarization, dropout=0.1)
    with threadpool_limits(limits=1):
        one = clone(model).fit(X, y)
    two = clone(model).fit(X, y)
    other = clone(model).set_params(random_state=1).fit(X, y)
    np.testing.assert_array_equal(decision(one, X), decision(two, X))
    assert one.loss_curve_ == two.loss_curve_
    assert not same_weights(one, other)


@both
def test_the_instruction_set_does_not_change_the_model_but_for_gradients_of_8_bits(model, X, y):
    model, losses = clone(model).set_params(hidden_layer_sizes=(131, 24)), []
    for name in available_instruction_sets():
        if "vnni" in name:
            continue
        with use_instruction_set(name):
            losses.append(clone(model).fit(X, y).loss_curve_)
    assert all(curve == losses[0] for curve in losses)


@both
def test_predictions_do_not_depend_on_batch_dtype_or_memory_order(model, X, y):
    X = np.round(X * 16)  # exact in every dtype below
    model.fit(X, y)
    expected = decision(model, X)
    for variant in X.astype(np.float32), X.astype(np.int16), np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2]:
        np.testing.assert_array_equal(decision(model, variant), expected)
    rows = np.concatenate([decision(model, X[i : i + 1]) for i in range(50)])
    np.testing.assert_array_equal(rows, expected[:50])
    with threadpool_limits(limits=1):
        np.testing.assert_array_equal(decision(model, np.tile(X, (20, 1))), np.tile(expected.T, 20).T)


@both
@pytest.mark.parametrize("n_components", [0, 3])
def test_packed_predicts_alone(model, X, y, n_components):
    model = clone(model).set_params(n_components=n_components).fit(X, y)
    packed = pickle.loads(pickle.dumps(model.packed_))
    assert packed.components.shape == (n_components, X.shape[1])
    expected = decision(model, X)
    scores = packed.decision_function(X)
    np.testing.assert_array_equal(scores if expected.ndim == 2 else scores[:, 0], expected)
    np.testing.assert_array_equal(packed.decision_function(np.asfortranarray(X)), scores)
    np.testing.assert_array_equal([packed.decision_function(row) for row in X[:20]], scores[:20])
    with threadpool_limits(1):
        np.testing.assert_array_equal(packed.decision_function(X), scores)
    prediction = packed.predict(X)
    np.testing.assert_array_equal(packed.predict(np.asfortranarray(X)), prediction)
    np.testing.assert_array_equal([packed.predict(row) for row in X[:20]], prediction[:20])
    np.testing.assert_array_equal(
        model.classes_[prediction] if hasattr(model, "classes_") else prediction, model.predict(X)
    )


@both
def test_works_in_a_pipeline_a_grid_search_and_cross_validation(model, X, y):
    pipeline = make_pipeline(FunctionTransformer(), model)
    search = GridSearchCV(pipeline, {f"{type(model).__name__.lower()}__n_thresholds": [1, 8]}, cv=2, n_jobs=2)
    search.fit(X[:300], y[:300])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert np.isfinite(cross_val_score(clone(model), X[:300], y[:300], cv=2)).all()


@both
@pytest.mark.parametrize("n_estimators", [1, 3])
def test_fitted_attributes(model, X, y, n_estimators):
    model = clone(model).set_params(n_estimators=n_estimators).fit(X, y)
    assert model.n_features_in_ == X.shape[1]
    assert model.n_iter_ == len(model.loss_curve_) == 3
    assert model.n_layers_ == 4
    assert model.validation_scores_ is None
    assert model.n_estimators_ == model.packed_.n_members == n_estimators
    shapes = [weights.shape for weights in model.coefs_]
    assert shapes[1:] == [(40, n_estimators * 24), (24, model.packed_.scale.size)]
    assert shapes[0] == (model.packed_.layer_sizes[0], n_estimators * 40)
    assert {weights.dtype for weights in model.coefs_} == {np.dtype(np.int8)}
    assert set(np.unique(model.coefs_[0])) == {-1, 1}
    assert model.loss_curve_[-1] < model.loss_curve_[0]


@both
def test_small_data_trains_for_many_steps_and_large_for_28_epochs(model, X, y):
    model = clone(model).set_params(hidden_layer_sizes=(8,), max_iter=None)
    targets = model._learn_targets(y, False)
    fewest, most = targets.fewest_steps, targets.most_epochs
    for n_batches in 2, 10, 20, 100:
        fitted = clone(model).set_params(batch_size=200 // n_batches).fit(X[:200], y[:200])
        assert fitted.n_iter_ == min(max(28, -(-fewest // n_batches)), most)


@both
def test_two_networks_unless_rows_are_many(model, X, y, monkeypatch):
    assert clone(model).fit(X, y).n_estimators_ == 2
    monkeypatch.setattr(decide, "MAX_ROWS_FOR_TWO", len(X) - 1)
    assert clone(model).fit(X, y).n_estimators_ == 1


@both
def test_a_first_call_of_partial_fit_holds_nothing_out_and_what_fit_chose_is_kept(model, X, y, monkeypatch):
    defaults = {"dropout": "auto", "n_estimators": "auto"}
    if hasattr(model, "predict_proba"):
        X, y = X[y < 2], y[y < 2]
    else:
        defaults["n_components"] = "auto"
    streamed = clone(model).set_params(**defaults)
    with monkeypatch.context() as patched:
        patched.setattr(held_out, "Judge", None)  # nothing is compared
        streamed.partial_fit(X, y, **({"classes": [0, 1]} if hasattr(model, "predict_proba") else {}))
    assert (streamed.n_estimators_, streamed.n_components_) == (1, 0)
    assert (streamed.dropout_, streamed.shrinkage_) == (0.0, 1.0)
    assert streamed.packed_.steps.size == 0
    fitted = clone(model).set_params(**defaults, warm_start=True).fit(X, y)
    chosen = fitted.dropout_, fitted.shrinkage_, fitted.n_estimators_, fitted.n_components_
    steps = fitted.packed_.steps
    assert steps.size
    monkeypatch.setattr("skbnn.training.prepare.decide", None)  # not called again
    fitted.fit(X, y)
    assert (fitted.dropout_, fitted.shrinkage_, fitted.n_estimators_, fitted.n_components_) == chosen
    np.testing.assert_array_equal(fitted.packed_.steps, steps)
    fitted.partial_fit(X, y)
    assert (fitted.dropout_, fitted.n_estimators_, fitted.n_components_) == (chosen[0], *chosen[2:])
    np.testing.assert_array_equal(fitted.packed_.steps, steps)


@both
@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_several_networks_learn_the_same_with_any_number_of_threads(model, X, y, n_threads):
    model = clone(model).set_params(n_estimators=3, dropout=0.1)
    with threadpool_limits(n_threads, user_api="openmp"):
        limited = clone(model).fit(X, y)
    model.fit(X, y)
    np.testing.assert_array_equal(decision(limited, X), decision(model, X))
    assert limited.loss_curve_ == model.loss_curve_
    first, second, third = np.split(model.coefs_[1], 3, axis=1)
    assert (first != second).any() and (second != third).any()


@both
def test_mini_batches_need_not_divide_the_rows(model, X, y):
    for batch_size in 7, 64, 150:
        clone(model).set_params(batch_size=batch_size).fit(X[:151], y[:151])


@both
def test_no_hidden_layer_is_a_linear_binary_model(model, X, y):
    model = clone(model).set_params(hidden_layer_sizes=()).fit(X, y)
    assert len(model.coefs_) == 1


@both
def test_attributes_say_what_was_trained_as_those_of_scikit_learns_networks_do(model, X, y):
    with pytest.raises(NotFittedError):
        _ = clone(model).packed_
    model = clone(model).fit(X, y)
    assert all(type(loss) is float for loss in model.loss_curve_)
    assert (model.loss_, model.best_loss_) == (model.loss_curve_[-1], min(model.loss_curve_))
    assert model.best_validation_score_ is None and model.validation_scores_ is None
    assert model.t_ == 3 * len(y)
    assert model.partial_fit(X[:50], y[:50]).t_ == 3 * len(y) + 50
    model.set_params(early_stopping=True).fit(X, y)
    assert model.best_loss_ is None
    assert all(type(score) is float for score in model.validation_scores_)


@both
def test_early_stopping_keeps_the_best_epoch(model, X, y):
    model = clone(model).set_params(early_stopping=True, max_iter=60, n_iter_no_change=5).fit(X, y)
    assert model.best_validation_score_ == max(model.validation_scores_)
    best = int(np.argmax(model.validation_scores_))
    assert model.n_iter_ == len(model.validation_scores_) <= 60
    assert model.n_iter_ == 60 or model.n_iter_ - best > 5 - 1


@both
@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_a_validation_fraction_that_leaves_too_few_rows_is_named(model, X, y, fraction):
    model = clone(model).set_params(early_stopping=True, validation_fraction=fraction)
    with pytest.raises(ValueError, match=f"validation_fraction={fraction} .*{len(y)} rows"):
        model.fit(X, y)


@both
def test_the_validation_score_is_that_of_the_network_delivered(model, X, y, monkeypatch):
    model = clone(model).set_params(early_stopping=True)
    train, held_out = np.arange(300), np.arange(300, 400)
    monkeypatch.setattr(Samples, "hold_out", lambda samples, *_: replace(samples, rows=train, held=held_out))
    model.fit(X, y)
    assert model.score(X[held_out], y[held_out]) == pytest.approx(model.best_validation_score_)


@both
def test_warm_start_goes_on(model, X, y):
    model = clone(model).set_params(warm_start=True).fit(X, y)
    first = model.loss_curve_[-1]
    model.fit(X, y)
    assert model.loss_curve_[0] < clone(model).fit(X, y).loss_curve_[0]
    assert np.isfinite(first)
    other = {"hidden_layer_sizes": ((7,), (40, 24)), "n_thresholds": (3, 32), "n_estimators": (4, 2)}
    for name, (asked, kept) in {**other, "n_components": (2, 0)}.items():
        with pytest.raises(ValueError, match=re.escape(f"{name}={asked} can't go on from {kept}")):
            clone(model).set_params(warm_start=True).fit(X, y).set_params(**{name: asked}).fit(X, y)


def interrupt_epoch(number, monkeypatch):
    """Press Ctrl-C when the epoch of this number, from 1, is to begin."""
    train_epoch, numbers = epochs.train_epoch, count(1)

    def interrupted(*arguments):
        if next(numbers) == number:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    monkeypatch.setattr(epochs, "train_epoch", interrupted)


@both
def test_ctrl_c_keeps_what_was_trained(model, X, y, monkeypatch):
    model = clone(model).set_params(max_iter=50)
    interrupt_epoch(4, monkeypatch)
    with pytest.warns(UserWarning, match="Training interrupted by user after 3 of 50 epochs") as warned:
        model.fit(X, y)
    assert warned[0].filename == __file__
    assert model.n_iter_ == 3
    assert len(model.predict(X)) == len(X)


@both
def test_ctrl_c_before_the_first_step_is_not_a_fit(model, X, y, monkeypatch):
    model = clone(model)
    interrupt_epoch(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)
    monkeypatch.undo()
    model.fit(X, y)
    interrupt_epoch(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):  # a stream learns from all of its rows or says so
        model.partial_fit(X, y)


@both
def test_ctrl_c_while_things_are_chosen_leaves_an_earlier_fit_as_it_was(model, X, y, monkeypatch):
    model = clone(model).set_params(dropout="auto").fit(X, y)
    before = vars(model).copy()
    interrupt_epoch(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :3], y)
    assert vars(model) == before and model.n_features_in_ == X.shape[1]
    monkeypatch.undo()
    model.partial_fit(X, y)


@both
@pytest.mark.parametrize("again", ["partial_fit", "fit"])
def test_a_call_that_fails_leaves_the_last_ones_attributes_and_settings(model, X, y, again, monkeypatch):
    model = clone(model).set_params(dropout=0.1, warm_start=True).fit(X, y)
    curve, packed = copy(model.loss_curve_), model.packed_
    for module, function in (epochs, "train_epoch"), (state, "fold"):  # while it trains, and once it has
        monkeypatch.setattr(module, function, None)
        with pytest.raises(TypeError):
            getattr(model.set_params(max_iter=1, dropout=0.5), again)(X, y)
        monkeypatch.undo()
    model.set_params(max_iter=3, dropout="auto")
    assert (model.n_iter_, model.loss_curve_) == (len(curve), curve)
    assert model._state.n_rows_seen == len(X) and model.packed_ is packed
    assert model.partial_fit(X, y).dropout_ == 0.1  # as "auto" goes on with what was


def test_parameters_may_be_properties_and_any_code_may_call():
    class Momentum(BinaryMLPClassifier):
        momentum = property(lambda self: 0.5, lambda self, value: None)

    X, y = load_digits(n_class=2, return_X_y=True)
    options = {**SHORT, "solver": "sgd", "batch_size": 1000}
    names = {"model": Momentum(**options), "X": X, "y": y}
    with pytest.warns(UserWarning, match="batch_size=1000 is larger"):
        exec("model.fit(X, y)", names)  # whose globals have no name
    with pytest.warns(UserWarning, match="batch_size=1000 is larger"):
        expected = BinaryMLPClassifier(**{**options, "momentum": 0.5}).fit(X, y)
    assert names["model"].loss_curve_ == expected.loss_curve_


@both
def test_a_warm_start_validates_on_the_same_rows(model, X, y, monkeypatch):
    held, hold_out = [], Samples.hold_out

    def recorded(*arguments):
        held.append(hold_out(*arguments).held)
        return hold_out(*arguments)

    monkeypatch.setattr(Samples, "hold_out", recorded)
    model = clone(model).set_params(early_stopping=True, warm_start=True, random_state=None).fit(X, y)
    model.fit(X, y)
    clone(model).fit(X, y)
    np.testing.assert_array_equal(held[0], held[1])
    assert (held[0] != held[2]).any()


@both
def test_another_solver_starts_from_its_own_state(model, X, y):
    model = clone(model).set_params(solver="sgd", warm_start=True).fit(X, y)
    model.set_params(solver="adam", max_iter=1).fit(X, y)
    batch_size = model._state.decision.parameters.batch_size
    assert model._state.trainers[0].n_steps[0] == -(-len(y) // batch_size)


@both
def test_a_number_as_dropout_trusts_the_network(model, X, y, monkeypatch):
    one = np.ones(1)
    monkeypatch.setattr(held_out, "weigh", lambda *_: held_out.Outcome(one, one, one, 0.02 * one))
    model = clone(model).set_params(dropout="auto", warm_start=True).fit(X, y)
    assert model.shrinkage_ < 0.2
    model.set_params(dropout=0.2).fit(X, y)
    assert (model.dropout_, model.shrinkage_) == (0.2, 1.0)


@both
def test_partial_fit_has_no_early_stopping(model, X, y):
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        clone(model).fit(X, y).set_params(early_stopping=True).partial_fit(X, y)


@both
def test_verbose_reports_each_epoch(model, X, y, capsys):
    model = clone(model).set_params(verbose=True, early_stopping=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines[-3:]] == ["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]
    loss, score = f"loss = {model.loss_curve_[2]:.6f}", f"validation score = {model.validation_scores_[2]:.4f}"
    flips = f"{model.flip_ratio_curve_[2]:.2%} of weights flipped"
    assert re.fullmatch(rf"Epoch 3/3, {loss}, {score}, {flips}, \d+\.\d+ s, 0.0 s left", lines[-1])
    model.set_params(early_stopping=False).partial_fit(X, y)
    assert re.fullmatch(
        r"Epoch 4, loss = \d+\.\d+, \d+\.\d+% of weights flipped, \d+\.\d+ s\n", capsys.readouterr().out
    )
    model.set_params(verbose=False).fit(X, y)
    assert capsys.readouterr().out == ""


@both
def test_a_constant_X_predicts_as_if_there_were_no_features(model, X, y):
    model = clone(model).set_params(max_iter=200)
    with pytest.warns(UserWarning, match="No feature varies in these 300 rows") as warned:
        model.fit(np.ones((300, 3)), y[:300])
    assert warned[0].filename == __file__
    prediction = model.predict([[1, 1, 1], [0, 0, 0], [-1e300, 5, 1e300]])
    assert len(np.unique(prediction)) == 1
    if not hasattr(model, "classes_"):
        assert prediction[0] == pytest.approx(y[:300].mean(), rel=0.1)


@both
def test_bad_input_gets_scikit_learns_messages(model, X, y):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y[:-1])
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        model.fit(X[:0], y[:0])
    with pytest.raises(ValueError, match="Complex data not supported"):
        model.fit(X + 1j, y)
    with pytest.raises(ValueError, match="could not convert string to float"):
        model.fit(np.full(X.shape, "a", object), y)
    with pytest.raises(ValueError, match=f"X has 2 features, but {type(model).__name__} is expecting"):
        model.fit(X, y).predict(X[:, :2])


@both
def test_bad_weights_raise(model, X, y):
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        model.fit(X, y, sample_weight=np.full(len(y), -1.0))
    with pytest.raises(ValueError, match="at least one non-zero number"):
        model.fit(X, y, sample_weight=np.zeros(len(y)))
    with pytest.raises(ValueError, match=r"sample_weight\.shape"):
        model.fit(X, y, sample_weight=np.ones(3))


@both
def test_weights_of_any_size_train(model, X, y):
    ordinary = clone(model).fit(X, y)
    for factor in 2.0**1000, 2.0**-1000:
        scaled = clone(model).fit(X, y, sample_weight=np.full(len(y), factor))
        assert scaled.loss_curve_ == ordinary.loss_curve_


@both
@pytest.mark.parametrize("light, heavy", [(1.0, 1e29), (1.0, 1e100), (1e-200, 1e200)])
def test_weights_of_any_ratio_train(model, X, y, light, heavy):
    model.set_params(dropout="auto").fit(X, y, sample_weight=np.where(np.arange(len(y)) % 2, light, heavy))
    assert np.isfinite(model.predict(X)).all()


@both
@pytest.mark.parametrize(
    "name, value",
    [
        ("hidden_layer_sizes", (10, 0)),
        ("hidden_layer_sizes", (10, 2.5)),
        ("hidden_layer_sizes", -3),
        ("hidden_layer_sizes", (True,)),
        ("binarization", "ternary"),
        ("surrogate_gradient", "identity"),
        ("n_thresholds", 0),
        ("solver", "lbfgs"),
        ("loss", "hinge"),
        ("batch_size", 1),
        ("learning_rate", "adaptive"),
        ("learning_rate_init", 0.0),
        ("max_iter", 0),
        ("momentum", 1.0),
        ("beta_1", 1.0),
        ("beta_2", -0.1),
        ("epsilon", 0.0),
        ("dropout", 1.0),
        ("tol", -1.0),
        ("n_iter_no_change", 0),
        ("validation_fraction", 1.0),
    ],
)
def test_a_parameter_out_of_range_is_named_with_its_value(model, X, y, name, value):
    with pytest.raises(ValueError, match=f"{name}.*{re.escape(str(value))}"):
        clone(model).set_params(**{name: value}).fit(X, y)


@both
def test_a_batch_larger_than_the_data_is_clipped_with_a_warning(model, X, y):
    with pytest.warns(UserWarning, match="batch_size=1000 is larger than the 100 training samples") as warned:
        clone(model).set_params(batch_size=1000).fit(X[:100], y[:100])
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    "estimator, parameters, spreads, gain",
    [
        (BinaryMLPRegressor, {}, [0.2, 0.1, 0.05], 0.1 / 8**0.5),
        (BinaryMLPRegressor, {"init": "constant"}, [0.2, 0.1, 0.05], 1 / 8**0.5),
        (BinaryMLPRegressor, {"loss": "huber"}, [0.2, 0.1, 0.05], 0.1 / 8**0.5),
        (BinaryMLPRegressor, {"hidden_layer_sizes": []}, [0.1], 0.1 / 8**0.5),
        (BinaryMLPRegressor, {"binarization": "stochastic"}, [1, 1, 1], 0.1 / 8**0.5),
        (BinaryMLPClassifier, {}, [0.1, 0.1, 0.1], 1),
        (BinaryMLPClassifier, {"init": "constant"}, [0.1, 0.1, 0.1], 2),
    ],
)
def test_initial_range_of_latent_weights_and_of_scores(estimator, parameters, spreads, gain):
    X, y = DIGITS
    model = estimator((64, 64), dropout=0, n_components=0, random_state=0).set_params(**parameters)
    model.set_params(max_iter=1, learning_rate_init=1e-30).fit(X[:200], y[:200])
    layers = model._state.trainers[0].network.layers
    np.testing.assert_allclose([np.abs(layer.latent_weights).max() for layer in layers], spreads, rtol=0.02)
    np.testing.assert_allclose(layers[-1].gain, gain, rtol=1e-6)


@both
@pytest.mark.parametrize("again", ["fit", "partial_fit"])
def test_training_goes_on_from_arrays_that_are_read_only(model, X, y, again, tmp_path):
    model = clone(model).set_params(warm_start=True, hidden_layer_sizes=(64,)).fit(X, y)
    joblib.dump(model, tmp_path / "model")
    lent = joblib.load(tmp_path / "model", mmap_mode="r")
    for one in model, lent:
        getattr(one, again)(X, y)
    np.testing.assert_array_equal(decision(lent, X), decision(model, X))
    before = joblib.load(tmp_path / "model")
    assert before.n_iter_ == 3  # what was lent is as it was


@both
def test_training_goes_on_after_skops_as_without_it(model, X, y):
    skops = pytest.importorskip("skops.io")
    model = clone(model).set_params(dropout=0.1).fit(X, y)
    content = skops.dumps(model)
    again = skops.loads(content, trusted=skops.get_untrusted_types(data=content))
    for one in model, again:
        one.partial_fit(X, y)
    np.testing.assert_array_equal(decision(again, X), decision(model, X))


def test_one_against_the_rest_streams_in_several_processes():
    X, y = DIGITS
    model = OneVsRestClassifier(BinaryMLPClassifier(random_state=0), n_jobs=2)
    model.partial_fit(X, y, classes=np.unique(y)).partial_fit(X, y)
    assert model.score(X, y) > 0.9
