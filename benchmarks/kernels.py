"""TOPS of hidden layers for each instruction set, on one thread; and the rate of reading X, the other limit.

TOPS are 10^12 binary multiplications or additions a second: a layer of K inputs and N units costs 2 K N a row;
padding does not count.
"""

import numpy as np
from common import interleaved, main
from threadpoolctl import threadpool_limits

from skbnn import PackedNetwork
from skbnn.kernels import available_instruction_sets, use_instruction_set
from skbnn.packed.layout import pack_bits, pack_members

WIDTHS = 64, 100, 128, 256, 512, 1000, 1024, 2048
N_ROWS = 960


def run(arguments):
    """Yield the tables."""
    repeats = arguments.repeats or (3 if arguments.quick else 15)
    operations = 4e8 if arguments.quick else 4e9  # of a call, whatever the width
    with threadpool_limits(1):
        yield "hidden layers", [row for width in WIDTHS for row in layers(width, operations, repeats)]
    yield "one read of 10,000 rows of 784 float32", read(repeats)


def layers(width, operations, repeats):
    """Rows of the table: as many layers of this width as come to the operations, with each instruction set."""
    depth = max(1, round(operations / (2 * width * width * N_ROWS)))
    operations = 2 * width * N_ROWS * (depth * width + 1)
    network = square_network(width, depth)
    bits = pack_bits(np.random.default_rng(1).integers(0, 2, size=(N_ROWS, width)))
    calls = {name: with_instruction_set(name, network, bits) for name in available_instruction_sets()}
    scores = network.decision_function_from_bits(bits)
    for name, call in calls.items():
        np.testing.assert_array_equal(call(), scores, err_msg=name)
    for name, seconds in interleaved(calls, repeats).items():
        yield {"layer": f"{width} x {width}", "instruction set": name, **summary("TOPS", operations / seconds / 1e12)}


def square_network(width, depth):
    """Hidden layers of width x width, and one output unit."""
    rng = np.random.default_rng(0)
    limits = np.pad(np.full((1, width), width // 2, np.int32), ((0, 0), (0, -width % 8)), constant_values=-1)
    return PackedNetwork(
        np.zeros(width),
        np.arange(width + 1),
        np.empty((0, width)),
        layers=[(pack_members(rng.choice([-1, 1], size=(1, width, width))), limits) for _ in range(depth)],
        output_weights=pack_members(rng.choice([-1, 1], size=(1, 1, width))),
        layer_sizes=[width] * (depth + 1) + [1],
        scale=[[[1]]],
        bias=[0],
        factor=[1.0],
        output="identity",
        steps=np.zeros((1, 0), int),
        slopes=np.zeros((1, 0)),
        ranges=np.zeros((2, 0)),
    )


def with_instruction_set(name, network, bits):
    """A call of the network under this instruction set."""

    def call():
        with use_instruction_set(name):
            return network.decision_function_from_bits(bits)

    return call


def read(repeats):
    """Rate of BLAS's dot product of a batch with itself."""
    X = np.ones(10_000 * 784, np.float32)
    return [summary("GB/s", X.nbytes / interleaved({"read": lambda: X @ X}, repeats)["read"] / 1e9)]


def summary(unit, values):
    """Median and range."""
    return {unit: float(np.median(values)), "lowest": float(values.min()), "highest": float(values.max())}


if __name__ == "__main__":
    main(run, __doc__)
