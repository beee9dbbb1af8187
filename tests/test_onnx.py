"""What ONNX Runtime answers to an exported model, beside the packed network's NumPy twin."""

import re
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder
from skbnn.packed import PackedNetwork, reference

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from skbnn.export import to_onnx  # noqa: E402

PACKED = runpy.run_path(str(Path(__file__).with_name("test_packed.py")))
random_network, random_rows, random_state = (PACKED[f"random_{name}"] for name in ("network", "rows", "state"))

SMALL = {"hidden_layer_sizes": (16,), "max_iter": 5, "random_state": 0}
IRIS, KINDS = load_iris(return_X_y=True)
DTYPES = ["float32", "float64", "float16", "bool", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64))]


def ask(model, **inputs):
    """Every output of a model, by name."""
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs), strict=True))


def columns_of(scores, output):
    """Scores as the graph gives them: two columns for two classes."""
    return np.hstack([-scores, scores]) if output == "logistic" and scores.shape[1] == 1 else scores


def assert_equal_answers(network, X):
    model = to_onnx(network, dtype=X.dtype, raw_scores=True)
    *label, scores = ask(model, X=X).values()
    expected = columns_of(network.factor * reference.integer_scores(network, X), network.output)
    np.testing.assert_array_equal(scores, expected)
    if network.output != "identity":
        assert label[0].shape == network.predict(X).shape
        np.testing.assert_array_equal(label[0], network.predict(X))


@pytest.mark.parametrize("output", ["identity", "logistic", "softmax"])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"most": 1},
        {"most": 1, "n_features": 1, "n_outputs": 1},
        {"steps": False, "lines": False, "n_outputs": 1, "hidden": (1,)},
        {"n_components": 7, "n_members": 3, "hidden": (63, 129)},
        {"most_score": 2**35, "hidden": ()},
    ],
)
def test_scores_and_labels_equal_the_twin(output, kwargs):
    network = random_network(output=output, **kwargs)
    assert_equal_answers(network, random_rows(network, 199, np.float32))
    for n_rows in (0, 1):
        assert_equal_answers(network, random_rows(network, n_rows))


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("n_features", [3, 70])
@pytest.mark.parametrize(
    "kwargs", [{}, {"most": 1}, {"n_components": 3}, {"most": 1, "lines": False}, {"steps": False, "lines": False}]
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_missing_values_infinities_and_categories_score_as_the_twin_says(odd, n_features, kwargs, dtype):
    network = random_network(n_features=n_features, hidden=(65,), odd=odd, **kwargs)
    X, rng = random_rows(network, 199, dtype), np.random.default_rng(3)
    values = rng.choice([np.nan, -np.nan, np.inf, -np.inf], X.shape).astype(dtype)
    X[50:] = np.where(rng.random(X.shape) < 0.3, values, X)[50:]
    X[-3:] = np.array([[np.nan], [np.inf], [-np.inf]])
    assert_equal_answers(network, X)


def test_a_missing_value_is_exact_between_two_float32():
    states = (random_state(seed, n_features=1, most=3, lines=False) for seed in range(99))
    state = next(state for state in states if len(state["thresholds"]) == 3)
    state["thresholds"] = np.array([0, 1 + 1e-12, 1 + 2e-12])
    assert_equal_answers(PackedNetwork(**state), np.array([[np.nan], [1], [1.0000001]], np.float32))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int64", "uint8"])
def test_labels_that_are_numbers_become_codes(dtype):
    network = random_network(n_features=40, hidden=(9,), odd=True, lines=False)
    labels = [(7, 0, 3, 2.5), (1, 4, None), (2.5, 9)]
    categories = [labels[i % 3] if nominal else None for i, nominal in enumerate(network.nominal)]
    assert network.nominal.sum() >= 3
    network = network.named(categories=categories)
    X = np.random.default_rng(0).choice([0, 1, 2, 3, 4, 7, 9], (199, 40)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        X[::2] += np.random.default_rng(1).choice([0, 0.5, np.nan], X[::2].shape)
    scores = ask(to_onnx(network, dtype=dtype, raw_scores=True), X=X)["probabilities"]
    np.testing.assert_array_equal(scores, network.decision_function(X))


def test_text_comes_as_codes():
    state = random_state(0, n_features=12, odd=True, lines=False)
    network = PackedNetwork(**state)
    text = network.named(categories=[("a", "b", None) if nominal else None for nominal in network.nominal])
    assert to_onnx(text).SerializeToString() == to_onnx(network).SerializeToString()


@pytest.mark.parametrize("n_components", [0, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_input_of_every_dtype_is_compared_exactly(dtype, n_components):
    network = random_network(n_features=8, n_components=n_components)
    X = random_rows(network, 199)
    assert_equal_answers(network, (np.abs(X) if np.dtype(dtype).kind == "u" else X).astype(dtype))


def test_components_that_overflow_are_at_the_end_of_the_range_that_the_twin_says():
    state = random_state(0, n_features=2, n_components=3, hidden=(9,), lines=False)
    n_bits = state["layer_sizes"][0]
    largest = np.finfo(np.float64).max
    state["components"] = np.array([[4.0, 4], [-4, -4], [4, -4]])  # the last adds infinity and -infinity
    of_components = np.linspace(-1, 1, 3 * n_bits)[: n_bits - state["offsets"][2]]
    state["thresholds"][state["offsets"][2] :] = of_components
    for first in state["offsets"][2:-1]:
        state["thresholds"][first : first + 1] = -largest
    network = PackedNetwork(**state)
    ends = np.array([-largest, -1, 0, 1, largest, np.inf, -np.inf, np.nan])
    assert_equal_answers(network, np.stack(np.meshgrid(ends, ends), axis=-1).reshape(-1, 2))


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_beside_a_threshold_fall_on_its_side(dtype, most):
    state = random_state(0, most=most, n_features=20)
    state["thresholds"] = state["thresholds"] + 0.1  # no float32
    nearest = np.resize(state["thresholds"].astype(dtype), 20)
    beside = [nearest, np.nextafter(nearest, dtype(-9)), np.nextafter(nearest, dtype(9))]
    X = np.vstack([np.roll(row, shift) for row in beside for shift in range(20)])
    assert_equal_answers(PackedNetwork(**state), X)


def test_another_runtime_gives_the_same():
    network = random_network(n_features=9, hidden=(17,), n_members=2, n_components=2)
    X = random_rows(network, 20)
    model = to_onnx(network, dtype=X.dtype, raw_scores=True)
    reference_of_onnx = pytest.importorskip("onnx.reference")
    label, scores = reference_of_onnx.ReferenceEvaluator(model).run(None, {"X": X})
    np.testing.assert_array_equal(scores, network.factor * reference.integer_scores(network, X))
    np.testing.assert_array_equal(label, network.predict(X))


@pytest.mark.parametrize(
    "labels, written",
    [
        (["b", "a", "c"], object),
        ([7, -3, 5], np.int64),
        ([2.0, 1.0, 3.0], np.int64),
        (["no", "yes"], object),
        ([False, True], np.int64),
    ],
)
def test_a_classifier_gives_labels_and_probabilities(labels, written):
    y = np.array(labels)[KINDS % len(labels)]
    classifier = BinaryMLPClassifier(**SMALL).fit(IRIS, y)
    answer = ask(to_onnx(classifier, dtype="float64"), X=IRIS)
    assert list(answer) == ["label", "probabilities"] and answer["label"].dtype == written
    np.testing.assert_array_equal(answer["label"], classifier.predict(IRIS))
    np.testing.assert_allclose(answer["probabilities"], classifier.predict_proba(IRIS), atol=1e-12)


def test_multilabel_targets_have_a_column_each():
    X, y = make_multilabel_classification(200, random_state=0)
    classifier = BinaryMLPClassifier(**SMALL).fit(X, y)
    answer = ask(to_onnx(classifier, dtype="float64"), X=X)
    np.testing.assert_array_equal(answer["label"], classifier.predict(X))
    np.testing.assert_allclose(answer["probabilities"], classifier.predict_proba(X), atol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regressor_gives_its_predictions_to_the_last_bit(n_outputs):
    X, y = load_diabetes(return_X_y=True)
    y = y if n_outputs == 1 else np.column_stack([y, 1e9 + y**2])
    regressor = BinaryMLPRegressor(**SMALL, n_components=2).fit(X, y)
    answer = ask(to_onnx(regressor, dtype="float64"), X=X)
    np.testing.assert_array_equal(answer["variable"], regressor.predict(X).reshape(-1, n_outputs))


def test_a_hinge_has_scores_only():
    classifier = BinaryMLPClassifier(**SMALL, loss="squared_hinge").fit(IRIS, KINDS)
    answer = ask(to_onnx(classifier, dtype="float64"), X=IRIS)
    np.testing.assert_array_equal(answer["probabilities"], classifier.decision_function(IRIS))


def test_the_file_is_bits_and_standard_operators(tmp_path):
    sizes = {"n_features": 784, "most": 1, "hidden": (256, 256, 256), "n_outputs": 10, "per_output": 1}
    network = random_network(**sizes, steps=False, lines=False)
    model = to_onnx(network, tmp_path / "model.onnx")
    content = (tmp_path / "model.onnx").read_bytes()
    assert content == model.SerializeToString()
    weights = sum(layer.size for layer in network.binary_weights)
    assert len(content) < (784 * 256 - network.binary_weights[0].size + weights) / 8 + 4 * (784 + 3 * 256) + 3000
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 13)]
    assert {node.domain for node in model.graph.node} == {""}


def test_few_of_many_features_make_a_small_file():
    state = random_state(0, n_features=30, most=1, lines=False)
    many = {**state, "components": np.zeros((0, 3000)), "offsets": np.pad(state["offsets"], (0, 2970), "edge")}
    many["nominal"] = np.zeros(3000, bool)
    grown = len(to_onnx(PackedNetwork(**many)).SerializeToString())
    assert grown < len(to_onnx(PackedNetwork(**state)).SerializeToString()) + 1000
    network = PackedNetwork(**many)
    assert_equal_answers(network, random_rows(network, 99))


@pytest.mark.parametrize("dtype", ["complex64", "float128", "str", "double precision", ">f4", object])
def test_a_dtype_that_is_no_real_number_is_refused(dtype):
    with pytest.raises(ValueError, match=r"dtype must be one of .*float32.*, got"):
        to_onnx(random_network(), dtype=dtype)


def test_what_has_no_form_in_onnx_is_refused():
    with pytest.raises(ValueError, match=r"model has the classes \[0\.5, 1\.0, 2\.0\]"):
        to_onnx(random_network().named(classes=[0.5, 1, 2]))
    with pytest.raises(TypeError, match="model must be fitted, and this BinaryMLPClassifier is not"):
        to_onnx(BinaryMLPClassifier())


@pytest.mark.parametrize("name, package", [("to_onnx", "onnx"), ("register_converter", "skl2onnx")])
def test_a_missing_package_is_named_with_the_extra(tmp_path, name, package):
    code = f"import sys; sys.modules['{package}'] = None; import skbnn.export; skbnn.export.{name}"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert f"needs {package}; install it with: pip install 'skbnn[onnx]'" in result.stderr.splitlines()[-1]


@pytest.fixture
def skl2onnx():
    module = pytest.importorskip("skl2onnx")
    from skbnn.export import register_converter

    register_converter()
    return module


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c"], [3, 4, 9]])
def test_a_pipeline_converts(skl2onnx, labels):
    y = np.array(labels)[KINDS % len(labels)]
    pipeline = make_pipeline(StandardScaler(), BinaryMLPClassifier(**SMALL)).fit(IRIS, y)
    model = skl2onnx.to_onnx(pipeline, IRIS[:1], options={"zipmap": False})
    answer = ask(model, X=IRIS)
    np.testing.assert_array_equal(answer["label"], pipeline.predict(IRIS))
    np.testing.assert_allclose(answer["probabilities"], pipeline.predict_proba(IRIS), atol=1e-12)
    maps = ask(skl2onnx.to_onnx(pipeline, IRIS[:1]), X=IRIS)["output_probability"]
    expected = dict(zip(pipeline.classes_, answer["probabilities"][0].astype(np.float32), strict=True))
    assert maps[0] == expected
    indices = ask(skl2onnx.to_onnx(pipeline, IRIS[:1], options={"zipmap": False, "nocl": True}), X=IRIS)["label"]
    np.testing.assert_array_equal(pipeline.classes_[indices], pipeline.predict(IRIS))


def test_columns_of_several_kinds_convert(skl2onnx):
    rng = np.random.default_rng(0)
    frame = {"colour": rng.choice(["red", "blue"], (300, 1)), "size": rng.normal(size=(300, 1)).astype(np.float32)}
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({name: column[:, 0] for name, column in frame.items()})
    y = X["size"] * np.where(X["colour"] == "red", 1, -1)
    columns = ColumnTransformer([("colour", OneHotEncoder(), ["colour"])], remainder="passthrough")
    pipeline = make_pipeline(columns, BinaryMLPRegressor(**SMALL)).fit(X, y)
    answer = ask(skl2onnx.to_onnx(pipeline, X[:1]), **frame)
    np.testing.assert_allclose(answer["variable"][:, 0], pipeline.predict(X), atol=1e-6 * np.ptp(y))


def test_codes_that_a_pipeline_makes_convert(skl2onnx):
    rng = np.random.default_rng(0)
    colours, size = rng.choice(["red", "blue", "grey"], 300).astype(object), rng.normal(size=300).astype(np.float32)
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"colour": colours, "size": size})
    y = size * np.where(colours == "red", 1, -1)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("colour", codes, ["colour"])], remainder="passthrough")
    regressor = BinaryMLPRegressor(**SMALL, categorical_features=[0])
    pipeline = make_pipeline(columns, regressor).fit(X, y)
    assert regressor.packed_.categories == ((0, 1, 2), None)
    colours[:100] = "green"
    answer = ask(skl2onnx.to_onnx(pipeline, X[:1]), colour=colours[:, np.newaxis], size=size[:, np.newaxis])
    np.testing.assert_allclose(answer["variable"][:, 0], pipeline.predict(X.assign(colour=colours)), atol=1e-6)


def test_a_missing_value_in_a_pipeline(skl2onnx):
    X = np.where(np.random.default_rng(0).random(IRIS.shape) < 0.2, np.nan, IRIS)
    X[:, 0] = IRIS[:, 0]
    pipeline = make_pipeline(StandardScaler(), BinaryMLPClassifier(**SMALL)).fit(X, KINDS)
    X[::3, 0] = np.nan
    answer = ask(skl2onnx.to_onnx(pipeline, X[:1], options={"zipmap": False}), X=X)
    np.testing.assert_array_equal(answer["label"], pipeline.predict(X))
    np.testing.assert_allclose(answer["probabilities"], pipeline.predict_proba(X), atol=1e-12)


def test_outputs_of_a_pipeline_have_the_type_of_its_numbers(skl2onnx):
    classifier = BinaryMLPClassifier(**SMALL).fit(IRIS.astype(np.float32), KINDS)
    options = {"zipmap": False, "raw_scores": True, "output_class_labels": True}
    answer = ask(skl2onnx.to_onnx(classifier, IRIS[:1].astype(np.float32), options=options), X=IRIS.astype(np.float32))
    assert answer["probabilities"].dtype == np.float32
    expected = classifier.decision_function(IRIS.astype(np.float32))
    np.testing.assert_allclose(answer["probabilities"], expected, rtol=1e-7)
    np.testing.assert_array_equal(answer["class_labels"], classifier.classes_)


@pytest.mark.parametrize("output", ["plus_minus_one", "zero_one"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_encoder_converts(skl2onnx, output, dtype):
    X = IRIS.astype(dtype)
    X[::5, 1] = np.nan
    encoder = ThermometerEncoder(7, output=output, random_state=0).fit(X)
    X[::7, 0] = np.nan
    model = skl2onnx.to_onnx(encoder, X[:1])
    (bits,) = ask(model, X=X).values()
    np.testing.assert_array_equal(bits, encoder.transform(X))


def test_an_older_opset_is_refused(skl2onnx):
    classifier = BinaryMLPClassifier(**SMALL).fit(IRIS, KINDS)
    with pytest.raises(ValueError, match="target_opset must be at least 13, got 12"):
        skl2onnx.to_onnx(classifier, IRIS[:1], target_opset=12)


def test_multilabel_pipelines_convert(skl2onnx):
    X, y = make_multilabel_classification(200, random_state=0)
    pipeline = make_pipeline(StandardScaler(), BinaryMLPClassifier(**SMALL)).fit(X, y)
    answer = ask(skl2onnx.to_onnx(pipeline, X[:1], options={"zipmap": False}), X=X)
    np.testing.assert_array_equal(answer["label"], pipeline.predict(X))
    np.testing.assert_allclose(answer["probabilities"], pipeline.predict_proba(X), atol=1e-12)


def test_the_guide_runs(skl2onnx, tmp_path, monkeypatch):
    guide = Path(__file__).parents[1] / "doc" / "serving.rst"
    if not guide.is_file():
        pytest.skip("the documentation is not here")
    section = guide.read_text().split("\nONNX\n----\n")[1]
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", section)
    monkeypatch.chdir(tmp_path)
    exec(textwrap.dedent("\n".join(blocks)), {})
    assert (tmp_path / "digits.onnx").stat().st_size > 0
