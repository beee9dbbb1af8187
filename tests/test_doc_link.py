"""The link from the HTML representation of an estimator to the documentation."""

import importlib.metadata
import re
from pathlib import Path

import pytest
from sklearn.pipeline import make_pipeline

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder

all_estimators = pytest.mark.parametrize("estimator", [BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder])


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Takes lines of metadata, which an installed skbnn has from then on."""

    def tell(*lines):
        folder = tmp_path / "skbnn-0.dist-info"
        folder.mkdir()
        folder.joinpath("METADATA").write_text(
            "\n".join(["Metadata-Version: 2.1", "Name: skbnn", "Version: 0", *lines])
        )
        monkeypatch.syspath_prepend(tmp_path)

    return tell


def links(estimator):
    """Addresses without what follows ``#``, which is about single parameters."""
    return {address.partition("#")[0] for address in re.findall(r'href="(.*?)"', estimator._repr_html_())}


@all_estimators
@pytest.mark.parametrize("address", ["https://example.org/skbnn", "https://example.org/skbnn/"])
def test_leads_to_where_the_metadata_say_that_documentation_is(told, estimator, address):
    told("Project-URL: Source, https://example.org/source", f"Project-URL: documentation, {address}")
    page = f"https://example.org/skbnn/api/generated/skbnn.{estimator.__name__}.html"
    assert links(estimator()) == {page}
    assert page in links(make_pipeline(estimator()))


@all_estimators
@pytest.mark.parametrize("lines", [[], ["Project-URL: Source, https://example.org/source"]])
def test_there_is_none_where_they_do_not_say_it(told, estimator, lines):
    told(*lines)
    assert not links(estimator())


def test_there_is_none_where_the_package_is_not_installed(monkeypatch):
    def metadata(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "metadata", metadata)
    assert not links(BinaryMLPClassifier())


@all_estimators
def test_there_is_none_for_a_class_of_someone_else(told, estimator):
    told("Project-URL: Documentation, https://example.org/skbnn")
    assert not links(type("Mine", (estimator,), {"__module__": "mine"})())


@all_estimators
def test_the_page_is_one_of_the_documentation(estimator):
    api = Path(__file__).parents[1] / "doc" / "api" / "index.rst"
    if not api.is_file():
        pytest.skip("the documentation is not here")
    text = api.read_text()
    assert ".. currentmodule:: skbnn\n" in text and ":toctree: generated\n" in text
    assert f"\n   {estimator.__name__}\n" in text
