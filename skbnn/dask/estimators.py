"""The estimators."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import TYPE_CHECKING

from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skbnn._base import BaseBinaryMLP
from skbnn._classifier import BinaryMLPClassifier, _has_probabilities
from skbnn._regressor import BinaryMLPRegressor
from skbnn._sklearn import _fit_context, available_if
from skbnn._whole import whole
from skbnn.dask import fit
from skbnn.dask.cluster import Cluster, client_of
from skbnn.dask.partitions import is_lazy, partitions_of
from skbnn.dask.prediction import ask_lazily, without_training
from skbnn.dask.scores import measure_of
from skbnn.training.interruption import KeepOnInterrupt
from skbnn.training.progress import progress_of

if TYPE_CHECKING:
    from typing import Any, NoReturn, Self

    from distributed import Client
    from numpy.typing import ArrayLike


def documented_with(local):
    """Put the parameters, attributes and references of the ordinary estimator into a class's docstring."""

    def document(cls):
        if cls.__doc__:  # python -OO has none
            own, theirs = inspect.getdoc(cls), inspect.getdoc(local)
            described = theirs[theirs.index("\nParameters\n---") : theirs.index("\nSee Also\n---")]
            references = theirs[theirs.index("\nReferences\n---") : theirs.index("\nExamples\n---")]
            own = own.replace("\nSee Also\n---", described + "\nSee Also\n---")
            cls.__doc__ = own.replace("\nExamples\n---", references + "\nExamples\n---")
        return cls

    return document


class DaskBinaryMLP(BaseBinaryMLP):
    """What both estimators have beside the same one without Dask."""

    _client: Client | None = None

    @property
    def client(self) -> Client:
        """The Dask client that ``fit`` and ``score`` use: what was set, else that of the context; never pickled."""
        return client_of(self._client)

    @client.setter
    def client(self, client: Client | None) -> None:
        self._client = client

    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_client", None)  # a cluster is not part of a model
        return state

    @abstractmethod
    def to_local(self):
        """Return the ordinary estimator with the same parameters and the same model."""

    def _as(self, local_type):
        check_is_fitted(self)
        local = local_type(**self.get_params(deep=False))
        own = {name for name in vars(self) if name not in vars(local) and name != "_client"}
        vars(local).update({name: vars(self)[name] for name in own})
        return local

    @property
    def partial_fit(self) -> NoReturn:
        """Raise AttributeError: there is none, and that of ``to_local()`` goes on from the model."""
        raise AttributeError(f"{type(self).__name__} has no partial_fit; that of to_local() goes on from its model")

    def _refuse(self):
        """Raise ValueError for what takes more than rounds."""
        if self.early_stopping is True:
            raise ValueError("early_stopping=True is not supported with Dask: no rows are held out there.")
        if self.warm_start:
            raise ValueError("warm_start=True is not supported with Dask; partial_fit of to_local() goes on.")
        if getattr(self, "_skl_callbacks", None):
            raise ValueError("Callbacks are not supported with Dask; verbose shows how fit goes on.")

    def _fit_slots(self, X, y, sample_weight, classes=None):
        """Train on the cluster's workers."""
        self._refuse()
        keep, data = KeepOnInterrupt(), (X, y, sample_weight)
        progress = progress_of(self.verbose)
        with keep.until_whole(), whole(self) as fitted, Cluster(self.client) as cluster, progress:
            blank = type(self)(**self.get_params(deep=False))
            n_slots = max(len(cluster.n_threads()), 1)  # fixed now, as the model depends on it
            progress.stage("Looking at the partitions")
            partitions, table = fit.summarize(cluster, blank, data, classes)
            vars(blank).update(table.features)
            if getattr(self, "class_weight", None) == "balanced":
                blank.class_weight = table.balanced()
            progress.stage("Deciding by a sample")
            seed = check_random_state(self.random_state).randint(2**31)
            guide, found = fit.decide_on(cluster, blank, partitions, table, seed)
            progress.stage("Encoding the partitions")
            state = found.state.with_networks()
            slots, workers = fit.distribute(cluster, guide, partitions, table, n_slots)
            packed = fit.train(cluster, slots, workers, state, self.max_iter, [progress, keep])
            vars(fitted).pop("feature_names_in_", None)
            parameters = self.get_params(deep=False)
            learnt = {name: value for name, value in vars(found.estimator).items() if name not in parameters}
            vars(fitted).update(learnt)
            fitted._keep(state, packed)
        return self

    def _ask(self, method, X):
        """What a method of the local estimator says of X, lazily where that is lazy."""
        local = self.to_local()
        return ask_lazily(local, method, X) if is_lazy(X) else getattr(local, method)(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compute the score that the ordinary estimator has: accuracy of a classifier, R² of a regressor.

        Parameters
        ----------
        X, y, sample_weight : dask array, dask data frame, or list of delayed partitions
            As in ``fit``; or all of them in memory.

        Returns
        -------
        score : float
            The higher, the better; 1 is the best.
        """
        local = self.to_local()
        if not is_lazy(X):
            return local.score(X, y, sample_weight)
        ask, total = measure_of(local)
        with Cluster(self.client) as cluster:
            model = cluster.send(without_training(local))
            partitions = partitions_of(cluster.client, X, y, sample_weight)
            return total(cluster.results(fit.each(cluster, ask, partitions, model)))


@documented_with(BinaryMLPClassifier)
class DaskBinaryMLPClassifier(DaskBinaryMLP, BinaryMLPClassifier):
    """:class:`BinaryMLPClassifier` that a Dask cluster trains on partitions, where its workers have them.

    Each worker encodes its rows to bits once and trains on them for a part of an epoch; then networks are averaged, and
    go on from their mean. Parameters cross the network, and no rows but a sample, to one worker, by which thresholds,
    the initial model and what "auto" leaves open are decided. One worker gives the model that
    :class:`BinaryMLPClassifier` gives for the same rows and ``random_state``, to the last bit, if they are 50 or more,
    no more than the sample, and no feature has more than 32 categories.

    ``early_stopping=True``, ``warm_start=True`` and callbacks are refused, and there is no ``partial_fit``;
    ``to_local()`` gives an estimator that has them. The model is a function of the parameters with ``random_state``,
    the partitions and the number of workers.

    See Also
    --------
    BinaryMLPClassifier : The same in one memory.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_digits
    >>> from skbnn.dask import DaskBinaryMLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = da.from_array(X, chunks=(500, 64)), da.from_array(y, chunks=500)
    >>> with Client(processes=False, n_workers=1, dashboard_address=":0"):
    ...     classifier = DaskBinaryMLPClassifier((64,), random_state=0).fit(X, y)
    ...     accuracy = classifier.score(X, y)
    >>> accuracy > 0.95
    True
    """

    def to_local(self) -> BinaryMLPClassifier:
        """Return the ordinary estimator with the same parameters and the same model, in the client's memory.

        Returns
        -------
        estimator : BinaryMLPClassifier
            Fitted; its ``partial_fit`` goes on from this model.
        """
        return self._as(BinaryMLPClassifier)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(  # type: ignore[override]  # no rows to stop by
        self, X: Any, y: Any, sample_weight: Any = None, *, classes: ArrayLike | None = None
    ) -> Self:
        """Train on labelled rows.

        Parameters
        ----------
        X : dask array, dask data frame, or list of delayed partitions, of shape (n_samples, n_features)
            Partitions are anything that :meth:`BinaryMLPClassifier.fit` takes; some may be empty, and each may lack
            classes. What is not persisted is computed up to three times: looked at, sampled, encoded.
        y : as X, of shape (n_samples,) or (n_samples, n_labels)
            In partitions of the same rows. An array is rechunked to those of X if their lengths are known.
        sample_weight : as y, of shape (n_samples,), default=None
            Non-negative.
        classes : array-like of shape (n_classes,), default=None
            All labels. By default those that y has.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        TypeError
            If X, y or sample_weight are not Dask's.
        ValueError
            If there is no client, if partitions differ in width, names or dtypes or do not go together, or of what
            :meth:`BinaryMLPClassifier.fit` refuses, with the partition's number. If training diverges.
        RuntimeError
            If the cluster has no workers for 30 seconds.

        Notes
        -----
        A worker that dies costs its part of a round: others encode its partitions again and train them from the same
        mean, or from the last that the client has if that is lost. The model is the same.
        Ctrl-C keeps the last average, with a warning. Nothing is left on the workers.
        """
        return self._fit_slots(X, y, sample_weight, classes)

    def predict(self, X: Any) -> Any:
        """Predict the class of each row.

        Parameters
        ----------
        X : dask array, dask data frame, or list of delayed partitions, of shape (n_samples, n_features)
            As in ``fit``; or rows in memory.

        Returns
        -------
        y : dask array of shape (n_samples,) or (n_samples, n_labels)
            Not computed yet, in chunks of X's rows; of rows in memory an ndarray.
        """
        return self._ask("predict", X)

    def decision_function(self, X: Any) -> Any:
        """Compute scores of each row.

        Parameters
        ----------
        X : dask array, dask data frame, or list of delayed partitions, of shape (n_samples, n_features)
            As in ``fit``; or rows in memory.

        Returns
        -------
        scores : dask array of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_labels)
            As those of ``predict``.
        """
        return self._ask("decision_function", X)

    @available_if(lambda self: _has_probabilities(self))
    def predict_proba(self, X: Any) -> Any:
        """Predict the probability of each class.

        Parameters
        ----------
        X : dask array, dask data frame, or list of delayed partitions, of shape (n_samples, n_features)
            As in ``fit``; or rows in memory.

        Returns
        -------
        probabilities : dask array of shape (n_samples, n_classes) or (n_samples, n_labels)
            As those of ``predict``.
        """
        return self._ask("predict_proba", X)

    @available_if(lambda self: _has_probabilities(self))
    def predict_log_proba(self, X: Any) -> Any:
        """Predict the logarithm of each class's probability.

        Parameters
        ----------
        X : dask array, dask data frame, or list of delayed partitions, of shape (n_samples, n_features)
            As in ``fit``; or rows in memory.

        Returns
        -------
        log_probabilities : dask array of shape (n_samples, n_classes) or (n_samples, n_labels)
            As those of ``predict``.
        """
        return self._ask("predict_log_proba", X)


@documented_with(BinaryMLPRegressor)
class DaskBinaryMLPRegressor(DaskBinaryMLP, BinaryMLPRegressor):
    """:class:`BinaryMLPRegressor` that a Dask cluster trains on partitions, where its workers have them.

    :class:`DaskBinaryMLPClassifier` says how.

    See Also
    --------
    BinaryMLPRegressor : The same in one memory.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import make_friedman1
    >>> from skbnn.dask import DaskBinaryMLPRegressor
    >>> X, y = make_friedman1(500, random_state=0)
    >>> X, y = da.from_array(X, chunks=(250, 10)), da.from_array(y, chunks=250)
    >>> with Client(processes=False, n_workers=1, dashboard_address=":0"):
    ...     regressor = DaskBinaryMLPRegressor((64,), max_iter=20, random_state=0).fit(X, y)
    ...     r2 = regressor.score(X, y)
    >>> r2 > 0.8
    True
    """

    def to_local(self) -> BinaryMLPRegressor:
        """Return the ordinary estimator with the same parameters and the same model, in the client's memory.

        Returns
        -------
        estimator : BinaryMLPRegressor
            Fitted; its ``partial_fit`` goes on from this model.
        """
        return self._as(BinaryMLPRegressor)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # type: ignore[override]  # as above
        """Train on rows with real targets.

        Parameters
        ----------
        X : dask array, dask data frame, or list of delayed partitions, of shape (n_samples, n_features)
            As :meth:`DaskBinaryMLPClassifier.fit` takes them.
        y : as X, of shape (n_samples,) or (n_samples, n_outputs)
            Real numbers.
        sample_weight : as y, of shape (n_samples,), default=None
            Non-negative.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        TypeError, ValueError, RuntimeError
            As :meth:`DaskBinaryMLPClassifier.fit` does.
        """
        return self._fit_slots(X, y, sample_weight)

    def predict(self, X: Any) -> Any:
        """Predict the target of each row.

        Parameters
        ----------
        X : dask array, dask data frame, or list of delayed partitions, of shape (n_samples, n_features)
            As in ``fit``; or rows in memory.

        Returns
        -------
        y : dask array of shape (n_samples,) or (n_samples, n_outputs)
            Not computed yet, in chunks of X's rows; of rows in memory an ndarray.
        """
        return self._ask("predict", X)
