"""No warnings of what the package computes with, where they would be no one's mistake."""

import re
import warnings
from contextlib import suppress

from skbnn.kernels.shared_change import SharedChange

MODULES = r"(numpy|scipy|sklearn|skbnn|tqdm)\b"
FILTER = "ignore", None, Warning, re.compile(MODULES), 0


class _Quiet(SharedChange):
    """``warnings.catch_warnings`` for several threads, of which the last to leave brings back the filters.

    A ``catch_warnings`` of each would bring back what the one before had set, and the process would stay silent.
    Warnings that name a line of other modules are shown all the while.
    """

    def __init__(self):
        super().__init__()
        self._before, self._filters = warnings.catch_warnings(), []

    def make(self):
        """Add the filter."""
        self.undo()
        self._before = warnings.catch_warnings()
        self._before.__enter__()
        self._filters = warnings.filters
        warnings.filterwarnings("ignore", module=MODULES)

    def undo(self):
        """Bring back the filters that were, unless others have; scikit-learn's checks do so in other threads."""
        if FILTER in warnings.filters:
            self._before.__exit__(None, None, None)
        with suppress(ValueError):
            self._filters.remove(FILTER)  # from what such a check may bring back later


quiet = _Quiet()
