"""Model files: how large they are, how long they take to open, and the memory of processes that share one."""

import pickle
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from common import interleaved, load, main
from memory import binary_network

from skbnn import PackedNetwork, load_model, save_model
from skbnn.packed.layout import pack_members

# Loads a model, says so, and how much memory no other process shares, when all processes have got so far.
WORKER = """
import sys
import skbnn
network = skbnn.load_model(sys.argv[2], mmap=sys.argv[1] == "mapped") if sys.argv[1] != "none" else skbnn.PackedNetwork
print(flush=True)
sys.stdin.readline()
sizes = [line.split() for line in open("/proc/self/smaps_rollup")]
print(sum(int(size[1]) for size in sizes if size[0].startswith("Private_")), flush=True)
sys.stdin.readline()
"""


def run(arguments):
    """Yield the tables."""
    repeats = arguments.repeats or (3 if arguments.quick else 15)
    data = load(arguments.data, quick=True)
    model = binary_network().set_params(init="constant").fit(data.X_train, data.y_train)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.skbnn")
        save_model(model, path)
        pickled = pickle.dumps(model.packed_)
        sizes = {"model file": path.stat().st_size, "pickle": len(pickled)}
        seconds = interleaved(
            {"model file": lambda: load_model(path), "pickle": lambda: pickle.loads(pickled)}, repeats
        )
        rows = [{"": how, "bytes": sizes[how], "ms to load": 1e3 * np.median(seconds[how])} for how in sizes]
        yield "3x256 on MNIST at one bit a pixel", rows

        width = 1024 if arguments.quick else 8600
        save_model(network((784, width, width, 10)), path)
        megabytes = path.stat().st_size / 1e6
        loads = {"mapped": lambda: load_model(path), "read": lambda: load_model(path, mmap=False)}
        rows = [
            {"": name, "MB": megabytes, "ms to open and verify": 1e3 * np.median(values), "highest": 1e3 * values.max()}
            for name, values in interleaved(loads, repeats).items()
        ]
        yield f"784-{width}-{width}-10", rows

        own = {how: private_megabytes(how, path) for how in ("none", "mapped", "read")}
        rows = [{"": how, "MB of its own above an import": own[how] - own["none"]} for how in ("mapped", "read")]
        yield "each of four processes that have loaded it", rows


def network(sizes):
    """A network of random weights."""
    rng = np.random.default_rng(0)
    weights = [
        pack_members(rng.integers(2, size=(1, units, inputs), dtype=np.int8)) for inputs, units in pairwise(sizes)
    ]
    return PackedNetwork(
        np.full(sizes[0], 127.5),
        np.arange(sizes[0] + 1),
        np.zeros((0, sizes[0])),
        layers=[(each, np.full((1, each.shape[1] * 8), 500, np.int32)) for each in weights[:-1]],
        output_weights=weights[-1],
        layer_sizes=sizes,
        scale=np.ones((1, sizes[-1], 1), int),
        bias=np.zeros(sizes[-1], int),
        factor=np.ones(sizes[-1]),
        output="softmax",
        steps=np.zeros((sizes[-1], 0), int),
        slopes=np.zeros((sizes[-1], 0)),
        ranges=np.zeros((2, 0)),
    )


def private_megabytes(how, path):
    """The median of four processes' memory that is theirs alone."""
    command = [sys.executable, "-c", WORKER, how, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in processes:
        process.stdout.readline()
    kilobytes = []
    for process in processes:
        print(file=process.stdin, flush=True)
        kilobytes.append(int(process.stdout.readline()))
    for process in processes:
        process.communicate("\n")
    return median(kilobytes) * 1024 / 1e6


if __name__ == "__main__":
    main(run, __doc__)
