"""Thresholds between distinct values, and the same bits for the same values whatever holds them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from skbnn.encoding import Combinations, Encoder, Encoding, thresholds
from skbnn.encoding.thresholds import find_combinations, find_encoding
from skbnn.kernels import available_instruction_sets, use_instruction_set
from skbnn.packed import reference
from skbnn.packed.layout import unpack

DTYPES = ["f2", "f4", "f8", "?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">f4", ">f8", ">i2"]
MAX, TINY = np.finfo(np.float64).max, np.finfo(np.float64).smallest_subnormal


def thresholds_of(column, n_thresholds=32, **kwargs):
    column = np.asarray(column)[:, np.newaxis]
    thresholds, offsets, *_ = find_encoding(column, n_thresholds, rng=np.random.default_rng(0), **kwargs)
    assert thresholds.dtype == np.float64 and offsets.dtype == np.int32
    assert offsets.tolist() == [0, len(thresholds)]
    return thresholds.tolist()


@pytest.mark.parametrize(
    "column, expected",
    [
        ([5, 5, 5], []),
        ([0, 1, 1, 0], [0.5]),
        ([False, True], [0.5]),
        ([3.0, -1.0, 3.0, 0.0], [-0.5, 1.5]),
        ([-0.0, 0.0], []),
        ([-MAX, MAX], [0.0]),
        ([MAX / 2, MAX], [MAX * 0.75]),
        ([0.0, TINY], [TINY]),
        ([1.0, np.nextafter(1, 2)], [np.nextafter(1, 2)]),
        (np.array([1, np.nextafter(np.float32(1), np.float32(2))], np.float32), [1 + 2.0**-24]),
        (np.array([0, 255], np.uint8), [127.5]),
        (np.array([-128, 127], np.int8), [-0.5]),
        (np.array([0, 2**64 - 1], np.uint64), [2.0**63]),
        (np.array([-(2**63), 2**63 - 1]), [0.0]),
        (np.array([65504, -65504], np.float16), [0.0]),
        ([np.inf, -np.inf, 1, 3], [1, 2, np.inf]),
        ([-np.inf, np.inf], [np.inf]),
        ([np.nan, 1, 3, np.nan], [-np.inf, 2]),
        ([np.nan, 1, -np.inf], [-np.inf, 1]),
        ([1, 1, np.nan], [-np.inf]),
        ([np.nan, np.nan], []),
    ],
)
def test_few_distinct_values_are_all_told_apart(column, expected):
    assert thresholds_of(column) == expected


def test_many_distinct_values_are_cut_at_the_nearest_quantiles():
    assert thresholds_of(np.arange(100), 3) == [24.5, 49.5, 74.5]
    assert thresholds_of(np.repeat([0, 1, 2, 3], [1, 97, 1, 1]), 2) == [0.5, 1.5]
    assert thresholds_of(np.repeat([0, 1, 2, 3], [10, 40, 40, 10]), 1) == [1.5]


def test_a_frequent_value_takes_no_more_than_a_bin():
    column = np.r_[np.zeros(900), np.arange(1, 101)]
    assert thresholds_of(column, 5) == [0.5, 20.5, 40.5, 60.5, 80.5]
    assert thresholds_of(np.r_[column, np.full(500, 1000)], 6) == [0.5, 20.5, 40.5, 60.5, 80.5, 550]


def test_each_feature_owns_a_slice():
    X = np.array([[0, 7, 1], [1, 7, 2], [0, 7, 4]])
    thresholds, offsets, *_ = find_encoding(X, 5, rng=np.random.default_rng(0))
    assert thresholds.tolist() == [0.5, 1.5, 3.0] and offsets.tolist() == [0, 1, 1, 3]


def test_only_a_subsample_is_looked_at(monkeypatch):
    column = np.arange(10_000)
    every = thresholds_of(column, 4)
    monkeypatch.setattr(thresholds, "MOST_ROWS", 100)
    few, again = (thresholds_of(column, 4) for _ in range(2))
    assert few == again != every


@settings(deadline=None, max_examples=150)
@given(
    arrays(
        st.sampled_from(["f2", "f4", "f8", "i1", "u2", "i4"]),
        st.integers(1, 60),
        elements={"allow_nan": False, "allow_infinity": False},
    ),
    st.integers(1, 40),
)
def test_each_threshold_separates_two_values_of_the_column(column, n_thresholds):
    thresholds = thresholds_of(column, n_thresholds)
    values = np.unique(column.astype(np.float64))
    codes = (values[:, np.newaxis] >= thresholds).sum(axis=1)
    assert len(thresholds) <= n_thresholds and np.isfinite(thresholds).all()
    assert sorted(set(codes)) == list(range(len(thresholds) + 1))  # so each lies between two of them
    if len(values) - 1 <= n_thresholds:
        assert len(thresholds) == len(values) - 1


def test_missing_values_are_seen_beyond_the_rows_that_are_looked_at(monkeypatch):
    column = np.arange(1000.0)
    column[-1] = np.nan
    monkeypatch.setattr(thresholds, "MOST_ROWS", 10)
    assert thresholds_of(column, 3)[0] == -np.inf


def test_each_category_has_a_bit():
    X = np.array([[0.0, 3, 0, 69], [2, 3, np.nan, 68], [1, 3, 0, 0]])
    encoding = find_encoding(X, 5, rng=np.random.default_rng(0), nominal=np.ones(4, bool))
    assert [len(column) for column in encoding.columns] == [3, 0, 1, 70]
    bits = unpack(encoding.encode(X), encoding.n_bits)
    expected = np.zeros((3, 74), int)
    for row, places in enumerate([[0, 3, 73], [2, 72], [1, 3, 4]]):
        expected[row, places] = 1
    np.testing.assert_array_equal(bits, expected)


def random_encoding(rng, n_features, most, n_components=0, *, odd=False):
    """Thresholds on multiples of a quarter, so that ties are common, 0 to `most` a feature or component.

    With `odd`, a third of the features have a bit for missing values, and a third are nominal.
    """
    counts = rng.integers(0, most + 1, size=n_features + n_components)
    counts[-1] = max(counts[-1], 1)
    limits = [np.sort(rng.integers(-8, 9, size=count) / 4) for count in counts]
    components = rng.integers(-2, 3, size=(n_components, n_features)) / 4
    kind = rng.integers(0, 3 * odd, size=n_features, endpoint=not odd)
    for feature in np.flatnonzero(kind == 1):
        limits[feature] = np.append(-np.inf, limits[feature])
    return Encoding.from_columns(limits, components, kind == 2)


@pytest.mark.parametrize("instruction_set", available_instruction_sets())
@pytest.mark.parametrize("n_features", [1, 2, 63, 64, 65, 129, 784])
@pytest.mark.parametrize("most", [1, 3, 32, 150])
@pytest.mark.parametrize("n_components", [0, 5])
def test_bits_equal_the_twin(instruction_set, n_features, most, n_components):
    rng = np.random.default_rng(n_features)
    encoding = random_encoding(rng, n_features, most, n_components)
    X = rng.integers(-10, 11, size=(5, n_features)) / 4
    with use_instruction_set(instruction_set):
        for dtype in (np.float32, np.float64):
            bits = Encoder(*encoding).encode(X.astype(dtype))
            np.testing.assert_array_equal(bits, reference.encode(X, *encoding))


def with_odd_values(rng, X):
    """Missing and infinite values in some rows, and in some of these in all features."""
    X = np.array(X, np.float64)
    odd = rng.choice([np.nan, np.inf, -np.inf], size=X.shape)
    share = rng.choice([0, 0.1, 1], size=(len(X), 1))
    return np.where(rng.random(X.shape) < share, odd, X)


@pytest.mark.parametrize("instruction_set", available_instruction_sets())
@pytest.mark.parametrize("n_features", [1, 2, 65, 129])
@pytest.mark.parametrize("most", [1, 3, 150])
@pytest.mark.parametrize("n_components", [0, 5])
def test_missing_values_infinities_and_categories_equal_the_twin(instruction_set, n_features, most, n_components):
    rng = np.random.default_rng(n_features)
    with use_instruction_set(instruction_set):
        for _ in range(5):
            encoding = random_encoding(rng, n_features, most, n_components, odd=True)
            X = with_odd_values(rng, rng.integers(-10, 11, size=(40, n_features)) / 4)
            expected = reference.encode(X, *encoding)
            for variant in (*layouts(X), *layouts(X.astype(np.float32)), X.astype(np.float16)):
                np.testing.assert_array_equal(Encoder(*encoding).encode(variant), expected)


def test_a_missing_value_has_a_bit_or_counts_as_the_middle_threshold():
    encoding = Encoding.from_columns([np.r_[1.0, 2, 3], np.r_[-np.inf, 5], np.empty(0), np.r_[7.0]], np.empty((0, 4)))
    bits = unpack(encoding.encode(np.array([[np.nan] * 4, [0, -np.inf, 0, 0], [np.inf] * 4])), 6)
    assert bits.tolist() == [[1, 1, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1]]


def layouts(X):
    """The same values in other memory orders."""
    wide = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)
    read_only = X.copy()
    read_only.flags.writeable = False
    return X, np.asfortranarray(X), wide[::2, ::3], X[::-1].copy()[::-1], X[:, ::-1].copy()[:, ::-1], read_only


@pytest.mark.parametrize("instruction_set", available_instruction_sets())
@pytest.mark.parametrize("most, n_components", [(1, 0), (9, 0), (9, 3)])
def test_bits_are_the_same_for_any_dtype_and_memory_order(instruction_set, most, n_components):
    rng = np.random.default_rng(0)
    encoding = random_encoding(rng, 70, most, n_components)
    X = rng.integers(0, 2, size=(101, 70))
    expected = reference.encode(X, *encoding)
    encoder = Encoder(*encoding)
    with use_instruction_set(instruction_set):
        for dtype in DTYPES:
            for variant in layouts(X.astype(dtype)):
                np.testing.assert_array_equal(encoder.encode(variant), expected, err_msg=f"{dtype} {variant.flags}")


@pytest.mark.parametrize("dtype", ["i1", "u1", "?"])
@pytest.mark.parametrize("n_rows", [1, 7, 8, 9, 24, 37])
@pytest.mark.parametrize("n_features", [1, 7, 8, 9, 64, 75])
def test_bytes_in_fortran_order_of_any_shape_are_transposed(n_features, n_rows, dtype):
    rng = np.random.default_rng(n_rows)
    X = rng.integers(-3, 4, size=(n_rows, n_features)).astype(dtype)
    encoding = random_encoding(rng, n_features, 9)
    expected = reference.encode(X.astype(np.float64), *encoding)
    larger = np.zeros((n_rows + 5, n_features + 3), dtype, order="F")  # whose columns are further apart
    larger[5:, 3:] = X
    for variant in (np.asfortranarray(X), larger[5:, 3:], np.asfortranarray(X[:, ::-1])[:, ::-1]):
        np.testing.assert_array_equal(Encoder(*encoding).encode(variant), expected)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
def test_extremes_of_a_dtype_are_compared_exactly(dtype):
    info = np.iinfo(dtype) if dtype[0] in "iu" else np.finfo(dtype)
    X = np.array([[info.min], [-1 if info.min < 0 else 1], [0], [1], [info.max]], dtype)
    thresholds = np.unique(X.astype(np.float64))
    with np.errstate(over="ignore"):
        thresholds = np.unique([thresholds, np.nextafter(thresholds, -np.inf), np.nextafter(thresholds, np.inf)])
    thresholds = thresholds[np.isfinite(thresholds)]
    offsets = np.array([0, len(thresholds)])
    expected = reference.encode(X, thresholds, offsets, np.empty((0, X.shape[1])))
    np.testing.assert_array_equal(Encoder(thresholds, offsets).encode(X), expected)


@settings(deadline=None, max_examples=200)
@given(
    arrays(np.float32, 20, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)),
    arrays(np.float64, 20, elements=st.floats(allow_nan=False, allow_infinity=False)),
)
def test_float32_rows_give_the_bits_of_their_exact_values(row, thresholds):
    around = np.concatenate([row, np.nextafter(row.astype(np.float64), np.inf)])  # ties and one step above
    thresholds, offsets = np.concatenate([thresholds, around]), np.arange(61)
    X = np.tile(row, 3)[np.newaxis]
    encoder = Encoder(thresholds, offsets)
    np.testing.assert_array_equal(encoder.encode(X), encoder.encode(X.astype(np.float64)))
    np.testing.assert_array_equal(encoder.encode(X), reference.encode(X, thresholds, offsets, np.empty((0, 60))))


def test_a_threshold_beyond_float32_is_reached_by_no_float32():
    largest = np.finfo(np.float32).max
    encoder = Encoder(np.array([np.nextafter(np.float64(largest), np.inf), 1e300]), np.arange(3))
    assert encoder.encode(np.full((1, 2), largest)).tolist() == [[0]]
    assert encoder.encode(np.full((1, 2), 2e300)).tolist() == [[3]]


def test_negative_zero_equals_zero():
    encoder = Encoder(np.array([0.0, -0.0]), np.arange(3))
    for dtype in (np.float32, np.float64):
        assert encoder.encode(np.array([[-0.0, 0.0]], dtype)).tolist() == [[3]]


@pytest.mark.parametrize(
    "X, message",
    [
        (np.zeros((2, 3)), r"X has 3 features, expected 2"),
        (np.zeros(2), r"X has 1 dimensions"),
        (np.zeros((2, 2), complex), "X has dtype complex128, expected real numbers"),
        (np.array([["a", "b"]]), "X has dtype <U1"),
        (np.array([[1, None]]), "X has dtype object"),
        (np.zeros((2, 2), "M8[s]"), "X has dtype datetime64"),
    ],
)
def test_what_is_not_rows_of_real_numbers_raises(X, message):
    with pytest.raises(ValueError, match=message):
        Encoder(np.array([0.5, 0.5]), np.arange(3)).encode(X)


def test_no_rows_and_no_bits_are_fine():
    assert Encoder(np.array([0.5]), np.arange(2)).encode(np.zeros((0, 1))).shape == (0, 1)
    assert Encoder(np.zeros(0), np.zeros(3, np.int64)).encode(np.zeros((4, 2))).shape == (4, 0)


def test_components_get_thresholds_after_the_features():
    X = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 2.0]])
    components = np.array([[1.0, -1.0], [0.0, 0.0]])  # -1, -2, 0, and a constant
    rng = np.random.default_rng(0)
    combinations = find_combinations(X, components, 5, rng=rng)
    encoding = find_encoding(X, 5, rng=rng).with_combinations(combinations)
    assert encoding.thresholds.tolist() == [0.5, 1.5, 1.5, 2.5, -1.5, -0.5]
    assert encoding.offsets.tolist() == [0, 2, 4, 6, 6]
    np.testing.assert_array_equal(Encoder(*encoding).project(X), X @ components.T)
    features = find_encoding(X, 5, rng=rng)
    assert features.thresholds.tolist() == [0.5, 1.5, 1.5, 2.5] and features.offsets.tolist() == [0, 2, 4]
    assert features.components.shape == (0, 2)
    one_by_one = features
    for component, column in zip(*combinations, strict=True):
        one_by_one = one_by_one.with_combinations(Combinations(component[np.newaxis], [column]))
    for part, expected in zip(one_by_one, encoding, strict=True):
        np.testing.assert_array_equal(part, expected)
    np.testing.assert_array_equal(Encoder(*features).encode(X), Encoder(*encoding).encode(X) & 15)


def test_a_component_that_overflows_is_at_an_end_of_the_range():
    components = np.array([[4.0, 0.0], [-4.0, 0.0], [4.0, -4.0]])  # the last adds inf and -inf
    encoder = Encoder(np.empty(0), np.zeros(6, np.int64), components)
    assert encoder.project(np.array([[MAX, MAX]])).tolist() == [[MAX, -MAX, -MAX]]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int64, bool])
def test_a_weight_is_as_many_rows_to_thresholds(dtype):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (300, 5)).astype(dtype)
    X[:, 0] = 0
    weights = rng.integers(1, 9, 300)
    repeated = np.repeat(X, weights, axis=0)
    for variant in (X, csr_matrix(X)):
        weighed = find_encoding(variant, 7, rng=rng, sample_weight=weights * 0.25)
        assert weighed.thresholds.tolist() == find_encoding(repeated, 7, rng=rng).thresholds.tolist()
    components = np.eye(5)[:2] + 0.5
    one = find_combinations(X, components, 7, rng=rng, sample_weight=weights * 0.25)
    for column, expected in zip(one.columns, find_combinations(repeated, components, 7, rng=rng).columns, strict=True):
        np.testing.assert_array_equal(column, expected)
