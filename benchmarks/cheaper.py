"""What narrower and shorter fits of a regressor lose, and how long they take beside ``MLPRegressor``.

Scores are of validation rows of small regressions, in folds; a fit's time is divided by that of ``MLPRegressor`` with
its defaults on the same rows, standardized.
"""

import warnings

import numpy as np
from common import main, score_and_seconds
from datasets import DATASETS, parts
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbnn import BinaryMLPRegressor

SETS = "concrete", "energy", "wine", "airfoil", "diabetes"

# Share of the default's epochs, and what is not the default. The first fit says how many epochs it has.
FITS = {
    "defaults": (1, {}),
    "one network": (1, {"n_estimators": 1}),
    "256-256": (1, {"hidden_layer_sizes": (256, 256)}),
    "256-256, half the epochs": (1 / 2, {"hidden_layer_sizes": (256, 256)}),
    "128-128": (1, {"hidden_layer_sizes": (128, 128)}),
    "128-128, half the epochs": (1 / 2, {"hidden_layer_sizes": (128, 128)}),
    "128-128, a quarter of the epochs": (1 / 4, {"hidden_layer_sizes": (128, 128)}),
}

MLP = "MLPRegressor"


def run(arguments):
    """Yield a table for each set."""
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    for name in arguments.sets:
        dataset = DATASETS[name]
        data = parts(dataset.task, dataset.load(name, arguments.data), seed=0)[0]
        folds = list(KFold(5, shuffle=True, random_state=0).split(data.y_train))
        figures = [of_fold(data.X_train, data.y_train, *fold) for fold in folds[: 1 if arguments.quick else 5]]
        yield (
            f"{name}: R² of validation rows",
            [
                {"fit": fit, "score": float(score), f"time, {MLP} = 1": float(time)}
                for fit, (score, time) in zip(figures[0], summary(figures), strict=True)
            ],
        )


def summary(figures):
    """Mean score and median time of each fit over the folds."""
    scores, times = np.array([list(one.values()) for one in figures]).transpose(2, 0, 1)
    return zip(scores.mean(axis=0), np.median(times, axis=0), strict=True)


def of_fold(X, y, train, held):
    """Score and time of each fit, the latter beside the MLP's, by name."""
    found = {MLP: score_and_seconds(make_pipeline(StandardScaler(), MLPRegressor(random_state=0)), X, y, train, held)}
    n_epochs = None
    for name, (share, parameters) in FITS.items():
        if n_epochs:
            parameters = parameters | {"max_iter": max(1, round(share * n_epochs))}
        model = BinaryMLPRegressor(random_state=0, **parameters)
        found[name] = score_and_seconds(model, X, y, train, held)
        n_epochs = n_epochs or model.n_iter_
    return {name: (score, seconds / found[MLP][1]) for name, (score, seconds) in found.items()}


if __name__ == "__main__":
    main(
        run,
        __doc__,
        options={"--sets": {"nargs": "+", "choices": SETS, "default": SETS, "metavar": "SET", "help": "names"}},
        sources=("local files", "OpenML and scikit-learn"),
    )
