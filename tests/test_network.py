"""The passes of a mini-batch against numeric gradients of a NumPy network.

The sign has no useful derivative; the straight-through gradient is that of a network in which each binarization is
replaced, around the point x0 where the gradient is taken, by ``sign(x0) + primitive(x) - primitive(x0)``, where the
surrogate gradient is the primitive's derivative. That network is smooth, so finite differences are the oracle.
"""

import numpy as np
import pytest
from scipy.special import log_softmax

from skbnn.kernels import available_instruction_sets, use_instruction_set
from skbnn.network import trainer as trainer_module
from skbnn.network.blocks import of_blocks
from skbnn.network.network import BinaryNetwork
from skbnn.network.trainer import (
    SPREADS,
    SURROGATE_GRADIENTS,
    Trainer,
    TrainingData,
    TrainingOptions,
    schedule,
)
from skbnn.packed.layout import pack_bits, unpack_bits, unpack_weights

PRIMITIVES = {
    "approx_sign": lambda x: np.where(np.abs(x) < 1, 2 * x - x * np.abs(x), np.sign(x)),
    "clipped_identity": lambda x: np.clip(x, -1, 1),
    "swish_sign": lambda x: 2 / (1 + np.exp(-5 * x)) * (1 + 5 * x * (1 - 1 / (1 + np.exp(-5 * x)))) - 1,
}

LOSSES = {
    "log_loss": lambda s, t: (np.logaddexp(0, s) - t * s).sum(axis=1),
    "multiclass_log_loss": lambda s, t: -np.take_along_axis(log_softmax(s, axis=1), t.astype(int), axis=1)[:, 0],
    "squared_hinge": lambda s, t: (np.maximum(0, 1 - (2 * t - 1) * s) ** 2).sum(axis=1),
    "multiclass_squared_hinge": lambda s, t: (np.maximum(0, 1 - (2 * (np.arange(s.shape[1]) == t) - 1) * s) ** 2).sum(
        axis=1
    ),
    "squared_error": lambda s, t: ((s - t) ** 2).sum(axis=1) / 2,
    "absolute_error": lambda s, t: np.abs(s - t).sum(axis=1),
    "huber": lambda s, t: np.where(np.abs(s - t) <= 1, (s - t) ** 2 / 2, np.abs(s - t) - 0.5).sum(axis=1),
}


def sign(x):
    return np.where(x >= 0, 1.0, -1.0)


def straight_through(x, x0, primitive):
    return sign(x0) + primitive(x) - primitive(x0)


def smooth_loss(parameters, x, targets, weights, n_outputs, loss, surrogate, anchors):
    """Loss of the smooth network; ``anchors`` are the points of binarization, filled in by the first call."""
    anchors = iter(anchors) if anchors else anchors
    activations = x
    for layer, (latent, gain, bias) in enumerate(parameters):
        binary = straight_through(latent, next(anchors), lambda w: w) if anchors else sign(latent)
        dots = activations @ binary.T
        mean = np.average(dots, axis=0, weights=weights)
        variance = np.average((dots - mean) ** 2, axis=0, weights=weights)
        z = gain * (dots - mean) / np.sqrt(variance + 1e-5) + bias
        if layer < len(parameters) - 1:
            activations = straight_through(z, next(anchors), PRIMITIVES[surrogate]) if anchors else sign(z)
    scores = z.reshape(len(z), n_outputs, -1).sum(axis=2)
    return np.average(LOSSES[loss](scores, targets), weights=weights)


def binarization_points(parameters, x, weights):
    """Latent weights and pre-activations where the network binarizes, in the order that smooth_loss meets them."""
    points = []
    for layer, (latent, gain, bias) in enumerate(parameters):
        dots = x @ sign(latent).T
        mean = np.average(dots, axis=0, weights=weights)
        variance = np.average((dots - mean) ** 2, axis=0, weights=weights)
        z = gain * (dots - mean) / np.sqrt(variance + 1e-5) + bias
        points += [latent.copy()] + [z] * (layer < len(parameters) - 1)
        x = sign(z)
    return points


def problem(loss, *, hidden=(9, 13), n_outputs=3, units_per_output=2, n_inputs=70, n_rows=12, seed=0):
    rng = np.random.default_rng(seed)
    sizes, spreads = [n_inputs, *hidden, n_outputs * units_per_output], [1.0] * (len(hidden) + 1)
    network = BinaryNetwork.initialize(sizes, n_outputs, output_gain=1.0, spreads=spreads, rng=rng)
    for layer in network.layers:
        layer.gain[:] = rng.uniform(-1.5, 1.5, len(layer.gain))
        layer.bias[:] = rng.normal(size=len(layer.bias))
    x = rng.choice([-1.0, 1.0], (n_rows, n_inputs))
    if loss.startswith("multiclass"):
        targets = rng.integers(0, n_outputs, (n_rows, 1))
    elif loss in ("log_loss", "squared_hinge"):
        targets = rng.integers(0, 2, (n_rows, n_outputs))
    else:
        targets = rng.normal(size=(n_rows, n_outputs))
    return network, x, targets.astype(np.float32), rng.uniform(0.1, 3, n_rows)


def native_gradients(network, x, targets, weights, **options):
    """Loss and each layer's gradients as the native step leaves them."""
    trainer = Trainer(network, TrainingOptions(**options), seed=0, max_rows=len(x))
    step = trainer._build(targets.shape[1])
    loss = step.gradients(pack_bits(x), targets, None, weights, np.arange(len(x)))
    layer, gradients = step.first, []
    for _ in network.layers:
        parts = layer.dense.gradient, layer.norm.gain_gradient, layer.norm.bias_gradient
        gradients.append([np.array(part) for part in parts])
        layer = getattr(layer, "after", None)
    return loss, gradients


def numeric_gradient(function, array, n_entries, rng, step=1e-5):
    """Central differences in some entries of ``array``, which is changed in place and restored."""
    flat = array.reshape(-1)
    entries = rng.choice(flat.size, min(n_entries, flat.size), replace=False)
    slopes = []
    for entry in entries:
        before = flat[entry]
        flat[entry] = before + step
        above = function()
        flat[entry] = before - step
        below = function()
        flat[entry] = before
        slopes.append((above - below) / (2 * step))
    return entries, np.array(slopes)


@pytest.mark.parametrize("instruction_set", [name for name in available_instruction_sets() if "vnni" not in name])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("surrogate", SURROGATE_GRADIENTS)
def test_gradients_of_every_layer_are_the_straight_through_ones(loss, surrogate, instruction_set):
    network, x, targets, weights = problem(loss)
    parameters = [[part.astype(np.float64) for part in layer.parameters] for layer in network.layers]
    points = binarization_points(parameters, x, weights)

    def smooth():
        return smooth_loss(parameters, x, targets, weights, network.n_outputs, loss, surrogate, points)

    with use_instruction_set(instruction_set):
        value, gradients = native_gradients(network, x, targets, weights, loss=loss, surrogate_gradient=surrogate)

    assert value == pytest.approx(smooth(), rel=1e-5)
    rng = np.random.default_rng(1)
    for layer, native in zip(parameters, gradients, strict=True):
        for array, gradient in zip(layer, native, strict=True):
            entries, slopes = numeric_gradient(smooth, array, 20, rng)
            np.testing.assert_allclose(gradient.reshape(-1)[entries], slopes, rtol=1e-3, atol=1e-5)


@pytest.mark.skipif("avx512_vpopcntdq_vnni" not in available_instruction_sets(), reason="this CPU has no VNNI")
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("n_rows", [13, 128])
@pytest.mark.parametrize("hidden", [(9, 65), (64, 65), (130, 7)])
def test_gradients_of_8_bits_differ_from_float32_by_their_rounding_only(hidden, n_rows, dropout):
    gradients = {}
    for name in "avx512_vpopcntdq_vnni", "avx512_vpopcntdq":
        network, x, targets, weights = problem("squared_error", hidden=hidden, n_inputs=129, n_rows=n_rows)
        with use_instruction_set(name):
            _, gradients[name] = native_gradients(network, x, targets, weights, loss="squared_error", dropout=dropout)
    for rounded, exact in zip(*gradients.values(), strict=True):
        for part, expected in zip(rounded, exact, strict=True):
            # test_products.py bounds each product; through all layers it is 1 or 2 %, more where batch norm cancels
            assert np.linalg.norm(part - expected) <= 0.05 * np.linalg.norm(expected) + 1e-6


@pytest.mark.parametrize("name", SURROGATE_GRADIENTS)
def test_surrogate_gradient_is_the_derivative_of_its_primitive(name):
    x = np.linspace(-2.013, 2.017, 301).astype(np.float32)
    gradient = np.full_like(x, 3)
    SURROGATE_GRADIENTS[name]()(x, gradient)
    wide = x.astype(np.float64)
    slope = (PRIMITIVES[name](wide + 1e-6) - PRIMITIVES[name](wide - 1e-6)) / 2e-6
    np.testing.assert_allclose(gradient, 3 * slope, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_outputs", [1, 2, 3, 10, 129])
@pytest.mark.parametrize("spread", [0.01, 3.0, 60.0])
def test_softmax_loss_is_that_of_float64_and_the_same_by_every_instruction_set(n_outputs, spread):
    from skbnn.network.trainer import LOSSES as NATIVE

    rng = np.random.default_rng(0)
    scores = (spread * rng.normal(size=(57, n_outputs))).astype(np.float32)
    targets, weights = rng.integers(0, n_outputs, (57, 1)), rng.uniform(0.1, 3, 57)
    shares = (weights / weights.sum())[:, np.newaxis]
    log_probabilities = log_softmax(scores.astype(np.float64), axis=1)
    expected = shares * (np.exp(log_probabilities) - (np.arange(n_outputs) == targets))
    results = []
    for name in available_instruction_sets():
        gradient = np.empty_like(scores)
        with use_instruction_set(name):
            loss = NATIVE["multiclass_log_loss"]()(scores, targets.astype(np.float32), weights, gradient)
        assert loss == pytest.approx(np.average(LOSSES["multiclass_log_loss"](scores, targets), weights=weights))
        assert (np.abs(gradient - expected) <= 4e-7 * shares * np.exp(log_probabilities) + 2e-7 * shares).all()
        results.append((loss, gradient.tobytes()))
    assert len(set(results)) == 1


def test_softmax_loss_survives_scores_of_any_size():
    from skbnn.network.trainer import LOSSES as NATIVE

    scores = np.array([[1e4, -1e4, 0], [-3e38, 3e38, 0]], np.float32)
    gradient = np.empty_like(scores)
    loss = NATIVE["multiclass_log_loss"]()(scores, np.array([[0], [1]], np.float32), np.ones(2), gradient)
    assert loss == 0
    assert not gradient.any()


@pytest.mark.parametrize("width", [1, 63, 64, 65])
def test_dropped_units_count_as_zero_and_get_no_gradient(width):
    network, x, targets, weights = problem("squared_error", hidden=(width,), n_rows=40)
    _, dropped = native_gradients(network, x, targets, weights, loss="squared_error", dropout=0.999)
    assert np.isfinite(dropped[0][0]).all()
    assert (dropped[0][0] == 0).mean() > 0.5  # hardly an input is left, so hardly a weight has a gradient


def test_offsets_are_added_to_the_scores():
    network, x, targets, weights = problem("squared_error")
    offsets = np.random.default_rng(2).normal(size=targets.shape).astype(np.float32)
    rows = np.arange(len(x))
    step = Trainer(network, TrainingOptions(loss="squared_error"), seed=0, max_rows=len(x))._build(3)
    with_offsets = step.gradients(pack_bits(x), targets, offsets, weights, rows)
    gradient = np.array(step.first.dense.gradient)
    assert with_offsets == pytest.approx(step.gradients(pack_bits(x), targets - offsets, None, weights, rows))
    np.testing.assert_allclose(gradient, np.array(step.first.dense.gradient), rtol=1e-3, atol=1e-6)


def test_offsets_of_all_rows_may_be_one_in_memory():
    network, x, targets, weights = problem("squared_error")
    step = Trainer(network, TrainingOptions(loss="squared_error"), seed=0, max_rows=len(x))._build(3)
    one = np.broadcast_to(np.float32([0.5, -1, 2]), targets.shape)
    losses = [step.gradients(pack_bits(x), targets, each, weights, np.arange(len(x))) for each in (one, one.copy())]
    assert losses[0] == losses[1]
    with pytest.raises(ValueError, match="the offsets of a row must lie side by side"):
        step.gradients(pack_bits(x), targets, np.asfortranarray(one), weights, np.arange(len(x)))


def test_dropout_drops_the_given_share():
    network, x, targets, weights = problem("squared_error", n_inputs=1000, n_rows=50)
    trainer = Trainer(network, TrainingOptions(loss="squared_error", dropout=0.3), seed=0, max_rows=50)
    step = trainer._build(3)
    step.gradients(pack_bits(x), targets, None, weights, np.arange(50))
    kept = unpack_bits(np.array(step.dropout.mask), 1000) > 0
    assert (~kept).mean() == pytest.approx(0.3, abs=0.01)  # 50,000 draws: a standard deviation is 0.002
    dots = of_blocks(np.array(step.first.normalized), 9)  # normalized, so compared up to the batch's mean and deviation
    expected = (x * kept) @ unpack_weights(np.array(step.first.dense.packed_weights), 9, 1000).T
    mean = np.average(expected, axis=0, weights=weights)
    variance = np.average((expected - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(dots, (expected - mean) / np.sqrt(variance + 1e-5), atol=1e-4)


def test_stochastic_weights_are_drawn_by_the_hard_sigmoid():
    latent = np.array([-1.5, -1, -0.5, 0, 0.2, 1, 1.5], np.float32)
    network, x, targets, weights = problem("squared_error", n_inputs=7, hidden=(4000,))
    network.layers[0].latent_weights[:] = latent
    options = TrainingOptions(loss="squared_error", binarization="stochastic")
    step = Trainer(network, options, seed=0, max_rows=len(x))._build(3)
    step.gradients(pack_bits(x), targets, None, weights, np.arange(len(x)))
    drawn = unpack_weights(np.array(step.first.dense.packed_weights), 4000, 7)
    expected = np.clip((latent + 1) / 2, 0, 1)
    np.testing.assert_allclose((drawn > 0).mean(axis=0), expected, atol=0.04)  # five standard deviations


@pytest.mark.parametrize("solver", ["adam", "sgd", "bop"])
@pytest.mark.parametrize("binarization", SPREADS)
def test_training_lowers_the_loss(solver, binarization):
    network, x, targets, weights = problem("multiclass_log_loss", hidden=(64,), n_rows=32)
    rate = {"adam": 0.01, "sgd": 1.0, "bop": 0.01}[solver]
    options = TrainingOptions(
        loss="multiclass_log_loss", solver=solver, binarization=binarization, learning_rate_init=rate
    )
    trainer = Trainer(network, options, seed=0, max_rows=32)
    data, rows = TrainingData(pack_bits(x), weights, targets), np.arange(32)
    losses = [trainer.train(data, [rows], np.zeros(1)) for _ in range(200)]
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])
    assert np.abs(network.layers[0].latent_weights).max() <= 1


def test_a_loss_that_is_not_finite_raises():
    network, x, targets, weights = problem("squared_error")
    targets[0] = 3e38  # its square overflows
    network.layers[-1].bias[:] = np.inf
    trainer = Trainer(network, TrainingOptions(loss="squared_error"), seed=0, max_rows=12)
    with pytest.raises(ValueError, match=r"training loss is (inf|nan).*learning_rate_init"):
        trainer.train(TrainingData(pack_bits(x), weights, targets), [np.arange(12)], np.zeros(1))


def test_a_step_goes_along_the_gradients():
    network, x, targets, weights = problem("squared_error", hidden=(150, 64))
    before = [[part.copy() for part in layer.parameters] for layer in network.layers]
    _, gradients = native_gradients(network, x, targets, weights, loss="squared_error")
    options = TrainingOptions("squared_error", solver="sgd", momentum=0.0, learning_rate_init=0.25)
    trainer = Trainer(network, options, seed=0, max_rows=12)
    trainer.train(TrainingData(pack_bits(x), weights, targets), [np.arange(12)], np.zeros(1))
    for layer, parts, slopes in zip(network.layers, before, gradients, strict=True):
        for value, start, slope, rate in zip(layer.parameters, parts, slopes, [0.25, 0.005, 0.005], strict=True):
            bound = 1 if value is layer.latent_weights else np.inf
            expected = np.clip(start - np.float32(rate) * slope, -bound, bound)
            np.testing.assert_allclose(value, expected, rtol=0, atol=1e-6)
            assert (value != start).any()


@pytest.mark.parametrize("name", ["cosine", "exponential", "constant"])
def test_schedules_start_at_one_and_never_rise(name):
    factors = schedule(name, np.linspace(0, 1, 50))
    assert factors[0] == 1
    assert (np.diff(factors) <= 0).all()
    assert factors[-1] == pytest.approx({"cosine": 0, "exponential": 1e-3, "constant": 1}[name], abs=1e-12)


@pytest.mark.parametrize("instruction_set", available_instruction_sets())
@pytest.mark.parametrize("solver, dropout, offsets", [("adam", 0.2, True), ("sgd", 0.0, False)])
def test_any_number_of_threads_learns_the_same(solver, dropout, offsets, instruction_set, monkeypatch):
    monkeypatch.setattr(trainer_module, "WORTH_A_THREAD", 1)
    parameters, losses = [], []
    with use_instruction_set(instruction_set):
        for n_threads in (1, 2, 3, 16):
            network, x, targets, weights = problem("multiclass_log_loss", hidden=(150, 77), n_inputs=130, n_rows=117)
            options = TrainingOptions("multiclass_log_loss", solver=solver, dropout=dropout, learning_rate_init=0.01)
            trainer = Trainer(network, options, seed=0, max_rows=50)
            scores = np.random.default_rng(1).normal(size=(len(x), 3)).astype(np.float32) if offsets else None
            data, batches = TrainingData(pack_bits(x), weights, targets, scores), np.split(np.arange(117), [50, 57, 90])
            losses.append([trainer.train(data, batches, np.zeros(4), n_threads) for _ in range(3)])
            parameters.append([part.tobytes() for layer in network.layers for part in layer.parameters])
    assert losses[0] == losses[1] == losses[2] == losses[3]
    assert parameters[0] == parameters[1] == parameters[2] == parameters[3]


@pytest.mark.parametrize("int8_products", [False, True])
@pytest.mark.parametrize(
    "options",
    [{"dropout": 0.2}, {"surrogate_gradient": "clipped_identity"}, {"solver": "sgd"}, {"solver": "bop"}],
    ids=str,
)
def test_every_instruction_set_learns_the_same(options, int8_products):
    learnt = []
    for name in available_instruction_sets():
        with use_instruction_set(name):
            network, x, targets, weights = problem("multiclass_log_loss", hidden=(150, 64), n_inputs=130, n_rows=117)
            chosen = TrainingOptions("multiclass_log_loss", int8_products=int8_products, **options)
            trainer = Trainer(network, chosen, seed=0, max_rows=50)
            data, batches = TrainingData(pack_bits(x), weights, targets), np.split(np.arange(117), [50, 57, 90])
            loss = sum(trainer.train(data, batches, np.zeros(4)) for _ in range(3))
            learnt.append((loss, [part.tobytes() for layer in network.layers for part in layer.parameters]))
    assert all(one == learnt[0] for one in learnt)


@pytest.mark.parametrize("options", [{"binarization": "stochastic"}, {"solver": "bop"}], ids=str)
def test_what_draws_from_one_stream_or_looks_at_all_weights_has_one_thread(options, monkeypatch):
    monkeypatch.setattr(trainer_module, "WORTH_A_THREAD", 1)
    network, *_ = problem("squared_error")
    chosen = [TrainingOptions("squared_error", **some) for some in (options, {})]
    trainers = [Trainer(network, one, seed=0, max_rows=50) for one in chosen]
    assert [trainer.worth(16) for trainer in trainers] == [1, 16]
