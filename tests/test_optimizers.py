"""The optimizers against their formulas in float64."""

import numpy as np
import pytest
from skbnn.network._optimizers import SGD, Adam, Bop

N_STEPS = 20


@pytest.fixture
def start():
    rng = np.random.default_rng(0)
    return rng.uniform(-0.5, 0.5, 37).astype(np.float32), rng.normal(size=(N_STEPS, 37)).astype(np.float32)


@pytest.mark.parametrize("bound, epsilon", [(0.4, 1e-8), (np.inf, 1e-8), (np.inf, 0.5)])
def test_adam(start, bound, epsilon):
    value, gradients = start
    gradients[:, 0] = 0
    expected, first, second, way = value.astype(np.float64), np.zeros(37), np.zeros(37), np.zeros(37)
    optimizer = Adam(value, bound, np.zeros((2, 37), np.float32), beta_1=0.9, beta_2=0.99, epsilon=epsilon)
    for step, gradient in enumerate(gradients, start=1):
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient.astype(np.float64) ** 2
        update = first / (1 - 0.9**step) / np.sqrt(second / (1 - 0.99**step) + epsilon**2)
        expected = np.clip(expected - 0.05 * update, -bound, bound)
        way += np.abs(0.05 * update)
        optimizer.step(gradient, 0.05, step)
    assert (np.abs(value - expected) <= 7e-4 * way + 1e-6).all()  # the inverse root is that close


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd(start, nesterov):
    value, gradients = start
    expected, velocity = value.astype(np.float64), np.zeros(37)
    optimizer = SGD(value, 1.0, np.zeros(37, np.float32), momentum=0.8, nesterov=nesterov)
    for gradient in gradients:
        velocity = 0.8 * velocity - 0.02 * gradient
        expected = np.clip(expected + (0.8 * velocity - 0.02 * gradient if nesterov else velocity), -1, 1)
        optimizer.step(gradient, 0.02)
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


def test_bop_flips_what_the_averaged_gradient_contradicts(start):
    value, gradients = start
    expected, average = np.where(value >= 0, 1.0, -1.0), np.zeros(37)
    optimizer = Bop(value, np.zeros(37, np.float32), threshold=1.2)
    np.testing.assert_array_equal(value, expected)
    flips = 0
    for gradient in gradients:
        average += 0.1 * (gradient - average)
        contradicted = average * expected > 1.2 * np.sqrt(np.mean(average**2))
        expected[contradicted] *= -1
        flips += contradicted.sum()
        optimizer.step(gradient, 0.1)
        np.testing.assert_array_equal(value, expected)
    assert 0 < flips < 37 * N_STEPS / 2


def test_a_gradient_of_another_size_raises(start):
    value, _ = start
    with pytest.raises(ValueError, match="gradient has 3 entries, expected 37"):
        SGD(value, 1.0, np.zeros(37, np.float32), momentum=0.0, nesterov=False).step(np.zeros(3, np.float32), 0.1)
