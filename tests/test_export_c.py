"""The exported C against the packed network, bit for bit, by every compiler at hand."""

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.encoding.tables import to_numbers
from skbnn.export import c_footprint, to_c
from skbnn.export.c import DTYPES, KEYWORDS
from skbnn.packed import PackedNetwork, reference

random_state = runpy.run_path(str(Path(__file__).with_name("test_packed.py")))["random_state"]

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
COMPILERS = [
    ["gcc", "-std=c99", "-O0"],
    ["gcc", "-std=c99", "-O2"],
    ["gcc", "-std=c99", "-O3", "-march=native"],
    ["gcc", "-std=c99", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover"],
    ["clang", "-std=c99", "-O0"],
    ["clang", "-std=c99", "-O3", "-march=native"],
    ["g++", "-std=c++11", "-O2"],
    ["clang++", "-std=c++11", "-O2"],
]

KINDS = {
    "softmax": {},
    "bits alone": {"steps": False, "lines": False},
    "no hidden layer": {"hidden": ()},
    "one unit": {"hidden": (1,), "n_features": 3},
    "members": {"n_members": 3, "hidden": (33, 7, 129), "lines": False},
    "two classes": {"output": "logistic", "n_outputs": 1},
    "labels": {"output": "logistic", "steps": False},
    "a value": {"output": "identity", "n_outputs": 1, "n_members": 2},
    "wide values": {"output": "identity", "most_score": 2**35, "n_components": 2},
    "components alone": {"n_features": 5, "n_components": 20, "most": 9, "bits_of_features": False},
    "an image": {"most": 1, "n_features": 300, "hidden": (256, 64), "steps": False, "lines": False},
    "many bits": {"most": 300, "n_features": 3, "hidden": (40,)},
    "missing values and categories": {"odd": True, "n_components": 2},
    "categories without steps": {"odd": True, "most": 9, "steps": False, "lines": False},
    "a bit of each": {"odd": True, "most": 1, "lines": False, "output": "identity", "n_outputs": 1},
}


def network_for(dtype, seed=0, *, bits_of_features=True, **kwargs):
    """A random network that rows of the dtype can go through, with ties between rows and thresholds."""
    state = random_state(seed, **kwargs)
    n_features = state["components"].shape[1]
    state["slopes"] = state["slopes"].astype(np.float32)
    state["components"] = np.rint(state["components"] * 1024) / 1024
    if not bits_of_features:
        n_bits, first = state["layer_sizes"][0], state["offsets"][n_features]
        state["thresholds"] = np.sort(state["thresholds"])
        state["offsets"] = np.maximum(state["offsets"] - first, 0)
        state["offsets"][-1] = n_bits
    if np.dtype(dtype).kind in "iu":  # halves from 1.5, and whole numbers
        offsets = state["offsets"]
        columns = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        of_features = columns < n_features
        state["thresholds"][of_features] = 4 * state["thresholds"][of_features] + 9.5 + 20
        state["ranges"] = 4 * state["ranges"] + 30
    if np.dtype(dtype).kind == "u":  # the largest code stands for NaN, but is a number in arithmetic
        state["components"][:, state["nominal"]] = 0
        state["slopes"][:, state["nominal"] if state["slopes"].size else []] = 0
    return PackedNetwork(**state)


def rows_for(network, dtype, n_rows=24):
    """Rows of the dtype; some at the ends of its range, and beyond."""
    rng = np.random.default_rng(1)
    X = rng.integers(-10, 11, size=(n_rows, network.n_features_in))
    if np.dtype(dtype).kind == "f":
        X = (X / 4).astype(dtype)
        limits = np.finfo(dtype)
        for row, value in zip(X, [np.nan, -0.0, limits.max, limits.min, limits.tiny, np.inf, -np.inf], strict=False):
            row[:] = value
        odd = rng.choice([np.nan, -np.nan, np.inf, -np.inf], size=X.shape)
        X[7:] = np.where(rng.random(X.shape) < 0.2, odd, X)[7:]
    else:
        X = (X + 30).astype(dtype)
        X[0], X[1] = np.iinfo(dtype).min, np.iinfo(dtype).max
    return X


def integer_scores(network, X):
    """What C is to give."""
    if X.dtype.kind == "u" and network.nominal.any():
        X, largest = X.astype(np.float64), np.iinfo(X.dtype).max
        X[(largest == X) & network.nominal] = np.nan
    return network.integer_scores(X)


def program(networks, dtypes, folder):
    """C that reads rows of each network in turn from stdin, each with their number before, and prints the scores."""
    text = "#include <stdio.h>\n"
    for i, (network, dtype) in enumerate(zip(networks, dtypes, strict=True)):
        to_c(network, folder / f"m{i}.h", name=f"m{i}", dtype=dtype)
        text += f'#include "m{i}.h"\n'
    text += "int main(void)\n{\n    uint32_t n;\n"
    for i in range(len(networks)):
        text += f"""
    if (fread(&n, sizeof n, 1, stdin) != 1)
        return 1;
    while (n--) {{
        m{i}_input_t x[m{i}_n_features];
        m{i}_score_t scores[m{i}_n_outputs];
        if (fread(x, sizeof x, 1, stdin) != 1)
            return 1;
        m{i}_scores(x, scores);
        for (int o = 0; o < m{i}_n_outputs; o++)
            printf("%lld\\n", (long long)scores[o]);
    }}
"""
    return text + "    return 0;\n}\n"


def run(command, text, data, folder):
    """Standard output of a C program."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not here")
    source = folder / ("main.cpp" if "++" in command[0] else "main.c")
    source.write_text(text)
    compiled = subprocess.run(
        [*command, *WARNINGS, source, "-o", folder / "main"], capture_output=True, text=True, cwd=folder
    )
    assert not compiled.returncode, compiled.stderr[:2000]
    return subprocess.run([folder / "main"], input=data, capture_output=True, check=True).stdout


def scores_in_c(command, cases, folder):
    """Scores of all cases, (network, rows), one after the other; compiled and run once."""
    networks, rows = zip(*cases, strict=True)
    data = b"".join(np.uint32(len(X)).tobytes() + X.tobytes() for X in rows)
    return np.array(run(command, program(networks, [X.dtype for X in rows], folder), data, folder).split(), np.int64)


def assert_same_scores(command, cases, folder):
    expected = [integer_scores(network, X).ravel() for network, X in cases]
    np.testing.assert_array_equal(scores_in_c(command, cases, folder), np.concatenate(expected))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_kind_of_network_gives_the_same_scores(dtype, tmp_path):
    networks = [network_for(dtype, seed, **kwargs) for seed, kwargs in enumerate(KINDS.values())]
    assert_same_scores(COMPILERS[0], [(network, rows_for(network, dtype)) for network in networks], tmp_path)


@pytest.mark.parametrize("command", COMPILERS, ids=" ".join)
def test_every_compiler_gives_the_same_scores_and_no_warning(command, tmp_path):
    cases = []
    for seed, kwargs in enumerate(KINDS.values(), COMPILERS.index(command)):  # other dtypes for each compiler
        dtype = DTYPES[seed % len(DTYPES)]
        network = network_for(dtype, seed + 100, **kwargs)
        cases.append((network, rows_for(network, dtype)))
    assert_same_scores(command, cases, tmp_path)


def test_rows_with_all_inputs_on_or_off_and_all_between(tmp_path):
    cases = []
    for n_features in (1, 2, 31, 32, 33, 100):
        network = network_for("int16", most=1, n_features=n_features, hidden=(70,), lines=False)
        X = np.tri(n_features + 1, n_features, -1, np.int16) * 100
        cases.append((network, X))
    assert_same_scores(COMPILERS[1], cases, tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_random_shapes_give_the_same_scores(seed, tmp_path):
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(8):
        dtype = DTYPES[rng.integers(len(DTYPES))]
        n_features = int(rng.integers(1, 80))
        network = network_for(
            dtype,
            int(rng.integers(1000)),
            n_features=n_features,
            most=int(rng.integers(1, 12)),
            hidden=tuple(rng.integers(1, 150, size=rng.integers(0, 4)).tolist()),
            n_components=int(rng.integers(0, 3)),
            n_members=int(rng.integers(1, 3)),
            n_outputs=int(rng.integers(1, 5)),
            per_output=int(rng.integers(1, 9)),
            output="identity",
            steps=bool(rng.integers(2)),
            lines=bool(rng.integers(2)),
            most_score=int(2 ** rng.integers(2, 36)),
            odd=bool(rng.integers(2)),
        )
        cases.append((network, rows_for(network, dtype)))
    assert_same_scores(COMPILERS[1], cases, tmp_path)


def answers(network, X, body, folder):
    """What C prints that runs ``body`` for each row x; the network is ``model``."""
    to_c(network, folder / "model.h", dtype=X.dtype)
    text = f"""
#include <stdio.h>
#include "model.h"
int main(void) {{
    model_input_t x[model_n_features];
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        {body}
    }}
    return 0;
}}
"""
    return run(COMPILERS[1], text, X.tobytes(), folder).decode().split()


@pytest.mark.parametrize("output, n_outputs", [("softmax", 3), ("logistic", 1)])
def test_classes_are_those_of_the_network(output, n_outputs, tmp_path):
    network = network_for("float32", output=output, n_outputs=n_outputs, most_score=3, lines=False)
    names = ["plain", 'two "words" \\ ??/', "grün 7"][: max(2, n_outputs)]
    X = rows_for(network, "float32", 200)
    assert output == "logistic" or ties(network.integer_scores(X))
    predicted = network.named(classes=names).predict(X)
    body = "puts(model_classes[model_predict(x)]);"
    assert " ".join(answers(network.named(classes=names), X, body, tmp_path)) == " ".join(predicted)
    numbers = [-7, 5, 2**40][: len(names)]
    body = 'printf("%lld ", (long long)model_classes[model_predict(x)]);'
    assert list(map(int, answers(network.named(classes=numbers), X, body, tmp_path))) == [
        numbers[i] for i in network.predict(X)
    ]


def ties(scores):
    """Whether a row has two largest scores."""
    return ((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1).any()


@pytest.mark.parametrize("classes", [[False, True], [0.5, -1e300], np.array([1, 2**63], np.uint64)])
def test_labels_that_are_not_text_are_numbers(classes, tmp_path):
    network = network_for("float32", output="logistic", n_outputs=1).named(classes=classes)
    body = 'printf("%.17g %.17g ", (double)model_classes[0], (double)model_classes[1]);'
    X = rows_for(network, "float32", 4)
    assert [float(label) for label in answers(network, X, body, tmp_path)] == [float(label) for label in classes] * 4


def test_labels_of_multilabel_classifiers(tmp_path):
    network = network_for("int8", output="logistic", n_outputs=3)
    X = rows_for(network, "int8")
    body = 'uint8_t labels[3]; model_predict(x, labels); printf("%d %d %d ", labels[0], labels[1], labels[2]);'
    assert list(map(int, answers(network, X, body, tmp_path))) == network.predict(X).ravel().tolist()


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_values_of_regressors(n_outputs, tmp_path):
    network = network_for("float64", output="identity", n_outputs=n_outputs, n_components=2)
    X = rows_for(network, "float64")
    body = (
        'printf("%.17g ", model_predict(x));'
        if n_outputs == 1
        else 'double y[2]; model_predict(x, y); printf("%.17g %.17g ", y[0], y[1]);'
    )
    assert list(map(float, answers(network, X, body, tmp_path))) == network.predict(X).ravel().tolist()
    assert "model_predict" not in to_c(network_for("int8", output="identity"), dtype="int8")


def test_exponents_are_the_units_of_scores(tmp_path):
    state = network_for("float32", output="identity", n_outputs=3)._content()
    network = PackedNetwork(**{**state, "factor": np.array([2.0**-1074, 1.0, 2.0**900])})
    X = rows_for(network, "float32", 4)
    body = 'printf("%d %d %d ", model_exponents[0], model_exponents[1], model_exponents[2]);'
    assert answers(network, X, body, tmp_path) == ["-1074", "0", "900"] * 4


def test_fitted_models(tmp_path):
    digits, y = load_digits(return_X_y=True)
    many, labels = make_multilabel_classification(300, n_features=7, random_state=0)
    diabetes, values = load_diabetes(return_X_y=True)
    small = {"max_iter": 3, "random_state": 0, "dropout": 0.0}
    models = [
        (BinaryMLPClassifier((100,), **small).fit(digits, y), digits[:200].astype(np.uint8)),
        (BinaryMLPClassifier((40, 30), n_components=3, **small).fit(digits, y > 4), digits[:200].astype(np.float32)),
        (BinaryMLPClassifier((64,), **small).fit(many, labels), many[:200].astype(np.int16)),
        (BinaryMLPRegressor((50,), n_components=5, **small).fit(diabetes, values), diabetes[:200]),
        (BinaryMLPRegressor((50,), **small).fit(digits, np.c_[y, -y]), digits[:200].astype(np.int8)),
    ]
    assert (
        models[3][0].packed_.slopes.size and models[3][0].packed_.components.size and models[4][0].packed_.slopes.size
    )
    assert_same_scores(COMPILERS[2], [(model.packed_, X) for model, X in models], tmp_path)
    for model, X in models:
        np.testing.assert_array_equal(model.packed_.integer_scores(X), reference.integer_scores(model.packed_, X))


@pytest.mark.parametrize("init, dtypes", [("additive", DTYPES[:2]), ("constant", DTYPES[2:])])
def test_fitted_models_of_categories(init, dtypes, tmp_path):
    rng = np.random.default_rng(0)
    X = np.c_[rng.integers(0, 50, 600), rng.integers(0, 5, 600), rng.integers(0, 100, 600)].astype(float)
    X[::7, 1] = np.nan
    y = np.sin(X[:, 0]) + (X[:, 1] == 2) > X[:, 2] / 100
    options = {"categorical_features": [0, 1], "n_components": 0, "max_iter": 5, "random_state": 0, "init": init}
    model = BinaryMLPClassifier((16,), **options).fit(X, y)
    network, codes = model.packed_.named(), to_numbers(X, model.packed_.categories)
    assert network.nominal.tolist() == [False, True, False] and network.offsets[1] > 1
    np.testing.assert_array_equal(network.integer_scores(codes), model.packed_.integer_scores(X))
    known = model.packed_
    cases = [(known, codes.astype(dtype)) for dtype in dtypes]
    out = scores_in_c(COMPILERS[1], cases, tmp_path).reshape(len(cases), -1)
    np.testing.assert_array_equal(out, [network.integer_scores(codes)[:, 0]] * len(cases))


def ladder(thresholds, **changes):
    """A network of one feature whose scores tell which thresholds are reached."""
    n = len(thresholds)
    state = random_state(0, n_features=1, most=1, hidden=(), lines=False)
    sizes = [n, *state["layer_sizes"][1:]]
    steps = 2 ** np.arange(n) * np.ones((3, 1), int)
    state |= {"thresholds": thresholds, "offsets": [0, n], "layer_sizes": sizes, "steps": steps}
    return PackedNetwork(**{**state, **changes})


def test_thresholds_beyond_float32_and_near_zero(tmp_path):
    network = ladder([-1e300, -1e-300, -0.0, 1e-300, 1.0 + 1e-12, 1e300])
    one = np.float32(1)
    values = [np.finfo(np.float32).min, -1e-45, -0.0, 0.0, 1e-45, one, np.nextafter(one, 2 * one), 3e38]
    assert_same_scores(COMPILERS[1], [(network, np.array(values, np.float32)[:, np.newaxis])], tmp_path)


def test_a_missing_value_is_exact_between_two_float32(tmp_path):
    networks = [ladder(t) for t in ([0, 1 + 1e-12, 1 + 2e-12], [0, 1 + 1e-12, 1 + 1e-12], [0, 3e300, 4e300], [7])]
    values = np.array([np.nan, -np.inf, 0, 1, np.nextafter(np.float32(1), np.float32(2)), 3e38, np.inf], np.float32)
    cases = [(network, values[:, np.newaxis]) for network in networks]
    assert len(set(networks[0].integer_scores(values[[0, 1, 2, 4]][:, np.newaxis])[:, 0])) == 4
    assert_same_scores(COMPILERS[1], cases, tmp_path)


def with_missing(codes, dtype):
    """Codes as a dtype, with what stands for NaN."""
    if np.dtype(dtype).kind != "f":
        codes = np.where(np.isnan(codes), np.iinfo(dtype).max if dtype.startswith("u") else -1, codes)
    return codes.astype(dtype)


@pytest.mark.parametrize("labels", [("a", "*/ b /* \\", "??/", None), (3.5, 1, 2, 0), None])
def test_codes_of_categories(labels, tmp_path):
    network = ladder(range(4), nominal=[True])
    named = network.named(categories=[labels], feature_names=["*/"]) if labels else network
    codes = np.array([[np.nan], [0], [1], [2], [3], [4], [100], [0.5]])
    expected = network.integer_scores(codes)
    assert len(set(expected[:, 0])) == 5
    cases = [(named, with_missing(codes, dtype)) for dtype in DTYPES]
    out = scores_in_c(COMPILERS[2], cases, tmp_path).reshape(len(cases), *expected.shape)
    np.testing.assert_array_equal(out[:2], [expected] * 2)
    np.testing.assert_array_equal(out[2:, :-1], [expected[:-1]] * (len(cases) - 2))


@pytest.mark.parametrize("thresholds", [[0.5, 1.5, 2.5], [-np.inf, 0.5, 1.5], [0.2, 1.1, 1.2, 1.3], [-np.inf], [1.5]])
def test_codes_in_an_order(thresholds, tmp_path):
    codes = np.array([[np.nan], [0], [1], [2], [3]])
    network = ladder(thresholds).named(categories=[list("abcd")])
    cases = [(network, with_missing(codes, dtype)) for dtype in DTYPES]
    out = scores_in_c(COMPILERS[2], cases, tmp_path).reshape(len(cases), 5, 3)
    np.testing.assert_array_equal(out, [network.named().integer_scores(codes)] * len(cases))


def test_integers_are_there(tmp_path):
    networks = [ladder([-np.inf, 5]), ladder([-np.inf]), ladder([-np.inf, 2], nominal=[True])]
    cases = [(network, np.array([[0], [5], [100]], dtype)) for network in networks for dtype in DTYPES]
    assert_same_scores(COMPILERS[1], cases, tmp_path)


@pytest.mark.parametrize("dtype, most", [("int8", 128), ("uint8", 255), ("uint16", 300)])
def test_more_categories_than_codes_raise(dtype, most):
    network = ladder(range(9), nominal=[True])
    to_c(network.named(categories=[range(most)]), dtype=dtype)
    if most < 300:
        with pytest.raises(ValueError, match=f"feature 0 has {most + 1} categories, and dtype {dtype} {most} codes"):
            to_c(network.named(categories=[range(most + 1)]), dtype=dtype)


def test_thresholds_all_over_the_range_of_integers(tmp_path):
    cases = []
    for dtype in DTYPES[2:]:
        least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        middle, some = (least + most) // 2, min(most, 30_000)
        ladders = [least + 1, middle, most], [middle + 1], [most], [least + 1], [some - 1, some], [some, most - 1]
        for whole in map(sorted, ladders):
            values = sorted({min(max(t + d, least), most) for t in whole for d in (-1, 0, 1)} | {least, most})
            cases.append((ladder([t - 0.5 for t in whole]), np.array(values, dtype)[:, np.newaxis]))
    for command in (COMPILERS[1], COMPILERS[-1]):
        assert_same_scores(command, cases, tmp_path)


def test_a_header_of_integers_has_no_floating_point():
    for kwargs in KINDS.values():
        header = to_c(network_for("int16", **kwargs), dtype="int16")
        assert not re.search(r"\b(float|double)\b|\d\.\d", re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL))
        assert set(re.findall(r"#include <(.*)>", header)) == {"stdint.h", "string.h"}


def test_all_names_start_with_the_name_and_nothing_is_allocated():
    for dtype in ("float32", "uint8"):
        header = to_c(network_for(dtype, n_components=2), name="abc", dtype=dtype)
        code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
        outer = re.findall(r"^(?:static|typedef|#define)\b.*?(\w+)(?:\[|\(|;| \()", code, re.MULTILINE)
        outer += re.findall(r"^    (\w+) = \d+,$", code, re.MULTILINE)
        assert len(outer) > 15 and all(name.startswith("abc_") for name in outer), outer
        assert "alloc" not in code and "NAME" not in code


def test_the_file_is_replaced_at_once(tmp_path):
    network, path = network_for("float32"), tmp_path / "model.h"
    path.write_text("old")
    header = to_c(network, path)
    assert path.read_text() == header == to_c(network, str(path)) and [*tmp_path.iterdir()] == [path]
    with pytest.raises(FileNotFoundError):
        to_c(network, tmp_path / "nowhere" / "model.h")


@pytest.mark.parametrize("name", ["", "7up", "a-b", "naïve", "_x", "x_", "a__b", "a b", "int", "class", None, 3, b"x"])
def test_what_is_no_identifier_raises(name):
    with pytest.raises(
        ValueError,
        match=re.escape(
            f"name must be a C identifier, no keyword, of letters, digits and "
            f"single underscores between them, got {name!r}"
        ),
    ):
        to_c(network_for("float32"), name=name)


@pytest.mark.parametrize("name", ["x", "Model_2", "e"])
def test_other_names_are_identifiers(name, tmp_path):
    network = network_for("float32")
    header = to_c(network, name=name)
    assert name not in KEYWORDS and f"static inline int {name}_predict(const {name}_input_t *x)" in header


@pytest.mark.parametrize("dtype", ["float16", "bool", "int64", "uint64", "complex64", "U3", "nonsense", None, 3])
def test_other_dtypes_raise(dtype):
    with pytest.raises(ValueError, match=r"dtype must be one of \('float32', .*, got"):
        to_c(network_for("float32"), dtype=dtype)


def test_positions_in_large_tables_are_wide():
    narrow, wide = (PackedNetwork(**random_state(0, hidden=(n,), lines=False, most=1)) for n in (64, 64 * 2000))
    assert "typedef uint16_t model_row_t;" in to_c(narrow) and "typedef uint32_t model_row_t;" in to_c(wide)
    assert c_footprint(wide).ram - c_footprint(narrow).ram > 2 * 64  # of the stack of positions, and of counts


@pytest.mark.parametrize(
    "names, message",
    [
        ({"classes": ["é" * 2048, "b", "c"]}, "class 'é.* has more than the 4095 bytes that a string of C may have"),
        ({"classes": np.array(["a" * 4096, 1, 2], object)}, "class 'a.* has more than the 4095 bytes"),
        ({"classes": ["\ud800", "b", "c"]}, r"'\\ud800' is not valid Unicode, so the header can't name it"),
        ({"categories": [["\ud800"], *[None] * 29]}, "is not valid Unicode"),
        ({"categories": [["a"], *[None] * 29], "feature_names": ["\ud800"] * 30}, "is not valid Unicode"),
    ],
)
def test_labels_that_c_can_not_have_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        to_c(PackedNetwork(**random_state(0, hidden=(8,), lines=False)).named(**names))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not here")
def test_the_longest_labels_compile(tmp_path):
    labels = ["é" * 2047, "b" * 4095, "c"]
    network = PackedNetwork(**random_state(0, hidden=(8,), lines=False)).named(classes=labels)
    main = "#include <stdio.h>\nint main(void) { for (int i = 0; i < 3; i++) puts(model_classes[i]); }\n"
    (tmp_path / "main.c").write_text(to_c(network) + main)
    command = ["gcc", "-std=c99", "-Werror=overlength-strings", tmp_path / "main.c", "-o", tmp_path / "main"]
    subprocess.run(command, check=True)
    said = subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout.decode()
    assert said.splitlines() == labels


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not here")
def test_labels_are_what_they_are(tmp_path):
    labels = ["NAME_a", 'b"\\??/', "é"]
    network = PackedNetwork(**random_state(0, hidden=(8,), lines=False)).named(classes=labels)
    text = to_c(network, name="net")
    main = "#include <stdio.h>\nint main(void) { for (int i = 0; i < 3; i++) puts(net_classes[i]); }\n"
    (tmp_path / "main.c").write_text(text + main)
    subprocess.run(["gcc", "-std=c99", tmp_path / "main.c", "-o", tmp_path / "main"], check=True)
    said = subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout.decode()
    assert said.splitlines() == labels
    with pytest.raises(ValueError, match="classes must be finite to be numbers of C"):
        to_c(network.named(classes=[1.0, np.nan, 2.0]))


def test_what_is_no_network_raises():
    with pytest.raises(TypeError, match="must be fitted"):
        to_c(BinaryMLPClassifier())


def changed(dtype, change, **kwargs):
    """A network for the dtype, with some of its content changed."""
    state = network_for(dtype, n_components=1, **kwargs)._content()
    return PackedNetwork(**{**state, **change(state)})


@pytest.mark.parametrize(
    "dtype, change, message",
    [
        (
            "uint8",
            lambda s: {"thresholds": s["thresholds"] * 100},
            "threshold .* of feature 'x[0-9]+' tells no values of",
        ),
        ("int8", lambda s: {"thresholds": s["thresholds"] - 200}, "of dtype int8 apart, which are from -128 to 127"),
        ("uint8", lambda s: {"thresholds": s["thresholds"] / 200}, "can't tell thresholds .* apart"),
        ("uint8", lambda s: {"ranges": s["ranges"] + 0.5}, "was fitted to values from .* to .*, which are not of"),
        ("uint8", lambda s: {"ranges": s["ranges"] + 1000}, "feature 'x0' was fitted to values from"),
        ("uint8", lambda s: {"slopes": s["slopes"] / 3}, "the slope of feature .* needs more than 53 bits"),
        ("int8", lambda s: {"thresholds": np.where(s["thresholds"] > 29, np.inf, s["thresholds"])}, "threshold inf of"),
        (
            "uint8",
            lambda s: {"components": s["components"] / 3},
            "component 0, .*, needs [0-9]+ bits where",
        ),
    ],
)
def test_integers_that_cannot_take_a_networks_features_raise(dtype, change, message):
    named = changed(dtype, change).named(classes=list("abc"), feature_names=[f"x{i}" for i in range(30)])
    with pytest.raises(ValueError, match=message):
        to_c(named, dtype=dtype)
    to_c(named, dtype="float32")
