"""Rows in any layout, dtype and container predict what the NumPy twin says of their values, to the bit, or raise.

An example is a point of a grid: network, dtype, values, layout, container, instruction set, threads, rows, question.
What the twin says of 200 rows of each network, dtype and kind of values is computed once.
"""

import runpy
import tracemalloc
import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided
from threadpoolctl import ThreadpoolController

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder
from skbnn.kernels import available_instruction_sets, use_instruction_set
from skbnn.packed import reference

PACKED = runpy.run_path(str(Path(__file__).parents[1] / "test_packed.py"))
random_network, assert_same_bits = PACKED["random_network"], PACKED["assert_same_bits"]
answers = runpy.run_path(str(Path(__file__).with_name("oracle.py")))["answers"]

N_ROWS = 200

NETWORKS = {
    "softmax": {},
    "a bit each": {"most": 1, "n_features": 12},
    "one logistic": {"output": "logistic", "n_outputs": 1, "odd": True},
    "labels": {"output": "logistic", "odd": True, "n_members": 2},
    "one real": {"output": "identity", "n_outputs": 1, "most_score": 2**35},
    "reals": {"output": "identity", "n_components": 3, "odd": True},
    "combinations": {"n_components": 2, "steps": False, "hidden": ()},
    "steps": {"lines": False, "odd": True, "hidden": (65, 9), "n_features": 70},
    "bits alone": {"lines": False, "steps": False, "n_features": 1, "hidden": (3,)},
}
FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]
DTYPES = ["f2", "f4", "f8", "?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
DTYPES += [f">{dtype}" for dtype in ("f2", "f4", "f8", "i2", "u4", "i8")]
VALUES = ["few", "odd", "extreme"]


@cache
def network_of(name):
    return random_network(len(name), **{"n_features": 7, "hidden": (9,), **NETWORKS[name]})


@cache
def rows_of(n_features, dtype, values):
    """Quarters, so that ties with thresholds are common; some missing or infinite; or a dtype's ends and zeros."""
    rng, dtype = np.random.default_rng(0), np.dtype(dtype)
    X = rng.integers(-10, 11, (N_ROWS, n_features)) / (4 if dtype.kind == "f" else 1)
    if values == "odd":
        special, share = [np.nan, np.inf, -np.inf], rng.choice([0, 0.1, 1], (N_ROWS, 1))
    else:
        info = np.finfo(dtype) if dtype.kind == "f" else np.iinfo("u1" if dtype.kind == "b" else dtype)
        special, share = [info.min, info.max, -0.0, info.smallest_subnormal if dtype.kind == "f" else 1], 0.3
    X = (np.abs(X) if dtype.kind in "bu" else X).astype(dtype)
    if values == "few" or (values == "odd" and dtype.kind != "f"):
        return X
    chosen = np.array(special, object)[rng.integers(0, len(special), X.shape)].astype(dtype)
    return np.where(rng.random(X.shape) < share, chosen, X).astype(dtype)


@cache
def truth(name, dtype, values):
    network = network_of(name)
    return reference.integer_scores(network, rows_of(network.n_features_in, dtype, values))


def misaligned(X, by=1):
    """X where no value lies at a multiple of its size."""
    memory = np.zeros(X.nbytes + by, np.uint8)
    out = memory[by:].view(X.dtype).reshape(X.shape)
    out[...] = X
    return out


def in_a_record(X):
    """A field of packed records."""
    records = np.zeros(len(X), [("before", "u1"), ("x", X.dtype, X.shape[1:]), ("after", "u2")])
    records["x"] = X
    return records["x"]


def with_strides(X, row_gap, gap, order=1):
    """X with so many bytes between values and, beside these, between rows; or columns, if ``order`` is -1."""
    size = X.itemsize + gap
    n_inner = X.shape[::order][1]
    outer = n_inner * size + row_gap
    memory = np.zeros(X.shape[::order][0] * outer + size, np.uint8)
    out = as_strided(memory[: X.itemsize].view(X.dtype), X.shape, (outer, size)[::order])
    out[...] = X
    return out


def of_one_row(X):
    return np.broadcast_to(X[:1], X.shape)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "every other": lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "rows backwards": lambda X: X[::-1].copy()[::-1],
    "misaligned": misaligned,
    "misaligned by 3": lambda X: misaligned(X, 3),
    "misaligned columns": lambda X: misaligned(X.T).T,
    "record": in_a_record,
    "odd row stride": lambda X: with_strides(X, 1, 0),
    "odd column stride": lambda X: with_strides(X, 3, 1),
    "odd strides of columns": lambda X: with_strides(X, 1, 2, -1),
    "one row": of_one_row,
    "one misaligned row": lambda X: of_one_row(misaligned(X)),
}


class Subclass(np.ndarray):
    """Says of itself what it is not."""

    shape = property(lambda self: (10**6, 10**6))
    strides = property(lambda self: (10**6, 10**6))


class Convertible:
    """What NumPy converts, with attributes that say something else."""

    shape, ndim, dtype = (3,), 1, np.dtype("c8")

    def __init__(self, X):
        self.X = X

    def __array__(self, dtype=None, copy=None):
        return self.X


def read_only(X):
    X.flags.writeable = False
    return X


def mapped(X):
    with TemporaryFile() as file:
        out = np.memmap(file, X.dtype, "w+", shape=X.shape)
    out[...] = X
    return out


def frame(X):
    from polars import DataFrame

    native = X.astype(X.dtype.newbyteorder("="))
    return DataFrame(native.astype("f4") if native.dtype == "f2" else native, [f"x{i}" for i in range(X.shape[1])])


def sparse(X, form, index=np.int32):
    """X as a matrix of SciPy, which has no float16 and no foreign byte order."""
    native = X.astype("f4" if X.itemsize == 2 and X.dtype.kind == "f" else X.dtype.newbyteorder("="))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sp.SparseEfficiencyWarning)
        out = sp.coo_array(native).asformat(form)
    if form in ("csr", "csc"):
        out.indptr, out.indices = out.indptr.astype(index), out.indices.astype(index)
    return out


def in_parts(X):
    """CSR with columns descending, each value in two parts, and arrays that are misaligned."""
    whole = sparse(X, "coo")
    rows, columns = (np.tile(places, 2) for places in whole.coords)
    order = np.lexsort((-columns, rows))
    out = sp.csr_array(whole.shape, dtype=whole.dtype)
    out.data = misaligned(np.concatenate([whole.data, np.zeros_like(whole.data)])[order].astype(whole.dtype))
    out.indices = misaligned(columns[order].astype(np.int64))
    out.indptr = misaligned(np.searchsorted(rows[order], np.arange(len(X) + 1)).astype(np.int64))
    return out


CONTAINERS = {
    "array": lambda X: X,
    "read-only array": read_only,
    "list": lambda X: X.tolist(),
    "subclass": lambda X: X.view(Subclass),
    "convertible": Convertible,
    "memory map": mapped,
    "masked array": lambda X: np.ma.array(X.astype(X.dtype.newbyteorder("="))),
    "pandas": lambda X: pd.DataFrame(X.astype(X.dtype.newbyteorder("="))),
    **({"polars": frame} if find_spec("polars") else {}),  # which sanitizers and musl do without
    **{form: lambda X, form=form: sparse(X, form) for form in FORMATS},
    "csr of int64": lambda X: sparse(X, "csr", np.int64),
    "csr in parts": in_parts,
}

grid = {
    "dtype": st.sampled_from(DTYPES),
    "values": st.sampled_from(VALUES),
    "layout": st.sampled_from(sorted(LAYOUTS)),
    "container": st.sampled_from(sorted(CONTAINERS)),
    "n_rows": st.sampled_from([0, 1, 2, 6, 16, 17, 95, 97, N_ROWS]),
}
forced = {
    "instruction_set": st.sampled_from(available_instruction_sets()),
    "n_threads": st.sampled_from([1, 2, 3]),
}


def laid_out(X, layout, n_rows):
    """Some rows of X as a layout has them, and which they are."""
    places = np.zeros(n_rows, int) if "one" in layout else np.arange(n_rows)
    return LAYOUTS[layout](X[places]), places


@cache
def controller():
    return ThreadpoolController()


def limited(n_threads):
    return controller().limit(limits=n_threads, user_api="openmp")


@given(
    name=st.sampled_from(sorted(NETWORKS)),
    question=st.sampled_from(["integer_scores", "decision_function", "predict", "predict_proba"]),
    **grid,
    **forced,
)
def test_a_network_answers_as_the_twin(
    name, question, dtype, values, layout, container, n_rows, instruction_set, n_threads
):
    network = network_of(name)
    if network.output == "identity" and question == "predict_proba":
        question = "predict"
    X, places = laid_out(rows_of(network.n_features_in, dtype, values), layout, n_rows)
    expected = answers(network, question, truth(name, dtype, values)[places])
    rows = CONTAINERS[container](X)
    if container == "list" and not n_rows:
        rows = X
    with use_instruction_set(instruction_set), limited(n_threads):
        assert_same_bits(getattr(network, question)(rows), expected)
        if n_rows == 1 and container in ("array", "read-only array", "list", "memory map"):
            assert_same_bits(np.asarray(getattr(network, question)(rows[0])), expected[0, ...])


@given(
    name=st.sampled_from([name for name in sorted(NETWORKS) if not network_of(name).slopes.size]),
    order=st.sampled_from(["<u8", ">u8"]),
    layout=grid["layout"],
    n_rows=grid["n_rows"],
    **forced,
)
def test_packed_rows_score_as_the_rows(name, order, layout, n_rows, instruction_set, n_threads):
    network = network_of(name)
    rows = rows_of(network.n_features_in, "f8", "odd")
    bits = reference.encode(rows, network.thresholds, network.offsets, network.components, network.nominal)
    bits, places = laid_out(bits.astype(order), layout, n_rows)
    expected = network.factor * truth(name, "f8", "odd")[places]
    with use_instruction_set(instruction_set), limited(n_threads):
        assert_same_bits(network.decision_function_from_bits(bits), expected)


@cache
def fitted(kind):
    """A model, or a transformer, of rows with missing values in some features."""
    X = np.hstack([rows_of(4, "f8", "few"), np.nan_to_num(rows_of(3, "f8", "odd"), nan=np.nan, posinf=9, neginf=-9)])
    y = X[:, 0]
    models = {
        "classifier": BinaryMLPClassifier((9,), max_iter=1, random_state=0),
        "regressor": BinaryMLPRegressor((9,), max_iter=1, random_state=0, n_components=2),
        "labels": BinaryMLPClassifier((9,), max_iter=1, random_state=0, loss="squared_hinge"),
        "encoder": ThermometerEncoder(4),
    }
    targets = {"classifier": np.floor(y).astype(int), "labels": X[:, :2] > 0}
    return models[kind].fit(X, targets.get(kind, y))


@cache
def answer_of_plain_rows(kind, dtype, values):
    model, rows = fitted(kind), rows_of(7, dtype, values).astype(np.float64)
    return model.transform(rows) if kind == "encoder" else model.packed_.predict(rows)


@given(
    kind=st.sampled_from(["classifier", "regressor", "labels", "encoder"]),
    **{**grid, "container": st.sampled_from(sorted(set(CONTAINERS) - {"subclass", "convertible", "polars"}))},
    **forced,
)
@example("regressor", "f8", "odd", "record", "array", 17, "portable", 1)
def test_an_estimator_answers_as_of_plain_rows(
    kind, dtype, values, layout, container, n_rows, instruction_set, n_threads
):
    n_rows = max(n_rows, 1)
    X, places = laid_out(rows_of(7, dtype, values), layout, n_rows)
    model = fitted(kind)
    with use_instruction_set(instruction_set), limited(n_threads):
        answer = (model.transform if kind == "encoder" else model.predict)(CONTAINERS[container](X))
    np.testing.assert_array_equal(answer, answer_of_plain_rows(kind, dtype, values)[places])


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "u8"])
def test_what_native_code_reads_is_aligned(layout, dtype):
    """A misaligned array is copied, and no other is."""
    network = network_of("steps")
    X = LAYOUTS[layout](np.zeros((20_000, network.n_features_in), dtype))
    tracemalloc.start()
    network.predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (peak > X.nbytes) == (not X.flags.aligned)


def mutation(data, X, field):
    """Another value of an attribute: an entry, the length, the dtype or the dimension of its array changed."""
    if field == "_shape":
        return tuple(data.draw(st.sampled_from([0, 1, 3, 7, 8, 1000])) for _ in range(2))
    array = np.array(getattr(X, field))
    kind = data.draw(st.sampled_from(["entry", "length", "dtype", "dimension", "none"]))
    if X.format == "lil":
        array[0] = data.draw(st.lists(st.sampled_from([-1, 0, 3, 6, 7, 10**8]), max_size=8))
    elif kind == "entry" and array.size:
        ends = [np.iinfo(array.dtype).min, np.iinfo(array.dtype).max] if array.dtype.kind == "i" else [np.nan]
        array[data.draw(st.integers(0, len(array) - 1))] = data.draw(st.sampled_from([-1, 0, 1, 2, 7, 8, 10, *ends]))
    elif kind == "length":
        array = [array[:-1], np.append(array, array[:1]), array[:0]][data.draw(st.integers(0, 2))]
    elif kind == "dtype":
        array = array.astype(data.draw(st.sampled_from(["i1", ">i4", "i8", "u8", "f4", "U3"])))
    elif kind == "dimension":
        array = [array[np.newaxis], array[:, np.newaxis], array.dtype.type(0)][data.draw(st.integers(0, 2))]
    return None if kind == "none" else array


FIELDS = {"coo": ["row", "col", "data"], "dia": ["offsets", "data"], "lil": ["rows", "data"], "dok": []}


@given(st.data(), st.sampled_from(FORMATS), st.sampled_from(["network", "classifier", "encoder"]))
def test_a_crafted_sparse_matrix_is_refused_or_read_as_it_is(data, form, model):
    X = sparse(rows_of(7, "f8", "few")[: data.draw(st.integers(1, 9))] * np.r_[1, 0, 0, 1, 1, 0, 1], form)
    if data.draw(st.booleans()):
        X.has_canonical_format = X.has_sorted_indices = True
    fields = [*FIELDS.get(form, ["indptr", "indices", "data"]), "_shape"]
    fields = data.draw(st.lists(st.sampled_from(fields), min_size=1, max_size=2, unique=True))
    changed = {field: mutation(data, X, field) for field in fields}
    model = network_of("softmax") if model == "network" else fitted(model)
    ask = model.transform if hasattr(model, "transform") else model.predict
    try:
        for field, value in changed.items():
            setattr(X, field, value)
        answer = ask(X)
    except (TypeError, ValueError):
        return
    np.testing.assert_array_equal(answer, ask(X.toarray()))
