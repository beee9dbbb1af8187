"""Warnings that name the line of the user's program that they are about."""

import sys
import warnings

LIBRARIES = "skbnn", "sklearn", "joblib"  # that may lie between


def warn(message):
    """Warn, naming the innermost line of the stack that is in none of these libraries."""
    frame, level = sys._getframe(), 1
    while frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] in LIBRARIES:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
