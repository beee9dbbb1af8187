"""Mini-batches, from packed rows to updated parameters, without the GIL."""

import numpy as np
from libc.math cimport isfinite
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
    n_steps : ndarray of shape (1,), int64
        Counted up before each update.
    """

    cdef readonly Layer first
    cdef readonly Dropout dropout
    cdef Py_ssize_t n_words
    cdef uint64_t[:, ::1] bits
    cdef float[:, ::1] targets, offsets
    cdef double[::1] weights
    cdef int64_t[::1] n_steps

    def __init__(self, Layer first not None, Dropout dropout, Py_ssize_t n_inputs, Py_ssize_t n_targets,
                 Py_ssize_t n_outputs, Py_ssize_t max_rows, int64_t[::1] n_steps):
        self.first, self.dropout, self.n_steps = first, dropout, n_steps
        self.n_words = (n_inputs + 63) // 64
        self.bits = np.empty((max_rows, self.n_words), np.uint64)
        self.targets = np.empty((max_rows, n_targets), np.float32)
        self.offsets = np.empty((max_rows, n_outputs), np.float32)
        self.weights = np.empty(max_rows)

    def train(self, const uint64_t[:, ::1] bits, const float[:, ::1] targets, const float[:, ::1] offsets,
              const double[::1] weights, const int64_t[::1] rows, const int64_t[::1] starts,
              const double[:, ::1] rates):
        """Step along the gradients of one mini-batch after the other; returns the sum of their losses.

        Batch i is of ``rows[starts[i]:starts[i + 1]]``, and has a learning rate of the weights and one of the batch
        norms, ``rates[i]``. A loss that is not finite is the last.
        """
        cdef double loss, total = 0
        cdef Py_ssize_t i
        with nogil:
            for i in range(rates.shape[0]):
                loss = self.loss(bits, targets, offsets, weights, rows[starts[i]:starts[i + 1]])
                total += loss
                if not isfinite(loss):
                    break
                self.n_steps[0] += 1
                self.first.update(rates[i, 0], rates[i, 1])
        return total

    def gradients(self, const uint64_t[:, ::1] bits, const float[:, ::1] targets, const float[:, ::1] offsets,
                  const double[::1] weights, const int64_t[::1] rows):
        """Loss of the mini-batch of these ``rows``, the mean by ``weights``; every gradient is left in its layer.

        ``offsets``, (n_rows, n_outputs), are added to the scores, unless None.
        """
        cdef double loss
        with nogil:
            loss = self.loss(bits, targets, offsets, weights, rows)
        return loss

    cdef double loss(self, const uint64_t[:, ::1] bits, const float[:, ::1] targets, const float[:, ::1] offsets,
                     const double[::1] weights, const int64_t[::1] rows) noexcept nogil:
        cdef Batch batch = self.gather(bits, targets, offsets, weights, rows)
        cdef uint64_t *mask = NULL
        if self.dropout is not None:
            self.dropout.draw(batch.n_rows)
            mask = &self.dropout.mask[0, 0]
        return self.first.gradients(&self.bits[0, 0], mask, NULL, &batch)

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
