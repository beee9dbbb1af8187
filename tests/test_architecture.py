"""Imports go downward only; doc/architecture shows the floors."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

import skbnn

PACKAGE = Path(__file__).parents[1] / "skbnn"
if not PACKAGE.is_dir():  # the tests of an installed package lie elsewhere
    PACKAGE = Path(skbnn.__file__).parent

# What each module may import of the package; a prefix stands for all below it.
ALLOWED = {
    "skbnn.kernels": ["skbnn.kernels"],
    "skbnn.encoding": ["skbnn.kernels", "skbnn.encoding"],
    "skbnn.packed": ["skbnn.kernels", "skbnn.encoding", "skbnn.packed"],
    "skbnn.network": ["skbnn.kernels", "skbnn.network"],
    "skbnn.folding": ["skbnn.kernels", "skbnn.packed", "skbnn.network"],
    "skbnn._sklearn": [],
    "skbnn._blas": [],
    "skbnn._show_versions": ["skbnn.kernels"],
    "skbnn._scale": [],
    "skbnn._components": ["skbnn._scale"],
    "skbnn._additive": ["skbnn._components", "skbnn._scale"],
    "skbnn._projection_pursuit": ["skbnn._additive", "skbnn._components", "skbnn._scale", "skbnn.encoding"],
    "skbnn._tuning": ["skbnn.encoding", "skbnn.network", "skbnn.folding"],
    "skbnn._codes": ["skbnn._components", "skbnn._tuning", "skbnn.encoding"],
    "skbnn._base": [
        "skbnn._sklearn",
        "skbnn._additive",
        "skbnn._codes",
        "skbnn._tuning",
        "skbnn._blas",
        "skbnn.encoding",
        "skbnn.packed",
        "skbnn.network",
        "skbnn.folding",
    ],
    "skbnn._thermometer": ["skbnn._sklearn", "skbnn._base", "skbnn.encoding", "skbnn.packed"],
    "skbnn._classifier": ["skbnn._sklearn", "skbnn._additive", "skbnn._base"],
    "skbnn._regressor": [
        "skbnn._sklearn",
        "skbnn._additive",
        "skbnn._projection_pursuit",
        "skbnn._scale",
        "skbnn._base",
    ],
    "skbnn": ["skbnn"],
}

FILES = sorted(path for pattern in ("*.py", "*.pyx", "*.pxd") for path in PACKAGE.rglob(pattern))


def module_of(path):
    parts = ("skbnn", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """Every (module, name) that the file imports or cimports; the name is empty for ``import module``."""
    text = path.read_text()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                yield from ((alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.module, alias.name) for alias in node.names)
        return
    for module, names in re.findall(r"^from ([\w.]+) c?import (\([^)]*\)|.*)$", text, re.MULTILINE):
        yield from ((module, name) for name in re.findall(r"\w+", names))
    yield from ((module, "") for module in re.findall(r"^c?import ([\w.]+)", text, re.MULTILINE))


def within(module, prefixes):
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def allowed_for(module):
    prefix = max((name for name in ALLOWED if within(module, [name])), key=len)
    return ALLOWED[prefix]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downward_only(path):
    module = module_of(path)
    for imported, name in imports_of(path):
        if within(imported, ["skbnn"]):
            assert within(imported, allowed_for(module)), f"{module} imports {imported}"
        if within(imported, ["sklearn"]):
            assert not within(module, ["skbnn.kernels", "skbnn.encoding", "skbnn.packed", "skbnn.network"])
            private = any(part.startswith("_") for part in [*imported.split("."), name])
            assert not private or module == "skbnn._sklearn", f"{module} imports private {imported}.{name}"


def test_the_tiles_include_c_headers_and_intrinsics_only():
    sources = PACKAGE / "kernels" / "src"
    if not sources.is_dir():
        pytest.skip("the wheel carries no sources")
    own = {path.name for path in sources.glob("*.h")}
    for path in sources.iterdir():
        for header in re.findall(r"#include [<\"](.+?)[>\"]", path.read_text()):
            assert header in own | {"stddef.h", "stdint.h", "string.h", "math.h", "immintrin.h", "arm_neon.h"}


def test_nothing_is_imported_that_scikit_learn_does_not_bring():
    for path in FILES:
        for imported, _ in imports_of(path):
            top = imported.split(".")[0]
            assert top not in {"matplotlib", "pandas", "torch", "onnxruntime"}, f"{path.name} imports {top}"


def test_git_tracks_no_generated_code():
    listing = subprocess.run(["git", "ls-files", "skbnn"], cwd=PACKAGE.parent, capture_output=True, text=True)
    if listing.returncode or not listing.stdout:
        pytest.skip("not a git checkout")
    generated = [name for name in listing.stdout.split() if re.search(r"\.(so|o|html)$|/_\w+\.c$", name)]
    assert not generated
