"""Tables as people have them: every kind of column, missing values, categories, and what they mean in prediction."""

import datetime
import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, load_model, save_model
from skbnn.encoding.tables import Labels, find_categories, to_numbers
from skbnn.training.category_order import MAX_CATEGORIES

polars = pytest.importorskip("polars")

CITIES = "Bern", "Köln", "日本"


def table(n_rows=300, seed=0):
    """A frame of every kind of column, and classes that depend on a city, on whether a number is missing, and on it."""
    rng = np.random.default_rng(seed)
    city, number = rng.integers(3, size=n_rows), rng.normal(size=n_rows)
    known = rng.random(n_rows) < 0.7
    frame = pd.DataFrame(
        {
            "city": np.array(CITIES, object)[city],
            "number": np.where(known, number, np.nan),
            "count": pd.array(np.where(known, rng.integers(9, size=n_rows), None), "Int64"),
            "flag": pd.array(np.where(known, number > 0, None), "boolean"),
            "size": pd.Categorical(np.array(["s", "m", "l"])[rng.integers(3, size=n_rows)], ["s", "m", "l"]),
            "day": pd.Timestamp("2024-02-29") + pd.to_timedelta(rng.integers(99, size=n_rows), "D"),
        }
    )
    frame.loc[5, ["city", "size"]] = None
    frame.loc[6, "day"] = pd.NaT
    y = np.where(known, np.where(city == 1, 0, np.where(number > 0, 1, 2)), 3)
    return frame, y


def classifier(**parameters):
    return BinaryMLPClassifier((32,), max_iter=60, random_state=0, **parameters)


@pytest.fixture(scope="module")
def fitted():
    return classifier().fit(*table())


def test_a_frame_of_every_kind_of_column_is_learnt_without_a_line_of_preprocessing(fitted):
    X, y = table(seed=1)
    assert fitted.score(X, y) > 0.9
    assert fitted.is_categorical_.tolist() == [True, False, False, False, True, False]
    assert fitted.packed_.categories[0] == (*CITIES, None) and fitted.packed_.categories[4] == ("l", "m", "s", None)
    assert set(fitted.packed_.categories[1:4]) == {None}


def test_what_predicts_reads_the_same_table_wherever_it_comes_from(fitted, tmp_path):
    X, _ = table(seed=1)
    expected = fitted.predict_proba(X)
    save_model(fitted, tmp_path / "model")
    for network in fitted.packed_, load_model(tmp_path / "model"), pickle.loads(pickle.dumps(fitted.packed_)):
        assert network == fitted.packed_ and hash(network) == hash(fitted.packed_)
        np.testing.assert_array_equal(network.predict_proba(X), expected)
        np.testing.assert_array_equal(network.predict_proba(in_polars(X)), expected)
        np.testing.assert_array_equal(
            network.predict_proba([*X.iloc[3].to_list()[:5], seconds(X["day"][3])]), expected[3]
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an old scikit-learn does not know a new polars' names
        np.testing.assert_array_equal(fitted.predict_proba(in_polars(X)), expected)
    np.testing.assert_array_equal(fitted.predict_proba(X[::-1].iloc[:, ::1])[::-1], expected)


def seconds(timestamp):
    return timestamp.timestamp()


def in_polars(frame):
    """The same in polars, without pyarrow."""
    lists = {name: [None if pd.isna(value) else value for value in frame[name].tolist()] for name in frame}
    return polars.DataFrame(lists)


def test_columns_of_pyarrow_go_by_their_names():
    pyarrow = pytest.importorskip("pyarrow")
    X = pyarrow.table({"city": [*CITIES, None] * 10, "size": [1.0, None, 3.0, 4.0] * 10})
    y = [0, 1, 0, 1] * 10
    model = BinaryMLPClassifier((16,), max_iter=2, categorical_features=["city"], random_state=0).fit(X, y)
    assert model.feature_names_in_.tolist() == ["city", "size"] and model.packed_.categories == ((*CITIES, None), None)
    np.testing.assert_array_equal(model.packed_.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="in column 'city' of X"):
        BinaryMLPClassifier(categorical_features=None).fit(X, y)


def test_batches_of_pyarrow_may_lack_values_as_their_table_may():
    pyarrow = pytest.importorskip("pyarrow")
    columns = {"real": [1.5, None, 2.5, 3.5], "whole": [1, 2, None, 4], "yes": [True, None, False, True]}
    table = pyarrow.table({**{name: 10 * values for name, values in columns.items()}, "city": [*CITIES, None] * 10})
    (batch,), y = table.to_batches(), [0, 1, 0, 1] * 10
    model = BinaryMLPClassifier((16,), max_iter=2, categorical_features=["city"], random_state=0)
    of_batch, of_table = clone(model).fit(batch, y), clone(model).fit(table, y)
    np.testing.assert_array_equal(of_batch.decision_function(batch), of_table.decision_function(table))
    assert model.partial_fit(batch, y, classes=[0, 1]).predict(batch).shape == (40,)


def test_without_categories_a_network_reads_codes(fitted):
    X, _ = table(seed=1)
    packed = fitted.packed_
    codes = to_numbers(X, packed.categories)
    assert codes[:, 0].max() == 3 and np.isnan(codes[6, 5])
    np.testing.assert_array_equal(packed.named().integer_scores(codes), packed.integer_scores(X))


@pytest.mark.parametrize("make", [pd.DataFrame, polars.DataFrame], ids=["pandas", "polars"])
@pytest.mark.parametrize(
    "values", [["a", "b", None, "a"], [2, 1, None, 2], [2.5, 1.0, None, 2.5], [True, False, None, True]]
)
def test_categories_are_told_from_missing_values(make, values):
    frame = make({"x": values})
    categories = find_categories(frame, np.array([True]))
    known = sorted(set(values) - {None})
    assert categories == ((*known, None),)
    assert to_numbers(frame, categories)[:, 0].tolist() == [
        known.index(one) if one is not None else 2 for one in values
    ]
    unknown = make({"x": [values[0], type(values[0])(9)]})
    if isinstance(values[0], bool):
        return
    assert to_numbers(unknown, categories)[:, 0].tolist() == [known.index(values[0]), 2]
    without = find_categories(make({"x": values[:2]}), np.array([True]))
    np.testing.assert_array_equal(
        to_numbers(frame, without)[:, 0], [*map(known.index, values[:2]), np.nan, known.index(values[3])]
    )


@pytest.mark.parametrize(
    "dtype", ["str", "object", "category", "string", polars.Categorical, polars.Enum(CITIES), polars.String]
)
def test_text_and_what_is_declared_are_categories_by_default(dtype):
    if isinstance(dtype, str):
        frame = pd.DataFrame({"x": pd.Series([*CITIES, None], dtype=dtype), "number": range(4)})
    else:
        frame = polars.DataFrame({"x": polars.Series([*CITIES, None], dtype=dtype), "number": range(4)})
    assert find_categories(frame, "from_dtype") == ((*CITIES, None), None)
    assert find_categories(frame, None) is None
    assert find_categories(np.array([["a"]], object), "from_dtype") is None


def test_declared_numbers_are_categories():
    frame = pd.DataFrame({"x": pd.Categorical([30, 4, 4])})
    assert find_categories(frame, "from_dtype") == ((4, 30),)
    assert to_numbers(pd.DataFrame({"x": [30.0, 4, 5]}), ((4, 30),))[:2, 0].tolist() == [1, 0]


def many_categories(n_rows, n_categories, seed=0):
    """A frame with a column of many categories, each with an effect, and noisy logits."""
    rng = np.random.default_rng(seed)
    effects = np.random.default_rng(0).normal(size=n_categories)
    which = rng.integers(n_categories, size=n_rows)
    names = np.array([f"name {number:03}" for number in range(n_categories)], object)
    frame = pd.DataFrame({"name": names[which], "number": rng.normal(size=n_rows)})
    return frame, 3 * effects[which] + frame["number"].to_numpy() + rng.normal(size=n_rows)


@pytest.mark.parametrize("kind", ["real", "two classes", "three classes", "labels", "two targets"])
def test_many_categories_are_told_apart_by_their_targets(kind):
    (X, y), (X_test, y_test) = many_categories(3000, 200), many_categories(1000, 200, seed=1)

    def targets(y):
        return {
            "real": y,
            "two classes": y > 0,
            "three classes": np.digitize(y, [-1.5, 1.5]),
            "labels": np.stack([y > 0, y > 1], axis=1).astype(int),
            "two targets": np.stack([y, -2 * y], axis=1),
        }[kind]

    Estimator = BinaryMLPRegressor if kind in ("real", "two targets") else BinaryMLPClassifier
    model = Estimator((32,), random_state=0).fit(X, targets(y))
    score = model.score(X_test, targets(y_test))
    assert score > {"real": 0.8, "two classes": 0.8, "three classes": 0.7, "labels": 0.7, "two targets": 0.8}[kind]
    packed = model.packed_
    assert not packed.nominal.any() and packed.categories[1] is None and len(packed.categories[0]) == 200
    assert packed.layer_sizes[0] < 600
    effects = np.random.default_rng(0).normal(size=200)
    place = np.array([packed.categories[0].index(f"name {number:03}") for number in range(200)])
    assert abs(np.corrcoef(effects, place)[0, 1]) > 0.8
    np.testing.assert_array_equal(packed.predict(X_test), model.predict(X_test))


def test_categories_that_say_nothing_are_not_learnt_by_heart():
    rng = np.random.default_rng(0)
    X, y = many_categories(2000, 700)
    X["name"], y = rng.permutation(X["name"]), X["number"].to_numpy() + rng.normal(size=2000)
    with_names = BinaryMLPRegressor((32,), random_state=0).fit(X[:1000], y[:1000]).score(X[1000:], y[1000:])
    without = BinaryMLPRegressor((32,), random_state=0).fit(X[:1000][["number"]], y[:1000])
    assert with_names > without.score(X[1000:][["number"]], y[1000:]) - 0.05


def test_many_categories_go_on_in_streams_and_warm_starts():
    (X, y), (X_test, y_test) = many_categories(3000, 100), many_categories(1000, 100, seed=1)
    stream = BinaryMLPRegressor((64,), random_state=0)
    for _ in range(3):
        for start in range(0, 3000, 100):
            stream.partial_fit(X[start : start + 100], y[start : start + 100])
    assert stream.score(X_test, y_test) > 0.6
    warm = BinaryMLPRegressor((64,), random_state=0, warm_start=True).fit(X, y)
    before = warm.packed_.categories
    assert warm.fit(X_test, y_test).packed_.categories == before and warm.score(X, y) > 0.8
    stopped = BinaryMLPRegressor((64,), random_state=0).fit(X, y, X_val=X_test, y_val=y_test)
    assert stopped.best_validation_score_ == pytest.approx(stopped.score(X_test, y_test))
    held = BinaryMLPRegressor((64,), random_state=0, early_stopping=True).fit(X, y)
    assert held.best_validation_score_ > 0.7


def test_bits_serve_as_many_categories_as_they_may():
    for n_categories in MAX_CATEGORIES, MAX_CATEGORIES + 1:
        X, y = many_categories(1000, n_categories)
        packed = BinaryMLPRegressor((8,), max_iter=2, random_state=0).fit(X, y).packed_
        assert packed.nominal.tolist() == [n_categories == MAX_CATEGORIES, False]


@pytest.mark.parametrize(
    "asked",
    [[0, 2], [True, False, True], ["city", "size"], np.array(["size", "city"], object), pd.Index(["city", "size"])],
)
def test_categories_are_asked_for_by_mask_index_or_name(asked):
    X, y = table()
    X = X[["city", "number", "size"]]
    model = classifier(categorical_features=asked).fit(X, y)
    assert model.is_categorical_.tolist() == [True, False, True]
    np.testing.assert_array_equal(model.predict_proba(X), classifier().fit(X, y).predict_proba(X))
    if not isinstance(asked[0], str):
        of_rows = clone(model).fit(X.to_numpy(object), y)
        np.testing.assert_array_equal(of_rows.predict_proba(X.to_numpy(object)), model.predict_proba(X))
        np.testing.assert_array_equal(of_rows.predict_proba(X.to_numpy(object).tolist()), model.predict_proba(X))


def test_numbers_that_are_asked_for_are_categories():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 20, (400, 2)).astype(float) * 5 - 10
    X[::10] = np.nan
    y = np.isin(X[:, 0], [-10, 0, 10, 30, 40]).astype(int)
    model = classifier(categorical_features=[0]).fit(X, y)
    assert model.score(X, y) == 1 and model.packed_.categories[0] == (*np.arange(-10.0, 90, 5), None)
    unknown, missing = model.predict_proba([[3.5, 0], [np.nan, 0]])
    np.testing.assert_array_equal(unknown, missing)


@pytest.mark.parametrize(
    "asked, error",
    [
        ([0, 9], r"must be in \[0, n_features - 1 = 5\], got \[0, 9\]"),
        ([-1], "must be in"),
        ([True], r"boolean mask must have shape \(6,\)"),
        (["city", "town"], "'town', which is not a feature name of the training data"),
        ([1.5], "must be an array-like of bool, int or str"),
        ("all", "categorical_features"),
    ],
)
def test_what_are_no_features_is_refused(asked, error):
    with pytest.raises(ValueError, match=error):
        classifier(categorical_features=asked).fit(*table())
    X, y = table()
    if asked == ["city", "town"]:
        with pytest.raises(ValueError, match="on data without feature names"):
            classifier(categorical_features=asked).fit(X.to_numpy(), y)


@pytest.mark.parametrize(
    "column, error, message",
    [
        (["a", 1, "b"], TypeError, r"column 'x' of X has categories that are not all text or all numbers: 'a', 1, 'b'"),
        ([["a"], ["b"], ["a"]], TypeError, r"column 'x' of X .*list"),
        ([1j, 2, 3], TypeError, r"column 'x' of X .*complex"),
        ([b"a", b"b", b"a"], ValueError, "could not convert string to float: b'a', in column 'x' of X"),
        ([datetime.time(1)] * 3, TypeError, r"column 'x' of X .*time"),
    ],
)
def test_an_error_names_the_column_and_the_value(column, error, message):
    frame = pd.DataFrame({"number": [1.0, 2, 3], "x": pd.Series(column, dtype=object)})
    with pytest.raises(error, match=message):
        classifier().fit(frame, [0, 1, 0])


def test_text_without_categories_is_refused_by_its_column_and_value():
    X, y = table()
    with pytest.raises(
        ValueError, match="could not convert string to float: 'Köln', in column 'city' of X, which is none of"
    ):
        classifier(categorical_features=None).fit(X[X["city"] == "Köln"], y[X["city"] == "Köln"])
    with pytest.raises(ValueError, match="could not convert string to float: 'a', in feature 1 of X"):
        classifier().fit(np.array([[1, "a"], [2, "b"]], object), [0, 1])


def test_numbers_in_place_of_text_are_refused(fitted):
    X, _ = table()
    for model in fitted, fitted.packed_:
        with pytest.raises(
            ValueError,
            match=r"column 'city' of X holds 1\.0, but its categories are such as 'Bern'",
        ):
            model.predict(X.assign(city=1.0))
    X["city"] = np.nan
    assert len(fitted.predict(X)) == len(X)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_are_the_same_in_any_unit_and_time_zone(unit):
    days = pd.date_range("2020-01-01", periods=200, freq="D")
    X, y = pd.DataFrame({"day": days}), np.arange(200.0) % 50
    model = BinaryMLPRegressor((32,), random_state=0).fit(X, y)
    expected = model.predict(X)
    assert len(np.unique(expected)) > 20
    assert model.score(X, y) > 0.5
    for day in (
        X["day"].astype(f"datetime64[{unit}]"),
        X["day"].astype(f"datetime64[{unit}]").dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
    ):
        np.testing.assert_array_equal(model.predict(pd.DataFrame({"day": day})), expected)
        np.testing.assert_array_equal(model.packed_.predict(pd.DataFrame({"day": day})), expected)
    rows = X.to_numpy().astype(f"M8[{unit}]")
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(model.predict(rows), expected)
    np.testing.assert_array_equal(model.packed_.predict(rows), expected)
    np.testing.assert_array_equal(model.packed_.predict(in_polars(X)), expected)


def test_dates_of_any_age_are_seconds():
    far = np.array([[4 * 10**13], [-(4 * 10**13)]], "M8[s]")
    assert to_numbers(far, None)[:, 0].tolist() == [4e13, -4e13]
    assert to_numbers(pd.DataFrame({"day": far[:, 0]}), None)[:, 0].tolist() == [4e13, -4e13]


def test_weights_that_do_not_fit_a_frame_are_refused_in_scikit_learns_words():
    X, y = table()
    with pytest.raises(ValueError, match=r"sample_weight\.shape"):
        classifier().fit(X, y, sample_weight=np.ones(3))


def test_durations_are_seconds_and_no_time_is_missing():
    frame = pd.DataFrame({"time": pd.to_timedelta([1, 2, None], "h"), "day": pd.to_datetime([0, None, 1], unit="s")})
    np.testing.assert_array_equal(to_numbers(frame, None), [[3600, 0], [7200, np.nan], [np.nan, 1]])


@pytest.mark.parametrize("Estimator", [BinaryMLPClassifier, BinaryMLPRegressor])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_missing_values_and_infinities_say_something(Estimator, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4)).astype(dtype)
    kind = rng.integers(4, size=400)
    X[kind == 1, 0], X[kind == 2, 0], X[kind == 3, 0] = np.nan, np.inf, -np.inf
    y = np.array([X[:, 0] > 0, np.ones(400), np.zeros(400), np.ones(400)])[kind, np.arange(400)]
    model = Estimator((32,), max_iter=60, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    for variant in X.astype(np.float64), np.asfortranarray(X), X.astype(object):
        np.testing.assert_array_equal(model.predict(variant), model.predict(X))


def test_a_value_that_is_missing_for_the_first_time_counts_as_the_middle_threshold():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    y = X[:, 0] + np.abs(X[:, 1])
    model = BinaryMLPRegressor((64,), n_components=0, random_state=0).fit(X, y)
    packed = model.packed_
    gone, filled = X.copy(), X.copy()
    for feature in range(3):
        thresholds = packed.thresholds[packed.offsets[feature] : packed.offsets[feature + 1]]
        gone[::2, feature], filled[::2, feature] = np.nan, thresholds[len(thresholds) // 2] if len(thresholds) else 0
    np.testing.assert_array_equal(model.predict(gone), model.predict(filled))
    assert abs(np.median(X[:, 0]) - filled[0, 0]) < 0.2


def test_features_with_missing_values_and_categories_are_not_combined():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    X[0, 0], X[1, 1] = np.nan, np.inf
    y = np.sin(X[:, 2] + X[:, 3])
    X[:, 5] = np.arange(300) % 4
    model = BinaryMLPRegressor((32,), n_components=3, categorical_features=[5], max_iter=5, random_state=0).fit(X, y)
    assert model.packed_.components.any(axis=0).tolist() == [False, False, True, True, True, False]
    with pytest.raises(
        ValueError, match="n_components=4 must be below n_samples=300 and at most 3, the features without"
    ):
        clone(model).set_params(n_components=4).fit(X, y)


def test_rows_that_differ_in_what_is_missing_are_different_rows():
    X = np.array([[np.nan, 1], [np.nan, 1], [0, 1], [np.nan, 2]] * 3)
    y = np.array([0, 0, 1, 1] * 3)
    assert classifier().fit(X, y).score(X, y) == 1
    twice = classifier().fit(np.repeat(X, 2, axis=0), np.repeat(y, 2))
    weighted = classifier().fit(X, y, sample_weight=np.full(12, 2.0))
    np.testing.assert_array_equal(twice.predict_proba(X), weighted.predict_proba(X))


def test_a_stream_learns_labels_that_come_while_it_begins_anew():
    X, y = table(n_rows=400)
    model = classifier()
    order = np.argsort(X["city"].fillna("z").to_numpy(), kind="stable")
    rows = np.r_[order[:3], 5, np.random.default_rng(0).permutation(order[3:])]
    for start in range(0, 400, 40):
        model.partial_fit(X.iloc[rows[start : start + 40]], y[rows[start : start + 40]], classes=range(4))
    assert set(model.packed_.categories[0]) == {*CITIES, None}
    for _ in range(10):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.85
    unknown = X.assign(city="Rom")
    np.testing.assert_array_equal(model.predict(unknown), model.predict(X.assign(city=None)))


def test_a_warm_start_keeps_its_categories():
    X, y = table()
    model = classifier(warm_start=True).fit(X, y)
    before = model.packed_.categories
    model.fit(X[X["city"] != "Bern"], y[X["city"] != "Bern"])
    assert model.packed_.categories == before


def test_the_four_lines_of_hist_gradient_boosting_work_with_the_name_exchanged():
    X, y = table()
    for Estimator in HistGradientBoostingClassifier, BinaryMLPClassifier:
        model = Estimator(categorical_features="from_dtype", random_state=0)
        frame = X.assign(day=X["day"].astype("int64")).astype({"city": "category"})
        assert cross_val_score(model, frame, y, cv=3).mean() > 0.75
    search = GridSearchCV(make_pipeline("passthrough", classifier()), {"binarymlpclassifier__max_iter": [2, 30]}, cv=3)
    assert search.fit(X, y).score(X, y) > 0.85


def test_importances_of_a_frame_are_of_its_columns(fitted):
    assert fitted.feature_importances_.shape == (6,)
    assert fitted.feature_importances_[:2].sum() > 0.4


def test_early_stopping_reads_frames(fitted):
    (X, y), (X_val, y_val) = table(), table(seed=1)
    for scoring in (None, "loss", "neg_log_loss"):
        model = classifier(scoring=scoring).fit(X, y, X_val=X_val, y_val=y_val)
        assert model.best_validation_score_ == max(model.validation_scores_)
    assert classifier(early_stopping=True).fit(X, y).score(X_val, y_val) > 0.8


def test_no_rows_and_other_columns_are_refused_in_scikit_learns_words(fitted):
    X, y = table()
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        fitted.predict(X[:0])
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)|at least one"):
        classifier().fit(X[:0], y[:0])
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(X.rename(columns={"city": "town"}))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier().fit(X, y[:-1])


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_that_float64_does_not_tell_apart_warn(dtype):
    X = np.array([[2**60 + i, i] for i in range(100)], dtype)
    with pytest.warns(UserWarning, match=r"Feature 0 of X has integers beyond 2\*\*53.*subtract a constant"):
        classifier().fit(X, X[:, 0] % 2)
    classifier().fit(X - np.array([2**60, 0], dtype), X[:, 0] % 2)


def test_a_scorer_may_score_any_of_the_rows_that_it_is_given():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"code": rng.choice([1, 2, 3, 4], 600), "x": rng.normal(size=600)})
    y, seen = X["code"].isin([2, 4]).astype(int), []

    def scorer(estimator, X, y):
        seen.append(estimator.score(X[:100].copy(), y[:100]))
        return estimator.score(X, y)

    model = classifier(categorical_features=["code"], scoring=scorer)
    model.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    assert max(seen) == max(model.validation_scores_) == 1


@pytest.mark.parametrize("size", [1, 8, 64])
def test_a_stream_in_small_calls_knows_all_labels(size):
    rng = np.random.default_rng(0)
    names = rng.choice(list("abcdefgh"), 256)
    X, y = pd.DataFrame({"x": names}), np.isin(names, list("aceg")).astype(int)
    model = classifier()
    for start in range(0, 256, size):
        model.partial_fit(X[start : start + size], y[start : start + size], classes=[0, 1])
    assert set(model.packed_.categories[0]) == set("abcdefgh")
    for _ in range(20):
        model.partial_fit(X, y)
    assert model.score(X, y) == 1


def test_rows_without_a_weight_have_no_say_in_categories():
    X, y = table()
    weights = (X["city"] != "Bern").to_numpy() * 1.0
    with_them = classifier().fit(X, y, sample_weight=weights)
    assert with_them.packed_ == classifier().fit(X[weights > 0], y[weights > 0]).packed_


@pytest.mark.parametrize("asked", [{"city"}, {"city": 1}.keys(), ("city",), np.array(["city"])])
def test_names_come_in_any_container(asked):
    X, y = table()
    assert classifier(categorical_features=asked).fit(X[["city", "number"]], y).is_categorical_.tolist() == [
        True,
        False,
    ]


@pytest.mark.parametrize("asked", [[0, "city"], [True, 1], [None]])
def test_containers_of_several_kinds_are_refused(asked):
    with pytest.raises(ValueError, match="must be an array-like of bool, int or str, got"):
        classifier(categorical_features=asked).fit(*table())


def test_text_in_place_of_numbers_is_refused():
    X = pd.DataFrame({"zip": [1001, 2002] * 50})
    model = classifier(categorical_features=["zip"]).fit(X, [0, 1] * 50)
    with pytest.raises(ValueError, match=r"column 'zip' of X holds '(1001|2002)', but its categories are such as 1001"):
        model.predict(X.astype(str))


def test_what_is_neither_text_nor_number_is_labelled_by_how_it_is_written():
    X = pd.DataFrame({"age": [5.0, 30, 50, np.nan] * 30})
    X["age"] = pd.cut(X["age"], [0, 18, 40, 90])
    model = classifier().fit(X, [0, 1, 2, 3] * 30)
    assert model.score(X, [0, 1, 2, 3] * 30) == 1
    assert model.packed_.categories[0] == ("(0.0, 18.0]", "(18.0, 40.0]", "(40.0, 90.0]", None)
    scalars = pd.DataFrame({"x": pd.Series(list(np.arange(3)) * 30, dtype=object)})
    assert classifier(categorical_features=["x"]).fit(scalars, [0, 1, 2] * 30).packed_.categories == ((0, 1, 2),)


@pytest.mark.parametrize("dtype", ["str", "string", polars.String])
def test_a_column_of_text_is_one_of_categories_before_it_has_any(dtype):
    make = pd.Series if isinstance(dtype, str) else polars.Series
    Frame = pd.DataFrame if isinstance(dtype, str) else polars.DataFrame
    empty = Frame({"x": make([None] * 100, dtype=dtype), "number": range(100)})
    later = Frame({"x": make(["a", "b"] * 50, dtype=dtype), "number": range(100)})
    model = classifier().fit(empty, [0, 1] * 50)
    assert len(model.predict(later)) == 100
    stream = classifier().partial_fit(empty[:50], [0, 1] * 25, classes=[0, 1])
    for _ in range(40):
        stream.partial_fit(later, [0, 1] * 50)
    assert stream.score(later, [0, 1] * 50) > 0.9


def test_dates_as_objects_are_those_of_their_dtype():
    days = pd.date_range("2020-01-01", periods=60, freq="h")
    X = pd.DataFrame({"day": days, "x": range(60)})
    packed = BinaryMLPRegressor((8,), max_iter=2, random_state=0).fit(X, np.arange(60.0)).packed_
    expected = packed.predict(X)
    aware = [day.to_pydatetime().replace(tzinfo=datetime.UTC) for day in days]
    for column in list(days), [day.to_pydatetime() for day in days], list(days.to_numpy()), aware:
        rows = pd.DataFrame({"day": pd.Series(column, dtype=object), "x": range(60)})
        np.testing.assert_array_equal(packed.predict(rows), expected)
    assert packed.predict(X.iloc[3]) == expected[3]
    frame = pd.DataFrame({"day": [datetime.date(1970, 1, 2)], "time": [datetime.timedelta(hours=1)]}, dtype=object)
    assert to_numbers(frame, None).tolist() == [[86400, 3600]]


def test_labels_know_their_codes_and_are_pickled_without():
    labels = Labels(["b", "a"])
    assert labels.codes == {"b": 0, "a": 1} and labels == ("b", "a")
    assert pickle.loads(pickle.dumps(labels)).__dict__ == {}


def test_a_stream_whose_labels_change_their_kind_is_refused_by_its_column():
    X, y = pd.DataFrame({"a": ["x", "y"] * 20, "c": [1, 2] * 20}), [0, 1] * 20
    model = classifier(categorical_features=["a", "c"]).partial_fit(X, y, classes=[0, 1])
    with pytest.raises(TypeError, match="column 'c' of X has categories such as 'q', where there were such as 1"):
        model.partial_fit(X.assign(c="q"), y)
    assert model.partial_fit(X, y).predict(X).shape == (40,)


@pytest.mark.parametrize(
    "column, error, message",
    [
        ([10**400, 1, 2], ValueError, "10000.*in column 'x' of X"),
        (
            polars.Series([[1.0, 2], [3, 4], [5, 6]], dtype=polars.Array(polars.Float64, 2)),
            TypeError,
            "has 2 values in a row",
        ),
    ],
)
def test_what_is_no_number_is_refused_by_its_column(column, error, message):
    Frame = polars.DataFrame if isinstance(column, polars.Series) else pd.DataFrame
    column = pd.Series(column, dtype=object) if isinstance(column, list) else column
    frame = Frame({"x": column, "text": ["a", "b", "a"]})
    with pytest.raises(error, match=message):
        classifier().fit(frame, [0, 1, 0])


def test_a_table_without_columns_is_refused():
    with pytest.raises(ValueError, match=r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required"):
        classifier().fit(np.empty((3, 0), object), [0, 1, 0])


@pytest.mark.parametrize("asked", [np.array(0), np.array("city"), [[0, 1]], [[0], [1, 2]]])
def test_what_is_no_list_of_features_is_refused(asked):
    with pytest.raises(ValueError, match="must be an array-like of bool, int or str, got"):
        classifier(categorical_features=asked).fit(*table())


def test_errors_of_validation_rows_say_so():
    X, y = table()
    for wrong in X.assign(city=1.0), X.assign(number=[object()] * 300):
        with pytest.raises((TypeError, ValueError), match="X_val, y_val: column"):
            classifier().fit(X, y, X_val=wrong, y_val=y)


def test_a_first_call_that_fails_leaves_no_classes():
    X, y = table()
    model = classifier()
    with pytest.raises(TypeError):
        model.partial_fit(X.assign(number=[object()] * 300), y, classes=[0, 1, 2, 3, 4])
    assert not hasattr(model, "classes_")
    assert model.partial_fit(X, y, classes=[0, 1, 2, 3]).classes_.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "categories, message",
    [
        (((1.0, np.nan, None), None), "repeat"),
        (((), None), "no label"),
        (5, "must be a sequence"),
        ((None, None), None),
        ((("a", "a", "b"), None), "repeat"),
        ((("a", 1, "b"), None), "all text or all numbers"),
        ((("a", "b"),), "1 categories do not fit 2 features"),
    ],
)
def test_a_network_has_categories_or_none(categories, message):
    X = pd.DataFrame({"c": ["a", "b", "c"] * 20, "x": range(60)})
    packed = classifier().fit(X, X["c"]).packed_
    if message is None:
        assert packed.named(categories=categories).categories is None
    else:
        with pytest.raises(ValueError, match=message):
            packed.named(categories=categories)


@pytest.mark.parametrize("call", ["fit", "predict", "packed"])
def test_records_are_told_how_to_become_columns(call):
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = BinaryMLPClassifier((8,), max_iter=1, random_state=0).fit(X, X[:, 0] > 0)
    records = np.rec.fromarrays(X.T, names="age,height")
    calls = {"fit": lambda: model.fit(records, X[:, 0] > 0), "predict": lambda: model.predict(records)}
    calls["packed"] = lambda: model.packed_.predict(records)
    with pytest.raises(TypeError, match=r"structured array of \('age', 'height'\).*DataFrame"):
        calls[call]()
    assert model.packed_.predict(pd.DataFrame(records)).shape == (60,)


class Counted(int):
    """An integer that counts how often it is compared."""

    n_comparisons = 0
    __hash__ = int.__hash__

    def __eq__(self, other):
        Counted.n_comparisons += 1
        return int.__eq__(self, other)


def test_rows_of_one_hash_are_not_compared_with_one_another():
    labels = np.arange(4, dtype=object)[:, np.newaxis]
    network = BinaryMLPRegressor((4,), max_iter=1, categorical_features=[0]).fit(labels, range(4)).packed_
    crafted = np.array([[Counted(n * sys.hash_info.modulus)] for n in range(1, 1001)], object)
    network.predict(crafted)
    assert Counted.n_comparisons < 10 * len(crafted)
