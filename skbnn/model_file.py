"""Model files: packed networks in the layout of safetensors; ``doc/model_file.rst`` describes every byte."""

from __future__ import annotations

import json
import math
import mmap as memory_map
import os
import sys
import zlib
from typing import TYPE_CHECKING

import numpy as np

from skbnn._files import replacing, require_file
from skbnn.encoding.tables import shown
from skbnn.packed import PackedNetwork, packed_network_of
from skbnn.packed.arguments import require

if TYPE_CHECKING:
    from skbnn._typing import Model, StrPath

FORMAT = "skbnn.PackedNetwork"
# The second has thresholds that are infinite, nominal features and categories; what needs none of them is of the first.
VERSIONS = "1", "2"

LARGEST_HEADER = 2**16  # bytes; room for 350 hidden layers, and a bound of what parsing one can take
ALIGNMENT = 64  # bytes; where arrays start, so that mapped weights lie as a register reads them
LARGEST_CHARACTER = 0x10FFFF

# Of a map that holds no file descriptor of its own.
NO_DESCRIPTOR = {"trackfd": False} if sys.version_info >= (3, 13) and os.name == "posix" else {}

DTYPES = {f"{kind.upper()}{8 * size}": np.dtype(f"<{kind}{size}") for kind in "ui" for size in (1, 2, 4, 8)}
DTYPES |= {f"F{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)} | {"BOOL": np.dtype(bool)}

# What an array may be stored as; the first that holds all its values is taken. Weights lie in the file as in memory.
WEIGHTS, UNIT_THRESHOLDS, FLOATS, SCORES = ("U64",), ("I16", "I32"), ("F16", "F32", "F64"), ("I32", "I64")
ALWAYS = {
    "layer_sizes": ("I32",),
    "thresholds": FLOATS,
    "offsets": ("U16", "I32"),
    "output.weights": WEIGHTS,
    "scale": SCORES,
    "bias": SCORES,
    "factor": FLOATS,
}
SECOND = {"nominal": ("BOOL",), "categories.counts": ("I32",), "categories": ("U8",)}  # of this version alone
UNLESS_EMPTY = {"components": FLOATS, "steps": SCORES, "slopes": FLOATS, "ranges": FLOATS}
NUMBERS, STRINGS, TEXT = tuple(DTYPES), ("U32",), ("U8",)


def save_model(model: Model, path: StrPath) -> None:
    """Write what a model predicts with to a file, from which ``load_model`` reads it.

    The file appears at once or not at all: it is written beside ``path`` and then takes that name, so whoever has the
    old file mapped goes on with that.

    Parameters
    ----------
    model : BinaryMLPClassifier, BinaryMLPRegressor or PackedNetwork
        An estimator is to be fitted; the file holds its ``packed_``, not its training state.
    path : str or path-like
        Any name; ``.skbnn`` is a good suffix. A file that is there is replaced, and its permissions kept.

    Raises
    ------
    TypeError
        If the model is neither.
    ValueError
        If the file can't hold it: labels that are neither numbers of at most 64 bits nor strings, labels of dtype
        object that end with NUL, names with a NUL or that are not valid Unicode, or more arrays than its header has
        room for (350 hidden layers fit); or if ``path`` is something else than a file.
    OSError
        If the file can't be written; nothing is left behind.

    See Also
    --------
    load_model : The inverse.

    Notes
    -----
    ``doc/model_file.rst`` describes the file byte by byte.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier, load_model, save_model
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = BinaryMLPClassifier((64,), random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.skbnn")
    ...     save_model(classifier, path)
    ...     network = load_model(path, mmap=False)
    >>> network == classifier.packed_
    True
    """
    network = packed_network_of(model)
    arrays = arrays_of(network)
    second = not SECOND.keys().isdisjoint(arrays) or bool(np.isinf(arrays["thresholds"]).any())
    parts = written({"format": FORMAT, "version": VERSIONS[second], "output": network.output}, arrays)
    with replacing(path) as file:
        for part in parts:
            file.write(part)


def load_model(path: StrPath, *, mmap: bool = True) -> PackedNetwork:
    """Read a model file.

    Reading executes nothing, and bounds every size before it allocates. A file of this version stays readable for
    ever.

    Parameters
    ----------
    path : str or path-like
        What ``save_model`` wrote.
    mmap : bool, default=True
        Map the file into memory, so that all processes on a machine that load it share the weights' pages. As long as
        the network lives, the file must not be written to or shortened; that ``save_model`` puts another one in its
        place is fine, as is its removal. Before Python 3.13 a mapped network holds a file descriptor. If False, the
        file is read, and may change afterwards.

    Returns
    -------
    PackedNetwork
        Equal to the one that was saved.

    Raises
    ------
    ValueError
        If the file is truncated, damaged, of another kind, or of a newer version; the message says which. Or if
        ``path`` is something else than a file, such as a pipe.
    OSError
        If the file can't be read, for instance FileNotFoundError.

    See Also
    --------
    save_model : The inverse.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier, load_model, save_model
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = BinaryMLPClassifier((64,), random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.skbnn")
    ...     save_model(classifier, path)
    ...     network = load_model(path, mmap=False)
    >>> network == classifier.packed_
    True
    """
    path = os.fspath(path)
    require_file(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if mmap and size:
            content = memory_map.mmap(file.fileno(), size, access=memory_map.ACCESS_READ, **NO_DESCRIPTOR)
        else:
            content = file.read(size)
    try:
        metadata, arrays = read(memoryview(content))
        try:
            return network_of(metadata, arrays)
        except ValueError as error:
            raise ValueError(f"is damaged: {error}") from error
    except ValueError as error:
        raise ValueError(f"model file {path!r} {error}") from error


def written(metadata, arrays):
    """The parts of a file, one after the other."""
    # Weights are whole registers, so all of them lie as the first does; behind them items of 8, 4, 2 and 1 bytes.
    arrays = sorted(arrays.items(), key=lambda item: (not item[0].endswith("weights"), -item[1].dtype.itemsize))
    header, end = {"__metadata__": metadata}, 0
    for name, array in [*arrays, ("checksum", np.zeros(1, DTYPES["U32"]))]:
        dtype = next(name for name, dtype in DTYPES.items() if dtype == array.dtype)
        start, end = end, end + array.nbytes
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [start, end]}
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-(8 + len(encoded)) % ALIGNMENT)
    require(len(encoded) <= LARGEST_HEADER, f"a model file can't have {len(arrays)} arrays; 350 hidden layers fit")
    parts = [len(encoded).to_bytes(8, "little"), encoded, *(np.ascontiguousarray(array).data for _, array in arrays)]
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return [*parts, checksum.to_bytes(4, "little")]


def arrays_of(network):
    """What is stored of a network: a dict of little-endian arrays."""
    arrays = {name: stored(getattr(network, name.replace(".", "_")), dtypes) for name, dtypes in ALWAYS.items()}
    for name, dtypes in UNLESS_EMPTY.items():
        if getattr(network, name).size:
            arrays[name] = stored(getattr(network, name), dtypes)
    for number, (weights, limits) in enumerate(network.layers):
        arrays[f"hidden.{number}.weights"] = stored(weights, WEIGHTS)
        arrays[f"hidden.{number}.thresholds"] = stored(limits, UNIT_THRESHOLDS)
    if network.classes is not None:
        arrays.update([stored_labels(network.classes)])
    if network.feature_names is not None:
        arrays["feature_names"] = stored_names(network.feature_names)
    if network.nominal.any():
        arrays["nominal"] = network.nominal
    if network.categories is not None:
        arrays["categories.counts"], arrays["categories"] = stored_categories(network.categories)
    return arrays


def stored(array, dtypes):
    """The array as the first of the dtypes that holds its values."""
    with np.errstate(over="ignore"):
        choices = (np.ascontiguousarray(array, DTYPES[dtype]) for dtype in dtypes)
        return next(choice for choice in choices if np.array_equal(choice, array))


def stored_labels(classes):
    """Name and array of a classifier's labels; strings are their characters, padded with zeros."""
    dtype = classes.dtype.newbyteorder("<")
    if classes.dtype.kind in "biuf":
        require(dtype in DTYPES.values(), f"classes of dtype {classes.dtype} can't be stored in a model file")
        return "classes", classes.astype(dtype)
    name = "classes.str"
    if classes.dtype.kind == "O":
        name, labels = "classes.object", classes.tolist()
        for label in labels:
            require(isinstance(label, str), f"classes of dtype object must be strings to be stored, got {shown(label)}")
            require(not label.endswith("\0"), f"class {shown(label)} ends with NUL; a model file can't store it")
        classes = np.array(labels)
        dtype = classes.dtype.newbyteorder("<")
    return name, classes.astype(dtype).view(DTYPES["U32"]).reshape(len(classes), -1)


def stored_names(names):
    """Features' names as UTF-8, each with a NUL behind it."""
    for name in names:
        require("\0" not in name, f"feature name {name!r} has a NUL; a model file can't store it")
    try:
        return np.frombuffer("".join(f"{name}\0" for name in names).encode(), np.uint8)
    except UnicodeEncodeError as error:
        raise ValueError(f"feature_names are not valid Unicode, so a model file can't store them: {error}") from error


def stored_categories(categories):
    """How many labels each feature has, and all of them as JSON, each with a NUL behind it."""
    counts = np.array([len(labels or ()) for labels in categories], DTYPES["I32"])
    text = "".join(f"{json.dumps(label)}\0" for labels in categories for label in labels or ())
    return counts, np.frombuffer(text.encode(), np.uint8)


def read(content):
    """What a file's content says: its metadata, and a dict of arrays, which are views of the content."""
    header, start = read_header(content)
    metadata = header.pop("__metadata__", None)
    strings = isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
    ours = strings and metadata.get("format") == FORMAT
    require(ours, "is of another kind: it has the layout of safetensors, but holds no model of skbnn")
    check_offsets(header, len(content) - start)
    checksum = int.from_bytes(content[-4:], "little")
    require(zlib.crc32(content[:-4]) == checksum, "is damaged: its checksum is not that of its content")
    version = metadata.get("version")
    newer = f"is of format version {version!r:.20}; this skbnn reads {VERSIONS[-1]}, a newer one wrote the file"
    require(version in VERSIONS, newer)
    end = len(content) - start
    expected = {"dtype": "U32", "shape": [1], "data_offsets": [end - 4, end]}
    require(header.pop("checksum", None) == expected, "is damaged: its checksum is not where it should be")
    return metadata, {name: read_array(content, start, name, entry) for name, entry in header.items()}


def read_header(content):
    """The header, a dict, and where the arrays start."""
    require(len(content) >= 10, f"is truncated, or of another kind: it has {len(content)} bytes")
    length = int.from_bytes(content[:8], "little")
    json_follows = content[8:9] == b"{" and length <= LARGEST_HEADER
    require(json_follows, f"is of another kind, or its start damaged: no header of at most {LARGEST_HEADER} bytes")
    start = 8 + length
    require(start <= len(content), f"is truncated: its header ends at byte {start}, the file at {len(content)}")
    try:
        return json.loads(str(content[8:start], "utf-8"), object_pairs_hook=unique), start
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is damaged: its header can't be read: {error}") from error


def unique(pairs):
    """A dict of JSON's pairs."""
    out = dict(pairs)
    require(len(out) == len(pairs), "a key occurs twice")
    return out


def check_offsets(header, n_bytes):
    """Raise ValueError unless the arrays fill the bytes behind the header, without gaps or overlaps."""
    for name, entry in header.items():
        fits = isinstance(entry, dict) and entry.keys() == {"dtype", "shape", "data_offsets"}
        require(fits, f"is damaged: the entry of {name!r:.40} is not an array's")
        offsets = entry["data_offsets"]
        fits = isinstance(offsets, list) and len(offsets) == 2 and all(type(offset) is int for offset in offsets)
        fits = fits and 0 <= offsets[0] < offsets[1] < 2**63
        require(fits, f"is damaged: array {name!r:.40} does not say where it lies")
    end = 0
    for offsets in sorted(entry["data_offsets"] for entry in header.values()):
        require(offsets[0] == end, f"is damaged: an array starts at byte {offsets[0]}, expected {end}")
        end = offsets[1]
    require(end <= n_bytes, f"is truncated: its arrays have {end} bytes, of which {n_bytes} are there")
    require(end == n_bytes, f"is damaged: {n_bytes - end} bytes follow its arrays")


def read_array(content, start, name, entry):
    """The array of an entry of the header, a view of the content."""
    dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    require(isinstance(dtype, str) and dtype in DTYPES, f"is damaged: array {name!r:.40} is of an unknown dtype")
    fits = isinstance(shape, list) and 1 <= len(shape) <= 4 and all(type(n) is int and n > 0 for n in shape)
    fits = fits and math.prod(shape) * DTYPES[dtype].itemsize == end - begin
    require(fits, f"is damaged: the shape of array {name!r:.40} does not fit its bytes")
    return np.frombuffer(content, DTYPES[dtype], math.prod(shape), start + begin).reshape(shape)


def network_of(metadata, arrays):
    """The PackedNetwork of what ``read`` returns; raises ValueError unless it is one's, and nothing more."""

    def taken(name, dtypes):
        require(name in arrays, f"it lacks array {name!r}")
        array = arrays.pop(name)
        fits = array.dtype in [DTYPES[dtype] for dtype in dtypes]
        require(fits, f"array {name!r} has dtype {array.dtype}, expected one of {dtypes}")
        return array

    content = {name: taken(name, dtypes) for name, dtypes in ALWAYS.items()}
    content |= {name: taken(name, dtypes) for name, dtypes in UNLESS_EMPTY.items() if name in arrays}
    first = metadata["version"] == VERSIONS[0]
    fits = not first or (SECOND.keys().isdisjoint(arrays) and np.isfinite(content["thresholds"]).all())
    require(fits, f"it has what format version {VERSIONS[0]} does not have")
    second = {name: taken(name, dtypes) for name, dtypes in SECOND.items() if name in arrays}
    n_columns, n_outputs = content["offsets"].size - 1, content["bias"].size
    for name, shape in ("components", (0, n_columns)), ("slopes", (n_outputs, 0)), ("ranges", (2, 0)):
        content.setdefault(name, np.zeros(shape))
    content.setdefault("steps", np.zeros((n_outputs, 0), np.int32))
    sizes = content.pop("layer_sizes")
    require(sizes.ndim == 1, f"layer_sizes have shape {sizes.shape}")
    hidden = [f"hidden.{number}" for number in range(sizes.size - 2)]
    network = PackedNetwork(
        **{name.replace(".", "_"): array for name, array in content.items()},
        layers=[(taken(f"{name}.weights", WEIGHTS), taken(f"{name}.thresholds", UNIT_THRESHOLDS)) for name in hidden],
        layer_sizes=sizes,
        output=metadata.get("output"),
        nominal=bools_of(second["nominal"]) if "nominal" in second else None,
    )
    labels, names = None, None
    for name in "classes", "classes.str", "classes.object":
        if name in arrays:
            require(labels is None, "it has classes twice")
            labels = labels_of(taken(name, NUMBERS if name == "classes" else STRINGS), name, n_outputs)
    if "feature_names" in arrays:
        names = names_of(taken("feature_names", TEXT), network.n_features_in)
    require(not arrays, f"array {next(iter(arrays), None)!r:.40} is unknown")
    categories = categories_of(second, network.n_features_in) if "categories" in second else None
    return network.named(classes=labels, feature_names=names, categories=categories)


def labels_of(array, name, n_outputs):
    """Inverse of ``stored_labels``."""
    require(len(array) <= max(2, n_outputs), f"{len(array)} classes do not fit {n_outputs} outputs")  # before a copy
    if name == "classes":
        return bools_of(array) if array.dtype == bool else array.astype(array.dtype.newbyteorder("="))
    require(array.ndim == 2 and array.max() <= LARGEST_CHARACTER, f"{name} are not rows of characters")
    labels = array.astype(np.uint32).view(f"U{array.shape[1]}")[:, 0]
    return labels.astype(object) if name == "classes.object" else labels


def bools_of(array):
    """The array, which has to be of bytes 0 and 1."""
    require(array.view(np.uint8).max() <= 1, "what is of dtype BOOL has to be 0 or 1")
    return array.copy()


def categories_of(arrays, n_features):
    """Inverse of ``stored_categories``."""
    require("categories.counts" in arrays, "it lacks array 'categories.counts'")
    counts, text = arrays["categories.counts"], arrays["categories"].tobytes()
    fits = counts.shape == (n_features,) and counts.min() >= 0 and text.endswith(b"\0")
    require(fits and counts.sum(dtype=np.int64) == text.count(b"\0"), "categories do not fit their counts")
    try:
        labels = [json.loads(label) for label in text.decode().split("\0")[:-1]]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"categories can't be read: {error}") from error
    scalars = all(label is None or isinstance(label, str | int | float) for label in labels)
    require(scalars, "categories must be scalars")
    ends = np.cumsum(counts).tolist()
    both = zip(counts.tolist(), ends, strict=True)
    return [tuple(labels[end - count : end]) if count else None for count, end in both]


def names_of(array, n_features):
    """Inverse of ``stored_names``."""
    text = array.tobytes()
    require(text.count(b"\0") == n_features and text.endswith(b"\0"), f"feature_names are not {n_features} names")
    try:
        return text.decode().split("\0")[:-1]
    except UnicodeDecodeError as error:
        raise ValueError(f"feature_names are not UTF-8: {error}") from error
