"""Training in rounds: scores of simulated workers beside one trainer's, and how long a round takes on paper.

Workers are simulated in one process, by the functions that a cluster calls. Scores are of rows held out from the
training part; ``--test`` scores the test part instead. The time of a round is simulated event by event, with measured
steps, and stands beside the formula of doc/large_data.rst.
"""

import pickle
from dataclasses import dataclass

import numpy as np
from common import Data, main, now
from datasets import arrays, parts
from simulation import Costs, formula, levels, simulated
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor
from skbnn.dask.training import FAN_IN
from skbnn.network.ensemble import train_epoch
from skbnn.training.categories import Classes
from skbnn.training.decide import decide
from skbnn.training.epochs import draw_batches
from skbnn.training.parameters import Parameters
from skbnn.training.progress import Progress
from skbnn.training.reals import Reals
from skbnn.training.rounds import Learnt, Plan, average, in_rounds, order_of_epoch, train_round, trained_arrays
from skbnn.training.samples import Samples
from skbnn.training.state import TrainingState

HARD = "hard"  # a synthetic table, of which one trainer has not learnt all in its epochs

# One network each, of the layers that large tables have; "hard" has fewer epochs than it needs.
PLAIN = {"n_estimators": 1, "hidden_layer_sizes": (512, 512)}
SETS = {
    "letter": PLAIN,
    "protein": PLAIN | {"n_components": 0},
    "mnist": PLAIN | {"hidden_layer_sizes": (512,) * 3, "n_thresholds": 1, "dropout": 0.0},
    HARD: PLAIN | {"max_iter": 5, "dropout": 0.0},
}

ROWS, WORKERS = 10**9, 100  # on paper

# Assumed of a cluster: 10 Gbit/s, a millisecond of the task scheduler for each message, and workers of unequal speed.
ASSUMED = {"bandwidth": 1.25e9, "latency": 1e-3, "spread": 0.05}


def run(arguments):
    """Yield a table of scores for each set, then the costs that are measured and tables of a round's time."""
    for name in arguments.sets:
        task = "regression" if name == "protein" else "classification"
        title = f"{name}: {'accuracy' if task == 'classification' else 'R²'} of "
        title += "the test part" if arguments.test else "held-out rows"
        yield title, list(scores(name, task, split(name, task, arguments), arguments))
    costs, sizes = measured(arguments)
    yield (
        "measured",
        [
            {
                "network": "-".join(map(str, sizes)),
                "ms/step": 1e3 * float(np.mean(costs.steps)),
                "deviation": 1e3 * float(np.std(costs.steps)),
                "MB of a message": costs.n_bytes / 1e6,
                "ms to write and read it": 1e3 * costs.seconds_to_read,
                "ms to add one to a mean": 1e3 * costs.seconds_to_add,
            }
        ],
    )
    for n_steps in (16, 128):
        yield f"ms of a round of {n_steps} steps", list(times(costs, n_steps, arguments.quick))
    yield f"an epoch of {ROWS:,} rows, {WORKERS} workers", list(epochs(costs))


def split(name, task, arguments):
    """What is trained on and what is scored."""
    if name == HARD:
        X, y = make_classification(
            220_000, 28, n_informative=20, n_redundant=4, n_clusters_per_class=32, class_sep=0.6, random_state=0
        )
        data = Data(X[:200_000].astype(np.float32), y[:200_000], X[200_000:].astype(np.float32), y[200_000:])
    else:
        data = parts(task, arrays(name, arguments.data), seed=0)[0]
        if not arguments.test:
            strata = data.y_train if task == "classification" else None
            X, X_held, y, y_held = train_test_split(
                data.X_train, data.y_train, test_size=0.2, stratify=strata, random_state=0
            )
            data = Data(X, y, X_held, y_held)
    return data._replace(X_train=data.X_train[:2000], y_train=data.y_train[:2000]) if arguments.quick else data


def scores(name, task, data, arguments):
    """A row for each number of workers and, where more was asked for than the rule's, of rounds."""
    settings = SETS[name] | ({"max_iter": 2} if arguments.quick else {})
    figures = {}
    for seed in range(1 if arguments.quick else arguments.seeds):
        decided_on = decided(task, settings, data, seed)
        y = decided_on[0].encode(data.y_test)
        for n_workers in arguments.workers:
            for n_rounds in arguments.rounds if n_workers > 1 else [None]:
                state, plan = trained(*decided_on, n_workers, seed, n_rounds, max_iter=settings.get("max_iter"))
                score = state.targets.score(state.packed, data.X_test, y, np.ones(len(y)))
                figures.setdefault((n_workers, n_rounds), (plan, []))[1].append(score)
    (_, first), *_ = figures.values()
    for (n_workers, _), (plan, found) in figures.items():
        n_batches = -(-max(plan.n_rows) // plan.parameters.batch_size)
        yield {
            "workers": n_workers,
            "epochs": plan.parameters.max_iter,
            "rounds an epoch": plan.rounds_of_epoch,
            "steps a round": n_batches / plan.rounds_of_epoch,
            "score": float(np.mean(found)),
            "lowest": float(min(found)),
            "highest": float(max(found)),
            f"beside {arguments.workers[0]}": float(np.mean(found) - np.mean(first)),
        }


def decided(task, settings, data, seed):
    """Targets, Decision and encoded Samples as a fit has them."""
    if task == "classification":
        estimator, targets = BinaryMLPClassifier(**settings), Classes(np.unique(data.y_train), "log_loss")
    else:
        estimator, targets = BinaryMLPRegressor(**settings), Reals(1, "squared_error")
    parameters = Parameters.of(estimator.get_params() | {"validation_fraction": None}, targets.network_loss)
    ones, rng = np.ones(len(data.y_train)), np.random.default_rng(seed)
    samples = Samples.of(data.X_train, targets.encode(data.y_train), ones, ones).arranged(parameters, targets, seed)
    return targets, *decide(samples, targets, parameters, Progress(), rng)


@dataclass(frozen=True, eq=False)
class Otherwise(Plan):
    """A plan with another number of rounds an epoch than the rule gives."""

    rounds_of_epoch: int = 1


def trained(targets, decision, samples, n_workers, seed, n_rounds, *, max_iter):
    """The packed state, and the plan by which so many workers trained it; ``n_rounds`` None is the rule's number."""
    rng = np.random.default_rng(seed)
    state = TrainingState.begin(targets, decision, rng, seed, len(samples.rows))
    data = targets.training_data(samples, decision.initial_model)
    rows_of_slots = np.array_split(rng.permutation(samples.rows), n_workers)
    slots, n_rows = [data.of(rows) for rows in rows_of_slots], tuple(map(len, rows_of_slots))
    parameters = in_rounds(decision.parameters, targets, n_rows, max_iter=max_iter)
    plan = Plan(parameters, n_rows, n_rows, seed)
    if n_rounds:
        plan = Otherwise(parameters, n_rows, n_rows, seed, n_rounds)
    learnt = Learnt(state.trainers, state.rng)
    for number in range(plan.n_rounds):
        epoch = number // plan.rounds_of_epoch
        learnt = average(
            [
                train_round(plan, [learnt], slot, order_of_epoch(plan, place, epoch), place, number)
                for place, slot in enumerate(slots)
            ]
        )
    learnt.write_to(state)
    state.pack(data, samples.rows)
    return state, plan


def measured(arguments):
    """The Costs of a network on the hard table, and its layers' sizes."""
    data = split(HARD, "classification", arguments)
    data = data._replace(X_train=data.X_train[:20_000], y_train=data.y_train[:20_000])
    targets, decision, samples = decided("classification", SETS[HARD], data, 0)
    state = TrainingState.begin(targets, decision, np.random.default_rng(0), 0, len(samples.rows))
    rows = targets.training_data(samples, decision.initial_model)
    batches = draw_batches(samples.rows, decision.parameters, state.rng)
    steps = [seconds(train_epoch, state.trainers, rows, [batch], 0, 1) for batch in batches[:1000]]
    learnt, n_times = Learnt(state.trainers, state.rng, 1.0), 20
    several = [learnt] * FAN_IN
    adding = np.median([seconds(average, several) for _ in range(n_times)]) / FAN_IN
    reading = np.median([seconds(lambda: pickle.loads(pickle.dumps(learnt, 5))) for _ in range(n_times)])
    costs = Costs(
        steps=np.array(steps[10:]),
        n_bytes=sum(array.nbytes for trainer in state.trainers for array in trained_arrays(trainer)),
        seconds_to_add=float(adding),
        seconds_to_read=float(reading),
        fan_in=FAN_IN,
        **ASSUMED,
    )
    return costs, state.trainers[0].network.layer_sizes


def seconds(function, *arguments):
    """That a call takes."""
    start = now()
    function(*arguments)
    return now() - start


def times(costs, n_steps, quick):
    """A row for each number of simulated workers: the simulation, the formula, and its error."""
    rng, n_rounds = np.random.default_rng(0), 20 if quick else 200
    for n_workers in (2, 4, 8, 16, 32, 64, 100):
        found = np.mean([simulated(costs, n_workers, n_steps, rng) for _ in range(n_rounds)])
        by_formula = formula(costs, n_workers, n_steps)
        training = n_steps * np.mean(costs.steps)
        yield {
            "workers": n_workers,
            "simulated": float(1e3 * found),
            "formula": float(1e3 * sum(by_formula)),
            "error": float(sum(by_formula) / found - 1),
            **{name: float(1e3 * part) for name, part in by_formula._asdict().items()},
            "share that trains": float(training / found),
        }


def epochs(costs):
    """A row for each length of a round: an epoch by the formula, in mini-batches of 128 rows."""
    n_steps = ROWS // WORKERS // 128
    for of_round in (16, 128, 1024, n_steps):
        n_rounds = -(-n_steps // of_round)
        seconds_of_round = sum(formula(costs, WORKERS, of_round))
        alone = n_steps * np.mean(costs.steps)
        yield {
            "steps a round": of_round,
            "rounds": n_rounds,
            "seconds": float(n_rounds * seconds_of_round),
            "workers' worth": float(WORKERS * alone / (n_rounds * seconds_of_round)),
            "GB to the root": n_rounds * costs.n_bytes * sum(n - 1 for n in levels(WORKERS, FAN_IN)) / 1e9,
        }


if __name__ == "__main__":
    main(
        run,
        __doc__,
        flags=[("--test", "score the test part")],
        options={
            "--sets": {"nargs": "*", "choices": SETS, "default": list(SETS), "metavar": "SET", "help": ", ".join(SETS)},
            "--workers": {
                "nargs": "+",
                "type": int,
                "default": [1, 2, 4, 8, 16, 32],
                "metavar": "N",
                "help": "numbers",
            },
            "--rounds": {
                "nargs": "+",
                "type": int,
                "default": [None],
                "metavar": "N",
                "help": "an epoch, not the rule's",
            },
            "--seeds": {"type": int, "default": 2, "help": "fits of each; default 2"},
        },
        sources=("local files", "OpenML and scikit-learn"),
    )
