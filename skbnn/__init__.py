"""Binary (1-bit) neural networks for scikit-learn."""

from importlib import import_module

__all__ = [
    "BinaryMLPClassifier",
    "BinaryMLPRegressor",
    "PackedNetwork",
    "ThermometerEncoder",
    "load_model",
    "save_model",
    "show_versions",
]

_MODULES = {
    "BinaryMLPClassifier": "skbnn._classifier",
    "BinaryMLPRegressor": "skbnn._regressor",
    "PackedNetwork": "skbnn.packed",
    "ThermometerEncoder": "skbnn._thermometer",
    "load_model": "skbnn.model_file",
    "save_model": "skbnn.model_file",
    "show_versions": "skbnn._show_versions",
}

_FOLDERS = "export", "inspection"  # that hang off a fitted model


def __getattr__(name):
    """Import what is asked for, as a server of PackedNetwork need not wait for scikit-learn."""
    if name == "__version__":
        return import_module("importlib.metadata").version("skbnn")
    if name in _FOLDERS:
        return import_module(f"skbnn.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__():
    return [*globals(), "__version__", *_FOLDERS, *_MODULES]
