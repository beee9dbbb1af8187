"""Decorators whose hints scikit-learn does not give: what they decorate keeps its own."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

def _fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[F], F]: ...
def available_if(check: Callable[[Any], bool]) -> Callable[[F], F]: ...

Interval: Any
StrOptions: Any
_check_feature_names_in: Any
_check_partial_fit_first_call: Any
_check_sample_weight: Any
