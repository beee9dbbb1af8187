"""The regressor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.base import RegressorMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from skbnn._base import BaseBinaryMLP
from skbnn._sklearn import StrOptions, _fit_context
from skbnn.training.reals import Reals

if TYPE_CHECKING:
    from typing import Literal, Self

    from numpy.typing import ArrayLike

    from skbnn._typing import (
        Auto,
        Binarization,
        CategoricalFeatures,
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


class BinaryMLPRegressor(RegressorMixin, BaseBinaryMLP):
    """Multilayer perceptron regressor whose weights and hidden activations are -1 or +1.

    Features become bits by a thermometer encoding learnt from the training data, so they need no scaling; targets are
    standardized inside. Training keeps float32 latent weights and passes gradients straight through the
    binarization [1]_; prediction is xor, popcount and an integer comparison on packed bits. An output is the
    weighted sum of eight binary units.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, int or "auto", default="auto"
        Units of each hidden layer; any width works. ``()`` trains without a hidden layer. "auto" is two layers of 512
        units, and fewer for wide tables of few rows. Where the network hardly helps the initial model on held-out rows,
        see ``dropout``, it is half of that. A
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

    n_components : int or "auto", default="auto"
        Linear combinations of the features that are encoded beside them. A number is that many principal components of
        the standardized features, at most ``min(n_samples - 1, n_features)``. "auto" is, by held-out rows as for
        ``dropout``, none; up to eight directions along which smooth functions add up to the targets, found by
        projection pursuit [7]_, with up to twice ``n_thresholds`` each; or else all principal components. Each
        direction has to take a tenth off the loss, and principal components .15 of it. "auto" is none with one feature
        or more than 32, with fewer than 20 rows and in a first call of ``partial_fit``; each direction takes twenty
        rows a feature.

    n_estimators : int or "auto", default="auto"
        Networks of this shape that are trained, each in a thread of its own where there are cores; the mean of their
        scores predicts [6]_. Size and time of a prediction grow with them. "auto" is 2, or 1 for more than 50,000 rows
        and in a first call of ``partial_fit``.

    solver : {"adam", "sgd", "bop"}, default="adam"
        Optimizer. "bop" keeps no latent weights: it flips a weight that its averaged gradient contradicts [5]_.

    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        Of the standardized targets; "huber" is quadratic within one standard deviation and linear beyond. For the
        last two mean and standard deviation are by medians, which outliers do not move.

    batch_size : int or "auto", default="auto"
        Rows of a mini-batch, at most, 2 or more; they are split evenly. "auto" is ``min(128, n_samples)``.

    learning_rate : {"cosine", "exponential", "constant"}, default="cosine"
        Schedule over the whole training: half a cosine wave to 0, a geometric fall to a thousandth, or none.

    learning_rate_init : float, default=None
        Initial learning rate of the latent weights, which live in [-1, 1]. None takes 0.01 for "adam", 5.0 for "sgd",
        either times ten for ``binarization="stochastic"``, and 0.003 for "bop", where it is the adaptivity rate of the
        averaged gradient. Batch norm learns at a tenth of it ("adam"), at a fiftieth, or for "stochastic" a tenth of
        that ("sgd"), or by Adam at 0.001 ("bop").

    max_iter : int, default=None
        Epochs. None trains for 28 epochs; on small data for at least 1250 mini-batches, in 300 epochs at most; on
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
        What the network starts from. "additive": an additive model, of each feature a step function and, with two
        thresholds or more, a straight line over the range of the training data, fitted by ridge regression, for the
        robust losses to targets of three standard deviations at most; with more than 4096 features, and in a first call
        of ``partial_fit``, the same as "constant". The network learns what that leaves, and ``packed_`` predicts with
        both. "constant": the targets' mean, or for a robust loss their median, so that all of the model is ±1.

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
        What ``early_stopping`` goes by, of the packed network. None: R². "loss": minus the loss, in the unit of
        ``loss_curve_``. Else a scorer, by its name or a callable ``scorer(estimator, X, y)``: it sees the estimator as
        it would be if training ended, X as an array, and, where rows differ in weight, ``sample_weight``, up to a
        common factor.

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

    Attributes
    ----------
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
        Factor of the network's part of the scores, in [0, 1], of each target where there are several; 1 unless
        ``dropout="auto"``. ``partial_fit`` moves it.

    loss_curve_ : list of float
        Mean loss of each epoch's mini-batches, where 1 is a standard deviation of what the initial model leaves.

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
        Linear combinations of the features that are encoded: directions or principal components.

    n_estimators_ : int
        Networks whose mean predicts.

    n_layers_ : int
        Layers, input and output included.

    n_outputs_ : int
        Scores a row.

    out_activation_ : str
        What turns scores into predictions, "identity".

    See Also
    --------
    BinaryMLPClassifier : The same for labels.
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
    .. [7] Friedman and Stuetzle, "Projection Pursuit Regression", 1981.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skbnn import BinaryMLPRegressor
    >>> X, y = make_friedman1(500, random_state=0)
    >>> regressor = BinaryMLPRegressor((128,), random_state=0).fit(X[:400], y[:400])
    >>> regressor.score(X[400:], y[400:]) > 0.8
    True
    """

    _parameter_constraints = {
        **BaseBinaryMLP._parameter_constraints,
        "loss": [StrOptions({"squared_error", "absolute_error", "huber"})],
    }

    def __init__(
        self,
        hidden_layer_sizes: LayerSizes = "auto",
        *,
        binarization: Binarization = "sign",
        surrogate_gradient: SurrogateGradient = "approx_sign",
        categorical_features: CategoricalFeatures = "from_dtype",
        n_thresholds: int | Auto = "auto",
        thresholds: Thresholds = None,
        n_components: int | Auto = "auto",
        n_estimators: int | Auto = "auto",
        solver: Solver = "adam",
        loss: Literal["squared_error", "absolute_error", "huber"] = "squared_error",
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
        """Train on rows with real targets.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Integer, boolean and float arrays, C or Fortran order, are read as they are. Sparse matrices and arrays are
            never made dense as a whole, and give the same as their dense arrays; CSR is read without a conversion. NaN
            is a missing value. Columns of a data frame may hold categories, text, booleans, dates and missing values.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Real numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative. Within a mini-batch a weight of 2 counts as two rows; a weight of 0 is no row at all.
        X_val : {array-like, sparse matrix, data frame} of shape (n_val, n_features), default=None
            Rows that are not trained on, by whose score early stopping goes. In a pipeline they are transformed as X is
            with ``Pipeline(..., transform_input=["X_val"])``.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights, non-negative.

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
    def partial_fit(self, X: Rows, y: Rows, sample_weight: ArrayLike | None = None) -> Self:
        """Train for one epoch on these rows, at a constant learning rate.

        The first 256 rows are kept: whenever their number has doubled, training begins anew with all of them, for as
        many epochs as there have been, so that thresholds suit more than a first few. Later a sample of 256 is kept,
        and 32 of them join a call of fewer than 1,024. Fewer than 32 rows, with those, are kept and not trained on
        until more come, unless training begins anew with them.
        The targets' mean and standard deviation follow the stream; a target farther than ten of the latter from
        the rest counts as if it were there.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in ``fit``.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As in ``fit``.
        sample_weight : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If ``early_stopping`` is True, or if training diverges.
        MemoryError
            As in ``fit``.

        Notes
        -----
        Whatever ends a call, an error or Ctrl-C at any moment, leaves the estimator as it was, and it can go on as if
        the call had not been.
        """
        return self._fit(X, y, sample_weight, streaming=True)

    def predict(self, X: Rows) -> Floats:
        """Predict the target of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            As in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Of float64.
        """
        return self._ask_packed("predict", X)

    def _check_y(self, y):
        assert_all_finite(y, input_name="y")  # an object's None has become NaN by now
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _learn_targets(self, y, streaming):
        return Reals(1 if y.ndim == 1 else y.shape[1], self.loss, streaming)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
