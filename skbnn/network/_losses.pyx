"""Losses: value and gradient of one row, side by side; the mini-batch takes the weighted mean.

Targets are float32 rows. A loss over classes reads one number, the index of the true class; the others read one
number an output.
"""

import numpy as np
from libc.math cimport exp, fabs, log1p, log

from skbnn.kernels._dispatch cimport tiles
from skbnn.network._team cimport Share


cdef class Loss:
    """Base class: a subclass gives the loss of a row, or of all."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        """Loss of a row; fills its gradient with respect to the scores."""
        return 0

    cdef void rows(self, Share rows, const float *scores, const float *targets, Py_ssize_t n_targets,
                   const double *weights, double total_weight, Py_ssize_t n_outputs, double *losses,
                   float *gradient) noexcept nogil:
        """Some rows' losses in the mean by ``weights``, whose sum is ``total_weight``; fills the mean's gradient."""
        cdef double share
        cdef float *d_scores
        cdef Py_ssize_t row, output
        for row in range(rows.start, rows.stop):
            share = weights[row] / total_weight
            d_scores = gradient + row * n_outputs
            losses[row] = share * self.row(scores + row * n_outputs, targets + row * n_targets, n_outputs, d_scores)
            for output in range(n_outputs):
                d_scores[output] *= share

    def __call__(self, const float[:, ::1] scores, const float[:, ::1] targets, const double[::1] weights,
                 float[:, ::1] gradient):
        """The mini-batch's loss from Python."""
        return self.of_rows(scores, targets, weights, gradient).sum()

    def of_rows(self, const float[:, ::1] scores, const float[:, ::1] targets, const double[::1] weights,
                float[:, ::1] gradient):
        """What each row adds to it, (n_rows,) float64."""
        losses = np.empty(scores.shape[0])
        cdef double[::1] of_row = losses
        self.rows(Share(0, scores.shape[0]), &scores[0, 0], &targets[0, 0], targets.shape[1], &weights[0],
                  np.sum(weights), scores.shape[1], &of_row[0], &gradient[0, 0])
        return losses


cdef class SoftmaxLogLoss(Loss):
    """Cross-entropy of the softmax over all outputs with the true class."""

    cdef void rows(self, Share rows, const float *scores, const float *targets, Py_ssize_t n_targets,
                   const double *weights, double total_weight, Py_ssize_t n_outputs, double *losses,
                   float *gradient) noexcept nogil:
        """Takes all rows at once, as the tile for exp does; until its loss is known, a row's largest score is there."""
        cdef Py_ssize_t row, output, true_class
        cdef const float *own
        cdef float *d_scores
        cdef float top, factor
        cdef double total, share
        for row in range(rows.start, rows.stop):
            own, d_scores = scores + row * n_outputs, gradient + row * n_outputs
            top = own[0]
            for output in range(1, n_outputs):
                top = max(top, own[output])
            losses[row] = top
            for output in range(n_outputs):
                d_scores[output] = own[output] - top
        tiles().exp_of_negative(gradient + rows.start * n_outputs, (rows.stop - rows.start) * n_outputs)
        for row in range(rows.start, rows.stop):
            own, d_scores = scores + row * n_outputs, gradient + row * n_outputs
            true_class, share, total = <Py_ssize_t>targets[row * n_targets], weights[row] / total_weight, 0
            for output in range(n_outputs):
                total += d_scores[output]
            factor = share / total
            for output in range(n_outputs):
                d_scores[output] *= factor
            d_scores[true_class] -= <float>share
            losses[row] = share * (log(total) + losses[row] - own[true_class])


cdef class LogisticLogLoss(Loss):
    """Sum over the outputs of the cross-entropy of the logistic function with targets 0 or 1."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        cdef Py_ssize_t output
        cdef double total = 0, small
        for output in range(n_outputs):
            small = exp(-fabs(scores[output]))  # at most 1, so nothing overflows
            total += log1p(small) + max(<double>scores[output], 0.0) - target[output] * scores[output]
            gradient[output] = (1 / (1 + small) if scores[output] >= 0 else small / (1 + small)) - target[output]
        return total


cdef class OneVsRestSquaredHinge(Loss):
    """Sum over the outputs of max(0, 1 - t·score)², t = +1 for the true class and -1 for every other."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        cdef Py_ssize_t output
        cdef double total = 0
        for output in range(n_outputs):
            total += squared_hinge(scores[output], output == <Py_ssize_t>target[0], gradient + output)
        return total


cdef class SquaredHinge(Loss):
    """Sum over the outputs of max(0, 1 - t·score)², t = +1 for target 1 and -1 for target 0."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        cdef Py_ssize_t output
        cdef double total = 0
        for output in range(n_outputs):
            total += squared_hinge(scores[output], target[output] > 0, gradient + output)
        return total


cdef inline double squared_hinge(double score, bint positive, float *gradient) noexcept nogil:
    cdef double sign = 1 if positive else -1
    cdef double margin = max(0.0, 1 - sign * score)
    gradient[0] = -2 * sign * margin
    return margin * margin


cdef class SquaredError(Loss):
    """Half the sum over the outputs of (score - target)²."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        cdef Py_ssize_t output
        cdef double total = 0
        for output in range(n_outputs):
            gradient[output] = scores[output] - target[output]
            total += 0.5 * gradient[output] * gradient[output]
        return total


cdef class AbsoluteError(Loss):
    """Sum over the outputs of abs(score - target)."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        cdef Py_ssize_t output
        cdef double total = 0, error
        for output in range(n_outputs):
            error = scores[output] - target[output]
            gradient[output] = (error > 0) - (error < 0)
            total += fabs(error)
        return total


cdef class Huber(Loss):
    """Sum over the outputs of Huber's function of the error: quadratic within ±1, linear beyond (Huber, 1964)."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        cdef Py_ssize_t output
        cdef double total = 0, error
        for output in range(n_outputs):
            error = scores[output] - target[output]
            gradient[output] = max(-1.0, min(1.0, error))
            total += 0.5 * error * error if fabs(error) <= 1 else fabs(error) - 0.5
        return total
