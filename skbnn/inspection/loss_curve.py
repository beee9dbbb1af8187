"""The loss, epoch by epoch, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from sklearn.utils.validation import check_is_fitted

from skbnn.inspection.axes import pyplot

if TYPE_CHECKING:
    from skbnn._typing import Axes, Figure, Line2D


class LossCurveDisplay:
    """The training loss of each epoch and, with early stopping, the score of held-out rows.

    Use ``from_estimator`` to make one.

    Parameters
    ----------
    loss_curve : list of float
        Loss of each epoch.
    validation_scores : list of float, default=None
        Score of each epoch on held-out rows.
    name : str, default=None
        For the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the loss.
    score_ax_ : matplotlib Axes or None
        Of the score; it shares the epochs' axis.
    figure_ : matplotlib Figure
    line_ : matplotlib Artist
        The loss.
    score_line_ : matplotlib Artist or None
        The score.

    See Also
    --------
    WeightDisplay : What units of the first layer look for.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier
    >>> from skbnn.inspection import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> classifier = BinaryMLPClassifier((64,), random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(classifier)
    >>> plt.show()
    """

    ax_: Axes
    score_ax_: Axes | None
    figure_: Figure
    line_: Line2D
    score_line_: Line2D | None

    def __init__(
        self, loss_curve: list[float], *, validation_scores: list[float] | None = None, name: str | None = None
    ) -> None:
        self.loss_curve, self.validation_scores, self.name = loss_curve, validation_scores, name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Axes | None = None,
        name: str | None = None,
        line_kw: dict[str, Any] | None = None,
        score_line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : BinaryMLPClassifier or BinaryMLPRegressor
            Any estimator with ``loss_curve_``, such as scikit-learn's ``MLPClassifier``.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a figure.
        name : str, default=None
            For the legend, by default the class's name.
        line_kw, score_line_kw : dict, default=None
            For ``matplotlib.pyplot.plot``.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed; the extra ``skbnn[plot]`` has it.
        NotFittedError
            If the estimator has no ``loss_curve_``.
        """
        check_is_fitted(estimator, "loss_curve_")
        scores = getattr(estimator, "validation_scores_", None)
        display = cls(estimator.loss_curve_, validation_scores=scores, name=name or type(estimator).__name__)
        return display.plot(ax, line_kw=line_kw, score_line_kw=score_line_kw)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        line_kw: dict[str, Any] | None = None,
        score_line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a figure.
        name : str, default=None
            For the legend, in place of the display's.
        line_kw, score_line_kw : dict, default=None
            For ``matplotlib.pyplot.plot``.

        Returns
        -------
        self : LossCurveDisplay
            This display.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        if ax is None:
            _, ax = plt.subplots()
        name = self.name if name is None else name
        labels = {} if name is None else {"label": name}
        epochs = range(1, len(self.loss_curve) + 1)
        self.ax_, self.figure_, self.score_ax_, self.score_line_ = ax, ax.figure, None, None
        (self.line_,) = ax.plot(epochs, self.loss_curve, **{**labels, **(line_kw or {})})
        ax.set(xlabel="Epoch", ylabel="Loss")
        if self.validation_scores is not None:
            self.score_ax_, color = ax.twinx(), self.line_.get_color()
            options = {"color": color, "linestyle": "--", **(score_line_kw or {})}
            scored = range(1, len(self.validation_scores) + 1)  # a stream goes on without scores
            (self.score_line_,) = self.score_ax_.plot(scored, self.validation_scores, **options)
            self.score_ax_.set_ylabel("Validation score (dashed)")
        if "label" in {**labels, **(line_kw or {})}:
            ax.legend()
        return self
