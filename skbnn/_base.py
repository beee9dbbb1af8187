"""What both estimators share: parameters, validation, and fit."""

from abc import ABC, abstractmethod
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skbnn._sklearn import Interval, StrOptions, _check_sample_weight
from skbnn.kernels.blas import one_blas_thread
from skbnn.network.trainer import SPREADS, SURROGATE_GRADIENTS
from skbnn.training.decide import decide
from skbnn.training.early_stopping import EarlyStopping
from skbnn.training.epochs import run_epochs
from skbnn.training.flips import FlipRatio
from skbnn.training.importances import importances
from skbnn.training.interruption import KeepOnInterrupt
from skbnn.training.parameters import FEW, Parameters
from skbnn.training.progress import Progress
from skbnn.training.samples import Samples, without_weightless
from skbnn.training.state import TrainingState
from skbnn.training.stream import Memory

# What the encoder reads as it is; anything else is converted to the first.
DTYPES = [np.float64, np.float32, np.float16, np.bool_]
DTYPES += [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]


class BaseBinaryMLP(BaseEstimator, ABC):
    """Parameters, validation and fit; a subclass knows its targets."""

    _parameter_constraints = {
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like", Interval(Integral, 1, None, closed="left")],
        "binarization": [StrOptions(set(SPREADS))],
        "surrogate_gradient": [StrOptions(set(SURROGATE_GRADIENTS))],
        "n_thresholds": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_components": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "n_estimators": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "solver": [StrOptions({"adam", "sgd", "bop"})],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 2, None, closed="left")],  # batch norm needs two
        "learning_rate": [StrOptions({"cosine", "exponential", "constant"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "init": [StrOptions({"additive", "constant"})],
        "dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    @abstractmethod
    def _check_y(self, y):
        """Check y and bring it to one dimension where it has one column."""

    @abstractmethod
    def _learn_targets(self, y, streaming):
        """The Targets that y is of; if ``streaming``, y need not hold every class."""

    def _class_weights(self, y):
        """The factor of each row's weight that its class has."""
        return 1.0

    def _class_labels(self):
        return None

    @property
    def packed_(self):
        """The PackedNetwork that predicts."""
        check_is_fitted(self)
        return self._packed

    @property
    def coefs_(self):
        """Binary weights that predict, a list of (n_inputs, n_units) int8 arrays of ±1, first layer first."""
        return [weights.reshape(-1, weights.shape[2]).T for weights in self.packed_.binary_weights]

    @property
    def feature_importances_(self):
        """Each feature's part of what moves the scores, (n_features,), as the class says; computed at each access."""
        return importances(self.packed_, self._state.values)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_packed")

    def _fit(self, X, y, sample_weight, *, streaming=False):
        """Train from the start or, for ``partial_fit`` and ``warm_start``, go on from the last call."""
        before = vars(self).copy()
        try:
            return self._fit_from(self._take_state(streaming), X, y, sample_weight, streaming)
        except KeyboardInterrupt:  # what predicts and the attributes are those of the last call; weights have moved on
            vars(self).clear()
            vars(self).update(before)
            raise

    def _fit_from(self, state, X, y, sample_weight, streaming):
        X, y, sample_weight = self._validate(X, y, sample_weight, reset=state is None)
        if state:
            targets = replace(state.targets, loss=self.loss, streaming=streaming)
        else:
            targets = self._learn_targets(y, streaming)
        given = {name: getattr(self, name) for name in self._parameter_constraints}
        parameters = Parameters.of(given, targets.network_loss, streaming=streaming)
        rows = self._rows(X, y, sample_weight, targets)
        with one_blas_thread():
            state, samples = self._prepare(rows, targets, parameters, state)
            data = targets.training_data(samples, state.decision.initial_model)
            run_epochs(state, data, samples.rows, self._watchers(state, samples, data))
            state.draw_values(samples)
            self._keep(state, state.pack(data, samples.rows))
        return self

    def _take_state(self, streaming):
        """The state to go on from, or None.

        Then what the last fit set is removed, so that a fit that fails leaves no mixture of two.
        """
        if streaming and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if hasattr(self, "_packed") and (streaming or self.warm_start):
            return self._state
        for name in "_packed", "_state":
            self.__dict__.pop(name, None)
        return None

    def _validate(self, X, y, sample_weight, *, reset):
        options = {"accept_sparse": "csr", "multi_output": True, "y_numeric": is_regressor(self)}
        X, y = validate_data(self, X, y, dtype=DTYPES, reset=reset, **options)
        y = self._check_y(y.toarray() if issparse(y) else y)
        return X, y, _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)

    def _rows(self, X, y, sample_weight, targets):
        """The rows that have a weight, as ``Samples.of`` takes them, once the targets are known by all rows."""
        encoded = targets.encode(y)
        X, y, encoded, sample_weight = without_weightless(sample_weight, X, y, encoded, sample_weight)
        return X, encoded, sample_weight, np.broadcast_to(self._class_weights(y), len(y))

    def _prepare(self, rows, targets, parameters, state):
        """A state that is ready to train, and its samples: of these rows and, in a stream, of those that it keeps."""
        seed = state.seed if state else check_random_state(self.random_state).randint(2**31)
        rng = state.rng if state else np.random.default_rng(seed)
        n_new, memory, begins = len(rows[1]), Memory(), state is None
        if parameters.streaming:
            memory, rows, begins = (Memory(n_begun=0) if begins else state.memory).after(rows, rng)
        samples = Samples.of(*rows)
        if len(samples.rows) < FEW and parameters.shuffle and not parameters.streaming:
            samples = samples.merged()
        if self.early_stopping:
            samples = samples.hold_out(self.validation_fraction, targets, seed)
        if state:
            decision = state.decision.revised(parameters, samples, targets)
            if not begins:
                samples = samples.encode(decision.encoding)
                return state.resumed(targets, decision, samples, n_new, memory), samples
            parameters = replace(decision.parameters, max_iter=len(state.losses) + 1)  # as many as there have been
        decision, samples = decide(samples, targets, parameters, rng)
        return TrainingState.begin(targets, decision, rng, seed, len(samples.rows), memory), samples

    def _watchers(self, state, samples, data):
        """What watches the loop over epochs; scores come before they are printed."""
        watchers = [FlipRatio(state), Progress(self.verbose)]
        if self.early_stopping:
            watchers.insert(1, EarlyStopping(samples, data, tol=self.tol, patience=self.n_iter_no_change))
        return watchers if state.decision.parameters.streaming else [*watchers, KeepOnInterrupt()]

    def _keep(self, state, packed):
        """Set what is known after a fit."""
        names = {"classes": self._class_labels(), "feature_names": getattr(self, "feature_names_in_", None)}
        self._state, self._packed = state, packed.named(**names)
        parameters = state.decision.parameters
        self.n_outputs_, self.out_activation_ = state.targets.n_outputs, state.targets.output
        self.hidden_layer_sizes_, self.n_layers_ = parameters.hidden_layer_sizes, len(parameters.hidden_layer_sizes) + 2
        self.batch_size_ = parameters.batch_size
        self.n_components_, self.n_estimators_ = parameters.n_components, parameters.n_estimators
        self.dropout_, self.shrinkage_ = parameters.dropout, float(state.decision.shrinkage)
        self.n_iter_, self.loss_curve_, self.validation_scores_ = len(state.losses), state.losses, state.scores or None
        self.flip_ratio_curve_ = state.flip_ratios
        self.loss_, self.t_ = next(reversed(state.losses), None), state.n_rows_trained  # none if interrupted early
        self.best_loss_ = None if state.scores else min(state.losses, default=None)
        self.best_validation_score_ = max(state.scores, default=None)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _ask_packed(self, method, X):
        """What a method of the packed network, by its name, says of validated rows."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=DTYPES, reset=False, ensure_all_finite=False)
        try:  # the packed network looks for NaN and infinity while it reads X anyway
            return getattr(self.packed_, method)(X)
        except ValueError:
            assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")
            raise
