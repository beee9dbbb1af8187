"""Sums of an additive part's steps."""

import numpy as np

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t

ctypedef fused steps_t:
    int32_t
    int64_t
    double


def sums_in_columns(const steps_t[:, ::1] steps, const int32_t[::1] offsets):
    """The sum of an output's steps from the first bit of a column to each.

    Parameters
    ----------
    steps : ndarray of shape (n_outputs, n_bits), int32, int64 or float64
    offsets : ndarray of shape (n_columns + 1,), int32
        Ascending from 0 to n_bits.

    Returns
    -------
    ndarray of shape (n_bits, n_outputs), float64
    """
    cdef Py_ssize_t output, column, bit
    cdef double total
    cdef double[:, ::1] sums = np.empty((steps.shape[1], steps.shape[0]))
    for output in range(steps.shape[0]):
        for column in range(offsets.shape[0] - 1):
            total = 0
            for bit in range(offsets[column], offsets[column + 1]):
                total += steps[output, bit]
                sums[bit, output] = total
    return np.asarray(sums)


def largest_in_columns(const steps_t[:, ::1] steps, const int32_t[::1] offsets):
    """How far the steps of all columns can move an output: the largest of each column's sums, added up.

    Parameters
    ----------
    steps, offsets
        As in ``sums_in_columns``.

    Returns
    -------
    ndarray of shape (n_outputs,), float64
    """
    cdef Py_ssize_t output, column, bit
    cdef double total, largest
    cdef double[::1] out = np.zeros(steps.shape[0])
    for output in range(steps.shape[0]):
        for column in range(offsets.shape[0] - 1):
            total = largest = 0
            for bit in range(offsets[column], offsets[column + 1]):
                total += steps[output, bit]
                if not fabs(total) <= largest:  # NaN is the largest
                    largest = fabs(total)
            out[output] += largest
    return np.asarray(out)
