"""The NEON tiles on another machine: compiled for Arm, run under an emulator.

Needs Debian's gcc-aarch64-linux-gnu and qemu-user. On an Arm machine test_kernels.py covers them.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
SOURCES = Path(__file__).parents[1] / "skbnn" / "kernels" / "src"


@pytest.mark.skipif(not (shutil.which(COMPILER) and shutil.which(EMULATOR)), reason="no compiler or emulator for Arm")
@pytest.mark.skipif(not (SOURCES / "neon.c").exists(), reason="runs beside the sources only")
def test_neon_tiles_equal_the_portable_ones_under_an_emulator(tmp_path):
    flags = ["-O3", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-ffp-contract=off", "-static"]
    sources = [Path(__file__).with_name("tiles.c"), SOURCES / "neon.c", SOURCES / "portable.c"]
    program = tmp_path / "tiles"
    subprocess.run([COMPILER, *flags, f"-I{SOURCES}", *sources, "-o", program, "-lm"], check=True)
    subprocess.run([EMULATOR, program], check=True)
