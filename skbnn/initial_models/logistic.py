"""Logistic regression: that of scikit-learn, in a fraction of its time."""

import numpy as np
from scipy.optimize import minimize

from skbnn.network.trainer import LOSSES


class LogisticRegression:
    """Logistic regression with an L2 penalty, by L-BFGS.

    Columns are centered: where they have something in common, L-BFGS takes several times as many steps. The intercept
    has no penalty, so the optimum is the same.

    Parameters
    ----------
    tol : float
        The largest slope of the mean loss at which a fit ends.

    Attributes
    ----------
    penalty : float
        Factor of half of the sum of squared coefficients, beside the weighted sum of the rows' losses.
    coef_ : ndarray of shape (n_outputs, n_columns)
        One output stands for two classes. A next fit begins here.
    intercept_ : ndarray of shape (n_outputs,)
    """

    def __init__(self, tol):
        self.tol = tol
        self.penalty = 1.0
        self.coef_ = self.intercept_ = None

    def penalized(self, penalty):
        """The same model, to be fitted with another penalty."""
        self.penalty = penalty
        return self

    def fit(self, X, y, sample_weight):
        """Fit it.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_columns), float32
        y : ndarray of shape (n_rows,)
            Two or more classes, of any values.
        sample_weight : ndarray of shape (n_rows,)

        Returns
        -------
        LogisticRegression
        """
        classes, indices = np.unique(y, return_inverse=True)
        n_outputs, targets = 1 if len(classes) == 2 else len(classes), indices.astype(np.float32)[:, np.newaxis]
        if self.coef_ is None:
            self.coef_, self.intercept_ = np.zeros((n_outputs, X.shape[1])), np.zeros(n_outputs)
        loss = LOSSES["log_loss" if n_outputs == 1 else "multiclass_log_loss"]()
        penalty, center = self.penalty / sample_weight.sum(), X.mean(axis=0)
        gradient = np.empty((len(X), n_outputs), np.float32)

        def penalized_loss(parameters):
            coef, level = np.split(parameters.reshape(n_outputs, -1), [-1], axis=1)
            scores = X @ coef.T.astype(np.float32) + (level.T - center @ coef.T).astype(np.float32)
            value = loss(scores, targets, sample_weight, gradient) + penalty / 2 * np.vdot(coef, coef)
            slope = gradient.sum(axis=0)[:, np.newaxis]
            return value, np.hstack([gradient.T @ X - slope * center + penalty * coef, slope]).ravel()

        start = np.column_stack([self.coef_, self.intercept_ + self.coef_ @ center])
        # The loss is float32; 100 steps bound the time.
        options = {"gtol": self.tol, "ftol": np.finfo(np.float32).eps, "maxiter": 100}
        found = minimize(penalized_loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
        self.coef_, level = np.split(found.x.reshape(n_outputs, -1), [-1], axis=1)
        self.intercept_ = level[:, 0] - self.coef_ @ center
        X = gradient = targets = None  # older releases of scipy leave the function in a cycle that lives on
        return self
