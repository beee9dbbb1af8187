"""What the documentation shows of the results: time per row against width as an SVG, other tables as CSV.

The floor is what the machine allows: the operations of all layers at the fastest kernel's rate, and one read of X.
"""

import argparse
import csv
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "skbnn", "font.size": 11})

import matplotlib.pyplot as plt  # noqa: E402

HERE = Path(__file__).parent
N_FEATURES, N_CLASSES = 784, 10
HIDDEN = "skbnn, packed_"  # for a batch it is the line of skbnn


def main():
    """Draw the plot, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder of the JSON files")
    parser.add_argument("--output", type=Path, default=HERE.parent / "doc/_static", help="folder of what is written")
    arguments = parser.parse_args()
    names = "predict", "kernels", "accuracy", "serve", "frontier", "synthetic", "trust"
    files = ((arguments.results / f"{name}.json").read_text() for name in names)
    predict, kernels, accuracy, serving, frontier, synthetic, trust = map(json.loads, files)
    draw(times(predict["tables"]), floor(kernels["tables"]), f"{predict['cpu']}, threads: {predict['threads']}")
    plt.savefig(arguments.output / "predict.svg", metadata={"Date": None})
    (of_serving,), (of_sizes,) = serving["tables"].values(), frontier["tables"].values()
    (of_laws,) = synthetic["tables"].values()
    tables = {"accuracy": scores(accuracy["tables"]["mean score"]), "serving": counts(of_serving)}
    tables["synthetic"] = scores([{name: row[name] for name in row if not name.endswith("fit s")} for row in of_laws])
    tables["trust"] = scores(aligned([row for rows in trust["tables"].values() for row in rows]))
    for name, rows in {**tables, "frontier": counts(of_sizes)}.items():
        with open(arguments.output / f"{name}.csv", "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def times(tables):
    """For each model its µs per row of a batch, by width."""
    lines = {}
    for title, rows in tables.items():
        size, _, shape = title.partition(", 3x")
        if size.endswith(" rows") and shape.isdigit():
            for row in rows:
                lines.setdefault(row["model"], {})[int(shape)] = row["µs/row"], row["lowest"], row["highest"]
    lines.pop(HIDDEN)
    return lines


def aligned(rows):
    """Rows that have the columns of all, in the order of the longest one, empty where they had none."""
    names = max(rows, key=len)
    return [{name: row.get(name, "") for name in names} for row in rows]


def scores(rows):
    """Rows of the table of mean scores, the names of the columns first."""
    yield rows[0]
    for row in rows:
        yield [f"{value:.3f}" if isinstance(value, float) else value for value in row.values()]


def counts(rows):
    """Rows of a table of numbers that are large, but for shares, the names of the columns first."""
    yield rows[0]
    for row in rows:
        shares = (isinstance(value, float) and value < 1 for value in row.values())
        texts = (value if isinstance(value, str) else f"{value:,.0f}" for value in row.values())
        yield [f"{row[name]:.4f}" if share else text for name, share, text in zip(row, shares, texts, strict=True)]


def floor(tables):
    """Function of the width: µs per row that the machine allows."""
    (layer, read) = tables.values()
    tops = max(row["TOPS"] for row in layer)

    def microseconds(width):
        operations = 2 * (N_FEATURES * width + 2 * width**2 + width * N_CLASSES)
        return operations / tops / 1e6 + 4 * N_FEATURES / read[0]["GB/s"] / 1e3

    return microseconds


def draw(lines, microseconds, machine):
    """One line a model, the fastest last, and the floor."""
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for name, points in sorted(lines.items(), key=lambda line: -max(line[1].values())[0]):
        widths = sorted(points)
        medians, lowest, highest = zip(*(points[width] for width in widths), strict=True)
        axes.plot(widths, medians, "o-", label=name, linewidth=2.5 if name == "skbnn" else 1.2)
        axes.fill_between(widths, lowest, highest, alpha=0.15, linewidth=0, color=axes.lines[-1].get_color())
    axes.plot(widths, [microseconds(width) for width in widths], "k:", label="floor: kernel and one read of X")
    axes.set(xscale="log", yscale="log", xlabel="units of each of three hidden layers", ylabel="µs per row")
    axes.set_xticks(widths, [str(width) for width in widths], minor=False)
    axes.set_xticks([], minor=True)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False, fontsize=10)
    axes.set_title(f"Predicting a batch, {machine}", fontsize=11)


if __name__ == "__main__":
    main()
