"""Splits of the rows: some to train on, and others that judge. Copies of a row are on one side."""

import numpy as np

from skbnn.encoding.sparse import each_column

# Of a small sample each row is held out once; of a large one a fifth of the rows, up to ENOUGH, says as much. But where
# the rarest class has few rows, though one for each fold, sizes up to the last are small.
SMALL, N_FOLDS, ENOUGH = 4000, 3, 10_000
FEW_OF_A_CLASS, SMALL_OF_FEW = 100, 20_000

TOO_FEW = 20  # with fewer rows, nothing that could be held out says anything

# Equal features are no copies where two have other targets more often than this share of how often any two do: then
# there are few values.
MOST_THAT_DIFFER = 0.1

# Nor are they where pairs of equal rows are no more than so many times those to be expected, by about so many of the
# rows. Where fewer than the share SINGLE of the distinct rows occurs once, unless all occur as often, the factor is
# FAR_MORE, as of few values that depend on each other many rows are equal, too, and at most so many are of a kind.
MORE_THAN_EXPECTED, ROWS_TO_EXPECT_BY = 100, 2000
SINGLE, FAR_MORE, MOST_OF_A_KIND = 0.1, 10_000, 15


def splits(samples, targets, seed):
    """Pairs of rows to train on and rows to judge by; of these each class is also among the former."""
    if len(samples.rows) < TOO_FEW:
        return []
    first, copy_of = find_copies(samples, samples.rows)
    rows, rng = samples.rows[first], np.random.default_rng(seed)
    strata, rare = targets.strata(samples.y[rows]), False
    if strata is not None:
        _, strata, counts = np.unique(strata, return_inverse=True, return_counts=True)  # numbers are compared fast
        rare = N_FOLDS <= counts.min() < FEW_OF_A_CLASS and len(rows) < SMALL_OF_FEW
    if len(rows) < SMALL or rare:
        order = rng.permutation(len(rows))
        if strata is not None:
            order = order[np.argsort(strata[order], kind="stable")]
        dealt = np.empty(len(rows), int)
        dealt[order] = np.arange(len(rows)) % N_FOLDS  # each class in turn
        parts = [(dealt != fold, dealt == fold) for fold in range(N_FOLDS)]
    else:
        held = np.zeros(len(rows), bool)
        held[rng.choice(len(rows), min(len(rows) // 5, ENOUGH), replace=False)] = True
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
    every = np.arange(len(rows))
    of_features, of_rows = samples.hashes(rows)
    _, counts = np.unique(of_features, return_counts=True)
    if not TOO_FEW <= len(counts) < len(rows):
        return every, every
    _, first, copy_of, counts_of_rows = np.unique(of_rows, return_index=True, return_inverse=True, return_counts=True)
    _, counts_of_targets = np.unique(of_features ^ of_rows, return_counts=True)
    all_counts = counts, counts_of_rows, counts_of_targets
    equal, with_targets, by_chance = map(share_of_equal_pairs, all_counts)
    few_differ = equal - with_targets <= MOST_THAT_DIFFER * (1 - by_chance) * equal
    return (first, copy_of) if few_differ and are_copies(samples.X, rows, counts) else (every, every)


def are_copies(X, rows, counts):
    """Whether equal rows, of which there are so many each, are copies and not rows of features with few values.

    What is learnt of some of the latter says of the others what it will of rows to come. There, about as many are equal
    as the columns' values lead one to expect, and hardly any occurs once. Of copies there are mostly the same number of
    each, or many rows have none.
    """
    more = MORE_THAN_EXPECTED
    if np.mean(counts == 1) < SINGLE and np.gcd.reduce(counts) == 1:
        if counts.mean() > MOST_OF_A_KIND:
            return False
        more = FAR_MORE
    looked_at, expected = rows[:: -(-len(rows) // ROWS_TO_EXPECT_BY)], float(more)
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
