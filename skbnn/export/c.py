"""A packed network as one C99 header."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from skbnn._files import replacing
from skbnn.encoding.columns import PRESENT
from skbnn.encoding.tables import shown
from skbnn.export import c_features, c_layers
from skbnn.export.c_tables import COMMENTS, float_keys, key_of_float, n_planes, row_dtype, tables_of
from skbnn.packed import packed_network_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from skbnn._typing import Model, StrPath

C_TYPES = {"float32": "float", "float64": "double"} | {
    f"{sign}int{bits}": f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)
}

# What a feature can be on a device.
DTYPES = "float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32"

# Of C and C++, whichever includes the header.
WORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype
default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline
int long main mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public
register reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct
switch template this thread_local throw true try typedef typeid typename union unsigned using virtual void
volatile wchar_t while xor xor_eq
"""
KEYWORDS = set(WORDS.split())

WIDTH = 120  # columns of the header

LONGEST_STRING = 4095  # bytes that every compiler of C99 takes in a string

MAX_ROWS = 64  # of weights that are added in one go, a multiple of 16; a stack of their numbers is kept


def to_c(model: Model, path: StrPath | None = None, *, name: str = "model", dtype: DTypeLike = "float32") -> str:
    """Write a network as one C99 header, which needs no other file and no libc but stdint.h and string.h.

    The header gives bit for bit the integer scores of ``packed_``. Its tables are constant, its memory is on the stack
    and has a size known to the compiler, and nothing is allocated.

    Parameters
    ----------
    model : BinaryMLPClassifier, BinaryMLPRegressor or PackedNetwork
        Fitted.
    path : str or path-like, default=None
        Where to write the header. It is replaced at once or not at all.
    name : str, default="model"
        What all names in the header start with; a C identifier.
    dtype : {"float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32"}, default="float32"
        Type of a feature. Thresholds of integers are rounded up to integers. Floats are compared by their bits, so
        there is floating-point arithmetic only where the network has components, or lines of an additive model, and the
        dtype is a float's. NaN is a missing value; integers are never missing. Categories come as their codes, which
        the header lists; one that is missing or unknown is NaN of floats, any code below 0 of signed integers, and the
        largest of unsigned ones.

    Returns
    -------
    header : str
        With ``NAME`` for the name, ``NAME_input_t`` for the dtype and ``NAME_score_t`` for int32_t or int64_t:
        ``void NAME_scores(const NAME_input_t *x, NAME_score_t *scores)`` for every network, and ``NAME_predict``:

        - ``int NAME_predict(const NAME_input_t *x)``, the class's index, of a classifier;
        - ``void NAME_predict(const NAME_input_t *x, uint8_t *labels)`` of a multilabel classifier;
        - ``double NAME_predict(const NAME_input_t *x)`` of a regressor of floats, or ``void NAME_predict(const
          NAME_input_t *x, double *values)`` where it has several outputs. With integers there are scores only.

        ``NAME_classes`` are the labels, where the network knows them.

    Raises
    ------
    TypeError
        If the model is neither fitted nor a PackedNetwork.
    ValueError
        If the name is no identifier; if the dtype is none of these; if ``path`` is something else than a file; if
        classes are floats that are not finite, or text of more than 4,095 bytes; if labels or names are not valid
        Unicode; or if integers can't take the model's features:
        thresholds between fractions or beyond the dtype's range, more categories than it has codes, lines between
        fractions, or components or slopes that need more than 53 bits.
    OSError
        If the file can't be written; nothing is left behind.

    See Also
    --------
    c_footprint : How much flash and RAM it takes.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.export import to_c
    >>> X, y = load_digits(return_X_y=True)
    >>> model = BinaryMLPClassifier((32,), n_thresholds=3, init="constant", max_iter=5, random_state=0).fit(X, y)
    >>> header = to_c(model, dtype="uint8")
    >>> "int model_predict(const model_input_t *x)" in header
    True
    """
    network = packed_network_of(model)
    header = header_of(network, checked_name(name), checked_dtype(dtype))
    if path is not None:
        with replacing(path) as file:
            file.write(header.encode("ascii"))
    return header


def checked_dtype(dtype):
    """The NumPy dtype, of those that a header can take."""
    try:
        kind = None if dtype is None else np.dtype(dtype)  # NumPy takes None for float64
    except TypeError:
        kind = None
    if kind is None or kind.name not in DTYPES:
        raise ValueError(f"dtype must be one of {DTYPES}, got {dtype!r}")
    return kind


def checked_name(name):
    """The name, if it is an identifier of C and C++ that is reserved in neither."""
    valid = isinstance(name, str) and re.fullmatch(r"[A-Za-z]([A-Za-z0-9]|_(?!_|$))*", name)
    if not valid or name in KEYWORDS:
        raise ValueError(
            "name must be a C identifier, no keyword, of letters, digits and single underscores between them, "
            f"got {name!r}"
        )
    return name


def header_of(network, name, dtype):
    """The whole text."""
    tables = dict(tables_of(network, dtype))
    text = "\n".join(
        ["", enumerators(network), types(network, tables, dtype), *(table_text(*table) for table in tables.items())]
    )
    text += "".join(functions(network, tables, dtype))
    about = f"/* {network!r}\n   in C99, from skbnn.export.to_c. Bit 1 means +1, bit 0 means -1. */\n"
    if network.nominal.any() or network.categories is not None:
        about += re.sub("NAME(?=_)", name, codes(network, dtype))
    guard = f"#ifndef SKBNN_{name}_H\n#define SKBNN_{name}_H\n\n#include <stdint.h>\n#include <string.h>\n"
    return about + guard + re.sub("NAME(?=_)", name, text) + "\n#endif\n"


def codes(network, dtype):
    """A comment that lists the codes of categories."""
    lost = {"f": "NaN", "i": "any integer below 0", "u": str(np.iinfo(dtype).max) if dtype.kind == "u" else ""}
    lines = [
        "",
        "/* These features are codes of categories. One that is missing or unknown has the code of missing or, where",
        f"   that has none, is {lost[dtype.kind]}.",
    ]
    categories = network.categories or [[]] * network.n_features_in
    for feature in range(network.n_features_in):
        labels = categories[feature]
        if not (labels or network.nominal[feature]):
            continue
        name = "" if network.feature_names is None else f", {literal_of(network.feature_names[feature])}"
        lines.append(f"   x[{feature}]{name}{':' if labels else ''}")
        if labels:
            lines.append(wrapped([f"{code} is {described(label)}" for code, label in enumerate(labels)]))
    return "\n".join(lines) + " */\n"


def described(label):
    """A label in a comment, which it does not end."""
    if label is None:
        return "missing"
    return literal_of(label) if isinstance(label, str) else repr(label)


def enumerators(network):
    """Sizes that the code needs."""
    sizes = {
        "n_features": network.n_features_in,
        "n_outputs": len(network.bias),
        "n_members": network.n_members,
        "n_bits": network.layer_sizes[0],
        "fan_in": network.layer_sizes[-2],
        "units_per_output": network.scale.shape[2],
    }
    if network.layers:
        groups = [-(-units // 32) for units in network.layer_sizes[1:-1]]
        sizes |= {"max_groups": max(groups), "n_planes": n_planes(network), "max_rows": MAX_ROWS}
    return "enum {\n" + "".join(f"    NAME_{key} = {value},\n" for key, value in sizes.items()) + "};\n"


def types(network, tables, dtype):
    """What features, scores and entries of tables are."""
    keys = C_TYPES[key_of_float(network, dtype).__name__] if dtype.kind == "f" else "int32_t"
    keys = "uint32_t" if dtype.name == "uint32" else keys
    names = {"input": C_TYPES[dtype.name], "key": keys, "score": C_TYPES[network.bias.dtype.name]}
    names["scale"] = C_TYPES[tables["scale"].dtype.name]
    if network.layers:
        names["row"] = C_TYPES[row_dtype(network).name]
    if "sums" in tables:
        names["sum"] = C_TYPES[tables["sums"].dtype.name]
    names = "".join(f"typedef {kind} NAME_{key}_t;\n" for key, kind in names.items())
    return names + "typedef char NAME_needs_int_of_32_bits[sizeof(int) >= 4 ? 1 : -1];\n"


def table_text(name, values):
    """The definition of a constant array."""
    kind = "const char *const "
    if values.dtype.kind in "OU":
        entries = [literal_of(class_of(value)) for value in values.tolist()]
    elif values.dtype == np.uint32:
        kind, entries = "const uint32_t ", [f"0x{value:08x}u" for value in values.ravel().tolist()]
    else:
        suffix = "u" if values.dtype == np.uint64 else ""
        kind = f"const {C_TYPES[values.dtype.name]} "
        entries = [f"{value!r}{suffix}" for value in values.ravel().tolist()]
    shape = "".join(f"[{size}]" for size in values.shape)
    per_row = len(entries) if values.ndim == 1 else values.shape[1]
    rows = [wrapped(entries[start : start + per_row]) for start in range(0, len(entries), per_row)]
    body = rows[0] if values.ndim == 1 else ",\n".join(f"    {{\n{row}\n    }}" for row in rows)
    comment = COMMENTS[name.rstrip("_0123456789")]
    return f"/* {comment} */\nstatic {kind}NAME_{name}{shape} = {{\n{body}\n}};\n"


def class_of(label):
    """A class as text that every compiler takes."""
    text = str(label)
    if len(text.encode(errors="replace")) > LONGEST_STRING:
        raise ValueError(f"class {shown(label)} has more than the {LONGEST_STRING} bytes that a string of C may have")
    return text


def wrapped(entries):
    """Entries separated by commas, in lines."""
    lines, line = [], ""
    for entry in entries:
        if line and len(line) + len(entry) + 10 > WIDTH:
            lines.append(line)
            line = ""
        line += f"{entry}, "
    return "\n".join(f"    {line.rstrip()}" for line in [*lines, line]).removesuffix(",")


def literal_of(text):
    """A string of C, of its bytes in UTF-8; octal escapes end by themselves.

    ``?`` starts no trigraph, and ``*`` neither begins nor ends a comment.
    """
    plain = set(range(32, 127)) - set(b'"\\?*')
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{shown(text)} is not valid Unicode, so the header can't name it: {error}") from error
    escaped = "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in octets)
    return '"' + escaped.replace("NAME_", "NAME\\137") + '"'  # which is not the network's name


def functions(network, tables, dtype):
    """The code, a list of texts."""
    floats = dtype.kind == "f"
    parts = [c_features.KEY_OF_FLOAT if floats else c_features.KEY_OF_INTEGER]
    if floats and "thresholds" in tables:
        parts += [c_features.FILLED]
    if "fills" in tables:
        parts += [c_features.DOUBLES + c_features.VALUE]
    if "components" in tables:
        parts += [c_features.FLOAT_COMPONENT if floats else c_features.INTEGER_COMPONENT]
    encode = encode_columns(network, tables, dtype)
    parts += [c_features.WRITER, c_features.ENCODE_START, *encode, c_features.ENCODE_END]
    if network.slopes.size:
        parts += [c_features.FLOAT_LINES if floats else c_features.INTEGER_LINES]
    if floats:
        keys = keys_of_floats(key_of_float(network, dtype))
        parts = [re.sub(rf"\b({'|'.join(keys)})\b", lambda place: keys[place[0]], part) for part in parts]
    parts += [c_layers.POPCOUNT, c_layers.LAYER if network.layers else "", c_layers.UNITS, scores(network)]
    several = len(network.bias) > 1
    if network.output == "softmax":
        parts += [c_layers.PREDICT_LARGEST]
    elif network.output == "logistic":
        parts += [c_layers.PREDICT_LABELS if several else c_layers.PREDICT_POSITIVE]
    elif floats:
        parts += [c_layers.PREDICT_VALUES if several else c_layers.PREDICT_VALUE]
    return parts


def keys_of_floats(integer):
    """What stands in the code for keys of the dtype, and the floats that have them."""
    present, infinity = float_keys(np.array([PRESENT, np.inf]), integer).tolist()
    bits = 8 * np.dtype(integer).itemsize
    return {
        "KEY_OF_PRESENT": str(present),
        "KEY_OF_INFINITY": str(infinity),
        "KEY_OF_NAN": f"INT{bits}_MIN",
        "KEY_MAX": f"INT{bits}_MAX",
        "FLOAT": C_TYPES[f"float{bits}"],
    }


def encode_columns(network, tables, dtype):
    """The loops over features, and over components."""
    first, n_bits = network.offsets[network.n_features_in], len(network.thresholds)
    floats = dtype.kind == "f"
    if "skips" in tables:
        value = "NAME_filled(NAME_key(*feature), &NAME_thresholds[i], 1)" if floats else "NAME_key(*feature)"
        yield c_features.ENCODE_PIXELS.replace("N_THRESHOLDS", str(first)).replace("VALUE", value)
    elif first:
        count = "NAME_counts[c]" if "counts" in tables else str(first // network.n_features_in)
        value = f"NAME_filled(NAME_key(x[c]), threshold, {count})" if floats else "NAME_key(x[c])"
        if "kinds" in tables and floats:
            value = f"NAME_kinds[c] ? NAME_key(x[c]) : {value}"
        places = {"COLUMNS": "NAME_n_features", "KEY": "NAME_key_t", "VALUE": value}
        if not floats:
            none = f"x[c] == {dtype.name.upper()}_MAX" if dtype.kind == "u" else "x[c] < 0"
            places["IS_NONE"] = f"NAME_kinds[c] && {none}"
        yield encode_loop(tables, "thresholds", {**places, "COUNT": count, "SUMS": "NAME_sums[0]"})
    if first < n_bits:
        value = {"COLUMNS": str(len(network.components)), "KEY": "int64_t", "VALUE": "NAME_component(x, c)"}
        places = {**value, "COUNT": "NAME_component_counts[c]", "SUMS": f"NAME_sums[{first}]"}
        yield encode_loop(tables, "component_thresholds", places)


def encode_loop(tables, thresholds, places):
    """A loop over columns whose thresholds are in a table, with what stands in the places that have capital letters."""
    loop = c_features.ENCODE_COLUMNS_WITH_STEPS if "sums" in tables else c_features.ENCODE_COLUMNS
    if thresholds == "thresholds" and "kinds" in tables:
        loop = c_features.ENCODE_CODES_WITH_STEPS if "sums" in tables else c_features.ENCODE_CODES
        reach = c_features.REACHED_OR_NONE if "IS_NONE" in places else c_features.REACHED
        loop = loop.replace("REACH\n", reach)
    places = {**places, "THRESHOLDS": f"NAME_{thresholds}", "THRESHOLD": C_TYPES[tables[thresholds].dtype.name]}
    return re.sub(rf"\b({'|'.join(places)})\b", lambda place: places[place[0]], loop)


def scores(network):
    """The function that adds up the scores, layer by layer."""
    sizes = network.layer_sizes
    body = [f"uint32_t layer_0[{-(-sizes[0] // 32)}];"]
    body += [f"uint32_t layer_{i}[{-(-size // 32)}];" for i, size in enumerate(sizes[1:-1], 1)]
    body += ["NAME_encode(x, layer_0, scores);"]
    body += ["NAME_add_lines(x, scores);"] * bool(network.slopes.size)
    body += ["for (int m = 0; m < NAME_n_members; m++) {"]
    for i, (n_inputs, n_units) in enumerate(pairwise(sizes[:-1])):
        tables = f"NAME_layer_weights_{i}[m], NAME_layer_thresholds_{i}[m]"
        body += [f"    NAME_layer(layer_{i}, {n_inputs}, {tables}, {-(-n_units // 32)}, layer_{i + 1});"]
    body += [f"    NAME_add_units(layer_{len(sizes) - 2}, m, scores);", "}"]
    return c_layers.SCORES_START + "".join(f"    {line}\n" for line in body) + "}\n"
