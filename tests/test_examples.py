"""Examples that serve are tested; what trains only is run by .ci/run and the README."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_processes_that_share_a_model_answer():
    command = [sys.executable, EXAMPLES / "serving.py", "2", "0.3"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()
    assert [line.split(" rows")[0] for line in said] == [f"2 processes, requests of {n:>3}" for n in (1, 256)]
    assert all(int(line.split(": ")[1].split()[0].replace(",", "")) > 1 for line in said)
