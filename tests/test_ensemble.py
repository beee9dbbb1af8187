"""Networks that train at the same time."""

import subprocess
import sys
import time

import numpy as np
import pytest

from skbnn.network import ensemble
from skbnn.network.ensemble import train_epoch

BATCHES = np.array_split(np.arange(100), 10)


class Recorder:
    """Stands in for a Trainer; what it is told is all there is to it."""

    def __init__(self, loss, raises=None):
        self.loss, self.raises, self.seen = loss, raises, []

    def train(self, data, batches, progress, n_threads):
        """Note the arguments, and take a while; the fourth time raise the exception, if there is one."""
        time.sleep(0.002)
        if self.raises and len(self.seen) >= 3:
            raise self.raises
        self.seen += zip(batches, progress, strict=True)
        return self.loss * len(batches)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_each_network_sees_every_batch_at_its_place_in_the_schedule(n_threads, monkeypatch):
    monkeypatch.setattr(ensemble, "effective_n_threads", lambda: n_threads)  # a build without OpenMP has one
    trainers = [Recorder(1.0), Recorder(2.0), Recorder(6.0)]
    assert train_epoch(trainers, None, BATCHES, epoch=1, n_epochs=4) == 3.0
    for trainer in trainers:
        rows, progress = zip(*trainer.seen, strict=True)
        np.testing.assert_array_equal(np.concatenate(rows), np.arange(100))
        np.testing.assert_allclose(progress, 0.25 + np.arange(10) / 40)


@pytest.mark.parametrize("error", [ValueError("loss"), KeyboardInterrupt()])
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("which", [0, 1])
def test_an_exception_in_one_stops_all_and_reaches_the_caller(error, n_threads, which, monkeypatch):
    monkeypatch.setattr(ensemble, "effective_n_threads", lambda: n_threads)
    batches = np.array_split(np.arange(10_000), 10_000)
    trainers = [Recorder(1.0), Recorder(1.0)]
    trainers[which].raises = error
    other = trainers[1 - which]
    if n_threads == 1:
        trainers.sort(key=lambda trainer: trainer is other)  # else it has its turn first
    with pytest.raises(type(error)):
        train_epoch(trainers, None, batches, epoch=0, n_epochs=1)
    n_seen = len(other.seen)
    assert n_seen < 5000
    time.sleep(0.02)
    assert len(other.seen) == n_seen  # none goes on behind the caller's back


def test_networks_train_after_the_main_thread_has_ended(tmp_path):
    code = """
import threading
from sklearn.datasets import load_iris
from skbnn import BinaryMLPClassifier

def fit():
    threading.main_thread().join()
    print(BinaryMLPClassifier((8,), n_estimators=2, dropout=0.0, max_iter=2).fit(*load_iris(return_X_y=True)).n_iter_)

threading.Thread(target=fit).start()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "2\n", done.stderr
