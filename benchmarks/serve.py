"""Requests a second that examples/serving.py answers: processes that share a memory-mapped model."""

import os
import sys
from pathlib import Path

from common import main

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))  # the processes that it starts import it by name

from serving import measured


def run(arguments):
    """Yield the table; the client that measures runs on the same machine."""
    rows, seconds = [], 0.5 if arguments.quick else 5.0
    for n_processes in sorted({1, os.cpu_count()}):
        for n_rows, rate in measured(n_processes, seconds):
            figures = {"requests/s": rate, "rows/s": rate * n_rows}
            rows.append({"processes": n_processes, "rows a request": n_rows, **figures})
    yield "digits with defaults, JSON over HTTP on one machine", rows


if __name__ == "__main__":
    main(run, __doc__, sources=("digits", "digits"))
