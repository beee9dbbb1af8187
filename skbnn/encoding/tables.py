"""Tables as people have them: columns of any kind become numbers, labels of categories their codes."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from skbnn.encoding.sparse import is_sparse

FRAMES = "iloc", "get_columns", "column_names"  # a method that pandas, polars and pyarrow alone have

DECLARED = "category", "str", "string", "String", "large_string"  # names of their dtypes of categories and of text

NUMBERS = {f"{kind}{bits}" for kind in ("Int", "UInt", "Float") for bits in (8, 16, 32, 64)}  # polars' dtypes

WIDE = "Int128", "UInt128"  # polars' dtypes that NumPy has not

PLAIN = str, int, float, type(None)  # what labels are

LONGEST_SHOWN = 100  # characters of a value in an error

FINE = "ms", "us", "ns", "ps", "fs", "as"  # units of times that are less than a second

REALS, TIMES = tuple("biuf"), tuple("mM")  # kinds of NumPy's dtypes


def is_frame(X):
    """Whether X is a data frame of pandas, polars or pyarrow."""
    return any(hasattr(X, name) for name in FRAMES) and len(getattr(X, "shape", ())) == 2


def is_table(X):
    """Whether X is a frame or an array with anything but plain numbers."""
    if is_frame(X):
        dtypes = X.dtypes if hasattr(X, "dtypes") else X.schema.types
        return not all(map(is_plain, dtypes))
    return isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in ("O", "U", "S", "T", *TIMES)


def is_plain(dtype):
    """Whether a dtype is of real numbers: NumPy's, pandas' sparse one of these, or polars'."""
    dtype = dtype.subtype if type(dtype).__name__ == "SparseDtype" else dtype
    return dtype.kind in REALS if isinstance(dtype, np.dtype) else str(dtype) in NUMBERS


def unmasked(X):
    """X where what a masked array of NumPy masks is missing. Raises TypeError if it is of records."""
    if isinstance(X, np.ndarray) and X.dtype.names:
        fields = shown(X.dtype.names)
        raise TypeError(f"a structured array of {fields} has no columns; pandas.DataFrame(X) gives it some")
    if not hasattr(X, "filled") or not np.ma.is_masked(X):
        return X
    return X.astype(np.float64 if X.dtype.kind in REALS else object).filled(np.nan)


def columns_of(X):
    """The columns of a frame or of rows, a list."""
    if hasattr(X, "iloc"):
        return [X.iloc[:, column] for column in range(X.shape[1])]  # names may occur twice
    if is_frame(X):
        return X.get_columns() if hasattr(X, "get_columns") else X.columns
    if is_sparse(X):
        raise TypeError("X is sparse, and categorical_features are read from dense rows; X.toarray() has them")
    array = np.asarray(X) if hasattr(X, "dtype") else np.asarray(X, dtype=object)  # a list may be mixed
    if array.ndim != 2:
        raise ValueError(f"Expected 2D array, got {array.ndim}D array instead")
    return list(array.T)


def column_names(frame):
    """The names of a frame's columns, a list."""
    return list(frame.columns if hasattr(frame, "iloc") or hasattr(frame, "get_columns") else frame.column_names)


def names_of(X):
    """What to call X's columns in errors, a list of str."""
    if is_frame(X):
        return [f"column {name!r}" for name in column_names(X)]
    return [f"feature {feature}" for feature in range(np.shape(X)[1])]


class Labels(tuple):
    """A feature's labels, which know their codes."""

    _codes = None

    @property
    def codes(self):
        """The code of each label."""
        if self._codes is None:  # cached_property of Python 3.11 holds a lock, for ever in a child forked meanwhile
            self._codes = {label: code for code, label in enumerate(self)}
        return self._codes

    def __reduce__(self):
        return Labels, (tuple(self),)


def find_categories(X, asked, sample_weight=None):
    """Which features are categories, and their labels.

    Parameters
    ----------
    X : data frame or array-like of shape (n_rows, n_features)
    asked : "from_dtype", None or ndarray of shape (n_features,), bool
        "from_dtype" is what a frame declares as categories or holds as text.
    sample_weight : array-like of shape (n_rows,), default=None
        Rows of weight 0 are not looked at.

    Returns
    -------
    tuple of (tuple or None)
        For each feature, None or its labels, ascending; None behind them is what is missing.

    Raises
    ------
    TypeError
        If labels are not all text or all numbers.

    Notes
    -----
    What is neither, as intervals are, is labelled by how it is written.
    """
    if asked is None or (isinstance(asked, str) and not is_frame(X)):
        return None
    columns = columns_of(X)
    if isinstance(asked, str):
        asked = [is_declared(column) or is_text(column) for column in columns]
    if not np.any(asked):
        return None
    named = zip(columns, names_of(X), asked, strict=True)
    return tuple(
        labels_of(weighty(values_of(column), sample_weight), name) if wanted else None for column, name, wanted in named
    )


def weighty(values, sample_weight):
    """The values of rows that have a weight; weights that do not fit are refused later."""
    weights = np.ones(values.shape) if sample_weight is None else np.asarray(sample_weight)
    return values[weights > 0] if weights.shape == values.shape else values


def are_categorical(categories, n_features):
    """Which features have labels, (n_features,) bool."""
    return np.array([labels is not None for labels in categories or [None] * n_features])


def is_declared(column):
    """Whether a frame says that a column's values are categories, or text, whatever they are."""
    dtype = str(getattr(column, "dtype", getattr(column, "type", None)))
    return dtype in DECLARED or dtype.startswith(("Categorical", "Enum", "dictionary"))


def is_text(column):
    """Whether a column has a string."""
    values = () if is_plain(getattr(column, "dtype", None)) else values_of(column)
    return any(isinstance(value, str) for value in values)


def labels_of(values, name):
    """The labels of a column, as ``find_categories`` gives them."""
    distinct = dict.fromkeys(hashable(values, name))
    labels = [value for value in distinct if not is_missing(value)]
    if not are_alike(labels):
        examples = ", ".join(map(shown, labels[:3]))
        raise TypeError(f"{name} of X has categories that are not all text or all numbers: {examples}")
    missing = [None] if len(labels) < len(distinct) else []
    return (*sorted(labels), *missing)


def are_alike(labels):
    """Whether labels, None not among them, are all text or all numbers."""
    return any(all(isinstance(label, kind) for label in labels) for kind in (str, int | float))


def hashable(values, name):
    """A column's values as Python's objects; raises TypeError unless each can be a label."""
    values = values.tolist()
    if all(issubclass(kind, PLAIN) for kind in set(map(type, values))):
        return values
    try:
        for value in values:
            hash(value)
    except TypeError as error:
        raise TypeError(f"{name} of X has values that can't be categories: {error}") from error
    return [value if isinstance(value, PLAIN) else plain(value) for value in values]


def plain(value):
    """A label as a string or number of Python, or None."""
    if isinstance(value, np.generic):
        value = value.item()
    if is_missing(value):
        return None
    return value if isinstance(value, PLAIN) else str(value)


def with_new_labels(categories, X, sample_weight=None):
    """The same with labels that rows of X have beside them, which come last."""
    found = find_categories(X, [labels is not None for labels in categories], sample_weight)
    out = []
    for old, new, name in zip(categories, found, names_of(X), strict=True):
        labels = old if old is None else tuple(dict.fromkeys([*old, *new]))
        if not are_alike([label for label in labels or () if label is not None]):
            raise TypeError(
                f"{name} of X has categories such as {shown(new[0])}, where there were such as {shown(old[0])}"
            )
        out.append(labels)
    return tuple(out)


def shown(value):
    """A value as errors show it: not all of a long one, nor an integer with more digits than Python writes."""
    try:
        text = repr(value)
    except Exception:
        return f"an int of {value.bit_length()} bits" if isinstance(value, int) else f"a {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas' NA, whose comparisons have no truth."""
    return value is None or type(value).__name__ == "NAType" or value != value


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
    if not columns:
        raise ValueError(f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
    categories = [None] * len(columns) if categories is None else categories
    if len(columns) != len(categories):
        raise ValueError(f"X has {len(columns)} features, expected {len(categories)}")
    both = zip(columns, categories, names, strict=True)
    numbers = [codes_of(column, labels, name) if labels else reals_of(column, name) for column, labels, name in both]
    return np.column_stack(numbers)


def codes_of(column, labels, name):
    """The codes of a column's labels, float32."""
    values = hashable(values_of(column), name)
    codes = (labels if isinstance(labels, Labels) else Labels(labels)).codes
    for value in (value for value in values if value not in codes):  # a set of them could be crafted to take hours
        if not is_missing(value) and labels[0] is not None and not are_alike([value, labels[0]]):
            raise ValueError(f"{name} of X holds {shown(value)}, but its categories are such as {shown(labels[0])}")
    missing = codes.get(None, np.nan)
    return np.array([codes.get(value, missing) for value in values], np.float32)


def reals_of(column, name):
    """A column as real numbers."""
    values = values_of(column)
    if values.ndim > 1:
        raise TypeError(f"{name} of X has {values.shape[1]} values in a row")
    if values.dtype.kind in REALS:
        return values
    out = np.empty(len(values))
    for row, value in enumerate(values.tolist()):
        try:
            out[row] = np.nan if is_missing(value) else real(value)
        except (ValueError, ArithmeticError) as error:
            hint = "which is none of categorical_features"
            raise ValueError(f"could not convert string to float: {shown(value)}, in {name} of X, {hint}") from error
        except TypeError as error:
            raise TypeError(f"{name} of X holds an object: {error}") from error
    return out


def real(value):
    """An object as a number: dates and durations as seconds."""
    if isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date):
        value = np.datetime64(value, "us")
    elif isinstance(value, timedelta):
        value = np.timedelta64(value, "us")
    return float(seconds(value)) if isinstance(value, np.datetime64 | np.timedelta64) else float(value)


def values_of(column):
    """A column's values, of a real dtype with NaN for what is missing, or objects."""
    kind = getattr(getattr(column, "dtype", None), "kind", "")
    if isinstance(column, np.ndarray):
        values = column
    elif kind in REALS and not isinstance(column.dtype, np.dtype):  # pandas' own dtypes, which have NA
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    elif kind in TIMES and not isinstance(column.dtype, np.dtype):
        values = column.to_numpy(dtype=f"{kind}8[us]")  # at UTC
    elif str(getattr(column, "dtype", "")) in WIDE:
        values = np.array(column.to_list(), dtype=object)
    elif hasattr(column, "__dask_graph__"):
        raise TypeError(
            "X is a Dask data frame: the estimators of skbnn.dask take it, all others what X.compute() gives."
        )
    elif hasattr(column, "to_pylist"):  # pyarrow's, of which a batch's would refuse to copy what is missing
        values = column.to_numpy(zero_copy_only=False)
    else:
        values = column.to_numpy()
    if values.dtype.kind in TIMES:
        return seconds(values)
    return values if values.dtype.kind in REALS else values.astype(object)


def seconds(times):
    """Dates since 1970 began, or durations, as float64 seconds whatever their unit."""
    # Microseconds hold no more than 290,000 years either way, which times in coarser units may exceed.
    unit, ticks = ("us", 1e6) if np.datetime_data(times.dtype)[0] in FINE else ("s", 1)
    counted = times.astype(f"{times.dtype.kind}8[{unit}]")
    return np.where(np.isnat(counted), np.nan, counted.astype(np.int64) / ticks)
