"""What the grid of integer scores costs: classes that differ from those of float64 scores, and R² that moves."""

from functools import partial

import numpy as np
from common import main
from datasets import DATASETS, parts, table_split, tables
from sklearn.metrics import r2_score

import skbnn.folding
from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.packed import reference
from skbnn.packed.layout import unpack

REGRESSIONS = "diabetes", "concrete", "energy", "wine", "airfoil"


def run(arguments):
    """Yield the tables; defaults, the first split of each set, its test rows."""
    seen = watch_rounding()
    yield "classes", [classes_of(name, arguments.data, seen) for name in tables(arguments.data)]
    yield "R²", [r2_of(name, arguments.data, seen) for name in REGRESSIONS]


def watch_rounding():
    """What is rounded from now on, as it was: the additive part and the scale of the last network that was packed."""
    seen, round_scores = {}, skbnn.folding.to_fixed_point

    def watched(additive, offsets, scale, fan_in, output):
        seen.update(additive=additive, scale=scale)
        return round_scores(additive, offsets, scale, fan_in, output)

    skbnn.folding.to_fixed_point = watched
    return seen


def classes_of(name, folder, seen):
    """A row of the table of classes."""
    data, _ = table_split(name, folder, 0)
    network = BinaryMLPClassifier(random_state=0).fit(data.X_train, data.y_train).packed_
    exact, rounded = float_scores(network, data.X_test, **seen), network.decision_function(data.X_test)
    decide = partial(np.argmax, axis=1) if exact.shape[1] > 1 else lambda scores: scores > 0
    differ = int(np.sum(decide(exact) != decide(rounded)))
    return {"table": name, "rows": len(exact), "other class": differ, "bits": 8 * network.bias.itemsize}


def r2_of(name, folder, seen):
    """A row of the table of R²."""
    data = parts("regression", DATASETS[name].load(name, folder), 0)[0]
    network = BinaryMLPRegressor(random_state=0).fit(data.X_train, data.y_train).packed_
    exact, rounded = float_scores(network, data.X_test, **seen)[:, 0], network.predict(data.X_test)
    moved = abs(r2_score(data.y_test, rounded) - r2_score(data.y_test, exact))
    return {"set": name, "R² moves by": float(moved), "bits": 8 * network.bias.itemsize}


def float_scores(network, X, additive, scale):
    """The scores of a network before anything was rounded, (n_rows, n_outputs) float64."""
    bits = reference.encode(X, network.thresholds, network.offsets, network.components)
    total = additive.scores(X, bits)
    *hidden, output = network.binary_weights
    for member, of_member in enumerate(scale):
        x = 2 * unpack(bits, network.layer_sizes[0]).astype(np.int64) - 1
        for weights, (_, limits) in zip(hidden, network.layers, strict=True):
            m = (weights.shape[2] - x @ weights[member].T) // 2
            x = np.where(m <= limits[member, : weights.shape[1]], 1, -1)
        total += (of_member * (x @ output[member].T).reshape(len(x), *of_member.shape)).sum(axis=2)
    return total


if __name__ == "__main__":
    main(run, __doc__, sources=("local files", "local files only"))
