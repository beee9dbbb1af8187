"""What is written of a packed network to a model file."""

import json
import zlib

import numpy as np

from skbnn.encoding.tables import shown
from skbnn.model_file.layout import (
    ALIGNMENT,
    ALWAYS,
    DTYPES,
    LARGEST_HEADER,
    UNIT_THRESHOLDS,
    UNLESS_EMPTY,
    WEIGHTS,
)
from skbnn.packed.arguments import require


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
