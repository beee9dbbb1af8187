"""The classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from skbnn._base import BaseBinaryMLP
from skbnn._sklearn import StrOptions, _check_partial_fit_first_call, _fit_context, available_if
from skbnn.training.categories import Classes, Labels

if TYPE_CHECKING:
    from typing import Literal, Self

    from numpy.typing import ArrayLike

    from skbnn._typing import (
        Array,
        Auto,
        Binarization,
        CategoricalFeatures,
        ClassWeight,
        Floats,
        Init,
        LayerSizes,
        RandomState,
        Rows,
        Schedule,
        Scoring,
        Solver,
        SurrogateGradient,
        Thresholds,
    )


class BinaryMLPClassifier(ClassifierMixin, BaseBinaryMLP):
    """Multilayer perceptron classifier whose weights and activations are -1 or +1.

    Features become bits by a thermometer encoding learnt from the training data, so they need no scaling. Training
    keeps float32 latent weights and passes gradients straight through the binarization [1]_; prediction is xor,
    popcount and an integer comparison on packed bits.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, int or "auto", default="auto"
        Units of each hidden layer; any width works. ``()`` trains without a hidden layer. "auto" is two layers, whose
        width follows the table: 128 units, from 4,000 rows 256, from 15,000 rows 512, and fewer for wide tables of few
        rows. Where the network hardly helps the initial model on held-out rows, see ``dropout``, it is half of that. A
        first call of ``partial_fit`` takes (512, 512).

    binarization : {"sign", "stochastic"}, default="sign"
        How weights and hidden activations become ±1 in training: by their sign, or drawn with
        ``P(+1) = clip((x + 1) / 2, 0, 1)`` [2]_. Prediction is by the sign always.

    surrogate_gradient : {"approx_sign", "clipped_identity", "swish_sign"}, default="approx_sign"
        What stands in for the derivative of the hidden activations' sign: ``max(0, 2 - 2 * abs(x))`` [3]_, 1 within
        ±1 [1]_, or a smooth bump with negative sides [4]_.

    categorical_features : array-like of {bool, int, str} or None, default="from_dtype"
        Features that are categories: a mask, indices or names. "from_dtype" is the columns of a data frame that it
        declares as categories or that hold text; None is none. Each of up to 32 categories becomes a bit; more of them
        are put in the order of their targets, and have thresholds there. A category that training has not seen counts
        as missing.

    n_thresholds : int or "auto", default="auto"
        Bits a feature becomes, at most: bit t says whether the value reaches the t-th threshold. Thresholds are
        near quantiles of the training data; a feature with fewer distinct values gets fewer. "auto" is a twelfth of the
        rows, from 4 to 32, and up to eight times as many for a feature between whose thresholds the targets vary
        more than from one value to the next, from 256 rows on. Fewer than 50 rows, and a first call of ``partial_fit``,
        take 32. Where features are more than 500 there are fewer, and one of each with more than 8,192.

    thresholds : list of array-like of length n_features, default=None
        Ascending thresholds of each feature, in place of those that training data would give: those of a stream whose
        first rows are not like the rest, or that models are to share. A fitted :class:`ThermometerEncoder` has such a
        list as ``thresholds_``. Categories have bits of their own all the same.

    n_components : int or "auto", default=0
        Principal components of the standardized features that are encoded beside them, at most
        ``min(n_samples - 1, n_features)``. "auto" is all of them or none, by held-out rows as for ``dropout``; none
        with one feature or more than 32, with fewer than 20 rows and in a first call of ``partial_fit``.

    n_estimators : int or "auto", default="auto"
        Networks of this shape that are trained, each in a thread of its own where there are cores; the mean of their
        scores predicts [6]_. Size and time of a prediction grow with them. "auto" is 2, or 1 for more than 50,000 rows
        and in a first call of ``partial_fit``.

    solver : {"adam", "sgd", "bop"}, default="adam"
        Optimizer. "bop" keeps no latent weights: it flips a weight that its averaged gradient contradicts [5]_.

    loss : {"log_loss", "squared_hinge"}, default="log_loss"
        Cross-entropy, which calibrates ``predict_proba``, or ``max(0, 1 - t * score) ** 2`` for each output, which
        has no probabilities.

    batch_size : int or "auto", default="auto"
        Rows of a mini-batch, at most, 2 or more; they are split evenly. "auto" is a fortieth of the rows, from 32 to
        128, and all of fewer than 50 rows.

    learning_rate : {"cosine", "exponential", "constant"}, default="cosine"
        Schedule over the whole training: half a cosine wave to 0, a geometric fall to a thousandth, or none.

    learning_rate_init : float, default=None
        Initial learning rate of the latent weights, which live in [-1, 1]. None takes 0.01 for "adam", 5.0 for "sgd",
        either times ten for ``binarization="stochastic"``, and 0.003 for "bop", where it is the adaptivity rate of the
        averaged gradient. Batch norm learns at a tenth of it ("adam"), at a fiftieth, or for "stochastic" a tenth of
        that ("sgd"), or by Adam at 0.001 ("bop").

    max_iter : int, default=None
        Epochs. None trains for 28 epochs; on small data for at least 1500 mini-batches, in 150 epochs at most; on
        large data until 10 million rows have been seen, for at least 5 epochs; a third of that where the network hardly
        helps, and one epoch where it does not, see ``dropout``.

    momentum : float, default=0.9
        For ``solver="sgd"``, in [0, 1).

    nesterovs_momentum : bool, default=True
        For ``solver="sgd"``.

    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of Adam's averages of the gradient and of its square, in [0, 1).

    epsilon : float, default=1e-8
        Keeps Adam's division finite.

    init : {"additive", "constant"}, default="additive"
        What the network starts from. "additive", with ``loss="log_loss"``: an additive model, of each feature a step
        function and a straight line over the range of the training data, or lines alone, fitted by logistic regression
        with a penalty chosen by held-out rows. Else, with more than 4096 features, with several classes and more than
        10,000 rows, and in a first call of ``partial_fit``, the same as "constant". The network learns what that
        leaves, and ``packed_`` predicts with both. "constant": the classes' frequencies, so that all of the model is
        ±1; for ``partial_fit`` nothing.

    dropout : float or "auto", default="auto"
        Share of input bits and hidden activations set to 0 in training, in [0, 1). "auto" leaves that and more to a
        short training of narrower networks with dropout 0.1, which held-out rows judge: how much the initial model and
        the network each count; whether dropout is 0.1, or 0 where the network says too little; which features have
        bits, if half of them or fewer do as well; whether a stronger penalty of the initial model serves; and whether
        longer training is worth its time. Fewer than 20 rows, and a first call of ``partial_fit``, take 0. How much the
        network counts in a stream, each call's rows judge before it is trained on them.

    shuffle : bool, default=True
        Whether rows are shuffled before each epoch.

    random_state : int, RandomState instance or None, default=None
        Draws the initial weights, mini-batches, validation rows, dropout and stochastic binarization. An int makes
        ``fit`` reproducible on one machine, for any number of threads.

    tol : float, default=1e-4
        With ``early_stopping``, what the validation score has to gain to count as better.

    n_iter_no_change : int or inf, default=10
        With ``early_stopping``, epochs without a better validation score after which training stops. With ``np.inf``
        it does not stop, and the best epoch's network is kept.

    early_stopping : bool or "auto", default="auto"
        Whether to stop when the score of rows that are not trained on no longer improves, and keep the best epoch's
        network. True holds out rows, unless ``fit`` is given ``X_val`` and ``y_val``. "auto" is where it is.

    scoring : str, callable or None, default=None
        What ``early_stopping`` goes by, of the packed network. None: accuracy; of multilabel targets minus the mean
        loss of a label. "loss": minus the loss, as ``loss_curve_`` has it. Else a scorer, by its name or a callable
        ``scorer(estimator, X, y)``: it sees the estimator as it would be if training ended, X as an array in which
        categories are codes, and, where rows differ in weight, ``sample_weight``, up to a common factor.

    validation_fraction : float, default=0.1
        Share of the rows held out by ``early_stopping``, in (0, 1). Ignored where ``fit`` is given ``X_val``.

    warm_start : bool, default=False
        Whether ``fit`` goes on from the last call's network, with its thresholds, its initial model and the dropout
        that was chosen, for another ``max_iter`` epochs; None is as many as the last fit had.

    verbose : bool or int, default=False
        Whether to show how ``fit`` goes on, from its first second: what is being done, what held-out rows said, what
        was chosen, and of each epoch the loss, the validation score, the share of weights that flipped and the time
        left. True or 1 is one bar in a terminal or a notebook, if tqdm is installed (extra ``skbnn[progress]``);
        elsewhere, in other threads and processes than the main one, and in ``partial_fit``, it is lines. 2 and more
        are lines always.

    class_weight : dict, list of dict, "balanced" or None, default=None
        Factors of the sample weights by class, or inversely proportional to the classes' frequencies; what held-out
        rows decide, see ``dropout``, they decide without. A class that a dict does not name weighs 1. A list has a dict
        for each label of multilabel targets.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, those of rows of weight 0 included; for multilabel targets the labels' indices.

    packed_ : PackedNetwork
        The network that predicts: ±1 weights as bits, integer thresholds and scores, and the few real numbers of the
        encoding and of straight lines. Small, without training state; :func:`save_model` writes it to a file for
        serving.

    coefs_ : list of ndarray of shape (n_inputs, n_units), int8
        Binary weights, ±1, of each layer of ``packed_``; unpacked at each access. The units of several networks
        stand side by side, and inputs of later layers are those of the same network.

    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Each feature's part of what moves the scores, by the mean of their squared change where it alone is drawn anew,
        in total 1. Features are drawn independently of each other, as they were distributed in training. This is of the
        model, not of its accuracy, and says little of features that go together; of rows that were held out,
        ``sklearn.inspection.permutation_importance`` says more. Computed at each access.

    n_features_in_ : int
        Features seen in ``fit``.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X had string column names.

    is_categorical_ : ndarray of shape (`n_features_in_`,), bool, or None
        Features that are categories; None if there are none.

    n_iter_ : int
        Epochs trained.

    hidden_layer_sizes_ : tuple of int
        Units of each hidden layer.

    batch_size_ : int
        Rows of a mini-batch.

    dropout_ : float
        The dropout that was used.

    shrinkage_ : float or ndarray of shape (n_outputs,)
        Factor of the network's part of the scores, in [0, 1], of each label where there are several; 1 unless
        ``dropout="auto"``. ``partial_fit`` moves it.

    loss_curve_ : list of float
        Mean loss of each epoch's mini-batches.

    flip_ratio_curve_ : list of float
        Share of the binary weights, of all layers and networks, whose sign each epoch changed: how much training still
        moves [5]_.

    validation_scores_ : list of float or None
        Score of each epoch, by ``scoring``, on the rows held out or given, with ``early_stopping``.

    best_validation_score_ : float or None
        The best of them.

    loss_ : float or None
        The last of ``loss_curve_``; None where Ctrl-C ended the first epoch.

    best_loss_ : float or None
        The least of ``loss_curve_``; None with ``early_stopping``, which goes by scores.

    t_ : int
        Rows that were trained on, once an epoch each.

    n_components_ : int
        Principal components that are encoded.

    n_estimators_ : int
        Networks whose mean predicts.

    n_layers_ : int
        Layers, input and output included.

    n_outputs_ : int
        Scores a row.

    out_activation_ : {"logistic", "softmax"}
        What turns scores into predictions.

    See Also
    --------
    BinaryMLPRegressor : The same for real targets.
    PackedNetwork : What predicts, by itself.

    References
    ----------
    .. [1] Hubara et al., "Binarized Neural Networks", 2016.
    .. [2] Courbariaux et al., "BinaryConnect: Training Deep Neural Networks with binary weights during
       propagations", 2015.
    .. [3] Liu et al., "Bi-Real Net: Enhancing the Performance of 1-bit CNNs With Improved Representational
       Capability and Advanced Training Algorithm", 2018.
    .. [4] Darabi et al., "Regularized Binary Network Training", 2018.
    .. [5] Helwegen et al., "Latent Weights Do Not Exist: Rethinking Binarized Neural Network Optimization", 2019.
    .. [6] Zhu et al., "Binary Ensemble Neural Network: More Bits per Network or More Networks per Bit?", 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skbnn import BinaryMLPClassifier
    >>> X_train, X_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    >>> classifier = BinaryMLPClassifier((128,), random_state=0).fit(X_train, y_train)
    >>> classifier.score(X_test, y_test) > 0.95
    True
    """

    _parameter_constraints = {
        **BaseBinaryMLP._parameter_constraints,
        "loss": [StrOptions({"log_loss", "squared_hinge"})],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    classes_: Array

    def __init__(
        self,
        hidden_layer_sizes: LayerSizes = "auto",
        *,
        binarization: Binarization = "sign",
        surrogate_gradient: SurrogateGradient = "approx_sign",
        categorical_features: CategoricalFeatures = "from_dtype",
        n_thresholds: int | Auto = "auto",
        thresholds: Thresholds = None,
        n_components: int | Auto = 0,
        n_estimators: int | Auto = "auto",
        solver: Solver = "adam",
        loss: Literal["log_loss", "squared_hinge"] = "log_loss",
        batch_size: int | Auto = "auto",
        learning_rate: Schedule = "cosine",
        learning_rate_init: float | None = None,
        max_iter: int | None = None,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        init: Init = "additive",
        dropout: float | Auto = "auto",
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        n_iter_no_change: float = 10,
        early_stopping: bool | Auto = "auto",
        scoring: Scoring = None,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        verbose: bool | int = False,
        class_weight: ClassWeight = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.binarization = binarization
        self.surrogate_gradient = surrogate_gradient
        self.categorical_features = categorical_features
        self.n_thresholds = n_thresholds
        self.thresholds = thresholds
        self.n_components = n_components
        self.n_estimators = n_estimators
        self.solver = solver
        self.loss = loss
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.init = init
        self.dropout = dropout
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.verbose = verbose
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Rows,
        y: Rows,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Rows | None = None,
        y_val: Rows | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train on labelled rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Integer, boolean and float arrays, C or Fortran order, are read as they are. Sparse matrices and arrays are
            never made dense as a whole, and give the same as their dense arrays; CSR is read without a conversion. NaN
            is a missing value. Columns of a data frame may hold categories, text, booleans, dates and missing values.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels of any type, or a 0/1 indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative. Within a mini-batch a weight of 2 counts as two rows; a weight of 0 is no row at all.
        X_val : {array-like, sparse matrix, data frame} of shape (n_val, n_features), default=None
            Rows that are not trained on, by whose score early stopping goes. In a pipeline they are transformed as X is
            with ``Pipeline(..., transform_input=["X_val"])``.
        y_val : array-like of shape (n_val,) or (n_val, n_labels), default=None
            Their labels.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights, non-negative. ``class_weight`` does not count here.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If X_val comes without y_val or the other way round, with ``early_stopping=False``, or is not like X and y.
            If training diverges.
        MemoryError
            If there is too little for what was asked for. Nothing large has been taken then.

        Notes
        -----
        Ctrl-C while epochs are trained ends training, and what was trained is kept, with a warning. A second one, or
        one once training has ended by itself, waits until the network is packed. Whatever else ends a call, Ctrl-C
        before that or an error, leaves the estimator as it was, and it can go on as if the call had not been.
        """
        return self._fit(X, y, sample_weight, validation=(X_val, y_val, sample_weight_val))

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Rows, y: Rows, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one epoch on these rows, at a constant learning rate.

        The first 256 rows are kept: whenever their number has doubled, training begins anew with all of them, for as
        many epochs as there have been, so that thresholds suit more than a first few. Later a sample of 256 is kept,
        and 32 of them join a call of fewer than 1,024. Fewer than 32 rows, with those, are kept and not trained on
        until more come, unless training begins anew with them.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in ``fit``.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            As in ``fit``.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call will see, or the indices of multilabel targets' columns. Required in the first
            call.
        sample_weight : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If ``early_stopping`` is True, ``class_weight`` is "balanced", y has a class that is not in ``classes``, or
            multilabel y has other columns; or if training diverges.
        MemoryError
            As in ``fit``.

        Notes
        -----
        Whatever ends a call, an error or Ctrl-C at any moment, leaves the estimator as it was, and it can go on as if
        the call had not been.

        The order of parameters is that of SGDClassifier and of all others that had ``classes`` first; MLPClassifier
        had no weights once, and has them in front of ``classes`` today. Which is meant could be guessed only by
        lengths, so name what you pass.
        """
        return self._fit(X, y, sample_weight, streaming=True, classes=classes)

    def predict(self, X: Rows) -> Array:
        """Predict the class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels, or a 0/1 indicator matrix if ``fit`` had one.
        """
        return self._ask_packed("predict", X)

    def decision_function(self, X: Rows) -> Floats:
        """Compute scores of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in ``fit``.

        Returns
        -------
        scores : ndarray of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_labels)
            For two classes one score a row, positive for ``classes_[1]``; for one class, a number that says nothing.
        """
        scores = self._ask_packed("decision_function", X)
        return scores if self._multilabel or self.n_outputs_ > 1 else scores[:, 0]

    @available_if(lambda self: _has_probabilities(self))
    def predict_proba(self, X: Rows) -> Floats:
        """Predict the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            In the order of ``classes_``; for multilabel targets each label's own probability.
        """
        return self._ask_packed("predict_proba", X)

    @available_if(lambda self: _has_probabilities(self))
    def predict_log_proba(self, X: Rows) -> Floats:
        """Predict the logarithm of each class's probability.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in ``fit``.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            In the order of ``classes_``; exact where ``predict_proba`` rounds to 0.
        """
        scores = self._ask_packed("decision_function", X)
        if self.out_activation_ == "softmax":
            return log_softmax(scores, axis=1)
        return log_expit(np.hstack([-scores, scores]) if self._binary else scores)

    @property
    def _binary(self):
        return self.out_activation_ == "logistic" and not self._multilabel

    def _check_y(self, y):
        if y.dtype.kind in "mM":  # which packed_ can't hold, and no model file
            raise ValueError(f"Labels of dtype {y.dtype} are not supported; y must hold numbers, booleans or strings.")
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError(
                f"{type(self).__name__} does not support y of several columns of several classes ({kind}). "
                "sklearn.multioutput.MultiOutputClassifier fits one for each column."
            )
        if kind != "multilabel-indicator":
            return column_or_1d(y, warn=True)
        if not np.isin(y, (0, 1)).all():
            raise ValueError(f"Multilabel y must hold 0 and 1 only, got {np.unique(y)}.")
        return y

    def _begin_call_of_stream(self, classes):
        super()._begin_call_of_stream(classes)
        if self.class_weight == "balanced":
            raise ValueError("class_weight='balanced' is not supported by partial_fit; pass the classes' weights")
        _check_partial_fit_first_call(self, classes)  # sets classes_

    def _class_labels(self):
        return None if self._multilabel else self.classes_

    def _class_weights(self, y):
        if self.class_weight is None:
            return super()._class_weights(y)
        if self.class_weight == "balanced":
            return compute_sample_weight("balanced", y)
        columns, dicts, classes = y[:, np.newaxis].T, [self.class_weight], self.classes_
        if self._multilabel:
            columns, dicts, classes = y.T, self.class_weight, np.arange(2)
        if not isinstance(dicts, list) or len(dicts) != len(columns) or not all(isinstance(one, dict) for one in dicts):
            raise ValueError(f"class_weight={self.class_weight} must be a dict, or a list of one for each label.")
        pairs = zip(dicts, columns, strict=True)
        weights = np.prod([weights_by_class(one, classes, column) for one, column in pairs], axis=0)
        if not (weights >= 0).all() or not np.isfinite(weights).all():
            raise ValueError(f"class_weight={self.class_weight} gives rows weights that are negative or not finite.")
        return weights

    def _learn_targets(self, y, streaming):
        self._multilabel = y.ndim == 2
        if self._multilabel:
            labels = np.arange(y.shape[1])
            if streaming and not np.array_equal(self.classes_, labels):
                raise ValueError(f"classes={self.classes_.tolist()} must be the indices of y's {len(labels)} columns.")
            self.classes_ = labels
            return Labels(y.shape[1], self.loss, streaming)
        if not streaming:  # else partial_fit was told them
            self.classes_ = np.unique(y)
        return Classes(self.classes_, self.loss, streaming)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _has_probabilities(classifier):
    loss = classifier._state.targets.loss if hasattr(classifier, "_state") else classifier.loss
    if loss != "log_loss":
        raise AttributeError(f"probability estimates are not available for loss={loss!r}")
    return True


def weights_by_class(class_weight, classes, y):
    """The weight that a dict gives each row's class, where a batch may lack some; what it does not name weighs 1."""
    of_classes = compute_class_weight(class_weight, classes=classes, y=y)
    return of_classes[np.searchsorted(classes, y)]
