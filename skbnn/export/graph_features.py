"""The part of an ONNX graph that reads features: codes of categories, the thermometer encoding, lines.

Missing values are NaN. Of any comparison with NaN the result is false, so ``x >= t`` and ``not x < t`` differ by what a
missing value gives, and nothing looks for one but lines and combinations.
"""

import numpy as np

from skbnn.encoding.columns import find_fills

LARGEST = np.finfo(np.float64).max


def add_codes(graph, categories, x, dtype):
    """Add the way from labels that are numbers to their codes; text can't lie beside numbers, and comes as codes.

    Parameters
    ----------
    graph : Graph
    categories : tuple of (tuple or None), or None
        Those of PackedNetwork.
    x : str
        Name of the rows, (n_rows, n_features).
    dtype : dtype
        Theirs.

    Returns
    -------
    str, dtype
        As these; NaN stands for a label that is unknown, unless missing values have a code.
    """
    of_numbers = [
        feature
        for feature, labels in enumerate(categories or ())
        if labels is not None and not any(isinstance(label, str) for label in labels)
    ]
    if not of_numbers:
        return x, dtype
    # Labels are looked for as integers in integers, where float64 may not tell them apart.
    kind = np.dtype(np.float64 if dtype.kind == "f" else np.int64)
    known = [
        (kind.type(label), feature, place, code + 1)
        for place, feature in enumerate(of_numbers)
        for code, label in enumerate(categories[feature])
        if label is not None and kind.type(label) == label
    ]
    labels, features, places, ranks = (np.array(values) for values in zip(*known, strict=True))
    missing = [categories[feature].index(None) if None in categories[feature] else np.nan for feature in of_numbers]
    picked = graph.add("Gather", graph.cast(x, kind), features, axis=1)
    found = graph.cast(graph.add("Equal", picked, labels), np.float32)
    # The matrix from labels to ranks of their features is made when a session starts.
    is_of = graph.cast(graph.add("Equal", places[:, np.newaxis], np.arange(len(of_numbers))), np.float32)
    rank = graph.add("MatMul", found, graph.add("Mul", is_of, ranks[:, np.newaxis].astype(np.float32)))
    is_known = graph.add("Greater", rank, np.float32(0))
    codes = graph.add("Where", is_known, graph.add("Sub", rank, np.float32(1)), np.array(missing, np.float32))
    compared = dtype_of_columns(dtype)
    both = graph.add("Concat", graph.cast(x, compared), graph.cast(codes, compared), axis=1)
    order = np.arange(len(categories))
    order[of_numbers] = len(categories) + np.arange(len(of_numbers))
    return graph.add("Gather", both, order, axis=1), compared


def dtype_of_columns(dtype):
    """As in ``Encoder``: float32 holds small integers and float32 exactly, float64 the others."""
    return np.dtype(np.float32 if dtype.itemsize <= (4 if dtype.kind == "f" else 2) else np.float64)


def add_bits(graph, encoding, x, dtype):
    """Add the thermometer encoding of rows.

    Parameters
    ----------
    graph : Graph
    encoding : Encoding or PackedNetwork
    x : str
        Name of the rows, (n_rows, n_features).
    dtype : dtype
        Theirs.

    Returns
    -------
    bits : str
        Name of the bits, (n_rows, n_places) uint8 of 0 and 1.
    order : ndarray of shape (n_places,)
        Which of the encoding's bits each is; -1 of one that is always 0.
    """
    values, compared = add_columns(graph, encoding, x, dtype)
    counts, limits = np.diff(encoding.offsets), limits_of(encoding.thresholds, compared)
    columns, n_bits = np.repeat(np.arange(len(counts)), counts), len(limits)
    # A missing value counts as fills; NaN among these, as of combinations, reaches nothing.
    fills = np.append(fills_of(encoding), np.full(len(encoding.components), np.nan))
    fires = (encoding.thresholds <= fills[columns]) & (dtype.kind == "f")
    is_image = counts.max() == 1 and 2 * n_bits >= len(counts) and not len(encoding.components)
    if is_image and (fires.all() or not fires.any()):
        # Rows are compared as they are, which is faster than to pick columns; those without a bit get one that is 0.
        used, order = counts == 1, np.full(len(counts), -1)
        order[used] = np.arange(n_bits)
        spread_out = np.full(len(counts), -np.inf if fires.any() else np.nan, compared)
        spread_out[used] = limits
        spread_out = graph.add_constant(spread_out)
        if fires.any():
            has_bit = graph.add("Greater", spread_out, compared.type(-np.inf))
            bits = graph.add("Xor", graph.add("Less", values, spread_out), has_bit)
        else:
            bits = graph.add("GreaterOrEqual", values, spread_out)
        return graph.cast(bits, np.uint8), order
    # Whole columns are picked, rather than numbers in each row: that is faster.
    turned = graph.add("Transpose", values, perm=[1, 0])
    nominal = np.append(encoding.nominal, np.zeros(len(encoding.components), bool))[columns]
    following = np.append(limits[1:], np.nan).astype(compared)
    following[encoding.offsets[1:][counts > 0] - 1] = np.nan  # which nothing reaches
    groups, parts = [np.flatnonzero(group) for group in (fires, ~fires & ~nominal, nominal)], []
    for name, group in zip(("fires", "thermometer", "nominal"), groups, strict=True):
        if len(group):
            picked = graph.add("Gather", turned, columns[group], axis=0)
            operator = "Less" if name == "fires" else "GreaterOrEqual"
            reached = graph.add(operator, picked, limits[group, np.newaxis])
            if name == "fires":
                reached = graph.add("Not", reached)
            elif name == "nominal":
                beyond = graph.add("GreaterOrEqual", picked, following[group, np.newaxis])
                reached = graph.add("Xor", reached, beyond)
            parts.append(reached)
    bits = graph.add("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]
    return graph.add("Transpose", graph.cast(bits, np.uint8), perm=[1, 0]), np.concatenate(groups)


def fills_of(encoding):
    """What a missing value of each feature counts as."""
    return find_fills(encoding.thresholds, encoding.offsets, encoding.nominal)


def limits_of(thresholds, compared):
    """The smallest numbers of a dtype that are not below the thresholds."""
    with np.errstate(over="ignore"):  # beyond float32's range it is infinity
        limits = thresholds.astype(compared)
        return np.where(limits < thresholds, np.nextafter(limits, compared.type(np.inf)), limits)


def add_columns(graph, encoding, x, dtype):
    """Add what is compared with thresholds, features and components; returns its name and its dtype."""
    components = encoding.components
    compared = np.dtype(np.float64) if len(components) else dtype_of_columns(dtype)
    columns = x if dtype == compared else graph.cast(x, compared)
    if not len(components):
        return columns, compared
    values = columns
    if dtype.kind == "f":
        values = add_filled(graph, columns, np.nan_to_num(fills_of(encoding), nan=0))
        values = graph.add("Max", graph.add("Min", values, LARGEST), -LARGEST)
    # A running sum adds up in the order of the features, which a matrix product does not.
    products = graph.add("Mul", graph.add("Unsqueeze", values, np.array([1])), components)
    sums = graph.add("CumSum", products, np.int64(2))
    last = graph.add("Gather", sums, np.int64(components.shape[1] - 1), axis=2)
    is_within = graph.add("GreaterOrEqual", last, -LARGEST)  # NaN, an infinity less another, is not
    last = graph.add("Where", is_within, graph.add("Min", last, LARGEST), -LARGEST)
    return graph.add("Concat", columns, last, axis=1), compared


def add_filled(graph, x, fills):
    """Add float64 rows in which NaN is what its feature is filled with; returns their name."""
    return graph.add("Where", graph.add("IsNaN", x), fills, x)


def add_lines(graph, network, x, dtype):
    """Add the sums of ``trunc(slopes * (clip(x, lower, upper) - lower))``; returns their name, int64."""
    rising = np.flatnonzero(network.slopes.any(axis=0))
    lower, upper = network.ranges[:, rising]
    if len(rising) < network.n_features_in:
        x = graph.add("Gather", x, rising, axis=1)
    x = graph.cast(x, np.float64)
    if dtype.kind == "f":
        fills = fills_of(network)[rising]
        x = add_filled(graph, x, np.where(np.isnan(fills), lower, fills))
    inside = graph.add("Min", graph.add("Max", x, lower), upper)
    rises = graph.add("Unsqueeze", graph.add("Sub", inside, lower), np.array([1]))
    # These sums fit the integers of the bias, of which 32 bits are faster.
    whole = graph.cast(graph.add("Mul", rises, network.slopes[:, rising]), network.bias.dtype)
    return graph.cast(graph.add("ReduceSum", whole, np.array([2]), keepdims=0), np.int64)
