"""What short trainings of narrow networks say on held-out rows: whom to trust how far, and combinations to encode."""

from copy import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.stats import gmean

from skbnn.folding import estimate_statistics, network_scores
from skbnn.network.trainer import LOSSES
from skbnn.training.epochs import run_epochs
from skbnn.training.parameters import Decision
from skbnn.training.relevance import Relevance, Unseen, find_relevance, losses_of_factors
from skbnn.training.splits import find_copies, halves
from skbnn.training.state import TrainingState, new_trainer

# What is compared are networks of a share of the width, but for narrow ones, trained for a share of the epochs, with
# this dropout unless a number was asked for. In shorter or narrower training, dropout looks worse than it is.
WIDTH_DIVISOR, NARROW, EPOCHS_DIVISOR, DROPOUT = 2, 64, 3, 0.1

# What a network deserves can exceed 1, as one that is trained for longer says more.
LARGEST_FACTOR = 2.0

ENOUGH_TRUST = 1.0  # a factor above this asks for no dropout

# A loss is less than another without doubt if it is less than this share of it, and by so much, which is .002 of R²: of
# a small one, longer training takes a larger share.
LESS, LEAST_GAIN = 0.97, 0.001

# Added to both losses that are compared, so that next to none is no better than none: R² is .999998, or the true class
# has the probability .999999.
EXACT = 1e-6


class Outcome(NamedTuple):
    """What held-out rows say.

    Attributes
    ----------
    loss : ndarray of shape (n_factors,)
        With both the initial model and the network; one, or one of each output, as ``Targets.n_factors`` says.
    alone : ndarray of shape (n_factors,)
        With the initial model alone.
    share : ndarray of shape (n_factors,)
        Of the initial model, as in ``InitialModel.shrunk``, that is best.
    factor : ndarray of shape (n_factors,)
        Of the network's scores that is best.
    penalty : object
        Of the initial model, as ``Targets.choose_penalty`` gives it.
    first : ndarray of shape (n_factors,) or None
        ``loss`` of the first of several parts alone.
    relevance : Relevance
        Of the features.
    """

    loss: np.ndarray
    alone: np.ndarray
    share: np.ndarray
    factor: np.ndarray
    penalty: object = None
    first: np.ndarray | None = None
    relevance: Relevance | None = None

    @property
    def gain(self):
        """Share of the initial model's loss that the network takes off, of the output where that is most."""
        return 1 - shares(self.loss, self.alone).min()

    def share_of(self, rival):
        """The loss as a share of the rival's, of outputs the geometric mean: one that is noise hides no other."""
        return gmean(shares(self.loss, rival.loss))

    def beats(self, rival, worth):
        """Whether the loss is less than the rival's, and for one output less than the share ``worth`` of its own."""
        return self.share_of(rival) < 1 and shares(self.loss, rival.loss).min() < worth

    def beats_alone(self, rival):
        """Whether the initial model alone has less loss than the rival with its network, for one output without doubt.

        Unlike a network's, its loss is what it will be: no longer training follows.
        """
        less = shares(self.alone, rival.loss)
        without_doubt = (less < LESS) & (rival.loss - self.alone > LEAST_GAIN)
        return gmean(less) < 1 and bool(without_doubt.any())

    @property
    def dropout(self):
        """What networks that train for longer should have: a factor above 1 says that they learn less than there is."""
        return 0.0 if np.mean(self.factor) > ENOUGH_TRUST else DROPOUT


class Judge:
    """Trains on one part of the rows and judges by the other.

    Parameters
    ----------
    parameters : Parameters
        Of the training that is to come.
    parts : list of (ndarray of int, ndarray of int)
        Rows to train on and rows to judge by.
    targets : Targets
    progress : Progress
        Is told what is compared.
    rng : numpy.random.Generator

    Attributes
    ----------
    n_epochs : int
        Of the training that is to come.
    features : list of (ndarray of shape (n_features,), bool)
        For each part the features that have bits, if not all.
    """

    def __init__(self, parameters, parts, targets, progress, rng):
        self.parameters, self.parts, self.targets, self.rng = shortened(parameters), parts, targets, rng
        self.n_epochs = parameters.max_iter
        self.loss, self.progress, self.features = LOSSES[parameters.loss](), progress, []

    def of_relevant_features(self, samples, penalty, share):
        """The same where only features have bits that are relevant among the rows that a network is trained on.

        By the rows that judge it, or by models that have seen these, features that say nothing would be believed where
        they happen to.

        Parameters
        ----------
        samples : Samples
        penalty : object
            Of the initial model by which features are relevant.
        share : float
            Of what all features are worth, which a relevant one has to exceed.
        """
        judge, samples = copy(self), samples.encoded()
        judge.features = []
        _, copy_of = find_copies(samples, samples.rows)
        for train, _ in self.parts:
            both = halves(train, copy_of[np.isin(samples.rows, train)], self.rng)
            judge.features.append(self.relevance_within(samples, both, penalty).exceeds(share))
        return judge

    def longer(self):
        """The same with networks that train for as many epochs as the training that is to come."""
        judge = copy(self)
        judge.parameters = replace(self.parameters, max_iter=self.n_epochs)
        return judge

    def relevance_within(self, samples, both, penalty):
        """The Relevance of features by initial models of either half of some rows, on the other half."""
        parts = []
        for train, held in (both, both[::-1]):
            initial_model = self.targets.initial_model(samples, train, self.rng, penalty=penalty)
            of_half = HeldOut.of(self.targets, samples, initial_model, held)
            parts.append(of_half.without_network(samples, initial_model, held))
        return find_relevance(parts, self.loss, self.targets.n_factors)

    def choose_penalty(self, samples):
        """The penalty of an additive model and what was fitted for it, as ``Targets.choose_penalty`` gives them."""
        if self.parameters.init == "constant":
            return None, {}
        self.progress.stage("Choosing the initial model")
        return self.targets.choose_penalty(samples.encoded(), self.parts, self.rng)

    def curbed(self, asked, parameters):
        """Parameters no wider nor longer than the judge's, where that was left open in what was ``asked``."""
        sizes, n_epochs = self.parameters.hidden_layer_sizes, self.parameters.max_iter
        sizes = sizes if asked.hidden_layer_sizes == "auto" else parameters.hidden_layer_sizes
        return replace(parameters, hidden_layer_sizes=sizes, max_iter=asked.max_iter or n_epochs)

    def __call__(self, samples, penalty, fitted=None, *, rival=None):
        """Judge the samples' encoding and a penalty of the initial model.

        Parameters
        ----------
        samples : Samples
        penalty : object
            As ``choose_penalty`` gives it, or another.
        fitted : dict, default=None
            As ``choose_penalty`` gives it for these bits.
        rival : Outcome, default=None
            Of the same parts. One that is as good on the first of several parts ends it.

        Returns
        -------
        Outcome or None
            None if the rival ended it.
        """
        if not self.features:
            samples = samples.encoded()  # once for all parts
        models = None if self.features or fitted is None else fitted.get(penalty)  # those of other bits are no use
        watcher = self.progress.trial(samples.encoding, len(self.parts) * self.parameters.max_iter)
        parts, unseen, first = [], [], None
        for i, (train, held) in enumerate(self.parts):
            of_part = samples.encode(samples.encoding.with_features(self.features[i])) if self.features else samples
            if models is None:
                initial_model = self.targets.initial_model(of_part, train, self.rng, penalty=penalty)
            else:
                initial_model = models[i]
            parts.append(self.train(of_part, initial_model, watcher, train, held))
            unseen.append(parts[i].without_network(of_part, initial_model, held))
            if i == 0 and len(self.parts) > 1:
                first = weigh(parts, self.loss, self.targets).loss
                if rival is not None and not gmean(shares(first, rival.first)) < 1:  # nor if it is NaN
                    self.progress.compared(samples.encoding, None)
                    return None
        relevance = find_relevance(unseen, self.loss, self.targets.n_factors)
        outcome = weigh(parts, self.loss, self.targets)
        outcome = outcome._replace(penalty=penalty, first=first, relevance=relevance)
        self.progress.compared(samples.encoding, outcome)
        return outcome

    def train(self, samples, initial_model, watcher, train, held):
        """Train a network beside the initial model; what HeldOut it leaves."""
        targets, rng = self.targets, self.rng
        data = targets.training_data(samples, initial_model)
        decision = Decision(self.parameters, samples.encoding, initial_model)
        trainer = new_trainer(targets, decision, rng)
        run_epochs(TrainingState(targets, decision, rng, [trainer]), data, train, [watcher])
        trainer.check()
        estimate_statistics(trainer.network, data.bits, data.sample_weight, rows=train)
        return HeldOut.of(targets, samples, initial_model, held, [trainer.network])


class HeldOut(NamedTuple):
    """Rows that are held out: their targets and weights, and three parts that may add up to their scores.

    These are what the initial model says of every row, what it adds to that, and what the network adds.
    """

    targets: np.ndarray
    sample_weight: np.ndarray
    constant: np.ndarray
    varying: np.ndarray
    scores: np.ndarray

    @classmethod
    def of(cls, targets, samples, initial_model, rows, networks=()):
        """Some rows of encoded samples, as an initial model and networks see them."""
        expected, constant, varying = targets.truth(samples, initial_model, rows)
        scores = 0.0
        if networks:
            unit = initial_model.scale / initial_model.unit
            scores = unit * network_scores(networks, samples.encoding, samples.bits[rows])
        return cls(expected.astype(np.float32), samples.sample_weight[rows], constant, varying, scores)

    def without_network(self, samples, initial_model, rows):
        """The same rows as the initial model sees them."""
        scores = self.constant + self.varying
        return Unseen(samples, initial_model, rows, self.targets, self.sample_weight, scores)


def shortened(parameters):
    """The same of narrower networks for fewer epochs."""
    narrow = tuple(min(size, max(NARROW, size // WIDTH_DIVISOR)) for size in parameters.hidden_layer_sizes)
    parameters = replace(parameters, hidden_layer_sizes=narrow, max_iter=-(-parameters.max_iter // EPOCHS_DIVISOR))
    return parameters.where_auto(dropout=DROPOUT)


def weigh(parts, loss, targets):
    """The Outcome for HeldOut parts: the share and the factor of the smallest loss, one, or one for each output."""
    n_factors = targets.n_factors

    def predicted(part, weights):
        share, factor = np.split(weights, 2)
        return (part.constant + share * part.varying + factor * part.scores).astype(np.float32)

    def total(weights):
        value, slopes = 0.0, np.zeros((2, n_factors))
        for part in parts:
            scores = predicted(part, weights)
            gradient = np.empty_like(scores)
            value += loss(scores, part.targets, part.sample_weight, gradient)
            for slope, of_part in zip(slopes, (part.varying, part.scores), strict=True):
                slope += (gradient * of_part).sum(axis=0).reshape(n_factors, -1).sum(axis=1)
        return value / len(parts), slopes.ravel() / len(parts)

    def losses(weights):
        """The mean loss of each factor's outputs, (n_factors,)."""
        of_parts = (losses_of_factors(loss, n_factors, predicted(part, weights), part) for part in parts)
        return sum(of_parts) / len(parts)

    def best(most):
        start, bounds = np.repeat([1.0, min(most, 0.5)], n_factors), np.repeat([targets.largest_share, most], n_factors)
        bounds = np.column_stack([np.zeros(2 * n_factors), bounds])
        return minimize(total, start, jac=True, method="L-BFGS-B", bounds=bounds).x

    both = best(LARGEST_FACTOR)
    return Outcome(losses(both), losses(best(0.0)), *np.split(both, 2))


def shares(losses, rivals):
    """Losses of outputs as shares of a rival's, (n_factors,); about 1 where both are next to none."""
    return (losses + EXACT) / (rivals + EXACT)
