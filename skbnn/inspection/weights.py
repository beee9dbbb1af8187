"""Weights of the first layer as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skbnn.encoding.columns import PRESENT
from skbnn.inspection.axes import codes_of, draw_codes, grid, indices_of_features, names_of_features
from skbnn.packed import packed_network_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skbnn._typing import Array, Axes, AxesImage, AxesLike, Bits, Features, Figure, Floats, Line2D, Model

N_UNITS, N_FEATURES = 8, 8  # that are drawn unless some are asked for


class WeightDisplay:
    """What units of the first layer look for: as images, or as curves over the features' ranges.

    A unit adds up the products of its ±1 weights with the ±1 bits of all features. A curve is a feature's part of that
    sum. A pixel of an image is the sum of a feature's weights: how much brighter pixels speak for the unit. Bits of
    combinations of features are not drawn. Use ``from_estimator`` to make one.

    Parameters
    ----------
    weights : list of ndarray of shape (n_units, n_bits of the feature)
        ±1 weights on the bits of each feature that is drawn.
    thresholds : list of ndarray of shape (n_bits of the feature,)
        Of these bits.
    units : list of int
        Which units these are.
    feature_names : list of str
        Of these features.
    image_shape : tuple of int, default=None
        Height and width of the image that the features make up. None draws curves.
    nominal : list of bool, default=None
        Whether a bit of the feature is of one category.
    codes : list of (list of str or None), default=None
        What the codes of each feature's categories are called; None of a feature that has none.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One for each unit, or of curves for each feature.
    bounding_ax_ : matplotlib Axes or None
        The axes that were divided.
    figure_ : matplotlib Figure
    images_ : list of matplotlib AxesImage or None
        Of each unit.
    lines_ : list of list of matplotlib Artist or None
        Of each feature, a line for each unit.

    See Also
    --------
    StepsDisplay : What each feature adds to the scores by itself.
    ThresholdDisplay : Where the thresholds lie.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.inspection import WeightDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> classifier = BinaryMLPClassifier((64,), random_state=0).fit(X, y)
    >>> display = WeightDisplay.from_estimator(classifier, units=[0, 1])
    >>> plt.show()
    """

    axes_: Array
    bounding_ax_: Axes | None
    figure_: Figure
    images_: list[AxesImage] | None
    lines_: list[list[Line2D]] | None

    def __init__(
        self,
        weights: list[Bits],
        thresholds: list[Floats],
        *,
        units: list[int],
        feature_names: list[str],
        image_shape: tuple[int, int] | None = None,
        nominal: list[bool] | None = None,
        codes: list[list[str] | None] | None = None,
    ) -> None:
        self.weights, self.thresholds, self.units = weights, thresholds, units
        self.feature_names, self.image_shape = feature_names, image_shape
        self.nominal = [False] * len(weights) if nominal is None else nominal
        self.codes = [None] * len(weights) if codes is None else codes

    @classmethod
    def from_estimator(
        cls,
        estimator: Model,
        features: Features = None,
        *,
        units: int | Sequence[int] | None = None,
        feature_names: Sequence[str] | None = None,
        image_shape: tuple[int, int] | None = None,
        **plot_options: Any,
    ) -> Self:
        """Draw weights of a fitted model.

        Parameters
        ----------
        estimator : BinaryMLPClassifier, BinaryMLPRegressor or PackedNetwork
            Fitted.
        features : int, str, or list of these, default=None
            Indices or names of those whose curves are drawn. None draws the first eight that have bits.
        units : int or list of int, default=None
            Which units, as they stand in ``coefs_[0]``; those of several networks side by side. None draws the first
            eight.
        feature_names : list of str of length n_features, default=None
            Names of all features, by default those seen in ``fit``, else x0, x1 and so on.
        image_shape : tuple of int, default=None
            Height and width of the image whose pixels, row by row, are the features. None draws curves.
        **plot_options : dict
            ``ax``, ``n_cols``, ``line_kw`` and ``image_kw`` of ``plot``.

        Returns
        -------
        WeightDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed; the extra ``skbnn[plot]`` has it.
        TypeError
            If the estimator is none of these, or not fitted.
        ValueError
            If ``features``, ``units``, ``feature_names``, ``image_shape`` or ``ax`` do not fit the model.
        """
        network = packed_network_of(estimator)
        n_features, offsets = network.n_features_in, network.offsets
        weights = network.binary_weights[0].reshape(-1, network.layer_sizes[0])
        units = np.atleast_1d(range(min(N_UNITS, len(weights))) if units is None else units).tolist()
        if not all(0 <= unit < len(weights) for unit in units):
            raise ValueError(f"units must be from 0 to {len(weights) - 1}, got {units}")
        names = names_of_features(n_features, network.feature_names if feature_names is None else feature_names)
        if image_shape is not None:
            if len(image_shape) != 2 or np.prod(image_shape) != n_features:
                raise ValueError(f"image_shape={image_shape} does not fit {n_features} features")
            features = range(n_features)
        elif features is None:
            features = np.flatnonzero(np.diff(offsets)[:n_features])[:N_FEATURES]
        chosen = indices_of_features(features, names)
        bits = [slice(*offsets[feature : feature + 2]) for feature in chosen]
        return cls(
            [weights[units, of_feature] for of_feature in bits],
            [network.thresholds[of_feature] for of_feature in bits],
            units=units,
            feature_names=[names[feature] for feature in chosen],
            image_shape=image_shape,
            nominal=network.nominal[chosen].tolist(),
            codes=[codes_of(network, feature) for feature in chosen],
        ).plot(**plot_options)

    def plot(
        self,
        ax: AxesLike = None,
        *,
        n_cols: int = 4,
        line_kw: dict[str, Any] | None = None,
        image_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the weights.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of these, default=None
            Axes to divide into a grid, or one for each unit, of curves for each feature. None makes a figure.
        n_cols : int, default=4
            Columns of the grid, at most.
        line_kw : dict, default=None
            For ``matplotlib.pyplot.plot``.
        image_kw : dict, default=None
            For ``matplotlib.pyplot.imshow``.

        Returns
        -------
        self : WeightDisplay
            This display.
        """
        n = len(self.weights) if self.image_shape is None else len(self.units)
        self.bounding_ax_, self.axes_, axes = grid(self, ax, n, n_cols)
        self.figure_, self.images_, self.lines_ = axes[0].figure, None, None
        if self.image_shape is None:
            self.lines_ = [self._draw_curves(one, index, line_kw or {}) for index, one in enumerate(axes)]
            axes[0].legend(title="Unit", fontsize="x-small")
        else:
            self.images_ = self._draw_images(axes, image_kw or {})
        return self

    def _draw_images(self, axes, options):
        """One image a unit, all in the same colours, with 0 in their middle."""
        sums = np.stack([of_feature.sum(axis=1, dtype=int) for of_feature in self.weights], axis=1)
        most = max(1, np.abs(sums).max())
        options, images = {"cmap": "RdBu", "vmin": -most, "vmax": most, **options}, []
        for ax, unit, image in zip(axes, self.units, sums, strict=True):
            images.append(ax.imshow(image.reshape(self.image_shape), **options))
            ax.set(xticks=[], yticks=[])
            ax.set_title(f"Unit {unit}", fontsize="small")
        return images

    def _draw_curves(self, ax, index, options):
        """A feature's part of each unit's sum, from a bit before the first threshold to a bit beyond the last.

        What is missing, and has a bit for that, is in no curve.
        """
        weights, thresholds = self.weights[index].astype(int), self.thresholds[index]
        finite = np.isfinite(thresholds)
        known = thresholds[finite]
        none_reached = -weights.sum(axis=1, keepdims=True)
        none_reached += 2 * weights[:, thresholds == PRESENT].sum(axis=1, keepdims=True)
        ax.set_xlabel(self.feature_names[index])
        if self.codes[index] is not None:
            draw_codes(ax, self.codes[index])
        if self.nominal[index]:
            points, sums = known, none_reached + 2 * weights[:, finite]
            style = {"linestyle": "", "marker": "o"}
        else:
            lowest, highest = (known[0], known[-1]) if len(known) else (0, 0)
            margin = 0.05 * (highest - lowest) or 1
            points = np.concatenate([[lowest - margin], known, [highest + margin]])
            sums = np.hstack([none_reached, none_reached + 2 * np.cumsum(weights[:, finite], axis=1)])
            sums = np.hstack([sums, sums[:, -1:]])
            style = {"drawstyle": "steps-post"}
        return [
            ax.plot(points, of_unit, **{**style, "label": str(unit), **options})[0]
            for unit, of_unit in zip(self.units, sums, strict=True)
        ]
