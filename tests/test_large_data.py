"""The guide "Large data" runs as it is printed, on small data."""

import os
import re
import textwrap
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skbnn import BinaryMLPClassifier
from skbnn.kernels import effective_n_threads, openmp_enabled

GUIDE = Path(__file__).parents[1] / "doc" / "large_data.rst"
DIGITS = load_digits(return_X_y=True)

# Clusters of Dask leave open what a test of theirs would not: sockets and loops that end with the process.
cluster = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:Port .* is already in use")


@pytest.fixture(autouse=True)
def own_environment():
    """What LocalCluster sets in this process, numbers of threads, is gone for the tests that follow."""
    with patch.dict(os.environ):
        yield


def run(section):
    """Run the Python of a section of the guide; returns its names."""
    if not GUIDE.is_file():
        pytest.skip("the guide is not here")
    sections = re.split(r"\n(.+)\n-+\n", GUIDE.read_text())
    text = sections[sections.index(section) + 1]
    (block,) = re.findall(r"^\.\. code-block:: python\n\n((?: {3}.*\n|\n)+)", text, re.MULTILINE)
    names = {}
    exec(textwrap.dedent(block), names)
    return names


def test_threads_change_nothing():
    on_one = run("Threads")["on_one"]
    assert BinaryMLPClassifier(max_iter=5, random_state=0).fit(*DIGITS).packed_ == on_one.packed_


def test_a_file_is_learnt_batch_by_batch(tmp_path, monkeypatch):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    X, y = (part[:1000] for part in DIGITS)
    columns = {f"pixel{i}": X[:, i] for i in range(X.shape[1])} | {"class": y}
    parquet.write_table(pyarrow.table(columns), tmp_path / "rows.parquet", row_group_size=500)
    largest, read = 0, parquet.ParquetFile.iter_batches

    def small_batches(file, batch_size):
        nonlocal largest
        for batch in read(file, batch_size=batch_size // 100):
            largest = max(largest, len(batch))
            yield batch

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", small_batches)
    model = run("Out of core")["model"]
    assert largest == 500
    in_memory = BinaryMLPClassifier(random_state=0)
    for _ in range(5):
        for start in range(0, len(y), 500):
            in_memory.partial_fit(X[start : start + 500], y[start : start + 500], classes=range(10))
    assert (model.packed_.decision_function(X) == in_memory.packed_.decision_function(X)).all()
    assert in_memory.score(X, y) > 0.95


def test_blocks_of_a_dask_array_are_a_stream():
    pytest.importorskip("dask_ml.wrappers")
    names, (X, y) = run("Dask's arrays through ``partial_fit``"), DIGITS
    order = np.arange(3)
    np.random.RandomState(0).shuffle(order)
    in_memory = BinaryMLPClassifier((64,), random_state=0)
    for block in np.tile(order, 5):
        rows = slice(600 * block, 600 * (block + 1))
        in_memory.partial_fit(X[rows], y[rows], classes=np.arange(10))
    assert names["model"].estimator_.packed_ == in_memory.packed_
    assert (names["predicted"].compute() == in_memory.predict(X)).all()


@cluster
def test_partitions_are_trained_on_where_they_are():
    pytest.importorskip("skbnn.dask")
    names, (X, y) = run("Dask on a laptop"), DIGITS
    assert type(names["local"]) is BinaryMLPClassifier
    assert (names["predicted"] == names["local"].predict(X)).all()
    assert names["local"].score(X, y) > 0.9


@cluster
def test_a_search_on_a_cluster_finds_what_one_here_does():
    pytest.importorskip("distributed")
    there, (X, y) = run("A search on a cluster")["search"], DIGITS
    here = GridSearchCV(there.estimator, there.param_grid, cv=2).fit(X, y)
    assert (there.cv_results_["mean_test_score"] == here.cv_results_["mean_test_score"]).all()
    assert there.best_estimator_.packed_ == here.best_estimator_.packed_


@cluster
@pytest.mark.skipif(not openmp_enabled(), reason="there is one thread in any case")
def test_workers_of_a_cluster_have_one_thread_of_openmp_unless_told_otherwise():
    distributed = pytest.importorskip("distributed")
    for environment, n_threads in ({}, 1), ({"OMP_NUM_THREADS": "2"}, 2):
        os.environ.pop("OMP_NUM_THREADS", None)  # which the first cluster sets in this process
        with (
            patch.dict(os.environ, environment),
            distributed.LocalCluster(n_workers=1, threads_per_worker=2) as workers,
            distributed.Client(workers) as client,
        ):
            assert client.submit(effective_n_threads).result() == n_threads
