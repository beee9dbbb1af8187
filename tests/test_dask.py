"""Training on a cluster: a real one, of two processes, which tests kill."""

import os
import pickle
import re
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import r2_score

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor

pytest.importorskip("distributed")

import dask
import dask.array as da
from distributed import Client, LocalCluster, wait

from skbnn.dask import DaskBinaryMLPClassifier, DaskBinaryMLPRegressor, cluster, fit, tables, training
from skbnn.dask import slots as tasks

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own, and what its processes leave open

X, Y = make_classification(1200, 8, n_informative=5, n_classes=3, random_state=0)
FEW = {"hidden_layer_sizes": (16,), "max_iter": 3, "dropout": 0.1, "random_state": 0}


@pytest.fixture(scope="module")
def client():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as local, Client(local) as client:
        yield client


@pytest.fixture(scope="module")
def alone():
    """One worker, within this process; the context's client is another."""
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as local,
        Client(local, set_as_default=False) as client,
    ):
        yield client


def chunked(*arrays, rows=250):
    return [da.from_array(array, chunks=(rows, *array.shape[1:])) for array in arrays]


def left_on_workers(client):
    """What workers hold a moment after all was released."""
    for _ in range(100):
        held = {key for keys in client.run(lambda dask_worker: list(dask_worker.data)).values() for key in keys}
        if not held:
            break
        time.sleep(0.05)
    return held


def all_are_there(client):
    """Wait for a worker that another test has killed; its nanny starts it again."""
    while len(client.nthreads()) < 2:
        time.sleep(0.1)


def fitted_by(client, model, *data, **named):
    model.client = client
    return model.fit(*data, **named)


def test_one_worker_gives_the_classifier_of_a_local_fit(alone):
    weights = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)
    parameters = {"max_iter": 3, "class_weight": "balanced", "random_state": 0}  # the rest is decided by the rows
    local = BinaryMLPClassifier(**parameters).fit(X, Y * 10, weights)
    model = fitted_by(alone, DaskBinaryMLPClassifier(**parameters), *chunked(X, Y * 10, weights))
    assert model.packed_ == local.packed_
    assert model.classes_.tolist() == [0, 10, 20]
    assert model.loss_curve_ == local.loss_curve_ and model.flip_ratio_curve_ == local.flip_ratio_curve_
    np.testing.assert_array_equal(model.feature_importances_, local.feature_importances_)
    assert model.to_local().get_params() == local.get_params()


def test_one_worker_gives_the_regressor_of_a_local_fit_of_several_outputs(alone):
    targets = np.column_stack([X[:, 0] + X[:, 1], X[:, 2]])
    local = BinaryMLPRegressor(max_iter=2, random_state=0).fit(X, targets)
    model = fitted_by(alone, DaskBinaryMLPRegressor(max_iter=2, random_state=0), *chunked(X, targets))
    assert model.packed_ == local.packed_


def test_one_worker_gives_the_labels_of_a_local_fit(alone):
    labels = np.column_stack([Y == 0, X[:, 0] > 0]).astype(int)
    local = BinaryMLPClassifier(**FEW, class_weight="balanced").fit(X, labels)
    model = fitted_by(alone, DaskBinaryMLPClassifier(**FEW, class_weight="balanced"), *chunked(X, labels))
    assert model.packed_ == local.packed_
    np.testing.assert_array_equal(model.predict(chunked(X)[0]).compute(), local.predict(X))


def test_a_frame_with_names_categories_and_missing_values_is_read_as_locally(alone):
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = pd.DataFrame(X[:, :3], columns=["a", "b", "c"])
    frame.loc[::7, "a"] = np.nan
    frame["kind"] = np.array(["x", "y", "z"])[Y]
    labels = pd.Series(np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)])
    lazy = dd.from_pandas(frame, npartitions=5), dd.from_pandas(labels, npartitions=5)
    parameters = {**FEW, "class_weight": {"no": 2.0}}
    model = fitted_by(alone, DaskBinaryMLPClassifier(**parameters), *lazy)
    local = BinaryMLPClassifier(**parameters).fit(lazy[0].compute(), lazy[1].compute())
    assert model.packed_ == local.packed_
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "kind"]
    np.testing.assert_array_equal(model.predict(lazy[0]).compute(), local.predict(frame))


def test_the_model_is_the_same_wherever_partitions_lie_and_near_the_local_one(client):
    rows, targets = chunked(X, Y, rows=100)
    first = DaskBinaryMLPClassifier(**FEW | {"max_iter": 10}).fit(rows, targets)
    held = [one.persist() for one in (rows, targets)]
    wait(held)
    second = DaskBinaryMLPClassifier(**FEW | {"max_iter": 10}).fit(*held)
    assert first.packed_ == second.packed_
    local = BinaryMLPClassifier(**FEW | {"max_iter": 10}).fit(X, Y)
    assert first.packed_ != local.packed_  # two slots have been averaged
    assert first.score(rows, targets) > local.score(X, Y) - 0.05


def test_partitions_stay_on_the_workers_that_have_them(client, monkeypatch):
    monkeypatch.setattr(tables, "SAMPLED_ROWS", 500)
    table = np.random.default_rng(0).normal(size=(40_000, 20))
    parts = [[dask.delayed(part) for part in np.split(array, 4)] for array in (table, (table[:, 0] > 0).astype(int))]
    second, first = client.nthreads()  # whichever they are
    held = [client.persist(some[:2], workers=first) + client.persist(some[2:], workers=second) for some in parts]
    wait(held)
    DaskBinaryMLPClassifier(**FEW | {"max_iter": 1}, n_thresholds=8).fit(*held)
    logs = client.run(lambda dask_worker: [entry["total"] for entry in dask_worker.transfer_incoming_log])
    assert max(map(max, filter(None, logs.values()))) < table.nbytes / 4 / 10  # of a partition


def test_a_table_larger_than_the_sample_has_the_pace_of_all_its_rows(client, monkeypatch):
    monkeypatch.setattr(tables, "SAMPLED_ROWS", 400)
    rows, targets = chunked(np.tile(X, (4, 1)), np.tile(Y, 4), rows=600)
    model = DaskBinaryMLPClassifier(max_iter=1, dropout=0.1, init="constant").fit(rows, targets)
    assert model.batch_size_ == 4800 // 40 and model.hidden_layer_sizes_ == (256, 256)
    assert model.t_ == 4800


def test_a_tree_of_means_is_their_mean(client, monkeypatch):
    data = chunked(X, Y)
    all_are_there(client)
    expected = DaskBinaryMLPClassifier(**FEW).fit(*data).packed_
    monkeypatch.setattr(training, "AT_LAST", 1)  # as if there were more workers than may come together at last
    assert DaskBinaryMLPClassifier(**FEW).fit(*data).packed_ == expected


def test_the_client_gets_means_about_once_a_second():
    at_a_time = 1
    for _ in range(10):
        at_a_time = training.pace(at_a_time, 0.24 * at_a_time, late=False)
    assert at_a_time == 4
    assert training.pace(1, 100.0, late=False) == 1
    assert [training.pace(4, 0.9, late=True), training.pace(16, 0.9, late=True)] == [8, 16]
    assert training.pace(1, 0.0, late=False) == 16


def test_a_worker_that_dies_in_a_round_costs_its_part_of_it_and_changes_nothing(client, monkeypatch, tmp_path):
    data = chunked(X, Y)
    all_are_there(client)
    expected = DaskBinaryMLPClassifier(**FEW).fit(*data).packed_
    train, dying, surviving = tasks.train, (1, 3), (0, 3)

    def train_and_die(plan, before, slot, order, n_threads, place):  # runs on a worker
        begun = len(list(tmp_path.glob(f"{place}*")))
        (tmp_path / f"{place} {begun}").touch()
        until = time.monotonic() + 60
        while place == dying and not begun and time.monotonic() < until:
            if (tmp_path / f"{surviving} 0").exists():
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.01)
        if place == surviving:
            time.sleep(0.5)  # while the other dies
        return train(plan, before, slot, order, n_threads, place)

    monkeypatch.setattr(tasks, "train", train_and_die)
    assert DaskBinaryMLPClassifier(**FEW).fit(*data).packed_ == expected
    begun = [f"({slot}, {number}) 0" for slot in range(2) for number in range(6)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*begun, f"{dying} 1"])


def test_a_worker_that_dies_while_rounds_are_asked_for_changes_nothing(client, monkeypatch):
    data = chunked(X, Y)
    all_are_there(client)
    expected = DaskBinaryMLPClassifier(**FEW).fit(*data).packed_
    ask, killed = training.Training.after_round, []

    def ask_and_kill(training, before, orders, number):
        asked = ask(training, before, orders, number)
        if number == 3 and not killed:
            killed.append(client.run(os.getpid)[training.workers[1]])
            os.kill(killed[0], signal.SIGKILL)
        return asked

    monkeypatch.setattr(training.Training, "after_round", ask_and_kill)
    assert DaskBinaryMLPClassifier(**FEW).fit(*data).packed_ == expected
    assert killed


def test_a_worker_that_dies_as_it_is_sent_something_changes_nothing(client, monkeypatch):
    data = chunked(X, Y)
    all_are_there(client)
    expected = DaskBinaryMLPClassifier(**FEW).fit(*data).packed_
    next_mean, killed = training.Training.next_mean, []

    def kill_before(self, state):
        if not self.learnt and not killed:
            for number in client.run(os.getpid).values():
                killed.append(number)
                os.kill(number, signal.SIGKILL)
        return next_mean(self, state)

    monkeypatch.setattr(training.Training, "next_mean", kill_before)
    assert DaskBinaryMLPClassifier(**FEW).fit(*data).packed_ == expected
    assert killed


def test_rows_that_no_task_can_make_again_end_a_fit_with_an_error(client, monkeypatch):
    all_are_there(client)
    scattered, decide_on = client.scatter([X[:600], X[600:]]), fit.decide_on

    def cancel_before(*args):
        client.cancel(scattered)
        return decide_on(*args)

    monkeypatch.setattr(fit, "decide_on", cancel_before)
    with pytest.raises(RuntimeError, match="What the fit needs was lost, and no task can make it again"):
        DaskBinaryMLPClassifier(**FEW).fit([*map(dask.delayed, scattered)], [*map(dask.delayed, (Y[:600], Y[600:]))])


def test_training_goes_on_from_the_mean_that_the_client_has_when_all_others_are_lost(client, monkeypatch):
    data = chunked(X, Y)
    all_are_there(client)
    expected = DaskBinaryMLPClassifier(**FEW).fit(*data)
    ask, asked, lost_after = training.Training.after_round, [], []

    def ask_and_lose(training, before, orders, number):
        if number == 5 and not lost_after:
            lost_after.append(training.n_done)
            client.cancel(before)
            asked.clear()
        asked.append(number)
        return ask(training, before, orders, number)

    monkeypatch.setattr(training.Training, "after_round", ask_and_lose)
    model = DaskBinaryMLPClassifier(**FEW).fit(*data)
    assert model.packed_ == expected.packed_ and model.loss_curve_ == expected.loss_curve_
    assert asked[0] == 5 and asked.count(5) == 2
    assert 0 < lost_after[0] <= min(asked)


def test_nothing_is_left_on_the_workers(client):
    data = chunked(X, Y)
    DaskBinaryMLPClassifier(**FEW).fit(*data).score(*data)
    assert not left_on_workers(client) and not client.futures
    with pytest.raises(ValueError, match="diverged"):
        DaskBinaryMLPRegressor(**FEW, solver="sgd", learning_rate_init=1e30).fit(*data)
    assert not left_on_workers(client) and not client.futures


def test_a_cluster_without_workers_is_told_of(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    ask = training.Training.after_round
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as local,
        Client(local, set_as_default=False) as client,
    ):

        def ask_and_retire(training, before, orders, number):
            if number == 1:
                local.sync(local.workers[0].close)
            return ask(training, before, orders, number)

        monkeypatch.setattr(training.Training, "after_round", ask_and_retire)
        with pytest.raises(RuntimeError, match="has had no workers for"):
            fitted_by(client, DaskBinaryMLPClassifier(**FEW), *chunked(X, Y))


INTERRUPTED = """
import os, signal, time, warnings
import numpy as np, dask.array as da
from distributed import Client, LocalCluster
from skbnn.dask import DaskBinaryMLPClassifier
from skbnn.dask.training import Training

ask = Training.after_round
def interrupt(training, before, orders, number):
    asked = ask(training, before, orders, number)
    if number == 4:
        os.kill(os.getpid(), signal.SIGINT)
    return asked
Training.after_round = interrupt

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    table = np.random.default_rng(0).normal(size=(1000, 4))
    X, y = da.from_array(table, chunks=(250, 4)), da.from_array((table[:, 0] > 0).astype(int), chunks=250)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as local, Client(local) as client:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = DaskBinaryMLPClassifier((16,), max_iter=50, dropout=0.1, random_state=0).fit(X, y)
        said = [str(one.message) for one in caught if "interrupted" in str(one.message)]
        print(said, model.n_iter_, model.score(X, y) > 0.8)
        deadline = time.monotonic() + 20
        while held := sum(client.run(lambda dask_worker: len(dask_worker.data)).values()):
            if time.monotonic() > deadline:
                break
        print(held, len(client.futures))
"""


def test_ctrl_c_keeps_the_last_average(tmp_path):
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100)
    said, left = done.stdout.splitlines()
    what = r"Training interrupted by user after (\d) of 50 epochs; what was trained is kept\."
    assert re.fullmatch(rf"\['{what}'\] \1 True", said), done.stderr
    assert left == "0 0"


def test_a_partition_that_times_out_says_so(client):
    def read():
        raise TimeoutError("the store does not answer")

    parts = [dask.delayed(read)(), dask.delayed(X[:500])]
    with pytest.raises(TimeoutError, match="the store does not answer"):
        DaskBinaryMLPClassifier(**FEW).fit(parts, [dask.delayed(Y[:500])] * 2)


def test_predictions_are_lazy_and_in_chunks_of_the_rows(alone):
    rows, targets = chunked(X, Y)
    model = fitted_by(alone, DaskBinaryMLPClassifier(**FEW), rows, targets)
    local = model.to_local()
    assert type(local) is BinaryMLPClassifier and local.packed_ is model.packed_
    for method, shape in {"predict": (1200,), "predict_proba": (1200, 3), "decision_function": (1200, 3)}.items():
        lazy = getattr(model, method)(rows)
        assert lazy.shape == shape and lazy.chunks[0] == rows.chunks[0]
        expected = getattr(local, method)(X)
        assert lazy.dtype == expected.dtype
        np.testing.assert_array_equal(lazy.compute(), expected)
        np.testing.assert_array_equal(getattr(model, method)(X), expected)  # rows in memory
    parts = [dask.delayed(part) for part in np.split(X, 4)]
    np.testing.assert_array_equal(model.predict(parts).compute(), local.predict(X))
    with pytest.raises(ValueError, match="X has 5 features, but BinaryMLPClassifier is expecting 8"):
        model.predict(rows[:, :5])


def test_scores_are_the_local_ones(alone):
    rows, weights = chunked(X, np.arange(1200.0))
    targets = X[:, :2] + [3, 1e6]
    model = fitted_by(alone, DaskBinaryMLPRegressor(**FEW), rows, *chunked(targets))
    expected = r2_score(targets, model.predict(X), sample_weight=np.arange(1200.0))
    assert model.score(rows, *chunked(targets), weights) == pytest.approx(expected)
    assert model.score(X, targets, np.arange(1200.0)) == pytest.approx(expected)


def test_delayed_partitions_may_be_empty_or_lack_classes(alone):
    order = np.argsort(Y, kind="stable")
    sizes = np.array([0, 300, 0, 500, 400])
    bounds = np.cumsum(sizes)[:-1]
    parts = [[dask.delayed(part) for part in np.split(array[order], bounds)] for array in (X, Y)]
    model = fitted_by(alone, DaskBinaryMLPClassifier(**FEW), *parts, classes=[0, 1, 2, 7])
    assert model.classes_.tolist() == [0, 1, 2, 7]
    assert model.score(*parts) > 0.6


def test_estimators_are_copied_and_pickled_without_their_client(alone):
    model = fitted_by(alone, DaskBinaryMLPClassifier(**FEW), *chunked(X, Y))
    assert clone(model).get_params() == BinaryMLPClassifier(**FEW).get_params()
    assert repr(DaskBinaryMLPClassifier(max_iter=3)) == "DaskBinaryMLPClassifier(max_iter=3)"
    again = pickle.loads(pickle.dumps(model))
    assert again._client is None and again.packed_ == model.packed_
    assert not hasattr(model, "partial_fit")
    assert model.set_params(max_iter=1).max_iter == 1


def test_no_client_is_told_of(monkeypatch):
    def no_client():
        raise ValueError("No clients found")

    monkeypatch.setattr(cluster, "default_client", no_client)  # as it does where no other test has one
    with pytest.raises(ValueError, match=r"No client found: create a dask\.distributed\.Client"):
        DaskBinaryMLPClassifier().fit(ROWS, TARGETS)


def changed(array, place, value):
    array = np.array(array, float)
    array[place] = value
    return array


ROWS, TARGETS = chunked(X, Y)
BAD = {
    "X must be a dask array, a dask data frame or a list of delayed partitions, got ndarray": (X, TARGETS),
    "X is chunked along its columns, in 2 chunks": (ROWS.rechunk((250, 4)), TARGETS),
    "X has 1200 rows, y has 1000": (ROWS, TARGETS[:1000]),
    "X has 5 partitions, and y has 2": (ROWS, [dask.delayed(Y), dask.delayed(Y)]),
    "partition 2: Input y contains NaN": (ROWS, *chunked(changed(Y, 600, np.nan))),
    "partition 4: Input y contains infinity": (ROWS, *chunked(changed(Y, 1100, np.inf))),
    "partition 3: Unknown label type": (ROWS, *chunked(changed(Y, 800, 0.5))),
    "partition 1: Negative values in data passed to `sample_weight`": (ROWS, *chunked(Y, changed(Y, 300, -1))),
    "must contain at least one non-zero": (ROWS, *chunked(Y, Y * 0)),
    "number of features of partition 1 is 7, and of partition 0 8": (
        [dask.delayed(X), dask.delayed(X[:, :7])],
        [dask.delayed(Y)] * 2,
    ),
    "the dtype of X of partition 1 is float32, and of partition 0 float64": (
        [dask.delayed(X), dask.delayed(X.astype(np.float32))],
        [dask.delayed(Y)] * 2,
    ),
    "partition 0: Found input variables with inconsistent numbers of samples": (
        [dask.delayed(X)],
        [dask.delayed(Y[:7])],
    ),
    "all partitions of X are empty": ([dask.delayed(X[:0])], [dask.delayed(Y[:0])]),
}


def test_columns_of_one_file_each_have_the_partitions_of_its_frame(alone, tmp_path):
    pandas, frames = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    table = pandas.DataFrame(X, columns=list("abcdefgh")).assign(label=Y, weight=1.0)
    for number in range(6):
        table[200 * number : 200 * (number + 1)].to_parquet(tmp_path / f"{number}.parquet")
    read = frames.read_parquet(tmp_path)
    rows = read.drop(columns=["label", "weight"]), read["label"], read["weight"]
    model = fitted_by(alone, DaskBinaryMLPClassifier(**FEW), *rows)
    local = BinaryMLPClassifier(**FEW).fit(table.drop(columns=["label", "weight"]), Y)
    assert model.packed_ == local.packed_
    assert model.score(*rows) == local.score(table.drop(columns=["label", "weight"]), Y)


@pytest.mark.parametrize(
    "model", [DaskBinaryMLPClassifier(**FEW), DaskBinaryMLPRegressor(**FEW)], ids=["labels", "numbers"]
)
def test_a_partition_may_weigh_nothing(alone, model):
    weights = np.ones(len(X))
    weights[250:500] = 0
    model, data = fitted_by(alone, clone(model), *chunked(X, Y, weights)), (X, Y, weights)
    local = type(model.to_local())(**FEW).fit(*data)
    assert model.packed_ == local.packed_
    assert model.score(*chunked(*data)) == pytest.approx(local.score(*data))


def test_a_client_that_is_none_or_closed_is_refused():
    with pytest.raises(TypeError, match=r"client must be a dask\.distributed\.Client, got str"):
        fitted_by("tcp://127.0.0.1:8786", DaskBinaryMLPClassifier(), *chunked(X, Y))
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as local, Client(local) as closed:
        pass
    with pytest.raises(ValueError, match="The client is closed"):
        fitted_by(closed, DaskBinaryMLPClassifier(), *chunked(X, Y))


def test_an_estimator_without_dask_says_who_takes_its_frames():
    frames = pytest.importorskip("dask.dataframe")
    table = frames.from_dict({"a": [1.0, 2.0], "b": ["x", "y"]}, npartitions=1)
    with pytest.raises(TypeError, match=r"the estimators of skbnn\.dask take it"):
        BinaryMLPClassifier().fit(table, [0, 1])


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_before_training(alone, message):
    data = BAD[message]
    with pytest.raises((TypeError, ValueError), match=message.replace("(", r"\(")):
        fitted_by(alone, DaskBinaryMLPClassifier(**FEW), *data)


def test_unknown_classes_are_refused(alone):
    with pytest.raises(ValueError, match=r"partition 0: y has classes not in `classes`: \[2\]"):
        fitted_by(alone, DaskBinaryMLPClassifier(**FEW), ROWS, TARGETS, classes=[0, 1])


@pytest.mark.parametrize("parameter", ["early_stopping", "warm_start"])
def test_what_takes_more_than_rounds_is_refused(alone, parameter):
    with pytest.raises(ValueError, match=f"{parameter}=True is not supported with Dask"):
        fitted_by(alone, DaskBinaryMLPClassifier(**{parameter: True}), ROWS, TARGETS)


def test_warnings_of_the_worker_that_decides_reach_the_user(alone):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted_by(alone, DaskBinaryMLPClassifier(**FEW), *chunked(np.ones((100, 2)), Y[:100]))
    assert any("No feature varies" in str(one.message) for one in caught)


def test_a_worker_that_dies_before_it_has_rows_changes_nothing(client, monkeypatch):
    data, decide_on = chunked(X, Y), fit.decide_on
    all_are_there(client)
    expected = DaskBinaryMLPClassifier(**FEW).fit(*data).packed_

    def kill_and_decide_on(*args):
        os.kill(client.run(os.getpid)[min(client.nthreads())], signal.SIGKILL)
        return decide_on(*args)

    monkeypatch.setattr(fit, "decide_on", kill_and_decide_on)
    assert DaskBinaryMLPClassifier(**FEW).fit(*data).packed_ == expected
