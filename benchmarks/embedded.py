"""Flash, RAM and instructions a row on microcontrollers, beside emlearn's float networks of the same shape.

Compiles exports with -Os and runs them under QEMU, which counts instructions; needs the tools that examples/embedded
names, and emlearn for its rows. Flash is what the model's functions and tables take; RAM is the stack that a call
needed, and emlearn's buffers, which are static. The row itself is in neither.
"""

import contextlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from common import Data, load, main, optional
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skbnn import BinaryMLPClassifier
from skbnn.export import c_footprint, to_c

EXAMPLE = Path(__file__).parents[1] / "examples" / "embedded"

CORES = {"m4": "Cortex-M4", "m3": "Cortex-M3", "m0": "Cortex-M0", "rv32": "RV32IMAC", "rv32ec": "RV32EC"}

FPU = "-mfloat-abi=hard -mfpu=fpv4-sp-d16"

ROWS = 100  # of the test part

SMALL = {"init": "constant", "n_estimators": 1, "random_state": 0}

PEER = """
#include <eml_net.h>
#include "peer.h"

typedef float model_input_t;
enum { model_n_features = %d };

static inline int model_predict(const float *x) { return (int)net_predict(x, model_n_features); }
"""


def digits():
    """The digits of scikit-learn, split as usual."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X.astype(np.uint8), y, random_state=0)
    return Data(X_train, y_train, X_test, y_test)


def networks(arguments):
    """Names, data and models: skbnn's, and the hidden layers of emlearn's."""
    few = 2 if arguments.quick else None
    small = digits()
    fast = BinaryMLPClassifier((128,), n_thresholds=4, dropout=0.2, max_iter=few or 300, **SMALL)  # as in examples/
    yield "digits, 128", small, fast, [(32,), (100,)]
    wide = BinaryMLPClassifier((512, 512), max_iter=few, **SMALL)
    yield "digits, 512-512", small, wide, [(512, 512)]
    mnist = load(arguments.data, arguments.quick)
    deep = BinaryMLPClassifier((256, 256, 256), n_thresholds=1, dropout=0.0, max_iter=few or 100, **SMALL)
    yield "MNIST, 256-256-256", mnist, deep, [(256, 256, 256)]


def tables(arguments):
    """Yield one table, a row for each network and core."""
    rows = []
    for name, data, model, peers in networks(arguments):
        model.fit(data.X_train, data.y_train)
        score, X = model.score(data.X_test, data.y_test), data.X_test[:ROWS]
        predicted = model.packed_.predict(X)
        footprint = c_footprint(model, dtype="uint8")
        print(f"{name}: c_footprint says {footprint.flash:,} bytes of flash, {footprint.ram:,} of RAM", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            to_c(model, Path(folder, "model.h"), dtype="uint8")
            for core, title in CORES.items():
                rows.append({"network": f"skbnn, {name}", "accuracy": score, "core": title})
                rows[-1] |= measure(folder, core, X, predicted)
        if optional("emlearn"):
            rows += [peer(name, data, hidden) for hidden in peers]
    yield "Flash, RAM and instructions a row", rows


def peer(name, data, hidden):
    """The row of emlearn's network, float32, on a Cortex-M4 with its FPU."""
    import emlearn

    np.seterr(all="warn")  # emlearn makes NumPy raise
    X_train, X_test = (X.astype(np.float32) / data.X_train.max() for X in (data.X_train, data.X_test))
    small = len(X_train) < 5000  # a longer training changes neither size nor time
    network = MLPClassifier(hidden, max_iter=300 if small else 1, random_state=0)
    network.fit(X_train[:5000], data.y_train[:5000])
    X = X_test[:ROWS]
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.chdir(folder):  # it compiles something of its own
            emlearn.convert(network).save(file="peer.h", name="net")
        Path(folder, "model.h").write_text(PEER % X.shape[1])
        headers = f"OTHER={FPU} -w -I{emlearn.includedir}"
        row = measure(folder, "m4", X, network.predict(X), [headers, "LDLIBS=-lm -Wl,--defsym=FLASH_SIZE=4M"])
    shape = "-".join(map(str, hidden))
    title = f"emlearn, {name.partition(',')[0]}, {shape}"
    score = network.score(X_test, data.y_test) if small else "not trained"
    return {"network": title, "accuracy": score, "core": "Cortex-M4F", **row}


def measure(folder, core, X, predicted, flags=()):
    """Compile the header in the folder for a core, run it on the rows and see that it predicts the same."""
    for name in ("Makefile", "board.h", "board.ld", "startup.c", "main.c"):
        shutil.copy(EXAMPLE / name, folder)
    Path(folder, "rows.h").write_text(rows_as_c(X, predicted))
    printed = make(folder, f"run-{core}", *flags)
    wrong, instructions, most, stack = map(int, re.findall(r"\d+", printed.splitlines()[-1])[1:])
    assert not wrong, f"{wrong} rows differ"
    sizes = make(folder, f"size-{core}", *flags).splitlines()[-1].split()
    code, data, bss = map(int, sizes[:3])
    return {
        "flash, bytes": code + data,
        "RAM, bytes": data + bss + stack,
        "instructions a row": instructions,
        "at most": most,
    }


def rows_as_c(X, predicted):
    """The table of rows that main.c includes."""
    kind = "float" if X.dtype.kind == "f" else "uint8_t"
    body = ",\n".join("{" + ", ".join(map(repr, row)) + "}" for row in X.tolist())
    expected = ", ".join(map(str, predicted.tolist()))
    return (
        f"enum {{ n_rows = {len(X)} }};\nstatic const {kind} rows[n_rows][{X.shape[1]}] = {{{body}}};\n"
        f"static const uint8_t expected[n_rows] = {{{expected}}};\n"
    )


def make(folder, *arguments):
    """What make prints."""
    command = ["make", "-s", *arguments, "HEADERS="]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(tables, __doc__)
