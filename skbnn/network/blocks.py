"""Matrices in blocks of 64 columns, as the training kernels keep them; ``_team.pxd`` says why."""

import numpy as np

COLUMNS = 64


def in_blocks(matrix):
    """Copy (n_rows, n_columns) into blocks, (n_blocks, n_rows, COLUMNS), padded with 0."""
    n_rows, n_columns = matrix.shape
    padded = np.pad(matrix, ((0, 0), (0, -n_columns % COLUMNS)))
    return np.ascontiguousarray(padded.reshape(n_rows, -1, COLUMNS).swapaxes(0, 1))


def of_blocks(blocks, n_columns):
    """Inverse of ``in_blocks``."""
    return blocks.swapaxes(0, 1).reshape(blocks.shape[1], -1)[:, :n_columns]
