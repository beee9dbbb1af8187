"""What a model file says, each size bounded before it is believed."""

import json
import math
import zlib

import numpy as np

from skbnn.model_file.layout import (
    ALWAYS,
    DTYPES,
    FORMAT,
    LARGEST_HEADER,
    NUMBERS,
    SECOND,
    STRINGS,
    TEXT,
    UNIT_THRESHOLDS,
    UNLESS_EMPTY,
    VERSIONS,
    WEIGHTS,
)
from skbnn.packed import PackedNetwork
from skbnn.packed.arguments import require

LARGEST_CHARACTER = 0x10FFFF


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
