"""Slots that train apart, and their mean."""

from copy import deepcopy
from dataclasses import replace

import numpy as np

from skbnn.network.network import BinaryNetwork
from skbnn.network.trainer import Trainer, TrainingData
from skbnn.training.epochs import run_epochs
from skbnn.training.parameters import Decision, Parameters
from skbnn.training.reals import Reals
from skbnn.training.rounds import Learnt, Plan, average, in_rounds, order_of_epoch, train_round, trained_arrays
from skbnn.training.state import TrainingState

N_ROWS = 200


def parameters(**changed):
    given = dict.fromkeys(["thresholds"]) | {"hidden_layer_sizes": (8,), "n_thresholds": 1, "n_components": 0}
    given |= {"n_estimators": 2, "init": "constant", "batch_size": 10, "max_iter": 2, "shuffle": True}
    given |= {"validation_fraction": None, "learning_rate_init": 0.01, "dropout": 0.1, "binarization": "sign"}
    return replace(Parameters.of(given, "squared_error"), **changed)


def begun(options):
    rng = np.random.default_rng(0)
    shape = {"output_gain": 1.0, "spreads": [0.1, 0.1], "rng": rng}
    networks = [BinaryNetwork.initialize([64, 8, 8], 1, **shape) for _ in range(2)]
    trainers = [Trainer(network, options, seed=seed, max_rows=10) for seed, network in enumerate(networks)]
    return TrainingState(Reals(1, "squared_error"), Decision(options, None, None), rng, trainers)


def table():
    rng = np.random.default_rng(1)
    bits, targets = rng.integers(0, 2**63, (N_ROWS, 1), np.uint64), rng.normal(size=(N_ROWS, 1)).astype(np.float32)
    return TrainingData(bits, rng.uniform(0.5, 1, N_ROWS), targets)


def same(one, other):
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(a, b) for pair in pairs for a, b in zip(*map(trained_arrays, pair), strict=True))


def test_an_only_slot_learns_what_the_loop_over_epochs_does():
    options, data = parameters(), table()
    state, expected = begun(options), begun(options)
    run_epochs(expected, data, np.arange(N_ROWS))
    plan, learnt = Plan(options, (N_ROWS,), (1.0,), 0), Learnt(state.trainers, state.rng)
    losses = []
    for number in range(plan.n_rounds):
        learnt = train_round(plan, [learnt], data, order_of_epoch(plan, 0, number), 0, number)
        losses.append(learnt.loss)
    assert same(learnt.trainers, expected.trainers)
    assert losses == expected.losses
    assert learnt.rng.bit_generator.state == expected.rng.bit_generator.state
    learnt.write_to(state)
    assert same(state.trainers, expected.trainers)


def test_a_round_changes_nothing_that_it_is_given_and_is_the_same_again():
    options, data = parameters(), table()
    before = Learnt(begun(options).trainers, np.random.default_rng(0))
    untouched = deepcopy(before.trainers)
    plan = Plan(options, (N_ROWS, N_ROWS), (1.0, 1.0), 0)
    one, again = (train_round(plan, [before], data, order_of_epoch(plan, 1, 0), 1, 0) for _ in range(2))
    assert same(one.trainers, again.trainers) and not same(one.trainers, untouched)
    assert same(before.trainers, untouched)


def test_the_rounds_of_an_epoch_go_through_each_row_once(monkeypatch):
    seen = []
    plan = Plan(parameters(), (N_ROWS, 35, 30), (1.0,) * 3, 0)
    assert plan.rounds_of_epoch == 3 and plan.n_rounds == 6
    monkeypatch.setattr(
        "skbnn.training.rounds.train_epoch", lambda trainers, data, batches, *_: seen.extend(batches) or 1
    )
    before = Learnt(begun(plan.parameters).trainers, np.random.default_rng(0))
    for slot, n_rows in enumerate(plan.n_rows):
        seen.clear()
        for number in range(plan.rounds_of_epoch):
            train_round(plan, [before], table(), order_of_epoch(plan, slot, 0), slot, number)
        assert sorted(np.concatenate(seen).tolist()) == list(range(n_rows))


def test_a_mean_is_weighted_and_one_of_nothing_counts_for_nothing():
    several = [
        Learnt(begun(parameters()).trainers, None, weight, loss) for weight, loss in [(1, 1.0), (3, 5.0), (0, 9.0)]
    ]
    for scale, learnt in zip((1, 5, 100), several, strict=True):
        for trainer in learnt.trainers:
            trainer.n_steps[:] = scale
            for array in trained_arrays(trainer):
                array[:] = scale
    mean = average(several)
    assert mean.weight == 4 and mean.loss == 4 and mean.trainers[0].n_steps[0] == 100
    assert all((array == 4).all() for trainer in mean.trainers for array in trained_arrays(trainer))
    assert average([average(several[:2]), several[2]]).loss == 4
    assert same(average(several[2:]).trainers, several[2].trainers)


def test_several_slots_have_a_higher_rate_and_epochs_enough_unless_these_were_asked_for():
    options, targets = parameters(), Reals(1, "squared_error")
    assert in_rounds(options, targets, (N_ROWS,), max_iter=None) is options
    spread = in_rounds(options, targets, (N_ROWS, 100, 100, 100), max_iter=None)
    assert spread.learning_rate_init == 0.02
    assert spread.max_iter == -(-targets.fewest_steps // 20)
    of_many = in_rounds(replace(options, max_iter=28), targets, (10**6, 10**6), max_iter=None)
    assert of_many.max_iter == 35
    assert in_rounds(options, targets, (N_ROWS, 100), max_iter=2).max_iter == 2
