"""A program of a user's, for ``mypy --strict``: hints fit, and each mistake that is marked has to be found.

A mark that hides no mistake is an error as well. Nothing of this runs.
"""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
import onnx
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]

import skbnn
from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, PackedNetwork, ThermometerEncoder, load_model, save_model
from skbnn.dask import DaskBinaryMLPClassifier, DaskBinaryMLPRegressor
from skbnn.export import c_footprint, register_converter, to_c, to_onnx
from skbnn.inspection import LossCurveDisplay, StepsDisplay, Summary, ThresholdDisplay, WeightDisplay, summary

Array = NDArray[Any]
Floats = NDArray[np.float64]


def train(X: NDArray[np.float32], y: Array) -> BinaryMLPClassifier:
    """Estimators, and what they tell."""
    classifier = BinaryMLPClassifier((64, 32), solver="sgd", n_thresholds=8, dropout=0, class_weight={"a": 2})
    assert_type(classifier.fit(X, y, sample_weight=[1.0] * len(y)), BinaryMLPClassifier)
    assert_type(classifier.fit(csr_array(X), y.tolist()).predict([[1, 2.5]]), Array)
    assert_type(classifier.partial_fit(X, y, ["a", "b"]).predict_proba(X), Floats)
    assert_type(classifier.decision_function(X) + classifier.predict_log_proba(X), Floats)
    assert_type(classifier.finalize().packed_, PackedNetwork)
    assert_type(classifier.classes_, Array)
    assert_type(classifier.coefs_, list[NDArray[np.int8]])
    assert_type(classifier.feature_importances_, Floats)
    assert_type(classifier.loss_curve_ + classifier.flip_ratio_curve_, list[float])
    assert_type(classifier.best_validation_score_, float | None)
    assert_type(classifier.hidden_layer_sizes_, tuple[int, ...])
    drawn = np.random.RandomState(0)
    regressor = BinaryMLPRegressor(hidden_layer_sizes=np.array([64]), loss="huber", random_state=drawn)
    assert_type(regressor.partial_fit(X, X).fit(X, X).predict(X), Floats)
    encoder = ThermometerEncoder(4, output="zero_one")
    assert_type(encoder.fit(X).transform(X), NDArray[np.int8])
    assert_type(encoder.thresholds_, list[Floats])
    assert_type(encoder.get_feature_names_out(["a"]), Array)
    return classifier


def serve(classifier: BinaryMLPClassifier, path: Path, X: Floats) -> PackedNetwork:
    """What predicts, its files, and other runtimes."""
    save_model(classifier, path)
    network = load_model(str(path), mmap=False)
    save_model(network.named(classes=["a", "b"], feature_names=["x"]), path)
    assert_type(network.decision_function(X) + network.predict_proba(X), Floats)
    assert_type(network.integer_scores(X[0]), NDArray[np.int64])
    assert_type(network.decision_function_from_bits(np.zeros((1, 1), np.uint64)), Floats)
    assert_type(network.layer_sizes, tuple[int, ...])
    assert_type(network.binary_weights, list[NDArray[np.int8]])
    assert_type(network.n_members * network.n_features_in * network.nbytes, int)
    assert_type(network.additive.slopes, np.ndarray)
    assert_type(to_c(network, name="model", dtype="uint8") + to_c(classifier, path, dtype=np.int8), str)
    assert_type(c_footprint(network).flash, int)
    assert_type(to_onnx(classifier, path, raw_scores=True), onnx.ModelProto)
    register_converter()
    skbnn.show_versions()
    print(network.predict(X), skbnn.__version__)
    return network


def draw(network: PackedNetwork, classifier: BinaryMLPClassifier, X: Floats, ax: Axes) -> Summary:
    """What is in it."""
    assert_type(LossCurveDisplay.from_estimator(classifier, ax=ax).plot(line_kw={"color": "k"}), LossCurveDisplay)
    assert_type(StepsDisplay.from_estimator(network, X, ["a", "b"], n_cols=2).plot(), StepsDisplay)
    assert_type(ThresholdDisplay.from_estimator(ThermometerEncoder().fit(X), X, 3).plot([ax]), ThresholdDisplay)
    assert_type(WeightDisplay.from_estimator(classifier, units=[0], image_shape=(8, 8)).plot(ax), WeightDisplay)
    assert_type(summary(network).total.nbytes, int)
    return summary(classifier)


def mistakes(classifier: BinaryMLPClassifier, network: PackedNetwork, X: Floats) -> None:
    """None of this does what its writer meant."""
    BinaryMLPClassifier(64, "sign")  # type: ignore[call-arg]
    BinaryMLPClassifier(solver="adma")  # type: ignore[arg-type]
    BinaryMLPClassifier(hidden_layer_sizes=(64.5,))  # type: ignore[arg-type]
    BinaryMLPClassifier(hidden_layers=2)  # type: ignore[call-arg]
    BinaryMLPRegressor(loss="log_loss")  # type: ignore[arg-type]
    BinaryMLPRegressor(max_iter="auto")  # type: ignore[arg-type]
    BinaryMLPRegressor().fit(X)  # type: ignore[call-arg]
    classifier.fit(X, None)  # type: ignore[arg-type]
    classifier.predict(X, X)  # type: ignore[call-arg]
    print(classifier.predict(X).label)  # type: ignore[attr-defined]
    ThermometerEncoder(output="bits")  # type: ignore[arg-type]
    network.fit(X, X)  # type: ignore[attr-defined]
    network.classes[0]  # type: ignore[index]
    save_model("model.skbnn", classifier)  # type: ignore[arg-type]
    load_model("model.skbnn", False)  # type: ignore[call-arg]
    print(load_model("model.skbnn").partial_fit)  # type: ignore[attr-defined]
    to_c("model.skbnn")  # type: ignore[arg-type]
    c_footprint(network)["flash"]  # type: ignore[call-overload]
    StepsDisplay.from_estimator(network)  # type: ignore[call-arg]
    print(skbnn.save)  # type: ignore[attr-defined]


def train_on_a_cluster(X: Any, y: Any, client: Any) -> None:
    """Estimators of Dask's collections."""
    classifier = DaskBinaryMLPClassifier((64,), n_estimators=1)
    classifier.client = client
    assert_type(classifier.fit(X, y, classes=[0, 1]).to_local(), BinaryMLPClassifier)
    assert_type(classifier.score(X, y), float)
    assert_type(DaskBinaryMLPRegressor().fit(X, y).to_local(), BinaryMLPRegressor)
