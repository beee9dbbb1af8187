"""The layers as a mini-batch walks through them: each does its forward part, lets the next one do the same, and
turns the gradient that comes back into its parameters' and its input's.

Activations travel packed, beside a mask of those that dropout keeps. Buffers are allocated once, for the largest
mini-batch.
"""

import numpy as np
from libc.stdint cimport uint64_t

from skbnn.kernels._dispatch cimport tiles
from skbnn.network._batch_norm cimport BatchNorm
from skbnn.network._binarize cimport SurrogateGradient
from skbnn.network._dense cimport BinaryDense
from skbnn.network._losses cimport Loss
from skbnn.network._random cimport RandomBits


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

    cdef void backward(self, float *gradient, Py_ssize_t n_rows) noexcept nogil:
        """What was dropped has no gradient."""
        tiles().drop(gradient, &self.mask[0, 0], n_rows, self.n_units)

    def __call__(self, float[:, ::1] gradient):
        """``draw`` and ``backward`` from Python."""
        self.draw(gradient.shape[0])
        self.backward(&gradient[0, 0], gradient.shape[0])


cdef class Layer:
    """What every layer has: binary weights and batch norm, with an optimizer for each of their parameters."""

    def __init__(self, BinaryDense dense not None, BatchNorm norm not None, optimizers, RandomBits weights_random,
                 Py_ssize_t max_rows):
        self.dense, self.norm = dense, norm
        self.weights_optimizer, self.gain_optimizer, self.bias_optimizer = optimizers
        self.weights_random = weights_random
        self.normalized = np.empty((max_rows, dense.n_units), np.float32)
        self.outputs = np.empty((max_rows, dense.n_units), np.float32)

    cdef void affine(self, const uint64_t *bits, const uint64_t *mask, const Batch *batch) noexcept nogil:
        """``outputs = batch_norm(x @ binary_weights.T)``."""
        self.dense.binarize_weights(self.weights_random)
        self.dense.forward(bits, mask, batch.n_rows, &self.normalized[0, 0])
        self.norm.forward(&self.normalized[0, 0], &self.outputs[0, 0], batch.weights, batch.total_weight, batch.n_rows)

    cdef void affine_backward(self, const uint64_t *bits, const uint64_t *mask, float *gradient, float *d_x,
                              const Batch *batch) noexcept nogil:
        """From the gradient of ``outputs``, which is overwritten, to the parameters' and, unless NULL, ``d_x``."""
        self.norm.backward(&self.normalized[0, 0], gradient, batch.weights, batch.total_weight, batch.n_rows)
        self.dense.backward(bits, mask, gradient, batch.n_rows, d_x)

    cdef double gradients(self, const uint64_t *bits, const uint64_t *mask, float *d_x,
                          const Batch *batch) noexcept nogil:
        """Run this layer and all after it, forward and backward; returns the loss."""
        return 0

    cdef void update(self, double weights_rate, double norm_rate) noexcept nogil:
        """Step this layer's parameters and those of all after it along the gradients."""
        self.weights_optimizer.update(&self.dense.gradient[0, 0], weights_rate)
        self.gain_optimizer.update(&self.norm.gain_gradient[0], norm_rate)
        self.bias_optimizer.update(&self.norm.bias_gradient[0], norm_rate)


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

    cdef double gradients(self, const uint64_t *bits, const uint64_t *mask, float *d_x,
                          const Batch *batch) noexcept nogil:
        cdef Py_ssize_t row, n_units = self.dense.n_units
        cdef float *gradient = &self.gradient[0, 0]
        cdef const uint64_t *kept = NULL
        cdef double loss
        self.affine(bits, mask, batch)
        for row in range(batch.n_rows):
            if self.activations_random is not None:  # as for the weights: +1 where the output reaches the noise
                self.activations_random.uniform(&self.noise[0], n_units)
            tiles().compare32(&self.outputs[row, 0], &self.noise[0], n_units, &self.bits[row, 0])
        if self.dropout is not None:
            self.dropout.draw(batch.n_rows)
            kept = &self.dropout.mask[0, 0]

        loss = self.after.gradients(&self.bits[0, 0], kept, gradient, batch)

        if self.dropout is not None:
            self.dropout.backward(gradient, batch.n_rows)
        self.surrogate.backward(&self.outputs[0, 0], gradient, batch.n_rows * n_units)
        self.affine_backward(bits, mask, gradient, d_x, batch)
        return loss

    cdef void update(self, double weights_rate, double norm_rate) noexcept nogil:
        Layer.update(self, weights_rate, norm_rate)
        self.after.update(weights_rate, norm_rate)


cdef class OutputLayer(Layer):
    """Adds up each output's offset and units to its score and takes the loss."""

    def __init__(self, dense, norm, optimizers, weights_random, max_rows, *, Py_ssize_t n_outputs, Loss loss not None):
        super().__init__(dense, norm, optimizers, weights_random, max_rows)
        self.loss = loss
        self.n_outputs, self.units_per_output = n_outputs, dense.n_units // n_outputs
        self.scores = np.empty((max_rows, n_outputs), np.float32)
        self.d_scores = np.empty((max_rows, n_outputs), np.float32)
        self.gradient = np.empty((max_rows, dense.n_units), np.float32)

    cdef double gradients(self, const uint64_t *bits, const uint64_t *mask, float *d_x,
                          const Batch *batch) noexcept nogil:
        cdef Py_ssize_t row, output, unit
        cdef float score
        cdef double loss
        self.affine(bits, mask, batch)
        for row in range(batch.n_rows):
            for output in range(self.n_outputs):
                score = 0 if batch.offsets is NULL else batch.offsets[row * self.n_outputs + output]
                for unit in range(output * self.units_per_output, (output + 1) * self.units_per_output):
                    score += self.outputs[row, unit]
                self.scores[row, output] = score

        loss = self.loss.batch(&self.scores[0, 0], batch.targets, batch.n_targets, batch.weights, batch.total_weight,
                               batch.n_rows, self.n_outputs, &self.d_scores[0, 0])

        for row in range(batch.n_rows):
            for output in range(self.n_outputs):
                for unit in range(output * self.units_per_output, (output + 1) * self.units_per_output):
                    self.gradient[row, unit] = self.d_scores[row, output]
        self.affine_backward(bits, mask, &self.gradient[0, 0], d_x, batch)
        return loss
