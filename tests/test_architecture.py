"""Imports go downward only, and so do data; doc/architecture.rst shows the floors."""

import ast
import re
import runpy
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

import skbnn
from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

PACKAGE = Path(__file__).parents[1] / "skbnn"
if not PACKAGE.is_dir():  # the tests of an installed package lie elsewhere
    PACKAGE = Path(skbnn.__file__).parent

# Each room: its floor, and what it may import beside itself. A room is a folder, or a module at the top.
ROOMS = {
    "kernels": (1, []),
    "encoding": (2, ["kernels"]),
    "packed": (2, ["kernels", "encoding"]),
    "network": (2, ["kernels"]),
    "folding": (3, ["kernels", "packed", "network"]),
    "initial_models": (4, ["kernels", "encoding", "packed", "network"]),
    "training": (4, ["kernels", "encoding", "packed", "network", "folding", "initial_models"]),
    "_sklearn": (5, []),
    "_doc_link": (5, []),
    "_callbacks": (5, ["_sklearn", "training"]),
    "_validation": (5, ["encoding"]),
    "_whole": (5, []),
    "_base": (
        5,
        ["_sklearn", "_doc_link", "_callbacks", "_validation", "_whole", "encoding", "kernels", "network", "training"],
    ),
    "_classifier": (5, ["_sklearn", "_base", "training"]),
    "_regressor": (5, ["_sklearn", "_base", "training"]),
    "_thermometer": (5, ["_sklearn", "_doc_link", "_validation", "_whole", "encoding", "packed"]),
    "_show_versions": (6, ["kernels"]),
    "_files": (5, []),
    "__main__": (6, ["_files", "export", "model_file", "packed"]),
    "model_file": (6, ["_files", "encoding", "packed"]),
    "export": (6, ["_files", "encoding", "packed", "_classifier", "_regressor", "_thermometer"]),
    "inspection": (6, ["encoding", "packed", "model_file"]),
    "dask": (
        6,
        [
            *("kernels", "encoding", "network", "folding", "training"),
            *("_sklearn", "_validation", "_whole", "_base", "_classifier", "_regressor"),
        ],
    ),
    "__init__": (6, []),
}

# Below the estimators scikit-learn's models and splitters are tools; on floors 1 to 3 of these two alone.
USE_SCIKIT_LEARN = ["skbnn.encoding.principal_components", "skbnn.encoding.projection_pursuit"]

FILES = sorted(path for pattern in ("*.py", "*.pyx", "*.pxd") for path in PACKAGE.rglob(pattern))


def module_of(path):
    parts = ("skbnn", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """Every (module, name) that the file imports or cimports; the name is empty for ``import module``.

    What hints alone need is not imported when the package runs.
    """
    text = path.read_text()
    if path.suffix == ".py":
        nodes = list(ast.walk(ast.parse(text)))
        blocks = [node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
        for_hints = {node for block in blocks for node in ast.walk(block)}
        for node in (node for node in nodes if node not in for_hints):
            if isinstance(node, ast.Import):
                yield from ((alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.module, alias.name) for alias in node.names)
        return
    for module, names in re.findall(r"^from ([\w.]+) c?import (\([^)]*\)|.*)$", text, re.MULTILINE):
        yield from ((module, name) for name in re.findall(r"\w+", names))
    yield from ((module, "") for module in re.findall(r"^c?import ([\w.]+)", text, re.MULTILINE))


def within(module, prefix):
    return module == prefix or module.startswith(prefix + ".")


def room_of(module):
    return [*module.split("."), "__init__"][1]


def imports_of_rooms():
    """Every (importing module, imported module) of the package that stand in different rooms."""
    for path in FILES:
        module = module_of(path)
        for imported, _ in imports_of(path):
            if within(imported, "skbnn") and room_of(imported) != room_of(module):
                yield module, imported


def test_rooms_are_those_of_the_table():
    assert {room_of(module_of(path)) for path in FILES} == set(ROOMS)


def test_rooms_import_what_lies_below_or_beside_only():
    for room, (floor, allowed) in ROOMS.items():
        for other in allowed:
            assert ROOMS[other][0] <= floor and room not in ROOMS[other][1]
    for module, imported in imports_of_rooms():
        allowed = ROOMS[room_of(module)][1]
        assert room_of(imported) in allowed, f"{module} imports {imported}"


def test_no_modules_import_each_other():
    names = {module_of(path) for path in FILES}
    graph = {name: set() for name in names}
    for path in FILES:
        for imported, name in imports_of(path):
            target = f"{imported}.{name}" if f"{imported}.{name}" in names else imported
            if target in names and target != module_of(path):  # a .pxd and its .pyx are one
                graph[module_of(path)].add(target)
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_scikit_learn_is_imported_on_its_floors_and_its_public_part_only(path):
    module = module_of(path)
    for imported, name in imports_of(path):
        if within(imported, "sklearn"):
            assert ROOMS[room_of(module)][0] > 3 or module in USE_SCIKIT_LEARN, f"{module} imports {imported}"
            private = any(part.startswith("_") for part in [*imported.split("."), name])
            assert not private or module == "skbnn._sklearn", f"{module} imports private {imported}.{name}"


@pytest.mark.parametrize("Estimator", [BinaryMLPClassifier, BinaryMLPRegressor])
def test_nothing_below_an_estimator_reads_or_changes_one(Estimator):
    touched = set()

    class Watched(Estimator):
        def __getattribute__(self, name):
            touched.add(sys._getframe(1).f_globals["__name__"])
            return super().__getattribute__(name)

        def __setattr__(self, name, value):
            touched.add(sys._getframe(1).f_globals["__name__"])
            super().__setattr__(name, value)

    model = Watched((8,), max_iter=2, n_components="auto", early_stopping=True, warm_start=True, random_state=0)
    X, y = load_iris(return_X_y=True)
    model.fit(X, y).fit(X, y).set_params(early_stopping=False).partial_fit(X, y).predict(X)
    ours = {room_of(module) for module in touched if within(module, "skbnn")}
    assert ours == {"_base", "_sklearn", "_whole", f"_{Estimator.__name__.removeprefix('BinaryMLP').lower()}"}


def test_functions_of_python_take_six_parameters_at_most():
    for path in (path for path in FILES if path.suffix == ".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name != "__init__":
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                given = [argument.arg for argument in given if argument.arg not in ("self", "cls")]
                assert len(given) <= 6, f"{path.name}: {node.name} takes {given}"


def test_files_are_of_350_lines_at_most_but_for_docstrings():
    for path in FILES:
        lines = path.read_text().count("\n")
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
                    lines -= node.body[0].end_lineno - node.body[0].lineno
        assert lines <= 350, path.name


def test_the_drawing_of_the_floors_is_of_these_imports():
    script = PACKAGE.parent / "doc" / "floors.py"
    if not script.is_file():
        pytest.skip("the documentation is not here")
    assert script.with_name("_static").joinpath("floors.svg").read_text() == runpy.run_path(script)["drawing"]()


def test_the_tiles_include_c_headers_and_intrinsics_only():
    sources = PACKAGE / "kernels" / "src"
    if not sources.is_dir():
        pytest.skip("the wheel carries no sources")
    tiles = set(sources.iterdir()) - {sources / "barrier.h"}
    own = {path.name for path in tiles}
    for path in tiles:
        for header in re.findall(r"#include [<\"](.+?)[>\"]", path.read_text()):
            assert header in own - {"barrier.h"} | {
                "stddef.h",
                "stdint.h",
                "string.h",
                "math.h",
                "immintrin.h",
                "arm_neon.h",
            }


def test_nothing_is_imported_that_scikit_learn_does_not_bring():
    for path in FILES:
        for imported, _ in imports_of(path):
            top = imported.split(".")[0]
            assert top not in {"pandas", "torch", "onnxruntime"}, f"{path.name} imports {top}"
            assert top != "tqdm" or module_of(path) == "skbnn.training.progress", f"{path.name} imports {top}"
            assert top not in {"dask", "distributed"} or room_of(module_of(path)) == "dask", (
                f"{path.name} imports {top}"
            )
            assert top != "matplotlib" or module_of(path) == "skbnn.inspection.axes", f"{path.name} imports {top}"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not here")
def test_git_tracks_no_generated_code():
    listing = subprocess.run(["git", "ls-files", "skbnn"], cwd=PACKAGE.parent, capture_output=True, text=True)
    if listing.returncode or not listing.stdout:
        pytest.skip("not a git checkout")
    generated = [name for name in listing.stdout.split() if re.search(r"\.(so|o|html)$|/_\w+\.c$", name)]
    assert not generated
