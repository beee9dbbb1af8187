"""Mutated golden files: each raises ValueError, or is a network that scores as the slow truth says, in little memory.

Memory stays below ten times the file and what Python's objects for any network take.
"""

import collections
import json
import re
import runpy
import tempfile
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skbnn import load_model
from skbnn.model_file.layout import DTYPES
from skbnn.model_file.reader import read
from skbnn.model_file.writer import written

FILES = [path.read_bytes() for path in sorted(Path(__file__).parents[1].joinpath("golden").glob("*.skbnn"))]
ORACLE = runpy.run_path(str(Path(__file__).with_name("oracle.py")))
pick, rows_for, assert_scores = (ORACLE[name] for name in ("pick", "rows_for", "assert_scores"))

CASES = 20  # of an example, as hypothesis takes longer to draw one than a case takes

OBJECTS = 2**15  # bytes: what parsing a header and the objects of a network take, however small its arrays

NUMBERS = [0, 1, -1, 2, 7, 8, 63, 64, 255, 2**16, 2**31 - 1, 2**31, 2**32, 2**53, 2**62, 2**63, 2**64, 10**30, 1e308]
WILD = [*NUMBERS, float("nan"), True, None, "", "U64", "F16", "BOOL", "F128", "1", "2", "identity", "softmax"]
WILD += [[[0]], [[1, 1]], [[-1, 4]], {}, []]
OTHERS = ["checksum", "steps", "slopes", "ranges", "components", "classes", "classes.str", "feature_names", "bias"]
OTHERS += ["nominal", "categories", "categories.counts"]


def flip_bits(rng, content, _):
    """A few bits, anywhere."""
    out = np.frombuffer(content, np.uint8).copy()
    at = rng.integers(len(out), size=rng.integers(1, 9))
    out[at] ^= (1 << rng.integers(8, size=len(at))).astype(np.uint8)
    return out.tobytes()


def cut(rng, content, _):
    """The file's beginning, end, or both."""
    start, stop = sorted(rng.integers(len(content) + 1, size=2).tolist())
    return [content[:stop], content[start:], content[start:stop], content + content[start:stop]][rng.integers(4)]


def splice(rng, content, other):
    """A part of another file over, or into, a part of this."""
    start, stop = sorted(rng.integers(len(content) + 1, size=2).tolist())
    begin, end = sorted(rng.integers(len(other) + 1, size=2).tolist())
    return content[:start] + other[begin:end] + content[stop if rng.integers(2) else start + end - begin :]


def edit_header(rng, content, _):
    """A value of the header becomes another one, or a key vanishes, occurs twice or has another name."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    place, key = header, pick(rng, list(header))
    while isinstance(place[key], dict | list) and rng.integers(4):
        place = place[key]
        key = rng.integers(len(place)) if isinstance(place, list) else pick(rng, list(place))
    kind = rng.integers(6)
    if kind == 0:
        place.pop(key)
    elif kind == 1 and isinstance(place, dict):
        place[pick(rng, OTHERS)] = place.pop(key)
    else:
        place[key] = pick(rng, WILD)
    text = json.dumps(header)
    if kind == 2:
        text = re.sub(r"\d+", lambda match: str(pick(rng, NUMBERS)) if rng.integers(20) == 0 else match[0], text)
    if kind == 3:
        text = text.replace("}", "}" + ', "steps": 1', 1) if rng.integers(2) else "{" * 5000 + "[" * 9000 + text
    return with_header(text.encode(), content[start:])


def change_array(rng, content, _):
    """An array's entries, shape or dtype, all sizes and offsets kept right."""
    metadata, arrays = read(memoryview(content))
    name = pick(rng, list(arrays))
    array = arrays[name].copy()
    kind = rng.integers(5)
    if kind == 0:
        octets = array.reshape(-1).view(np.uint8)
        wild = pick(rng, [b"\xff", b"\0", b"\x7f", b"\x80", b"\xff\xff\xff\xff\xff\xff\xff\x7f", rng.bytes(8)])
        at = rng.integers(array.size) * array.itemsize
        octets[at : at + array.itemsize] = np.frombuffer((wild * array.itemsize)[-array.itemsize :], np.uint8)
    elif kind == 1:
        array = np.concatenate([array] * int(pick(rng, [2, 3, 100])), axis=rng.integers(array.ndim))
    elif kind == 2:
        array = pick(rng, [array.reshape(-1), array[np.newaxis], array[:-1], array[..., 1:], array[1:]])
    elif kind == 3:
        with np.errstate(all="ignore"):
            array = array.astype(pick(rng, list(DTYPES.values())))
    else:
        arrays[pick(rng, OTHERS[1:])] = array
    arrays[name] = array
    return b"".join(written(metadata, {name: array for name, array in arrays.items() if array.size}))


OF_BYTES, OF_MEANING = [flip_bits, cut, splice], [edit_header, change_array]


def with_header(header, data):
    """A file's content."""
    return len(header).to_bytes(8, "little") + header + data


def with_checksum(content):
    """The content as if its last bytes were the right checksum, so that the reader goes on."""
    return content[:-4] + zlib.crc32(content[:-4]).to_bytes(4, "little")


def mutated(rng, contents):
    """One of the files, mutated once or twice, mostly with the right checksum."""
    content = pick(rng, contents)
    kind = rng.integers(4)
    if kind:
        content = pick(rng, OF_MEANING)(rng, content, None)
    if kind < 2:
        content = pick(rng, OF_BYTES)(rng, content, pick(rng, contents))
    return with_checksum(content) if rng.integers(5) else content


def outcome_of(seed, folder):
    """What comes of a mutated file: the error's message without names and numbers, or "predicts".

    Beside it, the memory that it took as a share of what is allowed.
    """
    rng = np.random.default_rng(seed)
    content = mutated(rng, FILES)
    path = Path(folder, "model")
    path.unlink(missing_ok=True)  # it may be mapped still
    path.write_bytes(content)
    network, outcome, mapped = None, "predicts", rng.integers(2) == 0
    tracemalloc.start()  # for the reader alone, as it slows down all that allocates
    try:
        network = load_model(path, mmap=mapped)
        network.named().predict(np.zeros((3, network.n_features_in)))
    except ValueError as error:
        message = str(error)
        assert message.startswith(f"model file {str(path)!r} is "), message
        outcome = re.sub(r"'.*'|-?\d+", "…", ": ".join(message.split(" is ", 1)[1].split(": ")[:2]).split(", ")[0])
    finally:
        share = tracemalloc.get_traced_memory()[1] / (10 * len(content) + OBJECTS)
        tracemalloc.stop()
    assert share < 1, f"{share:.2f} of the memory allowed"
    if network is not None:
        assert_scores(network, rows_for(rng, network))
    return outcome, share


@given(st.integers(0, 2**32 - 1))
def test_a_mutated_file_raises_or_scores_as_the_slow_truth_says(seed):
    with tempfile.TemporaryDirectory() as folder:
        for case in range(CASES):
            outcome_of([seed, case], folder)


def test_mutations_lead_everywhere(tmp_path):
    outcomes, shares = zip(*(outcome_of([0, case], tmp_path) for case in range(600)), strict=True)
    outcomes = collections.Counter(outcomes)
    assert outcomes["predicts"] > 5 and len(outcomes) > 30 and 0 < max(shares) < 1
