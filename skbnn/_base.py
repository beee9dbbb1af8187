"""What both estimators share: parameters, validation, and fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skbnn._callbacks import Callbacks, callbacks_of
from skbnn._doc_link import DocumentationLink
from skbnn._sklearn import CallbackSupportMixin, Interval, Options, StrOptions, check_sample_weight
from skbnn._validation import are_validation_rows, categorical_mask, validated, within_float64
from skbnn._whole import whole
from skbnn.encoding.tables import are_categorical, find_categories, unmasked, with_new_labels
from skbnn.kernels.blas import one_blas_thread
from skbnn.network.trainer import SPREADS, SURROGATE_GRADIENTS
from skbnn.training.early_stopping import EarlyStopping
from skbnn.training.epochs import run_epochs
from skbnn.training.flips import FlipRatio
from skbnn.training.interruption import KeepOnInterrupt
from skbnn.training.parameters import Parameters
from skbnn.training.prepare import begin, go_on
from skbnn.training.progress import progress_of
from skbnn.training.samples import scale_weights, without_unit, without_weightless
from skbnn.training.state import FinalState, TrainingState

if TYPE_CHECKING:
    from typing import Self

    from skbnn._typing import Array, Bits, Bools, Floats
    from skbnn.packed import PackedNetwork


class BaseBinaryMLP(DocumentationLink, CallbackSupportMixin, BaseEstimator, ABC):
    """Parameters, validation and fit; a subclass knows its targets."""

    _parameter_constraints = {
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like", Interval(Integral, 1, None, closed="left")],
        "binarization": [StrOptions(set(SPREADS))],
        "surrogate_gradient": [StrOptions(set(SURROGATE_GRADIENTS))],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "thresholds": ["array-like", None],
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
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    n_features_in_: int
    feature_names_in_: Array
    hidden_layer_sizes_: tuple[int, ...]
    n_components_: int
    n_estimators_: int
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    batch_size_: int
    is_categorical_: Bools | None
    dropout_: float
    shrinkage_: float | Floats
    n_iter_: int
    t_: int
    loss_: float | None
    best_loss_: float | None
    loss_curve_: list[float]
    flip_ratio_curve_: list[float]
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    _state: TrainingState | FinalState
    _packed: PackedNetwork

    _validated = object()  # the rows that a scorer passes on, which have been validated once; by default no rows

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
    def packed_(self) -> PackedNetwork:
        """The PackedNetwork that predicts."""
        check_is_fitted(self)
        return self._packed

    @property
    def coefs_(self) -> list[Bits]:
        """Binary weights that predict, a list of (n_inputs, n_units) int8 arrays of ±1, first layer first."""
        return [weights.reshape(-1, weights.shape[2]).T for weights in self.packed_.binary_weights]

    @property
    def feature_importances_(self) -> Floats:
        """Each feature's part of what moves the scores, (n_features,), as the class says; computed at each access."""
        check_is_fitted(self)
        return self._state.importances(self._packed)

    def finalize(self) -> Self:
        """Drop what training alone needs, in place, so that a pickle is about as small as one of ``packed_``.

        Predictions, scores, ``feature_importances_``, which are computed now, and all other fitted attributes stay as
        they are. Latent weights, the optimizer's state and rows that a stream keeps are dropped. So ``partial_fit``,
        and ``fit`` with ``warm_start=True``, have nothing to go on from; ``fit`` with ``warm_start=False`` trains from
        the start.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        NotFittedError
            If there is nothing to keep.
        """
        check_is_fitted(self)
        self._state = self._state.finalized(self._packed)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_packed")

    def _fit(self, X, y, sample_weight, *, validation=(None, None, None), streaming=False, classes=None):
        """Train from the start or, for ``partial_fit`` and ``warm_start``, go on from the last call.

        ``validation`` is X, y and weights of the rows to stop early by, ``classes`` what ``partial_fit`` was given.
        """
        given, keep = (X, y, sample_weight), KeepOnInterrupt()
        with callbacks_of(self, *given) as callbacks, keep.until_whole(), whole(self) as fitted:
            if streaming:
                fitted._begin_call_of_stream(classes)
            state = fitted._state_to_go_on_from(streaming)
            watchers = callbacks if streaming else [*callbacks, keep]
            fitted._fit_from(state, given, validation, watchers, streaming=streaming)
        return self

    def _fit_from(self, state, training, validation, watchers, *, streaming):
        """Train on these rows, from the start if there is no state to go on from."""
        X, y, sample_weight = training
        categories = self._find_categories(X, sample_weight, state)
        X, y, sample_weight = self._validate(X, y, sample_weight, categories, reset=state is None)
        if state:
            targets = state.targets.going_on(y, loss=self.loss, streaming=streaming)
        else:
            targets = self._learn_targets(y, streaming)
        validation = self._validation_rows(*validation, targets, categories)
        parameters = self._parameters(targets, validation, streaming)
        rows = self._rows(X, y, sample_weight, targets)
        with one_blas_thread(), progress_of(self.verbose, streaming=streaming) as progress:
            if state:
                state, samples = go_on(state, rows, categories, targets, parameters, progress)
            else:
                seed = check_random_state(self.random_state).randint(2**31)
                state, samples = begin(rows, categories, targets, parameters, progress, seed)
            if validation:
                validation = state.known_codes(validation[0]), *validation[1:]
            held = samples if self.scoring in (None, "loss") else samples.without_class_weights()
            self._train(state, samples, validation or held.validation, [progress, *watchers])

    def _begin_call_of_stream(self, classes):
        """Check what ``partial_fit`` was given beside rows."""
        if self.early_stopping not in ("auto", False):
            raise ValueError("partial_fit does not support early_stopping=True")

    def _state_to_go_on_from(self, streaming):
        """That of the last call, or None to train from the start."""
        if not hasattr(self, "_packed") or not (streaming or self.warm_start):
            return None
        if isinstance(self._state, FinalState):
            caller = "partial_fit" if streaming else "fit with warm_start=True"
            raise ValueError(
                f"{caller} has nothing to go on from: finalize() has dropped the training state of this "
                f"{type(self).__name__}; fit with warm_start=False trains from the start"
            )
        return replace(self._state, rng=deepcopy(self._state.rng))  # drawing moves it, also in a call that fails

    def _validate(self, X, y, sample_weight, categories, *, reset):
        """X as numbers, y and the weights."""
        X, y = validated(self, X, y, categories=categories, reset=reset)
        y = self._check_y(y.toarray() if issparse(y) else y)
        with within_float64("sample_weight"):
            return X, y, check_sample_weight(unmasked(sample_weight), X)

    def _find_categories(self, X, sample_weight, state):
        """The labels of X's categories; those that training began with, and more while a stream may begin anew."""
        if state is None:
            return find_categories(X, categorical_mask(self.categorical_features, X), sample_weight)
        if state.categories and state.memory.may_begin_anew:
            return with_new_labels(state.categories, X, sample_weight)
        return state.categories

    def _rows(self, X, y, sample_weight, targets):
        """The rows that have a weight, as ``Samples.of`` takes them, once the targets are known by all rows."""
        encoded = targets.encode(y)
        X, y, encoded, sample_weight = without_weightless(sample_weight, X, y, encoded, sample_weight)
        with within_float64("class_weight"):
            return X, encoded, sample_weight, np.broadcast_to(self._class_weights(y), len(y))

    def _validation_rows(self, X_val, y_val, sample_weight_val, targets, categories):
        """Features, encoded targets and weights of the rows that early stopping was given, or None."""
        if callable(self.scoring):
            check_scoring(self, self.scoring)  # says so if it is a metric, before anything takes time
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        if not are_validation_rows(self.early_stopping, given):
            return None
        try:
            X, y, sample_weight = self._validate(*given.values(), categories, reset=False)
            X, y, sample_weight = without_weightless(sample_weight, X, targets.encode(y), sample_weight)
        except (TypeError, ValueError) as error:
            raise type(error)(f"X_val, y_val: {error}") from error
        return X, y, without_unit(scale_weights(sample_weight))

    def _parameters(self, targets, validation, streaming):
        """What is asked of training; rows are held out only where none were given."""
        asked = {name: getattr(self, name) for name in self._parameter_constraints}
        for name, value in asked.items():
            if isinstance(value, Real):
                with within_float64(name):
                    float(value)
        if validation or self.early_stopping in ("auto", False):
            asked["validation_fraction"] = None
        return Parameters.of(asked, targets.network_loss, streaming=streaming)

    def _train(self, state, samples, validation, watching):
        """Train what is ready, and set what is known then. What measures an epoch watches before what shows it."""
        data = state.targets.training_data(samples, state.decision.initial_model)
        watchers = [FlipRatio(state)]
        if validation:
            score, patience = partial(self._score, state, validation), self.n_iter_no_change
            watchers.append(EarlyStopping(score, data, samples.rows, tol=self.tol, patience=patience))
        for watcher in watching:
            if isinstance(watcher, Callbacks):
                watcher.attributes_of = partial(self._attributes_of, samples=samples, data=data)
        run_epochs(state, data, samples.rows, [*watchers, *watching])
        state.draw_values(samples)
        self._keep(state, state.pack(data, samples.rows))

    def _attributes_of(self, state, samples, data):
        """The attributes that this estimator would have if training had ended, and goes on without."""
        fitted, state = copy(self), state.snapshot()
        state.draw_values(samples)
        fitted._keep(state, state.pack(data, samples.rows))
        return vars(fitted)

    def _score(self, state, validation, packed):
        """What early stopping goes by: a packed network's score on validation rows, as ``scoring`` says."""
        targets, (X, y, sample_weight) = state.targets, validation
        if self.scoring is None:
            score = targets.score(packed, X, y, sample_weight)
        elif self.scoring == "loss":
            score = targets.loss_score(packed, X, y, sample_weight, state.decision.initial_model)
        else:
            delivered = copy(self)
            if state.categories:  # X has their codes, and any rows of it are to be read so
                vars(delivered).pop("feature_names_in_", None)
                state = replace(state, categories=None)
            delivered._keep(state, packed)
            delivered._validated = X
            weights = {} if (sample_weight == sample_weight[0]).all() else {"sample_weight": sample_weight}
            score = check_scoring(self, self.scoring)(delivered, X, targets.decode(y), **weights)
        try:
            number = np.nan if isinstance(score, str) else float(score)
        except (TypeError, ValueError, OverflowError):
            number = np.nan
        if not np.isfinite(number):
            raise ValueError(f"scoring={self.scoring!r} gives {score!r}, which is no number, of {len(y)} rows.")
        return number

    def _keep(self, state, packed):
        """Set what is known after a fit."""
        names, categories = getattr(self, "feature_names_in_", None), state.categories
        named = {"feature_names": names, "categories": state.known_labels()}
        self._state, self._packed = state, packed.named(classes=self._class_labels(), **named)
        self.is_categorical_ = categories and are_categorical(categories, self.n_features_in_)
        parameters = state.decision.parameters
        self.n_outputs_, self.out_activation_ = state.targets.n_outputs, state.targets.output
        self.hidden_layer_sizes_, self.n_layers_ = parameters.hidden_layer_sizes, len(parameters.hidden_layer_sizes) + 2
        self.batch_size_ = parameters.batch_size
        self.n_components_, self.n_estimators_ = parameters.n_components, parameters.n_estimators
        shrinkage = np.broadcast_to(state.decision.shrinkage, state.targets.n_factors)
        self.dropout_ = parameters.dropout
        self.shrinkage_ = shrinkage.item() if shrinkage.size == 1 else shrinkage.copy()
        self.n_iter_, self.loss_curve_, self.validation_scores_ = len(state.losses), state.losses, state.scores or None
        self.flip_ratio_curve_ = state.flip_ratios
        self.loss_, self.t_ = next(reversed(state.losses), None), state.n_rows_trained  # none if interrupted early
        self.best_loss_ = None if state.scores else min(state.losses, default=None)
        self.best_validation_score_ = max(state.scores, default=None)

    def _ask_packed(self, method, X):
        """What a method of the packed network, by its name, says of validated rows."""
        check_is_fitted(self)
        packed = self._packed
        if X is not self._validated:
            X = validated(self, X, categories=packed.categories)
        if packed.categories:
            packed = packed.named(classes=packed.classes)  # without categories it reads their codes
        return getattr(packed, method)(X)
