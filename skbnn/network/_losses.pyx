"""Losses: value and gradient of one row, side by side; the mini-batch takes the weighted mean.

Targets are float32 rows. A loss over classes reads one number, the index of the true class; the others read one
number an output.
"""

import numpy as np
from libc.math cimport exp, fabs, log1p, log


cdef class Loss:
    """Base class: a subclass gives the loss of a row."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        """Loss of a row; fills its gradient with respect to the scores."""
        return 0

    cdef double batch(self, const float *scores, const float *targets, Py_ssize_t n_targets, const double *weights,
                      double total_weight, Py_ssize_t n_rows, Py_ssize_t n_outputs, float *gradient) noexcept nogil:
        """Mean of the rows' losses by ``weights``, whose sum is ``total_weight``; fills its gradient."""
        cdef double total = 0, share
        cdef Py_ssize_t row, output
        for row in range(n_rows):
            share = weights[row] / total_weight
            total += share * self.row(scores, targets, n_outputs, gradient)
            for output in range(n_outputs):
                gradient[output] *= share
            scores += n_outputs
            gradient += n_outputs
            targets += n_targets
        return total

    def __call__(self, const float[:, ::1] scores, const float[:, ::1] targets, const double[::1] weights,
                 float[:, ::1] gradient):
        """The mini-batch's loss from Python."""
        return self.batch(&scores[0, 0], &targets[0, 0], targets.shape[1], &weights[0], np.sum(weights),
                          scores.shape[0], scores.shape[1], &gradient[0, 0])


cdef class SoftmaxLogLoss(Loss):
    """Cross-entropy of the softmax over all outputs with the true class."""

    cdef double row(self, const float *scores, const float *target, Py_ssize_t n_outputs,
                    float *gradient) noexcept nogil:
        cdef Py_ssize_t output, true_class = <Py_ssize_t>target[0]
        cdef double top = scores[0], total = 0
        for output in range(1, n_outputs):
            top = max(top, <double>scores[output])
        for output in range(n_outputs):
            gradient[output] = exp(scores[output] - top)
            total += gradient[output]
        for output in range(n_outputs):
            gradient[output] /= total
        gradient[true_class] -= 1
        return log(total) + top - scores[true_class]


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
