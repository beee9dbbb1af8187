"""Fitted models for other runtimes; what one of them needs is imported where it is asked for."""

from importlib import import_module

_MODULES = {
    "c_footprint": "skbnn.export.footprint",
    "register_converter": "skbnn.export.converter",
    "to_c": "skbnn.export.c",
    "to_onnx": "skbnn.export.onnx",
}

__all__ = ["c_footprint", "register_converter", "to_c", "to_onnx"]


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__():
    return __all__
