"""What is to be known of a table before training: each partition is looked at, and what was seen is put together."""

from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from itertools import chain

import numpy as np
from sklearn.base import is_classifier

from skbnn._validation import categorical_mask
from skbnn.encoding.tables import are_alike, find_categories, is_frame

# Rows by which is decided, where a table has more: thresholds, the initial model, and what held-out rows say. And
# values of these at most, as they are sent to one worker.
SAMPLED_ROWS, SAMPLED_VALUES = 100_000, 2**26


@contextmanager
def of_partition(number):
    """What is wrong with rows is so in one partition."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"partition {number}: {error}") from error


@dataclass(frozen=True, eq=False)
class Summary:
    """What is seen of a partition.

    Attributes
    ----------
    n_rows : int
        Those that have a weight.
    features : dict
        Number and, in a frame, names of the features, as attributes of an estimator.
    dtypes : tuple of str
        Of the features, or of the array.
    n_columns : tuple of int
        Of y: empty where it has one dimension.
    counts : list of (ndarray, ndarray)
        The values of each column of y, if it is of classes, and how many rows that have a weight have them.
    categories : tuple of (tuple or None), or None
        Labels of each feature that is of categories.
    """

    n_rows: int
    features: dict
    dtypes: tuple
    n_columns: tuple
    counts: list
    categories: tuple | None


def look(estimator, classes, number, rows):
    """The Summary of a partition, None if it is empty, or the error that ``fit`` of the estimator would raise."""
    if not rows[0].shape[0] and not len(rows[1]):
        return None
    try:
        with of_partition(number):
            return summary_of(estimator, classes, *rows)
    except (TypeError, ValueError) as error:
        return error


def summary_of(estimator, classes, X, y, sample_weight):
    """The Summary of validated rows."""
    seen = copy(estimator)
    categories = find_categories(X, categorical_mask(estimator.categorical_features, X), sample_weight)
    dtypes = tuple(map(str, X.dtypes if is_frame(X) else [X.dtype]))
    X, y, sample_weight = seen._validate(X, y, sample_weight, categories, reset=True)
    if classes is not None and len(unknown := np.setdiff1d(y, classes)):
        raise ValueError(f"y has classes not in `classes`: {unknown}. Known are {classes}.")
    features = {name: value for name, value in vars(seen).items() if name not in vars(estimator)}
    columns = y.reshape(len(y), -1).T if is_classifier(estimator) else []
    counts = [count(column, sample_weight > 0) for column in columns]
    return Summary(int((sample_weight > 0).sum()), features, dtypes, y.shape[1:], counts, categories)


def count(column, counted):
    """All values of a column, and how many of the counted rows have each."""
    values, places = np.unique(column, return_inverse=True)
    return values, np.bincount(places[counted], minlength=len(values))


@dataclass(frozen=True, eq=False)
class Table:
    """What is known of all partitions: as of a Summary, but for these.

    Attributes
    ----------
    n_rows : ndarray of int
        Those that have a weight, of each partition.
    n_sampled : ndarray of int
        How many of these to decide by.
    """

    n_rows: np.ndarray
    n_sampled: np.ndarray
    features: dict
    counts: list
    categories: tuple | None

    @property
    def labels(self):
        """All values of y, if it is of classes."""
        return self.counts[0][0]

    def balanced(self):
        """``class_weight="balanced"`` as a dict, or a list of one for each of several labels."""
        n_rows = self.n_rows.sum()
        dicts = []
        for values, counts in self.counts:
            there = counts > 0
            weights = n_rows / (there.sum() * counts[there])
            dicts.append(dict(zip(values[there].tolist(), weights.tolist(), strict=True)))
        return dicts if len(dicts) > 1 else dicts[0]


def put_together(summaries, classes=None):
    """The Table of all partitions, of each of which ``look`` says something; y has these classes if they are given.

    Raises
    ------
    TypeError, ValueError
        The first error, or that partitions differ in what they are of, or that there is nothing in them.
    """
    for summary in summaries:
        if isinstance(summary, Exception):
            raise summary
    filled = [(number, summary) for number, summary in enumerate(summaries) if summary is not None]
    if not filled:
        raise ValueError("Found array with 0 sample(s): all partitions of X are empty.")
    first_number, first = filled[0]
    for number, summary in filled[1:]:
        for what, of_first, other in differences(first, summary):
            raise ValueError(
                f"The partitions of a table must be alike, but {what} of partition {number} is {other}, "
                f"and of partition {first_number} {of_first}."
            )
    n_rows = np.array([summary.n_rows if summary else 0 for summary in summaries])
    if not n_rows.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    counts = [total_counts(of_column) for of_column in zip(*(one.counts for _, one in filled), strict=True)]
    if classes is not None:
        counts = [total_counts([(np.unique(classes), np.zeros(len(np.unique(classes)), int)), *counts])]
    categories = union([one.categories for _, one in filled if one.categories])
    return Table(n_rows, shares_of_sample(n_rows, first.features["n_features_in_"]), first.features, counts, categories)


def shares_of_sample(n_rows, n_features):
    """How many rows of each partition to decide by, in proportion; all if they are few."""
    total = n_rows.sum()
    most = min(total, SAMPLED_ROWS, max(SAMPLED_VALUES // n_features, 1))
    return np.diff(np.cumsum(n_rows) * most // total, prepend=0)


def differences(one, other):
    """What two summaries differ in: the name of it, and what it is in each."""
    names = {"n_features_in_": "the number of features", "feature_names_in_": "the list of features"}
    for name in sorted({*one.features, *other.features}, reverse=True):
        values = [np.array(summary.features.get(name)).tolist() for summary in (one, other)]
        if values[0] != values[1]:
            yield names[name], *values
    if one.dtypes != other.dtypes:
        yield "the dtype of X", ", ".join(one.dtypes), ", ".join(other.dtypes)
    if one.n_columns != other.n_columns:
        yield "the shape of y", ("n", *one.n_columns), ("n", *other.n_columns)


def total_counts(counts):
    """Pairs of values and their counts as one such pair."""
    values, places = np.unique(np.concatenate([values for values, _ in counts]), return_inverse=True)
    return values, np.bincount(places, np.concatenate([number for _, number in counts])).astype(int)


def union(categories):
    """Each feature's labels in several partitions, as ``find_categories`` gives them.

    Raises
    ------
    TypeError
        If labels are not all text or all numbers.
    """
    if not categories:
        return None
    out = []
    for feature, several in enumerate(zip(*categories, strict=True)):
        found = set(chain.from_iterable(labels or () for labels in several))
        labels = found - {None}
        if not are_alike(labels):
            raise TypeError(f"feature {feature} of X has categories that are not all text or all numbers")
        missing = (None,) if None in found else ()
        out.append((*sorted(labels), *missing) if any(labels is not None for labels in several) else None)
    return tuple(out)
