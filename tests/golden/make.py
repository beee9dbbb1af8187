"""Makes the golden answers, which every later version has to give on every machine: ``python tests/golden/make.py``.

For each model NAME there is the model file NAME.skbnn, the pickled network NAME.pickle, and NAME.npz with rows and what
the model says of them. Files that are there stay as they are; a new version of a format gets files with other names.
Pickles are made with the oldest NumPy that is supported, since newer ones read them but not the other way round.
"""

import pickle
from pathlib import Path

import numpy as np

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, load_model, save_model

FOLDER = Path(__file__).parent


def fitted(Estimator, X, y, **parameters):
    """A small model."""
    small = {"hidden_layer_sizes": (16, 9), "max_iter": 3, "random_state": 0, "n_components": 0}
    return Estimator(**{**small, **parameters}).fit(X, y)


def models():
    """Yields names, models, and rows of features."""
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(200, 7)), 3)
    third = np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])
    pixels = rng.integers(0, 256, (200, 20)).astype(np.uint8)
    pixels[:, ::5] = 7  # these get no bit

    strings = fitted(BinaryMLPClassifier, X, np.array(["Köln", "a", "日本"])[third])
    names = [f"größe {number}" for number in range(7)]
    yield "strings", strings.packed_.named(classes=strings.classes_, feature_names=names), X
    yield "objects", fitted(BinaryMLPClassifier, X, np.array(["no", "yes"], object)[(third > 0).astype(int)]), X
    yield "bools", fitted(BinaryMLPClassifier, X, third > 0, init="constant"), X
    shades = (pixels[:, 1] // 64).astype(np.float32)
    yield "pixels", fitted(BinaryMLPClassifier, pixels, shades, n_thresholds=1), pixels
    yield "labels", fitted(BinaryMLPClassifier, X, np.stack([third > 0, X[:, 2] > 0], axis=1).astype(int)), X
    yield "values", fitted(BinaryMLPRegressor, X, X[:, 0] ** 2, n_components=2, n_estimators=3), X
    odd = np.where(rng.random(X.shape) < 0.1, np.nan, X)
    odd[::50, 3], odd[::40, 4] = np.inf, -np.inf
    odd[:, 6] = third
    third_column = {"categorical_features": [6]}
    yield "missing", fitted(BinaryMLPRegressor, odd, X[:, 0], **third_column), odd
    cities = np.array(["Köln", "a\0b", "日本"], object)[third]
    cities[::20] = None
    table = np.column_stack([X.astype(object), cities])
    yield "categories", fitted(BinaryMLPClassifier, table, third, categorical_features=[7]), table
    yield "wide", fitted(BinaryMLPRegressor, X, np.stack([1e7 + X[:, 0], X[:, 1]], axis=1)), X
    yield "members", fitted(BinaryMLPClassifier, X, third, hidden_layer_sizes=(7, 65, 9), n_estimators=4), X
    yield "shallow", fitted(BinaryMLPRegressor, X, X[:, :2], hidden_layer_sizes=()), X
    # so many units that a byte a word would not hold their popcount
    yield "broad", fitted(BinaryMLPClassifier, X[:, :2], third, hidden_layer_sizes=(2000, 9), n_thresholds=4), X[:, :2]


def main():
    """Write the files that are missing."""
    for name, model, X in models():
        path = FOLDER / f"{name}.skbnn"
        if not path.exists():
            save_model(model, path)
            write_answers(load_model(path), X, path.with_suffix(".npz"))
        if not path.with_suffix(".pickle").exists():
            path.with_suffix(".pickle").write_bytes(pickle.dumps(load_model(path, mmap=False), protocol=4))


def write_answers(network, X, path):
    """Write rows and what the network says of them."""
    rows = X[:20] if X.dtype != object else X[:20].astype(str)  # which npz would pickle
    predictions = network.predict(rows)
    said = {"scores": network.integer_scores(rows), "predictions": predictions, "dtype": predictions.dtype.str}
    if predictions.dtype == object:
        said["predictions"] = predictions.astype(str)
    np.savez_compressed(path, rows=rows, **said)


if __name__ == "__main__":
    main()
