"""Whether arrays are those of a network: everything that the native code relies on."""

from collections import Counter

import numpy as np

from skbnn.encoding.columns import PRESENT
from skbnn.encoding.tables import are_alike, shown
from skbnn.packed.arguments import require
from skbnn.packed.fixed_point import LIMIT, largest_parts

OUTPUTS = "identity", "logistic", "softmax"

# Offsets and popcounts are int32 in native code, which steps over bits by fewer than 64 at a time.
LARGEST_SIZE = 2**31 - 64

# Labels of a feature that may have one hash. Chance gives a few; crafted integers all have one, and then a set of
# them takes hours to make.
MOST_OF_A_HASH = 64


def check(network):
    """Raise ValueError unless the network's arrays fit together; returns the largest integer score."""
    check_encoding(network)
    check_shapes(network)
    check_names(network)
    check_layers(network)
    return check_scores(network)


def check_names(network):
    """The output, the classes, the features' names and their categories."""
    output, classes, names = network.output, network.classes, network.feature_names
    check_categories(network.categories, network.nominal)
    require(isinstance(output, str) and output in OUTPUTS, f"output must be one of {OUTPUTS}, got {shown(output)}")
    if classes is not None:
        n_outputs = len(network.bias)
        n_classes = {"softmax": n_outputs, "logistic": 2 * (n_outputs == 1), "identity": 0}[output]
        fits = len(classes) == n_classes > 0
        require(fits, f"{len(classes)} classes do not fit {n_outputs} outputs of {output!r}")
    if names is not None:
        fits = len(names) == network.n_features_in
        require(fits, f"{len(names)} feature_names do not fit {network.n_features_in} features")


def check_categories(categories, nominal):
    """Labels of nominal features."""
    if categories is None:
        return
    for feature, labels in enumerate(categories):
        require(labels is not None or not nominal[feature], f"feature {feature} is nominal and has no categories")
        require(labels is None or len(labels) > 0, f"feature {feature} has no label among its categories")
        known = [label for label in labels or () if label is not None]
        require(are_alike(known), f"categories of feature {feature} must be all text or all numbers")
        most = max(Counter(map(hash, labels or ())).values(), default=0)
        require(most <= MOST_OF_A_HASH, f"categories of feature {feature} have {most} labels of one hash")
        require(len(set(labels or ())) == len(labels or ()), f"categories of feature {feature} repeat")


def check_encoding(network):
    """Thresholds, offsets and components."""
    thresholds, offsets, components = network.thresholds, network.offsets, network.components
    n_components, n_features = components.shape
    n_columns = n_components + n_features
    require(n_features > 0, "components must have a feature")
    fits = f"{len(offsets)} offsets do not fit {n_features} features and {n_components} components"
    require(len(offsets) == n_columns + 1, fits)
    require(offsets[0] == 0, "offsets must start with 0")
    require(np.isfinite(components).all(), "components must be finite")
    require((offsets[1:] >= offsets[:-1]).all(), "offsets must ascend")
    require(offsets[-1] == len(thresholds) > 0, "offsets must end with the number of thresholds")
    require(not np.isnan(thresholds).any(), "thresholds must not be NaN")
    within = np.ones(len(thresholds), bool)
    within[offsets[:-1][offsets[:-1] < len(within)]] = False
    require((thresholds[1:] >= thresholds[:-1])[within[1:]].all(), "thresholds must ascend within a feature")
    require((thresholds[within] > PRESENT).all(), "a threshold of -inf must be the first of its feature")
    first = offsets[n_features:]
    require((thresholds[first[:-1][first[:-1] < first[1:]]] > PRESENT).all(), "thresholds of components must be finite")
    n_nominal = len(network.nominal)
    require(network.nominal.view(np.uint8).max(initial=0) <= 1, "nominal must be bytes 0 and 1")
    require(n_nominal == n_features, f"nominal has {n_nominal} features, expected {n_features}")


def check_shapes(network):
    """Layer sizes, and shapes of what scores are made of."""
    sizes, n_outputs, asked = network.layer_sizes, len(network.bias), f"layer_sizes {shown(network.layer_sizes)}"
    n_hidden, n_bits = len(network.layers), len(network.thresholds)
    require(len(sizes) == n_hidden + 2, f"{n_hidden} hidden layers do not fit {asked}")
    require(min(sizes) > 0, f"{asked} must be positive")
    require(max(sizes) <= LARGEST_SIZE, f"{asked} must be at most {LARGEST_SIZE}")
    require(sizes[0] == n_bits, f"{n_bits} thresholds do not fit {asked}")
    require(len(network.scale) > 0, "scale must have a member")
    n_units = network.scale.shape[1] * network.scale.shape[2]
    require(n_units == sizes[-1], f"scale has {n_units} units, expected {sizes[-1]}")
    require(network.scale.shape[1] == n_outputs, f"bias has {n_outputs} outputs, scale {network.scale.shape[1]}")
    require(len(network.factor) == n_outputs, f"factor has {len(network.factor)} outputs, bias {n_outputs}")
    for name, n_columns in ("steps", sizes[0]), ("slopes", network.n_features_in):
        shape = getattr(network, name).shape
        expected = n_outputs, n_columns
        require(shape in (expected, (n_outputs, 0)), f"{name} have shape {shape}, expected {expected}")
    expected = 2, network.slopes.shape[1]
    require(network.ranges.shape == expected, f"ranges have shape {network.ranges.shape}, expected {expected}")


def check_layers(network):
    """Packed weights and unit thresholds of the hidden layers, weights of the output layer."""
    sizes, n_members = network.layer_sizes, len(network.scale)
    all_weights = {f"packed weights of layers[{i}]": weights for i, (weights, _) in enumerate(network.layers)}
    all_weights["output_weights"] = network.output_weights
    for (name, weights), n_inputs, n_units in zip(all_weights.items(), sizes[:-1], sizes[1:], strict=True):
        shape = n_members, -(-n_units // 8), -(-n_inputs // 64), 8
        require(weights.shape == shape, f"{name} have shape {weights.shape}, expected {shape}")
        padding = ~np.uint64(0) << np.uint64(n_inputs % 64) if n_inputs % 64 else np.uint64(0)
        require(not (weights[:, :, -1] & padding).any(), f"padding bits of {name} must be 0")
        require(not weights[:, -1, :, (n_units - 1) % 8 + 1 :].any(), f"padding units of {name} must be 0")
    for i, ((_, limits), n_units) in enumerate(zip(network.layers, sizes[1:-1], strict=True)):
        name, shape = f"unit thresholds of layers[{i}]", (n_members, -(-n_units // 8) * 8)
        require(limits.shape == shape, f"{name} have shape {limits.shape}, expected {shape}")
        require((limits[:, n_units:] == -1).all(), f"{name} must be -1 for padding units")


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
    largest = max(largest, -float(network.steps.min(initial=0)), float(network.steps.max(initial=0)))
    require(largest < LIMIT, f"an integer score could reach {largest:.3g}, beyond 2**53")
    with np.errstate(over="ignore"):
        require(np.isfinite(factor.max() * largest), "scores could exceed the range of float64")
    return largest
