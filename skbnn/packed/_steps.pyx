"""Sums of an additive part's steps."""

import numpy as np

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t

ctypedef fused steps_t:
    int32_t
    int64_t
    double


def sums_in_columns(steps, offsets):
    """The sum of an output's steps from the first bit of a column to each.

    Parameters
    ----------
    steps : ndarray of shape (n_outputs, n_bits), int32, int64 or float64
    offsets : ndarray of shape (n_columns + 1,), int64
        Ascending from 0 to n_bits.

    Returns
    -------
    ndarray of shape (n_bits, n_outputs), float64
    """
    steps = np.ascontiguousarray(steps)
    sums = np.empty(steps.shape[::-1])
    if steps.dtype == np.int32:
        add_up[int32_t](steps, offsets, sums)
    elif steps.dtype == np.int64:
        add_up[int64_t](steps, offsets, sums)
    else:
        add_up[double](steps, offsets, sums)
    return sums


def largest_in_columns(steps, offsets):
    """How far the steps of all columns can move an output: the largest of each column's sums, added up.

    Parameters
    ----------
    steps, offsets
        As in ``sums_in_columns``.

    Returns
    -------
    ndarray of shape (n_outputs,), float64
    """
    steps = np.ascontiguousarray(steps)
    largest = np.zeros(len(steps))
    if steps.dtype == np.int32:
        find_largest[int32_t](steps, offsets, largest)
    elif steps.dtype == np.int64:
        find_largest[int64_t](steps, offsets, largest)
    else:
        find_largest[double](steps, offsets, largest)
    return largest


cdef void find_largest(const steps_t[:, ::1] steps, const int64_t[::1] offsets, double[::1] out) noexcept:
    cdef Py_ssize_t output, column, bit
    cdef double total, largest
    for output in range(steps.shape[0]):
        for column in range(offsets.shape[0] - 1):
            total = largest = 0
            for bit in range(offsets[column], offsets[column + 1]):
                total += steps[output, bit]
                if not fabs(total) <= largest:  # NaN is the largest
                    largest = fabs(total)
            out[output] += largest


cdef void add_up(const steps_t[:, ::1] steps, const int64_t[::1] offsets, double[:, ::1] sums) noexcept:
    cdef Py_ssize_t output, column, bit
    cdef double total
    for output in range(steps.shape[0]):
        for column in range(offsets.shape[0] - 1):
            total = 0
            for bit in range(offsets[column], offsets[column + 1]):
                total += steps[output, bit]
                sums[bit, output] = total
