"""Speed of a packed layer for each instruction set and width, on one thread, as a Markdown table.

    python benchmarks/kernels.py

TOPS are 10^12 binary multiplications or additions a second: a layer of K inputs and N units costs 2 K N a row. Time is
the thread's own, so a busy machine disturbs little; figures are the median and, in brackets, the range of the runs.
"""

import time

import numpy as np
from threadpoolctl import threadpool_limits

from skbnn import PackedNetwork
from skbnn.kernels import available_instruction_sets, use_instruction_set
from skbnn.packed.layout import pack_bits, pack_weights

WIDTHS = 64, 100, 128, 256, 512, 1000, 1024, 2048
N_ROWS, N_RUNS = 960, 9
OPERATIONS = 4e9  # a run, whatever the width


def square_network(width, depth):
    """Hidden layers of width x width, and one output unit."""
    rng = np.random.default_rng(0)
    limits = np.pad(np.full(width, width // 2, np.int32), (0, -width % 8), constant_values=-1)
    return PackedNetwork(
        np.zeros(width),
        np.arange(width + 1),
        layers=[(pack_weights(rng.choice([-1, 1], size=(width, width))), limits) for _ in range(depth)],
        output_weights=pack_weights(rng.choice([-1, 1], size=(1, width))),
        layer_sizes=[width] * (depth + 1) + [1],
        scale=[[1.0]],
        bias=[0.0],
        output="identity",
    )


def tops(width):
    """TOPS of each run with the instruction set in use."""
    depth = max(1, round(OPERATIONS / (2 * width * width * N_ROWS)))
    network = square_network(width, depth)
    bits = pack_bits(np.random.default_rng(1).integers(0, 2, size=(N_ROWS, width)))
    seconds = []
    for _ in range(N_RUNS + 1):  # the first warms up
        start = time.thread_time()
        network.decision_function_from_bits(bits)
        seconds.append(time.thread_time() - start)
    return 2 * width * N_ROWS * (depth * width + 1) / np.array(seconds[1:]) / 1e12


def main():
    """Print the table row by row."""
    print("| instruction set |", " | ".join(f"{width} x {width}" for width in WIDTHS), "|")
    print("| --- |", " | ".join("---" for _ in WIDTHS), "|")
    with threadpool_limits(1):
        for name in available_instruction_sets():
            with use_instruction_set(name):
                runs = [tops(width) for width in WIDTHS]
            cells = (f"{np.median(run):.2f} ({run.min():.2f}-{run.max():.2f})" for run in runs)
            print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
