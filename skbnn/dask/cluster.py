"""What a fit has on a cluster, all of which goes when the fit ends."""

import time
from concurrent.futures import CancelledError
from contextlib import ExitStack

from distributed import Client, default_client, wait

# Seconds without any worker after which a fit gives up, and between two looks at whether there is one.
PATIENCE, LOOK = 30.0, 1.0


class Lost(RuntimeError):
    """What was sent to a worker, and no task can make again, has gone with it."""


def client_of(given):
    """The client that was given, or that of the context.

    Raises
    ------
    TypeError
        If it is no client.
    ValueError
        If there is none, or it is closed or asynchronous.
    """
    if given is None:
        try:
            given = default_client()
        except ValueError as error:
            raise ValueError(
                "No client found: create a dask.distributed.Client, which is then taken from the context, or set the "
                "estimator's attribute `client`."
            ) from error
    if not isinstance(given, Client):
        raise TypeError(f"client must be a dask.distributed.Client, got {type(given).__name__}.")
    if given.status != "running":
        raise ValueError(f"The client is {given.status}; fit needs one that runs.")
    if given.asynchronous:
        raise ValueError("The client is asynchronous, and fit waits for its cluster; give it a Client that is not.")
    return given


class Cluster:
    """The workers of a client, and the futures of a fit. Leaving the context releases them.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client):
        self.client, self.futures, self.context = client, set(), ExitStack()

    def __enter__(self):
        self.context.enter_context(self.client.as_current())
        return self

    def __exit__(self, *exception):
        self.drop(self.futures)
        self.context.close()

    def drop(self, futures):
        """Release futures: their results go, unless others need these, and what has not begun never does."""
        futures = set(futures)
        self.futures -= futures
        for future in futures:
            future.release()

    def n_threads(self):
        """Threads of each worker, by its address, in the order of addresses."""
        return dict(sorted(self.client.nthreads().items()))

    def submit(self, function, *args, worker=None):
        """The future of a call, by a worker if it is there, else by any."""
        where = {} if worker is None else {"workers": [worker], "allow_other_workers": True}
        future = self.client.submit(function, *args, pure=False, **where)
        self.futures.add(future)
        return future

    def compute(self, delayed, worker=None):
        """The futures of a list of delayed, as of ``submit``; all that these need is computed there."""
        where = {} if worker is None else {"workers": [worker], "allow_other_workers": True}
        futures = self.client.compute(delayed, **where)
        self.futures.update(futures)
        return futures

    def send(self, value):
        """The future of a value that some worker gets."""
        try:
            (future,) = self.client.scatter([value], hash=False, timeout=PATIENCE)
        except TimeoutError:
            raise self.without_workers() from None
        except OSError as error:  # it has just died
            raise Lost(f"A worker has died when it was sent something: {error}") from error
        self.futures.add(future)
        return future

    def results(self, futures):
        """The results of several futures, which come as one."""
        return self.result(self.submit(as_list, *futures))

    def result(self, future):
        """The result of a future.

        Raises
        ------
        Exception
            What its task raised.
        Lost
            If something that it needs was sent, or scattered by whoever calls ``fit``, and has gone.
        RuntimeError
            If the cluster has no worker for ``PATIENCE`` seconds.
        """
        alone_since = None
        while True:
            try:
                wait(future, timeout=LOOK)
                return future.result(timeout=PATIENCE)  # which can be lost before it has come
            except TimeoutError:
                if future.status == "error":
                    raise  # what the task itself has raised
                alone_since = None if self.client.nthreads() else alone_since or time.monotonic()
                if alone_since and time.monotonic() - alone_since > PATIENCE:
                    raise self.without_workers() from None
            except CancelledError as error:
                raise Lost(f"What the fit needs was lost, and no task can make it again: {error}") from error

    def without_workers(self):
        """The error of a cluster that waited for workers in vain."""
        return RuntimeError(f"The cluster of {self.client.scheduler.address} has had no workers for {PATIENCE:g} s.")


def as_list(*values):
    """The values, in one."""
    return list(values)
