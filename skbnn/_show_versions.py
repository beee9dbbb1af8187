"""What to paste into a bug report."""

import platform
from importlib.metadata import version

from skbnn.kernels import available_instruction_sets, effective_n_threads, instruction_set, openmp_enabled


def show_versions() -> None:
    """Print what to paste into a bug report.

    Versions of skbnn and of what it needs, instruction sets found and the one in use, whether OpenMP is built in, and
    the number of threads.

    See Also
    --------
    sklearn.show_versions : The same of scikit-learn, with compilers and BLAS.

    Examples
    --------
    >>> from skbnn import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS
    Python: ...
    instruction set in use: ...
    """
    print("Python:", platform.python_version(), "on", platform.platform())
    for package in "skbnn", "scikit-learn", "numpy", "scipy", "joblib", "threadpoolctl":
        print(f"{package}: {version(package)}")
    print("instruction sets found:", ", ".join(available_instruction_sets()))
    print("instruction set in use:", instruction_set())
    print("built with OpenMP:", openmp_enabled())
    print("threads:", effective_n_threads())
