"""The additive part of a packed network's scores, in NumPy."""

from typing import NamedTuple

import numpy as np

from skbnn.packed.layout import unpack

BLOCK, BLOCK_SIZE = 4096, 2**24  # rows, and floats; bound the memory of scores


class AdditivePart(NamedTuple):
    """What is added to a network's scores; names and shapes are those of PackedNetwork, None where there are none."""

    constant: np.ndarray
    steps: np.ndarray = None
    slopes: np.ndarray = None
    ranges: np.ndarray = None

    def scaled(self, factor, constant):
        """The part whose scores are ``factor * scores + constant``, factors of shape (n_outputs,); it has steps."""
        factor = factor[:, np.newaxis]
        slopes = self.slopes
        if slopes is not None:
            with np.errstate(over="ignore"):
                slopes = factor * slopes
            slopes[np.isinf(slopes)] = 0  # of a feature that hardly varies beside targets that vary beyond measure
        return AdditivePart(factor[:, 0] * self.constant + constant, factor * self.steps, slopes, self.ranges)

    def scores(self, X, bits):
        """Scores of rows, which are packed in ``bits``, (n_rows, n_outputs)."""
        out = np.tile(self.constant, (len(X), 1))
        if self.steps is None:
            return out
        n_bits = self.steps.shape[1]
        block = max(1, min(BLOCK, BLOCK_SIZE // n_bits))
        for start in range(0, len(X), block):
            rows = slice(start, start + block)
            out[rows] += unpack(bits[rows], n_bits).astype(np.float32) @ self.steps.T
            if self.slopes is not None:
                out[rows] += rise(X[rows], self.ranges) @ self.slopes.T
        return out


def rise(X, ranges):
    """How far features lie above the lower end of their range, its width at most; float64."""
    return np.clip(X.astype(np.float64, order="C"), *ranges) - ranges[0]  # BLAS rounds by the memory's order
