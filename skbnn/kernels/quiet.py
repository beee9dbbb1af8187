"""No warnings of what the package computes with, where they would be no one's mistake."""

import re
import warnings
from contextlib import suppress
from threading import get_ident

from skbnn.kernels.shared_change import SharedChange


class _Quiet(SharedChange):
    """Warnings that name a line of these modules are not shown in the threads that are inside, and in no other.

    ``warnings.catch_warnings`` brings back a whole list of filters, and scikit-learn enters it in every fit. Of several
    threads one brings back what another had set meanwhile, this filter as well. So it asks for the thread: where it has
    been left behind it ignores nothing.
    """

    modules = re.compile(r"(numpy|scipy|sklearn|skbnn|tqdm)\b")

    # scikit-learn's Parallel copies filters by their pattern, which can't ask for the thread: the copy fits no module.
    pattern = "(?!)"

    def __init__(self):
        super().__init__()
        self._filter, self._filters = ("ignore", None, Warning, self, 0), []

    def match(self, module):
        """Whether to ignore a warning of this module: filters have a pattern's method."""
        return get_ident() in self._inside and self.modules.match(module)

    def make(self):
        """Add the filter, before all others."""
        self._filters = warnings.filters
        self._filters.insert(0, self._filter)

    def undo(self):
        """Take it out of the filters that are there now, and of those that another thread may bring back."""
        for filters in warnings.filters, self._filters:
            with suppress(ValueError):
                while self._filter in filters:
                    filters.remove(self._filter)

    def __reduce__(self):
        return "quiet"  # it may be sent to other processes, where other threads are inside


quiet = _Quiet()
