"""The only place that imports what scikit-learn does not declare public, and decorators that hide hints.

What type checkers read is in ``_sklearn.pyi``.
"""

from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import _check_feature_names_in, _check_sample_weight
