"""Rows that may be a sparse matrix or array of SciPy, and are never made dense as a whole.

All of Python that knows of these is here; the encoder reads them by itself. Whatever is said of a sparse X is what
holds for ``X.toarray()``, where values of one place are added up.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

BLOCK, BLOCK_SIZE = 4096, 2**17  # rows, and numbers

# What SciPy or NumPy raise where shapes do not fit.
UNFIT = ArithmeticError, AttributeError, LookupError, TypeError, ValueError


def is_sparse(X):
    """Whether X is one of SciPy's, which it takes no SciPy to tell."""
    return hasattr(X, "tocsr")


def dense(X):
    """X as an array: for some rows or columns of what may be too large as a whole."""
    return X.toarray() if is_sparse(X) else X


def canonical(X):
    """X in CSR format, with one value at most for each place, columns ascending; a copy unless it is so already."""
    X = checked(X)
    if X.format == "csr" and columns_ascend(X):
        return X
    X = checked(X.copy())  # once more, as no other thread changes this one before SciPy's native code reads it
    X = X.tocsc().tocsr()  # sorts, and leaves values of one place in order, which decides how their sum is rounded
    X.sum_duplicates()
    return X


def columns_ascend(X):
    """Whether they do in each row of a CSR matrix, by its arrays: what it says of itself may be older than these."""
    starts, columns = X.indptr, X.indices[: X.indptr[-1]]
    ascend = columns[1:] > columns[:-1]
    ascend[starts[(starts > 0) & (starts < len(columns))] - 1] = True  # from row to row
    return bool(ascend.all())


def checked(X):
    """X, in COO format if it is not in CSR or CSC, for native code, which trusts in its arrays.

    Raises
    ------
    ValueError
        If they do not lead to places in it.
    """
    try:
        if X.format == "bsr":
            require(blocks_fit(X))
        elif X.format == "dia":
            require(diagonals_fit(X))
        elif X.format == "lil":
            require(lists_fit(X))
        out = X if X.format in ("csr", "csc") else X.tocoo()
        require(out.dtype.kind in "biufc")
        require(coordinates_fit(out) if out.format == "coo" else compressed_fit(out))
    except UNFIT as error:
        message = f"X is no valid {X.format.upper()} matrix of shape {X.shape}: its indices do not fit it"
        raise ValueError(message) from error
    return out


def require(fits):
    """Raise ValueError unless it does."""
    if not fits:
        raise ValueError


def compressed_fit(X):
    """Whether the arrays of a CSR or CSC matrix are those of one."""
    shape = (1, *X.shape)[-2:] if X.format == "csr" else X.shape[::-1]  # a row alone has one dimension
    return np.ndim(X.data) == 1 and lines_fit(X, *shape)


def blocks_fit(X):
    """Whether the arrays of a BSR matrix, whose values are blocks of one shape, are those of one."""
    n_rows, n_columns = np.shape(X.data)[1:]
    whole = X.shape[0] % n_rows == X.shape[1] % n_columns == 0 and len(X.indices) == X.indptr[-1]
    return whole and lines_fit(X, X.shape[0] // n_rows, X.shape[1] // n_columns)


def diagonals_fit(X):
    """Whether the arrays of a DIA matrix are those of one."""
    offsets, (n_diagonals, _) = np.asarray(X.offsets), np.shape(X.data)
    return offsets.shape == (n_diagonals,) and offsets.dtype.kind == "i" and len(set(offsets.tolist())) == n_diagonals


def lists_fit(X):
    """Whether the lists of a LIL matrix are those of one: columns ascend."""
    fits = len(X.rows) == X.shape[0] and [*map(len, X.rows)] == [*map(len, X.data)]
    return fits and all(columns == sorted(set(columns)) for columns in X.rows)


def lines_fit(X, n_major, n_minor):
    """Whether there are so many lines in a compressed matrix, with places within each and a value for each place."""
    starts, places = map(np.asarray, (X.indptr, X.indices))
    fits = starts.shape == (n_major + 1,) and starts.dtype.kind == "i" and starts[0] == 0
    fits = fits and (starts[1:] >= starts[:-1]).all() and places.ndim == 1
    return fits and starts[-1] <= len(places) == len(X.data) and lie_within(places[: starts[-1]], n_minor)


def coordinates_fit(X):
    """Whether the arrays of a COO matrix are those of one."""
    values, coordinates = np.asarray(X.data), [*map(np.asarray, X.coords)]
    fits = all(places.shape == values.shape == (values.size,) for places in coordinates)
    return fits and all(map(lie_within, coordinates, X.shape))


def lie_within(places, n):
    """Whether they are integers from 0 to n - 1."""
    return places.dtype.kind == "i" and (not places.size or (places.min() >= 0 and places.max() < n))


def each_column(X):
    """Yield the columns, one after the other."""
    if not is_sparse(X):
        yield from X.T
        return
    X = X.tocsc()
    for start, stop in pairwise(X.indptr):
        column = np.zeros(X.shape[0], X.dtype)
        column[X.indices[start:stop]] = X.data[start:stop]
        yield column


class StoredColumn(NamedTuple):
    """The values of a column that are stored, what zeros beside them weigh, and the values' weights, unless all 1."""

    values: np.ndarray
    zeros: float = 0
    weights: np.ndarray | None = None


def stored_columns(X, rows, sample_weight=None):
    """Yield the number of each column, what is stored of it in some rows, by their weights, and in all.

    Columns of a sparse matrix of which nothing is stored are left out: most features of a hashing vectorizer.
    """
    weights = None if sample_weight is None else sample_weight[rows]
    if is_sparse(X):
        every = canonical(X).tocsc()
        some = every if isinstance(rows, slice) else canonical(X[rows]).tocsc()
        total = some.shape[0] if weights is None else weights.sum()
        for column in np.flatnonzero(np.diff(every.indptr)):
            yield column, stored_in(some, column, total, weights), stored_in(every, column, every.shape[0])
    else:
        for column in range(X.shape[1]):
            yield column, StoredColumn(X[rows, column], weights=weights), StoredColumn(X[:, column])


def stored_in(X, column, total, sample_weight=None):
    """A StoredColumn of a CSC matrix whose rows weigh so much in total."""
    stored = slice(*X.indptr[column : column + 2])
    weights = None if sample_weight is None else sample_weight[X.indices[stored]]
    values = X.data[stored]
    known = len(values) if weights is None else weights.sum()
    zeros = max(total - known, 0) if len(values) < X.shape[0] else 0  # a sum of weights is rounded
    return StoredColumn(values, zeros, weights)


def finite_columns(X, columns):
    """The numbers of those of the columns that are finite in every row. Of a dense X a block of rows is copied."""
    finite = np.ones(len(columns), bool)
    if is_sparse(X):
        X = canonical(X[:, columns])
        finite[X.indices[~np.isfinite(X.data)]] = False
    else:
        for start in range(0, len(X), BLOCK):
            finite &= np.isfinite(X[start : start + BLOCK, columns]).all(axis=0)
    return columns[finite]


def hash_rows(X, rows):
    """A hash of each of these rows, (n_rows,) uint64; the same for rows that are equal as float64.

    A sum of products by odd numbers, to which zeros add nothing.
    """
    factors = 2 * np.random.default_rng(0).integers(2**63, size=X.shape[1], dtype=np.uint64) + np.uint64(1)
    if is_sparse(X):
        X = canonical(X[rows])
        return type(X)((mixed_bits(X.data), X.indices, X.indptr), shape=X.shape) @ factors
    out, block = np.empty(len(rows), np.uint64), max(1, BLOCK_SIZE // X.shape[1])
    for start in range(0, len(rows), block):
        out[start : start + block] = mixed_bits(X[rows[start : start + block]]) @ factors
    return out


def mixed_bits(values):
    """The bits of values as float64, high ones also where many values have only zeros; 0 of 0.0 and of -0.0."""
    bits = (values.astype(np.float64) + 0.0).view(np.uint64)
    return bits ^ (bits >> np.uint64(32))


def without_empty_columns(X):
    """X, if it is sparse without the columns of which nothing is stored: these are 0 in every row."""
    return X[:, np.unique(X.indices)] if is_sparse(X) else X


def joined(*parts):
    """The rows of several arrays in one, which is sparse if the last one is."""
    if len(parts) == 1:
        return parts[0]
    if not is_sparse(parts[-1]):
        return np.concatenate([dense(part) for part in parts])
    from scipy.sparse import csr_array, vstack  # whoever predicts by NumPy alone has none of these

    return vstack([csr_array(part) for part in parts], format="csr")
