"""Raw data frames, with text and missing values, beside gradient boosting: scores, seconds to fit, bytes."""

import numpy as np
from common import main, now
from datasets import OPENML, split
from sklearn.compose import make_column_transformer
from sklearn.datasets import fetch_openml
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder

from skbnn import BinaryMLPClassifier

# Tables in the folder: the target, and columns that say it in other words.
TABLES = {"titanic": ("survived", ["alive"]), "hypothyroid": ("Class", []), "penguins": ("species", [])}

N_CATEGORIES = 60, 300, 2000
N_ROWS, N_TEST = 8000, 4000

OURS = "BinaryMLPClassifier"


def run(arguments):
    """Yield the tables."""
    if arguments.data:
        repeats = 1 if arguments.quick else 5
        for name, (target, others) in TABLES.items():
            frame = read(arguments.data, name).drop(columns=others)
            yield f"{name}, {repeats} times 5-fold, mean and its standard error", list(folds(frame, target, repeats))
    yield "adult, its test rows", list(adult(arguments))
    for n_categories in N_CATEGORIES[: 1 if arguments.quick else None]:
        yield f"a column of {n_categories} categories, {N_ROWS} synthetic rows", list(many_categories(n_categories))


def read(folder, name):
    """A table of the folder, as pandas reads it."""
    import pandas

    return pandas.read_csv(folder / "frames" / f"{name}.csv.gz")


def folds(frame, target, n_repeats):
    """Accuracies in the same folds."""
    X, y = frame.drop(columns=target), frame[target].to_numpy()
    models = {OURS: (BinaryMLPClassifier, as_it_is), "HistGradientBoosting": (HistGradientBoostingClassifier, declared)}
    rows = {name: [] for name in models}
    for train, test in RepeatedStratifiedKFold(n_splits=5, n_repeats=n_repeats, random_state=0).split(X, y):
        for name, (Estimator, prepared) in models.items():
            table = prepared(X)
            begin = now()
            model = Estimator(random_state=0).fit(table.iloc[train], y[train])
            rows[name].append((model.score(table.iloc[test], y[test]), now() - begin))
    for name, values in rows.items():
        scores, seconds = np.transpose(values)
        error = scores.std(ddof=1) / np.sqrt(len(scores))
        yield {"model": name, "accuracy": scores.mean(), "error": error, "s to fit": np.median(seconds)}


def as_it_is(X):
    """The frame."""
    return X


def declared(X):
    """The frame with text declared as categories, without columns of which nothing is known."""
    X = X.loc[:, X.notna().any()]
    return X.astype({name: "category" for name in X.select_dtypes(exclude=["number", "bool"]).columns})


def adult(arguments):
    """Of the raw frame."""
    if arguments.data:
        import pandas

        train, test = (pandas.read_csv(arguments.data / f"adult_{part}.csv.gz") for part in ("train", "test"))
        X, y, X_test, y_test = (
            train.drop(columns="income"),
            train["income"],
            test.drop(columns="income"),
            test["income"],
        )
    else:
        X, y, X_test, y_test = split(*fetch_openml(data_id=OPENML["adult"], return_X_y=True, as_frame=True))
    n_rows = 2000 if arguments.quick else len(X)
    models = {OURS: (BinaryMLPClassifier, as_it_is), "HistGradientBoosting": (HistGradientBoostingClassifier, declared)}
    for name, (Estimator, prepared) in models.items():
        yield {
            "model": name,
            **fitted(Estimator(random_state=0), prepared(X)[:n_rows], y[:n_rows], prepared(X_test), y_test),
        }


def many_categories(n_categories):
    """Each with an effect of its own; some of frequencies like words'."""
    import pandas

    rng = np.random.default_rng(n_categories)
    frequency = 1 / np.arange(1, n_categories + 1)
    which = rng.choice(n_categories, N_ROWS + N_TEST, p=frequency / frequency.sum())
    numbers = rng.normal(size=(len(which), 4))
    log_odds = 1.5 * rng.normal(size=n_categories)[which] + numbers[:, 0] + np.abs(numbers[:, 1]) - 1
    y = (rng.random(len(which)) < 1 / (1 + np.exp(-log_odds))).astype(int)
    frame = pandas.DataFrame(numbers, columns=list("abcd")).assign(name=[f"name {number}" for number in which])

    def encoded(model):
        return make_pipeline(make_column_transformer((TargetEncoder(), ["name"]), remainder="passthrough"), model)

    boosting = HistGradientBoostingClassifier(random_state=0)
    models = {
        OURS: BinaryMLPClassifier(random_state=0),
        f"TargetEncoder, {OURS}": encoded(BinaryMLPClassifier(random_state=0)),
    }
    models["TargetEncoder, HistGradientBoosting"] = encoded(boosting)
    for name, model in models.items():
        yield {"model": name, **fitted(model, frame[:N_ROWS], y[:N_ROWS], frame[N_ROWS:], y[N_ROWS:])}


def fitted(model, X, y, X_test, y_test):
    """Scores and times of a model."""
    begin = now()
    model.fit(X, y)
    seconds, begin = now() - begin, now()
    proba = model.predict_proba(X_test)
    per_row = 1e6 * (now() - begin) / len(X_test)
    accuracy = np.mean(model.classes_[proba.argmax(axis=1)] == np.asarray(y_test))
    loss = log_loss(y_test, proba, labels=model.classes_)
    return {"accuracy": accuracy, "log loss": loss, "s to fit": seconds, "µs to predict a row": per_row}


if __name__ == "__main__":
    main(run, __doc__, sources=("files", "OpenML's adult, and synthetic"))
