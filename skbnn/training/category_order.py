"""Target encoding, by rank, of features that have too many categories for a bit each."""

from dataclasses import replace

import numpy as np

from skbnn.training.splits import find_copies

# Of more categories than this, a bit each says less than thresholds in an order of theirs.
MAX_CATEGORIES = 32

CROSS_FITTING_FOLDS = 5

SMOOTHING = 10  # rows of the mean of all that count as rows of each category: of few rows, a mean says little


def order_categories(samples, targets, rng):
    """Put places in an order in place of codes, where a nominal feature has too many of them.

    A category's place is by the mean of its targets, or of several by their leading direction, as in correspondence
    analysis. A row to train on gets the place that its category has by the rows of other folds, so that its own target
    has no say in it, nor a copy's: target encoding with cross-fitting, of which the order is kept (Micci-Barreca, "A
    preprocessing scheme for high-cardinality categorical attributes", 2001).

    Parameters
    ----------
    samples : Samples
        Before they have bits.
    targets : Targets
    rng : numpy.random.Generator
        Draws the folds.

    Returns
    -------
    samples : Samples
        Ordered features are not nominal.
    places : dict of ndarray
        For each of these features, the place of each code.
    """
    nominal = np.flatnonzero(samples.nominal)
    many = [feature for feature in nominal if np.nanmax(samples.X[:, feature], initial=-1) >= MAX_CATEGORIES]
    if not many:
        return samples, {}
    places, X, nominal = {}, samples.X.astype(np.float64), samples.nominal.copy()
    nominal[many] = False
    _, copy_of = find_copies(samples, samples.rows)
    for feature in many:
        X[:, feature], places[int(feature)] = order(X[:, feature], copy_of, samples, targets, rng)
    return replace(samples, X=X, nominal=nominal), places


def order(codes, copy_of, samples, targets, rng):
    """Each row's place in the order, NaN if its code is missing, and each code's; copies are in one fold."""
    is_known, n_codes = ~np.isnan(codes[samples.rows]), int(np.nanmax(codes)) + 1
    known = samples.rows[is_known]
    which, numbers = codes[known].astype(int), targets.numbers(samples, known)
    weights = samples.without_class_weights().sample_weight[known]
    means = category_means(which, numbers, weights, n_codes)
    counts = np.bincount(which, weights, n_codes)
    direction = np.linalg.svd(np.sqrt(counts)[:, np.newaxis] * means, full_matrices=False)[2][0]
    value = means @ direction
    ascending = np.argsort(value, kind="stable")
    place = np.empty(n_codes)
    place[ascending] = np.arange(n_codes)
    column = with_places(codes, place)
    distinct, copy_of = np.unique(copy_of[is_known], return_inverse=True)
    fold = (rng.permutation(len(distinct)) % CROSS_FITTING_FOLDS)[copy_of]
    for held in range(CROSS_FITTING_FOLDS):
        others, here = fold != held, fold == held
        without = category_means(which[others], numbers[others], weights[others], n_codes) @ direction
        column[known[here]] = np.interp(without[which[here]], value[ascending], np.arange(n_codes))
    return column, place


def category_means(which, numbers, weights, n_codes):
    """Mean of each code's targets by weights, (n_codes, n_targets), less that of all; shrunk where rows are few."""
    centred = (numbers - np.average(numbers, axis=0, weights=weights)) * weights[:, np.newaxis]
    sums = np.stack([np.bincount(which, column, n_codes) for column in centred.T], axis=1)
    total = np.bincount(which, weights, n_codes) + SMOOTHING * weights.mean()
    return sums / total[:, np.newaxis]


def known_codes(X, places, encoding):
    """Rows with places in place of codes, and NaN for codes that are newer than the encoding."""
    nominal = np.flatnonzero(encoding.nominal & (encoding.counts[: len(encoding.nominal)] > 0))
    if places or len(nominal):
        X = X.astype(np.float64)
        for feature, place in places.items():
            X[:, feature] = with_places(X[:, feature], place)
        for feature in nominal:
            X[X[:, feature] >= encoding.counts[feature], feature] = np.nan
    return X


def with_places(codes, place):
    """Codes, which may be missing or newer than their order, as places; NaN of these."""
    known = codes < len(place)
    return np.where(known, place[np.where(known, codes, 0).astype(int)], np.nan)


def known_labels(categories, places, encoding):
    """Each feature's labels that the encoding knows, those of ordered ones by their places."""
    if categories is None:
        return None
    out = list(categories)
    for feature, labels in enumerate(categories):
        if feature in places:
            out[feature] = tuple(labels[code] for code in np.argsort(places[feature]))
        elif labels is not None:
            out[feature] = labels[: encoding.counts[feature] or None]
    return tuple(out)
