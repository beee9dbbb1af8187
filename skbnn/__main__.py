"""The shell: ``python -m skbnn info``, ``predict`` and ``export-c``."""

import argparse
import csv
import io
import os
import sys
from contextlib import contextmanager
from itertools import chain, islice

import numpy as np

from skbnn._files import replacing
from skbnn.export import c_footprint, to_c
from skbnn.model_file import load_model

BLOCK = 4096  # rows that are read and predicted at a time


def main(arguments=None):
    """Run a command; what goes wrong is said in one line, and the exit status is 1."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
        if sys.stdout is not None:  # as it is where it was closed
            sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has enough; nothing more can be flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)  # as shells say it
    except (OSError, ValueError, csv.Error) as error:
        sys.exit(f"skbnn: {error}")


def parser():
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="python -m skbnn", description="Works with files that skbnn.save_model wrote.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(command, name):
        text = command.__doc__.strip()
        one = commands.add_parser(name, help=text.partition(".")[0], description=text)
        one.add_argument("model", metavar="MODEL", help="file of skbnn.save_model")
        one.set_defaults(command=command)
        return one

    add(info, "info")
    one = add(predict, "predict")
    one.add_argument("data", metavar="DATA.csv", help="rows of numbers and categories; - is standard input")
    one.add_argument("-o", "--output", metavar="FILE", help="CSV to write, default standard output")
    one.add_argument("--proba", action="store_true", help="probabilities in place of labels")
    one.add_argument("--delimiter", default=",", metavar="C", help="what separates cells, default a comma")
    one.add_argument("--dtype", choices=["float32", "float64"], default="float64", help="to read as, default float64")
    text = "whether the first line is one; else it is if it holds the model's names, no number, or 0,1,2,..."
    one.add_argument("--header", action=argparse.BooleanOptionalAction, help=text)
    one = add(export_c, "export-c")
    one.add_argument("-o", "--output", metavar="FILE", required=True, help="header to write")
    one.add_argument("--name", default="model", help="prefix of all names in C, default model")
    one.add_argument("--dtype", default="float32", help="type of the features, default float32")
    return top


def info(options):
    """Say what a model is, and how large."""
    for key, value in described(load_model(options.model)).items():
        print(f"{key + ':':16}{value}")


def described(network):
    """What there is to say about a network, by its name."""
    n_outputs = len(network.bias)
    predicts = {
        "identity": f"{n_outputs} real targets" if n_outputs > 1 else "a real target",
        "logistic": f"{n_outputs} labels" if n_outputs > 1 else "2 classes",
        "softmax": f"{n_outputs} classes",
    }[network.output]
    labels = "" if network.classes is None else ": " + ", ".join(map(shown, network.classes))
    names = "" if network.feature_names is None else ": " + ", ".join(map(shown, network.feature_names))
    units = "-".join(map(str, network.layer_sizes[1:]))
    parts = [name for name in ("steps", "slopes") if getattr(network, name).size]
    return {
        "predicts": predicts + labels,
        "features": f"{network.n_features_in}{names}",
        **categories_of(network),
        "input bits": f"{network.layer_sizes[0]}, of features and {len(network.components)} combinations of them",
        "networks": f"{network.n_members} of {units} units",
        "additive part": " and ".join(parts) or "none",
        "scores": f"integers of {8 * network.bias.itemsize} bits",
        "memory": f"{network.nbytes:,} bytes",
        "flash": f"{c_footprint(network).flash:,} bytes in C on a Cortex-M4, for float32 features",
    }


def categories_of(network):
    """The labels of features that are categories, where there are any."""
    names = network.feature_names or [f"feature {feature}" for feature in range(network.n_features_in)]
    features = [
        f"{shown(name)} of {listed(['missing' if label is None else shown(label) for label in labels])}"
        for name, labels in zip(names, network.categories or [None] * len(names), strict=True)
        if labels is not None
    ]
    return {"categories": "; ".join(features)} if features else {}


def shown(label):
    """A label as text that a terminal shows as it is."""
    return str(label) if str(label).isprintable() else repr(str(label))


def predict(options):
    """Predict the rows of a CSV file.

    Where the file has a header and the model knows its features' names, columns are found by name, and others are
    ignored; else there are to be as many columns as features. An empty cell is a missing value. A file that is written
    appears whole or not at all.
    """
    network = load_model(options.model)
    if options.proba and network.output == "identity":
        raise ValueError("--proba is for classifiers, and this model is a regressor's")
    function = network.predict_proba if options.proba else network.predict
    with reading(options.data) as data, writing(options.output) as out:
        rows = read_rows(data, network, options)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(titles(network, options.proba))
        while block := list(islice(rows, BLOCK)):
            X = np.array(block, options.dtype if network.categories is None else object)
            writer.writerows(function(X).reshape(len(block), -1).tolist())


@contextmanager
def reading(path):
    """The text of a file, or of standard input for "-"; what is no UTF-8 is said with the path."""
    standard = path == "-"
    with open(0 if standard else path, newline="", encoding="utf-8-sig", closefd=not standard) as file:
        try:
            yield file
        except UnicodeDecodeError as error:
            raise ValueError(f"{path!r} is not UTF-8: {error}") from error


@contextmanager
def writing(path):
    """Text for a new file in place of the path, or for standard output."""
    if path is None:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        yield sys.stdout
        return
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()  # flushes, and leaves the file to its owner


def titles(network, proba):
    """Titles of the columns of predictions."""
    if (proba and network.output == "softmax") or (len(network.bias) == 1 and network.output == "logistic"):
        classes = range(max(2, len(network.bias))) if network.classes is None else network.classes
        return [str(label) for label in classes] if proba else ["prediction"]
    n_columns = 1 if network.output == "softmax" else len(network.bias)
    return ["prediction"] if n_columns == 1 else [f"prediction_{i}" for i in range(n_columns)]


def read_rows(file, network, options):
    """Yield the features of each row of a CSV, numbers and text; an error names the line and the column."""
    reader = csv.reader(file, delimiter=options.delimiter)
    first = next(reader, [])
    names, width, columns = network.feature_names, len(first), range(len(first))
    header = is_header(first, names) if options.header is None else options.header
    if width == 1 and network.n_features_in > 1:
        raise ValueError(f"line 1 has one column, {first[0]!r:.40}; --delimiter says what separates cells")
    if header and names is not None:
        missing = [name for name in names if name not in first]
        if missing:
            raise ValueError(f"the header lacks {len(missing)} of the model's features: {listed(missing)}")
        twice = {name for name in names if first.count(name) > 1}
        if twice:
            raise ValueError(f"the header has {listed(sorted(twice))} more than once")
        columns = [first.index(name) for name in names]
    elif width != network.n_features_in:
        raise ValueError(f"line 1 has {width} columns, expected the {network.n_features_in} features")
    is_text = [has_text(labels) for labels in network.categories or [None] * network.n_features_in]
    number = np.dtype(options.dtype).type
    for row in reader if header else chain([first], reader):
        if not row:
            continue
        if len(row) != width:
            raise ValueError(f"line {reader.line_num} has {len(row)} columns, expected {width}")
        cells = [row[column] for column in columns]
        for cell, text, column in zip(cells, is_text, columns, strict=True):
            if not (text or cell == "" or is_number(cell)):
                name = first[column] if header else column + 1
                raise ValueError(f"line {reader.line_num}, column {name}: {cell!r} is no number")
        yield [(cell or None) if text else number(cell or "nan") for cell, text in zip(cells, is_text, strict=True)]


def has_text(labels):
    """Whether a feature's categories are text."""
    return labels is not None and any(isinstance(label, str) for label in labels)


def is_header(line, names):
    """Whether a table's first line holds names: no number, the model's names, or those of pandas.

    Raises ValueError where it has numbers and other things.
    """
    named = names is not None and set(names) <= set(line)
    of_pandas = [str(i) for i in range(len(line))]
    numbers, filled = sum(map(is_number, line)), sum(map(bool, line))
    if not named and 0 < numbers < filled:
        raise ValueError("line 1 has numbers and other cells; --header or --no-header says what it is")
    return named or numbers < filled or line == of_pandas != []


def listed(names):
    """The first few names, and whether there are more."""
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def is_number(cell):
    """Whether a cell of a CSV is a number; NaN and infinities are."""
    try:
        float(cell)
        return "_" not in cell  # which Python's numbers may have
    except ValueError:
        return False


def export_c(options):
    """Write a model as a C header."""
    to_c(load_model(options.model), options.output, name=options.name, dtype=options.dtype)


if __name__ == "__main__":
    main()
