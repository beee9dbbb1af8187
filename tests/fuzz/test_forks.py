"""Forked children predict and fit as their parent does, whatever its threads were doing; none hangs."""

import multiprocessing
import os
import pickle
import select
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from skbnn import BinaryMLPRegressor, load_model, save_model
from skbnn.encoding.tables import Labels
from skbnn.kernels import blas, effective_n_threads
from skbnn.kernels.blas import one_blas_thread
from skbnn.kernels.quiet import quiet

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),  # since Python 3.12
]

TIMEOUT = 60  # seconds after which a child counts as hanging

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 20))
y = X @ rng.normal(size=20)
MANY = rng.normal(size=(5000, 20))  # worth several threads


def fit():
    """A packed network that two threads have trained."""
    return BinaryMLPRegressor((256,), n_estimators=2, max_iter=2, init="constant", random_state=0).fit(X, y).packed_


@pytest.fixture(scope="module")
def network():
    return fit()


@pytest.fixture(autouse=True)
def several_threads(monkeypatch):
    """Let this thread, and children of it, use three OpenMP threads, whatever the machine has."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with threadpool_limits(3, user_api="openmp"):
        yield


def answer_of(child):
    """What the function returns in a forked child."""
    return end(*begin(child))


def begin(child):
    """Fork a child that calls the function; returns what ``end`` takes."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writer, pickle.dumps(child()))
        finally:
            os._exit(0)
    os.close(writer)
    return pid, reader


def end(pid, reader):
    """The child's answer; one that has none in time is killed."""
    with os.fdopen(reader, "rb") as pipe:
        if not select.select([pipe], [], [], TIMEOUT)[0]:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pytest.fail(f"a forked child hangs for {TIMEOUT} s")
        answer = pipe.read()
    os.waitpid(pid, 0)
    assert answer, "a forked child died without an answer"
    return pickle.loads(answer)


@contextmanager
def busy(work):
    """Another thread that does this over and over; it has done it once."""
    done, once = threading.Event(), threading.Event()

    def go_on():
        with threadpool_limits(3, user_api="openmp"):
            while not done.is_set():
                work()
                once.set()

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(go_on)
        try:
            once.wait(TIMEOUT)
            yield
        finally:
            done.set()
        going.result()


def begin_and_end():
    with one_blas_thread(), quiet:
        pass


WORK = {
    "nothing": lambda network: time.sleep(0.001),
    "predicts": lambda network: network.predict(MANY),
    "fits": lambda network: fit(),
    "begins and ends": lambda network: begin_and_end(),
}
ASKED = {
    "predicts": lambda network: network.predict(MANY),
    "fits": lambda network: fit().predict(MANY),
    "forks and predicts": lambda network: answer_of(lambda: network.predict(MANY)),
}


@given(st.sampled_from([*WORK]), st.sampled_from([*ASKED]), st.integers(0, 20_000))
@example("nothing", "predicts", 0)
@example("fits", "fits", 3000)
@example("begins and ends", "fits", 5000)
@example("begins and ends", "fits", 20_000)
@example("begins and ends", "forks and predicts", 10_000)
@settings(max_examples=max(settings().max_examples // 10, 1))
def test_a_child_answers_as_its_parent(network, work, asked, microseconds):
    """Forked after so many microseconds of another thread's work."""
    expected = network.predict(MANY)
    with busy(lambda: WORK[work](network)):
        time.sleep(microseconds / 1e6)
        found = answer_of(lambda: ASKED[asked](network))
    np.testing.assert_array_equal(found, expected)


def test_children_share_a_model_that_was_loaded_and_asked_before(network, tmp_path):
    save_model(network, tmp_path / "model")
    served = load_model(tmp_path / "model")
    expected = served.predict(MANY)
    children = [begin(lambda: served.predict(MANY)) for _ in range(4)]
    for child in children:
        np.testing.assert_array_equal(end(*child), expected)


def test_a_child_may_use_as_many_threads_as_its_parent(network):
    network.predict(MANY)
    assert answer_of(effective_n_threads) == effective_n_threads()


def blas_threads():
    return [library.num_threads for library in blas.libraries()]


def test_a_child_has_the_settings_of_before_another_threads_fit():
    expected = blas_threads(), warnings.filters[:]
    entered, left = threading.Event(), threading.Event()

    def stay_inside():
        with one_blas_thread(), quiet:
            entered.set()
            left.wait()

    with ThreadPoolExecutor(1) as pool:
        inside = pool.submit(stay_inside)
        entered.wait()
        found = answer_of(lambda: (blas_threads(), warnings.filters))
        left.set()
        inside.result()
    assert found == expected == (blas_threads(), warnings.filters)


def test_a_child_that_is_forked_during_a_fit_may_end_it():
    before = blas_threads()
    with ExitStack() as stack:
        stack.enter_context(one_blas_thread())

        def leave():
            inside = blas_threads()
            stack.close()
            return inside, blas_threads()

        assert answer_of(leave) == ([1] * len(before), before)
        assert set(blas_threads()) <= {1}
    assert blas_threads() == before


def test_a_child_reads_labels_while_another_thread_of_its_parent_does():
    began, ended = threading.Event(), threading.Event()

    class Slow(str):
        def __hash__(self):
            began.set()
            ended.wait()
            return 0

    with ThreadPoolExecutor(1) as pool:
        codes = pool.submit(lambda: Labels([Slow("a")]).codes)
        began.wait()
        try:
            assert answer_of(lambda: Labels(["a", "b"]).codes) == {"a": 0, "b": 1}
        finally:
            ended.set()
        codes.result()


def test_a_forked_pool_predicts(network):
    expected = network.predict(MANY)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for found in pool.map_async(network.predict, [MANY] * 4).get(TIMEOUT):
            np.testing.assert_array_equal(found, expected)


def test_a_forked_process_ends_by_itself(network):
    network.predict(MANY)
    process = multiprocessing.get_context("fork").Process(target=fit)
    process.start()
    process.join(TIMEOUT)
    hangs = process.is_alive()
    process.kill()
    process.join()
    assert not hangs and process.exitcode == 0


@pytest.mark.parametrize("backend", ["multiprocessing", "loky", "threading"])
def test_workers_of_joblib_predict(backend, network):
    expected = network.predict(MANY)
    work = [delayed(network.predict)(MANY)] * 4
    for found in Parallel(2, backend=backend, timeout=TIMEOUT)(work):
        np.testing.assert_array_equal(found, expected)
