"""How much flash and RAM an exported network takes, without a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from skbnn.export.c import MAX_ROWS, checked_dtype
from skbnn.export.c_tables import kinds_of, n_planes, row_dtype, tables_of
from skbnn.packed import packed_network_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from skbnn._typing import Model

# Bytes of code, and of stack beside the arrays, for each part of a program; by least squares from 160 programs.
# A test compares the sums with what the compiler makes.
PARTS = {
    "all": (119, 20),
    "several outputs": (135, 21),
    "several members": (20, 0),
    "hidden layers": (762, 51),
    "several hidden layers": (0, 73),
    "each further hidden layer": (72, 0),
    "steps": (119, 24),
    "lines": (159, 8),
    "components": (173, 7),
    "components of floats": (210, 0),
    "steps of components": (33, 0),
    "float keys": (55, 0),
    "categories": (45, 0),
    "wide scores": (57, 0),
}


class Footprint(NamedTuple):
    """What a network takes on a device, in bytes."""

    flash: int
    ram: int


def c_footprint(model: Model, *, dtype: DTypeLike = "float32") -> Footprint:
    """Predict the flash and the RAM that ``NAME_predict`` of ``to_c`` takes, code, tables and stack.

    Flash is right to 5 % or, of a model of less than 5 KB, to 250 bytes, RAM to 5 % or 60 bytes, for GCC 12 with
    ``-Os`` and a Cortex-M4. Of other cores and compilers the tables, which are most of it, are the same. A regressor of
    integers, which has no ``NAME_predict``, is taken by its ``NAME_scores``.

    Not counted are the row itself, labels and exponents, which take room only where they are used, and what the
    compiler links of its own library: ``memcpy``, multiplication for a core that has none, and about 2 KB of double
    arithmetic where features are floats and there are lines or components, or a regressor's values.

    Parameters
    ----------
    model : BinaryMLPClassifier, BinaryMLPRegressor or PackedNetwork
        Fitted.
    dtype : str, default="float32"
        As in ``to_c``.

    Returns
    -------
    footprint : Footprint
        A named tuple of ``flash`` and ``ram``, bytes.

    Raises
    ------
    TypeError, ValueError
        As ``to_c``.

    See Also
    --------
    to_c : Writes the program.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.export import c_footprint
    >>> X, y = load_digits(return_X_y=True)
    >>> model = BinaryMLPClassifier((32,), n_thresholds=3, init="constant", max_iter=5, random_state=0).fit(X, y)
    >>> c_footprint(model, dtype="uint8").flash < 4000
    True
    """
    network, dtype = packed_network_of(model), checked_dtype(dtype)
    code, frames = map(sum, zip(*parts_of(network, dtype), strict=True))
    unused = {"classes", "exponents"}
    tables = sum(table.nbytes for name, table in tables_of(network, dtype) if name not in unused)
    return Footprint(int(code + tables), int(frames + bytes_of_arrays(network, dtype)))


def parts_of(network, dtype):
    """Code and stack of each part that the network has."""
    n_hidden, floats = len(network.layers), dtype.kind == "f"
    components = bool(len(network.components))
    present = {
        "all": True,
        "several outputs": len(network.bias) > 1,
        "several members": network.n_members > 1,
        "hidden layers": n_hidden > 0,
        "several hidden layers": n_hidden > 1,
        "each further hidden layer": max(0, n_hidden - 1),
        "steps": bool(network.steps.size),
        "lines": bool(network.slopes.size),
        "components": components,
        "components of floats": components and floats,
        "steps of components": components and bool(network.steps.size),
        "float keys": floats,
        "categories": bool(kinds_of(network, dtype).any()),
        "wide scores": network.bias.dtype.itemsize == 8,
    }
    for part, times in present.items():
        code, stack = PARTS[part]
        yield times * code, times * stack


def bytes_of_arrays(network, dtype):
    """Scores, unless the caller keeps them, bits of each layer, and a hidden layer's counts and rows to be added."""
    *layers, _ = (-(-size // 32) for size in network.layer_sizes)
    n_bytes = 4 * sum(layers)
    if network.output != "identity" or dtype.kind == "f":
        n_bytes += network.bias.nbytes
    if network.layers:
        n_bytes += 4 * max(layers[1:]) * n_planes(network) + row_dtype(network).itemsize * MAX_ROWS
    return n_bytes
