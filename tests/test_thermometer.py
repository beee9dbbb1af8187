"""The encoder as a transformer."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder


@pytest.mark.parametrize("output, low", [("plus_minus_one", -1), ("zero_one", 0)])
def test_bits_say_which_thresholds_are_reached(output, low):
    X, _ = load_iris(return_X_y=True)
    encoder = ThermometerEncoder(n_thresholds=5, output=output).fit(X)
    bits = encoder.transform(X)
    reached = np.hstack([X[:, [f]] >= limits for f, limits in enumerate(encoder.thresholds_)])
    np.testing.assert_array_equal(bits, np.where(reached, 1, low))
    assert bits.dtype == np.int8
    assert all(len(limits) <= 5 for limits in encoder.thresholds_)


def test_names_tell_feature_and_threshold():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"age": [1, 2, 4], "constant": [0, 0, 0], "flag": [0, 1, 0]})
    encoder = ThermometerEncoder().fit(X)
    assert encoder.get_feature_names_out().tolist() == ["age>=1.5", "age>=3", "flag>=0.5"]
    frame = encoder.set_output(transform="pandas").transform(X)
    assert frame.columns.tolist() == ["age>=1.5", "age>=3", "flag>=0.5"]


def test_a_large_sample_is_subsampled_reproducibly():
    X = np.random.default_rng(0).normal(size=(200_001, 1))
    one, two = (ThermometerEncoder(random_state=0).fit(X).thresholds_[0] for _ in range(2))
    np.testing.assert_array_equal(one, two)
    quantiles = np.quantile(X, np.arange(1, 33) / 33)
    np.testing.assert_allclose(one, quantiles, atol=0.02)


def test_an_unseen_width_raises():
    encoder = ThermometerEncoder().fit([[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="X has 3 features, but ThermometerEncoder is expecting 2"):
        encoder.transform([[1, 2, 3]])


def test_names_have_the_fewest_digits_that_are_read_as_the_threshold():
    encoder = ThermometerEncoder().fit([[5.4, 1e300], [5.5, -3e-7], [5.5, 0.0]])
    names = encoder.get_feature_names_out()
    assert names[0] == "x0>=5.45"
    assert [float(name.partition(">=")[2]) for name in names] == np.concatenate(encoder.thresholds_).tolist()


@pytest.mark.parametrize("Estimator", [BinaryMLPClassifier, BinaryMLPRegressor])
def test_an_encoder_s_thresholds_serve_a_model(Estimator):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    y = (X[:, 0] > 0) ^ (X[:, 1] > 0)
    encoder = ThermometerEncoder(8).fit(X)
    model = Estimator((64,), thresholds=encoder.thresholds_, random_state=0, n_components=0)
    stream = clone(model)
    order = np.argsort(X[:, 0])  # a first call that is not like the rest
    for _ in range(8):
        for start in range(0, 600, 100):
            rows = order[start : start + 100]
            stream.partial_fit(X[rows], y[rows], **({"classes": [0, 1]} if Estimator is BinaryMLPClassifier else {}))
    for fitted in model.fit(X, y), stream:
        np.testing.assert_array_equal(fitted.packed_.thresholds, np.concatenate(encoder.thresholds_))
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize(
    "thresholds, message",
    [
        ([[0.5]], "thresholds are of 1 features, and X has 2"),
        ([[0.5], [2, 1]], r"thresholds of feature 1 must be a list of ascending numbers, got \[2, 1\]"),
        ([[0.5], [np.nan]], "thresholds of feature 1"),
        ([[0.5], 3], "thresholds of feature 1"),
        ([["a"], [1]], r"thresholds of feature 0 must be a list of ascending numbers, got \['a'\]"),
        ([[0.5], [[1], [1, 2]]], "thresholds of feature 1"),
    ],
)
def test_thresholds_that_are_none_are_refused(thresholds, message):
    with pytest.raises(ValueError, match=message):
        BinaryMLPClassifier(thresholds=thresholds).fit([[0, 1], [1, 0]] * 10, [0, 1] * 10)


def test_categories_have_bits_beside_thresholds_that_are_given():
    X = np.array([[number, number % 3] for number in range(60)])
    model = BinaryMLPClassifier((16,), thresholds=[[20, 40], []], categorical_features=[1], dropout=0.0, max_iter=2)
    assert model.fit(X, X[:, 1]).packed_.thresholds.tolist() == [20, 40, 0, 1, 2]
