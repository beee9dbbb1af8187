"""One BLAS thread while a network trains."""

from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

from skbnn.kernels.shared_change import SharedChange


@contextmanager
def one_blas_thread():
    """Limit BLAS to one thread, for the thread that asks.

    A mini-batch's products are too small to share, and more threads would change their rounding and the initial
    model's, and so what is learnt.

    MKL, and OpenBLAS built with OpenMP, have a number for each thread. Others, as the OpenBLAS of NumPy's wheels, have
    one for the whole process: of several fits in as many threads the first sets it, and the last brings back what was
    before, unless another number has been set since.

    Notes
    -----
    Accelerate has no number to set. And where there is one for the whole process, these do not hold:

    - A limit of another thread that begins before a fit and ends during it is lifted for the fit as well.
    - A limit of another thread, of anything, that begins during a fit and ends after it brings back what it found: one
      BLAS thread.
    - Before threadpoolctl 3.8, a limit that another thread sets during a fit counts for the fit as well.
    """
    own = [(library, library.num_threads) for library in libraries() if has_number_for_each_thread(library)]
    with _one_for_all:
        try:
            for library, _ in own:
                library.set_num_threads(1)
            yield
        finally:
            for library, n_threads in own:
                library.set_num_threads(n_threads)


class _OneForAll(SharedChange):
    """The limit of those libraries that have one number for the whole process."""

    def __init__(self):
        super().__init__()
        self.before = {}

    def make(self):
        """Note the numbers, and set 1; where it is 1, an ``undo`` may have been interrupted, which knew better."""
        found = {library: library.num_threads for library in libraries() if not has_number_for_each_thread(library)}
        self.before = found | {library: n for library, n in self.before.items() if found.get(library) == 1}
        set_num_threads(dict.fromkeys(self.before, 1))

    def undo(self):
        """Set what was before."""
        lowered = {library: n_threads for library, n_threads in self.before.items() if n_threads != 1}
        set_num_threads({library: lowered[library] for library in lowered if library.num_threads == 1})
        if lowered:
            give_up_control(lowered)
        self.before = {}


_one_for_all = _OneForAll()


def set_num_threads(numbers):
    """Set the number of threads of each library, from any thread.

    Since 3.8 threadpoolctl lets one thread alone set OpenBLAS's, until that gives up control. If it is another one,
    control is left to none afterwards, so that the other can still bring back what it found.
    """

    def set_all():
        for library, n_threads in numbers.items():
            library.set_num_threads(n_threads)

    set_all()
    if any(library.num_threads != n_threads for library, n_threads in numbers.items()):
        give_up_control(numbers)
        set_all()
        give_up_control(numbers)


def give_up_control(libraries):
    """Let any thread set OpenBLAS's number."""
    for library in libraries:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


def has_number_for_each_thread(library):
    """Whether threadpoolctl sets the number of the calling thread alone."""
    return library.internal_api == "mkl" or getattr(library, "threading_layer", None) == "openmp"


@cache
def libraries():
    """What controls each BLAS library. They are sought once, as that takes longer than a call of ``partial_fit``."""
    return ThreadpoolController().select(user_api="blas").lib_controllers
