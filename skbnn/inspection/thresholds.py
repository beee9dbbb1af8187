"""Thresholds of the features' bits as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skbnn.inspection.axes import (
    N_FEATURES,
    codes_of,
    draw_codes,
    draw_histogram,
    grid,
    indices_of_features,
    names_of_features,
    table_of,
)
from skbnn.packed import packed_network_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from skbnn._thermometer import ThermometerEncoder
    from skbnn._typing import Array, Axes, AxesLike, BarContainer, Features, Figure, Floats, LineCollection, Model


class ThresholdDisplay:
    """Where the thresholds of features lie, over the features' histograms.

    Use ``from_estimator`` to make one.

    Parameters
    ----------
    thresholds : list of ndarray
        Of each feature that is drawn.
    values : list of ndarray of shape (n_samples,)
        The feature's values.
    feature_names : list of str
        Their names.
    codes : list of (list of str or None), default=None
        What the codes of each feature's categories are called; None of a feature that has none.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
    bounding_ax_ : matplotlib Axes or None
        The axes that were divided.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib LineCollection
        A feature's thresholds.
    histograms_ : list of matplotlib BarContainer

    See Also
    --------
    StepsDisplay : What each feature adds to the scores by itself.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.inspection import ThresholdDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> classifier = BinaryMLPClassifier((64,), random_state=0).fit(X, y)
    >>> display = ThresholdDisplay.from_estimator(classifier, X)
    >>> plt.show()
    """

    axes_: Array
    bounding_ax_: Axes | None
    figure_: Figure
    lines_: list[LineCollection]
    histograms_: list[BarContainer]

    def __init__(
        self,
        thresholds: list[Floats],
        values: list[Floats],
        *,
        feature_names: list[str],
        codes: list[list[str] | None] | None = None,
    ) -> None:
        self.thresholds, self.values, self.feature_names = thresholds, values, feature_names
        self.codes = [None] * len(values) if codes is None else codes

    @classmethod
    def from_estimator(
        cls,
        estimator: Model | ThermometerEncoder,
        X: ArrayLike,
        features: Features = None,
        *,
        feature_names: Sequence[str] | None = None,
        **plot_options: Any,
    ) -> Self:
        """Draw the thresholds of a fitted model.

        Parameters
        ----------
        estimator : BinaryMLPClassifier, BinaryMLPRegressor, PackedNetwork or ThermometerEncoder
            Fitted.
        X : array-like of shape (n_samples, n_features)
            Rows whose histograms are drawn.
        features : int, str, or list of these, default=None
            Indices or names. None draws the six that have most thresholds.
        feature_names : list of str of length n_features, default=None
            Names of all features, by default those seen in ``fit``, else x0, x1 and so on.
        **plot_options : dict
            ``ax``, ``n_cols``, ``line_kw`` and ``hist_kw`` of ``plot``.

        Returns
        -------
        ThresholdDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed; the extra ``skbnn[plot]`` has it.
        TypeError
            If the estimator is none of these, or not fitted.
        ValueError
            If X, ``features``, ``feature_names`` or ``ax`` do not fit the model.
        """
        if hasattr(estimator, "thresholds_"):  # a ThermometerEncoder
            columns, names = estimator.thresholds_, getattr(estimator, "feature_names_in_", None)
            X, codes = table_of(X, len(columns)), None
        else:
            network = packed_network_of(estimator)
            columns = np.split(network.thresholds, network.offsets[1:-1])[: network.n_features_in]
            names, codes = network.feature_names, [codes_of(network, feature) for feature in range(len(columns))]
            X = table_of(X, len(columns), network.categories)
            columns = [
                column[:0] if nominal else column for column, nominal in zip(columns, network.nominal, strict=True)
            ]
        names = names_of_features(len(columns), names if feature_names is None else feature_names)
        if features is None:
            features = np.argsort([-len(column) for column in columns], kind="stable")[:N_FEATURES]
        chosen = indices_of_features(features, names)
        columns, values = [columns[feature] for feature in chosen], [X[:, feature] for feature in chosen]
        names = [names[feature] for feature in chosen]
        codes = codes and [codes[feature] for feature in chosen]
        return cls(columns, values, feature_names=names, codes=codes).plot(**plot_options)

    def plot(
        self,
        ax: AxesLike = None,
        *,
        n_cols: int = 3,
        line_kw: dict[str, Any] | None = None,
        hist_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the thresholds.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of these, default=None
            Axes to divide into a grid, or one for each feature. None makes a figure.
        n_cols : int, default=3
            Columns of the grid, at most.
        line_kw : dict, default=None
            For ``matplotlib.pyplot.vlines``.
        hist_kw : dict, default=None
            For ``matplotlib.pyplot.hist``.

        Returns
        -------
        self : ThresholdDisplay
            This display.
        """
        self.bounding_ax_, self.axes_, axes = grid(self, ax, len(self.thresholds), n_cols)
        self.figure_, self.lines_, self.histograms_ = axes[0].figure, [], []
        options = {"color": "tab:blue", "linewidth": 0.8, **(line_kw or {})}
        features = zip(axes, self.thresholds, self.values, self.feature_names, self.codes, strict=True)
        for one, thresholds, values, name, codes in features:
            self.histograms_.append(draw_histogram(one, values, hist_kw, codes))
            across = one.get_xaxis_transform()  # from the lower to the upper edge
            self.lines_.append(one.vlines(thresholds[np.isfinite(thresholds)], 0, 1, transform=across, **options))
            one.set(xlabel=name, yticks=[])
            if codes is not None:
                draw_codes(one, codes)
        return self
