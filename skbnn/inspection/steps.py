"""The additive part of a model as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skbnn.encoding.columns import PRESENT, find_fills
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

    from skbnn._typing import Array, Axes, AxesLike, BarContainer, Features, Figure, Floats, Line2D, Model


class StepsDisplay:
    """What each feature adds to the scores by itself, its steps and its line, over its histogram.

    This is the additive part of the model exactly. What the network adds is not in it, nor are combinations of
    features. The mean over the rows of X is 0. Use ``from_estimator`` to make one.

    Parameters
    ----------
    curves : list of (ndarray of shape (n_points,), ndarray of shape (n_lines, n_points))
        Of each feature that is drawn: its values, ascending, and what they add to each score. A category's values are
        its codes. NaN, last, is a missing value, and drawn as a dotted line.
    values : list of ndarray of shape (n_samples,)
        The feature's values in X.
    feature_names : list of str
        Their names.
    labels : list of str
        Of the lines, for the legend. A single line has none.
    codes : list of (list of str or None), default=None
        What the codes of each feature's categories are called; None of a feature that has none.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
    bounding_ax_ : matplotlib Axes or None
        The axes that were divided.
    figure_ : matplotlib Figure
    lines_ : list of list of matplotlib Artist
        Of each feature, a line for each score.
    histograms_ : list of matplotlib BarContainer

    See Also
    --------
    ThresholdDisplay : Where the thresholds lie.
    WeightDisplay : What units of the first layer look for.
    sklearn.inspection.PartialDependenceDisplay : The whole model's mean, as one feature varies.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.inspection import StepsDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> classifier = BinaryMLPClassifier((64,), random_state=0).fit(X, y)
    >>> display = StepsDisplay.from_estimator(classifier, X, ["petal length (cm)"])
    >>> plt.show()
    """

    axes_: Array
    bounding_ax_: Axes | None
    figure_: Figure
    lines_: list[list[Line2D]]
    histograms_: list[BarContainer]

    def __init__(
        self,
        curves: list[tuple[Floats, Floats]],
        values: list[Floats],
        *,
        feature_names: list[str],
        labels: list[str],
        codes: list[list[str] | None] | None = None,
    ) -> None:
        self.curves, self.values, self.feature_names, self.labels = curves, values, feature_names, labels
        self.codes = [None] * len(values) if codes is None else codes

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        X: ArrayLike,
        features: Features = None,
        *,
        target: Any = None,
        feature_names: Sequence[str] | None = None,
        **plot_options: Any,
    ) -> Self:
        """Draw the additive part of a fitted model.

        Parameters
        ----------
        estimator : BinaryMLPClassifier, BinaryMLPRegressor or PackedNetwork
            Fitted, with an additive initial model.
        X : array-like of shape (n_samples, n_features)
            Rows whose histograms are drawn, and over which the mean is 0.
        features : int, str, or list of these, default=None
            Indices or names. None draws the six that move the scores most.
        target : int or str, default=None
            Of several classes the one whose score is drawn, of other outputs the index. None draws all.
        feature_names : list of str of length n_features, default=None
            Names of all features, by default those seen in ``fit``, else x0, x1 and so on.
        **plot_options : dict
            ``ax``, ``n_cols``, ``line_kw`` and ``hist_kw`` of ``plot``.

        Returns
        -------
        StepsDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed; the extra ``skbnn[plot]`` has it.
        TypeError
            If the estimator is none of these, or not fitted.
        ValueError
            If the model has no additive part, or X, ``features``, ``target``, ``feature_names`` or ``ax`` do not fit
            it.
        """
        network = packed_network_of(estimator)
        if not network.additive.varies:
            raise ValueError("the model has no additive part, as with init='constant' and after partial_fit")
        n_features = network.n_features_in
        X, outputs = table_of(X, n_features, network.categories), outputs_of(network, target)
        names = names_of_features(n_features, network.feature_names if feature_names is None else feature_names)
        if features is None:
            moves = [added(network, feature, X[:, feature])[outputs].std(axis=1).sum() for feature in range(n_features)]
            features = np.argsort(moves)[::-1][:N_FEATURES]
        chosen, curves = indices_of_features(features, names), []
        for feature in chosen:
            points, values = points_of(network, feature, X[:, feature]), X[:, feature]
            mean = added(network, feature, values).mean(axis=1, keepdims=True)
            curves.append((points, (added(network, feature, points) - mean)[outputs]))
        values, names = [X[:, feature] for feature in chosen], [names[feature] for feature in chosen]
        labels = [str(label) for label in np.asarray(labels_of(network))[outputs]]
        codes = [codes_of(network, feature) for feature in chosen]
        return cls(curves, values, feature_names=names, labels=labels, codes=codes).plot(**plot_options)

    def plot(
        self,
        ax: AxesLike = None,
        *,
        n_cols: int = 3,
        line_kw: dict[str, Any] | None = None,
        hist_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of these, default=None
            Axes to divide into a grid, or one for each feature. None makes a figure.
        n_cols : int, default=3
            Columns of the grid, at most.
        line_kw : dict, default=None
            For ``matplotlib.pyplot.plot``.
        hist_kw : dict, default=None
            For ``matplotlib.pyplot.hist``.

        Returns
        -------
        self : StepsDisplay
            This display.
        """
        self.bounding_ax_, self.axes_, axes = grid(self, ax, len(self.curves), n_cols)
        self.figure_, self.lines_, self.histograms_ = axes[0].figure, [], []
        features = zip(axes, self.curves, self.values, self.feature_names, self.codes, strict=True)
        for one, (points, curves), values, name, codes in features:
            self.histograms_.append(draw_histogram(one, values, hist_kw, codes))
            lines, missing = [], np.isnan(points)
            style = {} if codes is None else {"linestyle": "", "marker": "o"}
            for curve, label in zip(curves, self.labels, strict=True):
                options = {"label": label, **style, **(line_kw or {})}
                lines.append(one.plot(points[~missing], curve[~missing], **options)[0])
                if missing.any():
                    one.axhline(curve[missing][0], linestyle=":", linewidth=0.8, color=lines[-1].get_color())
                    place = {"xycoords": ("axes fraction", "data"), "ha": "right", "fontsize": "x-small"}
                    one.annotate("missing", (1, curve[missing][0]), **place)
            self.lines_.append(lines)
            one.set_xlabel(name)
            if codes is not None:
                draw_codes(one, codes)
        axes[0].set_ylabel("Added to the score")
        if len(self.labels) > 1:
            axes[0].legend()
        return self


def labels_of(network):
    """What to call each score: the class of a "softmax" one, else its index."""
    if network.output == "softmax" and network.classes is not None:
        return network.classes.tolist()
    return list(range(len(network.bias)))


def outputs_of(network, target):
    """The indices of the scores to draw."""
    labels = labels_of(network)
    if target is None:
        return list(range(len(labels)))
    if target not in labels:
        raise ValueError(f"target must be one of {labels}, got {target!r}")
    return [labels.index(target)]


def added(network, feature, values):
    """What these values of a feature add to each score, (n_outputs, n_values), by its steps and its line."""
    bits = slice(*network.offsets[feature : feature + 2])
    fill = find_fills(network.thresholds, network.offsets, network.nominal)[feature]
    values = np.where(np.isnan(values), fill, values)
    out = np.zeros((len(network.bias), len(values)))
    if network.steps.size:
        reached = values >= network.thresholds[bits, np.newaxis]
        if network.nominal[feature]:
            reached[:-1] &= ~reached[1:]
        out += network.steps[:, bits] @ reached
    if network.slopes.size:
        lower, upper = network.ranges[:, feature]
        out += np.trunc(np.outer(network.slopes[:, feature], np.minimum(np.fmax(values, lower), upper) - lower))
    return network.factor[:, np.newaxis] * out


def points_of(network, feature, values):
    """Where the curve has corners: either side of each threshold, and the ends of the values and of the line.

    Of a category, all its codes; last NaN, where a bit or the values tell of missing ones.
    """
    codes, finite = codes_of(network, feature), values[np.isfinite(values)]
    thresholds = network.thresholds[slice(*network.offsets[feature : feature + 2])]
    missing = np.isnan(values).any() or (thresholds == PRESENT).any()
    if codes is not None:
        points = np.arange(len(codes))
    else:
        ends = network.ranges[:, feature] if network.slopes.size else []
        points = np.concatenate([thresholds, np.nextafter(thresholds, -np.inf), ends])
        lower, upper = finite.min(initial=np.inf), finite.max(initial=-np.inf)
        points = np.unique(np.concatenate([[lower, upper][: len(finite)], points[(points > lower) & (points < upper)]]))
    return np.append(points, [np.nan] * bool(missing))
