"""Tables whose law is known: interactions, noise, wrong labels, periods; beside scikit-learn's MLP and boosting."""

import sys
import warnings
from functools import partial

import numpy as np
from common import main, now
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

ROWS_TO_TEST = 3000

CLASSIFIERS = {
    "MLP": MLPClassifier,
    "HistGradientBoosting": HistGradientBoostingClassifier,
    "skbnn": BinaryMLPClassifier,
}
REGRESSORS = {"MLP": MLPRegressor, "HistGradientBoosting": HistGradientBoostingRegressor, "skbnn": BinaryMLPRegressor}


def labels(law, n_rows, n_features, wrong, rng):
    """Normal features and labels, True where ``law`` is positive, of which a share is wrong."""
    X = rng.normal(size=(n_rows + ROWS_TO_TEST, n_features))
    return X, (law(*X.T) > 0) ^ (rng.random(len(X)) < wrong)


def friedman(n_rows, n_features, rng):
    """Friedman's first function of five features, with noise of variance 1, of which R² can be .96 at most."""
    seed = int(rng.integers(2**31))
    return make_friedman1(n_rows + ROWS_TO_TEST, n_features=n_features, noise=1, random_state=seed)


def sine(n_rows, rng):
    """Eight periods of a sine of one feature, with noise of .1."""
    X = rng.uniform(size=(n_rows + ROWS_TO_TEST, 1))
    return X, np.sin(16 * np.pi * X[:, 0]) + 0.1 * rng.normal(size=len(X))


def product(x, y, *others):
    """Of two features; alone they say nothing."""
    return x * y


def sum_and_product(x, y, z, *others):
    """Of one feature, and two that say nothing alone."""
    return x + y * z


def product_of_three(x, y, z, *others):
    """No two of them say anything."""
    return x * y * z


def radius(x, y, *others):
    """A circle that holds half of the rows."""
    return x**2 + y**2 - 2 * np.log(2)


TABLES = {
    "product, 200 x 20": partial(labels, product, 200, 20, 0.0),
    "product, 500 x 100": partial(labels, product, 500, 100, 0.0),
    "product, 900 x 8": partial(labels, product, 900, 8, 0.0),
    "product, 3000 x 10, 20 % wrong": partial(labels, product, 3000, 10, 0.2),
    "sum and product, 1500 x 6, 15 % wrong": partial(labels, sum_and_product, 1500, 6, 0.15),
    "sum and product, 3000 x 10, 20 % wrong": partial(labels, sum_and_product, 3000, 10, 0.2),
    "product of three, 2000 x 6": partial(labels, product_of_three, 2000, 6, 0.0),
    "radius, 1000 x 10": partial(labels, radius, 1000, 10, 0.0),
    "friedman, 5000 x 5": partial(friedman, 5000, 5),
    "friedman, 5000 x 30": partial(friedman, 5000, 30),
    "friedman, 5000 x 60": partial(friedman, 5000, 60),
    "friedman, 1500 x 22": partial(friedman, 1500, 22),
    "friedman, 1500 x 100": partial(friedman, 1500, 100),
    "sine, 2000 x 1": partial(sine, 2000),
}


def run(arguments):
    """Yield a table of scores, means over seeds, with the seconds of fits."""
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    rows, n_seeds = [], 1 if arguments.quick else arguments.seeds
    for name, draw in list(TABLES.items())[: 2 if arguments.quick else None]:
        rows.append({"table": name} | means([of_seed(draw, seed) for seed in range(n_seeds)]))
        print(f"{name}: {rows[-1]}", file=sys.stderr, flush=True)
    yield f"accuracy or R², {n_seeds} seeds", rows


def of_seed(draw, seed):
    """Score and seconds of each model."""
    X, y = draw(rng=np.random.default_rng(seed))
    models, figures, train = (CLASSIFIERS if y.dtype == bool else REGRESSORS), {}, slice(len(X) - ROWS_TO_TEST)
    for name, make in models.items():
        model, start = make_pipeline(StandardScaler(), make(random_state=seed)), now()
        model.fit(X[train], y[train])
        figures |= {f"{name}, fit s": now() - start, name: model.score(X[-ROWS_TO_TEST:], y[-ROWS_TO_TEST:])}
    return figures


def means(figures):
    """Mean of each figure; scores come first."""
    names = sorted(figures[0], key=lambda name: name.endswith("fit s"))
    return {name: float(np.mean([one[name] for one in figures])) for name in names}


if __name__ == "__main__":
    main(run, __doc__, options={"--seeds": {"type": int, "default": 3, "help": "tables drawn of each kind; default 3"}})
