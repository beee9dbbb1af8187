"""Summaries and figures of fitted models."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder, save_model
from skbnn.encoding.tables import to_numbers
from skbnn.inspection import LossCurveDisplay, StepsDisplay, ThresholdDisplay, WeightDisplay, summary
from skbnn.packed import PackedNetwork
from skbnn.packed.layout import unpack_bits

SMALL = {"hidden_layer_sizes": (70, 9), "max_iter": 3, "dropout": 0.0, "n_components": 2, "random_state": 0}
IRIS, KINDS = load_iris(return_X_y=True)
DIABETES, PROGRESS = load_diabetes(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def classifier():
    return BinaryMLPClassifier(**SMALL).fit(IRIS, KINDS)


@pytest.fixture(scope="module")
def regressor():
    return BinaryMLPRegressor(**SMALL).fit(DIABETES, PROGRESS)


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


LAST = "Sizes and names"


def test_a_summary_counts_weights_popcounts_and_bytes(classifier):
    packed = classifier.packed_
    rows = {row.layer: row for row in summary(classifier).rows}
    assert list(rows) == [
        "Thermometer encoding",
        "Combinations",
        "Hidden 1",
        "Hidden 2",
        "Output",
        "Additive part",
        LAST,
    ]
    n_bits, n_words = len(packed.thresholds), packed.layers[0][0].shape[2]
    assert rows["Thermometer encoding"][1:4] == (f"4 -> {n_bits}", 0, 0)
    assert rows["Hidden 1"][1:4] == (f"{n_bits} -> 70 x 2", 2 * n_bits * 70, 2 * n_words * 70)
    weights, limits = packed.layers[0]
    assert rows["Hidden 1"].nbytes == weights.nbytes + limits.nbytes // 2  # which a file holds in 16 bits
    assert rows["Hidden 1"].float32_nbytes == 4 * 2 * 70 * (n_bits + 1)
    assert rows["Hidden 2"][1:4] == ("70 -> 9 x 2", 2 * 70 * 9, 2 * 2 * 9)
    assert rows["Output"][1:4] == ("9 -> 3 x 2", 2 * 9 * 3, 2 * 3)
    assert rows["Additive part"].float32_nbytes == 4 * (packed.steps.size + packed.slopes.size + packed.ranges.size)


@pytest.mark.parametrize(
    "options",
    [{}, {"init": "constant", "hidden_layer_sizes": (), "n_components": 0}, {"categorical_features": ["sex"]}],
)
def test_a_summary_accounts_for_all_bytes(options, tmp_path):
    model = BinaryMLPRegressor(**{**SMALL, **options}, n_estimators=1).fit(DIABETES, PROGRESS)
    found = summary(model)
    save_model(model, tmp_path / "model")
    content = (tmp_path / "model").read_bytes()
    header, checksum = 8 + int.from_bytes(content[:8], "little"), 4
    assert found.total.nbytes == len(content) - header - checksum == sum(row.nbytes for row in found.rows)
    assert found.total.bits == sum(weights.size for weights in model.coefs_) == sum(row.bits for row in found.rows)


def test_a_summary_is_a_table_as_text_and_as_html(classifier):
    found = summary(classifier.packed_)
    lines, html = repr(found).split("\n"), found._repr_html_()
    assert len(lines) == len(found.rows) + 4
    for row, line in zip([*found.rows, found.total], [*lines[2:-2], lines[-1]], strict=True):
        assert line.split()[-4:] == [f"{number:,}" for number in row[2:]] and line.startswith(row.layer)
        assert f">{row.layer}</td>" in html and f">{row.nbytes:,}</td>" in html
    assert "70 -&gt; 9 x 2" in html and html.count("<tr>") == len(found.rows) + 2


def test_a_summary_is_of_a_fitted_model():
    with pytest.raises(TypeError, match="model must be"):
        summary(BinaryMLPClassifier())


def test_the_loss_is_drawn_for_each_epoch(plt, classifier):
    display = LossCurveDisplay.from_estimator(classifier)
    assert display.line_.get_xdata().tolist() == [1, 2, 3]
    assert display.line_.get_ydata().tolist() == classifier.loss_curve_
    assert display.score_ax_ is None and display.figure_ is display.ax_.figure
    assert display.ax_.get_legend().get_texts()[0].get_text() == "BinaryMLPClassifier"
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(BinaryMLPClassifier())


def test_losses_of_several_estimators_share_axes_with_scores_of_held_out_rows(plt, classifier):
    ax = LossCurveDisplay.from_estimator(classifier, name="ours", line_kw={"color": "black"}).ax_
    peer = MLPClassifier(early_stopping=True, random_state=0, n_iter_no_change=2).fit(IRIS, KINDS)
    display = LossCurveDisplay.from_estimator(peer, ax=ax)
    assert display.ax_ is ax and ax.lines[0].get_color() == "black"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ours", "MLPClassifier"]
    assert display.score_line_.get_ydata().tolist() == peer.validation_scores_


def test_a_stream_that_goes_on_from_early_stopping_has_losses_without_scores(plt):
    model = BinaryMLPClassifier((8,), max_iter=3, dropout=0.0).fit(IRIS, KINDS, X_val=IRIS, y_val=KINDS)
    display = LossCurveDisplay.from_estimator(model.partial_fit(IRIS, KINDS))
    assert display.line_.get_xdata().tolist() == [1, 2, 3, 4]
    assert display.score_line_.get_xdata().tolist() == [1, 2, 3]


@pytest.mark.parametrize("which", ["classifier", "regressor"])
def test_steps_are_what_each_feature_adds_to_the_scores(plt, request, which):
    model, X = request.getfixturevalue(which), {"classifier": IRIS, "regressor": DIABETES.to_numpy()}[which]
    packed, features = model.packed_, range(X.shape[1])
    display = StepsDisplay.from_estimator(packed, X, features)
    bits = model._state.decision.encoding.encode(X)
    expected = packed.additive.scores_of_features(X, bits, packed.offsets)
    for feature, of_feature in zip(features, expected, strict=True):
        of_feature = packed.factor * (of_feature - of_feature.mean(axis=0))
        for output, line in enumerate(display.lines_[feature]):
            found = np.interp(X[:, feature], line.get_xdata(), line.get_ydata())
            assert found == pytest.approx(of_feature[:, output], abs=1e-6 * np.abs(of_feature).max())


def test_steps_are_drawn_for_chosen_features_and_classes(plt, classifier, regressor):
    display = StepsDisplay.from_estimator(regressor, DIABETES, ["bmi", "s5"], n_cols=1)
    assert display.axes_.shape == (2, 1) and display.feature_names == ["bmi", "s5"]
    assert [ax.get_xlabel() for ax in display.axes_.flat] == ["bmi", "s5"]
    assert display.bounding_ax_ is not None and len(display.histograms_[0]) == 30
    assert len(StepsDisplay.from_estimator(regressor, DIABETES).lines_) == 6
    one = StepsDisplay.from_estimator(classifier, IRIS, 2, target=1, line_kw={"color": "red"})
    all_classes = StepsDisplay.from_estimator(classifier, IRIS, 2)
    assert one.lines_[0][0].get_ydata().tolist() == all_classes.lines_[0][1].get_ydata().tolist()
    assert one.lines_[0][0].get_color() == "red" and len(all_classes.lines_[0]) == 3
    with pytest.raises(ValueError, match=r"target must be one of \[0, 1, 2\], got 3"):
        StepsDisplay.from_estimator(classifier, IRIS, target=3)


def test_a_model_without_an_additive_part_has_no_steps_to_draw(plt):
    model = BinaryMLPClassifier(**SMALL, init="constant").fit(IRIS, KINDS)
    with pytest.raises(ValueError, match="no additive part"):
        StepsDisplay.from_estimator(model, IRIS)


def test_thresholds_are_drawn_where_they_lie(plt, regressor):
    encoder = ThermometerEncoder(5).fit(DIABETES)
    for model in regressor, encoder:
        display = ThresholdDisplay.from_estimator(model, DIABETES, ["age", 1], hist_kw={"bins": 7})
        for name, line in zip(["age", "sex"], display.lines_, strict=True):
            drawn = [segment[0, 0] for segment in line.get_segments()]
            feature = list(DIABETES).index(name)
            if model is regressor:
                expected = np.split(model.packed_.thresholds, model.packed_.offsets[1:-1])[feature]
            else:
                expected = encoder.thresholds_[feature]
            assert drawn == expected.tolist()
        assert [len(bars) for bars in display.histograms_] == [7, 7]
    assert ThresholdDisplay.from_estimator(encoder, DIABETES).feature_names[0] == "age"


def test_weights_are_parts_of_the_units_sums(plt):
    model = BinaryMLPRegressor(**{**SMALL, "n_components": 0}).fit(DIABETES, PROGRESS)
    X, units = DIABETES.to_numpy(), [0, 69, 139]
    display = WeightDisplay.from_estimator(model, features=range(10), units=units)
    encoding = model._state.decision.encoding
    sums = unpack_bits(encoding.encode(X), encoding.n_bits).astype(int) @ model.coefs_[0][:, units]
    found = np.zeros(sums.shape)
    for feature, lines in enumerate(display.lines_):
        for place, line in enumerate(lines):
            at = np.searchsorted(line.get_xdata()[1:-1], X[:, feature], side="right")
            found[:, place] += line.get_ydata()[at]
    assert found.tolist() == sums.tolist() and display.images_ is None


def test_weights_on_pixels_are_images(plt):
    X, y = load_digits(return_X_y=True)
    model = BinaryMLPClassifier(**{**SMALL, "n_components": 0}, n_thresholds=3, init="constant").fit(X, y)
    display = WeightDisplay.from_estimator(model, units=[5, 100], image_shape=(8, 8))
    columns = np.split(model.coefs_[0][:, 100].astype(int), model.packed_.offsets[1:-1])
    assert display.images_[1].get_array().ravel().tolist() == [column.sum() for column in columns]
    assert display.images_[0].get_clim() == display.images_[1].get_clim() and display.lines_ is None
    assert [ax.get_title() for ax in display.axes_.flat] == ["Unit 5", "Unit 100"]
    with pytest.raises(ValueError, match=r"image_shape=\(8, 9\) does not fit 64 features"):
        WeightDisplay.from_estimator(model, image_shape=(8, 9))
    with pytest.raises(ValueError, match=r"units must be from 0 to 139, got \[140\]"):
        WeightDisplay.from_estimator(model, units=140)


@pytest.fixture(scope="module")
def mixed():
    """A frame with missing values and categories, few and many, and a model of it."""
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pandas.DataFrame({"size": rng.normal(size=500), "colour": rng.choice(["red", "blue", None], 500)})
    X["town"], X["age"] = [f"t{town}" for town in rng.integers(0, 40, 500)], rng.normal(size=500)
    X.loc[::7, "size"] = np.nan
    y = X["size"].fillna(1) + 2.0 * (X["colour"] == "red") + X["town"].str[1:].astype(float) / 20
    return BinaryMLPRegressor(**{**SMALL, "n_components": 0}).fit(X, y), X


def test_missing_values_and_categories_are_drawn(plt, mixed):
    model, X = mixed
    packed = model.packed_
    X = X.assign(age=X["age"].where(X.index % 9 > 0))  # whose missing values count as its middle threshold
    X.loc[0, "size"] = np.inf
    display = StepsDisplay.from_estimator(model, X, list(X))
    codes = to_numbers(X, packed.categories)
    alone = packed.named()
    for feature, (points, curves) in enumerate(display.curves):
        rows = np.tile(codes[3], (len(points), 1))
        rows[:, feature] = points
        scores = additive_scores(alone, rows)
        drawn = packed.factor[0] * (scores - scores[0])
        np.testing.assert_allclose(curves[0] - curves[0, 0], drawn, rtol=0, atol=1e-9)
        assert np.isnan(points[-1]) == (feature in (0, 3))
    ticks = [text.get_text() for text in display.axes_.flat[1].get_xticklabels()]
    assert ticks == ["blue", "red", "missing"]
    assert [text.get_text() for text in display.axes_.flat[0].texts] == ["missing"]
    assert len(display.histograms_[1]) == 3 and len(display.histograms_[2]) == 40


def additive_scores(network, rows):
    """Integer scores of a network's additive part alone."""
    state = network._content()
    return PackedNetwork(**{**state, "scale": 0 * network.scale}).integer_scores(rows)[:, 0]


def test_thresholds_and_weights_of_missing_values_and_categories_are_drawn(plt, mixed):
    model, X = mixed
    packed = model.packed_
    display = ThresholdDisplay.from_estimator(model, X, list(X))
    columns = np.split(packed.thresholds, packed.offsets[1:-1])
    drawn = [[segment[0, 0] for segment in line.get_segments()] for line in display.lines_]
    assert drawn == [columns[0][1:].tolist(), [], columns[2].tolist(), columns[3].tolist()]
    weights = model.coefs_[0].astype(int)
    display = WeightDisplay.from_estimator(model, list(X), units=[3])
    sums, (present, *others) = [line[0].get_ydata() for line in display.lines_], weights[: packed.offsets[1], 3]
    assert sums[0][0] == present - sum(others) and sums[0][-1] == present + sum(others)
    of_colour = weights[packed.offsets[1] : packed.offsets[2], 3]
    assert sums[1].tolist() == (2 * of_colour - of_colour.sum()).tolist()
    assert [text.get_text() for text in display.axes_.flat[1].get_xticklabels()] == ["blue", "red", "missing"]


def test_axes_that_are_given_are_used(plt, regressor):
    _, axes = plt.subplots(1, 2)
    display = ThresholdDisplay.from_estimator(regressor, DIABETES, [0, 1], ax=axes)
    assert display.axes_.tolist() == axes.tolist() and display.bounding_ax_ is None
    _, ax = plt.subplots()
    display = WeightDisplay.from_estimator(regressor, [0, 1, 2], n_cols=2, ax=ax)
    assert display.bounding_ax_ is ax and display.figure_ is ax.figure
    assert display.axes_.shape == (2, 2) and display.axes_[1, 1] is None
    with pytest.raises(ValueError, match="ax has 2 axes, expected 3"):
        ThresholdDisplay.from_estimator(regressor, DIABETES, [0, 1, 2], ax=axes)


@pytest.mark.parametrize("Display", [StepsDisplay, ThresholdDisplay])
def test_what_does_not_fit_the_model_is_named(plt, regressor, Display):
    with pytest.raises(ValueError, match=r"X has shape \(150, 4\), expected \(n_samples, 10\)"):
        Display.from_estimator(regressor, IRIS)
    with pytest.raises(ValueError, match="features has 'height', which is none of"):
        Display.from_estimator(regressor, DIABETES, ["height"])
    with pytest.raises(ValueError, match="features has 10, but there are 10 features"):
        Display.from_estimator(regressor, DIABETES, 10)
    with pytest.raises(ValueError, match="there is nothing to draw"):
        Display.from_estimator(regressor, DIABETES, [])
    with pytest.raises(ValueError, match="feature_names has 2 names, expected 10"):
        Display.from_estimator(regressor, DIABETES, feature_names=["a", "b"])
    with pytest.raises(TypeError, match="model must be"):
        Display.from_estimator(BinaryMLPRegressor(), DIABETES)


def test_without_matplotlib_the_extra_is_named(tmp_path):
    code = "import sys; sys.modules['matplotlib'] = None; from skbnn.inspection import LossCurveDisplay"
    code += "; LossCurveDisplay([1.0]).plot()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    expected = "LossCurveDisplay.plot needs matplotlib; install it with: pip install 'skbnn[plot]'"
    assert expected in result.stderr.splitlines()[-1]
