"""Rows and targets as they are given to an estimator: scikit-learn's checks, and tables as numbers."""

from contextlib import contextmanager
from numbers import Integral

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import check_array, check_X_y
from sklearn.utils.validation import validate_data

from skbnn.encoding.sparse import canonical, is_sparse
from skbnn.encoding.tables import column_names, is_frame, is_table, to_numbers, unmasked

# What the encoder reads as it is; anything else is converted to the first.
DTYPES = [np.float64, np.float32, np.float16, np.bool_]
DTYPES += [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]

# Missing values and infinities are values, and a matrix may be sparse.
NUMBERS = {"dtype": DTYPES, "ensure_all_finite": False, "accept_sparse": "csr"}


def validated(estimator, X, *y, categories=None, reset=False):
    """X as numbers, its labels of ``categories`` as codes, and y behind it if there is one.

    The features' names and number are checked, or with ``reset`` set.
    """
    X, *y = (canonical(values) if is_sparse(values) else unmasked(values) for values in (X, *y))
    checks = {**NUMBERS, "multi_output": True, "y_numeric": is_regressor(estimator)} if y else NUMBERS
    if not categories and not is_table(X):
        with within_float64("X or y"):
            return validate_data(estimator, X, *y, reset=reset, **checks)
    validate_data(estimator, X, reset=reset, skip_check_array=True)  # the features' names and number
    check = check_X_y if y else check_array
    return check(to_numbers(X, categories), *y, estimator=estimator, **checks)


@contextmanager
def within_float64(name):
    """Integers become float64; of one that does not fit a ValueError says where it is."""
    try:
        yield
    except OverflowError as error:
        raise ValueError(f"{name} has a number beyond the range of float64: {error}") from error


def are_validation_rows(early_stopping, given):
    """Whether ``given``, what ``fit`` was given to stop early by, by name, are rows with targets, or nothing.

    Raises
    ------
    ValueError
        If they are a part of that, or ``early_stopping`` is False.
    """
    names = [name for name, value in given.items() if value is not None]
    if not names:
        return False
    for name in "X_val", "y_val":
        if given[name] is None:
            raise ValueError(f"{names[0]} is provided, but {name} was not provided.")
    if early_stopping not in ("auto", True):
        raise ValueError(
            "X_val and y_val are passed to fit while at the same time early_stopping is False. "
            "When passing X_val and y_val to fit, early_stopping should be set to either 'auto' or True."
        )
    return True


def categorical_mask(asked, X):
    """Which features were asked for as categories.

    Parameters
    ----------
    asked : "from_dtype", None or array-like of bool, int or str
        A mask, indices or names.
    X : data frame or array-like of shape (n_rows, n_features)

    Returns
    -------
    "from_dtype", None or ndarray of shape (n_features,), bool

    Raises
    ------
    ValueError
        If they are no features of X.
    """
    if asked is None or isinstance(asked, str):
        return asked
    if len(np.shape(X)) != 2:
        return None  # it is refused later
    if isinstance(asked, np.ndarray) and not asked.ndim:
        raise ValueError(f"categorical_features must be an array-like of bool, int or str, got {asked!r}.")
    asked, n_features = list(asked), np.shape(X)[1]
    if not asked:
        return None
    if all(isinstance(one, bool | np.bool_) for one in asked):
        if len(asked) != n_features:
            raise ValueError(
                f"categorical_features set as a boolean mask must have shape ({n_features},), got ({len(asked)},)."
            )
        return np.array(asked, bool)
    if all(isinstance(name, str) for name in asked):
        if not is_frame(X):
            raise ValueError(
                "categorical_features should be passed as an array of integers or as a boolean mask when the model is "
                "fitted on data without feature names."
            )
        names = column_names(X)
        unknown = [name for name in asked if name not in names]
        if unknown:
            raise ValueError(
                f"categorical_features has {unknown[0]!r}, which is not a feature name of the training data: {names}."
            )
        return np.isin(names, asked)
    if not all(isinstance(one, Integral) and not isinstance(one, bool) for one in asked):
        raise ValueError(f"categorical_features must be an array-like of bool, int or str, got {asked}.")
    if min(asked) < 0 or max(asked) >= n_features:
        raise ValueError(
            "categorical_features set as integer indices must be in "
            f"[0, n_features - 1 = {n_features - 1}], got {asked}."
        )
    return np.isin(np.arange(n_features), asked)
