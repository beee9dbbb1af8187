"""The thermometer code: finds thresholds in training data, turns features into packed bits."""

from skbnn.encoding._encode import Encoder
from skbnn.encoding.code import Code, find_code

__all__ = ["Code", "Encoder", "find_code"]
