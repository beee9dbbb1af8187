"""What is public is documented in numpydoc's format, examples say what happens, and hints what goes in and out."""

import ast
import doctest
import inspect
import re
from pathlib import Path

import pytest

import skbnn.export
import skbnn.inspection

pytest.importorskip("skl2onnx", reason="what is public is imported, exports included")
pytest.importorskip("distributed", reason="what is public is imported, what trains on a cluster included")

import skbnn.dask

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (skbnn, skbnn.dask, skbnn.export, skbnn.inspection)
    for name in module.__all__
}


CLASSES = {path: one for path, one in PUBLIC.items() if inspect.isclass(one)}


def methods_of(cls):
    """Public methods and properties of a class by name, without those that scikit-learn has written or made."""
    ours = [base for base in reversed(inspect.getmro(cls)) if base.__module__.split(".")[0] == "skbnn"]
    found = {name: one for base in ours for name, one in vars(base).items() if hasattr(one, "__get__")}
    return {name: one for name, one in found.items() if not name.startswith("_") and not name.endswith("_request")}


METHODS = {f"{path}.{name}": one for path, cls in CLASSES.items() for name, one in methods_of(cls).items()}

# scikit-learn's choice: a returned value may have a name (RT02), a docstring may start behind the quotes and end before
# them (GL01, GL02); of a method neither more than a summary, nor cross-references, nor an example are asked.
OF_NONE, OF_METHODS = {"RT02", "GL01", "GL02"}, {"ES01", "SA01", "EX01"}


@pytest.mark.parametrize("path", [*PUBLIC, *METHODS])
def test_docstrings_are_what_numpydoc_asks_for(path):
    validate = pytest.importorskip("numpydoc.validate").validate
    left_out = OF_NONE | OF_METHODS if path in METHODS else OF_NONE
    assert not [error for error in validate(path)["errors"] if error[0] not in left_out]


EXAMPLES = [doctest.DocTestFinder(recurse=False).find(one, path)[0] for path, one in PUBLIC.items()]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_examples_say_what_happens(example, monkeypatch):
    for package in "matplotlib", "onnxruntime":
        if f"import {package}" in example.docstring:
            pytest.importorskip(package)
    if "plt.show()" in example.docstring:
        import matplotlib.pyplot as plt

        plt.switch_backend("agg")
        monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    result = doctest.DocTestRunner().run(example)
    assert result.attempted and not result.failed


def test_the_reference_lists_all_that_is_public():
    api = Path(__file__).parents[1] / "doc" / "api" / "index.rst"
    if not api.is_file():
        pytest.skip("the documentation is not here")
    listed = re.findall(r"^   ([\w.]+)$", api.read_text(), re.MULTILINE)
    assert sorted(f"skbnn.{name}" for name in listed) == sorted(PUBLIC)


@pytest.mark.parametrize("path", [*PUBLIC, *METHODS])
def test_parameters_and_results_have_hints(path):
    if path in METHODS:
        cls, _, name = path.rpartition(".")
        one = getattr(CLASSES[cls], name)
    else:
        one = PUBLIC[path]
    function = one.fget if isinstance(one, property) else one.__init__ if inspect.isclass(one) else one
    signature = inspect.signature(function)
    hints = {name: parameter.annotation for name, parameter in signature.parameters.items() if name != "self"}
    hints["return"] = signature.return_annotation
    assert not [name for name, hint in hints.items() if hint is inspect.Parameter.empty]


@pytest.mark.parametrize("path", CLASSES)
def test_documented_attributes_have_hints(path):
    cls = CLASSES[path]
    section = re.search(r"\nAttributes\n-+\n(.*?)\n\n\w[\w ]*\n--", inspect.getdoc(cls), re.DOTALL)
    documented = re.findall(r"^(\w+) :", section[1], re.MULTILINE) if section else []
    assert documented or path == "skbnn.PackedNetwork", "its parameters are its attributes"
    hinted = {name for base in inspect.getmro(cls) for name in inspect.get_annotations(base)}
    hinted |= {name for name, one in methods_of(cls).items() if isinstance(one, property)}
    assert not set(documented) - hinted


def test_the_typed_program_uses_all_that_is_public():
    """``.ci/run`` gives it to mypy."""
    nodes = list(ast.walk(ast.parse(Path(__file__).with_name("typed.py").read_text())))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not [path for path in [*PUBLIC, *METHODS] if path.rpartition(".")[2] not in used]
