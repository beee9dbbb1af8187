"""Words of the hints on what is public; type checkers alone read this."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from matplotlib.axes import Axes as Axes
from matplotlib.collections import LineCollection as LineCollection
from matplotlib.container import BarContainer as BarContainer
from matplotlib.figure import Figure as OneFigure
from matplotlib.figure import SubFigure
from matplotlib.image import AxesImage as AxesImage
from matplotlib.lines import Line2D as Line2D
from numpy.typing import ArrayLike, NDArray

from skbnn.packed.packed_network import PackedNetwork

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int32] | NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]
Bits: TypeAlias = NDArray[np.int8]  # that are unpacked
Bools: TypeAlias = NDArray[np.bool_]
StrPath: TypeAlias = str | os.PathLike[str]

class Sparse(Protocol):
    """A sparse array or matrix of SciPy."""

    def toarray(self) -> Array: ...

Rows: TypeAlias = ArrayLike | Sparse

class Fitted(Protocol):
    """An estimator that has a packed network once it is fitted."""

    @property
    def packed_(self) -> PackedNetwork: ...

Model: TypeAlias = PackedNetwork | Fitted

# Parameters of both estimators.
Auto: TypeAlias = Literal["auto"]
LayerSizes: TypeAlias = int | Sequence[int] | NDArray[np.integer[Any]] | Auto
Binarization: TypeAlias = Literal["sign", "stochastic"]
SurrogateGradient: TypeAlias = Literal["approx_sign", "clipped_identity", "swish_sign"]
Solver: TypeAlias = Literal["adam", "sgd", "bop"]
Schedule: TypeAlias = Literal["cosine", "exponential", "constant"]
Categories: TypeAlias = Sequence[Sequence[str | float | None] | None]
CategoricalFeatures: TypeAlias = Sequence[bool] | Sequence[int] | Sequence[str] | Array | Literal["from_dtype"] | None
Init: TypeAlias = Literal["additive", "constant"]
Scoring: TypeAlias = str | Callable[..., float] | None
Thresholds: TypeAlias = Sequence[ArrayLike] | None
RandomState: TypeAlias = int | np.random.RandomState | None
ClassWeight: TypeAlias = dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"] | None

Output: TypeAlias = Literal["identity", "logistic", "softmax"]

# Parameters and attributes of displays.
Figure: TypeAlias = OneFigure | SubFigure
Features: TypeAlias = int | str | Sequence[int] | Sequence[str] | NDArray[np.integer[Any]] | None
AxesLike: TypeAlias = Axes | Sequence[Axes] | Array | None
