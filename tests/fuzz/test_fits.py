"""Odd tables with odd parameters: a fit raises an error that names what is wrong, or gives a whole model."""

import datetime
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder

polars = pytest.importorskip("polars")

SMALLEST, LARGEST = np.finfo(float).smallest_subnormal, 1e308

# What an error has to name, beside parameters: rows, a column, targets, weights, or what is no number.
NAMED = (
    r"\bX\b|\by\b|column|feature|label|class|[Ss]ample|weight"
    r"|could not convert string to float: |float\(\) argument|setting an array element with a sequence"
)

numbers = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, 3.5, 1e-3, 7e5])
odd_numbers = st.sampled_from([SMALLEST, -SMALLEST, 1e-308, LARGEST, -LARGEST, np.inf, -np.inf, np.nan, 1e30, 2.0**53])
integers = st.sampled_from([0, 1, -1, 255, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)])
labels = st.sampled_from(["a", "b", "日本", "", "a\0", None, np.nan])
moments = st.sampled_from(
    [
        datetime.datetime(1970, 1, 1),
        datetime.datetime.max,
        datetime.datetime.min,
        datetime.datetime(2026, 2, 28, 7),
        None,
    ]
)
objects = st.one_of(
    st.sampled_from([True, 10**30, 10**400, -(10**5000), 1 + 1j, "x", "1e5", b"x", (1,), None, pd.NA, pd.NaT]),
    st.sampled_from([datetime.date.max, datetime.timedelta.max, np.float32(3), np.datetime64("NaT", "D"), object]),
    numbers,
    odd_numbers,
)

DTYPES = "float64", "float32", "float16", "int64", "uint64", "int8", "bool", "object", "str"


@st.composite
def columns(draw, n_rows):
    """Values of a column, a list: one that repeats, a few, or any."""
    kind = draw(st.sampled_from([numbers, numbers, odd_numbers, integers, labels, moments, objects]))
    few = draw(st.lists(kind, min_size=1, max_size=draw(st.sampled_from([1, 2, n_rows]))))
    return [few[row % len(few)] for row in draw(st.permutations(range(n_rows)))]


@st.composite
def arrays(draw, n_rows, n_features):
    """Numbers of any dtype and memory order, dense or sparse."""
    kind = draw(st.sampled_from([numbers, odd_numbers, integers, st.one_of(numbers, odd_numbers)]))
    values = draw(st.lists(kind, min_size=n_rows * n_features, max_size=n_rows * n_features))
    with np.errstate(all="ignore"):
        X = np.array(values, np.float64).reshape(n_rows, n_features)
        dtype = draw(st.sampled_from(["float64", "float32", "float16", "int64", "uint64", "int8", "bool", ">f4"]))
        X = X.astype(dtype)
    form = draw(st.sampled_from(["C", "F", "repeated row", "repeated column", "backward", "sparse", "read-only"]))
    if form == "F":
        return np.asfortranarray(X)
    if form == "repeated row":
        return np.broadcast_to(X[0], X.shape)
    if form == "repeated column":
        return np.broadcast_to(X[:, :1], X.shape)
    if form == "backward":
        return X[::-1, ::-1]
    if form == "sparse" and dtype not in ("float16", ">f4"):
        return csr_array(X)
    X.flags.writeable = form != "read-only"
    return X


@st.composite
def tables(draw, n_rows, n_features):
    """Columns of any kind, as a frame or an array of objects."""
    drawn = [draw(columns(n_rows)) for _ in range(n_features)]
    form = draw(st.sampled_from(["objects", "pandas", "category", "polars", "list"]))
    names = [f"c{place}" for place in range(n_features)]
    if form in ("pandas", "category"):
        try:
            frame = pd.DataFrame(dict(zip(names, map(lambda values: pd.Series(values), drawn), strict=True)))
            return frame.astype({"c0": "category"}) if form == "category" else frame
        except (TypeError, ValueError, OverflowError):  # not a frame to begin with
            form = "objects"
    if form == "polars":
        try:
            return polars.DataFrame(dict(zip(names, drawn, strict=True)), strict=False)
        except Exception:
            form = "objects"
    X = np.empty((n_rows, n_features), object)
    for place, values in enumerate(drawn):
        for row, value in enumerate(values):
            X[row, place] = value
    return X.tolist() if form == "list" else X


@st.composite
def targets(draw, n_rows, *, real):
    """Of one class, of as many as rows, constant, huge, tiny; one column or several."""
    shape = draw(st.sampled_from([(n_rows,), (n_rows,), (n_rows, 1), (n_rows, 3)]))
    size = int(np.prod(shape))
    if real:
        magnitude = draw(st.sampled_from([1.0, 0.0, SMALLEST, 1e-300, 1e-30, 1e30, 1e150]))
        values = draw(st.lists(st.sampled_from([0.0, 1.0, -3.0, 2.5]), min_size=size, max_size=size))
        return (np.array(values) * magnitude).reshape(shape)
    if len(shape) == 2:
        return np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size))).reshape(shape).astype(int)
    of = draw(st.sampled_from([st.just("one"), st.booleans(), st.integers(-3, 3), st.sampled_from(["a", "b", "日本"])]))
    return np.array(draw(st.lists(of, min_size=size, max_size=size)))


def weights_of(n_rows):
    """None, or weights of any size."""
    some = st.sampled_from([0.0, 1.0, 3.7, SMALLEST, 1e-200, LARGEST])
    return st.one_of(st.none(), st.lists(some, min_size=n_rows, max_size=n_rows).map(np.array))


PARAMETERS = {
    "hidden_layer_sizes": ["auto", (1,), 1, (3, 1, 2), (65,)],
    "binarization": ["sign", "stochastic"],
    "surrogate_gradient": ["approx_sign", "clipped_identity", "swish_sign"],
    "n_thresholds": ["auto", 1, 2, 10**6, 2**62],
    "n_components": ["auto", 0, 1, 2, 2**62],
    "n_estimators": ["auto", 1, 3],
    "solver": ["adam", "sgd", "bop"],
    "batch_size": ["auto", 2, 5, 2**62],
    "learning_rate": ["cosine", "exponential", "constant"],
    "learning_rate_init": [None, 1e-300, SMALLEST, 0.5, 10],
    "momentum": [0, 0.9, 1 - 1e-16],
    "nesterovs_momentum": [True, False],
    "beta_1": [0, 0.9, 1 - 1e-16],
    "beta_2": [0, 0.999, 1 - 1e-16],
    "epsilon": [1e-8, SMALLEST, 1e300],
    "init": ["additive", "constant"],
    "dropout": ["auto", 0.0, 0.5, 1 - 1e-16],
    "shuffle": [True, False],
    "tol": [0.0, 1e-4, 1e300],
    "n_iter_no_change": [1, 10, np.inf],
    "early_stopping": ["auto", True, False],
    "scoring": [None, "loss"],
    "validation_fraction": [0.1, 0.5, SMALLEST, 1 - 1e-16],
}
LOSSES = {
    BinaryMLPClassifier: ["log_loss", "squared_hinge"],
    BinaryMLPRegressor: ["squared_error", "huber", "absolute_error"],
}


@st.composite
def parameters(draw, Estimator):
    """A few that are odd beside those that keep a fit short."""
    odd = draw(st.lists(st.sampled_from(sorted(PARAMETERS)), max_size=4, unique=True))
    drawn = {name: draw(st.sampled_from(PARAMETERS[name])) for name in odd}
    if Estimator is BinaryMLPClassifier:
        drawn["class_weight"] = draw(st.sampled_from([None, None, "balanced", {0: 0, 1: 1e308}, {1: SMALLEST}]))
    small = {"hidden_layer_sizes": (4,), "max_iter": draw(st.integers(1, 2)), "random_state": 0}
    return {**small, "loss": draw(st.sampled_from(LOSSES[Estimator])), **drawn}


def fitted(model, X, y, weights, *, streaming):
    """The model, fitted; or None after an error that names what is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            return model.partial_fit(X, y, sample_weight=weights) if streaming else model.fit(X, y, weights)
        except (TypeError, ValueError) as error:
            assert re.search(rf"{NAMED}|{'|'.join(PARAMETERS)}", str(error)), f"{type(error).__name__}: {error}"
    return None


@given(st.data())
def test_a_fit_says_what_is_wrong_or_gives_a_whole_model(data):
    Estimator = data.draw(st.sampled_from([BinaryMLPClassifier, BinaryMLPRegressor]))
    n_rows = data.draw(st.sampled_from([1, 2, 3, 7, 25, 60]))
    X = data.draw(st.one_of(arrays(n_rows, data.draw(st.integers(1, 3))), tables(n_rows, data.draw(st.integers(1, 3)))))
    y = data.draw(targets(n_rows, real=Estimator is BinaryMLPRegressor))
    asked, weights = data.draw(parameters(Estimator)), data.draw(weights_of(n_rows))
    streaming = Estimator is BinaryMLPRegressor and data.draw(st.booleans())
    model = fitted(Estimator(**asked), X, y, weights, streaming=streaming)
    if model is None:
        return
    predicted = model.predict(X)
    np.testing.assert_array_equal(predicted, model.packed_.predict(X))
    assert np.isfinite(model.packed_.decision_function(X)).all()
    assert np.isfinite(model.feature_importances_).all()
    if Estimator is BinaryMLPRegressor:
        assert np.isfinite(predicted).all()
    else:
        assert np.isin(predicted, y).all()
        if asked["loss"] == "log_loss":
            shares = model.predict_proba(X)
            assert (shares >= 0).all() and (shares <= 1).all()
            if y.ndim == 1 or y.shape[1] == 1:
                np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    again = fitted(Estimator(**asked), X, y, weights, streaming=streaming)
    np.testing.assert_array_equal(model.packed_.decision_function(X), again.packed_.decision_function(X))


@pytest.mark.parametrize(
    "X, named",
    [
        ([[10**400], [1]], "number beyond the range of float64"),
        (np.array([[-(10**5000)], [1]], object), r"an int of 16610 bits, in feature 0 of X"),
        (pd.DataFrame({"a": ["b", 10**5000]}, dtype=object), "column 'a' of X has categories that are not all"),
        (polars.DataFrame({"a": [10**30, 10**37]}, schema={"a": polars.Int128}), None),
        (pd.DataFrame({"a": [True, False], "b": [0.5, 1.5]}), None),
    ],
    ids=["list", "objects", "categories", "polars", "bool beside float"],
)
@pytest.mark.parametrize("model", [BinaryMLPClassifier((4,), max_iter=1), BinaryMLPRegressor((4,), max_iter=1)])
def test_numbers_of_any_size_are_read_or_named(X, named, model):
    if named:
        with pytest.raises((TypeError, ValueError), match=named):
            model.fit(X, [0, 1])
        return
    model.fit(X, [0, 1])
    np.testing.assert_array_equal(model.predict(X), model.packed_.predict(X))


@pytest.mark.parametrize("name", ["sample_weight", "class_weight", "learning_rate_init", "epsilon", "max_iter", "tol"])
@pytest.mark.parametrize("streaming", [False, True])
def test_weights_and_parameters_beyond_float64_are_named(name, streaming):
    weights = [1, 10**400] if name == "sample_weight" else None
    asked = {"class_weight": {0: 10**400}, "sample_weight": None}.get(name, 10**400)
    model = BinaryMLPClassifier((4,)).set_params(**({} if asked is None else {name: asked}))
    first = {"classes": [0, 1]} if streaming else {}
    with pytest.raises(ValueError, match=f"{name} has a number beyond the range of float64"):
        (model.partial_fit if streaming else model.fit)([[0], [1]], [0, 1], **first, sample_weight=weights)


def test_an_encoder_names_numbers_beyond_float64():
    with pytest.raises(ValueError, match="number beyond the range of float64"):
        ThermometerEncoder().fit([[10**400], [1]])


@given(st.data())
def test_an_encoder_says_what_is_wrong_or_encodes(data):
    n_rows = data.draw(st.sampled_from([1, 2, 7, 25]))
    X = data.draw(st.one_of(arrays(n_rows, 2), tables(n_rows, 2)))
    n_thresholds = data.draw(st.sampled_from([1, 3, 2**62]))
    try:
        encoder = ThermometerEncoder(n_thresholds, random_state=0).fit(X)
    except (TypeError, ValueError) as error:
        assert re.search(f"{NAMED}|dtype", str(error)), error
        return
    bits = encoder.transform(X)
    assert bits.shape == (n_rows, len(encoder.get_feature_names_out()))
    assert np.isin(bits, [-1, 1]).all()
