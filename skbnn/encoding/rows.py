"""Rows that may be a sparse matrix or array of SciPy, which is never made dense as a whole; all that knows of these.

Whatever is asked of a sparse X is what ``X.toarray()`` would say, where equal entries of one place are added up and
their order says nothing.
"""

import numpy as np

BLOCK_BYTES = 2**24  # of rows that are dense at the same time


def is_sparse(X):
    """Whether X is of SciPy's sparse kinds; needs no SciPy to tell."""
    return hasattr(X, "tocsr")


def dense(X):
    """X as an array; for some rows or columns of what might be too large as a whole."""
    return X.toarray() if is_sparse(X) else X


def by_blocks(function, X):
    """What a function of dense rows, which gives an array with a row for each, says of X."""
    if not is_sparse(X):
        return function(X)
    X, n_rows = X.tocsr(), max(1, BLOCK_BYTES // max(1, X.shape[1] * X.dtype.itemsize))
    first = function(X[:n_rows].toarray())
    out = np.empty((X.shape[0], *first.shape[1:]), first.dtype)
    out[:n_rows] = first
    for start in range(n_rows, len(out), n_rows):
        out[start : start + n_rows] = function(X[start : start + n_rows].toarray())
    return out


def columns(X):
    """Yield the columns, one after the other."""
    if not is_sparse(X):
        yield from X.T
        return
    X = X.tocsc()
    for column in range(X.shape[1]):
        yield X[:, [column]].toarray()[:, 0]


def without_empty_columns(X):
    """X without the columns that are 0 in every row, of which nothing is stored."""
    return X[:, np.unique(X.indices)] if is_sparse(X) else X


def stored_columns(X, rows):
    """Yield, of each column of some rows, the values that are stored and the number of zeros that are not."""
    if not is_sparse(X):
        yield from ((X[rows, column], 0) for column in range(X.shape[1]))
        return
    X = X[rows].tocsc()  # a copy
    X.sum_duplicates()
    for start, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        yield X.data[start:stop], X.shape[0] - int(stop - start)


def joined(before, after):
    """Rows of two arrays, one below the other; sparse if the latter are."""
    if is_sparse(after):
        from scipy.sparse import csr_array, vstack  # prediction by NumPy alone has no use for it

        return vstack([csr_array(before), after], format="csr")
    return np.concatenate([dense(before), after])
