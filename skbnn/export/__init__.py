"""Fitted models for other runtimes; what one of them needs is imported where it is asked for."""

from importlib import import_module

_MODULES = {
    "register_converter": "skbnn.export.converter",
    "to_onnx": "skbnn.export.onnx",
}

__all__ = ["register_converter", "to_onnx"]


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
