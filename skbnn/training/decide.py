"""Decides on all that training has to know, by the data and by what was asked for."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skbnn.encoding.principal_components import principal_components
from skbnn.encoding.sparse import each_column, finite_columns
from skbnn.encoding.thresholds import find_combinations, find_encoding, given_encoding, varying_weights
from skbnn.initial_models.additive import MAX_FEATURES
from skbnn.training.category_order import order_categories
from skbnn.training.held_out import Judge, Outcome
from skbnn.training.parameters import Decision, most_thresholds
from skbnn.training.room import check_room
from skbnn.training.samples import Samples
from skbnn.training.splits import SMALL, TOO_FEW, splits
from skbnn.training.state import sizes_of
from skbnn.training.warn import warn

# The mean of two networks errs less than one does; beyond so many rows, one learns more by itself and takes long.
MAX_ROWS_FOR_TWO = 50_000

# What is decided for a stream, of which nobody knows how much will come.
STREAM = {"hidden_layer_sizes": (512, 512), "n_components": 0, "n_estimators": 1, "dropout": 0.0}

# ``Targets.little`` where rows are so many that a longer training can show in what little a short one adds, and where
# combinations were found to be worth their bits, as most of what these leave is noise.
LITTLE_OF_MANY, LITTLE_OF_FOUND = 0.01, 0.05

# Features that in the initial model take less than this share off an output's loss, of what all of them take where that
# is most, may do without bits; they are asked to if that leaves half of the features at most.
RELEVANT = 0.003

# With more features than this their principal components take longer to compute than the network, in prediction.
MAX_FEATURES_FOR_COMPONENTS = 32

# A direction has to leave less than this share of the loss, and so have all principal components: they make predictions
# slower, and short training of narrow networks, which judges them, likes them better than the one to come does.
WORTH_OF_DIRECTION, WORTH_OF_COMPONENTS = 0.9, 0.85

# What a network deserves where rows are too few to judge it.
TRUST_OF_FEW = 0.25

LARGEST_INTEGER = 2**53  # up to which float64 holds each

# A target can vary along a direction more than along a feature, so it has this many times as many thresholds.
FINER = 2


def decide(samples, targets, parameters, progress, rng):
    """Decide on what is to be trained, and how.

    Parameters
    ----------
    samples : Samples
    targets : Targets
    parameters : Parameters
    progress : Progress
        Is told what is being done.
    rng : numpy.random.Generator
        Draws the rows to look at, the splits, and the networks that are compared.

    Returns
    -------
    decision : Decision
    samples : Samples
        Encoded as decided, with places of categories where these are too many.

    Raises
    ------
    ValueError
        If ``n_components`` is not below the number of rows, or above that of features.
    MemoryError
        If there is not enough for networks of these parameters.
    """
    progress.stage("Finding thresholds")
    samples, places = order_categories(samples, targets, rng)
    if parameters.streaming:
        parameters = parameters.where_auto(**STREAM)
    asked = parameters.where_auto(n_estimators=1 if samples.n_rows > MAX_ROWS_FOR_TWO else 2)
    parameters = asked.paced(samples, targets)
    if samples.X.shape[1] > MAX_FEATURES or samples.n_rows > targets.most_rows_for_additive:
        parameters = replace(parameters, init="constant")
    resolution = parameters.n_thresholds
    if not parameters.streaming and asked.n_thresholds == "auto" and asked.thresholds is None:
        resolution = targets.resolution(samples.without_class_weights(), parameters.n_thresholds, rng)
        resolution = np.minimum(resolution, most_thresholds(samples.X.shape[1]))
    samples = samples.with_encoding(encode_features(samples, parameters, resolution, rng))
    parameters = parameters.sized(samples, targets)
    check_room(parameters, sizes_of(targets, parameters, samples.encoding.n_bits), samples)
    samples = samples.encoded()
    parts = splits(samples, targets, int(rng.integers(2**31)))
    judge = Judge(parameters, parts, targets, progress, rng)
    if not parts or "auto" not in (parameters.dropout, parameters.n_components):
        penalty, _ = judge.choose_penalty(samples)
        initial_model = targets.initial_model(samples, samples.rows, rng, penalty=penalty)
        doubted = parameters.dropout == "auto" and len(samples.rows) < TOO_FEW
        parameters = parameters.where_auto(dropout=0.0, n_components=len(samples.encoding.components))
        factor = TRUST_OF_FEW if doubted else 1.0
        return Decision(parameters, samples.encoding, initial_model, factor, places), samples

    sample_weight = samples.sample_weight
    unweighed = samples.without_class_weights()
    samples, outcome, judge = choose_encoding(unweighed, targets, parameters, judge)
    samples = replace(samples, sample_weight=sample_weight)
    found = parameters.n_components == "auto" and len(samples.encoding.components) > 0
    if outcome.gain < little(samples, targets, found):
        parameters = judge.curbed(asked, parameters)
    longer = judge.parameters.max_iter < parameters.max_iter
    deserved = outcome.factor ** (targets.overconfidence if longer else 1)
    if outcome.penalty is not None:
        progress.stage("Fitting the initial model")
    initial_model = targets.initial_model(samples, samples.rows, rng, penalty=outcome.penalty)
    factor = 1.0
    if parameters.dropout == "auto":
        initial_model, factor = initial_model.shrunk(outcome.share), trust(deserved, parameters.n_estimators)
        if not np.any(factor) and asked.max_iter is None:  # what a network learns would say nothing
            parameters = replace(parameters, max_iter=1)
    parameters = parameters.where_auto(dropout=outcome.dropout, n_components=len(samples.encoding.components))
    progress.chosen(parameters, factor)
    return Decision(parameters, samples.encoding, initial_model, factor, places), samples


def encode_features(samples, parameters, resolution, rng):
    """The encoding of the features, each in its resolution, and of the components that were asked for."""
    X, n_components = samples.X, parameters.n_components
    n_rows, n_features = X.shape
    weights = varying_weights(samples.without_class_weights().sample_weight)
    if parameters.thresholds is None:
        encoding = find_encoding(X, resolution, rng=rng, nominal=samples.nominal, sample_weight=weights)
    else:
        encoding = given_encoding(parameters.thresholds, X, samples.nominal)
    if n_components not in ("auto", 0):
        features = finite_columns(X, np.flatnonzero(~encoding.nominal))
        if n_components > min(n_rows - 1, len(features)):
            among = f"n_features={n_features}"
            if len(features) < n_features:
                among = f"{len(features)}, the features without categories, missing values and infinities"
            raise ValueError(f"n_components={n_components} must be below n_samples={n_rows} and at most {among}.")
        components = principal_components(X, features, n_components, rng, weights)
        components = spread(components, features, n_features)
        found = find_combinations(X, components, parameters.n_thresholds, rng=rng, sample_weight=weights)
        encoding = encoding.with_combinations(found)
    if X.dtype.kind in "iu" and X.dtype.itemsize == 8:
        warn_of_merged_integers(X)
    if not encoding.n_bits:
        if not parameters.streaming:  # more may come
            warn(f"No feature varies in these {n_rows} rows; the network can only predict a constant.")
        encoding = always_on(encoding)
    return encoding


def warn_of_merged_integers(X):
    """Warn of features whose integers, compared as float64, can't all be told apart."""
    for feature, column in enumerate(each_column(X)):
        if max(-int(column.min()), int(column.max())) > LARGEST_INTEGER:
            distinct = np.unique(column)
            if len(np.unique(distinct.astype(np.float64))) < len(distinct):
                warn(
                    f"Feature {feature} of X has integers beyond 2**53, which float64 does not tell apart; subtract a "
                    "constant from them, so that their differences are kept."
                )


def always_on(encoding):
    """The same with one bit that is always +1, so that there is a network to hold the mean."""
    offsets = np.minimum(np.arange(len(encoding.offsets), dtype=np.int32), 1)
    return encoding._replace(thresholds=np.array([np.finfo(np.float64).min]), offsets=offsets)


class Judged(NamedTuple):
    """Samples in an encoding, and what held-out rows say of it.

    Attributes
    ----------
    samples : Samples
        With bits of all features.
    chosen : Samples
        In the encoding that is to be trained on, where features that say nothing have none.
    outcome : Outcome
    fitted : dict
        As ``Judge.choose_penalty`` gives it.
    """

    samples: Samples
    chosen: Samples
    outcome: Outcome
    fitted: dict

    def extended(self, combinations, outcome, fitted):
        """The same with combinations beside the features, and what is said of these."""
        both = (part.with_encoding(part.encoding.with_combinations(combinations)) for part in self[:2])
        return Judged(*both, outcome, fitted)


def choose_encoding(samples, targets, parameters, judge):
    """The samples in the encoding that serves held-out rows best, the outcome there, and the judge whose it is.

    Beside the first, an encoding has bits only while it is looked at.
    """
    penalty, fitted = judge.choose_penalty(samples)
    best, chosen = judge(samples, penalty, fitted), samples
    selected = best.relevance.exceeds(RELEVANT)
    if selected.sum() <= len(varying(samples)) / 2:
        fewer = samples.with_encoding(samples.encoding.with_features(selected))
        of_relevant = judge.of_relevant_features(samples, penalty, RELEVANT)
        penalty, _ = judge.choose_penalty(fewer)
        outcome = of_relevant(samples, penalty)
        if outcome.share_of(best) <= 1:
            chosen, best, judge = fewer, outcome, of_relevant
    if best.relevance.interacts and best.gain < little(samples, targets):  # a short training may not find it
        longer = judge.longer()
        outcome = longer(samples, best.penalty, fitted)
        if outcome.share_of(best) < 1:
            best, judge = outcome, longer
    judged = Judged(samples, chosen, best, fitted)
    if parameters.n_components == "auto":
        judged = with_combinations(judged, judge, parameters.n_thresholds)
    best = judged.outcome
    if best.penalty is not None and best.gain >= targets.little:
        calmer = judge(judged.samples, targets.stronger(best.penalty), judged.fitted)
        best = calmer if calmer.share_of(best) < 1 else best
    return judged.chosen.encoded(), best, judge


def with_combinations(judged, judge, n_thresholds):
    """The Judged samples with the combinations that serve held-out rows best, if any are worth their bits."""
    best, samples, without = judged, judged.samples, judged.outcome
    for find, features in to_look_for(judged):
        if find is components and best is not judged:
            break
        judge.progress.stage(f"Looking for {find.__name__}")
        combinations, worth = find(samples, features, judge.targets, n_thresholds, judge.rng)
        if not len(combinations.components):
            continue
        extended = samples.encode(samples.encoding.with_combinations(combinations))
        penalty, fitted = judge.choose_penalty(extended)
        outcome = judge(extended, penalty, fitted, rival=best.outcome)
        is_best = outcome is not None and outcome.share_of(best.outcome) < 1
        if is_best and (outcome.beats(without, worth) or outcome.beats_alone(without)):
            best = judged.extended(combinations, outcome, fitted)
    return best


def little(samples, targets, found=False):
    """The share of the initial model's loss that a network has to take off to be worth more than a short training.

    ``found`` says whether it is beside combinations that were found to be worth their bits.
    """
    if found:
        return LITTLE_OF_FOUND
    return targets.little if len(samples.rows) < SMALL else LITTLE_OF_MANY


def to_look_for(judged):
    """Kinds of combinations, and the features that these are to be of, in turn.

    Features may say nothing each by itself, and much together: directions are sought among the chosen, and among all.
    """
    chosen, every = combinable(judged.chosen), combinable(judged.samples)
    wanted = [(directions, chosen), (directions, every), (components, chosen)]
    if len(every) == len(chosen):
        del wanted[1]
    return [(find, features) for find, features in wanted if len(features) > 1]


def combinable(samples):
    """Features that have bits and are numbers; none if these are too many."""
    features = varying(samples)
    features = features[~samples.encoding.nominal[features]]
    return finite_columns(samples.X, features) if len(features) <= MAX_FEATURES_FOR_COMPONENTS else features[:0]


def varying(samples):
    """Features that have bits."""
    return np.flatnonzero(np.diff(samples.encoding.offsets)[: samples.X.shape[1]])


def spread(components, features, n_features):
    """Components of some features as components of all."""
    out = np.zeros((len(components), n_features))
    out[:, features] = components
    return out


def directions(samples, features, targets, n_thresholds, rng):
    """Directions that targets have along some features, and what they have to be worth."""
    found = targets.directions(samples, features, FINER * n_thresholds, rng)
    components = spread(found.components, features, samples.X.shape[1])
    return found._replace(components=components), WORTH_OF_DIRECTION ** len(components)


def components(samples, features, targets, n_thresholds, rng):
    """All principal components of some features that vary, and what they have to be worth."""
    weights = varying_weights(samples.without_class_weights().sample_weight)
    found = principal_components(samples.X, features, min(samples.X.shape[0] - 1, len(features)), rng, weights)
    found = spread(found[found.any(axis=1)], features, samples.X.shape[1])  # each costs every prediction
    return find_combinations(samples.X, found, n_thresholds, rng=rng, sample_weight=weights), WORTH_OF_COMPONENTS


def trust(factor, n_networks):
    """The factor for the mean of several networks, where one deserves ``factor``: their noise differs."""
    return np.minimum(1.0, factor / (factor + (1 - factor) / n_networks))
