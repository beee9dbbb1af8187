"""What short trainings of narrow networks say on held-out rows: dropout, shrinkage, and combinations to encode."""

from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.model_selection import KFold, ShuffleSplit

from skbnn.encoding import Encoding
from skbnn.folding import estimate_statistics, fold
from skbnn.network.trainer import LOSSES
from skbnn.training.epochs import run_epochs
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


def select(decision, samples, extensions, targets, rng):
    """Compare dropouts, and the encoding with what it could have beside, on held-out rows.

    Parameters
    ----------
    decision : Decision
        Without an initial model.
    samples : Samples
        Encoded as decided.
    extensions : list of Extension
        Tried one after the other, until one is worth it.
    targets : Targets
    rng : numpy.random.Generator

    Returns
    -------
    decision : Decision
        The same with what serves the held-out rows best: encoding, dropout and, where dropout was "auto", shrinkage.
        Where rows are too few to say, it is the decision as it was.
    samples : Samples
        Encoded as decided.
    """
    parts = splits(samples.rows, int(rng.integers(2**31)))
    if not parts:
        return decision, samples
    judge = Judge(shortened(decision, len(extensions) > 0), parts, targets, rng)
    best = judge(samples)
    for extension in extensions:
        extended = samples.encode(samples.encoding.with_combinations(extension.combinations))
        outcome = judge(extended)
        if outcome.loss < extension.worth * best.loss:
            samples, best = extended, outcome
            break
    # A narrow network on two thirds of a small sample deserves less trust than the one to come.
    shrinkage = float(best.factor if len(parts) == 1 else np.sqrt(best.factor))
    decision = replace(decision, encoding=samples.encoding, shrinkage=shrinkage)
    decision = decision.with_parameters(dropout=best.dropout)
    judge.progress.chosen(decision)
    return decision, samples


def shortened(decision, several):
    """The decision to train narrower networks for fewer epochs, even more so where several encodings are compared."""
    sizes, n_epochs = decision.parameters.hidden_layer_sizes, decision.parameters.max_iter
    narrow = tuple(min(size, max(NARROW, size // WIDTH_DIVISORS[several])) for size in sizes)
    return decision.with_parameters(hidden_layer_sizes=narrow, max_iter=-(-n_epochs // EPOCHS_DIVISORS[several]))


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
    trial : Decision
        On how to train; each encoding has an initial model of its own.
    parts : list of (ndarray of int, ndarray of int)
        Rows to train on and rows to judge by.
    targets : Targets
    rng : numpy.random.Generator
    """

    def __init__(self, trial, parts, targets, rng):
        self.trial, self.parts, self.targets, self.rng = trial, parts, targets, rng
        self.shrinks = trial.parameters.dropout == "auto"
        self.dropouts = DROPOUTS if self.shrinks else [trial.parameters.dropout]
        self.progress = Progress(trial.parameters.verbose)
        self.penalty = None  # chosen once, for the first encoding, as that takes long

    def __call__(self, samples):
        """The Outcome of an encoding with the best of the dropouts, the first of equal ones."""
        judged = [self.train(samples, train, held) for train, held in self.parts]
        outcomes = []
        for dropout, pairs in zip(self.dropouts, zip(*judged, strict=True), strict=True):
            loss, factor = best_factor(pairs, LOSSES[self.trial.parameters.loss](), self.shrinks)
            outcomes.append(Outcome(loss, factor, dropout))
            self.progress.compared(len(samples.encoding.components), outcomes[-1])
        return min(outcomes, key=attrgetter("loss"))

    def train(self, samples, train, held):
        """For each dropout the scores of the rows held out, and their data, both by the targets' scale."""
        additive = self.trial.parameters.init == "additive"
        initial_model = self.targets.initial_model(samples, train, self.rng, additive=additive, penalty=self.penalty)
        self.penalty = initial_model.penalty
        data = self.targets.training_data(samples, initial_model)
        trial = replace(self.trial, encoding=samples.encoding, initial_model=initial_model)
        trials = [trial.with_parameters(dropout=dropout) for dropout in self.dropouts]
        trainers = [new_trainer(self.targets, trial, self.rng) for trial in trials]
        run_epochs(TrainingState(self.targets, trial, self.rng, trainers), data, train)
        unit = np.float32(initial_model.relative_scale)
        expected = data.of(held)
        expected = replace(expected, targets=unit * expected.targets)
        return [(unit * network_scores(trainer.network, data, train, held), expected) for trainer in trainers]


def network_scores(network, data, train, held):
    """What the network, packed, adds to the scores of held-out rows, (n_rows, n_outputs)."""
    estimate_statistics(network, data.bits[train], data.sample_weight[train])
    n_bits = network.layer_sizes[0]
    encoding = Encoding(np.zeros(n_bits), np.arange(n_bits + 1), np.empty((0, n_bits)))
    return fold([network], encoding, output="identity").decision_function_from_bits(data.bits[held])


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
