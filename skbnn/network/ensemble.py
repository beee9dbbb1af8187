"""Trains networks on the same mini-batches, several at once and each in several threads, as many as there may be."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Event, Lock

import numpy as np

from skbnn.kernels import effective_n_threads
from skbnn.kernels.blas import one_blas_thread

# Mini-batches between two looks at whether to go on: few enough for wide networks to answer soon, and enough for narrow
# ones to spend their time on steps.
AT_A_TIME = 8


def train_epoch(trainers, data, batches, epoch, n_epochs):
    """Train each network once on every mini-batch.

    What a network learns does not depend on the others, nor on the number of threads. An exception in any of them, or
    a KeyboardInterrupt, stops all after some mini-batches.

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
    progress = (epoch + np.arange(len(batches)) / len(batches)) / n_epochs
    n_threads = effective_n_threads()
    n_at_once = min(len(trainers), n_threads)
    n_each = n_threads // n_at_once
    losses = np.zeros(len(trainers))
    stopped, training = Event(), [Lock() for _ in trainers]
    members = iter(range(len(trainers)))  # shared: a thread that is done takes the next

    def train():
        try:
            with one_blas_thread():  # of this thread, which may have a limit of its own
                for member in members:
                    for first in range(0, len(batches), AT_A_TIME):
                        with training[member]:
                            if stopped.is_set():
                                return
                            some = slice(first, first + AT_A_TIME)
                            losses[member] += trainers[member].train(data, batches[some], progress[some], n_each)
        except BaseException:
            stopped.set()
            raise

    futures = []
    try:
        for _ in range(n_at_once - 1):
            try:
                futures.append(threads(os.getpid()).submit(train))
            except RuntimeError:  # the interpreter is shutting down and starts no more threads; this one does it all
                break
        train()
        for future in futures:
            future.result()
    except BaseException:
        stopped.set()
        for lock in training:  # nobody trains from now on, not even a thread that is missing in ``futures``
            with lock:
                pass
        raise
    return float(losses.mean() / len(batches))


@cache
def threads(process):
    """The threads of a process, started when they are first needed; a forked one has to start its own."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix=f"skbnn-{process}")
