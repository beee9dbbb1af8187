"""What type checkers read in place of names that are imported when they are asked for."""

from skbnn.export.c import to_c as to_c
from skbnn.export.converter import register_converter as register_converter
from skbnn.export.footprint import c_footprint as c_footprint
from skbnn.export.onnx import to_onnx as to_onnx
