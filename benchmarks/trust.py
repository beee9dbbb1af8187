"""How far networks are trusted: streams, with noise and without, copies of rows, and a target among others."""

import sys
import warnings
from functools import partial

import numpy as np
from common import main
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

ROWS_TO_TEST = 2000

STREAMS = {"MLP": MLPClassifier, "skbnn": BinaryMLPClassifier}
CLASSIFIERS = {"linear": LogisticRegression, "HistGradientBoosting": HistGradientBoostingClassifier} | STREAMS
REGRESSORS = {"MLP": MLPRegressor, "skbnn": BinaryMLPRegressor}


def noise(n_rows, rng):
    """Two classes that features say nothing of."""
    return rng.normal(size=(n_rows, 20)), rng.integers(0, 2, n_rows)


def curve(n_rows, rng):
    """Two classes on two sides of a parabola, with noise."""
    X = rng.normal(size=(n_rows, 10))
    return X, (X[:, 0] + X[:, 1] ** 2 + 0.3 * rng.normal(size=n_rows) > 1).astype(int)


def rare(n_rows, rng):
    """One of two classes in about ten rows, by a sum of features, with noise."""
    X = rng.normal(size=(n_rows, 10))
    return X, (X[:, 0] + X[:, 1] / 2 + rng.logistic(size=n_rows) > 3).astype(int)


def streams(seed):
    """Log loss after calls of ``partial_fit``, of all rows or of those that follow a ``fit``."""
    for law in noise, curve:
        for n_rows, size in (600, 5), (6000, 200):
            for begins in "partial_fit", "fit":
                X, y = law(300 + n_rows + ROWS_TO_TEST, np.random.default_rng(seed))
                figures = {}
                for name, make in STREAMS.items():
                    model = make(random_state=seed)
                    first = partial(model.partial_fit, classes=[0, 1]) if begins == "partial_fit" else model.fit
                    first(X[:300], y[:300])
                    for start in range(300, 300 + n_rows, size):
                        stop = min(start + size, 300 + n_rows)
                        model.partial_fit(X[start:stop], y[start:stop])
                    figures[name] = log_loss(y[-ROWS_TO_TEST:], model.predict_proba(X[-ROWS_TO_TEST:]))
                yield f"{law.__name__}, {begins} of 300, then {n_rows:,} in calls of {size}", figures


def copies(seed):
    """Log loss of noise whose rows come several times; average precision of a rare class that is sampled often."""
    rng = np.random.default_rng(seed)
    for name, often in ("noise", 1), ("noise, three times", 3), ("noise, two to five times", rng.integers(2, 6, 600)):
        X, y = noise(600 + ROWS_TO_TEST, rng)
        yield f"{name}, log loss", fitted(X, y, np.repeat(np.arange(600), often), seed, log_loss)
    X, y = rare(600 + ROWS_TO_TEST, rng)
    rows, positive = np.arange(600), np.flatnonzero(y[:600])
    yield "rare class, average precision", fitted(X, y, rows, seed, average_precision_score)
    rows = np.append(rows, rng.choice(positive, 600 - 2 * len(positive)))
    yield "rare class, sampled as often, average precision", fitted(X, y, rows, seed, average_precision_score)


def fitted(X, y, rows, seed, score):
    """The score on rows to test of each classifier that is fitted to these rows."""
    models = {name: make(**{} if name == "linear" else {"random_state": seed}) for name, make in CLASSIFIERS.items()}
    for model in models.values():
        model.fit(X[rows], y[rows])
    return {
        name: score(y[-ROWS_TO_TEST:], model.predict_proba(X[-ROWS_TO_TEST:])[:, 1]) for name, model in models.items()
    }


def targets(seed):
    """R² of a sine of a product, alone and beside three targets that are noise."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(1000 + ROWS_TO_TEST, 6))
    y = np.column_stack([np.sin(9 * X[:, 0] * X[:, 1]), rng.normal(size=(len(X), 3))])
    for name, which in ("alone", 0), ("beside three of noise", slice(None)):
        models = {model: make(random_state=seed).fit(X[:1000], y[:1000, which]) for model, make in REGRESSORS.items()}
        predicted = {model: fit.predict(X[1000:]).reshape(ROWS_TO_TEST, -1)[:, 0] for model, fit in models.items()}
        yield f"a target {name}", {model: r2_score(y[1000:, 0], scores) for model, scores in predicted.items()}


def run(arguments):
    """Yield a table for each kind, of means over seeds."""
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    n_seeds = 1 if arguments.quick else arguments.seeds
    for kind in (targets,) if arguments.quick else (streams, copies, targets):
        of_seeds = [dict(kind(seed)) for seed in range(n_seeds)]
        rows = [{"situation": name} | mean([of[name] for of in of_seeds]) for name in of_seeds[0]]
        print(*rows, sep="\n", file=sys.stderr, flush=True)
        yield f"{kind.__name__}, {n_seeds} seeds", rows


def mean(figures):
    """Mean of each figure."""
    return {name: float(np.mean([one[name] for one in figures])) for name in figures[0]}


if __name__ == "__main__":
    main(run, __doc__, options={"--seeds": {"type": int, "default": 3, "help": "draws of each; default 3"}})
