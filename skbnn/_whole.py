"""A fit leaves a whole estimator: a new one or, if anything is raised, the one that there was."""

from contextlib import contextmanager
from copy import copy


@contextmanager
def whole(estimator):
    """A copy to fit. The estimator becomes it when the context is left without an exception.

    It does so in one step, so whatever ends a fit, an error or Ctrl-C, finds one or the other and no mixture. Until
    then it predicts as it did. What others set on it meanwhile, such as a callback, stays.
    """
    fitted = copy(estimator)
    before = vars(fitted).copy()
    yield fitted
    after = vars(fitted)
    learnt = {name: value for name, value in after.items() if name not in before or value is not before[name]}
    kept = {name: value for name, value in vars(estimator).items() if name in after or name not in before}
    estimator.__dict__ = kept | learnt
