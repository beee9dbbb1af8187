"""What short trainings of narrow networks say on held-out rows: dropout, shrinkage, and combinations to encode."""

from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.model_selection import KFold, ShuffleSplit

from skbnn.folding import estimate_statistics, fold
from skbnn.network.trainer import LOSSES
from skbnn.packed.additive_part import AdditivePart
from skbnn.training.epochs import run_epochs
from skbnn.training.parameters import Decision
from skbnn.training.progress import Progress
from skbnn.training.state import TrainingState, new_trainer

DROPOUTS = 0.0, 0.1

# What is compared are networks of a share of the width, but for narrow ones, trained for a share of the epochs: the
# divisors with one encoding, and with several. In shorter or narrower training, dropout looks worse than it is.
WIDTH_DIVISORS, EPOCHS_DIVISORS, NARROW = (2, 4), (3, 4), 64

# Of a small sample each row is held out once; of a large one a fifth of the rows, up to ENOUGH, says as much.
SMALL, N_FOLDS, ENOUGH = 4000, 3, 10_000

# With fewer rows than this, nothing that could be held out says anything.
TOO_FEW = 50


def select(samples, extensions, targets, parameters, rng):
    """Compare dropouts, and the encoding with what it could have beside, on held-out rows.

    Nothing is compared where nothing is open, or where rows are too few to say.

    Parameters
    ----------
    samples : Samples
        With bits.
    extensions : list of (Combinations, float)
        Tried one after the other, until one is worth it, as in ``find_encodings``.
    targets : Targets
    parameters : Parameters
        Of the training that is to come.
    rng : numpy.random.Generator

    Returns
    -------
    samples : Samples
        In the encoding that serves the held-out rows best.
    dropout : float
    shrinkage : float
        Factor of the network's scores; 1 unless dropout was "auto".
    """
    auto = parameters.dropout == "auto"
    parts = splits(samples.rows, int(rng.integers(2**31))) if auto or extensions else []
    if not parts:
        return samples, 0.0 if auto else parameters.dropout, 1.0
    judge = Judge(shortened(parameters, len(extensions) > 0), parts, targets, rng)
    best = judge(samples)
    for combinations, worth in extensions:
        extended = samples.encode(samples.encoding.with_combinations(combinations))
        outcome = judge(extended)
        if outcome.loss < worth * best.loss:
            samples, best = extended, outcome
            break
    # A narrow network on two thirds of a small sample deserves less trust than the one to come.
    shrinkage = float(best.factor if len(parts) == 1 else np.sqrt(best.factor))
    judge.progress.chosen(len(samples.encoding.components), best.dropout, shrinkage)
    return samples, best.dropout, shrinkage


def shortened(parameters, several):
    """The same of narrower networks for fewer epochs, even more so where several encodings are compared."""
    sizes, n_epochs = parameters.hidden_layer_sizes, parameters.max_iter
    narrow = tuple(min(size, max(NARROW, size // WIDTH_DIVISORS[several])) for size in sizes)
    return replace(parameters, hidden_layer_sizes=narrow, max_iter=-(-n_epochs // EPOCHS_DIVISORS[several]))


def splits(rows, seed):
    """Pairs of rows to train on and rows to judge by."""
    if len(rows) < TOO_FEW:
        return []
    if len(rows) < SMALL:
        splitter = KFold(N_FOLDS, shuffle=True, random_state=seed)
    else:
        splitter = ShuffleSplit(1, test_size=min(len(rows) // 5, ENOUGH), random_state=seed)
    return [(rows[train], rows[held]) for train, held in splitter.split(rows)]


class Outcome(NamedTuple):
    """Loss of held-out rows with this dropout and this factor of the network's scores."""

    loss: float
    factor: float
    dropout: float


class Judge:
    """Trains on one part of the rows and judges by the other.

    Parameters
    ----------
    parameters : Parameters
        Of the short training.
    parts : list of (ndarray of int, ndarray of int)
        Rows to train on and rows to judge by.
    targets : Targets
    rng : numpy.random.Generator
    """

    def __init__(self, parameters, parts, targets, rng):
        self.parameters, self.parts, self.targets, self.rng = parameters, parts, targets, rng
        self.shrinks = parameters.dropout == "auto"
        self.dropouts = DROPOUTS if self.shrinks else [parameters.dropout]
        self.progress = Progress(parameters.verbose)
        self.penalty = None  # chosen once, for the first encoding, as that takes long

    def __call__(self, samples):
        """The Outcome of an encoding with the best of the dropouts, the first of equal ones."""
        judged = [self.train(samples, train, held) for train, held in self.parts]
        outcomes = []
        for dropout, pairs in zip(self.dropouts, zip(*judged, strict=True), strict=True):
            loss, factor = best_factor(pairs, LOSSES[self.parameters.loss](), self.shrinks)
            outcomes.append(Outcome(loss, factor, dropout))
            self.progress.compared(len(samples.encoding.components), outcomes[-1])
        return min(outcomes, key=attrgetter("loss"))

    def train(self, samples, train, held):
        """Train a network for each dropout.

        Returns a list of (scores of the held-out rows, their TrainingData), in standard deviations of the targets.
        """
        parameters, targets, rng = self.parameters, self.targets, self.rng
        initial_model = targets.initial_model(samples, train, rng, init=parameters.init, penalty=self.penalty)
        self.penalty = initial_model.penalty
        data = targets.training_data(samples, initial_model)
        trials = [replace(parameters, dropout=dropout) for dropout in self.dropouts]
        decisions = [Decision(trial, samples.encoding, initial_model) for trial in trials]
        trainers = [new_trainer(targets, decision, rng) for decision in decisions]
        run_epochs(TrainingState(targets, decisions[0], rng, trainers), data, train)
        unit = np.float32(initial_model.relative_scale)
        expected = data.of(held)
        expected = replace(expected, targets=unit * expected.targets)
        networks = [trainer.network for trainer in trainers]
        return [(unit * network_scores(one, samples.encoding, data, train, held), expected) for one in networks]


def network_scores(network, encoding, data, train, held):
    """What the network, packed, adds to the scores of held-out rows, (n_rows, n_outputs)."""
    estimate_statistics(network, data.bits[train], data.sample_weight[train])
    return fold([network], encoding, AdditivePart(0.0), output="identity").decision_function_from_bits(data.bits[held])


def best_factor(judged, loss, shrinks):
    """The smallest loss over factors of the network's scores, and that factor, for pairs of scores and data.

    The only factor is 1, unless it ``shrinks``.
    """

    def total(factor):
        losses = 0.0
        for scores, data in judged:
            offsets = 0 if data.offsets is None else data.offsets
            predicted = (factor * scores + offsets).astype(np.float32)
            losses += loss(predicted, data.targets, data.sample_weight, np.empty_like(predicted))
        return losses

    factors = [1.0]
    if shrinks:
        between = minimize_scalar(total, bounds=(0, 1), method="bounded", options={"xatol": 1e-3}).x  # never 0 or 1
        factors += [0.0, between]
    best = min(factors, key=total)
    return total(best) / len(judged), best
