"""``python -m skbnn``: what it prints, predicts and writes, and how it says what is wrong."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, save_model
from skbnn.__main__ import main
from skbnn.export import to_c

NAMES = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models by name, and a table that has a column more than they know."""
    X, y = load_iris(return_X_y=True)
    path = tmp_path_factory.mktemp("models")
    models = {
        "classes": BinaryMLPClassifier((16,), max_iter=5, random_state=0).fit(X, np.array(["se", "ve", "vi"])[y]),
        "two": BinaryMLPClassifier((16,), max_iter=5, random_state=0).fit(X, y > 0),
        "labels": BinaryMLPClassifier((16,), max_iter=5, random_state=0).fit(X, np.eye(3, dtype=int)[y]),
        "reals": BinaryMLPRegressor((16,), max_iter=5, random_state=0).fit(X, np.c_[y, -y]),
    }
    for name, model in models.items():
        save_model(model.packed_.named(classes=model.packed_.classes, feature_names=NAMES), path / name)
    save_model(models["classes"], path / "nameless")
    table = np.c_[y, X[:, ::-1]]
    np.savetxt(path / "table.csv", table, "%.17g", ",", header="y,d,c,b,a", comments="")
    np.savetxt(path / "plain.csv", X, "%.17g", ",")
    return path, models, X


def run(capsys, *arguments):
    main([str(argument) for argument in arguments])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["classes", "two", "labels", "reals"])
@pytest.mark.parametrize("table", ["table.csv", "plain.csv"])
def test_predictions_are_the_models(folder, capsys, name, table):
    path, models, X = folder
    header, *lines = run(capsys, "predict", path / name, path / table).splitlines()
    expected = models[name].predict(X)
    assert lines == [",".join(map(str, np.atleast_1d(row).tolist())) for row in expected]
    assert header == {"labels": "prediction_0,prediction_1,prediction_2", "reals": "prediction_0,prediction_1"}.get(
        name, "prediction"
    )


@pytest.mark.parametrize("name, header", [("classes", "se,ve,vi"), ("two", "False,True")])
def test_probabilities_have_the_classes_as_titles(folder, tmp_path, name, header):
    path, models, X = folder
    main(["predict", str(path / name), str(path / "table.csv"), "--proba", "-o", str(tmp_path / "out.csv")])
    first, *lines = (tmp_path / "out.csv").read_text().splitlines()
    assert first == header
    np.testing.assert_array_equal(
        [[float(cell) for cell in line.split(",")] for line in lines], models[name].packed_.predict_proba(X)
    )


def test_standard_input_and_output(folder):
    path, models, X = folder
    command, rows = [sys.executable, "-m", "skbnn", "predict", "nameless", "-"], (path / "plain.csv").read_bytes()
    said = subprocess.run(command, input=rows, capture_output=True, check=True, cwd=path).stdout
    assert said.decode().split()[1:] == models["classes"].predict(X).tolist()


def test_info_says_what_a_model_is(folder, capsys):
    path, _, _ = folder
    said = run(capsys, "info", path / "classes")
    assert "3 classes: se, ve, vi" in said and "4: a, b, c, d" in said and "slopes" in said
    assert "2 real targets" in run(capsys, "info", path / "reals")
    assert "3 labels" in run(capsys, "info", path / "labels")


def test_tables_with_text_and_empty_cells(tmp_path, capsys):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pandas.DataFrame({"size": rng.normal(size=300), "colour": rng.choice(["red", "blue, dark", None], 300)})
    X["code"], X["age"] = rng.choice([3, 7.5], 300), rng.normal(size=300)
    X.loc[::7, "size"] = np.nan
    options = {"categorical_features": ["colour", "code"], "max_iter": 5, "random_state": 0}
    model = BinaryMLPClassifier((16,), **options).fit(X, (X["colour"] == "red") ^ (X["size"] > 0))
    save_model(model, tmp_path / "model")
    X.loc[::5, "age"], X.loc[::11, "code"], X.loc[::13, "colour"], X.loc[0, "size"] = np.nan, 9, "green", np.inf
    X.to_csv(tmp_path / "table.csv", index=False)
    main(["predict", str(tmp_path / "model"), str(tmp_path / "table.csv"), "--proba", "-o", str(tmp_path / "out.csv")])
    found = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(found, model.packed_.predict_proba(X))
    said = run(capsys, "info", tmp_path / "model")
    assert "categories:     colour of blue, dark, red, missing; code of 3.0, 7.5\n" in said


def test_the_header_is_that_of_to_c(folder, tmp_path):
    path, models, _ = folder
    main(["export-c", str(path / "classes"), "-o", str(tmp_path / "iris.h"), "--name", "iris", "--dtype", "float64"])
    assert (tmp_path / "iris.h").read_text() == to_c(models["classes"], name="iris", dtype="float64")


@pytest.mark.parametrize(
    "header, options",
    [
        ("0,1,2,3", []),  # as pandas writes a frame without names
        ("4,5,6,7", ["--header"]),
        ("\ufeffa,b,c,d", []),  # as Excel writes
        ("d,c,b,a", []),
        ("a,b,c,d\n\n", []),
        ("a;b;c;d", ["--delimiter", ";"]),
        ("", ["--no-header"]),
    ],
)
def test_headers_as_people_have_them(folder, capsys, tmp_path, header, options):
    path, models, X = folder
    order = [3, 2, 1, 0] if header == "d,c,b,a" else [0, 1, 2, 3]
    separator = options[1] if "--delimiter" in options else ","
    lines = [header] * bool(header) + [separator.join(map(repr, row.tolist())) for row in X[:9, order]]
    (tmp_path / "rows.csv").write_text("\n".join([*lines, ""]))
    name = "nameless" if header[:1].isdigit() else "classes"
    said = run(capsys, "predict", path / name, tmp_path / "rows.csv", *options).split()[1:]
    assert said == models["classes"].predict(X[:9]).tolist()


def test_numeric_names_of_the_model_are_a_header(folder, capsys, tmp_path):
    _, models, X = folder
    packed = models["classes"].packed_
    named = packed.named(classes=packed.classes, feature_names=["10", "20", "30", "40"])
    save_model(named, tmp_path / "model")
    np.savetxt(tmp_path / "rows.csv", X[:, ::-1], "%.17g", ",", header="40,30,20,10", comments="")
    said = run(capsys, "predict", tmp_path / "model", tmp_path / "rows.csv").split()[1:]
    assert said == models["classes"].predict(X).tolist()


def test_what_is_written_appears_whole_or_not_at_all(folder, tmp_path):
    path, models, X = folder
    table = tmp_path / "table.csv"
    text = (path / "table.csv").read_text()
    table.write_text(text + "1,2\n")
    with pytest.raises(SystemExit, match="line 152 has 2 columns"):
        main(["predict", str(path / "classes"), str(table), "-o", str(table)])
    assert table.read_text() == text + "1,2\n"
    table.write_text(text)
    main(["predict", str(path / "classes"), str(table), "-o", str(table)])
    assert table.read_text().split()[1:] == models["classes"].predict(X).tolist()
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_rows_are_read_as_the_dtype_that_a_model_was_fitted_to(folder, capsys, tmp_path):
    path, models, X = folder
    narrow = np.float32(X * np.pi)
    np.savetxt(tmp_path / "rows.csv", narrow, "%.9g", ",")
    said = run(capsys, "predict", path / "reals", tmp_path / "rows.csv", "--dtype", "float32").splitlines()[1:]
    np.testing.assert_array_equal(
        [[float(x) for x in line.split(",")] for line in said], models["reals"].predict(narrow)
    )


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,b,d\n1,2,3\n", "the header lacks 1 of the model's features: c"),
        ("1,2,3\n", "line 1 has 3 columns, expected the 4 features"),
        ("a,b,c,d\n1,2,3,4\n1,2,x,4\n", "line 3, column c: 'x' is no number"),
        ("1,2,3,4\n1,2,1_0,4\n", "line 2, column 3: '1_0' is no number"),
        ("1,2,3,4\n1,2,3\n", "line 2 has 3 columns, expected 4"),
        ("", "line 1 has 0 columns"),
        ("5.1,x,1.4,0.2\n7,3,6,2\n", "line 1 has numbers and other cells"),
        ("a,b,c,d,a\n1,2,3,4,5\n", "the header has a more than once"),
        ("1,2,3,1_0\n", "line 1 has numbers and other cells"),
        ("1,2,3,4\n1,2,3," + "9" * 200_000, "field larger than field limit"),
        ("a;b;c;d\n1;2;3;4\n", "line 1 has one column, 'a;b;c;d'; --delimiter"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_a_line(folder, tmp_path, text, message):
    path, _, _ = folder
    (tmp_path / "wrong.csv").write_text(text)
    with pytest.raises(SystemExit, match=f"skbnn: .*{message}"):
        main(["predict", str(path / "classes"), str(tmp_path / "wrong.csv")])


def test_errors_of_the_library_are_said_in_a_line(folder, tmp_path):
    path, _, _ = folder
    (tmp_path / "utf16.csv").write_text("a,b,c,d\n", encoding="utf-16")
    for arguments, message in [
        (["info", path / "none"], "none"),
        (["info", path / "plain.csv"], "plain.csv"),
        (["predict", path / "classes", tmp_path / "utf16.csv"], "utf16.csv' is not UTF-8"),
        (["predict", path / "reals", path / "plain.csv", "--proba"], "--proba is for classifiers"),
        (["export-c", path / "two", "-o", tmp_path / "h", "--name", "int"], "int"),
    ]:
        with pytest.raises(SystemExit, match=f"skbnn: .*{message}"):
            main(list(map(str, arguments)))


def test_the_module_runs_and_stops_when_its_reader_does(folder):
    path, _, _ = folder
    command = [sys.executable, "-m", "skbnn", "predict", path / "classes", path / "table.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=path) as process:
        assert process.stdout.readline() == b"prediction\n"
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 0
    failed = subprocess.run([*command[:3], "info", "none"], capture_output=True, text=True, cwd=path)
    assert failed.returncode == 1 and failed.stderr.startswith("skbnn: ") and "Traceback" not in failed.stderr
