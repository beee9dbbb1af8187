"""The thermometer code: finds thresholds in training data, turns features into packed bits."""

from skbnn.encoding._encode import Encoder
from skbnn.encoding.code import Code, add_components, component_thresholds, find_code, midpoints, project

__all__ = ["Code", "Encoder", "add_components", "component_thresholds", "find_code", "midpoints", "project"]
