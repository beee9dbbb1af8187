"""Fits, predictions and settings in threads: the same bits as in one, and a process as it was before."""

import io
import itertools
import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, load_model, save_model
from skbnn.kernels import available_instruction_sets, blas, instruction_set, use_instruction_set
from skbnn.kernels.blas import one_blas_thread
from skbnn.kernels.quiet import quiet
from skbnn.network.ensemble import train_epoch

SETS = available_instruction_sets()
KINDS = {"fastest": SETS[0], "portable": "portable"}  # whose products of training differ, where there is VNNI
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 30))
y = X @ rng.normal(size=30) + np.abs(X[:, 0]) + 0.1 * rng.normal(size=300)


def regressor(verbose=0):
    return pickle.dumps(BinaryMLPRegressor((32,), max_iter=2, random_state=0, verbose=verbose).fit(X, y).packed_)


def classifier():
    return pickle.dumps(BinaryMLPClassifier((32,), max_iter=2, random_state=0).fit(X, np.digitize(y, [-3, 3])).packed_)


@pytest.fixture(scope="module")
def models():
    """What this thread learns alone, by the kind of products: a regressor and a classifier."""
    models = {}
    for kind, name in KINDS.items():
        with use_instruction_set(name):
            models[kind] = regressor(), classifier()
    return models


@pytest.fixture(autouse=True)
def settings_stay():
    """Three BLAS threads, if there is one number for all, and the settings of the process, which are to stay."""
    shared = [library for library in blas.libraries() if not blas.has_number_for_each_thread(library)]
    numbers = {library: library.num_threads for library in shared}
    blas.set_num_threads(dict.fromkeys(shared, 3))
    blas.give_up_control(shared)
    name = instruction_set()
    yield
    assert [library.num_threads for library in shared] == [3] * len(shared)
    assert quiet._filter not in warnings.filters  # one of scikit-learn's own, in several threads, may have been left
    assert instruction_set() == name
    blas.set_num_threads(numbers)
    blas.give_up_control(shared)


def blas_threads():
    return [library.num_threads for library in blas.libraries()]


class OtherThread(ThreadPoolExecutor):
    """One thread, which does what it is told."""

    def __init__(self):
        super().__init__(1)

    def call(self, function, *args, **kwargs):
        return self.submit(function, *args, **kwargs).result()


@pytest.mark.parametrize("kind", KINDS)
def test_fits_at_the_same_time_learn_what_one_alone_does(kind, models):
    with use_instruction_set(KINDS[kind]), ThreadPoolExecutor(3) as pool:
        found = [pool.submit(fit) for fit in (regressor, classifier, regressor, classifier)]
        assert [model.result() for model in found] == [*models[kind]] * 2


def test_a_limit_around_a_fit_is_kept(models):
    with use_instruction_set("portable"), threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        assert regressor() == models["portable"][0]
        assert blas_threads() == before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_limit_of_another_thread_is_kept(n_threads, models):
    with OtherThread() as other, use_instruction_set("portable"):
        limit = other.call(lambda: threadpool_limits(n_threads, user_api="blas").__enter__())
        before = blas_threads()
        assert regressor() == models["portable"][0]
        assert blas_threads() == before
        other.call(limit.__exit__, None, None, None)


def test_a_limit_of_another_thread_that_ends_during_a_fit_is_lifted():
    with OtherThread() as other:
        limit = other.call(lambda: threadpool_limits(2, user_api="blas").__enter__())
        with one_blas_thread():
            assert set(blas_threads()) <= {1}
            other.call(limit.__exit__, None, None, None)
    # settings_stay looks at the numbers


def test_a_limit_within_a_fit_changes_nothing():
    if not all(hasattr(library, "clear_controlling_thread") for library in blas.libraries()):
        pytest.skip("before 3.8, threadpoolctl lets any thread set the number for all")

    def limit():
        with threadpool_limits(2, user_api="blas"):
            return blas_threads()

    with one_blas_thread(), OtherThread() as other:
        assert set(other.call(limit)) <= {1}
        assert set(blas_threads()) <= {1}


def test_after_a_fit_any_thread_can_set_a_limit():
    def limit():
        with threadpool_limits(2, user_api="blas"):
            return blas_threads()

    regressor()
    with OtherThread() as other:
        assert set(other.call(limit)) <= {2}


class OneNumber:
    """Stands in for a library with one number for the whole process."""

    internal_api, num_threads = "openblas", 7

    def set_num_threads(self, n_threads):
        self.num_threads = n_threads


class NumberForEachThread(threading.local):
    """Stands in for a library with a number for each thread."""

    internal_api, num_threads = "mkl", 7

    def set_num_threads(self, n_threads):
        self.num_threads = n_threads


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=20))
def test_threads_that_come_and_go_in_any_order_leave_what_was_before(moves):
    shared, own = OneNumber(), NumberForEachThread()
    libraries, blas.libraries = blas.libraries, lambda: [shared, own]
    threads = [OtherThread() for _ in range(3)]
    contexts = [[] for _ in threads]  # that each is inside of
    filters = warnings.filters[:]

    def move(which, enters):
        if enters:
            stack = contexts[which]
            stack.append(ExitStack())
            stack[-1].enter_context(one_blas_thread())
            stack[-1].enter_context(quiet)
        elif contexts[which]:
            contexts[which].pop().close()

    try:
        for which, enters in [*moves, *((which, False) for which in range(3) for _ in moves)]:
            threads[which].call(move, which, enters)
            assert shared.num_threads == (1 if any(contexts) else 7)
            assert (warnings.filters == filters) == (not any(contexts))
            for thread, stack in zip(threads, contexts, strict=True):
                assert thread.call(lambda: own.num_threads) == (1 if stack else 7)
    finally:
        blas.libraries = libraries
        for thread in threads:
            thread.shutdown()


@pytest.mark.parametrize("quiet_first", [True, False])
def test_filters_that_another_thread_has_for_a_moment_go_with_it(quiet_first):
    """As scikit-learn's checks of arrays have some, which begin or end while quiet is on."""
    before, of_other = warnings.filters[:], warnings.catch_warnings(action="error")
    first, second = (quiet, of_other) if quiet_first else (of_other, quiet)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert warnings.filters == before


@pytest.mark.parametrize("reset", [False, True])
def test_an_interrupted_end_is_made_up_for_by_the_next(reset, monkeypatch):
    """Unless somebody else has set the numbers meanwhile; these stay."""
    shared, before = OneNumber(), warnings.filters[:]
    monkeypatch.setattr(blas, "libraries", lambda: [shared])

    def interrupt(*given):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), monkeypatch.context() as patch, one_blas_thread(), quiet:
        patch.setattr(OneNumber, "set_num_threads", interrupt)
        patch.setattr(quiet, "undo", interrupt)
    assert shared.num_threads == 1 and warnings.filters != before
    if reset:
        shared.num_threads = 5
    with one_blas_thread(), quiet:
        assert shared.num_threads == 1
    assert (shared.num_threads, warnings.filters) == (5 if reset else 7, before)


def warn_as(module):
    warnings.warn_explicit("of no use", RuntimeWarning, "a.py", 1, module)


def test_filters_that_another_thread_brings_back_silence_nobody():
    before, other = warnings.filters, OtherThread()
    theirs = warnings.catch_warnings()
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with quiet:
            other.call(theirs.__enter__)  # as scikit-learn does in a fit
            warn_as("numpy.linalg")
            other.call(warn_as, "numpy.linalg")
            assert pickle.loads(pickle.dumps(warnings.filters)) == warnings.filters
        other.call(theirs.__exit__)
        warn_as("sklearn.base")
        assert len(shown) == 2
    other.shutdown()
    assert warnings.filters is before


def test_workers_of_scikit_learn_that_another_thread_starts_meanwhile_work_and_are_not_silenced():
    other = OtherThread()
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with quiet:
            other.call(Parallel(n_jobs=1), [delayed(warn_as)("numpy.linalg")])
            assert len(shown) == 1
    other.shutdown()


def test_networks_that_train_in_other_threads_have_one_blas_thread_each(monkeypatch):
    own, seen = NumberForEachThread(), {}
    monkeypatch.setattr(blas, "libraries", lambda: [own])
    monkeypatch.setattr("skbnn.network.ensemble.effective_n_threads", lambda: 2)

    class Recorder:
        def train(self, data, batches, progress, n_threads):
            seen[threading.get_ident()] = own.num_threads
            threading.Event().wait(0.01)  # so that the other thread has its turn
            return 0.0

    train_epoch([Recorder() for _ in range(4)], None, [np.arange(3)], epoch=0, n_epochs=1)
    assert [*seen.values()] == [1, 1]


@pytest.mark.parametrize("n_lines", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_keeps_the_kind_of_products_that_it_began_with(kind, n_lines, models, monkeypatch):
    """Though each line that it prints, of what it tries and of each epoch, switches to the other, from some line on."""
    names, lines = itertools.cycle(KINDS.values()), itertools.count()

    class Switch(io.StringIO):
        def write(self, line):
            if line.strip() and next(lines) >= n_lines:
                switched.close()
                switched.enter_context(use_instruction_set(next(names)))

    with use_instruction_set(KINDS[kind]), ExitStack() as switched, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", Switch())
        found = regressor(verbose=2)
    assert found == models[kind][0]


def test_blocks_of_instruction_sets_that_overlap_leave_the_one_before():
    before, first, second = instruction_set(), use_instruction_set("portable"), use_instruction_set(SETS[0])
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert instruction_set() == SETS[0]
    second.__exit__(None, None, None)
    assert instruction_set() == before


def test_everything_at_once(models, tmp_path):
    network = pickle.loads(models["fastest"][0])
    rows = rng.normal(size=(3000, 30))
    expected, path = network.predict(rows), tmp_path / "model"
    save_model(network, path)
    done = threading.Event()

    def until_done(attack):
        n = 0
        while not done.is_set() or not n:
            attack(n)
            n += 1

    def predict(n):
        np.testing.assert_array_equal(network.predict(rows), expected)
        np.testing.assert_array_equal(network.predict(rows[n % 3000]), expected[[n % 3000]])

    def load(n):
        np.testing.assert_array_equal(load_model(path).predict(rows[:500]), expected[:500])

    def switch(n):
        with use_instruction_set(SETS[n % len(SETS)]):
            done.wait(0.0005)

    def limit(n):
        with threadpool_limits(1 + n % 2, user_api="openmp"):
            network.predict(rows)

    # Whatever it limits, threadpoolctl brings back all numbers that it found, so its blocks end before the last fit.
    with one_blas_thread(), ThreadPoolExecutor(6) as pool:
        attacks = [pool.submit(until_done, attack) for attack in (predict, load, switch, limit)]
        try:
            found = [pool.submit(fit) for fit in (regressor, classifier) * 2]
            found = [model.result() for model in found]
        finally:
            done.set()
        for attack in attacks:
            attack.result()
    for at, model in enumerate(found):
        assert model in [of_kind[at % 2] for of_kind in models.values()]
