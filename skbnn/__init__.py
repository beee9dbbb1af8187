"""Binary (1-bit) neural networks for scikit-learn."""

from importlib.metadata import version

from skbnn._classifier import BinaryMLPClassifier
from skbnn._regressor import BinaryMLPRegressor
from skbnn._show_versions import show_versions
from skbnn._thermometer import ThermometerEncoder
from skbnn.packed import PackedNetwork

__version__ = version("skbnn")

__all__ = ["BinaryMLPClassifier", "BinaryMLPRegressor", "PackedNetwork", "ThermometerEncoder", "show_versions"]
