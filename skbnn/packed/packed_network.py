"""The network that predicts: plain arrays, immutable, that needs nothing but NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skbnn.encoding.sparse import dense, is_sparse
from skbnn.encoding.tables import REALS, is_frame, is_table, shown, to_numbers, unmasked
from skbnn.packed.activations import expit, softmax
from skbnn.packed.additive_part import AdditivePart
from skbnn.packed.arguments import (
    frozen,
    frozen_categories,
    frozen_integers,
    frozen_labels,
    frozen_layers,
    frozen_names,
    frozen_sizes,
    require,
)
from skbnn.packed.checks import check, check_names
from skbnn.packed.layout import unpack_weights
from skbnn.packed.programs import all_weights, compile_programs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn

    from numpy.typing import ArrayLike, NDArray

    from skbnn._typing import Array, Bits, Categories, Floats, Integers, Model, Output, Rows, Words
    from skbnn.packed._program import Program

FORMAT = 2  # of the pickled state

INTEGERS = ["scale", "bias", "steps"]
ARRAYS = ["thresholds", "offsets", "components", "output_weights", *INTEGERS, "factor", "slopes", "ranges"]


class PackedNetwork:
    """A binary network, or several of one shape that add up, as bits and integer thresholds.

    An estimator's ``packed_``. It predicts by itself, needs no validation by scikit-learn and carries no training
    state, so it is what to save and to serve from. Networks of equal content are equal, and have one hash.

    Parameters
    ----------
    thresholds : array-like of shape (n_bits,)
        Thresholds of the thermometer encoding, ascending within a feature. Input bit j is +1 iff its feature reaches
        ``thresholds[j]``. A missing value, NaN, reaches none; -inf, first of a feature, is reached by all others.
        Where a feature has no such bit, NaN counts as the middle one of its thresholds, ``thresholds[n // 2]`` of n.
    offsets : array-like of shape (n_features + n_components + 1,)
        Feature f has the bits from ``offsets[f]`` to ``offsets[f + 1]``; components come after the features.
    components : array-like of shape (n_components, n_features)
        Linear combinations of the features that are encoded as well. In them NaN counts as the feature's middle
        threshold, and as 0 where the feature has a bit for it, or none at all.
    layers : list of (packed_weights, unit_thresholds)
        Hidden layers of all members: uint64 words of shape (n_members, n_groups, n_words, 8), interleaved by eight
        units, and (n_members, 8 * n_groups) int32; a unit is +1 iff ``popcount(x ^ w) <= unit_threshold``. Padding has
        words 0 and threshold -1.
    output_weights : ndarray of shape (n_members, n_groups, n_words, 8), uint64
        The output layers.
    layer_sizes : list of int
        Input bits, then a member's units of each layer, the output layer's included.
    scale : array-like of int, shape (n_members, n_outputs, units_per_output)
        The integer score of output o is ``bias[o] + sum(steps[o][bits]) + sum(trunc(slopes[o] * rises)) +
        sum(scale[:, o] * dots)`` over the input bits that are +1, the features' rises, and the ±1 dot products of each
        member's consecutive units.
    bias : array-like of int, shape (n_outputs,)
        What the integer scores start from.
    factor : array-like of shape (n_outputs,)
        A power of two for each output, the unit of its integer score: scores are ``factor`` times the integers. One
        and the same for all outputs of "softmax".
    output : {"identity", "logistic", "softmax"}
        What the scores mean: values, independent labels' log-odds, or classes' log-probabilities up to a constant.
    steps : array-like of int, shape (n_outputs, n_bits) or (n_outputs, 0)
        The additive part: how much a score rises where a feature reaches a threshold. Without columns there is none.
    slopes : array-like of shape (n_outputs, n_features) or (n_outputs, 0)
        Its straight lines: how much an integer score rises with a feature, from the lower to the upper end of its
        range.
    ranges : array-like of shape (2, n_features) or (2, 0)
        Lower and upper ends of these; the rise is ``clip(x, lower, upper) - lower``. Of a missing value it is 0 where
        the feature has a bit for that, else that of the threshold that it counts as.
    nominal : array-like of shape (n_features,), bool, default=None
        Features whose values are codes of categories, 0, 1 and so on. Of their bits only the last that a row reaches is
        +1: that of its code. None is no feature.
    classes : array-like of shape (n_classes,), default=None
        Labels, in the order of "softmax" outputs, or of a single "logistic" one's 0 and 1; ``predict`` returns them.
        Without them it returns indices.
    feature_names : sequence of str, default=None
        Names of the features, for whoever calls; rows go by position.
    categories : sequence of length n_features, default=None
        For each nominal feature, and for others whose values are codes as well but in an order that says something,
        the labels in the order of the codes: text or numbers, and None for missing values where these have a code. None
        for any other feature. With them, rows have labels instead of codes, and a label that is unknown counts as
        missing.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or if an integer score could reach 2**53.

    See Also
    --------
    save_model : Writes a network to a file.
    load_model : Reads it.
    skbnn.inspection.summary : A table of what it consists of.

    Notes
    -----
    Scores are sums of integers, so they are the same to the last bit for every instruction set, number of threads,
    number of rows, dtype and memory order of X; ``doc/arithmetic.rst`` has all that is needed to write another
    predictor. To load a network and to predict a row takes at most four times the size of its pickle, beside two rows
    of float64, names, labels and a few kilobytes for each layer. Columns go by their position; names are not checked.
    Methods take rows, (n_rows, n_features), or a single row, (n_features,).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> network = BinaryMLPClassifier((64,), random_state=0).fit(X, y).packed_
    >>> network.feature_names[0]
    'sepal length (cm)'
    >>> rows = X.to_numpy()
    >>> int(network.predict(rows[0])), network.predict_proba(rows).shape
    (0, (150, 3))
    >>> bool((network.decision_function(rows) == network.factor * network.integer_scores(rows)).all())
    True
    """

    thresholds: Floats
    offsets: NDArray[np.int32]
    components: Floats
    layers: tuple[tuple[Words, NDArray[np.int32]], ...]
    output_weights: Words
    layer_sizes: tuple[int, ...]
    scale: Integers
    bias: Integers
    factor: Floats
    output: Output
    steps: Integers
    slopes: Floats
    ranges: Floats
    classes: Array | None
    feature_names: tuple[str, ...] | None
    nominal: NDArray[np.bool_]
    categories: tuple[tuple[str | float | None, ...] | None, ...] | None
    _program: Program
    _bits_program: Program

    def __init__(
        self,
        thresholds: ArrayLike,
        offsets: ArrayLike,
        components: ArrayLike,
        *,
        layers: Iterable[tuple[Array, Array]],
        output_weights: Array,
        layer_sizes: Iterable[int],
        scale: ArrayLike,
        bias: ArrayLike,
        factor: ArrayLike,
        output: Output,
        steps: ArrayLike,
        slopes: ArrayLike,
        ranges: ArrayLike,
        nominal: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        feature_names: Iterable[str] | None = None,
        categories: Categories | None = None,
    ) -> None:
        offsets = frozen(offsets, np.int32, 1, "offsets")
        components = frozen(components, np.float64, 2, "components")
        if nominal is None:
            nominal = np.zeros(max(0, len(offsets) - 1 - len(components)), bool)
        content = {
            "thresholds": frozen(thresholds, np.float64, 1, "thresholds"),
            "offsets": offsets,
            "components": components,
            "nominal": frozen(nominal, np.bool_, 1, "nominal"),
            "layers": frozen_layers(layers),
            "output_weights": frozen(output_weights, np.uint64, 4, "output_weights"),
            "layer_sizes": frozen_sizes(layer_sizes, "layer_sizes"),
            "scale": frozen_integers(scale, 3, "scale"),
            "bias": frozen_integers(bias, 1, "bias"),
            "factor": frozen(factor, np.float64, 1, "factor"),
            "output": output,
            "steps": frozen_integers(steps, 2, "steps"),
            "slopes": frozen(slopes, np.float64, 2, "slopes"),
            "ranges": frozen(ranges, np.float64, 2, "ranges"),
            "classes": frozen_labels(classes),
            "feature_names": frozen_names(feature_names),
            "categories": frozen_categories(categories, components.shape[1]),
        }
        self.__dict__.update(content)
        integer = np.int32 if check(self) < 2**31 else np.int64
        self.__dict__.update((name, frozen(content[name], integer, content[name].ndim, name)) for name in INTEGERS)
        program, of_bits = compile_programs(self)
        self.__dict__.update(_program=program, _bits_program=of_bits)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a PackedNetwork is immutable; {name} can't be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a PackedNetwork is immutable; {name} can't be deleted")

    def decision_function(self, X: Rows) -> Floats:
        """Compute scores of each row.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_rows, n_features), or array-like of shape (n_features,)
            Real numbers of any dtype, read as they are, and the labels of ``categories``; a sparse matrix is never made
            dense as a whole.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_outputs) or (n_outputs,), float64
            ``factor`` times the integer scores.

        Raises
        ------
        ValueError
            If X has another number of features, or is not real.
        """
        return self.factor * self._of_rows(self._program.scores, X)

    def integer_scores(self, X: Rows) -> NDArray[np.int64]:
        """Compute scores in units of ``factor``, as they are added up.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features) or (n_features,)
            As in ``decision_function``.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_outputs) or (n_outputs,), int64
            Below 2**53.
        """
        return self._of_rows(self._program.scores, X).astype(np.int64)

    def _of_rows(self, function, X):
        """What a native function says of rows, or of a single row, as they are given."""
        if type(X) is np.ndarray and X.dtype.kind in REALS and self.categories is None:  # a row alone takes 2 µs
            return function(X) if X.ndim != 1 else function(X[np.newaxis])[0]
        if is_frame(X) or (is_sparse(X) and X.ndim == 2):
            return function(self._numbers(X))
        mixed = self.categories is not None and not hasattr(X, "dtype")  # a list, in which numbers are to stay numbers
        array = np.asarray(unmasked(dense(X)), dtype=object if mixed else None)
        if not array.ndim:
            raise ValueError(f"X is a {type(X).__name__}, expected an array of rows")
        if array.ndim == 1:
            return function(self._numbers(array[np.newaxis]))[0]
        return function(self._numbers(array))

    def _numbers(self, rows):
        """The rows as numbers, which they may be already."""
        if self.categories is None and not is_table(rows):
            array = rows if is_sparse(rows) else np.asarray(rows)  # of a frame of numbers, at once what it would be
            if not is_frame(rows) or array.dtype.kind in REALS:  # pandas' bools beside floats are objects
                return array
        return to_numbers(rows, self.categories)

    def decision_function_from_bits(self, bits: Words) -> Floats:
        """Compute scores of rows that are encoded already.

        Parameters
        ----------
        bits : ndarray of shape (n_rows, n_words), uint64
            Bit j of a row is bit j % 64 of word j // 64.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_outputs), float64
            As those of ``decision_function``.

        Raises
        ------
        ValueError
            If these are no such rows, or if there are slopes, which rise with the features themselves.
        """
        return self.factor * self._bits_program.scores_from_bits(bits)

    def predict(self, X: Rows) -> Any:
        """Predict each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features) or (n_features,)
            As in ``decision_function``.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs), or one row less a dimension
            By ``output``: the scores ("identity"), 1 where the score is positive and else 0 ("logistic"), or the
            index of the largest score ("softmax"). Where there are ``classes``, the label with that index. One output
            has no dimension of its own.
        """
        if self.output == "identity":
            scores = self.decision_function(X)
            return scores[..., 0] if len(self.bias) == 1 else scores
        if self.output == "softmax":
            indices = self._of_rows(self._program.largest, X)
        else:
            indices = (self._of_rows(self._program.scores, X) > 0).astype(np.int64)
            indices = indices[..., 0] if len(self.bias) == 1 else indices
        return indices if self.classes is None else self.classes[indices]

    def predict_proba(self, X: Rows) -> Floats:
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features) or (n_features,)
            As in ``decision_function``.

        Returns
        -------
        ndarray of shape (n_rows, n_classes) or (n_rows, n_labels), or one row less a dimension
            A single "logistic" output gives two columns, of 0 and of 1.

        Raises
        ------
        ValueError
            If the network is a regressor's.
        """
        if self.output == "identity":
            raise ValueError("predict_proba is for classifiers; this network's output is 'identity'")
        scores = self.decision_function(X)
        if self.output == "softmax":
            return softmax(scores)
        return expit(np.concatenate([-scores, scores], axis=-1) if len(self.bias) == 1 else scores)

    def named(
        self,
        *,
        classes: ArrayLike | None = None,
        feature_names: Iterable[str] | None = None,
        categories: Categories | None = None,
    ) -> PackedNetwork:
        """Make the same network with other names.

        Parameters
        ----------
        classes : array-like of shape (n_classes,), default=None
            Labels, in place of those that it has.
        feature_names : sequence of str, default=None
            Names of the features, in place of those that it has.
        categories : sequence of length n_features, default=None
            Labels of nominal features, in place of those that it has.

        Returns
        -------
        network : PackedNetwork
            It shares its arrays with this one.
        """
        network = object.__new__(type(self))
        names = {"classes": frozen_labels(classes), "feature_names": frozen_names(feature_names)}
        network.__dict__.update(self.__dict__, **names, categories=frozen_categories(categories, self.n_features_in))
        check_names(network)
        return network

    @property
    def additive(self) -> AdditivePart:
        """What is added to the networks' scores, an AdditivePart in units of ``factor``."""
        return AdditivePart(self.bias, self.steps, self.slopes, self.ranges)

    @property
    def n_members(self) -> int:
        """Networks that add up."""
        return len(self.output_weights)

    @property
    def n_features_in(self) -> int:
        """Features of a row."""
        return self.components.shape[1]

    @property
    def binary_weights(self) -> list[Bits]:
        """±1 weights of each layer, a list of (n_members, n_units, n_inputs) int8 arrays; unpacked at each access."""
        sizes = zip(self.layer_sizes[1:], self.layer_sizes[:-1], strict=True)
        return [
            np.stack([unpack_weights(member, *size) for member in weights])
            for weights, size in zip(all_weights(self), sizes, strict=True)
        ]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays; of ``nominal`` only where a feature is."""
        return sum(array.nbytes for array in self._arrays)

    @property
    def _arrays(self):
        names = [*ARRAYS, "nominal"] if self.nominal.any() else ARRAYS
        return [getattr(self, name) for name in names] + [part for layer in self.layers for part in layer]

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.layer_sizes)) + (f" x {self.n_members}" if self.n_members > 1 else "")
        return f"PackedNetwork({self.n_features_in} features, {sizes} bits, {self.output}, {self.nbytes} bytes)"

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, PackedNetwork) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self):
        """All content as values that compare and hash."""
        labels = None if self.classes is None else (self.classes.dtype.str, *self.classes.tolist())
        content = [(array.shape, array.tobytes()) for array in self._arrays]
        return self.output, self.layer_sizes, self.feature_names, labels, self.categories, *content

    def _content(self):
        """The constructor's arguments."""
        names = [*ARRAYS, "nominal", "layers", "layer_sizes", "output", "classes", "feature_names", "categories"]
        content = {name: getattr(self, name) for name in names}
        return content | {
            "categories": self.categories and tuple(labels and tuple(labels) for labels in self.categories)
        }

    def __getstate__(self):
        return {"format": FORMAT, **self._content()}

    def __setstate__(self, state):
        try:
            state = dict(state)
            version = state.pop("format")
            known = isinstance(version, int) and version == FORMAT
            require(known, f"format {shown(version)} is not {FORMAT}; it is of another version of skbnn")
            self.__init__(**state)
        except (TypeError, KeyError) as error:
            raise ValueError(f"not the state of a PackedNetwork: {error!r}") from error


def packed_network_of(model: Model) -> PackedNetwork:
    """The PackedNetwork that a fitted estimator predicts with, or the model itself where it is one.

    Raises
    ------
    TypeError
        If it is neither, or not fitted.
    """
    packed = getattr(model, "packed_", model)
    if isinstance(packed, PackedNetwork):
        return packed
    kind = type(model).__name__
    if hasattr(model, "hidden_layer_sizes"):
        raise TypeError(f"model must be fitted, and this {kind} is not")
    hint = "; pass its last step, and what comes before it is yours to apply" if hasattr(model, "steps") else ""
    raise TypeError(
        f"model must be a fitted BinaryMLPClassifier or BinaryMLPRegressor, or a PackedNetwork, got {kind}{hint}"
    )
