"""One BLAS thread while a network trains."""

from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

_lock = Lock()
_n_inside = 0
_limits = None


@contextmanager
def one_blas_thread():
    """Limit BLAS to one thread.

    A mini-batch's products are too small to share, and more threads would change their rounding and the initial
    model's, and so what is learnt. The limit is the whole process's, so of several fits in as many Python threads the
    first sets it and the last lifts it.
    """
    global _n_inside, _limits
    with _lock:
        if not _n_inside:
            _limits = controller().limit(limits=1, user_api="blas")
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if not _n_inside:
                _limits.restore_original_limits()


@cache
def controller():
    """What knows the BLAS libraries; it looks for them once, as that takes longer than a call of ``partial_fit``."""
    return ThreadpoolController()
