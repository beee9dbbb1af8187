"""A fitted model as an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

try:
    import onnx
    from onnx import helper
except ImportError as error:
    raise ImportError("skbnn.export.to_onnx needs onnx; install it with: pip install 'skbnn[onnx]'") from error

from skbnn._files import replacing
from skbnn.export.graph import Graph, add_network, add_outputs, outputs_of
from skbnn.packed import packed_network_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from skbnn._typing import Model, StrPath

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "float32", "float64"]

OPSET, IR_VERSION = 13, 7  # of ONNX 1.8, which ONNX Runtime reads since 1.6; both of 2020


def to_onnx(
    model: Model, path: StrPath | None = None, *, dtype: DTypeLike = "float32", raw_scores: bool = False
) -> onnx.ModelProto:
    """Write a fitted model as an ONNX graph of standard operators.

    ONNX Runtime gives the labels of ``packed_.predict`` on every row and its scores to the last bit. Weights are
    stored as bits; a session unpacks them to int8 once, when it starts. NaN is a missing value. A category is its label
    where labels are numbers, and where they are text its code: the place of its label in ``packed_.categories``.

    To convert a whole pipeline, see :func:`register_converter`.

    Parameters
    ----------
    model : BinaryMLPClassifier, BinaryMLPRegressor or PackedNetwork
        Fitted.
    path : str or path-like, default=None
        Where to write the file, which is replaced at once or not at all.
    dtype : str or dtype, default="float32"
        Of the input ``X``, (n_rows, n_features): "float16", "float32", "float64", "bool", or an integer of 8 to 64
        bits, such as "uint8". Features are compared exactly whichever it is.
    raw_scores : bool, default=False
        Whether a classifier's second output holds scores, as ``decision_function`` gives them, rather than
        probabilities. With ``loss="squared_hinge"`` there are scores only. Two classes have two columns either way, of
        scores with opposite signs.

    Returns
    -------
    onnx.ModelProto
        With the outputs of skl2onnx. Of classifiers: ``label``, int64 or strings, (n_rows,) or (n_rows, n_labels), and
        ``probabilities``, float64. Of regressors: ``variable``, (n_rows, n_outputs) float64.

    Raises
    ------
    ImportError
        If onnx is not installed; the extra ``skbnn[onnx]`` has it.
    TypeError
        If ``model`` is not one of these.
    ValueError
        If ``dtype`` is no real number of at most 64 bits, classes are neither whole numbers nor strings, or
        ``path`` is something else than a file.
    OSError
        If the file can't be written; nothing is left behind.

    See Also
    --------
    register_converter : For pipelines that hold an estimator.

    Examples
    --------
    >>> import onnxruntime
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.export import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = BinaryMLPClassifier((32,), random_state=0).fit(X, y)
    >>> model = to_onnx(classifier, dtype="float64")
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> label, probabilities = session.run(None, {"X": X})
    >>> bool((label == classifier.predict(X)).all())
    True
    """
    network = packed_network_of(model)
    dtype = known_dtype(dtype)
    graph, outputs = Graph(), outputs_of(network)
    raw_scores = raw_scores or not hasattr(model, "predict_proba")
    whole = add_network(graph, network, "X", dtype)
    for name, value in zip(outputs, add_outputs(graph, network, whole, raw_scores=raw_scores), strict=True):
        graph.nodes.append(("Identity", [value], [name], {}))
    body = helper.make_graph(
        [helper.make_node(operator, *names, **attributes) for operator, *names, attributes in graph.nodes],
        "skbnn",
        [value_info("X", dtype, [network.n_features_in])],
        [value_info(name, *described) for name, described in outputs.items()],
        [onnx.numpy_helper.from_array(value, name) for name, value in graph.constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    written = helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="skbnn")
    if path is not None:
        with replacing(path) as file:
            file.write(written.SerializeToString())
    return written


def known_dtype(dtype):
    """The dtype of NumPy, if ONNX has it."""
    try:
        known = np.dtype(dtype)
    except TypeError:
        known = None
    if known is None or known.name not in DTYPES or not known.isnative:
        raise ValueError(f"dtype must be one of {DTYPES}, got {dtype!r}")
    return known


def value_info(name, dtype, shape):
    """Description of rows, any number of them."""
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), [None, *shape])
