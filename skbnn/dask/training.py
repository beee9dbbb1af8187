"""Trains the slots of a cluster, round by round; parameters alone come to the client and go from it."""

from skbnn.dask import slots as tasks
from skbnn.dask.cluster import Lost
from skbnn.training.rounds import Learnt, average, order_of_epoch

FAN_IN, AT_LAST = 4, 2  # means of so many at a time make a tree, the last of which each worker takes by itself

AT_A_TIME = 16  # rounds, after which the client gets the mean

TRIES = 10  # of a round that a worker's death has spoiled


class Training:
    """Networks on a client that its cluster's slots train.

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
    """

    def __init__(self, cluster, slots, workers, plan):
        self.cluster, self.slots, self.workers, self.plan = cluster, slots, workers, plan
        self.n_threads = {}

    def train(self, state, data, rows, epoch):
        """Train for an epoch, as ``train_on`` does; Ctrl-C leaves ``state`` as it was after some round."""
        n_rounds, loss = self.plan.rounds_of_epoch, 0.0
        for first in range(epoch * n_rounds, (epoch + 1) * n_rounds, AT_A_TIME):
            numbers = range(first, min(first + AT_A_TIME, (epoch + 1) * n_rounds))
            learnt = self.on_all(Learnt(state.trainers, state.rng), self.after_rounds, epoch, numbers)
            try:
                learnt.write_to(state)
            except KeyboardInterrupt:
                learnt.write_to(state)  # all of it; one more Ctrl-C waits
                raise
            loss += learnt.loss
        return loss / n_rounds

    def on_all(self, learnt, ask, *args):
        """What a function of the slots says, once they have what was learnt; asked anew if that was lost."""
        for _ in range(TRIES):
            self.n_threads = self.cluster.n_threads()
            known, sent = set(self.cluster.futures), self.cluster.send(learnt)
            try:
                asked = ask(sent, *args)
                self.cluster.drop(self.cluster.futures - known - {sent, asked})  # once used, what lies between goes
                return self.cluster.result(asked)
            except Lost as error:
                lost = error
            finally:
                self.cluster.drop(self.cluster.futures - known)
        raise RuntimeError(f"Workers were lost in each of {TRIES} tries.") from lost

    def after_rounds(self, before, epoch, numbers):
        """The future of what is learnt after some rounds of an epoch, by workers alone."""
        orders = self.on_slots(order_of_epoch, self.plan, [*range(len(self.slots))], epoch)
        learnt = [before]
        for number in numbers:
            learnt = self.after_round(learnt, orders, number)
        return self.cluster.submit(average, learnt)

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
        for trainer in state.trainers:
            trainer.check()
        learnt = Learnt(state.trainers, state.rng)
        for member, trainer in enumerate(state.trainers):
            statistics = self.on_all(learnt, self.statistics, member, len(trainer.network.layers))
            for layer, (mean, variance) in zip(trainer.network.layers, statistics, strict=True):
                layer.mean, layer.variance = mean, variance
        state.packed = state.folded()
        return state.packed

    def statistics(self, learnt, member, n_layers):
        """The future of each layer's statistics, as ``estimate_statistics`` finds them, layer by layer."""
        cluster, layers = self.cluster, []
        for index in range(n_layers):
            layer = cluster.submit(tasks.layer_of, learnt, member, index)
            means = self.on_slots(tasks.means_of, self.slots, *layers, layer)
            layers.append(cluster.submit(tasks.with_statistics, layer, *means))
        return cluster.submit(tasks.statistics_of, *layers)
