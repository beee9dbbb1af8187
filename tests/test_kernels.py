"""Every kernel of every instruction set against its NumPy twin."""

import numpy as np
import pytest
from skbnn.kernels._layer import fires, popcounts
from skbnn.network._layers import Dropout
from skbnn.network._random import RandomBits

from skbnn.kernels import available_instruction_sets, instruction_set, use_instruction_set
from skbnn.network.blocks import in_blocks, of_blocks
from skbnn.packed import reference
from skbnn.packed.layout import pack_bits, pack_weights, unpack, unpack_bits, unpack_weights

SIZES = [1, 63, 64, 65, 127, 128, 129, 784, 1000]
WIDTHS = [1, 7, 8, 9, 16, 17, 63, 64, 65, 127, 129]


@pytest.fixture(params=available_instruction_sets(), autouse=True)
def each_instruction_set(request):
    with use_instruction_set(request.param):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def random_signs(rng, *shape):
    return rng.choice(np.array([-1, 1], np.int8), size=shape)


def random_layer(rng, n_inputs, n_units):
    """Packed weights, and thresholds around the middle with both extremes; padding units never fire."""
    thresholds = rng.integers(n_inputs // 2 - 2, n_inputs // 2 + 3, size=-(-n_units // 8) * 8, dtype=np.int32)
    thresholds[0], thresholds[n_units - 1] = -1, n_inputs
    thresholds[n_units:] = -1
    return pack_weights(random_signs(rng, n_units, n_inputs)), thresholds


@pytest.mark.parametrize("n_inputs", [*SIZES, 31 * 64, 31 * 64 + 1, 5000])
@pytest.mark.parametrize("n_units", [5, 24])
def test_popcounts_equal_the_twin_for_any_fan_in(rng, n_inputs, n_units):
    x, mask = pack_bits(random_signs(rng, 13, n_inputs)), pack_bits(random_signs(rng, 13, n_inputs))
    weights, _ = random_layer(rng, n_inputs, n_units)
    np.testing.assert_array_equal(popcounts(x, weights), reference.popcounts(x, weights))
    np.testing.assert_array_equal(popcounts(x, weights, mask), reference.popcounts(x, weights, mask))


def test_popcounts_of_opposite_bits_fill_every_counter(rng):
    n_inputs = 64 * 1000
    x, weights = pack_bits(np.ones((7, n_inputs))), pack_weights(-np.ones((17, n_inputs)))
    assert (popcounts(x, weights)[:, :17] == n_inputs).all()
    assert (popcounts(x, weights, x)[:, :17] == n_inputs).all()


@pytest.mark.parametrize("n_inputs", [64, 129])
@pytest.mark.parametrize("n_units", WIDTHS)
@pytest.mark.parametrize("n_rows", range(1, 14))
def test_every_tail_of_rows_and_units_equals_the_twin(rng, n_inputs, n_units, n_rows):
    x, mask = pack_bits(random_signs(rng, n_rows, n_inputs)), pack_bits(random_signs(rng, n_rows, n_inputs))
    weights, thresholds = random_layer(rng, n_inputs, n_units)
    np.testing.assert_array_equal(fires(x, weights, thresholds), reference.fires(x, weights, thresholds))
    np.testing.assert_array_equal(popcounts(x, weights), reference.popcounts(x, weights))
    np.testing.assert_array_equal(popcounts(x, weights, mask), reference.popcounts(x, weights, mask))


@pytest.mark.parametrize("n_inputs", SIZES)
@pytest.mark.parametrize("n_units", SIZES)
def test_fires_equal_the_twin_and_leave_padding_zero(rng, n_inputs, n_units):
    x = pack_bits(random_signs(rng, 8, n_inputs))
    weights, thresholds = random_layer(rng, n_inputs, n_units)
    fired = fires(x, weights, thresholds)
    np.testing.assert_array_equal(fired, reference.fires(x, weights, thresholds))
    np.testing.assert_array_equal(fired, pack_bits(unpack_bits(fired, n_units)), err_msg="padding bits")
    dots = unpack_bits(x, n_inputs).astype(int) @ unpack_weights(weights, n_units, n_inputs).T
    np.testing.assert_array_equal(unpack_bits(fired, n_units) == 1, dots >= n_inputs - 2 * thresholds[:n_units])


@pytest.mark.parametrize("n_units", [1, 31, 32, 33, 63, 64, 65, 96, 127, 200])
def test_what_is_dropped_has_no_gradient(rng, n_units):
    dropout = Dropout(0.3, RandomBits(np.random.SFC64(0)), 50, n_units)
    gradient = rng.normal(size=(50, n_units)).astype(np.float32)
    blocks = in_blocks(gradient)
    dropout(blocks)
    mask = np.asarray(dropout.mask)
    kept = unpack(mask, n_units)
    np.testing.assert_array_equal(of_blocks(blocks, n_units), gradient * kept)
    np.testing.assert_array_equal(pack_bits(kept), mask)  # padding is 0
    assert abs(kept.mean() - 0.7) < 5 * (0.21 / kept.size) ** 0.5


@pytest.mark.parametrize("probability", [0.0, 1e-5, 2.0**-16, 0.25, 0.7, 1 - 2.0**-16, 1.0])
def test_a_mask_keeps_with_its_probability(probability):
    dropout = Dropout(1 - probability, RandomBits(np.random.SFC64(0)), 2000, 640)
    dropout(in_blocks(np.ones((2000, 640), np.float32)))
    rounded = round(probability * 65536) / 65536
    share = unpack(np.asarray(dropout.mask), 640).mean()
    assert abs(share - rounded) <= 5 * (rounded * (1 - rounded) / (2000 * 640)) ** 0.5


@pytest.mark.parametrize("n_words", [1, 7, 8, 9, 40])
@pytest.mark.parametrize("probability", [0.0, 2.0**-16, 0.3, 1 - 2.0**-16])
def test_a_mask_equals_its_twin_of_numpy_generators(probability, n_words):
    dropout = Dropout(1 - probability, RandomBits(np.random.SFC64(5)), n_words, 64)
    dropout(in_blocks(np.ones((n_words, 64), np.float32)))
    expected = np.zeros((8, -(-n_words // 8)), np.uint64)
    for lane, seeds in enumerate(np.random.SFC64(5).random_raw(24).reshape(3, 8).T):
        generator = np.random.SFC64(0)
        generator.state = {**generator.state, "state": {"state": np.append(seeds, np.uint64(1))}}
        coins = generator.random_raw(16 * expected.shape[1]).reshape(-1, 16)
        for digit in range(16):
            if round(probability * 65536) >> digit & 1:
                expected[lane] |= coins[:, digit]
            else:
                expected[lane] &= coins[:, digit]
    np.testing.assert_array_equal(np.asarray(dropout.mask)[:, 0], expected.T.ravel()[:n_words])


def test_a_unit_on_its_threshold_fires():
    x, weights = pack_bits(np.ones((1, 100))), pack_weights(np.where(np.arange(100) < 37, -1, 1)[np.newaxis])
    limits = np.full(8, -1, np.int32)
    for threshold, fired in ((36, 0), (37, 1), (38, 1)):
        limits[0] = threshold
        assert fires(x, weights, limits)[0, 0] == fired


def test_no_rows_give_no_rows(rng):
    weights, thresholds = random_layer(rng, 65, 9)
    x = np.zeros((0, 2), np.uint64)
    assert fires(x, weights, thresholds).shape == (0, 1)
    assert popcounts(x, weights).shape == (0, 16)
    assert popcounts(x, weights, x).shape == (0, 16)


def test_shapes_that_do_not_fit_raise(rng):
    x = pack_bits(random_signs(rng, 3, 65))
    weights, thresholds = random_layer(rng, 64, 8)
    with pytest.raises(ValueError, match=r"weights have shape \(1, 1, 8\), expected \(n_groups, 2, 8\)"):
        popcounts(x, weights)
    weights, thresholds = random_layer(rng, 65, 8)
    with pytest.raises(ValueError, match="got 0 thresholds for 1 groups"):
        fires(x, weights, thresholds[:0])
    with pytest.raises(ValueError, match="mask has shape"):
        popcounts(x, weights, x[:2])


def test_an_unknown_instruction_set_raises():
    before = instruction_set()
    with pytest.raises(ValueError, match="instruction set must be one of"), use_instruction_set("mmx"):
        pass
    assert instruction_set() == before


@pytest.mark.parametrize("n", SIZES)
def test_packing_round_trips(rng, n):
    signs = random_signs(rng, 11, n)
    words, weights = pack_bits(signs), pack_weights(signs)
    assert words.shape == (11, -(-n // 64)) and weights.shape == (2, -(-n // 64), 8)
    np.testing.assert_array_equal(pack_bits(np.asfortranarray(signs)), words)
    np.testing.assert_array_equal(unpack_bits(words, n), signs)
    np.testing.assert_array_equal(unpack_weights(weights, 11, n), signs)
    for unit, word in ((0, 0), (9, words.shape[1] - 1)):
        assert weights[unit // 8, word, unit % 8] == words[unit, word]
    assert not weights[1, :, 3:].any()
