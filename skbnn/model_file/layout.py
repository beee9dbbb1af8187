"""The layout of a model file: its versions, its arrays, and what each may be stored as."""

import numpy as np

FORMAT = "skbnn.PackedNetwork"
# The second has thresholds that are infinite, nominal features and categories; what needs none of them is of the first.
VERSIONS = "1", "2"

LARGEST_HEADER = 2**16  # bytes; room for 350 hidden layers, and a bound of what parsing one can take
ALIGNMENT = 64  # bytes; where arrays start, so that mapped weights lie as a register reads them

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
