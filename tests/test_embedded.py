"""Exported networks on microcontrollers: by the cross compilers, and run by QEMU."""

import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from skbnn.export import c_footprint, to_c

EXPORT = runpy.run_path(str(Path(__file__).with_name("test_export_c.py")))
KINDS, network_for, rows_for = (EXPORT[name] for name in ("KINDS", "network_for", "rows_for"))

EXAMPLE = Path(__file__).parents[1] / "examples" / "embedded"


def needs(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here")


def measured(network, dtype, folder):
    """Flash and stack of the exported function, as the compiler for a Cortex-M4 has it."""
    header = to_c(network, folder / "model.h", dtype=dtype)
    answer, name = "model_score_t *", "model_scores"
    if "model_predict" in header:
        name, labels = "model_predict", network.output == "logistic"
        answer = f"{'uint8_t' if labels else 'double'} *" if len(network.bias) > 1 else ""
        answer = "" if network.output == "softmax" else answer
    kind = "void" if answer else "double" if network.output == "identity" else "int"
    text = f'#include "model.h"\n{kind} f(const model_input_t *x{f", {answer}y" if answer else ""});\n'
    text += f"{kind} f(const model_input_t *x{f', {answer}y' if answer else ''})\n"
    text += f"{{ {'' if answer else 'return '}{name}(x{', y' if answer else ''}); }}\n"
    (folder / "f.c").write_text(text)
    flags = [
        "-std=c99",
        "-Os",
        "-mthumb",
        "-mcpu=cortex-m4",
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Wconversion",
        "-Werror",
        "-fstack-usage",
        "-c",
    ]
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
