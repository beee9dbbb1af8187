"""Tables as Markdown and JSON, and where they were measured."""

import json
import os
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from skbnn.kernels import instruction_set

PACKAGES = "skbnn", "numpy", "scipy", "scikit-learn", "onnxruntime", "torch", "larq", "tensorflow-cpu"


def markdown(rows):
    """A table in Markdown; numbers have three digits and stand right."""
    names = list(rows[0])
    lines = [names, ["---:" if isinstance(rows[0][name], (int, float)) else "---" for name in names]]
    lines += [[text(row[name]) for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(value):
    """A value for a reader."""
    if isinstance(value, float):
        return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def write(path, report):
    """Write JSON, one row of a table a line."""
    tables = report.pop("tables")
    lines = json.dumps(report, indent=1, ensure_ascii=False).removesuffix("\n}")
    blocks = []
    for title, rows in tables.items():
        dumped = (json.dumps(rounded(row), ensure_ascii=False) for row in rows)
        blocks.append(f"  {json.dumps(title, ensure_ascii=False)}: [\n   " + ",\n   ".join(dumped) + "\n  ]")
    path.write_text(lines + ',\n "tables": {\n' + ",\n".join(blocks) + "\n }\n}\n")


def rounded(row):
    """The row with four digits a number."""
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in row.items()}


def environment():
    """What a reader of the figures has to know."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "date": date.today().isoformat(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "instruction_set": instruction_set(),
        "versions": versions,
    }


def cpu_name():
    """The CPU's name where Linux tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
