"""What the displays share: matplotlib, a grid of axes, and features by name."""

import numpy as np

from skbnn.encoding.tables import is_frame, to_numbers

N_CODES = 20  # that are written along an axis at most

N_FEATURES = 6  # that are drawn over their histograms unless some are asked for


def pyplot(caller):
    """matplotlib.pyplot, or an ImportError that says who needs it and where it is to be had."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{caller} needs matplotlib; install it with: pip install 'skbnn[plot]'") from error
    return plt


def grid(caller, ax, n, n_cols):
    """As many axes as there are things to draw, the way of scikit-learn's PartialDependenceDisplay.

    Parameters
    ----------
    caller : object
        Who draws.
    ax : Axes, array-like of Axes or None
        None makes a figure. One is divided into a grid. Several are taken as they are.
    n, n_cols : int
        Things to draw, and columns of a new grid at most.

    Returns
    -------
    bounding_ax : Axes or None
        The one that was divided.
    axes : ndarray of Axes
        None in the last places of a grid that has too many.
    used : list of Axes
        The first n of these.
    """
    plt = pyplot(f"{type(caller).__name__}.plot")
    if not n:
        raise ValueError("there is nothing to draw: features, or units, are none")
    n_cols = min(n_cols, n)
    n_rows = -(-n // n_cols)
    if ax is None:
        _, ax = plt.subplots(figsize=(3.5 * n_cols, 2.5 * n_rows), layout="constrained")
    if not isinstance(ax, plt.Axes):
        axes = np.asarray(ax, dtype=object)
        if axes.size != n:
            raise ValueError(f"ax has {axes.size} axes, expected {n}")
        return None, axes, list(axes.flat)
    ax.set_axis_off()
    places = ax.get_subplotspec().subgridspec(n_rows, n_cols)
    axes = np.full((n_rows, n_cols), None)
    for index in range(n):
        row, column = divmod(index, n_cols)
        axes[row, column] = ax.figure.add_subplot(places[row, column])
    return ax, axes, list(axes.flat)[:n]


def names_of_features(n_features, names=None):
    """Names of all features, a list; by default x0, x1 and so on."""
    names = [f"x{feature}" for feature in range(n_features)] if names is None else [str(name) for name in names]
    if len(names) != n_features:
        raise ValueError(f"feature_names has {len(names)} names, expected {n_features}")
    return names


def indices_of_features(features, names):
    """The indices of features that are given as such or by name."""
    indices = []
    for feature in np.atleast_1d(np.asarray(features, dtype=object)):
        if isinstance(feature, str):
            if feature not in names:
                raise ValueError(f"features has {feature!r}, which is none of {names}")
            indices.append(names.index(feature))
        elif -len(names) <= feature < len(names):
            indices.append(int(feature) % len(names))
        else:
            raise ValueError(f"features has {feature!r}, but there are {len(names)} features")
    return indices


def table_of(X, n_features, categories=None):
    """X as an array of floats, categories as codes, which has to have so many columns."""
    shape = np.shape(X)
    if len(shape) != 2 or shape[1] != n_features:
        raise ValueError(f"X has shape {shape}, expected (n_samples, {n_features})")
    X = to_numbers(X, categories) if is_frame(X) or categories is not None else X
    return np.asarray(X, dtype=np.float64)


def codes_of(network, feature):
    """What to call the codes of a feature, a list of str, or None where it has none."""
    if network.categories is not None and network.categories[feature] is not None:
        return ["missing" if label is None else str(label) for label in network.categories[feature]]
    if network.nominal[feature]:
        thresholds = network.thresholds[slice(*network.offsets[feature : feature + 2])]
        return [str(code) for code in range(int(thresholds.max(initial=-1)) + 1)]
    return None


def draw_codes(ax, codes):
    """Write what codes are called along the axis, some of them if they are many."""
    step = -(-len(codes) // N_CODES)
    ax.set_xticks(range(0, len(codes), step), codes[::step], rotation=90 if len(codes) > 5 else 0, fontsize="x-small")


def draw_histogram(ax, values, options, codes=None):
    """Draw a histogram behind what else there is to be in the axes, one bar a code; returns its bars."""
    behind = ax.twinx()
    bins = 30 if codes is None else np.arange(len(codes) + 1) - 0.5
    *_, bars = behind.hist(values[np.isfinite(values)], **{"bins": bins, "color": "lightgray", **(options or {})})
    behind.set_yticks([])
    ax.set_zorder(behind.get_zorder() + 1)
    ax.patch.set_visible(False)
    return bars
