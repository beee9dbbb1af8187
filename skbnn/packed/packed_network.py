"""The network that predicts: plain arrays, immutable, independent of scikit-learn."""

import numpy as np
from scipy.special import expit, softmax

from skbnn.encoding import Encoder
from skbnn.packed._program import Program
from skbnn.packed.layout import pack_bits, pack_members, sums_in_columns, unpack_weights

OUTPUTS = "identity", "logistic", "softmax"

FORMAT = 1  # of the pickled state


class PackedNetwork:
    """A binary network, or several of one shape that add up, as bits and integer thresholds.

    An estimator's ``packed_``. It predicts by itself, needs no validation by scikit-learn and carries no training
    state, so it is what to pickle and to serve from.

    Parameters
    ----------
    thresholds : array-like of shape (n_bits,)
        Thresholds of the thermometer encoding, ascending within a feature. Input bit j is +1 iff its feature reaches
        ``thresholds[j]``.
    offsets : array-like of shape (n_features + n_components + 1,)
        Feature f has the bits from ``offsets[f]`` to ``offsets[f + 1]``; components come after the features.
    components : array-like of shape (n_components, n_features)
        Linear combinations of the features that are encoded as well.
    layers : list of (packed_weights, unit_thresholds)
        Hidden layers of all members: uint64 words of shape (n_members, n_groups, n_words, 8), interleaved by eight
        units, and (n_members, 8 * n_groups) int32; a unit is +1 iff ``popcount(x ^ w) <= unit_threshold``. Padding has
        words 0 and threshold -1.
    output_weights : ndarray of shape (n_members, n_groups, n_words, 8), uint64
        The output layers.
    layer_sizes : list of int
        Input bits, then a member's units of each layer, the output layer's included.
    scale : array-like of shape (n_members, n_outputs, units_per_output)
        Score o is ``bias[o] + sum(steps[o][bits]) + sum(slopes[o] * rises) + sum(scale[:, o] * dots)`` over the input
        bits that are +1, the features' rises, and the ±1 dot products of each member's consecutive units.
    bias : array-like of shape (n_outputs,)
    output : {"identity", "logistic", "softmax"}
        What the scores mean: values, independent labels' log-odds, or classes' log-probabilities up to a constant.
    steps : array-like of shape (n_outputs, n_bits) or (n_outputs, 0)
        The additive part: how much a score rises where a feature reaches a threshold. Without columns there is none.
    slopes : array-like of shape (n_outputs, n_features) or (n_outputs, 0)
        Its straight lines: how much a score rises with a feature, from the lower to the upper end of its range,
    ranges : array-like of shape (2, n_features) or (2, 0)
        which are these; the rise is ``clip(x, lower, upper) - lower``.

    Raises
    ------
    ValueError
        If the arrays do not fit together.

    Notes
    -----
    Predictions are the same to the last bit for every instruction set, number of threads, number of rows, dtype and
    memory order of X. Columns go by their position; names are not checked. Methods take rows, (n_rows, n_features), or
    a single row, (n_features,).
    """

    def __init__(
        self,
        thresholds,
        offsets,
        components,
        *,
        layers,
        output_weights,
        layer_sizes,
        scale,
        bias,
        output,
        steps,
        slopes,
        ranges,
    ):
        self.thresholds = frozen(thresholds, np.float64, 1, "thresholds")
        self.offsets = frozen(offsets, np.int64, 1, "offsets")
        self.components = frozen(components, np.float64, 2, "components")
        self.layer_sizes = [int(size) for size in layer_sizes]
        self.layers = [
            (frozen(weights, np.uint64, 4, "packed weights"), frozen(limits, np.int32, 2, "unit thresholds"))
            for weights, limits in layers
        ]
        self.output_weights = frozen(output_weights, np.uint64, 4, "output weights")
        self.scale = frozen(scale, np.float64, 3, "scale")
        self.bias = frozen(bias, np.float64, 1, "bias")
        self.output = output
        self.steps = frozen(steps, np.float64, 2, "steps")
        self.slopes = frozen(slopes, np.float64, 2, "slopes")
        self.ranges = frozen(ranges, np.float64, 2, "ranges")
        self._check()
        encoder = Encoder(self.thresholds, self.offsets, self.components)
        self._bits_program = self._compile(encoder, self.offsets, self._all_weights, self.steps)
        self._program = self._bits_program
        counts = np.diff(self.offsets)
        if (counts <= 1).all() and (counts == 0).any() and not len(self.components):
            self._program = self._compile(*self._with_one_bit_each())

    def _check(self):
        """Everything that the native code relies on."""
        sizes = self.layer_sizes
        require(
            isinstance(self.output, str) and self.output in OUTPUTS,
            f"output must be one of {OUTPUTS}, got {self.output!r}",
        )
        n_columns = sum(self.components.shape)
        require(self.components.shape[1] > 0, "components must have a feature")
        require(len(self.offsets) == n_columns + 1, f"{len(self.offsets)} offsets do not fit {n_columns} columns")
        require(self.offsets[0] == 0, "offsets must start with 0")
        require(np.isfinite(self.components).all(), "components must be finite")
        require((np.diff(self.offsets) >= 0).all(), "offsets must ascend")
        require(self.offsets[-1] == len(self.thresholds) > 0, "offsets must end with the number of thresholds")
        require(np.isfinite(self.thresholds).all(), "thresholds must be finite")
        within = np.ones(len(self.thresholds), bool)
        within[self.offsets[:-1][self.offsets[:-1] < len(within)]] = False
        ascends = self.thresholds[1:] >= self.thresholds[:-1]
        require(ascends[within[1:]].all(), "thresholds must ascend within a feature")
        require(len(sizes) == len(self.layers) + 2, f"{len(self.layers)} hidden layers do not fit sizes {sizes}")
        require(min(sizes) > 0 and max(sizes) < 2**31, f"layer sizes must be positive, got {sizes}")
        require(sizes[0] == len(self.thresholds), f"{len(self.thresholds)} thresholds do not fit sizes {sizes}")
        n_members, n_outputs, units_per_output = self.scale.shape
        require(n_members > 0, "scale must have a member")
        n_units = n_outputs * units_per_output
        require(n_units == sizes[-1], f"scale has {n_units} units, expected {sizes[-1]}")
        require(n_outputs == len(self.bias), f"{len(self.bias)} biases do not fit {n_outputs} outputs")
        shapes = (len(self.bias), sizes[0]), (len(self.bias), 0)
        require(self.steps.shape in shapes, f"steps have shape {self.steps.shape}, expected {shapes[0]}")
        require(np.isfinite(self.steps).all(), "steps must be finite")
        shapes = (len(self.bias), self.n_features_in), (len(self.bias), 0)
        require(self.slopes.shape in shapes, f"slopes have shape {self.slopes.shape}, expected {shapes[0]}")
        expected = 2, self.slopes.shape[1]
        require(self.ranges.shape == expected, f"ranges have shape {self.ranges.shape}, expected {expected}")
        require(np.isfinite(self.slopes).all() and np.isfinite(self.ranges).all(), "slopes and ranges must be finite")
        with np.errstate(over="ignore"):
            widths = self.ranges[1] - self.ranges[0]
        require(((widths >= 0) & np.isfinite(widths)).all(), "ranges must ascend, to a finite width")
        require(np.isfinite(self.scale).all() and np.isfinite(self.bias).all(), "scale and bias must be finite")
        for weights, n_inputs, n_units in zip(self._all_weights, sizes[:-1], sizes[1:], strict=True):
            shape = n_members, -(-n_units // 8), -(-n_inputs // 64), 8
            require(weights.shape == shape, f"packed weights have shape {weights.shape}, expected {shape}")
            padding = ~np.uint64(0) << np.uint64(n_inputs % 64) if n_inputs % 64 else np.uint64(0)
            require(not (weights[:, :, -1] & padding).any(), "padding bits of packed weights must be 0")
            require(not weights[:, -1, :, (n_units - 1) % 8 + 1 :].any(), "padding units' weights must be 0")
        for (_, limits), n_units in zip(self.layers, sizes[1:-1], strict=True):
            shape = n_members, -(-n_units // 8) * 8
            require(limits.shape == shape, f"unit thresholds have shape {limits.shape}, expected {shape}")
            require((limits[:, n_units:] == -1).all(), "padding units' thresholds must be -1")

    @property
    def _all_weights(self):
        return [*(weights for weights, _ in self.layers), self.output_weights]

    def _compile(self, encoder, offsets, all_weights, steps):
        """The native program on this encoding, packed weights and steps."""
        *hidden, last = all_weights
        limits = (limits for _, limits in self.layers)
        layers = list(zip(hidden, limits, strict=True))
        sums = sums_in_columns(steps, offsets) if steps.size else np.empty((0, len(self.bias)))
        require(np.isfinite(sums).all(), "sums of steps must be finite")
        ends = np.zeros((2, encoder.n_bits))  # the first and the last bit of each column
        starts, stops = offsets[:-1], offsets[1:]
        ends[0, starts[starts < stops]] = ends[1, stops[starts < stops] - 1] = 1
        additive = sums, pack_bits(ends), np.ascontiguousarray(self.slopes.T), self.ranges
        return Program(encoder, layers, last, self.layer_sizes[-2], self.scale, self.bias, *additive)

    def _with_one_bit_each(self):
        """The same network where a feature without a bit gets one that never fires, and that no weight looks at.

        Then bits lie as the features do, and a row is compared as it lies there instead of feature by feature.
        """
        used = np.diff(self.offsets) == 1
        thresholds = np.full(self.n_features_in, np.nan)
        thresholds[used] = self.thresholds
        weights = np.zeros((self.n_members, self.layer_sizes[1], self.n_features_in), np.int8)
        weights[:, :, used] = self.binary_weights[0]
        steps = self.steps
        if steps.size:
            steps = np.zeros((len(self.bias), self.n_features_in))
            steps[:, used] = self.steps
        offsets = np.arange(self.n_features_in + 1)
        return Encoder(thresholds, offsets), offsets, [pack_members(weights), *self._all_weights[1:]], steps

    def decision_function(self, X):
        """Scores of each row.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features) or (n_features,)
            Real numbers of any dtype, read as they are.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_outputs) or (n_outputs,), float64

        Raises
        ------
        ValueError
            If X has another number of features, is not real, or holds NaN or infinity.
        """
        return self._of_rows(self._program.scores, X)

    @staticmethod
    def _of_rows(function, X):
        X = np.asarray(X)
        return function(X[np.newaxis])[0] if X.ndim == 1 else function(X)

    def decision_function_from_bits(self, bits):
        """Scores of rows that are encoded already, (n_rows, n_words) uint64: (n_rows, n_outputs).

        Raises ValueError if there are slopes, which rise with the features themselves.
        """
        return self._bits_program.scores_from_bits(bits)

    def predict(self, X):
        """Predict each row.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features) or (n_features,)

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs), or one row less a dimension
            By ``output``: the scores ("identity"), 1 where the score is positive and else 0 ("logistic"), or the
            index of the largest score ("softmax"), which is an index into the classifier's ``classes_``. One output
            has no dimension of its own.
        """
        if self.output == "softmax":
            return self._of_rows(self._program.largest, X)
        return self.decide(self.decision_function(X))

    def decide(self, scores):
        """What ``predict`` makes of the scores of rows."""
        if self.output == "softmax":
            return scores.argmax(axis=-1)
        if len(self.bias) == 1:
            scores = scores[..., 0]
        return scores if self.output == "identity" else (scores > 0).astype(np.int64)

    def predict_proba(self, X):
        """Predict probabilities.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features) or (n_features,)

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
            return softmax(scores, axis=-1)
        return expit(np.concatenate([-scores, scores], axis=-1) if len(self.bias) == 1 else scores)

    @property
    def n_members(self):
        """Networks that add up."""
        return len(self.output_weights)

    @property
    def n_features_in(self):
        """Features of a row."""
        return self.components.shape[1]

    @property
    def binary_weights(self):
        """±1 weights of each layer, a list of (n_members, n_units, n_inputs) int8 arrays; unpacked at each access."""
        sizes = zip(self.layer_sizes[1:], self.layer_sizes[:-1], strict=True)
        return [
            np.stack([unpack_weights(member, *size) for member in weights])
            for weights, size in zip(self._all_weights, sizes, strict=True)
        ]

    @property
    def nbytes(self):
        """Bytes of all arrays."""
        arrays = [self.thresholds, self.offsets, self.components, self.output_weights, self.scale, self.bias]
        arrays += [self.steps, self.slopes, self.ranges]
        return sum(array.nbytes for array in [*arrays, *(part for layer in self.layers for part in layer)])

    def __repr__(self):
        sizes = "-".join(map(str, self.layer_sizes)) + (f" x {self.n_members}" if self.n_members > 1 else "")
        return f"PackedNetwork({self.n_features_in} features, {sizes} bits, {self.output}, {self.nbytes} bytes)"

    def __getstate__(self):
        names = ["thresholds", "offsets", "components", "layers", "output_weights", "layer_sizes"]
        names += ["scale", "bias", "output", "steps", "slopes", "ranges"]
        return {"format": FORMAT, **{name: getattr(self, name) for name in names}}

    def __setstate__(self, state):
        try:
            state = dict(state)
            version = state.pop("format")
            known = isinstance(version, int) and version == FORMAT
            require(known, f"format {version!r} is not {FORMAT}; it is of another version of skbnn")
            self.__init__(**state)
        except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"not the state of a PackedNetwork: {error!r}") from error


def frozen(values, dtype, ndim, name):
    """A read-only contiguous array of exactly this dtype and dimension; not copied if it is one."""
    array = np.asarray(values)
    kinds = {np.uint64: "u", np.int64: "iu", np.int32: "iu", np.float64: "biuf"}[dtype]
    require(array.dtype.kind in kinds, f"{name} must be {np.dtype(dtype)}, got dtype {array.dtype}")
    with np.errstate(invalid="ignore", over="ignore"):
        converted = np.require(array, dtype, ["C", "A"])
    require(array.ndim == ndim, f"{name} must have {ndim} dimensions, got shape {array.shape}")
    require(np.array_equal(converted, array, equal_nan=dtype is np.float64), f"{name} do not fit {np.dtype(dtype)}")
    if converted.flags.writeable:
        converted = converted.copy() if converted is values else converted
        converted.flags.writeable = False
    return converted


def require(condition, message):
    """Raise ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)
