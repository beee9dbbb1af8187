"""
How accurate a network of a few kilobytes can be
================================================

MNIST's digits, shrunk to 16 x 16 pixels, learnt by networks of several sizes, each as accurate as dense layers of bits
are at that size by our trials on validation rows. Small ones learn the digits as they are: shifted, rotated and scaled
ones are more than they have room for. Large ones gain from them.

``python examples/mnist_16x16.py [--data FOLDER] [--json FILE]``: the folder has ``mnist.npz`` with ``X_train``,
``y_train``, ``X_test`` and ``y_test``; without it they come from OpenML.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.ndimage import affine_transform
from sklearn.datasets import fetch_openml

from skbnn import BinaryMLPClassifier
from skbnn.export import c_footprint

SIZE, SHRUNK = 28, 16

# Largest rotation in degrees, shift and change of size in shares.
ROTATION, SHIFT, SCALE = 10, 0.1, 0.1

COMMON = {"n_estimators": 1, "init": "constant", "batch_size": 128, "random_state": 0}

# Hidden layers, thresholds a pixel, epochs, dropout, and how often each digit is seen transformed as well.
NETWORKS = [
    ((64, 64), 2, 200, 0.0, 0),
    ((96, 96, 96), 2, 200, 0.0, 0),
    ((96, 256), 3, 200, 0.05, 0),
    ((256, 1024), 3, 60, 0.1, 0),
    ((512, 1024), 3, 40, 0.05, 2),
]


def mnist(folder):
    """Images of 28 x 28 and classes, to train on and to test."""
    if folder is None:
        X, y = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
        X, y = X.astype(np.uint8), y.astype(int)
        data = X[:60_000], y[:60_000], X[60_000:], y[60_000:]
    else:
        with np.load(folder / "mnist.npz") as file:
            data = tuple(file[name] for name in ("X_train", "y_train", "X_test", "y_test"))
    X_train, y_train, X_test, y_test = data
    return X_train.reshape(-1, SIZE, SIZE), y_train, X_test.reshape(-1, SIZE, SIZE), y_test


def shrink(images):
    """Rows of 16 x 16 pixels, each the mean of those around it, weighted by a triangle."""
    ratio = SIZE / SHRUNK
    centres = (np.arange(SHRUNK) + 0.5) * ratio - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(SIZE) - centres[:, np.newaxis]) / ratio)
    weights /= weights.sum(axis=1, keepdims=True)
    shrunk = np.einsum("ai,nij,bj->nab", weights, images.astype(np.float32), weights, optimize=True)
    return np.rint(shrunk).astype(np.uint8).reshape(len(images), -1)


def transformed(images, rng):
    """The same images rotated, shifted and scaled at random."""
    out, centre = np.empty(images.shape, np.float32), (SIZE - 1) / 2
    for source, target in zip(images, out, strict=True):
        angle = np.deg2rad(rng.uniform(-ROTATION, ROTATION))
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix /= rng.uniform(1 - SCALE, 1 + SCALE)
        shifted = centre + rng.uniform(-SHIFT, SHIFT, 2) * SIZE
        affine_transform(source.astype(np.float32), matrix, centre - matrix @ shifted, output=target, order=1)
    return out


def frontier(data, rng):
    """Yield what each network takes and knows, as a row of a table."""
    X_train, y_train, X_test, y_test = data
    rows, test = [shrink(X_train)], shrink(X_test)
    for hidden, n_thresholds, n_epochs, dropout, n_transformed in NETWORKS:
        while len(rows) <= n_transformed:
            rows.append(shrink(transformed(X_train, rng)))
        X, y = np.concatenate(rows[: 1 + n_transformed]), np.tile(y_train, 1 + n_transformed)
        parameters = {"n_thresholds": n_thresholds, "max_iter": n_epochs, "dropout": dropout}
        model = BinaryMLPClassifier(hidden, **parameters, **COMMON).fit(X, y)
        flash, ram = c_footprint(model, dtype="uint8")
        yield {
            "hidden layers": "-".join(map(str, hidden)),
            "thresholds a pixel": n_thresholds,
            "transformed": n_transformed,
            "test accuracy": round(model.score(test, y_test), 4),
            "flash, bytes": flash,
            "RAM, bytes": ram,
        }


def main():
    """Print the table, and keep it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[2].partition("\n\n``")[0])
    parser.add_argument("--data", type=Path, help="folder of mnist.npz")
    parser.add_argument("--json", type=Path, help="file to write")
    options = parser.parse_args()
    table = []
    for row in frontier(mnist(options.data), np.random.default_rng(0)):
        print("  ".join(f"{name}: {value}" for name, value in row.items()), flush=True)
        table.append(row)
    if options.json:
        options.json.write_text(json.dumps({"tables": {"16 x 16 digits": table}}, indent=1) + "\n")


if __name__ == "__main__":
    main()
