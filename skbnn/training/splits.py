"""Splits of the rows: some to train on, and others that judge. Copies of a row are on one side."""

import numpy as np

from skbnn.encoding.sparse import each_column
from skbnn.training.parameters import FEW

# Of a small sample each row is held out once; of a large one a fifth of the rows, up to ENOUGH, says as much, unless a
# class has fewer rows than the last.
SMALL, N_FOLDS, ENOUGH, ENOUGH_OF_A_CLASS = 4000, 3, 10_000, 100

TOO_FEW = 20  # with fewer rows, nothing that could be held out says anything

# Equal features are no copies where more than this share of them has another target: then there are few values.
MOST_THAT_DIFFER = 0.1

# Nor are they where fewer than this share of the distinct rows occurs once, unless all occur as often; nor where pairs
# of equal rows are no more than so many times those to be expected, by about so many of the rows.
SINGLE, MORE_THAN_EXPECTED, ROWS_TO_EXPECT_BY = 0.1, 100, 2000


def splits(samples, targets, seed):
    """Pairs of rows to train on and rows to judge by; of these each class is also among the former."""
    if len(samples.rows) < TOO_FEW:
        return []
    first, copy_of = find_copies(samples, samples.rows)
    rows, rng = samples.rows[first], np.random.default_rng(seed)
    strata, rare = targets.strata(samples.y[rows]), False
    if strata is not None:
        _, strata, counts = np.unique(strata, return_inverse=True, return_counts=True)  # numbers are compared fast
        rare = N_FOLDS <= counts.min() < ENOUGH_OF_A_CLASS and len(rows) < 5 * SMALL
    if len(rows) < SMALL or rare:
        order = rng.permutation(len(rows))
        if strata is not None:
            order = order[np.argsort(strata[order], kind="stable")]
        dealt = np.empty(len(rows), int)
        dealt[order] = np.arange(len(rows)) % N_FOLDS  # each class in turn
        parts = [(dealt != fold, dealt == fold) for fold in range(N_FOLDS)]
    else:
        held = np.isin(np.arange(len(rows)), rng.choice(len(rows), min(len(rows) // 5, ENOUGH), replace=False))
        parts = [(~held, held)]
    if strata is not None:
        parts = [(train, held & np.isin(strata, strata[train])) for train, held in parts]
    return [tuple(samples.rows[part[copy_of]] for part in pair) for pair in parts if pair[1].any()]


def halves(rows, copy_of, rng):
    """Two halves of these rows, drawn at random, by what ``find_copies`` says of them."""
    distinct, copy_of = np.unique(copy_of, return_inverse=True)
    order = rng.permutation(len(distinct))
    in_first = np.isin(copy_of, order[: -(-len(order) // 2)])
    return rows[in_first], rows[~in_first]


def find_copies(samples, rows):
    """Which rows are no copies of others, as oversampling makes them, and for each row the place of its own there."""
    of_features, of_rows = samples.hashes(rows)
    _, counts = np.unique(of_features, return_counts=True)
    _, first, copy_of = np.unique(of_rows, return_index=True, return_inverse=True)
    few_differ = len(first) - len(counts) <= MOST_THAT_DIFFER * (len(rows) - len(counts))
    if FEW <= len(counts) < len(rows) and few_differ and are_copies(samples.X, rows, counts):
        return first, copy_of
    return np.arange(len(rows)), np.arange(len(rows))


def are_copies(X, rows, counts):
    """Whether equal rows, of which there are so many each, are copies and not rows of features with few values.

    What is learnt of some of the latter says of the others what it will of rows to come. There, as many are equal as
    the columns' values lead one to expect, and hardly any occurs once. Of copies there are the same number of each, or
    many rows have none.
    """
    if np.mean(counts == 1) < SINGLE and np.gcd.reduce(counts) == 1:
        return False
    looked_at, expected = rows[:: -(-len(rows) // ROWS_TO_EXPECT_BY)], float(MORE_THAN_EXPECTED)
    equal = share_of_equal_pairs(counts)
    for column in each_column(X[looked_at]):
        expected *= share_of_equal_pairs(np.unique(column, return_counts=True)[1])
        if expected < equal:
            return True
    return False


def share_of_equal_pairs(counts):
    """Of all pairs of rows, if so many are equal to each other."""
    n_rows = counts.sum()
    return (counts * (counts - 1.0)).sum() / (n_rows * (n_rows - 1.0))
