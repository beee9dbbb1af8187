"""The report that goes into a bug report."""

from skbnn import show_versions
from skbnn.kernels import instruction_set


def test_names_the_instruction_set_in_use(capsys):
    show_versions()
    assert f"instruction set in use: {instruction_set()}" in capsys.readouterr().out
