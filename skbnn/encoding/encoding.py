"""The thermometer encoding: which thresholds and combinations turn rows into bits."""

from typing import NamedTuple

import numpy as np

from skbnn.encoding._encode import Encoder


class Combinations(NamedTuple):
    """Linear combinations of the features.

    Attributes
    ----------
    components : ndarray of shape (n_components, n_features), float64
        Coefficients of the features as they are.
    columns : list of ndarray
        Ascending thresholds of each.
    """

    components: np.ndarray
    columns: list


class Encoding(NamedTuple):
    """How rows become bits; the arguments of Encoder.

    Attributes
    ----------
    thresholds : ndarray of shape (n_bits,), float64
        Ascending within a column, which is a feature or, behind these, a combination.
    offsets : ndarray of shape (n_columns + 1,), int32
        Column c has the thresholds from ``offsets[c]`` to ``offsets[c + 1]``.
    components : ndarray of shape (n_components, n_features), float64
        The combinations.
    nominal : ndarray of shape (n_features,), bool
        Features whose values are codes of categories; a bit of theirs says which it is.
    """

    thresholds: np.ndarray
    offsets: np.ndarray
    components: np.ndarray
    nominal: np.ndarray

    @classmethod
    def from_columns(cls, columns, components, nominal=None):
        """The encoding with these thresholds of each column, no feature of which is nominal unless it is said."""
        nominal = np.zeros(components.shape[1], bool) if nominal is None else nominal
        offsets = np.cumsum([0, *map(len, columns)], dtype=np.int32)
        return cls(np.concatenate(columns), offsets, components, nominal)

    @property
    def n_bits(self):
        """Bits of a row."""
        return len(self.thresholds)

    @property
    def counts(self):
        """Bits of each column, (n_columns,)."""
        return np.diff(self.offsets)

    @property
    def columns(self):
        """Thresholds of each column, a list of ndarray."""
        return np.split(self.thresholds, self.offsets[1:-1])

    def with_features(self, selected):
        """The same with thresholds of these features only, a mask, and of all combinations."""
        kept = np.append(selected, np.ones(len(self.components), bool))
        columns = [column if keep else column[:0] for column, keep in zip(self.columns, kept, strict=True)]
        return Encoding.from_columns(columns, self.components, self.nominal)

    def with_combinations(self, combinations):
        """The same with combinations behind the columns that it has."""
        components = np.vstack([self.components, combinations.components])
        return Encoding.from_columns([*self.columns, *combinations.columns], components, self.nominal)

    def encode(self, X):
        """Packed rows, (n_rows, n_words) uint64."""
        return Encoder(*self).encode(X)


def project(X, components):
    """Linear combinations of the features, (n_rows, n_components) float64, rounded as the encoder rounds them."""
    unused = np.zeros(X.shape[1] + len(components) + 1, np.int64)
    return Encoder(np.empty(0), unused, components).project(X)


def round_significand(values):
    """Values with 24 significant bits, those of float32 in the range of float64: products with integers stay exact."""
    significand, exponent = np.frexp(values)
    return np.ldexp(np.rint(significand * 2**24), exponent - 24)
