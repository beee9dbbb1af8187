"""The packed layout, in NumPy.

Bit 1 means +1, bit 0 means -1. Rows: bit j of word i is entry ``64 * i + j``. Weights: interleaved by eight units,
``packed[unit // 8, word, unit % 8]``. Padding bits are 0 in both, so they never count in ``popcount(x ^ w)``.
"""

from itertools import pairwise

import numpy as np


def pack_bits(values):
    """Pack rows of ±1 (or of 0/1, or booleans): positive is bit 1.

    Parameters
    ----------
    values : array-like of shape (n_rows, n)

    Returns
    -------
    ndarray of shape (n_rows, ceil(n / 64)), uint64
    """
    positive = np.ascontiguousarray(np.asarray(values) > 0)  # words are runs of bytes in memory
    padded = np.pad(positive, ((0, 0), (0, -positive.shape[1] % 64)))
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def unpack_bits(words, n):
    """Inverse of ``pack_bits``: the first ``n`` entries of each row as ±1, (n_rows, n) int8."""
    return 2 * unpack(words, n).astype(np.int8) - 1


def unpack(words, n):
    """The same as 0 or 1, (n_rows, n) uint8."""
    return np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1, count=n, bitorder="little")


def pack_weights(binary_weights):
    """Pack ±1 weights; positive is bit 1.

    Parameters
    ----------
    binary_weights : array-like of shape (n_units, n_inputs)

    Returns
    -------
    ndarray of shape (ceil(n_units / 8), ceil(n_inputs / 64), 8), uint64
        The words of padding units are 0.
    """
    words = pack_bits(binary_weights)
    padded = np.pad(words, ((0, -len(words) % 8), (0, 0)))
    return np.ascontiguousarray(padded.reshape(-1, 8, words.shape[1]).swapaxes(1, 2))


def pack_members(binary_weights):
    """``pack_weights`` of each member, (n_members, n_groups, n_words, 8), from (n_members, n_units, n_inputs)."""
    return np.stack([pack_weights(member) for member in binary_weights])


def unpack_weights(packed_weights, n_units, n_inputs):
    """Inverse of ``pack_weights``: ±1, (n_units, n_inputs) int8."""
    words = packed_weights.swapaxes(1, 2).reshape(-1, packed_weights.shape[1])
    return unpack_bits(words[:n_units], n_inputs)


def spread_inputs(packed_weights, places, n_inputs):
    """The same weights on more inputs: input j becomes input ``places[j]``, and the bits of the others are 0.

    Parameters
    ----------
    packed_weights : ndarray of shape (n_members, n_groups, n_words, 8), uint64
    places : ndarray of int
        Ascending.
    n_inputs : int

    Returns
    -------
    ndarray of shape (n_members, n_groups, ceil(n_inputs / 64), 8), uint64
    """
    out = np.zeros((*packed_weights.shape[:2], -(-n_inputs // 64), 8), np.uint64)
    begins = (np.diff(places, prepend=-2) != 1) | (places % 64 == 0)  # runs that stay within a word, here and there
    begins[::64] = True
    for start, stop in pairwise([*np.flatnonzero(begins).tolist(), len(places)]):
        place, mask = int(places[start]), (1 << stop - start) - 1
        run = packed_weights[:, :, start // 64] >> np.uint64(start % 64) & np.uint64(mask)
        out[:, :, place // 64] |= run << np.uint64(place % 64)
    return out
