"""The packed network against its NumPy twin, and the same bits whatever surrounds the arithmetic."""

import pickle
import subprocess
import sys
import tracemalloc
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from skbnn import BinaryMLPRegressor, load_model, save_model
from skbnn.encoding import Encoder
from skbnn.kernels import available_instruction_sets, use_instruction_set
from skbnn.packed import PackedNetwork, packed_network_of, reference
from skbnn.packed.activations import softmax
from skbnn.packed.layout import pack_bits, pack_members, spread_inputs

OUTPUTS = ["identity", "logistic", "softmax"]


def random_state(
    seed,
    *,
    n_features=30,
    most=4,
    hidden=(65, 100),
    n_components=0,
    n_members=1,
    n_outputs=3,
    per_output=5,
    output="softmax",
    steps=True,
    lines=True,
    most_score=1000,
    odd=False,
):
    """Constructor's arguments of a network with up to `most` bits a feature.

    Thresholds and ranges are multiples of a quarter. With `odd`, a third of the features that have bits have one for
    missing values, and a third are nominal.
    """
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most + 1, size=n_features + n_components)
    counts[0] = max(counts[0], 1)
    thresholds = [np.sort(rng.integers(-8, 9, size=count) / 4) for count in counts]
    kind = rng.integers(0, 3 if odd else 1, size=n_features)
    for column in np.array(thresholds, object)[:n_features][kind == 1]:
        column[:1] = -np.inf
    sizes = [int(counts.sum()), *hidden, n_outputs * per_output]
    weights = [
        pack_members(rng.choice([-1, 1], size=(n_members, n_units, n_inputs))) for n_inputs, n_units in pairwise(sizes)
    ]
    limits = [
        np.pad(
            rng.integers(n_inputs // 2 - 3, n_inputs // 2 + 4, size=(n_members, n_units), dtype=np.int32),
            ((0, 0), (0, -n_units % 8)),
            constant_values=-1,
        )
        for n_inputs, n_units in zip(sizes[:-2], hidden, strict=True)
    ]
    return {
        "thresholds": np.concatenate(thresholds),
        "offsets": np.cumsum([0, *counts]),
        "components": rng.normal(size=(n_components, n_features)),
        "nominal": kind == 2,
        "layers": list(zip(weights[:-1], limits, strict=True)),
        "output_weights": weights[-1],
        "layer_sizes": sizes,
        "scale": rng.integers(-most_score, most_score, size=(n_members, n_outputs, per_output)),
        "bias": rng.integers(-most_score, most_score, size=n_outputs),
        "factor": np.full(n_outputs, 2.0**-10),
        "output": output,
        "steps": rng.integers(-most_score, most_score, size=(n_outputs, sizes[0] if steps else 0)),
        "slopes": most_score * rng.normal(size=(n_outputs, n_features if lines else 0)),
        "ranges": np.sort(rng.integers(-8, 9, size=(2, n_features if lines else 0)) / 4, axis=0),
    }


def random_network(seed=0, **kwargs):
    return PackedNetwork(**random_state(seed, **kwargs))


def random_rows(network, n_rows, dtype=np.float64):
    """Whole and quarter numbers, so that ties with thresholds are common."""
    rng = np.random.default_rng(1)
    return (rng.integers(-10, 11, size=(n_rows, network.n_features_in)) / 4).astype(dtype)


def assert_same_bits(actual, expected):
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    assert actual.tobytes() == expected.tobytes()


@pytest.mark.parametrize("instruction_set", available_instruction_sets())
@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("hidden", [(), (1,), (63, 129), (64, 128, 8), (1000, 7, 65)])
@pytest.mark.parametrize(
    "kwargs",
    [{"steps": False, "lines": False}, {"lines": False}, {"steps": False}, {"n_components": 7, "n_members": 3}],
)
@pytest.mark.parametrize("most_score", [1000, 2**35])
def test_scores_equal_the_twin(instruction_set, most, hidden, kwargs, most_score):
    network = random_network(most=most, hidden=hidden, most_score=most_score, **kwargs)
    assert network.bias.dtype == network.scale.dtype == (np.int32 if most_score == 1000 else np.int64)
    X = random_rows(network, 199)
    expected = reference.integer_scores(network, X)
    with use_instruction_set(instruction_set):
        assert_same_bits(network.integer_scores(X), expected)
        assert_same_bits(network.decision_function(X), expected * network.factor)
        if not network.slopes.size:
            bits = reference.encode(X, network.thresholds, network.offsets, network.components, network.nominal)
            assert_same_bits(network.decision_function_from_bits(bits), expected * network.factor)


@pytest.mark.parametrize("instruction_set", available_instruction_sets())
@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("kwargs", [{}, {"lines": False}, {"n_components": 7}, {"n_outputs": 1}])
@pytest.mark.parametrize("most_score", [1000, 2**35])
def test_missing_values_infinities_and_categories_score_as_the_twin_says(instruction_set, most, kwargs, most_score):
    network = random_network(most=most, hidden=(65,), most_score=most_score, odd=True, n_features=70, **kwargs)
    X = random_rows(network, 199)
    rng = np.random.default_rng(3)
    for rows, share in ((slice(50, 100), 0.1), (slice(100, 150), 1)):
        some = X[rows]
        some[rng.random(some.shape) < share] = rng.choice([np.nan, np.inf, -np.inf])
    X[150:][rng.random(X[150:].shape) < 0.3] = np.nan
    expected = reference.integer_scores(network, X)
    with use_instruction_set(instruction_set):
        for variant in (X, np.asfortranarray(X), X.astype(np.float32), X[::-1].copy()[::-1], X.astype(np.float16)):
            assert_same_bits(network.integer_scores(variant), expected)
        assert_same_bits(np.array([network.integer_scores(row) for row in X]), expected)


@pytest.mark.parametrize("most", [1, 4, 9])
def test_bits_that_no_thermometer_encoding_gives_add_their_steps(most):
    kwargs = {"most": most, "n_features": 40, "hidden": (8,), "lines": False}
    network = random_network(**kwargs)
    n_bits = network.layer_sizes[0]
    bits = np.random.default_rng(2).integers(0, 2, (300, n_bits))
    bits[0], bits[1] = 0, 1
    without = PackedNetwork(**{**random_state(0, **kwargs), "steps": np.zeros((3, 0), int)})
    packed = pack_bits(bits)
    added = network.decision_function_from_bits(packed) - without.decision_function_from_bits(packed)
    np.testing.assert_array_equal(added, bits @ network.steps.T * network.factor)


code = pytest.mark.parametrize("most, n_components", [(1, 0), (4, 0), (4, 7)])


@code
def test_scores_do_not_depend_on_batch_size_threads_or_memory(most, n_components):
    network = random_network(most=most, n_features=100, n_components=n_components, hidden=(256, 256))
    X = random_rows(network, 5001)
    expected = network.decision_function(X)
    for n_rows in (0, 1, 5, 6, 95, 96, 97, 1000):
        assert_same_bits(network.decision_function(X[:n_rows]), expected[:n_rows])
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads, user_api="openmp"):
            assert_same_bits(network.decision_function(X), expected)
    for variant in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X[::-1].copy()[::-1], X.astype(np.float32)):
        assert_same_bits(network.decision_function(variant), expected)
    assert_same_bits(np.array([network.decision_function(row) for row in X[:50]]), expected[:50])


@code
def test_equal_values_of_any_dtype_score_the_same(most, n_components):
    network = random_network(most=most, n_components=n_components)
    X = np.random.default_rng(2).integers(0, 100, size=(98, 30))
    expected = network.decision_function(X)
    for dtype in ("f2", "f4", "f8", "i1", "i2", "i4", "u1", "u2", "u4", "u8", ">f4"):
        assert_same_bits(network.decision_function(X.astype(dtype)), expected)
    assert_same_bits(network.decision_function(X.tolist()), expected)
    assert_same_bits(network.decision_function(X > 0), network.decision_function((X > 0).astype(float)))


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("output", OUTPUTS)
def test_one_row_is_a_batch_less_a_dimension(output, n_outputs):
    network = random_network(n_outputs=n_outputs, output=output)
    X = random_rows(network, 7)
    methods = [network.decision_function, network.predict]
    for method in methods if output == "identity" else [*methods, network.predict_proba]:
        assert_same_bits(np.array([method(row) for row in X]), method(X))


def test_identity_predicts_scores():
    network = random_network(n_outputs=1, output="identity")
    X = random_rows(network, 9)
    assert_same_bits(network.predict(X), network.decision_function(X)[:, 0])
    with pytest.raises(ValueError, match="predict_proba is for classifiers"):
        network.predict_proba(X)


def test_softmax_predicts_the_largest_score():
    network = random_network(output="softmax")
    X = random_rows(network, 50)
    scores, proba = network.decision_function(X), network.predict_proba(X)
    np.testing.assert_array_equal(network.predict(X), scores.argmax(axis=1))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(np.log(proba[:, 1] / proba[:, 0]), scores[:, 1] - scores[:, 0])


def test_one_logistic_output_is_two_classes():
    network = random_network(n_outputs=1, output="logistic")
    X = random_rows(network, 50)
    score, proba = network.decision_function(X)[:, 0], network.predict_proba(X)
    np.testing.assert_array_equal(network.predict(X), (score > 0).astype(int))
    assert proba.shape == (50, 2)
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-score)))
    np.testing.assert_allclose(proba.sum(axis=1), 1)


def test_several_logistic_outputs_are_independent_labels():
    network = random_network(output="logistic")
    X = random_rows(network, 50)
    scores = network.decision_function(X)
    np.testing.assert_array_equal(network.predict(X), scores > 0)
    np.testing.assert_allclose(network.predict_proba(X), 1 / (1 + np.exp(-scores)))


def test_no_score_is_so_extreme_that_a_probability_warns():
    for output in ("logistic", "softmax"):
        state = random_state(0, output=output)
        state["factor"] = np.full(3, 2.0**900)
        network = PackedNetwork(**state)
        proba = network.predict_proba(random_rows(network, 3))
        assert np.isfinite(proba).all() and (proba >= 0).all() and (proba <= 1).all()


@pytest.mark.parametrize("exponent", [-1074, 990])
@pytest.mark.parametrize("output, n_outputs", [("logistic", 1), ("logistic", 3), ("softmax", 3)])
def test_the_largest_and_the_smallest_scores_say_what_is_predicted(output, n_outputs, exponent):
    state = random_state(0, output=output, n_outputs=n_outputs, per_output=1, most_score=2**20, hidden=(), lines=False)
    state["factor"] = np.full(n_outputs, np.ldexp(1.0, exponent))
    network = PackedNetwork(**state)
    X = random_rows(network, 200)
    scores, proba = network.decision_function(X), network.predict_proba(X)
    assert exponent < 0 or np.abs(scores).max() > 2.0**1013
    decided = scores.argmax(axis=1) if output == "softmax" else (scores > 0).astype(int).squeeze()
    np.testing.assert_array_equal(network.predict(X), decided)
    np.testing.assert_array_equal(scores, network.factor * reference.integer_scores(network, X))
    assert np.isfinite(proba).all() and (proba >= 0).all() and (proba <= 1).all()


def test_classes_whose_scores_lie_farther_apart_than_float64_reaches_have_probabilities():
    np.testing.assert_array_equal(softmax(np.array([-1.5e308, 1.5e308, -1.5e308])), [0, 1, 0])


def test_masked_values_are_missing():
    network = random_network(odd=True)
    X = np.ma.array(random_rows(network, 50), mask=random_rows(network, 50) > 1)
    expected = reference.integer_scores(network, np.where(X.mask, np.nan, X.data))
    assert (expected != reference.integer_scores(network, X.data)).any()
    assert_same_bits(network.integer_scores(X), expected)
    assert_same_bits(network.integer_scores(X[0]), expected[0])


@pytest.mark.parametrize("bits", [np.zeros((2, 1)), np.zeros((2, 1), int), np.zeros(2, np.uint64), [[0]], None, "ab"])
def test_what_is_not_rows_of_words_raises(bits):
    with pytest.raises(ValueError, match=r"bits have shape .* and dtype .*, expected rows of uint64"):
        random_network(lines=False, n_features=9).decision_function_from_bits(bits)


@pytest.mark.parametrize(
    "X, message",
    [
        (np.zeros((2, 29)), r"29 features, expected 30"),
        (np.zeros(31), "31"),
        (np.zeros((1, 1, 30)), "expected"),
        (None, "X is a NoneType, expected"),
        (np.zeros((2, 30), complex), "complex128"),
        (np.full((2, 30), "a", object), "could not convert string to float: 'a', in feature 0"),
        (np.full((2, 30), "a"), "could not convert string to float: 'a', in feature 0"),
    ],
)
def test_what_is_not_rows_of_real_features_raises(X, message):
    with pytest.raises(ValueError, match=message):
        random_network().predict(X)


def test_a_component_has_no_bit_for_missing_values():
    state = random_state(0, n_components=2)
    state["thresholds"][-1] = -np.inf
    state["offsets"][-2] = state["offsets"][-1] - 1
    with pytest.raises(ValueError, match="thresholds of components must be finite"):
        PackedNetwork(**state)


def test_lines_rise_within_their_range_only():
    state = random_state(0, n_features=3, n_outputs=1, output="identity")
    flat = PackedNetwork(**{**state, "slopes": state["slopes"] * 0})
    network = PackedNetwork(
        **{**state, "slopes": np.array([[2.5, 0.0, -1e300]]), "ranges": np.array([[1, 0, 3], [4, 9, 3]])}
    )
    for value, risen in [(-1e308, 0), (1, 0), (2.5, 3), (4, 7), (4.5, 7), (1e308, 7)]:  # 3.75 and 7.5, cut off
        row = np.array([value, value, value])
        assert (network.integer_scores(row) - flat.integer_scores(row)).tolist() == [risen]


def test_bits_are_not_enough_for_lines():
    with pytest.raises(ValueError, match="slopes need the features"):
        random_network().decision_function_from_bits(np.zeros((2, 1), np.uint64))


def test_bits_of_another_width_raise():
    network = random_network(lines=False)
    n_words = Encoder(network.thresholds, network.offsets, network.components).n_words
    with pytest.raises(ValueError, match=f"bits have {n_words + 1} words a row, expected {n_words}"):
        network.decision_function_from_bits(np.zeros((2, n_words + 1), np.uint64))
    with pytest.raises(ValueError, match="padding bits of rows must be 0"):
        network.decision_function_from_bits(np.full((2, n_words), ~np.uint64(0)))


def test_a_writable_memory_map_is_copied(tmp_path):
    state = random_state(0)
    mapped = np.memmap(tmp_path / "map", np.float64, "w+", shape=state["thresholds"].shape)
    mapped[...] = state["thresholds"]
    network = PackedNetwork(**{**state, "thresholds": mapped})
    mapped[...] = 0
    np.testing.assert_array_equal(network.thresholds, state["thresholds"])


def test_arrays_are_read_only_and_not_copied_if_they_were():
    state = random_state(0)
    network = PackedNetwork(**state)
    for array in (network.thresholds, network.output_weights, network.layers[0][0], network.scale):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
    again = pickle.loads(pickle.dumps(network, protocol=5))
    for other in (PackedNetwork(**network._content()), network.named(feature_names=map(str, range(30)))):
        assert np.shares_memory(other.output_weights, network.output_weights)
        assert np.shares_memory(other.layers[1][1], network.layers[1][1])
    assert isinstance(base_of(again.output_weights), bytes)  # which the pickle had, and nobody can change


def base_of(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return array


class Subclass(np.ndarray):
    """An array with a method of its own."""


def shared(array, kind, path):
    """The same values in memory that can be written to by another array, and that array."""
    if kind == "memmap":
        owner = np.memmap(path, array.dtype, "w+", shape=array.shape)
    elif kind == "bytearray":
        owner = np.frombuffer(bytearray(array.tobytes()), array.dtype).reshape(array.shape)
    else:
        owner = np.empty_like(array)
    owner[...] = array
    given = owner.view(Subclass) if kind == "subclass" else owner[...]
    if kind == "memoryview":
        given = np.asarray(memoryview(owner).toreadonly())
    given.flags.writeable = False
    if kind == "owner":
        given, owner = owner, owner[...]
        given.flags.writeable = False
    return given, owner


@pytest.mark.parametrize("kind", ["memmap", "bytearray", "subclass", "view", "memoryview", "owner"])
def test_memory_that_others_can_write_to_is_copied(kind, tmp_path):
    state = random_state(0)
    names = "thresholds", "offsets", "components", "output_weights", "scale", "bias", "factor", "steps", "slopes"
    owners = []
    for name in (*names, "ranges", "nominal"):
        if state[name].size:
            state[name], owner = shared(state[name], kind, tmp_path / name)
            owners.append(owner)
    state["classes"], owner = shared(np.arange(3), kind, tmp_path / "classes")
    owners.append(owner)
    for i, layer in enumerate(state["layers"]):
        both = [shared(array, kind, tmp_path / f"{i}{part}") for part, array in enumerate(layer)]
        state["layers"][i] = [given for given, _ in both]
        owners += [owner for _, owner in both]
    network = PackedNetwork(**state)
    X = random_rows(network, 50)
    before = network.decision_function(X), network.predict(X), network.steps.copy()
    for owner in owners:
        owner[...] = 0
    for actual, expected in zip((network.decision_function(X), network.predict(X), network.steps), before, strict=True):
        assert_same_bits(actual, expected)


def test_what_nobody_can_write_to_is_not_copied(tmp_path):
    weights = random_state(0)["output_weights"]
    weights.tofile(tmp_path / "weights")
    mapped = np.memmap(tmp_path / "weights", weights.dtype, "r", shape=weights.shape)
    of_bytes = np.frombuffer(weights.tobytes(), weights.dtype).reshape(weights.shape)
    for constant in (mapped, of_bytes, np.asarray(memoryview(of_bytes))):
        network = PackedNetwork(**{**random_state(0), "output_weights": constant})
        assert np.shares_memory(network.output_weights, constant)


class Rude:
    """What raises whatever is asked of it."""

    def rude(self, *_, **__):
        raise OSError("no")

    __array__ = __iter__ = __len__ = __repr__ = rude


def odd_values():
    """Anything but what an argument is."""
    yield from (None, "abc", b"abc", {1, 2}, {"a": 1}, 10**5000, -1, 1.5, 1j, True, object(), lambda: 1, np.ma.masked)
    yield from ([], {}, [None], [[1], [1, 2]], [1, "a"], [[], []], [[[]]], [np.nan], [10**5000], [2**64], [-(2**63)])
    yield from ([64.9, 1], ["64", "1"], [[1]], [Rude()], Rude(), Rude, [object()], [{}], [b"a"] * 3)
    yield from (np.array(None), np.zeros(0), np.zeros((0, 2**40)), np.array([1, 2], object), np.zeros(3, "i,i"))
    yield from (np.ma.array([1, 2], mask=[1, 0]), np.ma.array([1, 2]), np.datetime64("now"), np.array(["a"]))
    yield from (np.array([1], "m8[s]"), (i for i in [1, 2]), iter([]), range(7), [np.void(b"a")] * 3, np.float64(3))
    yield from (range(31), [[np.zeros(3)]] * 30, [{1}, *[None] * 30])


@pytest.mark.parametrize("name", [*random_state(0), "classes", "feature_names", "categories"])
def test_an_odd_argument_is_named(name):
    for odd in odd_values():
        if odd is None and name in {"nominal", "classes", "feature_names", "categories"}:
            continue
        with pytest.raises((ValueError, TypeError), match=name):
            PackedNetwork(**{**random_state(0), name: odd})


@pytest.mark.parametrize("n_inputs, n_spread", [(1, 1), (3, 500), (64, 64), (130, 131), (200, 300), (128, 1000)])
def test_weights_are_spread_over_more_inputs(n_inputs, n_spread):
    rng = np.random.default_rng(0)
    places = np.sort(rng.permutation(n_spread)[:n_inputs])
    weights = rng.choice([-1, 1], size=(2, 11, n_inputs))
    spread = np.full((2, 11, n_spread), -1)
    spread[:, :, places] = weights
    assert_same_bits(spread_inputs(pack_members(weights), places, n_spread), pack_members(spread))


def test_features_without_a_bit_take_little_memory():
    n_features, n_units = 100_000, 800
    state = random_state(0, n_features=64, most=1, hidden=(n_units,), lines=False)
    state["offsets"] = np.append(state["offsets"], np.full(n_features - 64, state["offsets"][-1]))
    state["components"], state["nominal"] = np.zeros((0, n_features)), None
    tracemalloc.start()
    network = PackedNetwork(**state)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * network.nbytes < n_features * n_units // 8
    X = np.zeros((5, n_features))
    X[:, :64] = random_rows(random_network(n_features=64), 5)
    assert_same_bits(network.integer_scores(X), reference.integer_scores(network, X))


def test_loading_a_state_takes_little_memory(extreme):
    pickled = pickle.dumps(PackedNetwork(**extreme))
    load = partial(pickle.loads, pickled)
    assert peak_of_loading(load, extreme) < 4 * len(pickled)


@pytest.mark.parametrize("mmap", [True, False])
def test_loading_a_model_file_takes_as_little_memory_as_its_state(extreme, mmap, tmp_path):
    """Numbers may lie in the file in fewer bits than in memory."""
    network = PackedNetwork(**extreme)
    save_model(network, tmp_path / "model.skbnn")
    load = partial(load_model, tmp_path / "model.skbnn", mmap=mmap)
    assert peak_of_loading(load, extreme) < 4 * len(pickle.dumps(network))


def peak_of_loading(load, state):
    """Most bytes that it takes to load a network and predict a row, beside two rows and a few kilobytes."""
    X = np.zeros((1, state["components"].shape[1]), np.float32)
    tracemalloc.start()
    load().predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - 2 * 8 * X.size - 2**16


@pytest.fixture(
    params=[
        {"n_features": 10**5, "bits": lambda column: column == 7},
        {"n_features": 10**5, "bits": lambda column: column == 7, "hidden": (1000,)},
        {"n_features": 10**5, "bits": lambda column: column >= 0},
        {"n_features": 10**5, "bits": lambda column: column % 2, "steps": True},
        {"n_features": 10**4, "bits": lambda column: column % 3, "n_outputs": 10, "steps": True, "slopes": True},
        {"n_features": 100, "bits": lambda column: column % 2, "n_outputs": 10**4, "steps": True},
        {"n_features": 10**4, "bits": lambda _: 3, "nominal": True, "steps": True},
        {"n_features": 1, "bits": lambda _: 10**5, "steps": True},
        {"n_features": 1, "bits": lambda _: 10**5, "nominal": True, "steps": True},
        {"n_features": 1, "bits": lambda _: 1, "hidden": (10**5,)},
        {"n_features": 1, "bits": lambda _: 1, "n_outputs": 10**5, "steps": True, "slopes": True},
        {"n_features": 3, "bits": lambda _: 1, "n_members": 10**4, "hidden": (9,)},
        {"n_features": 1, "bits": lambda _: 1, "n_components": 10**5},
    ],
    ids=lambda shape: ", ".join(f"{name}={value}" for name, value in shape.items() if name != "bits"),
)
def extreme(request):
    """Constructor's arguments of a network that has much of one thing."""
    return extreme_state(**request.param)


def extreme_state(
    *, n_features, bits, hidden=(), n_outputs=1, n_members=1, n_components=0, steps=False, slopes=False, nominal=False
):
    counts = np.broadcast_to(bits(np.arange(n_features + n_components)), n_features + n_components).astype(int)
    offsets = np.cumsum([0, *counts])
    sizes = [int(offsets[-1]), *hidden, n_outputs]
    weights = [
        np.zeros((n_members, -(-n_units // 8), -(-n_inputs // 64), 8), np.uint64)
        for n_inputs, n_units in pairwise(sizes)
    ]
    return {
        "thresholds": np.arange(sizes[0]),
        "offsets": offsets,
        "components": np.ones((n_components, n_features)),
        "nominal": np.full(n_features, nominal),
        "layers": [(packed, np.full((n_members, 8 * packed.shape[1]), -1)) for packed in weights[:-1]],
        "output_weights": weights[-1],
        "layer_sizes": sizes,
        "scale": np.ones((n_members, n_outputs, 1), int),
        "bias": np.zeros(n_outputs, int),
        "factor": np.ones(n_outputs),
        "output": "identity",
        "steps": np.ones((n_outputs, sizes[0] if steps else 0), int),
        "slopes": np.ones((n_outputs, n_features if slopes else 0)),
        "ranges": np.ones((2, n_features if slopes else 0)),
    }


def test_a_callers_array_stays_writable_and_changing_it_changes_nothing():
    state = random_state(0)
    network = PackedNetwork(**state)
    X = random_rows(network, 10)
    before = network.predict(X)
    state["output_weights"][...] = 0
    state["thresholds"][...] = 0
    assert_same_bits(network.predict(X), before)


def test_pickle_keeps_every_bit():
    network = random_network()
    again = pickle.loads(pickle.dumps(network))
    X = random_rows(network, 100)
    assert_same_bits(again.decision_function(X), network.decision_function(X))
    assert repr(again) == repr(network) and again.nbytes == network.nbytes
    assert again == network and hash(again) == hash(network)


@pytest.mark.parametrize(
    "name, change",
    [
        ("thresholds", lambda a: a - 1),
        ("scale", lambda a: -a),
        ("steps", lambda a: a + 1),
        ("classes", lambda a: a[::-1]),
        ("feature_names", lambda a: a[::-1]),
    ],
)
def test_networks_of_other_content_differ(name, change):
    state = {**random_state(0), "classes": list("abc"), "feature_names": [f"x{i}" for i in range(30)]}
    network, again = PackedNetwork(**state), PackedNetwork(**state)
    assert network == again and len({network, again}) == 1 and network != "a network"
    assert PackedNetwork(**{**state, name: change(state[name])}) != network


def test_steps_larger_than_their_sums_are_wide():
    state = random_state(0, n_features=1, most=2, hidden=(), n_outputs=1, per_output=1, output="identity", lines=False)
    n_bits = len(state["thresholds"])
    state |= {"scale": state["scale"] * 0, "bias": state["bias"] * 0}
    state["steps"] = np.resize([-(2**31 - 1), 2**32 - 2], (1, n_bits))
    network = PackedNetwork(**state)
    assert n_bits == 2 and network.steps.dtype == np.int64
    X = random_rows(network, 50)
    assert_same_bits(network.integer_scores(X), reference.integer_scores(network, X))


def test_labels_of_foreign_byte_order_are_the_same_labels():
    network = random_network()
    foreign, native = (network.named(classes=np.array([3, 1, 2], order + "i4")) for order in "><")
    assert foreign == native and hash(foreign) == hash(native)


def test_a_network_is_immutable():
    network = random_network()
    for change in (lambda: setattr(network, "bias", 0), lambda: delattr(network, "bias")):
        with pytest.raises(AttributeError, match="immutable"):
            change()
    network.layers[0][0].sum()
    with pytest.raises(TypeError):
        network.layers[0] = None


@pytest.mark.parametrize(
    "output, n_outputs, classes",
    [("softmax", 3, ["a", "b", "c"]), ("softmax", 3, [7, 9, -1]), ("logistic", 1, np.array(["no", "yes"], object))],
)
def test_labels_are_predicted_where_there_are_classes(output, n_outputs, classes):
    network = random_network(output=output, n_outputs=n_outputs)
    named = network.named(classes=classes, feature_names=[f"x{i}" for i in range(30)])
    X = random_rows(network, 50)
    assert_same_bits(named.predict(X), np.array(classes)[network.predict(X)])
    assert named.predict(X[0]) == named.predict(X)[0] and named.predict(X).dtype == np.array(classes).dtype
    assert named != network and named.named() == network and named.feature_names[29] == "x29"
    assert pickle.loads(pickle.dumps(named)) == named


def test_serving_needs_numpy_only(tmp_path):
    others = "'sklearn', 'scipy', 'joblib', 'threadpoolctl', 'importlib.metadata'"
    code = (
        f"import pickle, sys; pickle.load(sys.stdin.buffer); sys.exit(any(name in sys.modules for name in [{others}]))"
    )
    subprocess.run([sys.executable, "-c", code], input=pickle.dumps(random_network()), cwd=tmp_path, check=True)


def test_the_packed_network_of_a_model():
    network = random_network()
    assert packed_network_of(network) is network
    model = BinaryMLPRegressor((8,), max_iter=1)
    with pytest.raises(TypeError, match="model must be fitted, and this BinaryMLPRegressor is not"):
        packed_network_of(model)
    for wrong in ("a path", None, BinaryMLPRegressor, make_pipeline(model)):
        with pytest.raises(TypeError, match=f"must be a fitted .* or a PackedNetwork, got {type(wrong).__name__}"):
            packed_network_of(wrong)
    model.fit(np.arange(20.0).reshape(-1, 1), np.arange(20.0))
    assert packed_network_of(model) is model.packed_


def restored(state):
    network = PackedNetwork.__new__(PackedNetwork)
    network.__setstate__(state)
    return network


def corruptions(network):
    """States that are not a network's, one fault each."""
    good = network.__getstate__()
    for name in set(good) - {"classes", "feature_names", "categories", "nominal"}:
        yield {key: value for key, value in good.items() if key != name}
        for wrong in (None, "abc", -1, 1.5, [], {}, object(), np.array(None), np.zeros(0), [None], [[1], [1, 2]]):
            yield {**good, name: wrong}
    yield {**good, "unknown": 1}
    yield from (None, 3, [], "state", {})


def test_a_state_of_something_else_raises_value_error():
    for state in corruptions(random_network()):
        with pytest.raises(ValueError):
            restored(state)


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("thresholds", lambda a: a[::-1].copy(), "ascend"),
        ("thresholds", lambda a: np.where(a == a[0], np.nan, a), "must not be NaN"),
        ("thresholds", lambda a: a - np.inf, "a threshold of -inf must be the first"),
        ("nominal", lambda a: a[1:], "nominal has 29 features, expected 30"),
        ("nominal", lambda a: a * 1.0, "nominal must be bool, got dtype float64"),
        ("offsets", lambda a: a[:-1], "30 offsets do not fit 30 features and 0 components"),
        ("offsets", lambda a: a + 1, "offsets must start with 0"),
        ("components", lambda a: a[:, :0], "components must have a feature"),
        ("components", lambda a: np.ones((1, a.shape[1])), "31 offsets do not fit 30 features and 1 components"),
        ("offsets", lambda a: np.r_[a[0], a[-1] + 5, a[2:]], "offsets must ascend"),
        ("scale", lambda a: a * np.inf, "scale must be int64"),
        ("scale", lambda a: a[:0], "scale must have a member"),
        ("scale", lambda a: np.concatenate([a, a]), r"packed weights of layers\[0\] have shape"),
        ("scale", lambda a: a[:, :, 1:], "scale has 12 units, expected 15"),
        ("steps", lambda a: a[:, 1:], "steps have shape"),
        ("steps", lambda a: a * np.nan, "steps must be int64, got dtype float64"),
        ("steps", lambda a: np.full(a.shape, 2**60), "an integer score could reach .* beyond 2"),
        ("steps", lambda a: a * 0 + np.r_[-(2**53) + 1, 2**54 - 3, np.zeros(a.shape[1] - 2, int)], "beyond 2"),
        ("factor", lambda a: a * 3, "powers of two"),
        ("factor", lambda a: np.ldexp(a, 1030), "exceed the range of float64"),
        ("factor", lambda a: a * [1, 1, 2], "the same for all outputs"),
        ("factor", lambda a: a[:1], "factor has 1 outputs, bias 3"),
        ("classes", lambda _: ["a", "b"], "2 classes do not fit 3 outputs"),
        ("classes", lambda _: [["a"]], "one dimension"),
        ("classes", lambda _: [None, 1, 2j], "strings"),
        ("classes", lambda _: [10**5000, 1, 2], "classes can't be read: .*digits"),
        ("classes", lambda _: np.full(3, 2**31, np.uint32).view("U1"), "classes can't be read"),
        ("classes", lambda _: [], "0 classes do not fit 3 outputs"),
        ("categories", lambda _: [[10**5000], *[None] * 29], "categories of feature 0 can't be read: .*digits"),
        ("feature_names", lambda _: ["x"], "1 feature_names do not fit 30 features"),
        ("feature_names", lambda _: range(30), "feature_names must be strings, got \\[0\\]"),
        ("slopes", lambda a: a[:, 1:], "slopes have shape"),
        ("slopes", lambda a: a[:, :0], "ranges have shape"),
        ("slopes", lambda a: a * np.nan, "slopes and ranges must be finite"),
        ("ranges", lambda a: a[:1], "ranges have shape"),
        ("ranges", lambda a: np.full_like(a, np.inf), "slopes and ranges must be finite"),
        ("ranges", lambda a: a[::-1].copy(), "ranges must ascend"),
        ("ranges", lambda a: np.ones_like(a) * [[-1e308], [1e308]], "ranges must ascend"),
        ("bias", lambda a: a[:1], "bias has 1 outputs, scale 3"),
        ("output_weights", lambda a: a[:, :1], "output_weights have shape"),
        ("output_weights", lambda a: a | ~np.uint64(0), "padding"),
        ("output_weights", lambda a: a.astype(np.float64) + 0.5, "output_weights must be uint64"),
        ("layer_sizes", lambda a: [*a[:-1], a[-1] + 8], "scale has 15 units, expected 23"),
        (
            "layers",
            lambda a: [(a[0][0], a[0][1] * 0), a[1]],
            r"unit thresholds of layers\[0\] must be -1 for padding units",
        ),
        ("layers", lambda a: a[:1], "1 hidden layers do not fit layer_sizes"),
        ("format", lambda a: a + 1, "format 3 is not 2"),
        ("format", lambda _: 10**5000, "format an int of 16610 bits is not 2"),
        # Differences of neighbours, narrowing and products that would wrap.
        ("offsets", lambda a: [0, 2**63 - 1, -a[-1], *a[3:]], "offsets do not fit int32"),
        ("offsets", lambda a: [0, 2**32, *a[2:]], "offsets do not fit int32"),
        ("offsets", lambda a: np.r_[0, 2**31 - 1, a[2:]], "offsets must ascend"),
        ("offsets", lambda a: np.r_[a[:-1], a[-1] + 2**30], "offsets must end with the number of thresholds"),
        ("offsets", lambda a: a.astype(np.uint64) + np.uint64(2**63), "offsets do not fit int32"),
        ("layer_sizes", lambda a: [a[0], a[1] + 2**32, *a[2:]], "must be at most 2147483584"),
        ("layer_sizes", lambda a: [a[0], 2**62, 2**62, a[-1]], "must be at most 2147483584"),
        ("layer_sizes", lambda a: [a[0], 2**31 - 1, *a[2:]], "must be at most 2147483584"),
        ("layer_sizes", lambda a: [a[0], a[1] - 2**64, *a[2:]], "layer_sizes must be int64, got dtype object"),
        ("layer_sizes", lambda a: [a[0], -a[1], *a[2:]], "must be positive"),
        ("layer_sizes", lambda a: [a[0] + 0.9, *a[1:]], "layer_sizes must be int64, got dtype float64"),
        ("layer_sizes", lambda a: list(map(str, a)), "layer_sizes must be int64, got dtype <U3"),
        ("components", lambda _: np.zeros((2**40, 0)), "components must have a feature"),
        ("components", lambda _: np.zeros((0, 2**40)), "31 offsets do not fit 1099511627776 features"),
        ("scale", lambda _: np.zeros((1, 2**31, 0), int), "scale has 0 units, expected 15"),
        (
            "layers",
            lambda a: [(a[0][0], a[0][1] + np.int64(2**32)), a[1]],
            r"unit thresholds of layers\[0\] do not fit int32",
        ),
        ("layers", lambda a: [a[0], (*a[1], 1)], r"layers\[1\] must be packed weights and unit thresholds, got 3"),
        ("bias", lambda a: a + np.array([2**62, 0, 0]), "beyond 2"),
        ("steps", lambda a: np.full(a.shape, -(2**63)), "beyond 2"),
        ("classes", lambda _: ["a", 1, None], "classes must be numbers or strings, got \\[None\\]"),
    ],
)
def test_arrays_that_do_not_fit_together_raise(name, change, message):
    state = random_network().__getstate__()
    with pytest.raises(ValueError, match=message):
        restored({**state, name: change(state[name])})


@pytest.mark.parametrize("value", [2**53 + 1, -(2**63) + 1])
def test_integers_that_float64_would_round_are_refused(value):
    state = random_state(0, hidden=(8,))
    with pytest.raises(ValueError, match="thresholds do not fit float64"):
        PackedNetwork(**{**state, "thresholds": np.full(np.shape(state["thresholds"]), value)})


def test_nothing_is_written_out_for_an_error_that_is_none():
    class Silent(list):
        def __repr__(self):
            raise AssertionError("what is fine is not shown")

    state = random_state(0, hidden=(8,))
    PackedNetwork(**{**state, "layers": Silent(Silent(pair) for pair in state["layers"])})
