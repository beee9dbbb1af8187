"""What a model consists of, as a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from skbnn.model_file.writer import arrays_of
from skbnn.packed import packed_network_of

if TYPE_CHECKING:
    from skbnn._typing import Model

FLOAT32 = 4  # bytes

NAMES = "feature_names", "categories.counts", "categories"
LABELS = "classes", "classes.str", "classes.object"  # of which a model file has one at most


class Row(NamedTuple):
    """One part of a model.

    Attributes
    ----------
    layer : str
    shape : str
    bits : int
        Weights of one bit.
    popcounts : int
        64-bit words that are xored and counted to predict one row.
    nbytes : int
        Bytes of its arrays, padding included.
    float32_nbytes : int
        The same with float32 weights and numbers, without padding.
    """

    layer: str
    shape: str
    bits: int
    popcounts: int
    nbytes: int
    float32_nbytes: int


HEADINGS = "Layer", "Shape", "Weights (1 bit)", "Popcounts (64 bit)", "Bytes", "Bytes as float32"


class Summary:
    """A table of what a model consists of.

    It prints as text, and shows as HTML in a notebook. Use ``summary`` to make one.

    Parameters
    ----------
    rows : list of Row
        Named tuples of ``layer``, ``shape``, ``bits``, ``popcounts``, ``nbytes`` and ``float32_nbytes``.

    Attributes
    ----------
    total : Row
        Their sum.

    See Also
    --------
    summary : Makes the table of a fitted model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.inspection import summary
    >>> table = summary(BinaryMLPClassifier((64,), max_iter=5, init="constant").fit(*load_iris(return_X_y=True)))
    >>> [row.layer for row in table.rows]
    ['Thermometer encoding', 'Hidden 1', 'Output', 'Sizes and names']
    """

    total: Row

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.total = Row("Total", "", *(sum(column) for column in list(zip(*rows, strict=True))[2:]))

    def _cells(self):
        """The body and the last line, each cell as text."""
        return [[*row[:2], *(f"{number:,}" for number in row[2:])] for row in [*self.rows, self.total]]

    def __repr__(self) -> str:
        cells = [HEADINGS, *self._cells()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = []
        for line in cells:
            texts = (text.ljust(width) for text, width in zip(line[:2], widths[:2], strict=True))
            numbers = (text.rjust(width) for text, width in zip(line[2:], widths[2:], strict=True))
            lines.append("  ".join([*texts, *numbers]).rstrip())
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def _repr_html_(self) -> str:
        def line(cells, tag):
            texts = "".join(f'<{tag} style="text-align: left">{escape(cell)}</{tag}>' for cell in cells[:2])
            numbers = "".join(f'<{tag} style="text-align: right">{escape(cell)}</{tag}>' for cell in cells[2:])
            return f"<tr>{texts}{numbers}</tr>"

        *body, last = (line(cells, "td") for cells in self._cells())
        head = line(HEADINGS, "th")
        return f"<table><thead>{head}</thead><tbody>{''.join(body)}</tbody><tfoot>{last}</tfoot></table>"


def summary(model: Model) -> Summary:
    """Tell what a fitted model consists of: shapes, bits, popcounts and bytes, layer by layer.

    Parameters
    ----------
    model : BinaryMLPClassifier, BinaryMLPRegressor or PackedNetwork
        Fitted.

    Returns
    -------
    Summary
        A shape is of inputs and units, and how many networks have them. Bytes are those of the file that
        ``skbnn.save_model`` writes, but for its header and checksum, weights padded to whole words and to groups of
        eight units.

    Raises
    ------
    TypeError
        If the model is neither.
    ValueError
        If a model file can't hold its labels or names.

    See Also
    --------
    skbnn.save_model : Writes the file.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.inspection import summary
    >>> classifier = BinaryMLPClassifier((64,), max_iter=5, dropout=0.0).fit(*load_iris(return_X_y=True))
    >>> summary(classifier).total.nbytes < classifier.packed_.nbytes
    True
    """
    network = packed_network_of(model)
    arrays, n_members = arrays_of(network), network.n_members

    def numbers(layer, shape, *names):
        found = [arrays[name] for name in names if name in arrays]
        return Row(layer, shape, 0, 0, sum(one.nbytes for one in found), FLOAT32 * sum(one.size for one in found))

    def binary(layer, index, n_numbers, *names):
        n_inputs, n_units = network.layer_sizes[index : index + 2]
        units, nbytes = n_members * n_units, sum(arrays[name].nbytes for name in names)
        shape = f"{n_inputs} -> {n_units}" + (f" x {n_members}" if n_members > 1 else "")
        bits, words = units * n_inputs, units * -(-n_inputs // 64)
        return Row(layer, shape, bits, words, nbytes, FLOAT32 * (bits + n_numbers))

    n_features, n_bits, n_outputs = network.n_features_in, network.layer_sizes[0], len(network.bias)
    rows = [numbers("Thermometer encoding", f"{n_features} -> {n_bits}", "thresholds", "offsets", "nominal")]
    if "components" in arrays:
        rows.append(numbers("Combinations", f"{n_features} -> {len(network.components)}", "components"))
    for index, n_units in enumerate(network.layer_sizes[1:-1]):
        names = f"hidden.{index}.weights", f"hidden.{index}.thresholds"
        rows.append(binary(f"Hidden {index + 1}", index, n_members * n_units, *names))
    n_numbers = network.scale.size + network.bias.size + network.factor.size
    rows.append(binary("Output", len(network.layers), n_numbers, "output.weights", "scale", "bias", "factor"))
    if network.additive.varies:
        rows.append(numbers("Additive part", f"{n_features} -> {n_outputs}", "steps", "slopes", "ranges"))
    rows.append(numbers("Sizes and names", "", "layer_sizes", *LABELS, *NAMES))
    return Summary(rows)
