"""What ``verbose`` shows: one bar in a terminal, lines elsewhere."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pytest

import skbnn
from skbnn.training import progress

FIT = """
from sklearn.datasets import load_digits
from skbnn import BinaryMLPClassifier
X, y = load_digits(n_class=3, return_X_y=True)
model = BinaryMLPClassifier((16,), max_iter=4, random_state=0, verbose=True)
"""

INTERRUPT = """
from skbnn.training import epochs
def train_epoch(*arguments, train_epoch=epochs.train_epoch):
    if arguments[-2] == {epoch}:
        raise KeyboardInterrupt
    return train_epoch(*arguments)
epochs.train_epoch = train_epoch
"""

LINE = (
    r"Finding thresholds|Choosing the initial model|Fitting the initial model|Trying \d+ bits|Chosen: layers .*|"
    r"\d+ bits, 0 components: loss = .* without a network|Epoch \d/4, loss = .*% of weights flipped, .* s left"
)


def run_in_terminal(code):
    """All that a program of these lines writes to a terminal of 120 columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    here = Path(skbnn.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(here), "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "default"}
    away = tempfile.gettempdir()  # from a checkout its own sources would be imported, which are not built
    with subprocess.Popen([sys.executable, "-c", FIT + code], stdout=its, stderr=its, env=environment, cwd=away):
        os.close(its)
        written = b""
        try:
            while more := os.read(ours, 4096):
                written += more
        except OSError:  # how Linux says that the other side is closed
            pass
    os.close(ours)
    return written.decode()


def rows_of(written):
    """The rows that stay in the terminal, each as it was last written over."""
    rows = []
    for row in written.replace("\r\n", "\n").removesuffix("\n").split("\n"):
        shown = ""
        for part in row.split("\r"):
            shown = part + shown[len(part) :]
        rows.append(shown.rstrip())
    return rows


def test_a_terminal_has_one_bar_through_choices_and_epochs():
    pytest.importorskip("tqdm")
    code = """
model.set_params(early_stopping=True).fit(X, y)
print(f"{model.loss_curve_[-1]:.4g} {model.validation_scores_[-1]:.4f} {model.flip_ratio_curve_[-1]:.2%}")
"""
    written = run_in_terminal(code)
    in_order = r"Finding thresholds.*Choosing the initial model.*Trying \d+ bits, epoch 0/6 \|.*Epoch 0/4 \|"
    assert re.search(in_order, written, re.DOTALL)
    *said, bar, figures = rows_of(written)
    assert all("components: loss = " in line for line in said[:-1]) and said[-1].startswith("Chosen: layers 16")
    loss, score, flipped = figures.split()
    time = r"\d\d:\d\d"
    assert re.fullmatch(rf"Epoch 4/4 \|█+\| {time}<{time}, loss={loss}, score={score}, flipped={flipped}", bar)


def test_a_terminal_has_whole_lines_where_no_bar_can_be():
    code = """
import sys
from threading import Thread
from joblib import Parallel, delayed
model.set_params(verbose=2).fit(X, y).set_params(verbose=1)
alone = Thread(target=model.fit, args=(X, y))
alone.start()
alone.join()
for backend in "threading", "loky":
    Parallel(2, backend)([delayed(model.fit)(X, y)] * 2)
sys.modules["tqdm"] = None
model.fit(X, y)
"""
    rows = rows_of(run_in_terminal(code))
    assert all(re.fullmatch(LINE, row) for row in rows)
    assert rows.count("Finding thresholds") == sum(row.startswith("Epoch 4/4") for row in rows) == 7


def test_a_stream_has_a_line_a_call():
    rows = rows_of(run_in_terminal("model.fit(X, y)\nfor _ in range(2): model.partial_fit(X, y)"))
    assert [row.split(",")[0] for row in rows[-2:]] == ["Epoch 5", "Epoch 6"]


def test_an_interrupt_leaves_the_bar_as_a_row_of_its_own():
    pytest.importorskip("tqdm")
    while_training = INTERRUPT.format(epoch=2) + "model.set_params(dropout=0.0).fit(X, y)\nprint('went on')"
    rows = rows_of(run_in_terminal(while_training))
    warned = [at for at, row in enumerate(rows) if "UserWarning: Training interrupted by user after 2 of 4" in row]
    assert rows[warned[0] - 1].startswith("Epoch 2/4 |")
    assert rows[-1] == "went on"
    while_choosing = INTERRUPT.format(epoch=1) + "try: model.fit(X, y)\nexcept KeyboardInterrupt: print('stopped')"
    bar, stopped = rows_of(run_in_terminal(while_choosing))
    assert bar.startswith("Trying ") and "epoch 1/6 |" in bar and stopped == "stopped"


def test_a_bar_is_for_terminals_and_notebooks(monkeypatch, tmp_path):
    class OutStream:
        """Stands in for a notebook's output."""

        __module__ = "ipykernel.iostream"

        def isatty(self):
            return False

    for stream, seen in (OutStream(), True), (None, False), ((tmp_path / "log").open("w"), False):
        monkeypatch.setattr(sys, "stdout", stream)
        assert progress.bar_can_be_seen() == seen
    stream.close()
