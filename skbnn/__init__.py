"""Binary (1-bit) neural networks for scikit-learn."""

from importlib import import_module
from importlib.metadata import version

from skbnn._show_versions import show_versions
from skbnn.packed import PackedNetwork

__version__ = version("skbnn")

__all__ = ["BinaryMLPClassifier", "BinaryMLPRegressor", "PackedNetwork", "ThermometerEncoder", "show_versions"]

_MODULES = {
    "BinaryMLPClassifier": "skbnn._classifier",
    "BinaryMLPRegressor": "skbnn._regressor",
    "ThermometerEncoder": "skbnn._thermometer",
}


def __getattr__(name):
    """Import an estimator when it is asked for, as a server of PackedNetwork need not wait for scikit-learn."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__():
    return [*globals(), *_MODULES]
