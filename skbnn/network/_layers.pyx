"""The layers as a mini-batch walks through them: each does its forward part, lets the next one do the same, and
turns the gradient that comes back into its parameters' and its input's.

Activations travel packed, beside a mask of those that dropout keeps. Buffers are allocated once, for the largest
mini-batch. Every thread of the team makes the same calls and does its share; it waits where it turns from rows to units
or back.
"""

import numpy as np
from libc.math cimport isfinite
from libc.stdint cimport uint64_t

from skbnn.kernels._dispatch cimport tiles
from skbnn.network._batch_norm cimport BatchNorm
from skbnn.network._binarize cimport SurrogateGradient
from skbnn.network._dense cimport BinaryDense
from skbnn.network._losses cimport Loss
from skbnn.network._random cimport RandomBits
from skbnn.network._team cimport Share, Team, alone, rows_of, units_of, wait


cdef class Dropout:
    """Sets activations to 0 with ``probability`` (Srivastava et al., 2014).

    What is kept is not scaled up: batch norm follows.
    """

    def __init__(self, double probability, RandomBits random not None, Py_ssize_t max_rows, Py_ssize_t n_units):
        self.probability = probability
        self.random = random
        self.n_units = n_units
        self.mask = np.empty((max_rows, (n_units + 63) // 64), np.uint64)

    cdef void draw(self, Py_ssize_t n_rows) noexcept nogil:
        """Draw a mask, 1 where an activation is kept, padding 0."""
        cdef Py_ssize_t row, last = self.mask.shape[1] - 1
        self.random.bernoulli(1 - self.probability, &self.mask[0, 0], n_rows * self.mask.shape[1])
        if self.n_units % 64:
            for row in range(n_rows):
                self.mask[row, last] &= (<uint64_t>1 << (self.n_units % 64)) - 1

    cdef void backward(self, const Team *team, float *gradient, Py_ssize_t n_rows) noexcept nogil:
        """What was dropped has no gradient, in this thread's rows."""
        cdef Share rows = rows_of(team, n_rows)
        if rows.start < rows.stop:
            tiles().drop(gradient + rows.start * self.n_units, &self.mask[rows.start, 0], rows.stop - rows.start,
                            self.n_units)

    def __call__(self, float[:, ::1] gradient):
        """``draw`` and ``backward`` from Python."""
        cdef Team team = alone()
        self.draw(gradient.shape[0])
        self.backward(&team, &gradient[0, 0], gradient.shape[0])


cdef class Layer:
    """What every layer has: binary weights and batch norm, with an optimizer for each of their parameters."""

    def __init__(self, BinaryDense dense not None, BatchNorm norm not None, optimizers, RandomBits weights_random,
                 Py_ssize_t max_rows):
        self.dense, self.norm = dense, norm
        self.weights_optimizer, self.gain_optimizer, self.bias_optimizer = optimizers
        self.weights_random = weights_random
        self.normalized = np.empty((max_rows, dense.n_units), np.float32)
        self.outputs = np.empty((max_rows, dense.n_units), np.float32)

    cdef void draw(self, const Team *team, Py_ssize_t n_rows) noexcept nogil:
        """What this layer and all after it need before a mini-batch: binary weights, and masks of dropout."""
        self.dense.binarize_weights(team, self.weights_random)

    cdef double step(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                     const Batch *batch) noexcept nogil:
        """Run this layer and all after it, forward, backward and, if the loss is finite, the update; returns the loss.

        This thread's rows of ``bits`` and ``mask`` must be ready, and it fills those of ``d_x``, unless NULL.
        """
        return 0

    cdef void affine(self, const Team *team, const uint64_t *bits, const uint64_t *mask,
                     const Batch *batch) noexcept nogil:
        """``outputs = batch_norm(x @ binary_weights.T)``, ready when this returns."""
        self.dense.forward(team, bits, mask, batch.n_rows, &self.normalized[0, 0])
        wait(team)
        self.norm.forward(team, &self.normalized[0, 0], &self.outputs[0, 0], batch.weights, batch.total_weight,
                          batch.n_rows)
        wait(team)

    cdef void affine_backward(self, const Team *team, float *gradient, float *d_x, const Batch *batch) noexcept nogil:
        """From the gradient of ``outputs``, which is ready and overwritten, to updated parameters and ``d_x``."""
        self.norm.backward(team, &self.normalized[0, 0], gradient, batch.weights, batch.total_weight, batch.n_rows)
        self.dense.backward(gradient, batch.n_rows, units_of(team, self.dense.n_units))
        if batch.number:
            self.update(team, batch)
        if d_x is not NULL:
            self.dense.input_gradient(team, gradient, batch.n_rows, d_x)

    cdef void update(self, const Team *team, const Batch *batch) noexcept nogil:
        """Step the parameters of this thread's units along their gradients."""
        cdef Share units = units_of(team, self.dense.n_units)
        cdef Share weights = Share(units.start * self.dense.n_inputs, units.stop * self.dense.n_inputs)
        self.weights_optimizer.update(&self.dense.gradient[0, 0], weights, batch.number, batch.weights_rate)
        self.gain_optimizer.update(&self.norm.gain_gradient[0], units, batch.number, batch.norm_rate)
        self.bias_optimizer.update(&self.norm.bias_gradient[0], units, batch.number, batch.norm_rate)


cdef class HiddenLayer(Layer):
    """Binarizes its batch-normalized dot products for the layer ``after`` it."""

    def __init__(self, dense, norm, optimizers, weights_random, max_rows, *, Layer after not None,
                 SurrogateGradient surrogate not None, Dropout dropout, RandomBits activations_random):
        super().__init__(dense, norm, optimizers, weights_random, max_rows)
        self.after, self.surrogate, self.dropout = after, surrogate, dropout
        self.activations_random = activations_random
        self.gradient = np.empty((max_rows, dense.n_units), np.float32)
        self.bits = np.empty((max_rows, (dense.n_units + 63) // 64), np.uint64)
        self.noise = np.zeros(dense.n_units, np.float32)

    cdef void draw(self, const Team *team, Py_ssize_t n_rows) noexcept nogil:
        Layer.draw(self, team, n_rows)
        if self.dropout is not None and team.thread == 0:
            self.dropout.draw(n_rows)
        self.after.draw(team, n_rows)

    cdef double step(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                     const Batch *batch) noexcept nogil:
        cdef Py_ssize_t row, n_units = self.dense.n_units
        cdef Share rows = rows_of(team, batch.n_rows)
        cdef float *gradient = &self.gradient[0, 0]
        cdef const uint64_t *kept = NULL if self.dropout is None else &self.dropout.mask[0, 0]
        cdef double loss
        self.affine(team, bits, mask, batch)
        for row in range(rows.start, rows.stop):
            if self.activations_random is not None:  # as for the weights: +1 where the output reaches the noise
                self.activations_random.uniform(&self.noise[0], n_units)
            tiles().compare32(&self.outputs[row, 0], &self.noise[0], n_units, &self.bits[row, 0])

        loss = self.after.step(team, &self.bits[0, 0], kept, gradient, batch)

        if isfinite(loss):
            if self.dropout is not None:
                self.dropout.backward(team, gradient, batch.n_rows)
            self.surrogate.backward(&self.outputs[0, 0] + rows.start * n_units, gradient + rows.start * n_units,
                                    (rows.stop - rows.start) * n_units)
            wait(team)
            self.affine_backward(team, gradient, d_x, batch)
        return loss


cdef class OutputLayer(Layer):
    """Adds up each output's offset and units to its score and takes the loss."""

    def __init__(self, dense, norm, optimizers, weights_random, max_rows, *, Py_ssize_t n_outputs, Loss loss not None):
        super().__init__(dense, norm, optimizers, weights_random, max_rows)
        self.loss = loss
        self.n_outputs, self.units_per_output = n_outputs, dense.n_units // n_outputs
        self.scores = np.empty((max_rows, n_outputs), np.float32)
        self.d_scores = np.empty((max_rows, n_outputs), np.float32)
        self.gradient = np.empty((max_rows, dense.n_units), np.float32)
        self.losses = np.empty(max_rows)

    cdef double step(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                     const Batch *batch) noexcept nogil:
        cdef Py_ssize_t row, output, unit
        cdef Share rows = rows_of(team, batch.n_rows)
        cdef float score
        cdef double loss = 0
        self.affine(team, bits, mask, batch)
        for row in range(rows.start, rows.stop):
            for output in range(self.n_outputs):
                score = 0 if batch.offsets is NULL else batch.offsets[row * self.n_outputs + output]
                for unit in range(output * self.units_per_output, (output + 1) * self.units_per_output):
                    score += self.outputs[row, unit]
                self.scores[row, output] = score

        self.loss.rows(rows, &self.scores[0, 0], batch.targets, batch.n_targets, batch.weights, batch.total_weight,
                       self.n_outputs, &self.losses[0], &self.d_scores[0, 0])

        for row in range(rows.start, rows.stop):
            for output in range(self.n_outputs):
                for unit in range(output * self.units_per_output, (output + 1) * self.units_per_output):
                    self.gradient[row, unit] = self.d_scores[row, output]
        wait(team)
        for row in range(batch.n_rows):  # by every thread, so that all know whether to go on
            loss += self.losses[row]
        if isfinite(loss):
            self.affine_backward(team, &self.gradient[0, 0], d_x, batch)
        return loss
