"""The only place that knows what scikit-learn does not declare public, and decorators that hide hints.

What type checkers read is in ``_sklearn.pyi``.
"""

from inspect import signature

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import _check_feature_names_in, _check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:
        """Knows no callbacks."""


# A part of the rows may have weights of 0 alone; scikit-learn < 1.9 does not object.
MAY_BE_ZERO = (
    {"allow_all_zero_weights": True} if "allow_all_zero_weights" in signature(_check_sample_weight).parameters else {}
)


def check_sample_weight(sample_weight, X):
    """The weights of X's rows, float64, at least 0 each; ones for None."""
    return _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True, **MAY_BE_ZERO)


def callback_context(estimator, *, max_subtasks):
    """The root of the tasks of a fit for the callbacks that are set, or None; ``_fit_context`` tears them down."""
    if not hasattr(estimator, "_skl_callbacks"):
        return None
    return estimator._init_callback_context(max_subtasks=max_subtasks)
