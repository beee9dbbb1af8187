"""Splits of the rows: some to train on, and others that judge. Rows that repeat others are never on both sides."""

import numpy as np

from skbnn.encoding.sparse import hash_rows
from skbnn.training.parameters import FEW

# Of a small sample each row is held out once; of a large one a fifth of the rows, up to ENOUGH, says as much, unless a
# class has fewer rows than the last.
SMALL, N_FOLDS, ENOUGH, ENOUGH_OF_A_CLASS = 4000, 3, 10_000, 100

TOO_FEW = 20  # with fewer rows, nothing that could be held out says anything

# Equal features are no copies where more than this share of them has another target: then there are few values.
MOST_THAT_DIFFER = 0.01


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


def halves(samples, rows, rng):
    """Two halves of these rows, drawn at random, each ascending."""
    first, copy_of = find_copies(samples, rows)
    in_first = np.isin(np.arange(len(first)), rng.permutation(len(first))[: -(-len(first) // 2)])[copy_of]
    return np.sort(rows[in_first]), np.sort(rows[~in_first])


def find_copies(samples, rows):
    """Which rows are no copies of others, as oversampling makes them, and for each row the place of its own there.

    Rows whose features have few values are equal without being copies; what is learnt of some says of the others what
    it will of rows to come. There, each row is its own.
    """
    n_rows, y = len(rows), samples.y[rows]
    _, first, copy_of = np.unique(hash_rows(samples.X, rows), return_index=True, return_inverse=True)
    n_differ = np.any(y != y[first[copy_of]], axis=1).sum()
    if FEW <= len(first) < n_rows and n_differ <= MOST_THAT_DIFFER * (n_rows - len(first)):
        return first, copy_of
    return np.arange(n_rows), np.arange(n_rows)
