"""Changes of what is one for a whole process, made for as long as any of its threads needs them."""

import os
from abc import ABC, abstractmethod
from threading import RLock, get_ident

_lock = RLock()  # one for all, so that a fork can wait until none is halfway
_changes: list["SharedChange"] = []


class SharedChange(ABC):
    """A context of several threads at a time: the first to enter makes the change, the last to leave undoes it.

    A child that is forked meanwhile has none of the other threads, so the change is undone there, unless the thread
    that forked is inside.
    """

    def __init__(self):
        self._inside = []  # threads, one for each time that they have entered
        _changes.append(self)

    def __enter__(self):
        with _lock:
            n_before = len(self._inside)
            try:
                self._inside.append(get_ident())
                if not n_before:
                    self.make()
            except BaseException:  # Ctrl-C as well
                del self._inside[n_before:]
                if not n_before:
                    self.undo()
                raise

    def __exit__(self, *exception):
        with _lock:
            self._inside.remove(get_ident())
            if not self._inside:
                self.undo()

    def keep_this_thread_only(self):
        """Forget threads that a fork has left behind."""
        others = [thread for thread in self._inside if thread != get_ident()]
        if others:
            self._inside = [thread for thread in self._inside if thread == get_ident()]
            if not self._inside:
                self.undo()

    @abstractmethod
    def make(self):
        """Change the process; where an ``undo`` was interrupted, what is found is not what was before."""

    @abstractmethod
    def undo(self):
        """Change it back."""


def _after_fork_in_child():
    try:
        for change in _changes:
            change.keep_this_thread_only()
    finally:
        _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)
