"""What type checkers read in place of names that are imported when they are asked for."""

from skbnn import export as export
from skbnn import inspection as inspection
from skbnn._classifier import BinaryMLPClassifier as BinaryMLPClassifier
from skbnn._regressor import BinaryMLPRegressor as BinaryMLPRegressor
from skbnn._show_versions import show_versions as show_versions
from skbnn._thermometer import ThermometerEncoder as ThermometerEncoder
from skbnn.model_file import load_model as load_model
from skbnn.model_file import save_model as save_model
from skbnn.packed.packed_network import PackedNetwork as PackedNetwork

__version__: str
