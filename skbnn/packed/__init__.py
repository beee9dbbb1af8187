"""The inference half: bits, integer thresholds and the program that runs them."""

from skbnn.packed.packed_network import PackedNetwork, packed_network_of
