"""Scores on a grid of powers of two: the integers that add up, and how far a sum of them can go."""

import numpy as np

from skbnn.encoding.columns import find_runs
from skbnn.encoding.encoding import round_significand
from skbnn.packed._steps import largest_in_columns, sums_in_columns
from skbnn.packed.additive_part import AdditivePart

# No integer score reaches this: float64 holds all of them exactly.
LIMIT = 2.0**53

# Bits of the largest score on a grid, of two sizes of integers; rounding may add to it.
NARROW, WIDE = 30, 52

SMALLEST = -1074  # exponent of float64

# The smaller size serves where no score is off by more than this share of what scores vary by.
TOLERANCE = 2.0**-16


def largest_parts(additive, offsets, nominal, scale, fan_in):
    """How far a constant, and all that varies with the row, can move each output's score from 0.

    Parameters
    ----------
    additive : AdditivePart
    offsets : ndarray of shape (n_columns + 1,)
        A column has the steps between two.
    nominal : ndarray of shape (n_features,), bool
        Features of which one bit at most is 1.
    scale : ndarray of shape (n_members, n_outputs, units_per_output)
        Of the dot products of output units.
    fan_in : int
        Inputs of an output unit, and so its largest dot product.

    Returns
    -------
    constant, varying : ndarray of shape (n_outputs,), float64
    """
    varying = fan_in * np.abs(scale.astype(np.float64)).sum(axis=(0, 2))
    if additive.steps.size:
        varying += largest_in_columns(additive.steps, find_runs(offsets, nominal))
    if additive.slopes.size:
        varying += np.abs(additive.slopes) @ (additive.ranges[1] - additive.ranges[0])
    return np.abs(additive.constant.astype(np.float64)), varying


def to_fixed_point(additive, offsets, nominal, scale, fan_in, output):
    """Put what scores are made of on the finest grid that their integers have room for.

    Parameters
    ----------
    additive : AdditivePart
    offsets, nominal, scale, fan_in
        As in ``largest_parts``.
    output : {"identity", "logistic", "softmax"}
        The scores of "softmax" are compared, so they share a grid.

    Returns
    -------
    additive : AdditivePart
        Constants and steps are integers. Slopes are in the grid's unit, with 24 significant bits, so that their
        product with an integer of 29 bits is exact.
    scale : ndarray of shape (n_members, n_outputs, units_per_output), int64
    factor : ndarray of shape (n_outputs,), float64
        The unit of the grid, a power of two: scores are ``factor`` times the integers.

    Raises
    ------
    ValueError
        If scores can exceed the range of float64.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        constant, varying = largest_parts(additive, offsets, nominal, scale, fan_in)
        largest = constant + varying
    if not np.isfinite(largest).all():
        raise ValueError(
            "scores can exceed the range of float64; y has to be scaled down, or learning_rate_init lowered"
        )
    if output == "softmax":
        largest[:], varying[:] = largest.max(), varying.max()
    # The constant, a sum a column, and scales times dot products.
    n_rounded = len(offsets) + scale.shape[0] * scale.shape[2] * fan_in
    exponents = np.frexp(largest)[1] - NARROW
    off = np.ldexp(0.5 * n_rounded, exponents)
    if (off > TOLERANCE * varying).any():  # also what never varies
        exponents -= WIDE - NARROW
    exponents = np.maximum(exponents, SMALLEST)
    steps = np.zeros(additive.steps.shape, np.int64)
    if steps.size:
        runs = find_runs(offsets, nominal)
        steps = steps_of_sums(on_grid(sums_in_columns(additive.steps, runs), exponents), runs)
    integers = AdditivePart(
        on_grid(additive.constant, exponents),
        steps,
        round_significand(np.ldexp(additive.slopes, -exponents[:, np.newaxis])),
        additive.ranges,
    )
    return integers, on_grid(scale, exponents[:, np.newaxis]), np.ldexp(1.0, exponents)


def on_grid(values, exponents):
    """The nearest multiples of ``2**exponents``, as int64."""
    return np.rint(np.ldexp(values, -exponents)).astype(np.int64)


def steps_of_sums(sums, offsets):
    """Inverse of ``sums_in_columns``: (n_outputs, n_bits) steps of (n_bits, n_outputs) sums."""
    steps = np.diff(sums, axis=0, prepend=0)
    starts = offsets[:-1][offsets[:-1] < offsets[1:]]
    steps[starts] = sums[starts]
    return np.ascontiguousarray(steps.T)
