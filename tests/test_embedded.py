"""Exported networks on microcontrollers: by the cross compilers, and run by QEMU."""

import re
import runpy
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import skbnn
from skbnn import BinaryMLPRegressor
from skbnn.export import c_footprint, to_c

EXPORT = runpy.run_path(str(Path(__file__).with_name("test_export_c.py")))
KINDS, network_for, rows_for, integer_scores = (
    EXPORT[name] for name in ("KINDS", "network_for", "rows_for", "integer_scores")
)

GUIDE = Path(__file__).parents[1] / "doc" / "embedded.rst"
EXAMPLE = Path(__file__).parents[1] / "examples" / "embedded"


def needs(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here")


def copy_example(folder, *names):
    if not EXAMPLE.is_dir():
        pytest.skip("the example is not here")
    for name in names:
        shutil.copy(EXAMPLE / name, folder)


def measured(network, dtype, folder):
    """Flash and stack of the exported function, as the compiler for a Cortex-M4 has it."""
    header = to_c(network, folder / "model.h", dtype=dtype)
    takes, gives, call = "const model_input_t *x", "int", "return model_predict(x)"
    if "model_predict" not in header:
        takes, gives, call = f"{takes}, model_score_t *y", "void", "model_scores(x, y)"
    elif network.output != "softmax" and len(network.bias) > 1:
        kind = "uint8_t" if network.output == "logistic" else "double"
        takes, gives, call = f"{takes}, {kind} *y", "void", "model_predict(x, y)"
    elif network.output == "identity":
        gives = "double"
    text = f'#include "model.h"\n{gives} f({takes});\n{gives} f({takes})\n{{\n    {call};\n}}\n'
    (folder / "f.c").write_text(text)
    flags = ["-std=c99", "-Os", "-mthumb", "-mcpu=cortex-m4", "-fstack-usage", "-c"]
    flags += EXPORT["WARNINGS"]
    subprocess.run(["arm-none-eabi-gcc", *flags, "f.c"], cwd=folder, check=True)
    sizes = subprocess.run(["arm-none-eabi-size", "f.o"], cwd=folder, check=True, capture_output=True, text=True)
    flash, data, bss = map(int, sizes.stdout.splitlines()[1].split()[:3])
    assert not data and not bss
    return flash, sum(int(line.split("\t")[1]) for line in (folder / "f.su").read_text().splitlines())


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_footprint_is_right_to_five_percent(dtype, tmp_path):
    needs("arm-none-eabi-gcc")
    large = {"n_features": 784, "most": 1, "hidden": (256, 256, 256), "n_outputs": 10, "per_output": 1}
    kinds = [kwargs for name, kwargs in KINDS.items() if name != "one unit"]  # whose loops the compiler folds
    kinds += [large | {"steps": False, "lines": False}, {"hidden": (512, 512), "n_members": 2}]
    for seed, kwargs in enumerate(kinds):
        network = network_for(dtype, seed + 300, **kwargs)
        flash, ram = measured(network, dtype, tmp_path)
        predicted = c_footprint(network, dtype=dtype)
        assert predicted.flash == pytest.approx(flash, rel=0.05), kwargs
        assert predicted.ram == pytest.approx(ram, rel=0.05, abs=40), kwargs


def test_a_footprint_of_what_cannot_be_exported_raises():
    with pytest.raises(TypeError, match="must be a fitted"):
        c_footprint("a path")
    with pytest.raises(ValueError, match="dtype must be one of"):
        c_footprint(network_for("float32"), dtype="int64")
    with pytest.raises(ValueError, match="can't tell thresholds"):
        c_footprint(network_for("float32", lines=False, n_features=40), dtype="int8")


CORES = {"m0": "arm", "m3": "arm", "m4": "arm", "rv32": "riscv", "rv32ec": "riscv"}

TOOLS = {
    "arm": ("make", "arm-none-eabi-gcc", "qemu-system-arm"),
    "riscv": ("make", "riscv64-unknown-elf-gcc", "qemu-system-riscv32"),
}

PRINT = """
#include <math.h>
#include "board.h"

static void print(int64_t score) {
    char text[18];
    for (int i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[(uint64_t)score >> (60 - 4 * i) & 15u];
    text[16] = ' ';
    text[17] = 0;
    board_print(text);
}
"""


def literals(X):
    """Rows as the entries of a C array."""
    text = ",\n".join("{" + ", ".join(map(repr, row)) + "}" for row in X.tolist())
    return text.replace("nan", "NAN").replace("inf", "INFINITY")


@pytest.fixture(scope="module")
def cases():
    """A network of each kind but the widest, with rows; the dtypes take turns."""
    dtypes = ["uint8", "float32", "int16", "float64", "int8", "uint32"]
    kinds = [kwargs for name, kwargs in KINDS.items() if name != "one unit"]
    networks = [(network_for(dtypes[i % 6], i, **kwargs), dtypes[i % 6]) for i, kwargs in enumerate(kinds)]
    return [(network, rows_for(network, dtype, 12)) for network, dtype in networks]


@pytest.mark.parametrize("core", CORES)
def test_every_core_gives_the_same_scores(core, cases, tmp_path):
    needs(*TOOLS[CORES[core]])
    copy_example(tmp_path, "Makefile", "startup.c", "board.h", "board.ld")
    text, calls = PRINT, ""
    for i, (network, X) in enumerate(cases):
        to_c(network, tmp_path / f"m{i}.h", name=f"m{i}", dtype=X.dtype)
        text += f'#include "m{i}.h"\n'
        text += f"static const m{i}_input_t rows_{i}[][m{i}_n_features] = {{{literals(X)}}};\n"
        calls += f"""
    for (int row = 0; row < {len(X)}; row++) {{
        m{i}_score_t scores[m{i}_n_outputs];
        m{i}_scores(rows_{i}[row], scores);
        for (int o = 0; o < m{i}_n_outputs; o++)
            print(scores[o]);
    }}"""
    (tmp_path / "all.c").write_text(f"{text}\nint main(void)\n{{{calls}\n    return 0;\n}}\n")
    command = ["make", "-s", f"run-{core}", "MAIN=all.c", "HEADERS="]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-2000:]
    answers = np.array([int(word, 16) for word in done.stdout.split()], np.uint64).view(np.int64)
    expected = [integer_scores(network, X).ravel() for network, X in cases]
    np.testing.assert_array_equal(answers, np.concatenate(expected))


def blocks(language):
    """The guide's code blocks in a language."""
    if not GUIDE.is_file():
        pytest.skip("the guide is not here")
    found = re.findall(rf"^\.\. code-block:: {language}\n\n((?: {{3}}.*\n|\n)+)", GUIDE.read_text(), re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def test_the_guide_works(tmp_path, monkeypatch, capsys):
    needs("gcc", *TOOLS["arm"])
    copy_example(tmp_path, *(path.name for path in EXAMPLE.iterdir() if path.suffix in (".c", ".h", ".ld", ".py", "")))
    for built in ("model.h", "rows.h"):
        (tmp_path / built).unlink(missing_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(skbnn.__file__).parents[1]))
    monkeypatch.setenv("MAKEFLAGS", f"PYTHON={sys.executable}")
    run, size = (
        subprocess.run(["bash", "-euc", block], capture_output=True, text=True, check=True).stdout
        for block in blocks("sh")
    )
    assert "450 rows, 0 differ from Python" in run
    names = runpy.run_path("train.py")
    for block in blocks("python"):
        exec(block, names)
    flash = int(size.splitlines()[-1].split()[0])
    assert names["footprint"].flash == pytest.approx(flash, rel=0.05)
    source, fixed_point = blocks("c")
    main = '#include <stdio.h>\n#include "rows.h"\nint main(void) { return classify(rows[0]) != expected[0]; }\n'
    Path("call.c").write_text(source + main)
    subprocess.run(["gcc", "-std=c99", *EXPORT["WARNINGS"], "call.c", "-o", "call"], check=True)
    subprocess.run(["./call"], check=True)
    X = np.random.default_rng(0).integers(0, 256, (200, 3)).astype(np.uint8)
    regressor = BinaryMLPRegressor((8,), n_components=0, random_state=0).fit(X, X @ [0.5, -0.25, 0.125])
    to_c(regressor, "model.h", dtype="uint8")
    row = ", ".join(map(str, X[0]))
    main = f'#include <stdio.h>\nint main(void) {{ const uint8_t x[] = {{{row}}}; printf("%d", thousandths(x)); }}\n'
    Path("value.c").write_text('#include "model.h"\n' + fixed_point + main)
    subprocess.run(["gcc", "-std=c99", *EXPORT["WARNINGS"], "value.c", "-o", "value"], check=True)
    value = int(subprocess.run(["./value"], capture_output=True, check=True).stdout)
    assert value == pytest.approx(1000 * regressor.predict(X[:1])[0], abs=1)
