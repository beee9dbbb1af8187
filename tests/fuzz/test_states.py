"""Mutated states and pickles: each raises ValueError, or is a network that scores as the slow truth says."""

import collections
import pickle
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skbnn import load_model
from skbnn.packed import PackedNetwork

NETWORKS = [load_model(path) for path in sorted(Path(__file__).parents[1].joinpath("golden").glob("*.skbnn"))]

ORACLE = runpy.run_path(str(Path(__file__).with_name("oracle.py")))
REAL, pick, rows_for, assert_scores = (ORACLE[name] for name in ("REAL", "pick", "rows_for", "assert_scores"))

CASES = 10  # of an example, as hypothesis takes longer to draw one than a case takes

WHOLE = [0, 1, 2, 7, 8, 63, 64, 65, 2**15, 2**31 - 1, 2**31, 2**32, 2**52, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
DTYPES = ["f2", "f4", "f8", "g", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c16", "O", "U20", "S9"]
DTYPES += [">f8", ">i4", ">u8"]
OTHERS = [None, "softmax", "logistic", "identity", "", b"ab", -1, 2**63, 10**400, 1.5, [], {}, {1}, [[1], [1, 2]]]


class Subclass(np.ndarray):
    """An array whose own methods must not matter."""

    def __array_finalize__(self, obj):
        self.unit = "m"

    def __eq__(self, other):
        return True

    def __reduce__(self):
        return np.asarray(self).__reduce__()


def wild(rng, dtype):
    """The bytes of a value from the ends of this dtype's range, or any bytes."""
    size, kind = dtype.itemsize, rng.integers(3)
    if kind == 0:
        return rng.bytes(size)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.float64(pick(rng, REAL)).astype(dtype).tobytes()
    return (pick(rng, [1, -1]) * pick(rng, WHOLE) % 256**size).to_bytes(size, "little")


def other_entries(rng, array):
    """Some entries become wild, a little different, or those of others."""
    out = np.array(array, order="C")
    flat = out.reshape(-1)
    octets = flat.view(np.uint8).reshape(flat.size, -1)
    for _ in range(rng.integers(1, 4) if flat.size else 0):
        at, kind = rng.integers(flat.size), rng.integers(4)
        if kind == 0:
            octets[at] = octets[rng.integers(flat.size)]
        elif kind == 1 and flat.dtype.kind in "iu":
            flat[at : at + 1] += np.array([1, -1]).astype(flat.dtype)[rng.integers(2)]
        elif kind == 1 and flat.dtype.kind == "f":
            flat[at] = np.nextafter(flat[at], pick(rng, [np.inf, -np.inf]))
        else:
            octets[at] = np.frombuffer(wild(rng, flat.dtype), np.uint8)
    return out


def other_shape(rng, array):
    """Entries are cut off, doubled, or lie otherwise."""
    axis = rng.integers(array.ndim)
    kind = rng.integers(8)
    if kind == 0:
        return np.concatenate([array] * pick(rng, [2, 3]), axis=axis)
    if kind == 1:
        return np.delete(array, pick(rng, [0, -1]), axis=axis) if array.shape[axis] else array
    if kind == 2:
        return pick(rng, [array[np.newaxis], array.reshape(-1), array.T, array[..., np.newaxis], array.swapaxes(0, -1)])
    if kind == 3:
        return np.take(array, [], axis=axis)
    if kind == 4:
        return np.flip(array, axis)
    if kind == 5:
        return np.repeat(array, 2, axis=axis)
    if kind == 6:
        return np.roll(array, 1, axis=axis)
    return array.reshape(array.shape[::-1])


def other_dtype(rng, array):
    """The same values, or what is left of them."""
    with np.errstate(all="ignore"):
        return array.astype(pick(rng, DTYPES))


def other_memory(rng, array):
    """The same values, which lie otherwise, or belong to somebody else."""
    kind = rng.integers(8)
    if kind == 0:
        return np.asfortranarray(array)
    if kind == 1:
        return np.repeat(array[..., np.newaxis], 2, axis=-1)[..., 0]
    if kind == 2:
        return np.flip(np.flip(array).copy())
    if kind == 3:
        return np.frombuffer(bytearray(b" " + array.tobytes()), array.dtype, offset=1).reshape(array.shape)
    if kind == 4:
        return array.view(Subclass)
    if kind == 5:
        return array.tolist()
    if kind == 6:
        return np.ma.array(array, mask=rng.integers(2))
    out = array.copy()[...]
    out.flags.writeable = False
    return out


def sound_entries(rng, array):
    """All entries anew, of the kind that a network may have."""
    if array.dtype == bool:
        return rng.integers(2, size=array.shape).astype(bool)
    if array.dtype.kind == "u":
        return array & rng.integers(2**64, size=array.shape, dtype=np.uint64)  # padding stays 0
    if array.dtype.kind == "i":
        largest = pick(rng, [1, 1000, 2**30, 2**45])
        return rng.integers(-largest, largest + 1, size=array.shape)
    return np.sort(rng.choice([*np.arange(-9, 10) / 4, *REAL[:4], 1e3], size=array.shape), axis=0)


ON_ARRAYS = [other_entries, other_entries, other_shape, other_dtype, other_memory, sound_entries, sound_entries]


def other_thresholds(rng, state):
    """Columns begin and end elsewhere, and their thresholds are others that ascend."""
    n_bits, offsets = len(state["thresholds"]), state["offsets"]
    inner = np.sort(rng.integers(n_bits + 1, size=len(offsets) - 2))
    state["offsets"] = np.concatenate([[0], inner, [n_bits]])
    thresholds = sound_entries(rng, state["thresholds"])
    for start, stop in zip(state["offsets"][:-1], state["offsets"][1:], strict=True):
        thresholds[start:stop].sort()
        if start < stop and rng.integers(3) == 0:
            thresholds[start] = -np.inf
        if start < stop and rng.integers(9) == 0:
            thresholds[stop - 1] = np.inf
    state["thresholds"] = thresholds


def other_members(rng, state):
    """There are twice as many members, or only the first."""
    times = [0] if rng.integers(2) else [*range(len(state["scale"]))] * 2
    state["scale"], state["output_weights"] = state["scale"][times], state["output_weights"][times]
    state["layers"] = [(weights[times], limits[times]) for weights, limits in state["layers"]]


def other_limits(rng, state):
    """Hidden units' thresholds are any integers."""
    layers = []
    for (weights, limits), n_units in zip(state["layers"], state["layer_sizes"][1:-1], strict=True):
        limits = limits.copy()
        choices = [-(2**31), -1, 0, 1, 31, 32, 63, 64, 65, 2**31 - 1]
        limits[:, :n_units] = rng.choice(choices, size=limits[:, :n_units].shape)
        layers.append((weights, limits))
    state["layers"] = layers


def other_components(rng, state):
    """There is one more component, which has no bit."""
    state["offsets"] = np.append(state["offsets"], state["offsets"][-1:])
    row = np.full((1, state["components"].shape[1]), pick(rng, [0, 1, -0.5, 1e308]))
    state["components"] = np.concatenate([state["components"], row])


def less(rng, state):
    """Something is absent."""
    n_outputs, n_features = len(state["bias"]), state["components"].shape[1]
    if rng.integers(2):
        state["steps"] = np.zeros((n_outputs, 0), int)
    else:
        state["slopes"], state["ranges"] = np.zeros((n_outputs, 0)), np.zeros((2, 0))
    state["nominal"] = pick(rng, [None, np.zeros(n_features, bool)])


def other_names(rng, state):
    """Names and labels are others."""
    n_features, n_outputs = state["components"].shape[1], len(state["bias"])
    state["feature_names"] = pick(rng, [None, "x" * n_features, [*"ab"] * n_features, np.array(["x"] * n_features)])
    labels = [None, range(n_outputs), range(max(2, n_outputs)), ["é", 1.5, True][:n_outputs], [10**99] * n_outputs]
    state["classes"] = pick(rng, labels)


ON_STATES = [other_thresholds, other_thresholds, other_members, other_limits, other_components, less, other_names]


def mutate(rng, state):
    """Change one thing."""
    name, kind = pick(rng, list(state)), rng.integers(20)
    if kind < 8:
        return pick(rng, ON_STATES)(rng, state)
    if kind == 8:
        state[name] = pick(rng, OTHERS)
    elif kind == 9:
        state[name] = state[pick(rng, list(state))]
    elif name == "layers" and state[name]:
        at, part = rng.integers(len(state[name])), rng.integers(2)
        layer = list(state[name][at])
        layer[part] = pick(rng, ON_ARRAYS)(rng, layer[part])
        state[name] = [*state[name][:at], tuple(layer), *state[name][at + 1 :]]
    elif name == "layer_sizes":
        state[name] = pick(rng, ON_ARRAYS)(rng, np.array(state[name]))
    elif isinstance(state[name], np.ndarray):
        state[name] = pick(rng, ON_ARRAYS)(rng, state[name])


class Crafted:
    """Is pickled as a network of any state."""

    def __init__(self, state):
        self.state = state

    def __reduce__(self):
        return PackedNetwork.__new__, (PackedNetwork,), self.state


def outcome_of(seed):
    """What comes of a mutated state: an error's message without names and numbers, or "predicts"."""
    rng = np.random.default_rng(seed)
    state = pick(rng, NETWORKS).__getstate__()
    version, kind = state.pop("format"), rng.integers(3)
    for _ in range(rng.integers(1, 4)):
        try:
            mutate(rng, state)
        except Exception:  # from what another mutation left, this one can't be made
            break
    try:
        if kind == 0:
            network = PackedNetwork(**state)
        elif kind == 1:
            network = PackedNetwork.__new__(PackedNetwork)
            network.__setstate__({"format": version, **state})
        else:
            pickled = pickle.dumps(Crafted({"format": version, **state}), protocol=rng.integers(2, 6))
            network = pickle.loads(pickled)
    except (ValueError, TypeError) as error:
        assert not kind or type(error) is ValueError
        return re.sub(r"'.*?'|-?\d+", "…", str(error))[:60]
    assert_is_what_was_given(network, state)
    X = rows_for(rng, network)
    assert_scores(network, X)
    scribble([state, *state["layers"]])
    assert_scores(network, X)
    return "predicts"


def assert_is_what_was_given(network, state):
    """The arrays hold the values that they were given, none of them narrowed or wrapped."""
    for name, value in state.items():
        if name == "layers":
            for pair, given in zip(network.layers, value, strict=True):
                assert all(map(are_same, pair, given))
        elif isinstance(getattr(network, name), np.ndarray) and value is not None:
            assert are_same(getattr(network, name), value)
    assert list(network.layer_sizes) == list(state["layer_sizes"])


def are_same(array, given):
    """Whether Python compares all values as equal, NaN with NaN."""
    given = np.asarray(given)
    both = zip(array.ravel().tolist(), given.ravel().tolist(), strict=True)
    return array.shape == given.shape and all(value == other or value != value != other for value, other in both)


def scribble(values):
    """Write zeros wherever somebody else can."""
    for value in values:
        if isinstance(value, dict):
            scribble(value.values())
        while isinstance(value, np.ndarray):
            if value.flags.writeable:
                value[...] = 0
            value = value.base


@given(st.integers(0, 2**32 - 1))
def test_a_mutated_state_raises_or_scores_as_the_slow_truth_says(seed):
    for case in range(CASES):
        outcome_of([seed, case])


def test_mutations_lead_everywhere():
    outcomes = collections.Counter(outcome_of([0, case]) for case in range(500))
    assert outcomes["predicts"] > 100 and len(outcomes) > 50


@pytest.mark.parametrize(
    "name, change",
    [
        ("offsets", lambda array: [0, 2**63 - 1, -array[-1], *array[3:]]),
        ("offsets", lambda array: [0, 2**32, *array[2:]]),
        ("layer_sizes", lambda sizes: [sizes[0] + 0.9, *sizes[1:]]),
        ("layer_sizes", lambda sizes: list(map(str, sizes))),
        ("layer_sizes", lambda sizes: np.ma.array(sizes, mask=[True] * len(sizes))),
        ("layer_sizes", lambda sizes: [sizes[0] + 2**64, *sizes[1:]]),
        ("components", lambda _: np.zeros((0, 2**40))),
        ("output", lambda _: 10**5000),
    ],
)
@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_states_that_were_not_refused_are(name, change, network):
    state = network.__getstate__()
    with pytest.raises(ValueError):
        PackedNetwork.__new__(PackedNetwork).__setstate__({**state, name: change(state[name])})
