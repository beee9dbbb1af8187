"""Model files: packed networks in the layout of safetensors; ``doc/model_file.rst`` describes every byte."""

from __future__ import annotations

import mmap as memory_map
import os
import sys
from typing import TYPE_CHECKING

import numpy as np

from skbnn._files import replacing, require_file
from skbnn.model_file.layout import FORMAT, SECOND, VERSIONS
from skbnn.model_file.reader import network_of, read
from skbnn.model_file.writer import arrays_of, written
from skbnn.packed import packed_network_of

if TYPE_CHECKING:
    from skbnn._typing import Model, StrPath
    from skbnn.packed import PackedNetwork

# Of a map that holds no file descriptor of its own.
NO_DESCRIPTOR = {"trackfd": False} if sys.version_info >= (3, 13) and os.name == "posix" else {}


def save_model(model: Model, path: StrPath) -> None:
    """Write what a model predicts with to a file, from which ``load_model`` reads it.

    The file appears at once or not at all: it is written beside ``path`` and then takes that name, so whoever has the
    old file mapped goes on with that.

    Parameters
    ----------
    model : BinaryMLPClassifier, BinaryMLPRegressor or PackedNetwork
        An estimator is to be fitted; the file holds its ``packed_``, not its training state.
    path : str or path-like
        Any name; ``.skbnn`` is a good suffix. A file that is there is replaced, and its permissions kept.

    Raises
    ------
    TypeError
        If the model is neither.
    ValueError
        If the file can't hold it: labels that are neither numbers of at most 64 bits nor strings, labels of dtype
        object that end with NUL, names with a NUL or that are not valid Unicode, or more arrays than its header has
        room for (350 hidden layers fit); or if ``path`` is something else than a file.
    OSError
        If the file can't be written; nothing is left behind.

    See Also
    --------
    load_model : The inverse.

    Notes
    -----
    ``doc/model_file.rst`` describes the file byte by byte.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier, load_model, save_model
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = BinaryMLPClassifier((64,), random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.skbnn")
    ...     save_model(classifier, path)
    ...     network = load_model(path, mmap=False)
    >>> network == classifier.packed_
    True
    """
    network = packed_network_of(model)
    arrays = arrays_of(network)
    second = not SECOND.keys().isdisjoint(arrays) or bool(np.isinf(arrays["thresholds"]).any())
    parts = written({"format": FORMAT, "version": VERSIONS[second], "output": network.output}, arrays)
    with replacing(path) as file:
        for part in parts:
            file.write(part)


def load_model(path: StrPath, *, mmap: bool = True) -> PackedNetwork:
    """Read a model file.

    Reading executes nothing, and bounds every size before it allocates. A file of this version stays readable for
    ever.

    Parameters
    ----------
    path : str or path-like
        What ``save_model`` wrote.
    mmap : bool, default=True
        Map the file into memory, so that all processes on a machine that load it share the weights' pages. As long as
        the network lives, the file must not be written to or shortened; that ``save_model`` puts another one in its
        place is fine, as is its removal. Before Python 3.13 a mapped network holds a file descriptor. If False, the
        file is read, and may change afterwards.

    Returns
    -------
    PackedNetwork
        Equal to the one that was saved.

    Raises
    ------
    ValueError
        If the file is truncated, damaged, of another kind, or of a newer version; the message says which. Or if
        ``path`` is something else than a file, such as a pipe.
    OSError
        If the file can't be read, for instance FileNotFoundError.

    See Also
    --------
    save_model : The inverse.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skbnn import BinaryMLPClassifier, load_model, save_model
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = BinaryMLPClassifier((64,), random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.skbnn")
    ...     save_model(classifier, path)
    ...     network = load_model(path, mmap=False)
    >>> network == classifier.packed_
    True
    """
    path = os.fspath(path)
    require_file(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if mmap and size:
            content = memory_map.mmap(file.fileno(), size, access=memory_map.ACCESS_READ, **NO_DESCRIPTOR)
        else:
            content = file.read(size)
    try:
        metadata, arrays = read(memoryview(content))
        try:
            return network_of(metadata, arrays)
        except ValueError as error:
            raise ValueError(f"is damaged: {error}") from error
    except ValueError as error:
        raise ValueError(f"model file {path!r} {error}") from error
