"""The additive part of a packed network's scores, in NumPy."""

from typing import NamedTuple

import numpy as np

from skbnn.encoding.sparse import dense, each_column
from skbnn.packed.layout import unpack

BLOCK, BLOCK_SIZE = 4096, 2**24  # rows, and floats; bound the memory of scores


class AdditivePart(NamedTuple):
    """What is added to a network's scores; shapes are those of PackedNetwork, whose ``bias`` is the constant."""

    constant: np.ndarray
    steps: np.ndarray
    slopes: np.ndarray
    ranges: np.ndarray

    @classmethod
    def of_constant(cls, constant):
        """Scores that are the same for every row, (n_outputs,)."""
        return cls(constant, *np.zeros((2, len(constant), 0)), np.zeros((2, 0)))

    @property
    def varies(self):
        """Whether scores differ from row to row."""
        return bool(self.steps.size or self.slopes.size)

    @classmethod
    def stacked(cls, parts):
        """The outputs of several parts, of the same rows' fits, side by side; some of them may be constant."""
        constant = np.concatenate([part.constant for part in parts])
        largest = max(parts, key=lambda part: part.steps.shape[1] + part.slopes.shape[1])
        steps, slopes = (np.zeros((len(constant), values.shape[1])) for values in (largest.steps, largest.slopes))
        start = 0
        for part in parts:
            rows = slice(start, start := start + len(part.constant))
            if part.steps.size:
                steps[rows] = part.steps
            if part.slopes.size:
                slopes[rows] = part.slopes
        return cls(constant, steps, slopes, largest.ranges)

    def scaled(self, factor, constant):
        """The part whose scores are ``factor * scores + constant``; either a number, or one for each output."""
        factor = np.broadcast_to(factor, len(self.constant))
        with np.errstate(over="ignore"):
            slopes = factor[:, np.newaxis] * self.slopes
        slopes[np.isinf(slopes)] = 0  # of a feature that hardly varies beside targets that vary beyond measure
        steps = factor[:, np.newaxis] * self.steps
        return AdditivePart(factor * self.constant + constant, steps, slopes, self.ranges)

    def scores(self, X, bits, dtype=np.float64):
        """Scores of rows, which are packed in ``bits``, (n_rows, n_outputs), rounded to this dtype."""
        out = np.empty((len(bits), len(self.constant)), dtype)
        block = max(1, min(BLOCK, BLOCK_SIZE // (64 * bits.shape[1])))
        for start in range(0, len(bits), block):
            rows, scores = slice(start, start + block), self.constant
            if self.steps.size:
                scores = scores + unpack(bits[rows], self.steps.shape[1]).astype(np.float32) @ self.steps.T
            if self.slopes.size:
                scores = scores + rise(dense(X[rows]), self.ranges) @ self.slopes.T
            out[rows] = scores
        return out

    def scores_of_features(self, X, bits, offsets):
        """What each feature, which has the bits between two ``offsets``, adds to the scores of rows.

        Yields an ndarray of shape (n_rows, n_outputs) for each.
        """
        inputs = unpack(bits, offsets[-1]).astype(np.float32)
        for feature, column in enumerate(each_column(X)):
            out = np.zeros((len(bits), len(self.constant)))
            if self.steps.size:
                of_feature = slice(offsets[feature], offsets[feature + 1])
                out += inputs[:, of_feature] @ self.steps[:, of_feature].T
            if self.slopes.size:
                out += np.outer(rise(column, self.ranges[:, feature]), self.slopes[:, feature])
            yield out


def rise(X, ranges):
    """How far features lie above the lower end of their range, its width at most; 0 if missing; float64."""
    X = X.astype(np.float64, order="C")  # BLAS rounds by the memory's order
    return np.minimum(np.fmax(X, ranges[0]), ranges[1]) - ranges[0]
