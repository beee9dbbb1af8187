"""Model files: what was saved comes back, for ever; anything else raises ValueError that says why."""

import json
import mmap
import os
import pickle
import runpy
import stat
import subprocess
import sys
import textwrap
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, load_model, save_model
from skbnn.model_file.reader import read
from skbnn.model_file.writer import written

GOLDEN = sorted(Path(__file__).parent.joinpath("golden").glob("*.skbnn"))
MAKE = runpy.run_path(str(Path(__file__).parent / "golden" / "make.py"))


def golden(name):
    return load_model(next(path for path in GOLDEN if path.stem == name))


@pytest.mark.parametrize("name, model, X", [pytest.param(*each, id=each[0]) for each in MAKE["models"]()])
@pytest.mark.parametrize("mapped", [True, False])
def test_what_was_saved_comes_back(name, model, X, mapped, tmp_path):
    network = getattr(model, "packed_", model)
    save_model(model, tmp_path / name)
    again = load_model(tmp_path / name, mmap=mapped)
    assert again == network and again.predict(X).dtype == network.predict(X).dtype
    assert pickle.loads(pickle.dumps(again)) == network
    np.testing.assert_array_equal(again.predict(X), network.predict(X))


def test_the_version_is_the_first_that_holds_the_network():
    versions = {path.stem: read(memoryview(path.read_bytes()))[0]["version"] for path in GOLDEN}
    assert versions.pop("missing") == versions.pop("categories") == "2"
    assert set(versions.values()) == {"1"}


@pytest.mark.parametrize("name", ["missing", "categories"])
def test_what_the_first_version_does_not_have_is_refused_in_it(name, tmp_path):
    metadata, arrays = read(memoryview(next(path for path in GOLDEN if path.stem == name).read_bytes()))
    arrays.pop("checksum", None)
    (tmp_path / "model").write_bytes(b"".join(written({**metadata, "version": "1"}, arrays)))
    with pytest.raises(ValueError, match="has what format version 1 does not have"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("categories", lambda text: text[:-1], "do not fit their counts"),
        ("categories", lambda text: np.append(text, text), "do not fit their counts"),
        ("categories", lambda text: np.frombuffer(b"[]" + text.tobytes(), np.uint8), "can't be read"),
        ("categories", lambda text: np.frombuffer(b"[" * 9000 + b"\0" * 4, np.uint8), "can't be read"),
        ("categories", lambda _: np.frombuffer(b'[1]\0"a"\0"b"\0"c"\0', np.uint8), "must be scalars"),
        ("categories", lambda _: np.frombuffer(b'1\0"a"\0"b"\0"c"\0', np.uint8), "all text or all numbers"),
        ("categories", lambda _: np.frombuffer(b'"a"\0"a"\0"b"\0"c"\0', np.uint8), "repeat"),
        ("categories.counts", lambda counts: counts - 1, "do not fit their counts"),
        ("categories.counts", lambda counts: counts[::-1].copy(), "is nominal and has no categories"),
        ("nominal", lambda nominal: (2 * nominal.view(np.uint8)).view(bool), "has to be 0 or 1"),
        ("nominal", lambda nominal: nominal[1:], "nominal has 7 features, expected 8"),
    ],
)
def test_categories_that_are_none_are_refused(name, change, message, tmp_path):
    metadata, arrays = read(memoryview(next(path for path in GOLDEN if path.stem == "categories").read_bytes()))
    arrays[name] = change(arrays[name])
    (tmp_path / "model").write_bytes(b"".join(written(metadata, arrays)))
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path / "model")


def test_labels_of_one_hash_are_refused_before_they_are_looked_up(tmp_path):
    metadata, arrays = read(memoryview(next(path for path in GOLDEN if path.stem == "categories").read_bytes()))
    feature, n_labels = np.flatnonzero(arrays["categories.counts"])[0], 10**5
    same = [n * sys.hash_info.modulus for n in range(n_labels)]
    assert {hash(label) for label in same} == {0}
    arrays["categories.counts"] = np.zeros_like(arrays["categories.counts"])
    arrays["categories.counts"][feature] = n_labels
    arrays["nominal"] = np.zeros_like(arrays["nominal"])
    arrays["categories"] = np.frombuffer("".join(f"{label}\0" for label in same).encode(), np.uint8)
    (tmp_path / "model").write_bytes(b"".join(written(metadata, arrays)))
    start = time.process_time()
    with pytest.raises(ValueError, match="100000 labels of one hash"):
        load_model(tmp_path / "model")
    assert time.process_time() - start < 10  # looked up, they take minutes


@pytest.mark.parametrize("hidden", [(), (1,), (70, 9, 64)])
def test_a_network_of_any_depth_comes_back(hidden, tmp_path):
    X, y = load_diabetes(return_X_y=True)
    model = BinaryMLPRegressor(hidden, max_iter=1, n_components=0, random_state=0).fit(X, y)
    save_model(model, tmp_path / "model")
    assert load_model(tmp_path / "model") == model.packed_


@pytest.mark.parametrize(
    "classes",
    [
        *(np.array([0, 1, 2, 3]).astype(dtype) for dtype in ("i1", "<i2", ">i4", "i8", "u1", "u2", "u4", "u8")),
        *(np.array([-0.0, 1.5, np.inf, 3]).astype(dtype) for dtype in ("f2", "f4", ">f8")),
        np.array(["", "a", "ß日😀", "d\ud800"]),
        np.array(["a", "b", "c", "d"], ">U9"),
        np.array(["", "a", "ß日😀", "d"], object),
    ],
    ids=lambda classes: classes.dtype.str,
)
def test_labels_of_any_dtype_come_back(classes, tmp_path):
    network = golden("pixels").named(classes=classes)
    save_model(network, tmp_path / "model")
    labels = load_model(tmp_path / "model").classes
    assert labels.dtype == classes.dtype.newbyteorder("=") and labels.tolist() == classes.tolist()


def test_binary_labels_come_back(tmp_path):
    for classes in (np.array([False, True]), np.array([True, False])):
        save_model(golden("bools").named(classes=classes), tmp_path / "model")
        labels = load_model(tmp_path / "model").classes
        assert labels.dtype == bool and labels.tolist() == classes.tolist()


@pytest.mark.parametrize(
    "content, message",
    [
        ({"classes": np.array([1, 2, 3, 4], object)}, "must be strings to be stored, got 1"),
        ({"classes": np.array(["a", "b", "c", "d\0"], object)}, r"class 'd\\x00' ends with NUL"),
        ({"classes": np.array([1, 2, 3, 4], np.longdouble)}, f"dtype {np.dtype(np.longdouble)} can't be stored"),
        ({"feature_names": [*"abcdefghijklmnopqrs", "t\0"]}, r"feature name 't\\x00' has a NUL"),
        ({"feature_names": [*"abcdefghijklmnopqrs", "\ud800"]}, "not valid Unicode"),
    ],
)
def test_what_a_file_can_not_hold_is_refused(content, message, tmp_path):
    if np.dtype(np.longdouble).itemsize == 8 and "longdouble" in message:
        pytest.skip("longdouble is float64 here")
    with pytest.raises(ValueError, match=message):
        save_model(golden("pixels").named(**content), tmp_path / "model")
    assert not os.listdir(tmp_path)


def test_models_only_are_saved(tmp_path):
    for model in (BinaryMLPClassifier(), None, "model"):
        with pytest.raises(TypeError, match=r"must be (a )?fitted"):
            save_model(model, tmp_path / "model")


def test_a_small_network_on_mnist_s_pixels_takes_less_than_50_kilobytes(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (300, 784)).astype(np.uint8), np.arange(300) % 10
    model = BinaryMLPClassifier((256,) * 3, n_thresholds=1, n_estimators=1, max_iter=1, init="constant", random_state=0)
    save_model(model.fit(X, y), tmp_path / "model")
    assert model.packed_.layer_sizes == (784, 256, 256, 256, 10)
    assert (tmp_path / "model").stat().st_size < 50_000


def base_of(array):
    """What an array is a view of in the end."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array.obj if isinstance(array, memoryview) else array


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_weights_are_mapped_and_not_copied(path):
    network = load_model(path)
    for weights in [*(weights for weights, _ in network.layers), network.output_weights]:
        assert isinstance(base_of(weights), mmap.mmap) and weights.ctypes.data % 64 == 0
        assert not weights.flags.writeable
    assert isinstance(base_of(load_model(path, mmap=False).output_weights), bytes)


def test_a_mapped_network_outlives_its_file(tmp_path):
    save_model(golden("wide"), tmp_path / "model")
    network = load_model(tmp_path / "model")
    save_model(golden("bools"), tmp_path / "model")
    assert network == golden("wide") and load_model(tmp_path / "model") == golden("bools")
    (tmp_path / "model").unlink()
    assert network == golden("wide")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open descriptors are not to be seen")
@pytest.mark.parametrize("mapped", [True, False])
def test_loaded_networks_hold_no_descriptor(mapped):
    if mapped and sys.version_info < (3, 13):
        pytest.skip("before Python 3.13 a map holds one")
    before = len(os.listdir("/proc/self/fd"))
    networks = [load_model(GOLDEN[0], mmap=mapped) for _ in range(20)]
    assert len(os.listdir("/proc/self/fd")) == before and networks[0] == networks[-1]


def test_loading_needs_numpy_only(tmp_path):
    others = "'sklearn', 'scipy', 'joblib', 'threadpoolctl', 'importlib.metadata', 'pickle', 'tempfile'"
    code = f"import sys, numpy; before = set(sys.modules); import skbnn; skbnn.load_model({str(GOLDEN[0])!r}); "
    code += f"sys.exit(any(name in sys.modules and name not in before for name in [{others}]))"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize("kind", [str, Path, os.fsencode], ids=["str", "Path", "bytes"])
def test_paths_are_of_any_kind(kind, tmp_path):
    save_model(golden("wide"), kind(tmp_path / "a file"))
    assert load_model(kind(tmp_path / "a file")) == golden("wide")


def test_a_path_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="path must be that of a file"):
        save_model(golden("wide"), tmp_path)
    with pytest.raises(FileNotFoundError):
        save_model(golden("wide"), tmp_path / "missing" / "model")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "missing")
    with pytest.raises(ValueError, match="path must be that of a file"):
        load_model(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    load = f"import skbnn; skbnn.load_model({str(tmp_path / 'pipe')!r})"
    done = subprocess.run([sys.executable, "-c", load], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "ValueError: path must be that of a file" in done.stderr


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=["full", "interrupt"])
def test_a_file_that_can_not_be_written_leaves_nothing_behind(function, error, tmp_path, monkeypatch):
    def fail(*_):
        raise error

    save_model(golden("wide"), tmp_path / "old")
    monkeypatch.setattr(os, function, fail)
    for name in "old", "new":
        with pytest.raises(type(error)):
            save_model(golden("bools"), tmp_path / name)
    assert os.listdir(tmp_path) == ["old"] and load_model(tmp_path / "old") == golden("wide")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_are_those_that_open_gives(tmp_path):
    before = os.umask(0o027)
    try:
        save_model(golden("wide"), tmp_path / "new")
        old = tmp_path / "old"
        old.touch()
        old.chmod(0o604)
        link = tmp_path / "link"
        link.symlink_to(old)
        save_model(golden("wide"), link)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert stat.S_IMODE(old.stat().st_mode) == 0o604 and link.is_symlink() and load_model(old) == golden("wide")


def test_a_file_with_any_byte_changed_or_any_length_raises(tmp_path):
    content = GOLDEN[0].read_bytes()
    path = tmp_path / "model"
    for at in range(len(content)):
        for changed in (content[:at], content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]):
            path.unlink(missing_ok=True)  # it may be mapped still
            path.write_bytes(changed)
            with pytest.raises(ValueError, match=r"model' is (truncated|damaged|of another kind|of format version)"):
                load_model(path)


def edited(content, change):
    """A file's content with a changed header, and the right checksum."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header = change(header) or header
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    content = len(header).to_bytes(8, "little") + header + content[start:-4]
    return content + zlib.crc32(content).to_bytes(4, "little")


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda header: header["__metadata__"].update(version="3"),
            "of format version '3'; this skbnn reads 2, a newer one wrote",
        ),
        (lambda header: header["__metadata__"].update(format="pt"), "of another kind"),
        (lambda header: header["__metadata__"].update(format=None), "of another kind"),
        (lambda header: header.pop("__metadata__") and None, "of another kind"),
        (lambda header: header["__metadata__"].update(output="relu"), "damaged: output must be one of"),
        (lambda header: header["bias"].update(dtype="F128"), "damaged: array 'bias' is of an unknown dtype"),
        (lambda header: header["bias"].update(dtype=["I32"]), "damaged: array 'bias' is of an unknown dtype"),
        (lambda header: header["bias"].update(dtype="F32"), "damaged: array 'bias' has dtype float32, expected one of"),
        (lambda header: header["bias"].update(shape=[2**70]), "damaged: the shape of array 'bias' does not fit"),
        (lambda header: header["bias"].update(shape=[]), "damaged: the shape of array 'bias' does not fit"),
        (lambda header: header["bias"].update(shape=[True]), "damaged: the shape of array 'bias' does not fit"),
        (lambda header: header["bias"].update(shape=[0, 2**70]), "damaged: the shape of array 'bias' does not fit"),
        (lambda header: header["bias"].update(data_offsets=[0, 2**64]), "'bias' does not say where it lies"),
        (lambda header: header["bias"].update(data_offsets=[0, 4]), "damaged: an array starts at byte"),
        (lambda header: header["bias"].update(more=1), "damaged: the entry of 'bias' is not an array's"),
        (lambda header: header.update(bias=header.pop("factor")), "damaged: an array starts at byte"),
        (lambda header: header.update(extra=header.pop("bias")), "damaged: it lacks array 'bias'"),
        (lambda header: header.update(sum=header.pop("checksum")), "damaged: its checksum is not where it should be"),
        (lambda header: header["offsets"].update(shape=[2, 4]), "damaged: offsets must have 1 dimensions"),
        (lambda header: json.dumps(header).replace('"bias"', '"scale"').encode(), "damaged: .* a key occurs twice"),
        (lambda _: b'{"a":' + b"[" * 50_000, "damaged: its header can't be read"),
        (lambda _: b'{"a":' + b"9" * 50_000 + b"}", "damaged: its header can't be read"),
        (lambda _: b'{"a":NaN}', "of another kind"),
        (lambda _: b"{" + b" " * 2**16 + b"}", "of another kind, .* no header of at most 65536 bytes"),
        (lambda _: b"[1]", "of another kind, .* no header"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(change, message, tmp_path):
    (tmp_path / "model").write_bytes(edited(GOLDEN[0].read_bytes(), change))
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path / "model")


def test_files_of_other_kinds_are_refused(tmp_path):
    path = tmp_path / "model"
    for content in (b"", b"skbnn", b"\x80\x04\x95" + b"0" * 50, b"PK\x03\x04" + b"0" * 50, b'{"a": 1, "b": 2, "c": 3}'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"model' is (truncated, or )?of another kind"):
            load_model(path)


def test_more_hidden_layers_than_a_header_holds_are_refused():
    arrays = {f"hidden.{number}.weights": np.zeros((1, 1, 1, 8), np.uint64) for number in range(1000)}
    with pytest.raises(ValueError, match="can't have 1000 arrays; 350 hidden layers fit"):
        written({}, arrays)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_reader_of_the_documentation_reads_the_same_arrays(path):
    page = Path(__file__).parents[1] / "doc" / "model_file.rst"
    if not page.is_file():
        pytest.skip("the documentation is not here")
    block = page.read_text().split("A reader\n--------", 1)[1].split(".. code-block:: python\n", 1)[1]
    names = {}
    exec(textwrap.dedent(block.split("\n\nThis reader", 1)[0]), names)
    metadata, arrays = names["read"](path)
    expected_metadata, expected = read(memoryview(path.read_bytes()))
    assert metadata == expected_metadata and arrays.pop("checksum").shape == (1,) and arrays.keys() == expected.keys()
    for name, array in expected.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_safetensors_reads_the_same_arrays(path):
    safetensors = pytest.importorskip("safetensors")
    arrays = pytest.importorskip("safetensors.numpy").load_file(path)
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata()["format"] == "skbnn.PackedNetwork"
    network = load_model(path)
    assert arrays.pop("checksum") == zlib.crc32(path.read_bytes()[:-4])
    for name, array in arrays.items():
        room, _, part = name.rpartition(".")
        if room.startswith("hidden."):
            expected = network.layers[int(room[7:])][part == "thresholds"]
        elif name.startswith(("classes.", "categories")) or name == "feature_names":
            continue
        else:
            expected = getattr(network, name.replace(".", "_"))
        np.testing.assert_array_equal(array, expected)
    last = len(network.layers) - 1
    hidden = {"hidden.0.weights", f"hidden.{last}.thresholds"} if network.layers else set()
    assert {"thresholds", "offsets", "output.weights", "bias"} | hidden < set(arrays)


@pytest.mark.parametrize(
    "model, data",
    [
        (BinaryMLPClassifier((8,), max_iter=2, random_state=0), load_iris(return_X_y=True)),
        (BinaryMLPRegressor((8,), max_iter=2, random_state=0, n_components=2), load_diabetes(return_X_y=True)),
    ],
    ids=["classifier", "regressor"],
)
def test_whole_estimators_survive_skops(model, data):
    skops = pytest.importorskip("skops.io")
    X, y = data
    dumped = skops.dumps(model.fit(X, y))
    trusted = skops.get_untrusted_types(data=dumped)
    assert all(name.startswith("skbnn.") for name in trusted)
    again = skops.loads(dumped, trusted=trusted)
    assert again.packed_ == model.packed_
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.partial_fit(X, y).packed_ == model.partial_fit(X, y).packed_
