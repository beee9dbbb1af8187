"""Decorators that have no hints in scikit-learn, by which what they decorate would lose its own."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

def _fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[F], F]: ...
def available_if(check: Callable[[Any], bool]) -> Callable[[F], F]: ...
def __getattr__(name: str) -> Any: ...
