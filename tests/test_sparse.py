"""Sparse matrices give the models and the predictions of their dense arrays, and are never made dense as a whole."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csc_array, csc_matrix, csr_array, csr_matrix, dok_array
from scipy.sparse import random as random_sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder
from skbnn.encoding import Encoder, thresholds
from skbnn.encoding.sparse import canonical
from skbnn.encoding.thresholds import find_encoding
from skbnn.initial_models.additive import MAX_FEATURES

DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
QUICK = {"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0}
N_ROWS = 240


def table(n_rows=N_ROWS, seed=0):
    """Mostly zeros; some of the others are negative, a row and a column are empty, and a column is full."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 9)).round(2) * (rng.random((n_rows, 9)) < 0.3)
    X[3], X[:, 4], X[:, 5] = 0, 0, 1 + rng.random(n_rows)
    return X


def classes_of(X):
    return np.digitize(X[:, 0] + X[:, 1] + X[:, 5], [1.4, 1.7])


def unsorted(X):
    X = csr_array(X)
    order = np.concatenate([np.arange(start, stop)[::-1] for start, stop in pairwise(X.indptr)])
    return csr_array((X.data[order], X.indices[order], X.indptr), X.shape)


def in_parts(X):
    """Each value as a sum of four, the order of which decides how it is rounded."""
    rows, columns = np.nonzero(X)
    values = X[rows, columns]
    parts = np.stack([values / 3, np.full_like(values, 1e8), values - values / 3, np.full_like(values, -1e8)], axis=1)
    ends = np.searchsorted(rows, np.arange(len(X) + 1))
    return csr_array((parts.ravel(), np.repeat(columns, 4), 4 * ends), X.shape)


def with_zeros(X):
    """All values stored."""
    rows, columns = np.indices(X.shape)
    return coo_array((X.ravel(), (rows.ravel(), columns.ravel()))).tocsr()


def of_long_indices(X):
    X = csr_array(X)
    return csr_array((X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)), X.shape)


KINDS = [csr_array, csr_matrix, csc_array, csc_matrix, coo_array, unsorted, in_parts, with_zeros, of_long_indices]


def assert_same_models(sparse, dense, X, X_sparse):
    assert sparse.packed_ == dense.packed_
    np.testing.assert_array_equal(sparse.loss_curve_, dense.loss_curve_)
    np.testing.assert_array_equal(sparse.predict(X_sparse), dense.predict(X))
    np.testing.assert_array_equal(sparse.packed_.integer_scores(X_sparse), dense.packed_.integer_scores(X))
    np.testing.assert_array_equal(sparse.feature_importances_, dense.feature_importances_)


def assert_fits_the_same(model, X_sparse, y, **fit_params):
    X = X_sparse.toarray()
    dense = type(model)(**model.get_params()).fit(X, y, **fit_params)
    sparse = type(model)(**model.get_params()).fit(X_sparse, y, **fit_params)
    assert_same_models(sparse, dense, X, X_sparse)
    assert sparse.score(X_sparse, y) == dense.score(X, y)
    return sparse


@pytest.mark.parametrize("kind", KINDS)
def test_any_format_is_read(kind):
    X = table()
    assert_fits_the_same(BinaryMLPClassifier(**QUICK), kind(X), classes_of(X))


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_dtype_is_read(dtype):
    X = 10 * table()
    X = (np.abs(X) if dtype[0] in "u?" else X).astype(dtype)
    assert_fits_the_same(BinaryMLPClassifier(**QUICK, dropout=0.0), csr_array(X), classes_of(table()))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"hidden_layer_sizes": "auto", "n_components": "auto"},
        {"n_components": 3},
        {"n_thresholds": 1},
        {"init": "constant"},
        {"dropout": 0.2},
        {"early_stopping": True, "max_iter": 5},
        {"solver": "sgd", "n_estimators": 1, "shuffle": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("Estimator", [BinaryMLPClassifier, BinaryMLPRegressor])
def test_any_parameters_give_the_dense_model(Estimator, parameters):
    X = table()
    y = classes_of(X) if Estimator is BinaryMLPClassifier else X[:, 0] + np.abs(X[:, 1]) + X[:, 5]
    assert_fits_the_same(Estimator(**{**QUICK, **parameters}), csr_array(X), y)


def test_targets_and_weights_of_any_kind_give_the_dense_model():
    X, weight = csr_array(table()), np.random.default_rng(1).integers(0, 3, N_ROWS)
    numbers = X[:, [0, 5]].toarray()
    assert_fits_the_same(BinaryMLPClassifier(**QUICK), X, classes_of(X.toarray()), sample_weight=weight)
    assert_fits_the_same(BinaryMLPClassifier(**QUICK, class_weight="balanced"), X, numbers[:, 0] > 0)
    assert_fits_the_same(BinaryMLPClassifier(**QUICK), X, (numbers > 0.5).astype(int))
    assert_fits_the_same(BinaryMLPRegressor(**QUICK), X, numbers, sample_weight=weight)


def test_validation_rows_may_be_sparse():
    X, X_val = table(), table(100, seed=1)
    for scoring in None, "accuracy":
        model = BinaryMLPClassifier(**{**QUICK, "max_iter": 5}, early_stopping=True, scoring=scoring)
        dense, sparse = clone(model), clone(model)
        dense.fit(X, classes_of(X), X_val=X_val, y_val=classes_of(X_val))
        sparse.fit(csr_array(X), classes_of(X), X_val=csc_array(X_val), y_val=classes_of(X_val))
        assert sparse.validation_scores_ == dense.validation_scores_ and sparse.packed_ == dense.packed_


def test_probabilities_are_those_of_dense_rows():
    X = table()
    model = BinaryMLPClassifier(**QUICK).fit(X, classes_of(X))
    for method in model.predict_proba, model.predict_log_proba, model.decision_function:
        np.testing.assert_array_equal(method(csc_matrix(X)), method(X))


def test_a_few_rows_are_merged_where_they_are_equal():
    X = table(60)[np.random.default_rng(0).integers(0, 20, 48)]
    assert len(np.unique(X, axis=0)) < 20
    for kind in csr_array, with_zeros:
        assert_fits_the_same(BinaryMLPClassifier(**QUICK), kind(X), X[:, 0] > 0)


def test_directions_are_found_in_sparse_rows():
    rng = np.random.default_rng(0)
    X = csr_array(rng.normal(size=(1000, 4)) * (rng.random((1000, 4)) < 0.7))
    y = np.sin(X @ [1, -1, 0.5, 0.5])
    assert assert_fits_the_same(BinaryMLPRegressor(**QUICK), X, y).n_components_ > 0


def test_many_features_have_no_additive_part_and_few_values_are_kept():
    X = random_sparse(300, MAX_FEATURES + 10, 0.02, random_state=0, format="csr")
    y = np.asarray(X[:, :50].sum(axis=1)).ravel() > np.median(np.asarray(X[:, :50].sum(axis=1)))
    packed = assert_fits_the_same(BinaryMLPClassifier(**QUICK), X, y).packed_
    assert not packed.additive.varies


@pytest.mark.parametrize("Estimator", [BinaryMLPClassifier, BinaryMLPRegressor])
@pytest.mark.parametrize("sizes", [[40] * 6, [20, 150, 3, 67], [240]], ids=str)
def test_a_stream_of_sparse_rows_is_one_of_dense_rows(Estimator, sizes):
    X = table()
    y = classes_of(X)
    options = {"classes": np.arange(3)} if Estimator is BinaryMLPClassifier else {}
    # The last stream changes from one kind to the other, so that rows that are kept are of another kind than new ones.
    models = [Estimator(random_state=0) for _ in range(3)]
    for call, (start, stop) in enumerate(pairwise(np.cumsum([0, *sizes]))):
        dense, sparse = X[start:stop], csr_array(X[start:stop])
        for model, rows in zip(models, [dense, sparse, [dense, sparse][call % 2]], strict=True):
            model.partial_fit(rows, y[start:stop], **options)
    for model in models[1:]:
        assert_same_models(model, models[0], X, csr_array(X))


@pytest.mark.parametrize("n_features, most", [(10, 32), (1024, 16), (8193, 1)])
def test_a_stream_of_many_features_has_fewer_thresholds(n_features, most):
    X = random_sparse(300, n_features, 0.3, random_state=0, format="csr")
    model = BinaryMLPRegressor((8,), random_state=0).partial_fit(X, np.arange(300))
    assert np.diff(model.packed_.offsets).max() == most


def test_a_warm_start_goes_on_with_sparse_rows():
    X = table()
    y = classes_of(X)
    sparse, dense = (BinaryMLPClassifier(**QUICK, warm_start=True).fit(X, y) for _ in range(2))
    assert_same_models(sparse.fit(csc_array(X), y), dense.fit(X, y), X, csr_array(X))


def test_thresholds_are_those_of_a_dense_sample(monkeypatch):
    monkeypatch.setattr(thresholds, "MOST_ROWS", 500)
    X = random_sparse(3000, 6, 0.4, random_state=0, format="csr")
    sparse, dense = (find_encoding(rows, 7, rng=np.random.default_rng(0)) for rows in (X, X.toarray()))
    assert [column.tolist() for column in sparse.columns] == [column.tolist() for column in dense.columns]
    assert all(len(column) == 7 for column in sparse.columns)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_bits_and_components_are_those_of_dense_rows(data):
    n_rows, n_features = data.draw(st.integers(0, 20)), data.draw(st.integers(1, 70))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    X = rng.integers(-2, 3, (n_rows, n_features)) * (rng.random((n_rows, n_features)) < data.draw(st.floats(0, 1)))
    X = X.astype(data.draw(st.sampled_from(["i1", "i8", "f4", "f8"])))
    n_components = data.draw(st.integers(0, 2))
    counts = rng.integers(0, data.draw(st.integers(1, 5)), n_features + n_components)
    thresholds = np.concatenate([np.sort(rng.choice(np.arange(-2.5, 3, 0.5), n, replace=False)) for n in counts])
    encoder = Encoder(thresholds, np.cumsum([0, *counts]), rng.normal(size=(n_components, n_features)))
    for kind in csr_array, unsorted if n_rows else csr_array, with_zeros if n_rows else csr_array:
        np.testing.assert_array_equal(encoder.encode(kind(X)), encoder.encode(X))
        np.testing.assert_array_equal(encoder.project(kind(X)), encoder.project(X))


def test_what_is_not_finite_is_treated_as_in_dense_rows():
    def outcome(model, method, *arguments):
        try:
            return getattr(model, method)(*arguments)
        except ValueError as error:
            return str(error)

    X, y = table(), classes_of(table())
    model = BinaryMLPClassifier(**QUICK).fit(X, y)
    for value in np.nan, np.inf:
        changed = X.copy()
        changed[7, 0] = changed[100, 3] = value
        for method in "predict", "predict_proba":
            dense, sparse = (outcome(model, method, rows) for rows in (changed, csr_array(changed)))
            np.testing.assert_array_equal(sparse, dense)
        dense, sparse = (
            outcome(BinaryMLPClassifier(**QUICK), "fit", rows, y) for rows in (changed, csr_array(changed))
        )
        assert sparse == dense if isinstance(dense, str) else sparse.packed_ == dense.packed_


def test_the_network_alone_reads_sparse_rows_and_a_sparse_row():
    X = table()
    for y in classes_of(X), classes_of(X) > 0, X[:, :2] > 0:
        packed = BinaryMLPClassifier(**QUICK).fit(X, y).packed_
        for method in packed.predict, packed.predict_proba, packed.decision_function, packed.integer_scores:
            for rows in csr_array(X), csc_matrix(X), dok_array(X), in_parts(X):
                np.testing.assert_array_equal(method(rows), method(rows.toarray()))
            assert method(csr_array(X[:0])).shape == method(X[:0]).shape
            np.testing.assert_array_equal(method(coo_array(X[0])), method(X[0]))


def test_the_network_alone_says_what_is_wrong_with_a_sparse_matrix():
    X = csr_array(table())
    packed = BinaryMLPClassifier(**QUICK).fit(X, classes_of(table())).packed_
    with pytest.raises(ValueError, match="X has 8 features, expected 9"):
        packed.predict(X[:, :8])
    with pytest.raises(ValueError, match="X has dtype complex128"):
        packed.predict(X * 1j)
    for name, value in ("indices", 9), ("indices", -1), ("indptr", 10**6):
        broken = X.copy()
        getattr(broken, name)[5] = value
        with pytest.raises(ValueError, match="no valid CSR matrix"):
            packed.predict(broken)


def test_a_matrix_of_the_user_stays_as_it_is():
    X = in_parts(table())
    data, indices = X.data.copy(), X.indices.copy()
    BinaryMLPClassifier(**QUICK).fit(X, classes_of(table())).predict(X)
    np.testing.assert_array_equal(X.data, data)
    np.testing.assert_array_equal(X.indices, indices)
    X = csr_array(table())
    assert canonical(X) is X


def test_a_sparse_matrix_is_never_dense_as_a_whole():
    X = random_sparse(3000, 5000, 0.001, random_state=0, format="csr")
    y = np.asarray(X.sum(axis=1)).ravel()
    model = BinaryMLPRegressor((8,), max_iter=1, dropout=0.0, early_stopping=True, random_state=0)
    tracemalloc.start()
    try:
        model.fit(X, y).score(X, y)
        model.set_params(early_stopping=False).partial_fit(X[:1500], y[:1500]).partial_fit(X[1500:], y[1500:])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3000 * 5000 * 8 / 5


def test_what_encoders_and_vectorizers_return_is_read():
    rng = np.random.default_rng(0)
    colours = rng.choice(["red", "green", "blue"], 200)
    frame = pd.DataFrame({"colour": colours, "city": rng.choice(list("abcdefgh"), 200)})
    model = BinaryMLPClassifier(random_state=0, max_iter=5)
    assert make_pipeline(OneHotEncoder(), model).fit(frame, colours).score(frame, colours) == 1
    texts = [f"the {colour} house in {city}" for colour, city in zip(frame.colour, frame.city, strict=True)]
    for vectorizer in TfidfVectorizer(), HashingVectorizer():
        assert make_pipeline(vectorizer, model).fit(texts, colours).score(texts, colours) == 1
    lengths = np.array([len(text) for text in texts], float)
    regressor = make_pipeline(TfidfVectorizer(), BinaryMLPRegressor(random_state=0, max_iter=5))
    assert regressor.fit(texts, lengths).score(texts, lengths) > 0.9


def test_a_frame_of_sparse_columns_keeps_its_names():
    X = table()
    frame = pd.DataFrame.sparse.from_spmatrix(csr_array(X), columns=list("abcdefghi"))
    try:
        frame.sparse.to_coo()
    except ImportError as error:  # an old SciPy beside a new pandas
        pytest.skip(str(error))
    model = BinaryMLPClassifier(**QUICK).fit(frame, classes_of(X))
    assert model.packed_.feature_names == tuple("abcdefghi")
    np.testing.assert_array_equal(model.predict(frame), BinaryMLPClassifier(**QUICK).fit(X, classes_of(X)).predict(X))


def test_missing_values_are_bits_of_their_own_as_in_dense_rows():
    X = table()
    X[::7, 0], X[5::11, 5], X[:, 2] = np.nan, np.nan, np.nan
    model = assert_fits_the_same(BinaryMLPClassifier(**QUICK), csr_array(X), classes_of(table()))
    assert np.isneginf(model.packed_.thresholds).sum() == 2  # a column of nothing else has no bit


def test_categories_are_read_from_dense_rows():
    X, y = np.abs(table()).astype(int), classes_of(table())
    model = BinaryMLPClassifier(**QUICK, categorical_features=[0])
    with pytest.raises(TypeError, match="X is sparse, and categorical_features"):
        model.fit(csr_array(X), y)
    model.fit(X, y)
    for predict in model.predict, model.packed_.predict:
        with pytest.raises(TypeError, match="X is sparse, and categorical_features"):
            predict(csr_array(X))


def test_thermometer_encoders_read_sparse_rows():
    X = table()
    encoder = ThermometerEncoder(5)
    np.testing.assert_array_equal(encoder.fit_transform(csc_matrix(X)), encoder.fit(X).transform(X))


@pytest.mark.parametrize("form", [csr_array, csc_array])
@pytest.mark.parametrize("claims", [True, False])
@pytest.mark.parametrize(
    "indptr, indices",
    [
        ([0, 10**8, 0], [0]),
        ([0, 10**8, -1], [0]),
        ([0, 2, 1], [0, 1]),
        ([1, 1, 1], [0]),
        ([0, 1], [0]),
        ([0, 1, 9], [0]),
    ],
)
def test_indices_that_lie_outside_are_refused(form, claims, indptr, indices):
    dense = np.random.default_rng(0).integers(0, 2, (40, 2)).astype(float)
    model = BinaryMLPClassifier((8,), max_iter=1, random_state=0).fit(dense, dense[:, 0])
    X = form((2, 2))
    X.indptr, X.indices, X.data = np.array(indptr, np.int32), np.array(indices, np.int32), np.ones(len(indices))
    if claims:
        X.has_canonical_format = True
    for predict in model.predict, model.packed_.predict:
        with pytest.raises(ValueError, match=r"no valid CS[RC] matrix"):
            predict(X)


def crafted(form, change):
    X = coo_array(np.eye(4)).asformat(form)
    change(X)
    return X


@pytest.mark.parametrize(
    "X",
    [
        crafted("coo", lambda X: setattr(X, "row", np.array([0, 1, 10**8, 3]))),
        crafted("coo", lambda X: setattr(X, "col", np.array([0, 1, -1, 3]))),
        crafted("lil", lambda X: X.rows[0].append(1)),
        crafted("lil", lambda X: X.rows[0].__setitem__(0, 10**8)),
        crafted("bsr", lambda X: setattr(X, "indices", X.indices + 10**8)),
        crafted("bsr", lambda X: setattr(X, "indptr", X.indptr * 10**6)),
        crafted("bsr", lambda X: setattr(X, "data", X.data.ravel())),
        crafted("csr", lambda X: setattr(X, "data", X.data[:, np.newaxis])),
        crafted("csc", lambda X: setattr(X, "indices", None)),
    ],
)
def test_crafted_matrices_of_any_format_are_refused(X):
    """They reach native code of SciPy, which trusts in them as ours does."""
    dense = np.random.default_rng(0).integers(0, 2, (40, 4)).astype(float)
    model = BinaryMLPClassifier((8,), max_iter=1, random_state=0).fit(dense, dense[:, 0])
    calls = model.predict, model.packed_.predict, ThermometerEncoder().fit, lambda X: model.fit(np.eye(4), X)
    for call in calls:
        with pytest.raises(ValueError, match=r"X is no valid .* matrix of shape"):
            call(X)


def test_a_matrix_that_was_changed_is_read_as_it_is_now():
    X = csr_array(table())
    model = BinaryMLPClassifier(**QUICK).fit(X, classes_of(table()))
    assert X.has_canonical_format  # is remembered
    X.indices[: X.indptr[1]] = X.indices[0]
    scores = model.packed_.integer_scores(X.toarray())
    np.testing.assert_array_equal(model.packed_.integer_scores(X), scores)
    np.testing.assert_array_equal(model.decision_function(X), model.packed_.factor * scores)


class Changing(csr_array):
    """Has other arrays from some look on, as if another thread had changed them then."""

    looks, other, name = np.inf, None, None

    def look(self, name, array):
        if name == self.name:
            self.looks -= 1
        return self.other if name == self.name and self.looks < 0 else array

    indices = property(
        lambda self: self.look("indices", self._places), lambda self, value: vars(self).update(_places=value)
    )
    indptr = property(
        lambda self: self.look("indptr", self._starts), lambda self, value: vars(self).update(_starts=value)
    )
    data = property(lambda self: self.look("data", self._stored), lambda self, value: vars(self).update(_stored=value))


@pytest.fixture(scope="module")
def packed():
    X = table()
    return BinaryMLPClassifier(**QUICK).fit(X, classes_of(X)).packed_


@pytest.mark.parametrize("name, other", [("indices", 10**8), ("indices", -(10**8)), ("indptr", 10**8), ("data", None)])
@pytest.mark.parametrize("looks", range(16))
def test_a_matrix_that_changes_meanwhile_leads_nowhere_else(name, other, looks, packed):
    X = table()
    changing = Changing(X)
    array = np.array(getattr(changing, name), np.int64 if name != "data" else float)
    if name != "data":
        setattr(changing, name, array)  # which native code could read in place
    changing.other = array[:1] if other is None else np.where(np.arange(len(array)) == len(array) // 2, other, array)
    changing.name, changing.looks = name, looks
    try:
        answer = packed.predict(changing)
    except ValueError:
        return
    np.testing.assert_array_equal(answer, packed.predict(X))
