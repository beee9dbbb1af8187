"""Networks that train at the same time."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from skbnn.network.ensemble import train_epoch

BATCHES = np.array_split(np.arange(100), 10)


class Recorder:
    """Stands in for a Trainer; what it is told is all there is to it."""

    def __init__(self, loss, raises=None):
        self.loss, self.raises, self.seen = loss, raises, []

    def train(self, data, rows, progress):
        """Note the arguments; the fourth time raise the exception, if there is one."""
        if self.raises and len(self.seen) == 3:
            raise self.raises
        self.seen.append((rows, progress))
        return self.loss


@pytest.mark.parametrize("n_threads", [1, 3])
def test_each_network_sees_every_batch_at_its_place_in_the_schedule(n_threads):
    trainers = [Recorder(1.0), Recorder(2.0), Recorder(6.0)]
    with threadpool_limits(n_threads, user_api="openmp"):
        assert train_epoch(trainers, None, BATCHES, epoch=1, n_epochs=4) == 3.0
    for trainer in trainers:
        rows, progress = zip(*trainer.seen, strict=True)
        np.testing.assert_array_equal(np.concatenate(rows), np.arange(100))
        np.testing.assert_allclose(progress, 0.25 + np.arange(10) / 40)


@pytest.mark.parametrize("error", [ValueError("loss"), KeyboardInterrupt()])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_exception_in_one_reaches_the_caller(error, n_threads):
    with threadpool_limits(n_threads, user_api="openmp"), pytest.raises(type(error)):
        train_epoch([Recorder(1.0, error), Recorder(1.0)], None, BATCHES, epoch=0, n_epochs=1)
