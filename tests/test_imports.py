"""What an import brings: a server that predicts waits for NumPy only."""

import subprocess
import sys
import tempfile

import pytest

PACKED = [
    "mmap",
    "skbnn",
    *("skbnn.encoding", "skbnn.encoding._encode", "skbnn.encoding._source", "skbnn.encoding.columns"),
    *("skbnn.encoding.encoding", "skbnn.encoding.sparse", "skbnn.encoding.tables"),
    *("skbnn.kernels", "skbnn.kernels._cyutility", "skbnn.kernels._dispatch", "skbnn.kernels._layer"),
    "skbnn.kernels._threads",
    *("skbnn.packed", "skbnn.packed._program", "skbnn.packed._steps", "skbnn.packed.activations"),
    *(
        "skbnn.packed.additive_part",
        "skbnn.packed.arguments",
        "skbnn.packed.checks",
        "skbnn.packed.fixed_point",
        "skbnn.packed.layout",
        "skbnn.packed.packed_network",
        "skbnn.packed.programs",
    ),
]

TOOLS = "sklearn.decomposition, sklearn.linear_model, sklearn.model_selection, scipy.optimize, scipy.special"


def modules_of(code):
    """Names of all modules that are there after the code has run, without those that Cython makes up.

    It registers what native modules share by its bare name as well, ``_cyutility``, of the package that comes first.
    """
    code = f"{code}\nimport sys\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    away = tempfile.gettempdir()  # from a checkout its own sources would be imported, which are not built
    names = subprocess.run(command, capture_output=True, text=True, check=True, cwd=away).stdout.split()
    return {name for name in names if "cython_" not in name and name not in ("_cyutility", "__future__")}


@pytest.mark.parametrize(
    "code, expected", [("import skbnn", ["skbnn"]), ("from skbnn import PackedNetwork", PACKED)], ids=["top", "packed"]
)
def test_modules_beside_those_of_numpy_are(code, expected):
    assert sorted(modules_of(code) - modules_of("import numpy")) == expected


def test_estimators_import_nothing_that_scikit_learn_does_not():
    code = "from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder"
    found = modules_of(code) - modules_of(f"import {TOOLS}")
    assert "skbnn._base" in found and {name.split(".")[0] for name in found} == {"skbnn"}
