"""Optimizers: each updates one flat array of parameters in place, in one pass, and clips it to ±``bound``."""

import numpy as np
from libc.math cimport sqrt, sqrtf

from skbnn.kernels._dispatch cimport AdamStep, tiles
from skbnn.network._team cimport Share


cdef class Optimizer:
    """Base class: the parameters, (n,), and the bound of their absolute value, infinity for none.

    ``in_parts`` tells whether parts of the parameters may be updated one after the other.
    """

    def __init__(self, float[::1] parameters, float bound):
        self.parameters = parameters
        self.bound = bound
        self.in_parts = True

    cdef void update(self, const float *gradient, Share part, long long number, double rate) noexcept nogil:
        """Make the update of this ``number``, counted from 1, in a part of the parameters, whose gradient is given."""

    def step(self, const float[::1] gradient, double learning_rate, long long number=1):
        """The update of that number, counted from 1, from Python."""
        if gradient.shape[0] != self.parameters.shape[0]:
            raise ValueError(f"gradient has {gradient.shape[0]} entries, expected {self.parameters.shape[0]}")
        with nogil:
            self.update(&gradient[0], Share(0, gradient.shape[0]), number, learning_rate)


cdef class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015), with the root of ``second moment + epsilon**2`` for the sum of their roots.

    ``moments`` (2, n) are its state, kept by the caller.
    """

    cdef float[:, ::1] moments
    cdef double beta_1, beta_2, epsilon

    def __init__(self, parameters, bound, float[:, ::1] moments, *, beta_1, beta_2, epsilon):
        super().__init__(parameters, bound)
        self.moments = moments
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    cdef void update(self, const float *gradient, Share part, long long number, double rate) noexcept nogil:
        cdef double correction_1 = 1 - self.beta_1**number
        # m / c1 / sqrt(v / c2 + epsilon²) = sqrt(c2) / c1 · m / sqrt(v + c2 · epsilon²), where c1 and c2 correct.
        cdef double correction_2 = 1 - self.beta_2**number
        cdef double squared_epsilon = min(self.epsilon**2, 1e38) * correction_2  # float32 overflows beyond
        cdef AdamStep step = [
            self.beta_1, self.beta_2, rate / correction_1 * sqrt(correction_2), squared_epsilon, self.bound
        ]
        tiles().adam(&self.parameters[0] + part.start, gradient, &self.moments[0, 0] + part.start,
                     &self.moments[1, 0] + part.start, part.stop - part.start, &step)


cdef class SGD(Optimizer):
    """Gradient descent with (Nesterov's) momentum; ``velocity`` (n,) is its state, kept by the caller."""

    cdef float[::1] velocity
    cdef float momentum
    cdef bint nesterov

    def __init__(self, parameters, bound, float[::1] velocity, *, momentum, nesterov):
        super().__init__(parameters, bound)
        self.velocity = velocity
        self.momentum, self.nesterov = momentum, nesterov

    cdef void update(self, const float *gradient, Share part, long long number, double rate) noexcept nogil:
        cdef float step = rate, momentum = self.momentum, bound = self.bound
        cdef float descent = step if self.nesterov else 0, carried = momentum if self.nesterov else 1
        cdef float *value = &self.parameters[0] + part.start
        cdef float *velocity = &self.velocity[0] + part.start
        cdef float updated
        cdef Py_ssize_t i
        for i in range(part.stop - part.start):
            velocity[i] = momentum * velocity[i] - step * gradient[i]
            updated = value[i] + carried * velocity[i] - descent * gradient[i]
            updated = updated if updated < bound else bound
            value[i] = updated if updated > -bound else -bound


cdef class Bop(Optimizer):
    """Bop (Helwegen et al., 2019) for parameters that are ±1; no latent weights.

    A parameter flips when the exponential average of its gradient has its own sign and exceeds ``threshold`` times
    the average's root mean square over all parameters, which makes the threshold free of the loss's scale. The
    learning rate is the average's adaptivity rate. ``average`` (n,) is the state, kept by the caller. Parameters that
    are not ±1 yet become their sign. Since each looks at the average of all, they are updated together.
    """

    cdef float[::1] average
    cdef float threshold

    def __init__(self, parameters, float[::1] average, *, threshold):
        super().__init__(parameters, 1)
        self.in_parts = False
        self.average = average
        self.threshold = threshold
        values = np.asarray(parameters)
        values[:] = np.where(values >= 0, 1, -1)

    cdef void update(self, const float *gradient, Share part, long long number, double rate) noexcept nogil:
        cdef float adaptivity = rate, threshold
        cdef float *value = &self.parameters[0]
        cdef float *average = &self.average[0]
        cdef double square = 0
        cdef Py_ssize_t i, n = self.parameters.shape[0]
        for i in range(n):
            average[i] += adaptivity * (gradient[i] - average[i])
            square += average[i] * average[i]
        threshold = self.threshold * sqrtf(square / n)
        for i in range(n):
            if average[i] * value[i] > threshold:
                value[i] = -value[i]
