"""What each feature is worth to the scores of a network."""

import numpy as np

from skbnn.encoding.sparse import dense, joined

# Values that are kept of each feature: as many as come to MOST_VALUES, within these bounds.
MOST_VALUES, FEWEST_ROWS, MOST_ROWS = 2**16, 32, 256

MOST_REPEATS = 4  # of all values, each time beside others, where they are less than MOST_VALUES


def draw_values(samples, rng, *, before=None, share=1.0):
    """Draw values of each feature by itself: as frequent as in the samples, but no row of them is kept.

    Parameters
    ----------
    samples : Samples
    rng : numpy.random.Generator
    before : ndarray or sparse matrix of shape (n_values, n_features), default=None
        What was drawn of a stream's earlier rows,
    share : float, default=1.0
        of which so much is replaced.

    Returns
    -------
    ndarray or sparse matrix of shape (n_values, n_features)
    """
    n_features = samples.X.shape[1]
    n_values = min(max(MOST_VALUES // n_features, FEWEST_ROWS), MOST_ROWS)
    replaced = rng.permutation(n_values)[: int(np.ceil(share * n_values))]
    weights = np.cumsum(samples.sample_weight[samples.rows])
    drawn, at_a_time = [], max(MOST_VALUES // n_features, 1)
    for start in range(0, len(replaced), at_a_time):
        size = len(replaced[start : start + at_a_time]), n_features
        places = np.searchsorted(weights, weights[-1] * rng.random(size), side="right")
        drawn.append(samples.X[samples.rows[np.minimum(places, len(weights) - 1)], np.arange(n_features)])
    drawn = joined(*drawn)
    if before is None:
        return drawn
    order = np.arange(n_values)
    order[replaced] = n_values + np.arange(len(replaced))
    return joined(before, drawn)[order]


def importances(network, values):
    """Each feature's part of what moves a network's scores, where features are drawn independently.

    These are total effects (Homma and Saltelli, "Importance measures in global sensitivity analysis of nonlinear
    models", 1996), by Jansen's estimator: the mean squared change of a score when one feature is drawn anew. Each
    output counts in units of its variance, but for those of "softmax", which are compared with each other.

    Parameters
    ----------
    network : PackedNetwork
    values : ndarray or sparse matrix of shape (n_values, n_features)
        As ``draw_values`` gives them.

    Returns
    -------
    ndarray of shape (n_features,)
        Sums to 1, or is 0 where no score moves.
    """
    rng, values = np.random.default_rng(0), dense(values)
    repeats = min(max(MOST_VALUES // values.size, 1), MOST_REPEATS)
    X = np.vstack([rng.permuted(values, axis=0) for _ in range(repeats)])

    def scores(X):
        of_rows = network.integer_scores(X).astype(np.float64)
        return of_rows - of_rows.mean(axis=1, keepdims=True) if network.output == "softmax" else of_rows

    before, effects = scores(X), np.zeros((X.shape[1], len(network.bias)))
    for feature, drawn in enumerate(np.roll(X, 1, axis=0).T):  # the row before is as good as any other
        moved = np.flatnonzero(drawn != X[:, feature])
        after = X[moved]
        after[:, feature] = drawn[moved]
        effects[feature] = np.sum((scores(after) - before[moved]) ** 2, axis=0)
    units = before.var(axis=0)
    if network.output == "softmax":
        units[:] = units.sum()
    total = np.divide(effects, units, out=np.zeros_like(effects), where=units > 0).sum(axis=1)
    return total / (total.sum() or 1)
