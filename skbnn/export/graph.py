"""A packed network as a graph of standard ONNX operators, all of which exist since opset 13.

Integers are exact in any order of addition, and each real operation is a node of its own, so scores are those of
``PackedNetwork`` to the last bit.
"""

from itertools import count

import numpy as np
from onnx import helper

from skbnn.export.graph_features import add_bits, add_codes, add_lines

BASE = 256  # of the digits that steps are cut into


class Graph:
    """Nodes and constants, in the order in which they are added.

    Parameters
    ----------
    new_name : callable, default=None
        Gives a name that is not taken, from a word. By default the word with a number.

    Attributes
    ----------
    nodes : list of (operator, input names, output names, attributes)
    constants : dict of ndarray by name
    """

    def __init__(self, new_name=None):
        numbers = count()
        self.new_name = new_name or (lambda word: f"{word}{next(numbers)}")
        self.nodes, self.constants = [], {}

    def add(self, operator, *inputs, n_outputs=1, **attributes):
        """Add a node; an input is a name or an array. Returns the output's name, or a list of several."""
        names = [value if isinstance(value, str) else self.add_constant(value) for value in inputs]
        outputs = [self.new_name(operator) for _ in range(n_outputs)]
        self.nodes.append((operator, names, outputs, attributes))
        return outputs[0] if n_outputs == 1 else outputs

    def add_constant(self, value):
        """Add an array; returns its name."""
        name = self.new_name("constant")
        self.constants[name] = np.asarray(value)
        return name

    def cast(self, value, dtype):
        """Add a conversion to a dtype of NumPy; a real number to an integer cuts off toward zero."""
        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def add_network(graph, network, x, dtype):
    """Add all that leads from rows to integer scores.

    Parameters
    ----------
    graph : Graph
    network : PackedNetwork
    x : str
        Name of the rows, (n_rows, n_features).
    dtype : dtype
        Theirs.

    Returns
    -------
    str
        Name of the scores in units of ``factor``, (n_rows, n_outputs) float64.
    """
    n_outputs, scale = len(network.bias), network.scale.astype(np.int64)
    x, dtype = add_codes(graph, network.categories, x, dtype)
    bits, order = add_bits(graph, network, x, dtype)
    weights = network.binary_weights
    positive = [(layer > 0).sum(axis=2) for layer in weights]
    weights[0] = spread(weights[0], order)
    # An output's units stand apart, so that what is added up lies as (units, outputs).
    weights[-1] = weights[-1].reshape(*scale.shape, -1).swapaxes(1, 2).reshape(weights[-1].shape)
    matrices = iter(add_matrices(graph, [layer[member].T for member in range(network.n_members) for layer in weights]))
    terms = []
    for member in range(network.n_members):
        x_member = bits
        for (_, limits), ones in zip(network.layers, positive, strict=False):
            # Bits are 0 or 1 and weights ±1, so that product = ones - m, where m = popcount(x ^ w).
            product = graph.add("MatMulInteger", x_member, next(matrices))
            n_units = ones.shape[1]
            limit = np.clip(limits[member, :n_units], -1, 2**30)  # more than any popcount, and the difference fits
            least = (ones[member] - limit).astype(np.int32)
            x_member = graph.cast(graph.add("GreaterOrEqual", product, least), np.uint8)
        terms.append(graph.add("MatMulInteger", x_member, next(matrices)))
    # dot = fan_in - 2 * m = 2 * product + fan_in - 2 * ones
    dots = network.layer_sizes[-2] - 2 * positive[-1].reshape(scale.shape)
    constant = network.bias + (scale * dots).sum(axis=(0, 2))
    factors = [2 * scale.swapaxes(1, 2).reshape(-1, n_outputs)]
    if network.steps.size:
        digits = digits_of(spread(network.steps, order).T)
        terms.append(graph.add("MatMulInteger", bits, np.hstack(digits)))
        factors += [np.full((1, n_outputs), BASE**i) for i in range(len(digits))]
    factors = np.vstack(factors)
    products = graph.cast(graph.add("Concat", *terms, axis=1), np.int64)
    products = graph.add("Mul", graph.add("Reshape", products, np.array([0, *factors.shape])), factors)
    scores = graph.add("Add", graph.add("ReduceSum", products, np.array([1]), keepdims=0), constant)
    if network.slopes.any():
        scores = graph.add("Add", scores, add_lines(graph, network, x, dtype))
    return graph.cast(scores, np.float64)


def spread(values, order):
    """The values of bits, last axis, as they lie in ``order``; 0 where that is -1; int64."""
    out = np.zeros((*values.shape[:-1], len(order)), np.int64)
    out[..., order >= 0] = values[..., order[order >= 0]]
    return out


def add_matrices(graph, matrices):
    """Add matrices of ±1, stored as bits and unpacked to int8 when a session starts; returns their names."""
    shapes, sizes = [matrix.shape for matrix in matrices], [matrix.size for matrix in matrices]
    packed = np.packbits(np.concatenate([matrix.ravel() for matrix in matrices]) > 0, bitorder="little")
    padding = 8 * len(packed) - sum(sizes)
    shifted = graph.add("BitShift", packed[:, np.newaxis], np.arange(8, dtype=np.uint8), direction="RIGHT")
    bits = graph.cast(graph.add("Mod", shifted, np.uint8(2)), np.int32)
    values = graph.add("Reshape", graph.add("Gather", np.array([-1, 1], np.int8), bits), np.array([-1]))
    parts = [values]
    if len(sizes) > 1 or padding:
        parts = graph.add("Split", values, np.array([*sizes, padding]), n_outputs=len(sizes) + 1)
    return [graph.add("Reshape", part, np.array(shape)) for part, shape in zip(parts, shapes, strict=False)]


def digits_of(values):
    """Integers as digits from -128 to 127, a list of int8 arrays: ``values = sum(BASE**i * digits[i])``."""
    digits = []
    while values.any() or not digits:
        digit = (values + BASE // 2) % BASE - BASE // 2
        digits.append(digit.astype(np.int8))
        values = (values - digit) // BASE
    return digits


def outputs_of(network):
    """What users see, by the name that skl2onnx gives it, in order: dtype, and shape of a row.

    Two classes have two columns, of the negative and of the positive one.
    """
    n_outputs = len(network.bias)
    if network.output == "identity":
        return {"variable": (np.dtype(np.float64), [n_outputs])}
    several = network.output == "logistic" and n_outputs > 1
    labels = labels_of(network)
    label_dtype = np.dtype(np.int64) if labels is None else labels.dtype
    n_columns = 2 if network.output == "logistic" and n_outputs == 1 else n_outputs
    return {
        "label": (label_dtype, [n_outputs] if several else []),
        "probabilities": (np.dtype(np.float64), [n_columns]),
    }


def add_outputs(graph, network, whole, *, raw_scores=False):
    """Add the way from ``add_network``'s scores to what users see; returns names in the order of ``outputs_of``.

    With ``raw_scores`` a classifier gives scores instead of probabilities.
    """
    scores = graph.add("Mul", whole, network.factor)
    if network.output == "identity":
        return [scores]
    activation, attributes = "Sigmoid", {}
    if network.output == "softmax":
        label = graph.add("ArgMax", whole, axis=1, keepdims=0)
        activation, attributes = "Softmax", {"axis": 1}
    else:
        label = graph.cast(graph.add("Greater", whole, np.float64(0)), np.int64)
        if len(network.bias) == 1:
            label = graph.add("Reshape", label, np.array([-1]))
            scores = graph.add("Concat", graph.add("Neg", scores), scores, axis=1)
    labels = labels_of(network)
    if labels is not None:
        label = graph.add("Gather", labels, label)
    return [label, scores if raw_scores else graph.add(activation, scores, **attributes)]


def labels_of(network):
    """The classes as ONNX has them, int64 or strings; None where there are none."""
    classes = network.classes
    if classes is None:
        return None
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes.astype(object)
    if classes.dtype.kind in "biuf" and (classes == classes.astype(np.int64)).all():
        return classes.astype(np.int64)
    raise ValueError(f"model has the classes {classes.tolist()}; ONNX takes whole numbers or strings")
