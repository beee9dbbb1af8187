"""Whether a model lacks the products of pairs of features."""

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

# Family-wise error rate, by Bonferroni's correction.
SIGNIFICANCE = 1e-6


class ScoreTest(NamedTuple):
    """Rao's score test of each product of two features, by the gradients of a loss.

    A product whose coefficient ought not to be 0 makes the sum of gradients times products large beside the square root
    of the sum of their squares. So does what the scores lack of single features that go together, squares above all:
    that there is something to learn is so in either case. Fields of tests by several models' rows may be added up.

    Attributes
    ----------
    sums, squares : ndarray of shape (n_outputs, n_features, n_features)
        Of gradients times products.
    n_rows : int

    References
    ----------
    C. R. Rao, "Large sample tests of statistical hypotheses concerning several parameters with applications to problems
    of estimation", Mathematical Proceedings of the Cambridge Philosophical Society 44, 1948.
    """

    sums: np.ndarray
    squares: np.ndarray
    n_rows: int

    @classmethod
    def of(cls, X, gradients):
        """The test by these rows: features, (n_rows, n_features), and slopes of the loss, (n_rows, n_outputs)."""
        X, gradients = X - X.mean(axis=0), gradients - gradients.mean(axis=0)
        squared = X**2
        sums = [(X.T * of_output) @ X for of_output in gradients.T]
        squares = [(squared.T * of_output**2) @ squared for of_output in gradients.T]
        return cls(np.stack(sums), np.stack(squares), len(X))

    def significant_effects(self):
        """Chi-squared a row of each pair, (n_features, n_features), the largest of any output; 0 if not significant."""
        found = np.divide(self.sums**2, self.squares, out=np.zeros_like(self.sums), where=self.squares > 0)
        n_outputs, n_features, _ = found.shape
        n_tests = max(n_outputs * n_features * (n_features - 1) // 2, 1)
        found = found.max(axis=0)
        np.fill_diagonal(found, 0)
        return np.where(found > chi2.isf(SIGNIFICANCE / n_tests, df=1), found / self.n_rows, 0)
