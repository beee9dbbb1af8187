"""Everything that depends on the instruction set: register tiles in C, their choice, and the loops around them."""

from skbnn.kernels._dispatch import available_instruction_sets, instruction_set, use_instruction_set
from skbnn.kernels._threads import effective_n_threads, openmp_enabled
