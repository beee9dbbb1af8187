"""Trains several networks on the same mini-batches, each in a thread of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np

from skbnn.kernels import effective_n_threads


def train_epoch(trainers, data, batches, epoch, n_epochs):
    """Train each network once on every mini-batch.

    What a network learns does not depend on the others, nor on the number of threads. An exception in any of them, or
    a KeyboardInterrupt, stops all between two mini-batches.

    Parameters
    ----------
    trainers : list of Trainer
    data : TrainingData
    batches : list of ndarray of int64
        The rows of each mini-batch.
    epoch, n_epochs : int
        Epochs that are done, and all, for the learning rate's schedule.

    Returns
    -------
    float
        Mean loss of the networks.
    """
    stopped = Event()

    def train(trainer):
        loss = 0.0
        for step, rows in enumerate(batches):
            if stopped.is_set():
                break
            loss += trainer.train(data, rows, progress=(epoch + step / len(batches)) / n_epochs)
        return loss / len(batches)

    n_threads = min(len(trainers), effective_n_threads())
    if n_threads == 1:
        return np.mean([train(trainer) for trainer in trainers])
    with ThreadPoolExecutor(n_threads) as pool:
        futures = [pool.submit(train, trainer) for trainer in trainers]
        try:
            return np.mean([future.result() for future in futures])
        except BaseException:
            stopped.set()
            raise
