"""Data sets of ``accuracy.py``: bundled with scikit-learn, in a local folder, or on OpenML."""

from collections import namedtuple
from functools import partial

import numpy as np
from common import Data, as_float
from scipy.ndimage import gaussian_filter, map_coordinates
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import fetch_openml, load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

# load(name, folder) returns (X, y), to be cross-validated, or Data, whose test part is fixed.
# scaler() brings the features to what float networks and linear models want.
Dataset = namedtuple("Dataset", "task load scaler", defaults=[StandardScaler])

# By number, as a name has several versions, and several sets one name. Only those with the same rows as the folder's;
# there is no such set of bike and kin40k.
OPENML = {
    "letter": 6,
    "adult": 1590,
    "concrete": 44959,
    "energy": 44960,
    "airfoil": 44957,
    "wine": 44972,  # the red ones
    "elevators": 216,
    "protein": 44963,
    "mnist": 554,
}
# The folder's targets are not OpenML's: alcohol with the quality as a feature, and logarithms.
TARGET_COLUMNS = {"wine": "alcohol"}
TARGET_FUNCTIONS = {"elevators": np.log, "protein": np.log1p}
N_LAST = {"letter": 4000, "mnist": 10_000}  # the usual test part is the end of the whole
N_NUMBERS = 6  # features of adult that are not categories


def bundled(loader):
    """Load function of a small set in scikit-learn."""
    return lambda name, folder: loader(return_X_y=True)


def arrays(name, folder):
    """NAME.npz of the folder with its own split, or OpenML's; mnist-3x256 and such are mnist."""
    name = name.partition("-")[0]
    if folder:
        with np.load(folder / f"{name}.npz") as file:
            return Data(*(file[part] for part in Data._fields))
    if name not in OPENML:
        raise FileNotFoundError("it needs --data")
    target = TARGET_COLUMNS.get(name, "default-target")
    X, y = fetch_openml(data_id=OPENML[name], target_column=target, return_X_y=True, as_frame=False)
    if name in N_LAST:
        X = X.astype(np.uint8)
        return Data(X[: -N_LAST[name]], y[: -N_LAST[name]], X[-N_LAST[name] :], y[-N_LAST[name] :])
    y = y.astype(np.float32)
    return split(X.astype(np.float32), TARGET_FUNCTIONS[name](y) if name in TARGET_FUNCTIONS else y)


def deformed(name, folder, n_copies=8):
    """The same, and copies of each image to train on, each deformed in its own way."""
    data, rng = arrays(name, folder), np.random.default_rng(0)
    images = data.X_train.reshape(-1, 28, 28)
    copies = [deform(block, rng) for _ in range(n_copies) for block in np.array_split(images, 60)]
    X_train = np.concatenate([images, *copies]).reshape(-1, 28 * 28)
    return data._replace(X_train=X_train, y_train=np.tile(data.y_train, 1 + n_copies))


def deform(images, rng):
    """Square images turned, stretched, slanted, moved and distorted, all a little.

    As in Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to Visual Document
    Analysis" (2003), with half of their distortion.
    """
    n, side, _ = images.shape
    turn, slant, *stretch = rng.normal(scale=[[0.13], [0.1], [0.075], [0.075]], size=(4, n))
    (sin, cos), (down, across) = (np.sin(turn), np.cos(turn)), np.exp(stretch)
    matrices = np.array([[cos * down, slant - sin * down], [sin * across, cos * across]])  # (2, 2, n)
    centered = np.indices((side, side)) - (side - 1) / 2
    places = np.einsum("ijn,jyx->inyx", matrices, centered) + (side - 1) / 2
    places += rng.uniform(-1, 1, size=(2, n, 1, 1))
    distortion = gaussian_filter(rng.uniform(-1, 1, size=places.shape), (0, 0, 4, 4), mode="constant")
    places += 0.7 * distortion / distortion.std()
    which = np.broadcast_to(np.arange(n)[:, None, None], images.shape)
    return map_coordinates(images, [which, *places], order=1, mode="constant")


def adult(name, folder):
    """The table as a matrix: numbers as they are, then a column a category; missing is a category, too."""
    if folder:
        import pandas

        train, test = (pandas.read_csv(folder / f"adult_{part}.csv.gz") for part in ("train", "test"))
        data = Data(train.drop(columns="income"), train["income"], test.drop(columns="income"), test["income"])
    else:
        data = split(*fetch_openml(data_id=OPENML[name], return_X_y=True, as_frame=True))
    numbers = data.X_train.select_dtypes("number").columns
    assert len(numbers) == N_NUMBERS
    categories = data.X_train.columns.difference(numbers, sort=False)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    matrix = ColumnTransformer([("numbers", "passthrough", numbers), ("categories", encoder, categories)])
    X_train, X_test = matrix.fit_transform(data.X_train), matrix.transform(data.X_test)
    return Data(X_train, np.asarray(data.y_train, dtype=str), X_test, np.asarray(data.y_test, dtype=str))


def tables(folder):
    """Names of the classification tables in the folder: CSV, the class last."""
    return sorted(path.name.removesuffix(".csv.gz") for path in (folder / "classification").glob("*.csv.gz"))


def table_split(name, folder, seed):
    """Data of a table, 30 % of each class's rows to test, and its scaler; nominal columns are one-hot, at the end."""
    import pandas

    frame = pandas.read_csv(folder / "classification" / f"{name}.csv.gz")
    X, y = frame.iloc[:, :-1], frame.iloc[:, -1].to_numpy(dtype=str)
    numbers = X.select_dtypes("number").columns
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    matrix = make_column_transformer(
        ("passthrough", numbers), (encoder, X.columns.difference(numbers, sort=False)), sparse_threshold=0
    )
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)
    X_train, X_test = matrix.fit_transform(X_train).astype(float), matrix.transform(X_test).astype(float)
    return Data(X_train, y_train, X_test, y_test), partial(scale_numbers, len(numbers))


def scale_numbers(n_numbers=N_NUMBERS):
    """Scaler for adult and other tables; categories stay 0 and 1, as a rare one would be huge."""
    scaler = StandardScaler() if n_numbers else "passthrough"
    return ColumnTransformer([("numbers", scaler, slice(n_numbers))], remainder="passthrough")


def scale_pixels():
    """Scaler for mnist; standardized, pixels that are hardly ever set would be huge."""
    return FunctionTransformer(as_float)


def split(X, y):
    """A quarter of the rows to test."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
    return Data(X_train, y_train, X_test, y_test)


def parts(task, loaded, seed, n_folds=10):
    """What is trained on and tested: a list of one Data for each fold, or of the one that is fixed.

    Targets of regressions are standardized, as those of float networks have to be: ``MLPRegressor`` stops by a
    tolerance that is absolute. R² stays the same.
    """
    if isinstance(loaded, Data):
        folds = [loaded]
    else:
        X, y = loaded
        splitter = (StratifiedKFold if task == "classification" else KFold)(n_folds, shuffle=True, random_state=seed)
        folds = [Data(X[train], y[train], X[test], y[test]) for train, test in splitter.split(X, y)]
    return folds if task == "classification" else [standardized(data) for data in folds]


def standardized(data):
    """The same with targets of mean 0 and standard deviation 1."""
    mean, deviation = data.y_train.mean(), data.y_train.std()
    return data._replace(y_train=(data.y_train - mean) / deviation, y_test=(data.y_test - mean) / deviation)


DATASETS = {
    "iris": Dataset("classification", bundled(load_iris)),
    "breast_cancer": Dataset("classification", bundled(load_breast_cancer)),
    "digits": Dataset("classification", bundled(load_digits)),
    "letter": Dataset("classification", arrays),
    "adult": Dataset("classification", adult, scale_numbers),
    "diabetes": Dataset("regression", bundled(load_diabetes)),
    "energy": Dataset("regression", arrays),
    "concrete": Dataset("regression", arrays),
    "airfoil": Dataset("regression", arrays),
    "wine": Dataset("regression", arrays),
    "bike": Dataset("regression", arrays),
    "elevators": Dataset("regression", arrays),
    "kin40k": Dataset("regression", arrays),
    "protein": Dataset("regression", arrays),
    "mnist-3x256": Dataset("classification", arrays, scale_pixels),
    "mnist-3x1024": Dataset("classification", arrays, scale_pixels),
    "mnist-3x1024-deformed": Dataset("classification", deformed, scale_pixels),
    "mnist-4x3x1024": Dataset("classification", arrays, scale_pixels),
    "mnist-4x3x1024-deformed": Dataset("classification", deformed, scale_pixels),
}
