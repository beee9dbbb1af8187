"""The table of Cython extensions. Everything else about the package is in pyproject.toml."""

import os
import tempfile
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": True,
}

TILES = [f"skbnn/kernels/src/{name}.c" for name in ("avx512", "avx2", "popcnt", "neon", "portable")]

# What Cython would write into each module, for memoryviews above all: half of the code, and of the time to compile it.
SHARED = "skbnn.kernels._cyutility"

# module: its C sources besides the .pyx
EXTENSIONS = {
    "skbnn.kernels._dispatch": TILES,
    "skbnn.kernels._layer": [],
    "skbnn.kernels._threads": [],
    "skbnn.encoding._source": [],
    "skbnn.encoding._encode": [],
    "skbnn.packed._program": [],
    "skbnn.packed._steps": [],
    "skbnn.network._random": [],
    "skbnn.network._products": [],
    "skbnn.network._dense": [],
    "skbnn.network._batch_norm": [],
    "skbnn.network._binarize": [],
    "skbnn.network._losses": [],
    "skbnn.network._optimizers": [],
    "skbnn.network._layers": [],
    "skbnn.network._step": [],
}

# Baseline flags only: a kernel asks for its instruction set with a target attribute and is picked at run time.
# Contraction is off so that every instruction set rounds alike; debug symbols would be most of the wheel.
UNIX_FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-g0"]
# Microsoft's older C has no restrict. It contracts nothing by default, and runs portable tiles.
MSVC_FLAGS = ["/O2", "/std:c11"]


def extension(name, sources):
    """One row of the table as an Extension."""
    return Extension(
        name,
        [name.replace(".", "/") + ".pyx", *sources],
        include_dirs=["skbnn/kernels/src", np.get_include()],
        depends=[str(path) for pattern in ("*.h", "*.pxd") for path in Path("skbnn").rglob(pattern)],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
    )


class BuildExt(build_ext):
    """Adds the flags that the compiler at hand understands; OpenMP only where it links."""

    def build_extensions(self):
        """Set the flags of every extension, then build."""
        unix = self.compiler.compiler_type == "unix"
        openmp = "-fopenmp" if unix else "/openmp"
        flags = UNIX_FLAGS if unix else MSVC_FLAGS
        more = os.environ.get("SKBNN_FLAGS", "").split()  # to compile and to link, after all others: a sanitizer's
        if self.links_openmp(openmp):
            more = [openmp, *more]
        for ext in self.extensions:
            ext.extra_compile_args = [*flags, *more]
            ext.extra_link_args = more if unix else []
        self.parallel = self.parallel or os.cpu_count()
        super().build_extensions()

    def links_openmp(self, flag):
        """Whether a program that uses OpenMP compiles and links. SKBNN_NO_OPENMP=1 says no."""
        if os.environ.get("SKBNN_NO_OPENMP"):
            return False
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            probe = "omp_pause_resource_all(omp_pause_soft)" if self.compiler.compiler_type == "unix" else "0"  # of 5.0
            source.write_text(f"#include <omp.h>\nint main(void) {{ return omp_get_max_threads() < 1 || {probe}; }}\n")
            try:
                objects = self.compiler.compile([str(source)], folder, extra_postargs=[flag])
                self.compiler.link_executable(objects, str(Path(folder, "probe")), extra_postargs=[flag])
            except Exception:  # whichever error the compiler class raises, OpenMP is not to be had
                return False
        return True


setup(
    ext_modules=cythonize(
        [Extension(SHARED, []), *(extension(*row) for row in EXTENSIONS.items())],
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED,
        build_dir="build",  # generated C stays out of the package's folders
    ),
    cmdclass={"build_ext": BuildExt},
)
