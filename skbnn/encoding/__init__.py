"""Features to bits: thresholds and combinations are found in training data, rows become packed bits."""

from skbnn.encoding._encode import Encoder
from skbnn.encoding.encoding import Combinations, Encoding
