"""Some of many rows."""

import numpy as np


def subsample(rows, most, rng):
    """The rows, or ``most`` of them, ascending."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
