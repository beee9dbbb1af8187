"""Warnings that name the line of the user's program that they are about."""

import sys
import warnings

OUTSIDE = "skbnn", "sklearn"


def warn(message):
    """Warn of the innermost call from outside this package and scikit-learn."""
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals["__name__"].partition(".")[0] in OUTSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
