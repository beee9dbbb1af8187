"""No warnings of what the package computes with, where they would be no one's mistake."""

import warnings
from contextlib import ExitStack

from skbnn.kernels.shared_change import SharedChange


class _Quiet(SharedChange):
    """``warnings.catch_warnings`` for several threads, of which the last to leave brings back the filters.

    A ``catch_warnings`` of each would bring back what the one before had set, and the process would stay silent.
    Warnings that name a line of other modules are shown all the while.
    """

    def __init__(self):
        super().__init__()
        self._filters = ExitStack()

    def make(self):
        """Add a filter."""
        self._filters.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", module=r"(numpy|scipy|sklearn|skbnn|tqdm)\b")

    def undo(self):
        """Bring back the filters that were."""
        self._filters.close()


quiet = _Quiet()
