"""The thermometer encoding as a transformer of its own."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skbnn._doc_link import DocumentationLink
from skbnn._sklearn import Interval, StrOptions, _check_feature_names_in, _fit_context
from skbnn._validation import validated
from skbnn._whole import whole
from skbnn.encoding import Encoding
from skbnn.encoding.columns import PRESENT
from skbnn.encoding.thresholds import find_encoding
from skbnn.packed.layout import unpack_bits

if TYPE_CHECKING:
    from typing import Any, Literal, Self

    from numpy.typing import ArrayLike

    from skbnn._typing import Array, Bits, Floats, RandomState, Rows


class ThermometerEncoder(DocumentationLink, TransformerMixin, BaseEstimator):
    """Turn each feature into bits that say which thresholds its value reaches.

    The encoding of the binary estimators' inputs [1]_. Thresholds lie halfway between neighbouring distinct values of
    the training data: between any two, where there are few values, else near quantiles. A 0/1 feature becomes one
    bit, a constant feature none. Thresholds are float64: of 64-bit integers beyond 2**53 subtract an offset first.

    Parameters
    ----------
    n_thresholds : int, default=32
        Bits a feature, at most.
    output : {"plus_minus_one", "zero_one"}, default="plus_minus_one"
        Whether a bit is written as -1 or +1, or as 0 or 1.
    random_state : int, RandomState instance or None, default=None
        Draws the 200,000 rows that are looked at if there are more.

    Attributes
    ----------
    thresholds_ : list of ndarray of shape (n_bits of the feature,), float64
        Ascending thresholds of each feature.
    n_features_in_ : int
        Features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X had string column names.

    See Also
    --------
    skbnn.inspection.ThresholdDisplay : Draws the thresholds over the features' histograms.
    sklearn.preprocessing.KBinsDiscretizer : One bit for the interval that a value is in.

    References
    ----------
    .. [1] Buckman et al., "Thermometer Encoding: One Hot Way To Resist Adversarial Examples", 2018.

    Examples
    --------
    >>> from skbnn import ThermometerEncoder
    >>> ThermometerEncoder(output="zero_one").fit_transform([[1], [2], [4]])
    array([[0, 0],
           [1, 0],
           [1, 1]], dtype=int8)
    """

    _parameter_constraints = {
        "n_thresholds": [Interval(Integral, 1, None, closed="left")],
        "output": [StrOptions({"plus_minus_one", "zero_one"})],
        "random_state": ["random_state"],
    }

    thresholds_: list[Floats]
    n_features_in_: int
    feature_names_in_: Array

    def __init__(
        self,
        n_thresholds: int = 32,
        *,
        output: Literal["plus_minus_one", "zero_one"] = "plus_minus_one",
        random_state: RandomState = None,
    ) -> None:
        self.n_thresholds = n_thresholds
        self.output = output
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Rows, y: Any = None) -> Self:
        """Learn the thresholds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Integer, boolean and float arrays are read as they are; a sparse matrix is never made dense as a whole.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted encoder.
        """
        with whole(self) as fitted:
            X = validated(fitted, X, reset=True)
            rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
            fitted.thresholds_ = find_encoding(X, self.n_thresholds, rng=rng).columns
        return self

    def transform(self, X: Rows) -> Bits:
        """Encode rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            As in ``fit``.

        Returns
        -------
        bits : ndarray of shape (n_samples, n_bits), int8
            Feature by feature, lowest threshold first.
        """
        check_is_fitted(self)
        X = validated(self, X)
        encoding = Encoding.from_columns(self.thresholds_, np.empty((0, X.shape[1])))
        bits = unpack_bits(encoding.encode(X), encoding.n_bits)
        return bits if self.output == "plus_minus_one" else (bits > 0).astype(np.int8)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Name the bits.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the features; by default those seen in ``fit``, else x0, x1 and so on.

        Returns
        -------
        names : ndarray of shape (n_bits,), object
            Such as ``"x0>=1.5"``, and ``"x0 is known"`` of a bit that is +1 unless the value is missing.
        """
        check_is_fitted(self, "thresholds_")
        features = _check_feature_names_in(self, input_features)
        pairs = zip(features, self.thresholds_, strict=True)
        return np.array([name_of_bit(name, limit) for name, limits in pairs for limit in limits], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def name_of_bit(feature, threshold):
    """What the bit of a threshold says, with the fewest digits that are read as this float64, as "5.45" or "2"."""
    return f"{feature} is known" if threshold == PRESENT else f"{feature}>={repr(float(threshold)).removesuffix('.0')}"
