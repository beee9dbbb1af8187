"""What skl2onnx needs to know of the estimators, so that it converts pipelines that hold them."""

try:
    import skl2onnx
except ImportError as error:
    raise ImportError(
        "skbnn.export.register_converter needs skl2onnx; install it with: pip install 'skbnn[onnx]'"
    ) from error

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import (
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
    guess_proto_type,
    guess_tensor_type,
)

from skbnn._classifier import BinaryMLPClassifier
from skbnn._regressor import BinaryMLPRegressor
from skbnn._thermometer import ThermometerEncoder
from skbnn.encoding import Encoding
from skbnn.export.graph import Graph, add_network, add_outputs, outputs_of
from skbnn.export.graph_features import add_bits
from skbnn.export.onnx import OPSET
from skbnn.packed import packed_network_of


def register_converter() -> None:
    """Tell skl2onnx how to convert ``BinaryMLPClassifier``, ``BinaryMLPRegressor`` and ``ThermometerEncoder``.

    Once called, ``skl2onnx.to_onnx(pipeline, X[:1])`` converts pipelines, column transformers and searches that hold
    them, to opset 13 or later. Options of the classifier are skl2onnx's own: ``zipmap``, ``output_class_labels``,
    ``nocl`` and ``raw_scores``. Outputs are float64 where the estimator's input is, but
    with ``zipmap=True``, the default of skl2onnx; else float32.

    Raises
    ------
    ImportError
        If skl2onnx is not installed; the extra ``skbnn[onnx]`` has it.

    See Also
    --------
    to_onnx : Writes a single estimator, without skl2onnx.

    Examples
    --------
    >>> import onnxruntime
    >>> import skl2onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.export import register_converter
    >>> X, y = load_iris(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), BinaryMLPClassifier((32,), random_state=0)).fit(X, y)
    >>> register_converter()
    >>> model = skl2onnx.to_onnx(pipeline, X[:1])
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> label, probabilities = session.run(None, {"X": X})
    >>> bool((label == pipeline.predict(X)).all())
    True
    """
    options: dict[str, list[bool | str]] = {
        name: [False, True] for name in ("zipmap", "output_class_labels", "nocl", "raw_scores")
    }
    options["zipmap"].append("columns")
    for estimator, of_classifier in (BinaryMLPClassifier, options), (BinaryMLPRegressor, None):
        alias = f"Skbnn{estimator.__name__}"
        skl2onnx.update_registered_converter(estimator, alias, set_shapes, convert, options=of_classifier)
    alias = "SkbnnThermometerEncoder"
    skl2onnx.update_registered_converter(ThermometerEncoder, alias, set_shape_of_bits, convert_encoder)


def set_shapes(operator):
    """Set types and shapes of an operator's outputs."""
    model, scope, (x,) = operator.raw_operator, operator.scope_inst, operator.inputs
    n_rows, real = x.get_first_dimension(), guess_tensor_type(x.type)
    into_maps = [other for other in scope.operators.values() if other.type == "SklearnZipMap"]
    if any(operator.outputs[-1] in other.inputs for other in into_maps):
        real = FloatTensorType()  # ZipMap takes no other
    described = outputs_of(network_of(model, scope)).values()
    for variable, (dtype, shape) in zip(operator.outputs, described, strict=True):
        kind = {"i": Int64TensorType, "O": StringTensorType, "f": type(real)}[dtype.kind]
        variable.set_type(kind([n_rows, *shape]))


def network_of(model, scope):
    """The network that predicts, without its classes where the option ``nocl`` asks for indices."""
    network = packed_network_of(model)
    nocl = scope.get_options(model, {"nocl": False}, fail=False)["nocl"]
    return network.named(categories=network.categories) if nocl else network


def convert(scope, operator, container):
    """Add an operator's nodes and constants to skl2onnx's container."""
    model, (x,) = operator.raw_operator, operator.inputs
    network, graph = network_of(model, scope), Graph(scope.get_unique_variable_name)
    raw_scores = not hasattr(model, "predict_proba") or scope.get_options(model, {"raw_scores": False})["raw_scores"]
    whole = add_network(graph, network, x.full_name, helper.tensor_dtype_to_np_dtype(guess_proto_type(x.type)))
    values = add_outputs(graph, network, whole, raw_scores=raw_scores)
    for value, variable in zip(values, operator.outputs, strict=True):
        to = guess_proto_type(variable.type)
        node = ("Identity", {}) if to == TensorProto.STRING else ("Cast", {"to": to})
        graph.nodes.append((node[0], [value], [variable.full_name], node[1]))
    put(graph, scope, container)


def set_shape_of_bits(operator):
    """Set the type and shape of an encoder's output."""
    n_bits = sum(map(len, operator.raw_operator.thresholds_))
    operator.outputs[0].set_type(FloatTensorType([operator.inputs[0].get_first_dimension(), n_bits]))


def convert_encoder(scope, operator, container):
    """Add a ThermometerEncoder's nodes and constants to skl2onnx's container."""
    encoder, (x,), (out,) = operator.raw_operator, operator.inputs, operator.outputs
    graph, n_features = Graph(scope.get_unique_variable_name), len(encoder.thresholds_)
    dtype = helper.tensor_dtype_to_np_dtype(guess_proto_type(x.type))
    encoding = Encoding.from_columns(encoder.thresholds_, np.empty((0, n_features)))
    bits, order = add_bits(graph, encoding, x.full_name, dtype)
    places = np.argsort(order)[-len(encoding.thresholds) :]  # behind those of -1
    if places.tolist() != list(range(len(order))):
        bits = graph.add("Gather", bits, places, axis=1)
    bits = graph.cast(bits, np.float32)
    if encoder.output == "plus_minus_one":
        bits = graph.add("Sub", graph.add("Mul", bits, np.float32(2)), np.float32(1))
    graph.nodes.append(("Identity", [bits], [out.full_name], {}))
    put(graph, scope, container)


def put(graph, scope, container):
    """Move a graph's nodes and constants to skl2onnx's container."""
    if container.target_opset is not None and container.target_opset < OPSET:
        raise ValueError(f"target_opset must be at least {OPSET}, got {container.target_opset}")
    for name, value in graph.constants.items():
        if value.dtype == object:  # of a TensorProto skl2onnx copies raw data only
            container.add_initializer(name, TensorProto.STRING, value.shape, [label.encode() for label in value])
        else:
            container.add_initializer(name, None, None, numpy_helper.from_array(value))
    for name, inputs, outputs, attributes in graph.nodes:
        container.add_node(name, inputs, outputs, name=scope.get_unique_operator_name(name), **attributes)
