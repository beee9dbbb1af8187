"""One mini-batch, from packed rows to updated parameters, in two native calls without the GIL."""

import numpy as np
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from skbnn.network._layers cimport Batch, Dropout, Layer


cdef class TrainingStep:
    """Gathers the rows of a mini-batch and sends them through the chain of layers that starts with ``first``.

    Parameters
    ----------
    first : Layer
        The first layer; it holds the one after it, and so on.
    dropout : Dropout or None
        Applied to the input bits.
    n_inputs, n_targets, n_outputs, max_rows : int
        Input bits a row, numbers a row of targets, scores a row, rows of the largest mini-batch.
    """

    cdef readonly Layer first
    cdef readonly Dropout dropout
    cdef Py_ssize_t n_words
    cdef uint64_t[:, ::1] bits
    cdef float[:, ::1] targets, offsets
    cdef double[::1] weights

    def __init__(self, Layer first not None, Dropout dropout, Py_ssize_t n_inputs, Py_ssize_t n_targets,
                 Py_ssize_t n_outputs, Py_ssize_t max_rows):
        self.first, self.dropout = first, dropout
        self.n_words = (n_inputs + 63) // 64
        self.bits = np.empty((max_rows, self.n_words), np.uint64)
        self.targets = np.empty((max_rows, n_targets), np.float32)
        self.offsets = np.empty((max_rows, n_outputs), np.float32)
        self.weights = np.empty(max_rows)

    def gradients(self, const uint64_t[:, ::1] bits, const float[:, ::1] targets, const float[:, ::1] offsets,
                  const double[::1] weights, const int64_t[::1] rows):
        """Loss of the mini-batch of these ``rows``, the mean by ``weights``; every gradient is left in its layer.

        ``offsets``, (n_rows, n_outputs), are added to the scores, unless None.
        """
        cdef Batch batch
        cdef uint64_t *mask = NULL
        cdef double loss
        with nogil:
            batch = self.gather(bits, targets, offsets, weights, rows)
            if self.dropout is not None:
                self.dropout.draw(batch.n_rows)
                mask = &self.dropout.mask[0, 0]
            loss = self.first.gradients(&self.bits[0, 0], mask, NULL, &batch)
        return loss

    def update(self, double weights_rate, double norm_rate):
        """Step the weights and the batch norms along the gradients, at their learning rates."""
        with nogil:
            self.first.update(weights_rate, norm_rate)

    cdef Batch gather(self, const uint64_t[:, ::1] bits, const float[:, ::1] targets, const float[:, ::1] offsets,
                      const double[::1] weights, const int64_t[::1] rows) noexcept nogil:
        cdef Batch batch
        cdef Py_ssize_t at, i
        batch.total_weight, batch.offsets = 0, NULL
        for at in range(rows.shape[0]):
            memcpy(&self.bits[at, 0], &bits[rows[at], 0], self.n_words * sizeof(uint64_t))
            for i in range(targets.shape[1]):
                self.targets[at, i] = targets[rows[at], i]
            self.weights[at] = weights[rows[at]]
            batch.total_weight += weights[rows[at]]
        batch.n_rows, batch.n_targets = rows.shape[0], targets.shape[1]
        batch.weights, batch.targets = &self.weights[0], &self.targets[0, 0]
        if offsets is not None:
            for at in range(rows.shape[0]):
                for i in range(offsets.shape[1]):
                    self.offsets[at, i] = offsets[rows[at], i]
            batch.offsets = &self.offsets[0, 0]
        return batch
