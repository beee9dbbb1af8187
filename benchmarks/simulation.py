"""The time of a round of many workers: event by event, and by the formula of doc/large_data.rst."""

import heapq
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

Parts = namedtuple("Parts", "training waiting averaging sending")


@dataclass(frozen=True)
class Costs:
    """What a round's time is made of.

    Attributes
    ----------
    steps : ndarray
        Seconds of measured steps; each step takes as long as one of them.
    spread : float
        Standard deviation of workers' speeds, as a share of their mean.
    n_bytes : int
        Of a message: a network with its moments.
    seconds_to_add : float
        To add a network to a mean.
    seconds_to_read : float
        To write a message and read it, beside its way.
    bandwidth, latency : float
        Bytes a second of a worker's link, in each direction, and seconds of a message beside.
    fan_in : int
        Networks whose mean is taken at a time.
    """

    steps: np.ndarray
    spread: float
    n_bytes: int
    seconds_to_add: float
    seconds_to_read: float
    bandwidth: float
    latency: float
    fan_in: int

    @property
    def message(self):
        """Seconds of a message on a link."""
        return self.n_bytes / self.bandwidth + self.seconds_to_read


def levels(n_workers, fan_in):
    """Numbers of networks whose mean is taken together at most, on each level of the tree."""
    while n_workers > 1:
        yield min(n_workers, fan_in)
        n_workers = -(-n_workers // fan_in)


def formula(costs, n_workers, n_steps):
    """Parts of a round's seconds.

    All workers wait for the slowest; a mean takes in one network after the other; and it goes down the same tree.
    """
    training = n_steps * np.mean(costs.steps)
    deviation = np.hypot(training * costs.spread, np.sqrt(n_steps) * np.std(costs.steps))
    waiting = deviation * norm.ppf(0.5264 ** (1 / n_workers))  # what the highest of normal numbers is on average
    averaging = sending = 0.0
    for n_together in levels(n_workers, costs.fan_in):
        slower = max(costs.message, costs.seconds_to_add)  # one is added while the next is on its way
        averaging += costs.latency + (n_together - 1) * slower + costs.seconds_to_add
        sending += costs.latency + (n_together - 1) * costs.message
    return Parts(float(training), float(waiting), averaging, sending)


def children(worker, n_workers, fan_in):
    """Workers whose networks this one takes into its means, a list for each level on which it does, lowest first.

    Worker 0 is the root. On a level, those are left whose numbers are multiples of its stride.
    """
    stride, found = 1, []
    while stride < n_workers and worker % (stride * fan_in) == 0:
        found.append(list(range(worker + stride, min(worker + stride * fan_in, n_workers), stride)))
        stride *= fan_in
    return found


def simulated(costs, n_workers, n_steps, rng):
    """Seconds of a round, until the last worker has the mean.

    A worker's link carries one message at a time in each direction; a worker trains, or adds one network to a mean.
    What arrives early is taken in while others still train.
    """
    below = [children(worker, n_workers, costs.fan_in) for worker in range(n_workers)]
    slowness = 1 + costs.spread * rng.standard_normal(n_workers)
    busy = slowness * rng.choice(costs.steps, (n_workers, n_steps)).sum(axis=1)  # until when each trains or adds
    link, missing = np.zeros(n_workers), [[len(others) + 1 for others in levels] for levels in below]
    parent = {
        other: (worker, level)
        for worker, levels in enumerate(below)
        for level, others in enumerate(levels)
        for other in others
    }
    events, arrived = [(time, worker, 0) for worker, time in enumerate(busy)], np.zeros(n_workers)
    heapq.heapify(events)
    while events:  # a network for the worker's mean on a level; beyond its levels, that mean is whole
        now, worker, level = heapq.heappop(events)
        if level < len(below[worker]):
            busy[worker] = max(now, busy[worker]) + costs.seconds_to_add
            missing[worker][level] -= 1
            if not missing[worker][level]:
                heapq.heappush(events, (busy[worker], worker, level + 1))
        elif worker:
            first, place = parent[worker]
            link[first] = max(now, link[first]) + costs.message
            heapq.heappush(events, (link[first] + costs.latency, first, place))
        else:
            arrived[0] = now
    for worker in range(n_workers):  # the mean goes down, first to those who have most to pass it on to
        free = arrived[worker]
        for other in (other for others in reversed(below[worker]) for other in others):
            free += costs.message
            arrived[other] = free + costs.latency
    return arrived.max()
