"""The thermometer code: finds thresholds in training data, turns features into packed bits."""

from skbnn.encoding._encode import Encoder
from skbnn.encoding.thresholds import find_thresholds

__all__ = ["Encoder", "find_thresholds"]
