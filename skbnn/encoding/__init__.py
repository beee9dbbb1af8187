"""The thermometer code: finds thresholds in training data, turns features into packed bits."""

from skbnn.encoding._encode import Encoder
from skbnn.encoding.code import Code, add_components, find_code

__all__ = ["Code", "Encoder", "add_components", "find_code"]
