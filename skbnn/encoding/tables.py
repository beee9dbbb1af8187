"""Tables as people have them: columns of any kind become numbers, labels of categories their codes."""

import numpy as np

from skbnn.encoding.rows import is_sparse

FRAMES = "iloc", "get_columns", "column_names"  # a method that pandas, polars and pyarrow alone have

REALS, TIMES = tuple("biuf"), tuple("mM")  # kinds of NumPy's dtypes


def is_frame(X):
    """Whether X is a data frame of pandas, polars or pyarrow."""
    return any(hasattr(X, name) for name in FRAMES) and len(getattr(X, "shape", ())) == 2


def is_table(X):
    """Whether X is a frame or an array with anything but plain numbers."""
    if is_frame(X):
        return not all(is_plain(column) for column in columns_of(X))
    return isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in ("O", "U", "S", "T", *TIMES)


def is_plain(column):
    """Whether a column has one of NumPy's dtypes of real numbers, or pandas' sparse one of these."""
    dtype = getattr(column, "dtype", None)
    dtype = dtype.subtype if type(dtype).__name__ == "SparseDtype" else dtype
    return isinstance(dtype, np.dtype) and dtype.kind in REALS


def columns_of(X):
    """The columns of a frame or of rows, a list."""
    if hasattr(X, "iloc"):
        return [X.iloc[:, column] for column in range(X.shape[1])]  # names may occur twice
    if is_frame(X):
        return X.get_columns() if hasattr(X, "get_columns") else X.columns
    if is_sparse(X):
        raise TypeError("X is sparse, and categories are read from dense rows; X.toarray() has them")
    array = np.asarray(X) if hasattr(X, "dtype") else np.asarray(X, dtype=object)  # a list may be mixed
    if array.ndim != 2:
        raise ValueError(f"Expected 2D array, got {array.ndim}D array instead")
    return list(array.T)


def names_of(X):
    """What to call X's columns in errors, a list of str."""
    if is_frame(X):
        return [f"column {name!r}" for name in (X.columns if hasattr(X, "columns") else X.column_names)]
    return [f"feature {feature}" for feature in range(np.shape(X)[1])]


def find_categories(X, asked):
    """Which features are categories, and their labels.

    Parameters
    ----------
    X : data frame or array-like of shape (n_rows, n_features)
    asked : "from_dtype", None or ndarray of shape (n_features,), bool
        "from_dtype" is what a frame declares as categories or holds as text.

    Returns
    -------
    tuple of (tuple or None)
        For each feature, None or its labels, ascending; None behind them is what is missing.

    Raises
    ------
    TypeError
        If labels are not all text or all numbers.
    """
    if asked is None or (isinstance(asked, str) and not is_frame(X)):
        return None
    columns = columns_of(X)
    if isinstance(asked, str):
        asked = [is_declared(column) or is_text(column) for column in columns]
    if not np.any(asked):
        return None
    named = zip(columns, names_of(X), asked, strict=True)
    return tuple(labels_of(values_of(column), name) if wanted else None for column, name, wanted in named)


def is_declared(column):
    """Whether a frame says that a column's values are categories."""
    dtype = str(getattr(column, "dtype", getattr(column, "type", None)))
    return dtype == "category" or dtype.startswith(("Categorical", "Enum", "dictionary"))


def is_text(column):
    """Whether a column has a string."""
    values = () if is_plain(column) else values_of(column)
    return any(isinstance(value, str) for value in values)


def labels_of(values, name):
    """The labels of a column, as ``find_categories`` gives them."""
    distinct = dict.fromkeys(hashable(values, name))
    labels = [value for value in distinct if not is_missing(value)]
    if not any(all(isinstance(label, kind) for label in labels) for kind in (str, int | float)):
        examples = ", ".join(map(repr, labels[:3]))
        raise TypeError(f"{name} of X has categories that are not all text or all numbers: {examples}")
    missing = [None] if len(labels) < len(distinct) else []
    return (*sorted(labels), *missing)


def hashable(values, name):
    """A column's values as Python's objects; raises TypeError unless each can be a label."""
    values = values.tolist()
    try:
        set(values)
    except TypeError as error:
        raise TypeError(f"{name} of X has values that can't be categories: {error}") from error
    return values


def with_new_labels(categories, X):
    """The same with labels that X has beside them, which come last."""
    found = find_categories(X, [labels is not None for labels in categories])
    both = zip(categories, found, strict=True)
    return tuple(old if old is None else (*old, *(one for one in new if one not in old)) for old, new in both)


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas' NA, whose comparisons have no truth."""
    return value is None or type(value).__name__ == "NAType" or value != value


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
    asked, n_features = np.asarray(asked), np.shape(X)[1]
    if not asked.size:
        return None
    if asked.dtype.kind == "b":
        if asked.shape != (n_features,):
            raise ValueError(
                f"categorical_features set as a boolean mask must have shape ({n_features},), got {asked.shape}."
            )
        return asked
    if all(isinstance(name, str) for name in asked.tolist()):
        if not is_frame(X):
            raise ValueError(
                "categorical_features should be passed as an array of integers or as a boolean mask when the model is "
                "fitted on data without feature names."
            )
        names = list(X.columns if hasattr(X, "columns") else X.column_names)
        unknown = [name for name in asked.tolist() if name not in names]
        if unknown:
            raise ValueError(
                f"categorical_features has {unknown[0]!r}, which is not a feature name of the training data: {names}."
            )
        return np.isin(names, asked)
    if asked.dtype.kind not in "iu":
        raise ValueError(f"categorical_features must be an array-like of bool, int or str, got {asked.tolist()}.")
    if asked.min() < 0 or asked.max() >= n_features:
        raise ValueError(
            f"categorical_features set as integer indices must be in [0, n_features - 1 = {n_features - 1}], got "
            f"{asked.tolist()}."
        )
    return np.isin(np.arange(n_features), asked)


def to_numbers(X, categories):
    """A table as numbers.

    Parameters
    ----------
    X : data frame or array-like of shape (n_rows, n_features)
    categories : tuple of (tuple or None) of length n_features, or None
        As ``find_categories`` gives them.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
        Of a real dtype that holds all columns. What is missing is NaN, and so is a label that is unknown, unless
        missing values have a code. Times are seconds, those of dates since 1970 began.

    Raises
    ------
    ValueError
        If a column without categories is not of numbers, or one with text for labels is.
    TypeError
        If an object is no number and no label.
    """
    columns, names = columns_of(X), names_of(X)
    categories = [None] * len(columns) if categories is None else categories
    if len(columns) != len(categories):
        raise ValueError(f"X has {len(columns)} features, expected {len(categories)}")
    both = zip(columns, categories, names, strict=True)
    numbers = [codes_of(column, labels, name) if labels else reals_of(column, name) for column, labels, name in both]
    return np.column_stack(numbers)


def codes_of(column, labels, name):
    """The codes of a column's labels, float32."""
    values, codes = values_of(column), {label: code for code, label in enumerate(labels)}
    if values.dtype.kind in REALS and isinstance(labels[0], str) and not np.isnan(values).all():
        raise ValueError(f"{name} of X holds numbers, but its categories are text, such as {labels[0]!r}")
    missing = codes.get(None, np.nan)
    return np.array([codes.get(value, missing) for value in hashable(values, name)], np.float32)


def reals_of(column, name):
    """A column as real numbers."""
    values = values_of(column)
    if values.dtype.kind in REALS:
        return values
    out = np.empty(len(values))
    for row, value in enumerate(values.tolist()):
        try:
            out[row] = np.nan if is_missing(value) else float(value)
        except ValueError as error:
            hint = "if it holds categories, name it in categorical_features"
            raise ValueError(f"could not convert string to float: {value!r}, in {name} of X; {hint}") from error
        except TypeError as error:
            raise TypeError(f"{name} of X holds an object: {error}") from error
    return out


def values_of(column):
    """A column's values, of a real dtype with NaN for what is missing, or objects."""
    kind = getattr(getattr(column, "dtype", None), "kind", "")
    if isinstance(column, np.ndarray):
        values = column
    elif kind in REALS and not is_plain(column):  # pandas' own dtypes, which have NA
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    elif kind in TIMES:
        values = column.to_numpy(dtype=f"{kind}8[us]")  # at UTC
    else:
        values = column.to_numpy()
    if values.dtype.kind in TIMES:
        return seconds(values)
    return values if values.dtype.kind in REALS else values.astype(object)


def seconds(times):
    """Dates since 1970 began, or durations, as float64 seconds whatever their unit."""
    microseconds = times.astype(f"{times.dtype.kind}8[us]")
    return np.where(np.isnat(microseconds), np.nan, microseconds.astype(np.int64) / 1e6)
