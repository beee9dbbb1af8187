"""What a stream keeps: rows that stand for all that came, to begin anew with and to train on again."""

from dataclasses import dataclass

import numpy as np

from skbnn.encoding import sparse

# Rows that say what a stream is like, and that are kept. Until so many have come, training begins anew whenever their
# number has doubled: thresholds and the targets' scale by a first few rows would be wrong for ever.
ENOUGH = 256

# So many of the rows that are kept join those of a call, unless these are many, so that a stream that comes sorted does
# not forget. And fewer are not trained on: batch norm says little of them, and they would unlearn more than they teach.
REPLAYED, MANY = 32, 1024

# What follows a stream is an average over all calls, at least this share of it from the last; of fewer rows than
# SHARED, less in proportion.
SHARE_OF_LAST, SHARED = 0.1, 50


@dataclass(frozen=True)
class Memory:
    """Rows that are kept.

    Attributes
    ----------
    rows : tuple of ndarray
        As ``Samples.of`` takes them; empty before the first call. All that came, or a sample.
    n_seen : int
        Rows that came.
    n_begun : float
        Rows that training began with; infinite after ``fit``, of which nothing is kept.
    """

    rows: tuple = ()
    n_seen: int = 0
    n_begun: float = np.inf

    def after(self, new, rng):
        """The memory after a call with these rows, those to train on, and whether to begin anew with them."""
        n_old, n_new = len(self.rows[1]) if self.rows else 0, len(new[1])
        old, of_old, of_new = self.rows or tuple(part[:0] for part in new), np.arange(n_old), np.arange(n_new)
        n_seen = self.n_seen + n_new
        begins = self.begins_with(n_new)
        n_begun = n_seen if begins else self.n_begun
        kept = (of_old, of_new) if n_begun < ENOUGH else self._sample(n_old, n_new, rng)
        again = rng.choice(n_old, min(n_old, REPLAYED), replace=False)
        if not begins:
            of_old = again if n_new < MANY else again[:0]
        trained = joined(old, of_old, new, of_new) if len(of_old) else new
        return Memory(joined(old, kept[0], new, kept[1]), n_seen, n_begun), trained, begins

    @property
    def may_begin_anew(self):
        """Whether more rows may yet begin training anew."""
        return self.n_begun < ENOUGH

    def begins_with(self, n_new):
        """Whether training begins anew when so many more rows come."""
        return self.may_begin_anew and self.n_seen + n_new >= 2 * self.n_begun

    def _sample(self, n_old, n_new, rng):
        """Which of the old and which of the new rows to keep: of these, their share in what follows the stream."""
        n_of_new = min(rng.binomial(ENOUGH, share_of(n_new, self.n_seen + n_new)), n_new)
        of_old = rng.choice(n_old, min(n_old, ENOUGH - n_of_new), replace=False)
        return of_old, rng.choice(n_new, n_of_new, replace=False)


def joined(old, of_old, new, of_new):
    """Some of the old rows and some of the new, a copy."""
    return tuple(sparse.joined(before[of_old], part[of_new]) for before, part in zip(old, new, strict=True))


def share_of(n_rows, n_rows_seen):
    """The share of so many rows in what follows a stream, of which so many have been seen with these."""
    return max(n_rows / n_rows_seen, SHARE_OF_LAST * min(1, n_rows / SHARED))
