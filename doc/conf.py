"""Sphinx configuration. Neither the build nor the pages need a network."""

from importlib.metadata import version as installed_version

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

project = "skbnn"
author = "The skbnn developers"
copyright = "2026, The skbnn developers"
release = version = installed_version("skbnn")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.doctest", "numpydoc"]
doctest_test_doctest_blocks = ""  # docstrings are pytest's
templates_path = ["_templates"]
exclude_patterns = ["_build"]

html_math_renderer = "mathml"
numpydoc_show_class_members = False  # the class template lists the methods
autodoc_typehints = "none"  # docstrings say more

html_theme = "pydata_sphinx_theme"
html_title = "skbnn"
html_theme_options = {"secondary_sidebar_items": ["page-toc"], "show_prev_next": False}
html_sidebars = {"*": [], "api/**": ["sidebar-nav-bs"]}
html_static_path = ["_static"]
html_css_files = ["skbnn.css"]
html_show_sourcelink = False


def write_mathml(writer, node):
    """Formulas as MathML, which browsers draw by themselves: MathJax would come from the network."""
    as_block = isinstance(node, nodes.math_block)
    writer.body.append(tex2mathml(node.astext(), as_block=as_block))
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (write_mathml, None), (write_mathml, None))
