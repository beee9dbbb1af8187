"""scikit-learn's callbacks, which its release 1.9 brought, as a watcher of the loop over epochs."""

from contextlib import contextmanager
from functools import partial

from skbnn._sklearn import callback_context
from skbnn.training.epochs import Watcher


@contextmanager
def callbacks_of(estimator, X, y, sample_weight):
    """While it fits what it was given, the Callbacks of an estimator: a list of one if any are set, else none."""
    root = callback_context(estimator, max_subtasks=2)
    if root is None:
        yield []
        return
    callbacks = Callbacks(root, estimator, X, y, sample_weight)
    yield [callbacks]
    callbacks.end({})


class Callbacks(Watcher):
    """Tells callbacks of a fit as of tasks: "decide", then "train", which has "epoch" for each.

    Parameters
    ----------
    root : sklearn.callback.CallbackContext
        Of the whole fit.
    estimator : BaseBinaryMLP
        That fits.
    X, y, sample_weight : object
        As it was given them, since that is what it can predict and be scored by.
    """

    def __init__(self, root, estimator, X, y, sample_weight):
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.attributes_of = None
        self.tasks = [root.call_on_fit_task_begin(**self.given)]  # that have begun, each a part of the one before
        self.begin("decide")

    def begin(self, name, n_parts=0):
        """Begin a part of the task."""
        task = self.tasks[-1].subcontext(task_name=name, max_subtasks=n_parts)
        self.tasks.append(task.call_on_fit_task_begin(**self.given))

    def end(self, attributes=None):
        """End the task, with the attributes of an estimator that were fitted so far; returns whether to stop."""
        return self.tasks.pop().call_on_fit_task_end(**self.given, reconstruction_attributes=attributes)

    def loop_began(self, state):
        """All has been decided."""
        self.end()
        self.begin("train", state.decision.parameters.max_iter)

    def epoch_began(self, state):
        """One of the parts of "train"."""
        self.begin("epoch")

    def epoch_ended(self, state):
        """Offer an estimator that predicts with the networks as they are; it is made for callbacks that ask for one."""
        return self.end(partial(self.attributes_of, state))

    def loop_ended(self, state):
        """End "train", and the epoch that was interrupted; what is left is to deliver the network."""
        while len(self.tasks) > 1:
            self.end()
