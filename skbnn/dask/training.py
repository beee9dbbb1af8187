"""Trains the slots of a cluster, round by round; parameters alone come to the client and go from it."""

import time
from collections import deque

from skbnn.dask import slots as tasks
from skbnn.dask.cluster import Lost
from skbnn.training.rounds import Learnt, average, order_of_epoch

FAN_IN, AT_LAST = 4, 2  # means of so many at a time make a tree, the last of which each worker takes by itself

# Seconds from one mean that the client gets to the next, about, unless a round takes longer; and rounds at most.
EVERY, AT_MOST = 1.0, 16

TRIES, PAUSE = 10, 0.1  # of what a worker's death has spoiled, and seconds between


def pace(n_rounds, seconds, late):
    """Rounds to ask for at a time, when the mean of so many has come after so many seconds.

    ``late`` says that workers have trained as many more by then: the client is what takes long.
    """
    wanted = 2 * n_rounds if late else int(EVERY * n_rounds / max(seconds, 1e-3))
    return min(max(wanted, 1), AT_MOST)


class Training:
    """Networks on a client that its cluster's slots train.

    Workers go on from round to round by themselves. The client asks for rounds while earlier ones are trained, so that
    no worker waits for it, and gets a mean now and then.

    Parameters
    ----------
    cluster : Cluster
    slots : list of Future
        Of a Slot each.
    workers : list of str
        Addresses of those that have the slots.
    plan : Plan

    Attributes
    ----------
    n_threads : dict
        Threads of each worker that was there at the last look.
    n_done : int
        Rounds whose mean the client has.
    loss : float
        That of the epoch's rounds so far.
    n_asked : int
        Rounds that have been asked for.
    learnt : list of Future
        What was learnt by then, of one mean or two.
    asked : deque of tuple of int and Future
        The means that the client gets next, and how many rounds each is after.
    orders : list of Future
        Of the rows of each slot in the epoch of the last round that was asked for.
    at_a_time : int
        Rounds between two means.
    """

    def __init__(self, cluster, slots, workers, plan):
        self.cluster, self.slots, self.workers, self.plan = cluster, slots, workers, plan
        self.n_threads, self.n_done, self.loss, self.at_a_time = {}, 0, 0.0, 1
        self.restart()

    def restart(self):
        """Release all that the cluster has but the slots; rounds after ``n_done`` are asked for anew."""
        self.cluster.drop(self.cluster.futures - set(self.slots))
        self.n_asked, self.learnt, self.orders, self.asked = self.n_done, [], [], deque()

    def train(self, state, data, rows, epoch):
        """Train for an epoch, as ``train_on`` does; Ctrl-C leaves ``state`` as it was after some round."""
        n_rounds = self.plan.rounds_of_epoch
        while self.n_done < (epoch + 1) * n_rounds:
            begun = time.monotonic()
            learnt = self.insist(self.next_mean, state)
            try:
                learnt.write_to(state)
            except KeyboardInterrupt:
                learnt.write_to(state)  # all of it; one more Ctrl-C waits
                raise
            n_done, _ = self.asked.popleft()
            late = bool(self.asked) and self.asked[0][1].done()
            self.at_a_time = pace(n_done - self.n_done, time.monotonic() - begun, late)
            self.n_done, self.loss = n_done, learnt.loss
        return self.loss / n_rounds

    def insist(self, ask, *args):
        """The result of a future that is asked for, and asked for anew if what it needs was lost."""
        for _ in range(TRIES):
            self.n_threads = self.cluster.n_threads()
            try:
                return self.cluster.result(ask(*args))
            except Lost as error:
                lost = error
                self.restart()
                time.sleep(PAUSE)  # until the scheduler knows who is gone
        raise RuntimeError(f"Each of {TRIES} tries has failed. The last: {lost}") from lost

    def next_mean(self, state):
        """The future of the next mean; workers are given more to do, so that they go on while the client gets it."""
        if not self.learnt:
            self.learnt = [self.cluster.send(Learnt(state.trainers, state.rng, loss=self.loss))]
        while len(self.asked) < 2 and self.n_asked < self.plan.n_rounds:
            self.ask()
        return self.asked[0][1]

    def ask(self):
        """Ask for some rounds of one epoch, and for their mean."""
        n_rounds, first = self.plan.rounds_of_epoch, self.n_asked
        epoch, number = divmod(first, n_rounds)
        if not (number and self.orders):
            self.orders = self.on_slots(order_of_epoch, self.plan, [*range(len(self.slots))], epoch)
        self.n_asked = first + min(self.at_a_time, n_rounds - number)
        for number in range(first, self.n_asked):
            self.learnt = self.after_round(self.learnt, self.orders, number)
        self.asked.append((self.n_asked, self.cluster.submit(average, self.learnt)))
        used = {*self.slots, *self.orders, *self.learnt, *(mean for _, mean in self.asked)}
        self.cluster.drop(self.cluster.futures - used)  # workers keep what lies between while they need it

    def after_round(self, before, orders, number):
        """The futures of one mean or two of what all slots learn in a round, by a tree; the next averages these."""
        threads = [self.n_threads.get(worker, 1) for worker in self.workers]
        places = [(slot, number) for slot in range(len(self.slots))]
        learnt = self.on_slots(tasks.train, self.plan, [before] * len(self.slots), self.slots, orders, threads, places)
        while len(learnt) > AT_LAST:
            groups = [learnt[start : start + FAN_IN] for start in range(0, len(learnt), FAN_IN)]
            learnt = [self.cluster.submit(average, group) for group in groups]
        return learnt

    def on_slots(self, function, *args):
        """A future for each slot of a call by its worker, by any if that has gone; lists have an argument for each."""
        each = zip(*(arg if isinstance(arg, list) else [arg] * len(self.slots) for arg in args), strict=True)
        return [
            self.cluster.submit(function, *of_slot, worker=worker if worker in self.n_threads else None)
            for of_slot, worker in zip(each, self.workers, strict=True)
        ]

    def pack(self, state):
        """Set ``state.packed``, with batch norm's statistics of all rows."""
        self.restart()  # Ctrl-C has left what was asked for
        for trainer in state.trainers:
            trainer.check()
        for member, trainer in enumerate(state.trainers):
            statistics = self.insist(self.statistics, state, member)
            for layer, (mean, variance) in zip(trainer.network.layers, statistics, strict=True):
                layer.mean, layer.variance = mean, variance
        state.packed = state.folded()
        return state.packed

    def statistics(self, state, member):
        """The future of each layer's statistics, as ``estimate_statistics`` finds them, layer by layer."""
        layers = []
        for layer in map(self.cluster.send, state.trainers[member].network.layers):
            means = self.on_slots(tasks.means_of, self.slots, *layers, layer)
            layers.append(self.cluster.submit(tasks.with_statistics, layer, *means))
        return self.cluster.submit(tasks.statistics_of, *layers)
