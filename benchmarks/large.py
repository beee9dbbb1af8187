"""A million rows with the defaults, beside gradient boosting: seconds, accuracy, and memory above the rows."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from common import main
from memory import in_child, peak
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

from skbnn import BinaryMLPClassifier

MODELS = {"skbnn": BinaryMLPClassifier, "HistGradientBoostingClassifier": HistGradientBoostingClassifier}


def run(arguments):
    """Yield the table."""
    n_rows = 20_000 if arguments.quick else 1_000_000
    with TemporaryDirectory() as folder:
        in_child(write_table, Path(folder), n_rows, n_rows // 10)  # whose own peak would hide the others'
        rows = [{"model": name, **in_child(fit, model, Path(folder))} for name, model in MODELS.items()]
    yield f"{n_rows:,} rows of 28 features, five classes of eight clusters each", rows


def write_table(folder, n_train, n_test):
    """Files of rows to train on and to test by, as float32."""
    shape = {"n_features": 28, "n_informative": 20, "n_redundant": 4, "n_classes": 5, "n_clusters_per_class": 8}
    X, y = make_classification(n_train + n_test, **shape, random_state=0)
    for part, some in ("train", slice(n_train)), ("test", slice(n_train, None)):
        np.save(folder / f"X_{part}.npy", X[some].astype(np.float32))
        np.save(folder / f"y_{part}.npy", y[some])


def fit(model, folder):
    """A row of the table, once a fit of few rows has imported what there is."""
    X, y = np.load(folder / "X_train.npy"), np.load(folder / "y_train.npy")
    model(max_iter=1, random_state=0).fit(X[:1000], y[:1000])
    before, start = peak(), perf_counter()
    fitted = model(random_state=0).fit(X, y)
    seconds, above = perf_counter() - start, peak() - before
    accuracy = fitted.score(np.load(folder / "X_test.npy"), np.load(folder / "y_test.npy"))
    return {"s": seconds, "accuracy": accuracy, "MiB above the input": above, "epochs or trees": fitted.n_iter_}


if __name__ == "__main__":
    main(run, __doc__, threads=os.cpu_count(), sources=("synthetic", "synthetic"))
