"""The two products of a layer's backward pass against NumPy's, by every instruction set."""

import numpy as np
import pytest
from skbnn.network._products import products

from skbnn.kernels import available_instruction_sets, instruction_set, use_instruction_set
from skbnn.packed.layout import pack_bits, pack_weights

SIZES = [1, 2, 3, 4, 6, 63, 64, 65, 127]


@pytest.fixture(params=available_instruction_sets(), autouse=True)
def each_instruction_set(request):
    with use_instruction_set(request.param):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def rounds_to_bytes():
    return "vnni" in instruction_set()


def operands(rng, d_dots, n_inputs, masked):
    """What ``products`` takes; ``x`` with 0 where the mask drops it; the ±1 weights."""
    n_rows, n_units = d_dots.shape
    x, weights = (rng.choice([-1.0, 1.0], (n, n_inputs)) for n in (n_rows, n_units))
    kept = rng.random((n_rows, n_inputs)) < 0.6
    packed_weights = pack_weights(weights)
    if n_units % 8:  # the units that fill up the last group have no gradient, whatever their bits
        packed_weights[-1, :, n_units % 8 :] = rng.integers(2**63, dtype=np.uint64)
    arguments = d_dots.astype(np.float32), pack_bits(x), pack_bits(kept) if masked else None, packed_weights
    return (*arguments, n_inputs), x * kept if masked else x, weights


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("n_units", SIZES)
@pytest.mark.parametrize("n_rows", SIZES)
def test_products_of_gradients_on_the_grid_are_exact(rng, n_rows, n_units, masked):
    d_dots = rng.integers(-254, 255, (n_rows, n_units)) / 2  # ties, too: to the even neighbour
    d_dots[np.arange(n_rows), np.arange(n_rows) % n_units] = 127  # so the scale is 1 in every row
    d_dots[np.arange(n_units) % n_rows, np.arange(n_units)] = -127  # and for every unit
    rounded = np.rint(d_dots) if rounds_to_bytes() else d_dots
    for n_inputs in SIZES:
        arguments, x, weights = operands(rng, d_dots, n_inputs, masked)
        gradient, d_x = products(*arguments)
        np.testing.assert_array_equal(gradient, rounded.T @ x)
        np.testing.assert_array_equal(d_x, rounded @ weights)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("n_units", SIZES)
@pytest.mark.parametrize("n_rows", SIZES)
def test_products_differ_by_the_rounding_of_gradients_only(rng, n_rows, n_units, masked):
    d_dots = rng.normal(size=(n_rows, n_units)) * 10 ** rng.uniform(-3, 3, (n_rows, 1))
    d_dots *= 10 ** rng.uniform(-3, 3, n_units)

    def bound(largest, n_terms):
        """Half a step of largest / 127 for each term; and n additions of float32, or an ulp or two of the scale."""
        return n_terms * largest * (rounds_to_bytes() / 254 + (n_terms + 4) * 2.0**-24)

    for n_inputs in SIZES:
        arguments, x, weights = operands(rng, d_dots, n_inputs, masked)
        gradient, d_x = products(*arguments)
        largest = np.abs(d_dots).max(axis=0)[:, np.newaxis]
        assert (np.abs(gradient - d_dots.T @ x) <= bound(largest, np.abs(x).sum(axis=0))).all()
        largest = np.abs(d_dots).max(axis=1)[:, np.newaxis]
        assert (np.abs(d_x - d_dots @ weights) <= bound(largest, n_units)).all()


def test_a_row_or_unit_without_gradient_gives_zeros_beside_any_others(rng):
    d_dots = rng.normal(size=(7, 9))
    d_dots[5], d_dots[:, 6] = 1e-42, 1e-42  # denormal, of which 127 times the inverse is infinite
    d_dots[3], d_dots[:, 4] = 0, 0
    gradient, d_x = products(*operands(rng, d_dots, 70, masked=True)[0])
    assert not gradient[4].any() and not d_x[3].any()
    assert (np.abs(gradient[6]) <= 1e-40).all() and (np.abs(d_x[5]) <= 1e-40).all()
    assert gradient[0].any() and d_x[0].any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_shows_in_its_row_and_unit_only(rng, bad):
    d_dots = rng.normal(size=(7, 9))
    d_dots[2, 3] = bad
    gradient, d_x = products(*operands(rng, d_dots, 70, masked=False)[0])
    np.testing.assert_array_equal(np.isfinite(gradient).all(axis=1), np.arange(9) != 3)
    np.testing.assert_array_equal(np.isfinite(d_x).all(axis=1), np.arange(7) != 2)
    assert not np.isfinite(gradient[3]).any() and not np.isfinite(d_x[2]).any()
