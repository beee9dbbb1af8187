"""Python threads that predict, fit and load at the same time; a sanitizer watches them (``.ci/sanitize``)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, load_model, save_model

N_THREADS = 4
PARAMETERS = {"max_iter": 2, "init": "constant", "dropout": 0.1, "n_components": 0}  # little is left to decide


def at_once(*tasks):
    """What functions return that start at the same time, each in a thread of its own."""
    start = Barrier(len(tasks))

    def run(task):
        start.wait(60)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(300, 7))


@pytest.fixture(scope="module")
def fitted(rows):
    return BinaryMLPClassifier((70, 9), random_state=0, **PARAMETERS).fit(rows, rows[:, 0] > 0)


def test_threads_that_share_a_model_predict_as_one_does(fitted, rows):
    expected = fitted.packed_.decision_function(rows)
    for scores in at_once(*[lambda: fitted.packed_.decision_function(rows)] * N_THREADS):
        np.testing.assert_array_equal(scores, expected)


def test_threads_that_fit_each_get_the_model_of_one(rows):
    def fit(seed):
        return BinaryMLPRegressor((40,), random_state=seed, **PARAMETERS).fit(rows, rows[:, :2])

    networks = at_once(*[lambda seed=seed: fit(seed).packed_ for seed in range(N_THREADS)])
    assert networks == [fit(seed).packed_ for seed in range(N_THREADS)]


def test_threads_fit_load_and_predict_at_the_same_time(fitted, rows, tmp_path):
    path = tmp_path / "model.skbnn"
    save_model(fitted, path)
    expected = fitted.packed_.predict(rows)

    def fit():
        classifier = BinaryMLPClassifier((70, 9), random_state=0, **PARAMETERS)
        return classifier.fit(rows, rows[:, 0] > 0).predict(rows)

    def load():
        return load_model(path).predict(rows)

    for labels in at_once(fit, load, lambda: fitted.predict(rows), load, fit):
        np.testing.assert_array_equal(labels, expected)
