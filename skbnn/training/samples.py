"""The rows of a table, as training sees them."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import train_test_split

from skbnn.encoding import Encoding


@dataclass(frozen=True, eq=False)
class Samples:
    """Validated rows.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        Real numbers of any dtype.
    y : ndarray of shape (n_rows, n_columns)
        As ``Targets.encode`` gives them.
    sample_weight : ndarray of shape (n_rows,), float64
    rows : ndarray of int
        Those to train on.
    held : ndarray of int or None
        Those that early stopping looks at.
    encoding : Encoding or None
    bits : ndarray of shape (n_rows, n_words), uint64, or None
        The rows in this encoding.
    unweighed : ndarray of shape (n_rows,), float64, or None
        The sample weights without those of classes, where there are such.
    """

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray
    rows: np.ndarray
    held: np.ndarray = None
    encoding: Encoding = None
    bits: np.ndarray = None
    unweighed: np.ndarray = None

    def encode(self, encoding):
        """The same, with bits."""
        return replace(self, encoding=encoding, bits=encoding.encode(self.X))

    def without_class_weights(self):
        """The same where no class weighs more than its rows: few rows of a rare one would decide on everything."""
        return self if self.unweighed is None else replace(self, sample_weight=self.unweighed)

    def hold_out(self, fraction, targets, seed):
        """The same with a part of ``rows`` held out.

        One seed holds out the same of the same rows, so that a warm start validates on rows that it has not seen.

        Raises
        ------
        ValueError
            If too few rows would be left, or held out.
        """
        n_rows, strata = len(self.rows), targets.strata(self.y[self.rows])
        try:
            rows, held = train_test_split(self.rows, test_size=fraction, stratify=strata, random_state=seed)
        except ValueError as error:
            raise ValueError(f"validation_fraction={fraction} does not suit {n_rows} rows: {error}") from error
        if len(held) < targets.fewest_to_score:
            raise ValueError(f"validation_fraction={fraction} of {n_rows} rows is one row, which has no R².")
        return replace(self, rows=rows, held=held)
