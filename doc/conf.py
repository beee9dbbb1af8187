"""Sphinx configuration. The build needs no network."""

import re
from importlib.metadata import version as installed_version

project = "skbnn"
author = "The skbnn developers"
copyright = "2026, The skbnn developers"
release = version = installed_version("skbnn")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
templates_path = ["_templates"]
exclude_patterns = ["_build"]

numpydoc_show_class_members = False  # the class template lists the methods

html_theme = "pydata_sphinx_theme"
html_title = "skbnn"
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
html_show_sourcelink = False


def literal_shapes(app, what, name, obj, options, lines):
    """A trailing underscore, as in "ndarray of shape (n_features_in_,)", is no hyperlink."""
    lines[:] = [re.sub(r"of shape \((\w+_),\)", r"of shape (``\1``,)", line) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", literal_shapes, priority=0)
