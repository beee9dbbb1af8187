"""Whether arrays are those of a network: everything that the native code relies on."""

import numpy as np

from skbnn.encoding.columns import PRESENT
from skbnn.encoding.tables import Labels, are_alike, plain
from skbnn.packed.fixed_point import LIMIT, largest_parts

OUTPUTS = "identity", "logistic", "softmax"

KINDS = {np.uint64: "u", np.int64: "iu", np.int32: "iu", np.float64: "biuf", np.bool_: "b"}


def check(network):
    """Raise ValueError unless the network's arrays fit together; returns the largest integer score."""
    check_names(network)
    check_encoding(network)
    check_shapes(network)
    check_layers(network)
    return check_scores(network)


def check_names(network):
    """The output, the classes, the features' names and their categories."""
    output, classes, names = network.output, network.classes, network.feature_names
    check_categories(network.categories, network.nominal)
    require(isinstance(output, str) and output in OUTPUTS, f"output must be one of {OUTPUTS}, got {output!r}")
    if classes is not None:
        n_outputs = len(network.bias)
        n_classes = {"softmax": n_outputs, "logistic": 2 * (n_outputs == 1), "identity": 0}[output]
        require(len(classes) == n_classes, f"{len(classes)} classes do not fit {n_outputs} outputs of {output!r}")
    if names is not None:
        require(all(isinstance(name, str) for name in names), "feature_names must be strings")
        require(len(names) == network.n_features_in, f"{len(names)} names do not fit {network.n_features_in} features")


def check_categories(categories, nominal):
    """Labels of nominal features."""
    if categories is None:
        return
    require(len(categories) == len(nominal), f"{len(categories)} categories do not fit {len(nominal)} features")
    for feature, labels in enumerate(categories):
        require(labels is not None or not nominal[feature], f"feature {feature} is nominal and has no categories")
        known = [label for label in labels or () if label is not None]
        require(are_alike(known), f"categories of feature {feature} must be all text or all numbers")
        require(len(set(labels or ())) == len(labels or ()), f"categories of feature {feature} repeat")


def check_encoding(network):
    """Thresholds, offsets and components."""
    thresholds, offsets, components = network.thresholds, network.offsets, network.components
    n_columns = sum(components.shape)
    require(components.shape[1] > 0, "components must have a feature")
    require(len(offsets) == n_columns + 1, f"{len(offsets)} offsets do not fit {n_columns} columns")
    require(offsets[0] == 0, "offsets must start with 0")
    require(np.isfinite(components).all(), "components must be finite")
    require((offsets[1:] >= offsets[:-1]).all(), "offsets must ascend")
    require(offsets[-1] == len(thresholds) > 0, "offsets must end with the number of thresholds")
    require(not np.isnan(thresholds).any(), "thresholds must not be NaN")
    within = np.ones(len(thresholds), bool)
    within[offsets[:-1][offsets[:-1] < len(within)]] = False
    require((thresholds[1:] >= thresholds[:-1])[within[1:]].all(), "thresholds must ascend within a feature")
    require((thresholds[within] > PRESENT).all(), "a threshold of -inf must be the first of its feature")
    first = offsets[n_columns - len(components) :]
    require((thresholds[first[:-1][first[:-1] < first[1:]]] > PRESENT).all(), "thresholds of components must be finite")
    n_nominal = len(network.nominal)
    require(n_nominal == components.shape[1], f"nominal has {n_nominal} features, expected {components.shape[1]}")


def check_shapes(network):
    """Layer sizes, and shapes of what scores are made of."""
    sizes, n_outputs = network.layer_sizes, len(network.bias)
    n_hidden, n_bits = len(network.layers), len(network.thresholds)
    require(len(sizes) == n_hidden + 2, f"{n_hidden} hidden layers do not fit sizes {sizes}")
    require(min(sizes) > 0 and max(sizes) < 2**31, f"layer sizes must be positive, got {sizes}")
    require(sizes[0] == n_bits, f"{n_bits} thresholds do not fit sizes {sizes}")
    require(len(network.scale) > 0, "scale must have a member")
    n_units = network.scale.shape[1] * network.scale.shape[2]
    require(n_units == sizes[-1], f"scale has {n_units} units, expected {sizes[-1]}")
    require(network.scale.shape[1] == n_outputs, f"{n_outputs} biases do not fit {network.scale.shape[1]} outputs")
    require(len(network.factor) == n_outputs, f"{len(network.factor)} factors do not fit {n_outputs} outputs")
    for name, n_columns in ("steps", sizes[0]), ("slopes", network.n_features_in):
        shape = getattr(network, name).shape
        expected = n_outputs, n_columns
        require(shape in (expected, (n_outputs, 0)), f"{name} have shape {shape}, expected {expected}")
    expected = 2, network.slopes.shape[1]
    require(network.ranges.shape == expected, f"ranges have shape {network.ranges.shape}, expected {expected}")


def check_layers(network):
    """Packed weights and unit thresholds of the hidden layers, weights of the output layer."""
    sizes, n_members = network.layer_sizes, len(network.scale)
    all_weights = [*(weights for weights, _ in network.layers), network.output_weights]
    for weights, n_inputs, n_units in zip(all_weights, sizes[:-1], sizes[1:], strict=True):
        shape = n_members, -(-n_units // 8), -(-n_inputs // 64), 8
        require(weights.shape == shape, f"packed weights have shape {weights.shape}, expected {shape}")
        padding = ~np.uint64(0) << np.uint64(n_inputs % 64) if n_inputs % 64 else np.uint64(0)
        require(not (weights[:, :, -1] & padding).any(), "padding bits of packed weights must be 0")
        require(not weights[:, -1, :, (n_units - 1) % 8 + 1 :].any(), "padding units' weights must be 0")
    for (_, limits), n_units in zip(network.layers, sizes[1:-1], strict=True):
        shape = n_members, -(-n_units // 8) * 8
        require(limits.shape == shape, f"unit thresholds have shape {limits.shape}, expected {shape}")
        require((limits[:, n_units:] == -1).all(), "padding units' thresholds must be -1")


def check_scores(network):
    """Values of what scores are made of; returns the largest integer score."""
    slopes, ranges, factor = network.slopes, network.ranges, network.factor
    require(((factor > 0) & (np.frexp(factor)[0] == 0.5)).all(), "factor must be powers of two")
    if network.output == "softmax":
        require((factor == factor[0]).all(), "factor must be the same for all outputs of 'softmax'")
    require(np.isfinite(slopes).all() and np.isfinite(ranges).all(), "slopes and ranges must be finite")
    with np.errstate(over="ignore"):
        widths = ranges[1] - ranges[0]
    require(((widths >= 0) & np.isfinite(widths)).all(), "ranges must ascend, to a finite width")
    additive, columns = network.additive, (network.offsets, network.nominal)
    with np.errstate(over="ignore", invalid="ignore"):
        largest = sum(largest_parts(additive, *columns, network.scale, network.layer_sizes[-2])).max()
    largest = max(largest, np.abs(network.steps.astype(np.float64)).max(initial=0))
    require(largest < LIMIT, f"an integer score could reach {largest:.3g}, beyond 2**53")
    with np.errstate(over="ignore"):
        require(np.isfinite(factor.max() * largest), "scores could exceed the range of float64")
    return largest


def frozen(values, dtype, ndim, name):
    """A read-only contiguous array of exactly this dtype and dimension; not copied if it is one."""
    array = np.asarray(values)
    require(array.dtype.kind in KINDS[dtype], f"{name} must be {np.dtype(dtype)}, got dtype {array.dtype}")
    with np.errstate(invalid="ignore", over="ignore"):
        converted = np.require(array, dtype, ["C", "A"])
    require(array.ndim == ndim, f"{name} must have {ndim} dimensions, got shape {array.shape}")
    if not np.can_cast(array.dtype, dtype):
        same = np.array_equal(converted, array, equal_nan=dtype is np.float64)
        require(same, f"{name} do not fit {np.dtype(dtype)}")
    if not converted.flags.writeable:
        return converted
    if np.may_share_memory(converted, array):
        converted = converted.copy()
    converted.flags.writeable = False
    return converted.view()  # of an array that is its own, NumPy would let it be changed again


def frozen_integers(values, ndim, name):
    """``frozen`` as int32, if it is that already, or int64."""
    return frozen(values, np.int32 if getattr(values, "dtype", None) == np.int32 else np.int64, ndim, name)


def frozen_labels(values):
    """A read-only array of labels, or None."""
    if values is None:
        return None
    labels = np.array(values)
    require(labels.ndim == 1, f"classes must have one dimension, got shape {labels.shape}")
    require(labels.dtype.kind in "biufUO", f"classes have dtype {labels.dtype}, expected numbers or strings")
    if labels.dtype.kind == "O":
        plain = all(isinstance(label, str | int | float | np.generic) for label in labels.tolist())
        require(plain, f"classes must be numbers or strings, got {labels.tolist()}")
    labels = labels.astype(labels.dtype.newbyteorder("="), copy=False)
    labels.flags.writeable = False
    return labels


def frozen_categories(categories):
    """Labels of each feature as tuples, or None."""
    if categories is None:
        return None
    features = [labels if labels is None else Labels(map(plain, labels)) for labels in categories]
    return tuple(features) if any(features) else None


def require(condition, message):
    """Raise ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)
