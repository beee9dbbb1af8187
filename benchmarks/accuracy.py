"""Accuracy on real data beside other models of scikit-learn, and its price: seconds to fit, µs to predict, bytes."""

import pickle
import sys
import warnings
from functools import partial

import numpy as np
from common import interleaved, main, now
from datasets import DATASETS, Dataset, deformed, parts, table_split, tables
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

# Where skbnn does not have its defaults. These sets are large: run by name or with --full only, and beside MLPs only.
WIDE = {"hidden_layer_sizes": (1024,) * 3}
FOUR = WIDE | {"n_thresholds": 3, "n_estimators": 4}
PARAMETERS = {
    "mnist-3x256": {"hidden_layer_sizes": (256,) * 3, "n_thresholds": 1, "max_iter": 300, "dropout": 0.15},
    "mnist-3x1024": WIDE | {"n_thresholds": 1, "max_iter": 200, "dropout": 0.2},
    "mnist-3x1024-deformed": WIDE | {"n_thresholds": 1, "max_iter": 45, "dropout": 0.05},
    "mnist-4x3x1024": FOUR | {"max_iter": 25, "dropout": 0.2},
    "mnist-4x3x1024-deformed": FOUR | {"max_iter": 15, "dropout": 0.05},
}

LINEAR, SMALL_MLP, SAME_MLP, BOOSTING, BINARY = MODELS = (
    "linear",
    "MLP(100)",
    "MLP as skbnn",
    "HistGradientBoosting",
    "skbnn",
)

TABLE_MODELS = LINEAR, SMALL_MLP, BOOSTING, BINARY

# MLPs end after scikit-learn's default of 200 epochs, or after skbnn's number, converged or not.
warnings.filterwarnings("ignore", category=ConvergenceWarning, module="sklearn.neural_network")
# On Ctrl-C a network warns and keeps what it has learnt so far; here half a training is no result.
warnings.filterwarnings("error", message="Training interrupted")


def run(arguments):
    """Yield a table for each set, then one of all."""
    if arguments.tables:
        yield from run_tables(arguments)
        return
    summary = []
    for name in arguments.sets or [name for name in DATASETS if arguments.full or name not in PARAMETERS]:
        try:
            loaded = DATASETS[name].load(name, arguments.data)
        except OSError as error:  # no such file, or no network
            print(f"{name} is skipped: {error}", file=sys.stderr)
            continue
        title, rows = measured(name, loaded, arguments)
        yield title, rows
        score = score_name(name)
        scores = {row["model"]: row[score] for row in rows}
        summary.append({"set": name, "score": score} | {model: scores.get(model, "") for model in MODELS})
    if summary:
        yield "mean score", summary


def run_tables(arguments):
    """Yield accuracies and log-losses of every table in the folder, then each model's standing over all."""
    if not arguments.data:
        raise SystemExit("--tables needs --data FOLDER")
    names, n_splits, figures = tables(arguments.data), arguments.seeds, {}
    if arguments.quick:
        names, n_splits = names[:3], 1
    for name in names:
        for seed in range(n_splits):
            data, scaler = table_split(name, arguments.data, seed)
            for model, make in models(Dataset("classification", None, scaler), {}, seed).items():
                if model != SAME_MLP:
                    figures[name, model, seed] = fit_and_score(make(data), data)
        means = [f"{model} {mean(figures, name, model, 'accuracy'):.3f}" for model in TABLE_MODELS]
        print(f"{name}: {', '.join(means)}", file=sys.stderr, flush=True)
    for figure in "accuracy", "log-loss":
        of_tables = ({model: mean(figures, name, model, figure) for model in TABLE_MODELS} for name in names)
        yield (
            f"{figure}, {n_splits} splits",
            [{"table": name} | row for name, row in zip(names, of_tables, strict=True)],
        )
    yield f"{len(names)} tables, {n_splits} splits", standings(figures, names)


def standings(figures, names):
    """A row a model: means over tables, and what is beside the MLP."""

    def of_tables(model, figure):
        return np.array([mean(figures, name, model, figure) for name in names])

    ranks = rankdata([-of_tables(model, "accuracy") for model in TABLE_MODELS], axis=0)
    rows = []
    for model, rank in zip(TABLE_MODELS, ranks, strict=True):
        losses, times = of_tables(model, "log-loss"), of_tables(model, "fit s")
        ratios = times / of_tables(SMALL_MLP, "fit s")
        rows.append(
            {
                "model": model,
                "accuracy": float(of_tables(model, "accuracy").mean()),
                "rank": float(rank.mean()),
                "log-loss": float(losses.mean()),
                f"log-loss above {SMALL_MLP}'s": int((losses > of_tables(SMALL_MLP, "log-loss")).sum()),
                "fit s, median": float(np.median(times)),
                f"fit, {SMALL_MLP} = 1, median": float(np.median(ratios)),
                "highest": float(ratios.max()),
            }
        )
    return rows


def mean(figures, name, model, figure):
    """The mean of a figure over the splits of a table."""
    return float(np.mean([row[figure] for (*key, _), row in figures.items() if key == [name, model]]))


def measured(name, loaded, arguments):
    """Title and rows of a set's table."""
    n_seeds, n_folds, repeats = (1, 3, 3) if arguments.quick else (arguments.seeds, 10, arguments.repeats or 5)
    dataset, parameters = DATASETS[name], PARAMETERS.get(name, {})
    measures = {model: [] for model in models(dataset, parameters, 0)}
    for seed in range(n_seeds):
        folds = parts(dataset.task, loaded, seed, n_folds)
        if arguments.quick:
            folds = [data._replace(X_train=data.X_train[:2000], y_train=data.y_train[:2000]) for data in folds]
        binaries, predicts = [], {}
        for model, make in models(dataset, parameters, seed).items():
            estimators, figures = [], []
            for i, data in enumerate(folds):
                estimator = make(data, *binaries[i : i + 1])
                estimators.append(estimator)
                figures.append(fit_and_score(estimator, data))
            if model == BINARY:
                binaries = estimators
            means = {figure: float(np.mean([row[figure] for row in figures])) for figure in figures[0]}
            measures[model].append(means)
            predicts[model] = partial(estimators[0].predict, folds[0].X_test)
            progress = f"{score_name(name)} {means[score_name(name)]:.4f}, fit {means['fit s']:.2f} s"
            print(f"{name}, seed {seed}, {model}: {progress}", file=sys.stderr, flush=True)
        for model, seconds in interleaved(predicts, repeats).items():
            measures[model][seed]["µs/row"] = 1e6 * float(np.median(seconds)) / len(folds[0].X_test)
    title = describe(name, folds, binaries[0], n_seeds)
    return title, table(score_name(name), measures)


def models(dataset, parameters, seed):
    """Functions that make an estimator of every model; they get the rows and skbnn fitted to them, which is first."""
    if dataset.task == "classification":
        linear, boosting = partial(LogisticRegression, max_iter=1000), HistGradientBoostingClassifier
        mlp, binary = MLPClassifier, BinaryMLPClassifier
    else:
        linear, boosting, mlp, binary = RidgeCV, HistGradientBoostingRegressor, MLPRegressor, BinaryMLPRegressor

    def scaled(estimator):  # float32 is faster in MLPs than float64
        return make_pipeline(FunctionTransformer(np.float32), dataset.scaler(), estimator)

    def same_mlp(data, fitted):
        """The MLP of skbnn's shape, which trains for as many epochs in the same batches."""
        shape = {
            "hidden_layer_sizes": fitted.hidden_layer_sizes_,
            "batch_size": fitted.batch_size_,
        }
        stop = {"max_iter": fitted.n_iter_, "n_iter_no_change": fitted.n_iter_}
        return scaled(mlp(**shape, **stop, random_state=seed))

    makers = {
        BINARY: lambda data: binary(random_state=seed, **parameters),
        LINEAR: lambda data, fitted=None: scaled(linear()),
        SMALL_MLP: lambda data, fitted=None: scaled(mlp(random_state=seed)),
        SAME_MLP: same_mlp,
        BOOSTING: lambda data, fitted=None: boosting(random_state=seed),
    }
    if parameters:
        del makers[LINEAR], makers[BOOSTING], makers[SAME_MLP]  # the last takes half an hour a fit
    if dataset.load is deformed:  # as long
        del makers[SMALL_MLP]
    return makers


def fit_and_score(estimator, data):
    """Figures of one fit, of which the test part sees nothing but its one score."""
    start = now()
    estimator.fit(data.X_train, data.y_train)
    figures = {"fit s": now() - start, "bytes": len(pickle.dumps(deployed(estimator)))}
    predicted = estimator.predict(data.X_test)
    if hasattr(estimator, "classes_"):
        probabilities = estimator.predict_proba(data.X_test)
        figures["accuracy"] = accuracy_score(data.y_test, predicted)
        figures["log-loss"] = log_loss(data.y_test, probabilities, labels=estimator.classes_)
    else:
        figures["R²"] = r2_score(data.y_test, predicted)
    return figures


def deployed(estimator):
    """What has to be kept to predict: of networks the parameters, without the state of training."""
    if hasattr(estimator, "packed_"):
        return estimator.packed_
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    return (last.coefs_, last.intercepts_) if hasattr(last, "coefs_") else estimator


def score_name(name):
    """The column of a set's score."""
    return "accuracy" if DATASETS[name].task == "classification" else "R²"


def describe(name, folds, fitted, n_seeds):
    """Title of a table."""
    n_train, n_test = len(folds[0].X_train), len(folds[0].X_test)
    rows = f"{n_train:,} rows to train, {n_test:,} to test" + (f", {len(folds)} folds" if len(folds) > 1 else "")
    shape = "-".join(map(str, fitted.hidden_layer_sizes_))
    return f"{name}: {rows}, {folds[0].X_train.shape[1]} features; {shape}, {fitted.n_iter_} epochs; seeds: {n_seeds}"


def table(score, measures):
    """Rows of a set's table: means over seeds, of the score also the lowest and the highest."""

    def mean(model, figure):
        return float(np.mean([figures[figure] for figures in measures[model]]))

    rows = []
    for model in (model for model in MODELS if model in measures):
        scores = [figures[score] for figures in measures[model]]
        row = {"model": model, score: mean(model, score), "lowest": min(scores), "highest": max(scores)}
        if score == "accuracy":
            row["log-loss"] = mean(model, "log-loss")
        row |= {"fit s": mean(model, "fit s"), "µs/row": mean(model, "µs/row"), "bytes": round(mean(model, "bytes"))}
        if SMALL_MLP in measures:
            row[f"{score} - {SMALL_MLP}"] = mean(model, score) - mean(SMALL_MLP, score)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main(
        run,
        __doc__,
        flags=[
            ("--full", f"{', '.join(PARAMETERS)} as well, which take long"),
            ("--tables", "the classification tables of the folder instead, several splits each"),
        ],
        options={
            "--sets": {"nargs": "+", "choices": DATASETS, "metavar": "SET", "help": f"of {', '.join(DATASETS)}"},
            "--seeds": {"type": int, "default": 3, "help": "fits of each model, or cross-validations; default 3"},
        },
        sources=("local files", "OpenML"),
    )
