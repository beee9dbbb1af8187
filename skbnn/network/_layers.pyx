"""The layers as a mini-batch walks through them: each does its forward part, lets the next one do the same, and
turns the gradient that comes back into its parameters' and its input's.

Activations travel packed, beside a mask of those that dropout keeps. Buffers are allocated once, for the largest
mini-batch. Every thread of the team makes the same calls and does its share; it waits where it turns from rows to
columns or back.
"""

import numpy as np
from libc.math cimport isfinite
from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memset

from skbnn.kernels._dispatch cimport tiles
from skbnn.network._batch_norm cimport BatchNorm
from skbnn.network._binarize cimport SurrogateGradient
from skbnn.network._dense cimport BinaryDense
from skbnn.network._losses cimport Loss
from skbnn.network._random cimport RandomBits
from skbnn.network._team cimport COLUMNS, ROWS, Share, Team, blocks_of, columns_of, n_blocks, rows_of, wait, width


cdef class Dropout:
    """Sets activations to 0 with ``probability`` (Srivastava et al., 2014).

    What is kept is not scaled up: batch norm follows.
    """

    def __init__(self, double probability, RandomBits random not None, Py_ssize_t max_rows, Py_ssize_t n_units):
        self.probability = probability
        self.random = random
        self.n_units = n_units
        self.mask = np.empty((max_rows, n_blocks(n_units)), np.uint64)

    cdef void draw(self, Py_ssize_t n_rows) noexcept nogil:
        """Draw a mask, 1 where an activation is kept, padding 0."""
        cdef Py_ssize_t row, last = self.mask.shape[1] - 1
        self.random.bernoulli(1 - self.probability, &self.mask[0, 0], n_rows * self.mask.shape[1])
        if self.n_units % 64:
            for row in range(n_rows):
                self.mask[row, last] &= (<uint64_t>1 << (self.n_units % 64)) - 1

    cdef void backward(self, Py_ssize_t block, Py_ssize_t first, float *gradient, Py_ssize_t n_rows) noexcept nogil:
        """What was dropped has no gradient, of some rows of a block."""
        tiles().drop(gradient, &self.mask[first, block], n_rows, self.mask.shape[1])

    def __call__(self, float[:, :, ::1] gradient):
        """``draw`` and ``backward`` from Python, of blocks."""
        cdef Py_ssize_t block
        self.draw(gradient.shape[1])
        for block in range(gradient.shape[0]):
            self.backward(block, 0, &gradient[block, 0, 0], gradient.shape[1])


cdef class Layer:
    """What every layer has: binary weights and batch norm, with an optimizer for each of their parameters."""

    def __init__(self, BinaryDense dense not None, BatchNorm norm not None, optimizers, RandomBits weights_random,
                 Py_ssize_t max_rows):
        self.dense, self.norm = dense, norm
        self.weights_optimizer, self.gain_optimizer, self.bias_optimizer = optimizers
        self.weights_random = weights_random
        shape = n_blocks(dense.n_units), max_rows, COLUMNS
        self.normalized, self.gradient = np.zeros((2, *shape), np.float32)

    cdef void binarize(self, const Team *team) noexcept nogil:
        """What this layer and all after it need before the first mini-batch, for this thread's units."""
        if self.weights_random is None:
            self.dense.binarize_weights(columns_of(team, self.dense.n_units), None)

    cdef void draw(self, const Team *team, Py_ssize_t n_rows) noexcept nogil:
        """What this layer and all after it need before each mini-batch: what is random."""
        if self.weights_random is not None:
            self.dense.binarize_weights(columns_of(team, self.dense.n_units), self.weights_random)

    cdef double gradients(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                          const Batch *batch, const Update *update) noexcept nogil:
        """Run this layer and all after it, forward and, if the loss is finite, backward; returns the loss.

        All of ``bits`` and ``mask`` must be ready; this thread fills its columns of ``d_x``, unless NULL. With an
        ``update``, steps along the gradients follow; else they are left for who reads them.
        """
        return 0

    cdef Py_ssize_t scratch_bytes(self) noexcept nogil:
        """Bytes that each thread needs as scratch, for this layer and all after it."""
        return self.dense.scratch_bytes()

    cdef void affine(self, const Team *team, const uint64_t *bits, const uint64_t *mask,
                     const Batch *batch) noexcept nogil:
        """``activate(batch_norm(x @ binary_weights.T))`` of this thread's units, some of them while in cache."""
        cdef Share blocks = blocks_of(team, self.dense.n_units)
        cdef Py_ssize_t block
        for block in range(blocks.start, blocks.stop):
            self.dense.forward(block, bits, mask, batch.n_rows, &self.normalized[block, 0, 0])
            self.norm.forward(block, &self.normalized[block, 0, 0], batch.weights, batch.total_weight, batch.n_rows)
            self.activate(block, batch.n_rows)

    cdef void affine_backward(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                              const Batch *batch, const Update *update) noexcept nogil:
        """From what the layer after it leaves in ``gradient`` to the parameters' and, unless NULL, ``d_x``.

        This thread's units of ``gradient``, which is overwritten, must be ready.
        """
        cdef Share blocks = blocks_of(team, self.dense.n_units)
        cdef Py_ssize_t block
        for block in range(blocks.start, blocks.stop):
            self.activate_backward(block, batch.n_rows)
            self.norm.backward(block, &self.normalized[block, 0, 0], &self.gradient[block, 0, 0], batch.weights,
                               batch.total_weight, batch.n_rows)
        self.dense.backward(team, bits, mask, &self.gradient[0, 0, 0], batch.n_rows, d_x)
        if update is NULL or not self.weights_optimizer.in_parts:
            for block in range(blocks.start, blocks.stop):
                self.dense.weights_gradient(block, batch.n_rows, &self.dense.gradient[block * COLUMNS, 0])
        if update is not NULL:
            if d_x is not NULL:
                wait(team)  # for those who still read the binary weights
            self.learn(team, batch.n_rows, update)

    cdef void activate(self, Py_ssize_t block, Py_ssize_t n_rows) noexcept nogil:
        """What the layer after it reads, of a block."""

    cdef void activate_backward(self, Py_ssize_t block, Py_ssize_t n_rows) noexcept nogil:
        """Turn ``gradient``, that of what the layer after it reads, into that of the outputs, in a block."""

    cdef void learn(self, const Team *team, Py_ssize_t n_rows, const Update *update) noexcept nogil:
        """Step this thread's units along their gradients; that of a block's weights stays in cache."""
        cdef Share units = columns_of(team, self.dense.n_units), blocks = blocks_of(team, self.dense.n_units)
        cdef Py_ssize_t block
        cdef float *gradient = <float *>team.scratch
        if self.weights_optimizer.in_parts:
            for block in range(blocks.start, blocks.stop):
                self.dense.weights_gradient(block, n_rows, gradient)
                self.learn_weights(gradient, Share(block * COLUMNS, min((block + 1) * COLUMNS, units.stop)), update)
        else:
            self.learn_weights(&self.dense.gradient[0, 0], units, update)
        if units.start < units.stop:
            self.gain_optimizer.update(&self.norm.gain_gradient[units.start], units, update.number, update.norm_rate)
            self.bias_optimizer.update(&self.norm.bias_gradient[units.start], units, update.number, update.norm_rate)

    cdef void learn_weights(self, const float *gradient, Share units, const Update *update) noexcept nogil:
        """Step these units' weights along their gradient, and take the signs that the next mini-batch needs."""
        cdef Share weights = Share(units.start * self.dense.n_inputs, units.stop * self.dense.n_inputs)
        self.weights_optimizer.update(gradient, weights, update.number, update.weights_rate)
        if self.weights_random is None:
            self.dense.binarize_weights(units, None)


cdef class HiddenLayer(Layer):
    """Binarizes its batch-normalized dot products for the layer ``after`` it."""

    def __init__(self, dense, norm, optimizers, weights_random, max_rows, *, Layer after not None,
                 SurrogateGradient surrogate not None, Dropout dropout, RandomBits activations_random):
        super().__init__(dense, norm, optimizers, weights_random, max_rows)
        self.after, self.surrogate, self.dropout = after, surrogate, dropout
        self.activations_random = activations_random
        self.bits = np.empty((max_rows, n_blocks(dense.n_units)), np.uint64)
        self.noise = np.zeros(COLUMNS, np.float32)

    cdef void binarize(self, const Team *team) noexcept nogil:
        Layer.binarize(self, team)
        self.after.binarize(team)

    cdef void draw(self, const Team *team, Py_ssize_t n_rows) noexcept nogil:
        Layer.draw(self, team, n_rows)
        if self.dropout is not None and team.thread == 0:
            self.dropout.draw(n_rows)
        self.after.draw(team, n_rows)

    cdef double gradients(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                          const Batch *batch, const Update *update) noexcept nogil:
        cdef const uint64_t *kept = NULL if self.dropout is None else &self.dropout.mask[0, 0]
        cdef double loss
        self.affine(team, bits, mask, batch)
        wait(team)
        loss = self.after.gradients(team, &self.bits[0, 0], kept, &self.gradient[0, 0, 0], batch,
                                    update)
        if isfinite(loss):
            self.affine_backward(team, bits, mask, d_x, batch, update)
        return loss

    cdef void activate(self, Py_ssize_t block, Py_ssize_t n_rows) noexcept nogil:
        cdef Py_ssize_t start = 0, row, n, n_units = width(block, self.dense.n_units)
        cdef float outputs[ROWS * COLUMNS]
        while start < n_rows:
            n = min(<Py_ssize_t>ROWS, n_rows - start)
            self.norm.outputs(block, &self.normalized[block, start, 0], n, outputs)
            for row in range(n):
                if self.activations_random is not None:  # as for the weights: +1 where the output reaches the noise
                    self.activations_random.uniform(&self.noise[0], n_units)
                tiles().compare32(outputs + row * COLUMNS, &self.noise[0], n_units,
                                  &self.bits[start + row, block])
            start += n

    cdef void activate_backward(self, Py_ssize_t block, Py_ssize_t n_rows) noexcept nogil:
        cdef Py_ssize_t start = 0, n
        cdef float *gradient
        cdef float outputs[ROWS * COLUMNS]
        while start < n_rows:
            n = min(<Py_ssize_t>ROWS, n_rows - start)
            gradient = &self.gradient[block, start, 0]
            if self.dropout is not None:
                self.dropout.backward(block, start, gradient, n)
            self.norm.outputs(block, &self.normalized[block, start, 0], n, outputs)
            self.surrogate.backward(outputs, gradient, n * COLUMNS)
            start += n

    cdef Py_ssize_t scratch_bytes(self) noexcept nogil:
        return max(Layer.scratch_bytes(self), self.after.scratch_bytes())


cdef class OutputLayer(Layer):
    """Adds up each output's offset and units to its score and takes the loss."""

    def __init__(self, dense, norm, optimizers, weights_random, max_rows, *, Py_ssize_t n_outputs, Loss loss not None):
        super().__init__(dense, norm, optimizers, weights_random, max_rows)
        self.loss = loss
        self.n_outputs, self.units_per_output = n_outputs, dense.n_units // n_outputs
        self.scores = np.empty((max_rows, n_outputs), np.float32)
        self.d_scores = np.empty((max_rows, n_outputs), np.float32)
        self.losses = np.empty(max_rows)

    cdef double gradients(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                          const Batch *batch, const Update *update) noexcept nogil:
        cdef Py_ssize_t row, block
        cdef Share rows = rows_of(team, batch.n_rows)
        cdef double loss = 0
        self.affine(team, bits, mask, batch)
        wait(team)
        self.start_scores(rows, batch.offsets)
        for block in range(self.gradient.shape[0]):
            self.add_to_scores(block, rows)
        self.loss.rows(rows, &self.scores[0, 0], batch.targets, batch.n_targets, batch.weights, batch.total_weight,
                       self.n_outputs, &self.losses[0], &self.d_scores[0, 0])
        for block in range(self.gradient.shape[0]):
            self.spread_gradient(block, rows)
        wait(team)
        for row in range(batch.n_rows):  # by every thread, so that all know whether to go on
            loss += self.losses[row]
        if isfinite(loss):
            self.affine_backward(team, bits, mask, d_x, batch, update)
        return loss

    cdef void start_scores(self, Share rows, const float *offsets) noexcept nogil:
        """Set the scores of some rows to their offsets, or to 0."""
        cdef Py_ssize_t first = rows.start * self.n_outputs, n = (rows.stop - rows.start) * self.n_outputs
        if offsets is NULL:
            memset(&self.scores[0, 0] + first, 0, n * sizeof(float))
        else:
            memcpy(&self.scores[0, 0] + first, offsets + first, n * sizeof(float))

    cdef void add_to_scores(self, Py_ssize_t block, Share rows) noexcept nogil:
        """Add what the units of a block put out to their outputs' scores."""
        cdef Py_ssize_t start = rows.start, n, row, output, unit
        cdef Share in_block = self.outputs_of(block), units
        cdef float outputs[ROWS * COLUMNS]
        cdef float score
        while start < rows.stop:
            n = min(<Py_ssize_t>ROWS, rows.stop - start)
            self.norm.outputs(block, &self.normalized[block, start, 0], n, outputs)
            for output in range(in_block.start, in_block.stop):
                units = self.units_of(output, block)
                for row in range(n):
                    score = self.scores[start + row, output]
                    for unit in range(units.start, units.stop):
                        score += outputs[row * COLUMNS + unit]
                    self.scores[start + row, output] = score
            start += n

    cdef void spread_gradient(self, Py_ssize_t block, Share rows) noexcept nogil:
        """Each unit of a block has the gradient of its output's score."""
        cdef Py_ssize_t row, output, unit
        cdef Share in_block = self.outputs_of(block), units
        cdef float *gradient = &self.gradient[block, 0, 0]
        cdef float d_score
        for output in range(in_block.start, in_block.stop):
            units = self.units_of(output, block)
            for row in range(rows.start, rows.stop):
                d_score = self.d_scores[row, output]
                for unit in range(units.start, units.stop):
                    gradient[row * COLUMNS + unit] = d_score

    cdef Share outputs_of(self, Py_ssize_t block) noexcept nogil:
        """The outputs that units of a block belong to."""
        cdef Py_ssize_t first = block * COLUMNS, last = first + width(block, self.dense.n_units) - 1
        return Share(first // self.units_per_output, last // self.units_per_output + 1)

    cdef Share units_of(self, Py_ssize_t output, Py_ssize_t block) noexcept nogil:
        """The columns of a block that are units of an output."""
        cdef Py_ssize_t start = output * self.units_per_output - block * COLUMNS
        return Share(max(0, start), min(COLUMNS, start + self.units_per_output))
