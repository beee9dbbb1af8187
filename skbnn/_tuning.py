"""Chooses the code, dropout and shrinkage by rows that short training of narrow networks does not see."""

from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.model_selection import KFold, ShuffleSplit

from skbnn.encoding import Code, Encoder, add_components
from skbnn.folding import estimate_statistics, fold
from skbnn.network.trainer import LOSSES, TrainingData

DROPOUTS = 0.0, 0.1

# What is compared are networks of a share of the width, but for narrow ones, trained for a share of the epochs: the
# divisors with one code, and with several. In shorter or narrower training, dropout looks worse than it is.
WIDTH_DIVISORS, EPOCHS_DIVISORS, NARROW = (2, 4), (3, 4), 64

# Of a small sample each row is held out once; of a large one a fifth of the rows, up to ENOUGH, says as much.
SMALL, N_FOLDS, ENOUGH = 4000, 3, 10_000

# With fewer rows than this, nothing that could be held out says anything.
TOO_FEW = 50


def splits(rows, seed):
    """Pairs of rows to train on and rows to judge by."""
    if len(rows) < TOO_FEW:
        return []
    if len(rows) < SMALL:
        splitter = KFold(N_FOLDS, shuffle=True, random_state=seed)
    else:
        splitter = ShuffleSplit(1, test_size=min(len(rows) // 5, ENOUGH), random_state=seed)
    return [(rows[train], rows[held]) for train, held in splitter.split(rows)]


def choose(estimator, X, code, data, extensions, y, rows, dropouts, options, batch_size, n_epochs):
    """Compare dropouts, and the code with what it could have beside, on held-out rows.

    Parameters
    ----------
    estimator : BaseBinaryMLP
        Its code is set, and its start fitted anew, for each comparison.
    X : ndarray of shape (n_rows, n_features)
    code : Code
    data : TrainingData
        The rows in this code, without targets.
    extensions : list of Extension
        Tried one after the other, until one is worth it.
    y : ndarray of shape (n_rows,) or (n_rows, n_columns)
    rows : ndarray of int
        Which rows may be looked at.
    dropouts : sequence of float
        To choose from, the smallest first.
    options : TrainingOptions
        Of the training that is to come.
    batch_size, n_epochs : int
        Of the same.

    Returns
    -------
    code, data
        The parameters, or extended.
    dropout : float
    shrinkage : float
        The factor in [0, 1] by which the network's part of the scores suited the held-out rows best; 1 unless the
        estimator has ``dropout="auto"``.
    """
    parts = splits(rows, int(estimator._rng.integers(2**31)))
    if not parts:
        return code, data, dropouts[0], 1.0
    several = len(extensions) > 0
    n_epochs = -(-n_epochs // EPOCHS_DIVISORS[several])
    sizes = [min(size, max(NARROW, size // WIDTH_DIVISORS[several])) for size in estimator._hidden_layer_sizes()]
    training = {"sizes": sizes, "options": options, "batch_size": batch_size, "n_epochs": n_epochs}
    judge = partial(best_outcome, estimator, X, y, parts, dropouts, **training)
    estimator._ridge_penalty = None  # chosen once, for the code without extensions, as that takes long
    best = judge(code, data)
    for extension in extensions:
        extended = add_components(code, extension.components, extension.columns)
        encoded = TrainingData(Encoder(*extended).encode(X), data.sample_weight)
        outcome = judge(extended, encoded)
        if outcome.loss < extension.worth * best.loss:
            code, data, best = extended, encoded, outcome
            break
    shrinkage = best.factor
    if len(parts) > 1:  # a narrow network on two thirds of a small sample deserves less trust than the one to come
        shrinkage = np.sqrt(shrinkage)
    if estimator.verbose:
        n_components = len(code.components)
        says = "" if shrinkage else ": the start alone predicts"
        print(f"Chosen: {n_components} components, dropout {best.dropout}, shrinkage {shrinkage:.2f}{says}", flush=True)
    return code, data, best.dropout, float(shrinkage)


class Outcome(NamedTuple):
    """Loss of held-out rows with this dropout and this factor of the network's scores."""

    loss: float
    factor: float
    dropout: float


def best_outcome(estimator, X, y, parts, dropouts, code, data, *, sizes, options, batch_size, n_epochs):
    """The Outcome of a code with the best of the dropouts, the first of equal ones.

    ``parts`` are pairs of rows to train on and rows to judge by; ``sizes``, of the hidden layers, and ``n_epochs`` are
    those of the short training; the rest is as in ``choose``.
    """
    estimator._code = code
    judged = [[] for _ in dropouts]
    for train, held in parts:
        estimator._fit_start(X, data, y, train)
        targeted = estimator._encode_targets(X, data, y)
        trainers = [
            estimator._new_trainer(sizes, replace(options, dropout=dropout), batch_size) for dropout in dropouts
        ]
        for epoch in range(n_epochs):
            estimator._run_epoch(trainers, targeted, train, epoch, n_epochs)
        unit = np.float32(estimator._relative_scale)
        expected = targeted.of(held)
        expected = replace(expected, targets=unit * expected.targets)
        for pairs, trainer in zip(judged, trainers, strict=True):
            pairs.append((unit * network_scores(trainer.network, data, train, held), expected))
    outcomes = []
    for dropout, pairs in zip(dropouts, judged, strict=True):
        loss, factor = best_factor(pairs, LOSSES[options.loss](), estimator.dropout == "auto")
        outcomes.append(Outcome(loss, factor, dropout))
        if estimator.verbose:
            said = f"{len(code.components)} components, dropout {dropout}: loss = {loss:.6f} on held-out rows"
            print(f"{said}, shrinkage {factor:.2f}", flush=True)
    return min(outcomes, key=attrgetter("loss"))


def network_scores(network, data, train, held):
    """What the network, packed, adds to the scores of held-out rows, (n_rows, n_outputs)."""
    estimate_statistics(network, data.bits[train], data.sample_weight[train])
    n_bits = network.layer_sizes[0]
    code = Code(np.zeros(n_bits), np.arange(n_bits + 1), np.empty((0, n_bits)))
    return fold([network], code, output="identity").decision_function_from_bits(data.bits[held])


def best_factor(judged, loss, shrinks):
    """The smallest loss over factors of the network's scores, and that factor, for pairs of scores and data.

    The only factor is 1, unless it ``shrinks``.
    """

    def total(factor):
        return sum(
            loss(
                (factor * scores + (0 if data.offsets is None else data.offsets)).astype(np.float32),
                data.targets,
                data.sample_weight,
                np.empty(scores.shape, np.float32),
            )
            for scores, data in judged
        )

    factors = [1.0]
    if shrinks:
        between = minimize_scalar(total, bounds=(0, 1), method="bounded", options={"xatol": 1e-3}).x  # never 0 or 1
        factors += [0.0, between]
    best = min(factors, key=total)
    return total(best) / len(judged), best
