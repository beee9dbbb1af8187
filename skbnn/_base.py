"""What both estimators share: parameters, validation, the training loop."""

import time
import warnings
from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.model_selection import train_test_split
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skbnn._additive import MAX_FEATURES
from skbnn._blas import one_blas_thread
from skbnn._codes import find_codes
from skbnn._sklearn import Interval, StrOptions, _check_sample_weight
from skbnn._tuning import DROPOUTS, choose
from skbnn.encoding import Encoder
from skbnn.folding import estimate_statistics, fold
from skbnn.network.ensemble import train_epoch
from skbnn.network.network import BinaryNetwork
from skbnn.network.trainer import SPREADS, SURROGATE_GRADIENTS, Trainer, TrainingData, TrainingOptions

# What the encoder reads as it is; anything else is converted to the first.
DTYPES = [np.float64, np.float32, np.float16, np.bool_]
DTYPES += [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]

# max_iter=None trains for this many epochs, and on small data for at least this many mini-batches.
MIN_EPOCHS, MIN_STEPS = 28, 1250

# An output that no other competes with adds up this many binary units: a finer score than one unit can give.
UNITS_PER_OUTPUT = 8

# The mean of two networks errs less than one does; beyond so many rows, one learns more by itself and takes long.
MAX_ROWS_FOR_TWO = 50_000

# Share of the largest weight; targets in standard deviations by weights that differ more would overflow float32.
SMALLEST_WEIGHT = 1e-30

# Drawn weights are what was learnt only once latent weights have come from ±1 to the other end, ten times as far as in
# ±0.1. Bop has no latent weights.
LEARNING_RATES = {
    "sign": {"adam": 0.01, "sgd": 5.0, "bop": 0.003},
    "stochastic": {"adam": 0.1, "sgd": 50.0, "bop": 0.003},
}


class BaseBinaryMLP(BaseEstimator, ABC):
    """Parameters, validation and training; a subclass knows its targets."""

    _parameter_constraints = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "binarization": [StrOptions(set(SPREADS))],
        "surrogate_gradient": [StrOptions(set(SURROGATE_GRADIENTS))],
        "n_thresholds": [Interval(Integral, 1, None, closed="left")],
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

    # Standard deviation of the network's initial scores, which a subclass knows, and what the initial range of latent
    # weights in the first and in the output layer is multiplied by: in a wider range they flip later.
    _output_gain: float
    _spread_factors = 1.0, 1.0

    # The factor of the network's scores when it predicts, and that factor in a unit that does not depend on the start.
    _target_scale = 1.0
    _relative_scale = 1.0

    @abstractmethod
    def _check_targets(self, y):
        """Check y and bring it to one dimension where it has one column."""

    def _weigh_classes(self, y, sample_weight):
        return sample_weight

    @abstractmethod
    def _learn_outputs(self, y, incremental):
        """Set ``n_outputs_``, ``out_activation_`` and what else says how scores encode targets like ``y``.

        If ``incremental``, y need not hold every class.
        """

    @abstractmethod
    def _check_outputs(self, y):
        """Raise ValueError if ``y`` does not fit what the first call has learnt."""

    @abstractmethod
    def _fit_start(self, X, data, y, rows):
        """Find what the scores are before there is a network, from these rows: constants or, if ``_additive``, more.

        Sets ``_start`` and, where scores have one, ``_target_scale`` and ``_relative_scale``. A ridge regression takes
        ``_ridge_penalty`` or, where that is None, chooses and keeps it.
        """

    @abstractmethod
    def _encode_targets(self, X, data, y):
        """The data with ``targets`` as the loss reads them and ``offsets`` of the scores."""

    @abstractmethod
    def _validation_score(self, predicted, y, sample_weight):
        """Score of what ``packed_`` predicts, higher is better."""

    @property
    def coefs_(self):
        """Binary weights that predict, a list of (n_inputs, n_units) int8 arrays of ±1, first layer first."""
        check_is_fitted(self)
        return [weights.reshape(-1, weights.shape[2]).T for weights in self.packed_.binary_weights]

    def __sklearn_is_fitted__(self):
        return hasattr(self, "packed_")

    def _fit(self, X, y, sample_weight, *, incremental=False):
        """Train from the start or, for ``partial_fit`` and ``warm_start``, go on from the last call."""
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        proceed = hasattr(self, "packed_") and (incremental or self.warm_start)
        if not proceed:  # a fit that fails from here on leaves no mixture of two
            for name in "packed_", "_trainers", "best_validation_score_":
                self.__dict__.pop(name, None)
        X, y, sample_weight = self._validate(X, y, sample_weight, reset=not proceed)
        if not proceed:
            self._learn_outputs(y, incremental)
            self._seed = check_random_state(self.random_state).randint(2**31)
            self._rng = np.random.default_rng(self._seed)
        else:
            self._check_shape_unchanged()
        self._check_outputs(y)
        options, batch_size = self._training_options(incremental), self._check_batch_size(len(X))
        with one_blas_thread():
            train = self._partial_fit if incremental else self._run_epochs
            train(X, y, sample_weight, options, batch_size, proceed)
        return self

    def _validate(self, X, y, sample_weight, *, reset):
        X, y = validate_data(self, X, y, dtype=DTYPES, multi_output=True, y_numeric=is_regressor(self), reset=reset)
        y = self._check_targets(y.toarray() if issparse(y) else y)
        sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        X, y, sample_weight = without_weightless(X, y, sample_weight)
        return without_weightless(X, y, scale_weights(self._weigh_classes(y, sample_weight)))

    def _directions(self, X, y, sample_weight, rows, n_thresholds):
        """What may be worth encoding before principal components: as ``pursue_directions`` returns it."""
        return np.empty((0, X.shape[1])), []

    def _hidden_layer_sizes(self):
        sizes = np.ravel(self.hidden_layer_sizes).tolist()
        if not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be integers > 0, got {self.hidden_layer_sizes}.")
        return sizes

    def _check_shape_unchanged(self):
        fitted = self._trainers[0].network.layer_sizes[1:-1]
        if self._hidden_layer_sizes() != fitted:
            raise ValueError(f"hidden_layer_sizes={self.hidden_layer_sizes} can't go on from layers of {fitted}.")
        if self.n_thresholds != self._n_thresholds:
            raise ValueError(f"n_thresholds={self.n_thresholds} can't go on from {self._n_thresholds}.")
        if self.n_components not in ("auto", self.n_components_):
            raise ValueError(f"n_components={self.n_components} can't go on from {self.n_components_}.")
        if self.n_estimators not in ("auto", self.n_estimators_):
            raise ValueError(f"n_estimators={self.n_estimators} can't go on from {self.n_estimators_}.")

    def _check_batch_size(self, n_samples):
        if self.batch_size == "auto":
            return min(128, n_samples)
        if self.batch_size > n_samples:
            warnings.warn(
                f"batch_size={self.batch_size} is larger than the {n_samples} training samples and is clipped.",
                stacklevel=5,
            )
        return min(self.batch_size, n_samples)

    def _training_options(self, incremental):
        names = ["binarization", "surrogate_gradient", "solver", "learning_rate", "momentum", "nesterovs_momentum"]
        names += ["beta_1", "beta_2", "epsilon"]
        options = TrainingOptions(
            loss=f"multiclass_{self.loss}" if self.out_activation_ == "softmax" else self.loss,
            learning_rate_init=self.learning_rate_init or LEARNING_RATES[self.binarization][self.solver],
            **{name: getattr(self, name) for name in names},
        )
        if incremental:  # a stream has no end that a schedule could run to
            options.learning_rate = "constant"
        return options

    def _begin(self, X, y, sample_weight, rows, options, batch_size, n_epochs, proceed):
        """Everything before the first epoch; ``n_epochs`` are those to come, None in a stream."""
        if proceed:
            data = TrainingData(Encoder(*self._code).encode(X), sample_weight)
        else:
            data = self._choose(X, y, sample_weight, rows, options, batch_size, n_epochs)
            self._initialize(X, data, y, rows, options, batch_size)
        if self.dropout != "auto":
            self.dropout_, self.shrinkage_ = self.dropout, 1.0
        for trainer in self._trainers:
            trainer.reconfigure(replace(options, dropout=self.dropout_), batch_size)
        return self._encode_targets(X, data, y)

    def _choose(self, X, y, sample_weight, rows, options, batch_size, n_epochs):
        """Decide on the code and on dropout; returns the data in that code."""
        self._n_thresholds = self.n_thresholds
        self._in_a_stream = n_epochs is None
        n_components = 0 if self._in_a_stream and self.n_components == "auto" else self.n_components
        directions = partial(self._directions, X, y, sample_weight, rows)
        self._code, extensions = find_codes(X, self.n_thresholds, n_components, directions, self._rng)
        data = TrainingData(Encoder(*self._code).encode(X), sample_weight)
        self.dropout_, self.shrinkage_ = 0.0, 1.0
        dropouts = DROPOUTS if self.dropout == "auto" else [self.dropout]
        if not self._in_a_stream and (extensions or len(dropouts) > 1):
            chosen = choose(self, X, self._code, data, extensions, y, rows, dropouts, options, batch_size, n_epochs)
            self._code, data, self.dropout_, self.shrinkage_ = chosen
        self.n_components_ = len(self._code.components)
        return data

    def _initialize(self, X, data, y, rows, options, batch_size):
        """Fit the start and draw networks."""
        self._ridge_penalty = None
        self._fit_start(X, data, y, rows)
        self.n_estimators_ = self.n_estimators
        if self.n_estimators == "auto":
            self.n_estimators_ = 1 if self._in_a_stream or len(rows) > MAX_ROWS_FOR_TWO else 2
        sizes = self._hidden_layer_sizes()
        self._trainers = [self._new_trainer(sizes, options, batch_size) for _ in range(self.n_estimators_)]
        self._n_rows_seen = 0
        self.n_layers_ = len(sizes) + 2
        self.n_iter_ = 0
        self.loss_curve_ = []
        self.validation_scores_ = None

    @property
    def _additive(self):
        """Whether the start is an additive model, where the loss has one."""
        return self.init == "additive" and not self._in_a_stream and self.n_features_in_ <= MAX_FEATURES

    def _new_trainer(self, hidden_layer_sizes, options, batch_size):
        spreads = np.full(len(hidden_layer_sizes) + 1, SPREADS[self.binarization])
        if self.binarization == "sign":  # drawn weights have the whole range already
            spreads[0] *= self._spread_factors[0]
            spreads[-1] *= self._spread_factors[1]
        network = BinaryNetwork.initialize(
            self._code.n_bits,
            hidden_layer_sizes,
            self.n_outputs_,
            units_per_output=1 if self.out_activation_ == "softmax" else UNITS_PER_OUTPUT,
            output_gain=self._output_gain,
            spreads=spreads,
            rng=self._rng,
        )
        return Trainer(network, options, seed=self._rng.integers(2**63), max_rows=batch_size)

    def _partial_fit(self, X, y, sample_weight, options, batch_size, proceed):
        """Train for one epoch; the statistics are an average over all calls, at least a tenth of it from this one."""
        rows = np.arange(len(y))
        data = self._begin(X, y, sample_weight, rows, options, batch_size, None, proceed)
        self.loss_curve_.append(self._run_epoch(self._trainers, data, rows))
        self.n_iter_ += 1
        self._n_rows_seen += len(rows)
        if self.verbose:
            print(f"Epoch {self.n_iter_}, loss = {self.loss_curve_[-1]:.6f}", flush=True)
        self.packed_ = self._pack(data, rows, momentum=max(0.1, len(rows) / self._n_rows_seen))

    def _run_epochs(self, X, y, sample_weight, options, batch_size, proceed):
        """The whole training; keeps the best state of the validation rows, or the last."""
        rows, validation = np.arange(len(y)), None
        if self.early_stopping:
            rows, validation = self._split(y)
            held = X[validation]
        n_epochs = self.max_iter or max(MIN_EPOCHS, -(-MIN_STEPS // -(-len(rows) // batch_size)))
        data = self._begin(X, y, sample_weight, rows, options, batch_size, n_epochs, proceed)
        self.loss_curve_, self.validation_scores_ = [], [] if self.early_stopping else None
        best_score, best_epoch, best = -np.inf, 0, None
        try:
            for epoch in range(n_epochs):
                started = time.perf_counter()
                self.loss_curve_.append(self._run_epoch(self._trainers, data, rows, epoch, n_epochs))
                if validation is not None:
                    packed = self._pack(data, rows)
                    predicted = packed.predict(held)
                    score = self._validation_score(predicted, y[validation], data.sample_weight[validation])
                    self.validation_scores_.append(score)
                    if score > best_score + self.tol or best is None:
                        best_epoch = epoch
                    if score > best_score or best is None:
                        best_score, best = score, (deepcopy(self._trainers), packed)
                self._report(n_epochs, time.perf_counter() - started)
                if validation is not None and epoch - best_epoch >= self.n_iter_no_change:
                    break
        except KeyboardInterrupt:
            if not all(trainer.n_steps[0] for trainer in self._trainers):
                raise
            done = f"after {len(self.loss_curve_)} of {n_epochs} epochs"
            warnings.warn(f"Training interrupted by user {done}; what was trained is kept.", stacklevel=5)
        self.n_iter_ = len(self.loss_curve_)
        self._n_rows_seen = len(rows)
        if best is not None:
            self._trainers, self.packed_ = best
            self.best_validation_score_ = best_score
        else:
            self.packed_ = self._pack(data, rows)

    def _split(self, y):
        """Rows to train on and rows to validate on; of the same rows always the same, as a warm start goes on."""
        stratify = y if is_classifier(self) and y.ndim == 1 else None
        fraction = self.validation_fraction
        try:
            rows, validation = train_test_split(
                np.arange(len(y)), test_size=fraction, stratify=stratify, random_state=self._seed
            )
        except ValueError as error:
            raise ValueError(f"validation_fraction={fraction} does not suit {len(y)} rows: {error}") from error
        if len(validation) < 2 and is_regressor(self):
            raise ValueError(f"validation_fraction={fraction} of {len(y)} rows is one row, which has no R².")
        return rows, validation

    def _run_epoch(self, trainers, data, rows, epoch=0, n_epochs=1):
        """Train once on each row, in mini-batches of sizes that differ by one at most; returns the mean loss."""
        if self.shuffle:
            rows = self._rng.permutation(rows)
        batches = np.array_split(rows, -(-len(rows) // trainers[0].max_rows))
        return train_epoch(trainers, data, batches, epoch, n_epochs)

    def _pack(self, data, rows, momentum=1.0):
        """The networks as they predict, with batch norm's statistics taken from these rows."""
        networks = [trainer.network for trainer in self._trainers]
        bits, sample_weight = data.bits[rows], data.sample_weight[rows]
        for network in networks:
            estimate_statistics(network, bits, sample_weight, momentum=momentum)
        return fold(
            networks,
            self._code,
            output=self.out_activation_,
            factor=self.shrinkage_ * self._target_scale,
            **self._start._asdict(),
        )

    def _report(self, n_epochs, seconds):
        if self.verbose:
            score = f", validation score = {self.validation_scores_[-1]:.4f}" if self.early_stopping else ""
            epoch = len(self.loss_curve_)
            print(f"Epoch {epoch}/{n_epochs}, loss = {self.loss_curve_[-1]:.6f}{score}, {seconds:.2f} s", flush=True)

    def _ask_packed(self, method, X):
        """What a method of the packed network, by its name, says of validated rows."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=DTYPES, reset=False, ensure_all_finite=False)
        try:  # the packed network looks for NaN and infinity while it reads X anyway
            return getattr(self.packed_, method)(X)
        except ValueError:
            assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")
            raise


def without_weightless(X, y, sample_weight):
    """The rows of positive weight: a weight of zero is the same as no row at all."""
    kept = sample_weight > 0
    if not kept.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return (X, y, sample_weight) if kept.all() else (X[kept], y[kept], sample_weight[kept])


def scale_weights(sample_weight):
    """Divide weights by a power of two, which is exact, so that the largest is within [0.5, 1) and no sum overflows.

    What is too small beside it to count in a sum becomes 0.
    """
    scaled = np.ldexp(sample_weight, -np.frexp(sample_weight.max())[1])
    return np.where(scaled > SMALLEST_WEIGHT, scaled, 0)
