"""What each default brings, and what it costs: scores of validation rows against seconds to fit."""

import numpy as np
from common import main, score_and_seconds
from datasets import DATASETS, parts
from sklearn.model_selection import KFold

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

SETS = ("letter", "elevators", "protein", "wine", "diabetes")

# Each adds to the one before.
PLAIN = {"init": "constant", "dropout": 0.0, "n_components": 0, "n_estimators": 1}
STEPS = {
    "one network": PLAIN,
    "additive initial model": {"init": "additive"},
    "dropout and shrinkage by held-out rows": {"dropout": "auto"},
    "two networks": {"n_estimators": 2},
    "components by held-out rows": {"n_components": "auto"},
    "four networks": {"n_estimators": 4},
}

SMALL = 2000  # rows; fewer are cross-validated in five folds, of more a fifth validates


def run(arguments):
    """Yield a table for each set."""
    for name in arguments.sets:
        task = DATASETS[name].task
        data = parts(task, DATASETS[name].load(name, arguments.data), seed=0)[0]
        folds = list(KFold(5, shuffle=True, random_state=0).split(data.X_train))
        folds = folds[: 5 if len(data.X_train) < SMALL and not arguments.quick else 1]
        score = "accuracy" if task == "classification" else "R²"
        yield f"{name}: {score} of validation rows", list(rows(task, data, folds))


def rows(task, data, folds):
    """A row a step; classifiers, which have no components by default, skip theirs."""
    classifier = task == "classification"
    parameters = {}
    for step, change in STEPS.items():
        if classifier and "n_components" in parameters and "n_components" in change:
            continue
        parameters |= change
        figures = []
        for train, held in folds:
            model = (BinaryMLPClassifier if classifier else BinaryMLPRegressor)(random_state=0, **parameters)
            figures.append(score_and_seconds(model, data.X_train, data.y_train, train, held))
        score, seconds = np.mean(figures, axis=0)
        yield {"defaults": step, "score": float(score), "fit s": float(seconds)}


if __name__ == "__main__":
    main(
        run,
        __doc__,
        options={"--sets": {"nargs": "+", "choices": DATASETS, "default": SETS, "metavar": "SET", "help": "names"}},
        sources=("local files", "OpenML and scikit-learn"),
    )
