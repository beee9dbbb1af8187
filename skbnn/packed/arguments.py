"""What a packed network is given becomes values that nobody can change; each error names the argument."""

from collections.abc import Iterable
from contextlib import contextmanager
from mmap import mmap

import numpy as np

from skbnn.encoding.tables import Labels, plain, shown

# What an array may hold that is to become one of these: kinds of NumPy's dtypes.
KINDS = {np.uint64: "u", np.int64: "iu", np.int32: "iu", np.float64: "biuf", np.bool_: "b"}

NO_SEQUENCES = str, bytes, set, frozenset, dict  # though they can be iterated over

SCALARS = str, int, float, np.integer, np.floating, np.bool_  # what may be a class


class Frozen(np.ndarray):
    """Memory that was filled for a network, and that nothing else refers to."""


def frozen(values, dtype, ndim, name):
    """A contiguous array of exactly this dtype and dimension that stays as it is; not copied if it is one."""
    array = as_array(values, name)
    require(array.dtype.kind in KINDS[dtype], f"{name} must be {np.dtype(dtype)}, got dtype {array.dtype}")
    require(array.ndim == ndim, f"{name} must have {ndim} dimensions, got shape {array.shape}")
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned and is_constant(array):
        return array
    copy = frozen_copy(array, dtype)
    require(are_the_same(copy, array), f"{name} do not fit {np.dtype(dtype)}")
    return copy


def are_the_same(copy, array):
    """Whether a copy of another dtype has the array's values."""
    if array.dtype.kind in "iu" and copy.dtype.kind == "f" and np.abs(copy).max(initial=0) >= 2**53:
        return (copy.astype(object) == array.astype(object)).all()  # NumPy rounds integers, which it calls safe
    return np.can_cast(array.dtype, copy.dtype) or np.array_equal(copy, array, equal_nan=copy.dtype.kind == "f")


def frozen_copy(array, dtype):
    """The array as this dtype in memory of its own, which is read-only for good."""
    memory = Frozen(array.shape, dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        np.copyto(memory, array, casting="unsafe")
    memory.flags.writeable = False
    return np.asarray(memory)  # of an array that is its own, NumPy would let that be taken back


def is_constant(array):
    """Whether nobody can write to an array's memory: it is another network's, of bytes, or of a file mapped to read."""
    memory = array
    while isinstance(memory, np.ndarray | memoryview):
        if isinstance(memory, Frozen):
            return True
        if isinstance(memory, np.ndarray) and memory.flags.writeable:
            return False
        memory = memory.base if isinstance(memory, np.ndarray) else memory.obj
    return isinstance(memory, bytes) or (isinstance(memory, mmap) and memoryview(memory).readonly)


def frozen_integers(values, ndim, name):
    """``frozen`` as int32, if it is that already, or int64."""
    array = as_array(values, name)
    return frozen(array, np.int32 if array.dtype == np.int32 else np.int64, ndim, name)


def frozen_sizes(values, name):
    """Integers as a tuple."""
    array = values if isinstance(values, np.ndarray) else listed(values, name)
    return tuple(frozen(array, np.int64, 1, name).tolist())


def frozen_layers(layers):
    """Pairs of packed weights and unit thresholds, a tuple."""
    pairs = []
    for i, pair in enumerate(listed(layers, "layers")):
        parts = listed(pair, f"layers[{i}]")
        require(len(parts) == 2, f"layers[{i}] must be packed weights and unit thresholds, got {len(parts)} items")
        weights = frozen(parts[0], np.uint64, 4, f"packed weights of layers[{i}]")
        pairs.append((weights, frozen(parts[1], np.int32, 2, f"unit thresholds of layers[{i}]")))
    return tuple(pairs)


def frozen_labels(values):
    """An array of labels that stays as it is, or None."""
    if values is None:
        return None
    labels = as_array(values, "classes")
    require(labels.ndim == 1, f"classes must have one dimension, got shape {labels.shape}")
    items = written(labels, "classes")
    require(labels.dtype.kind in "biufUO", f"classes have dtype {labels.dtype}, expected numbers or strings")
    if labels.dtype.kind == "O":
        others = [label for label in items if not isinstance(label, SCALARS)]
        require(not others, f"classes must be numbers or strings, got {shown(others[:1])}")
    return frozen_copy(labels, labels.dtype.newbyteorder("="))


def frozen_names(names):
    """Features' names as a tuple, or None."""
    if names is None:
        return None
    names = tuple(listed(names, "feature_names"))
    others = [name for name in names if not isinstance(name, str)]
    require(not others, f"feature_names must be strings, got {shown(others[:1])}")
    return names


def frozen_categories(categories, n_features):
    """Labels of each feature as tuples, or None where no feature has any."""
    if categories is None:
        return None
    features = listed(categories, "categories")
    require(len(features) == n_features, f"{len(features)} categories do not fit {n_features} features")
    for feature, labels in enumerate(features):
        if labels is not None:
            items = listed(labels, f"categories of feature {feature}")
            with reading(f"categories of feature {feature}"):
                features[feature] = Labels(map(plain, items))
            written(features[feature], f"categories of feature {feature}")
    return tuple(features) if any(labels is not None for labels in features) else None


def as_array(values, name):
    """``np.asarray(values)``, but of a masked array, whose mask it would ignore."""
    masked = isinstance(values, np.ndarray) and hasattr(values, "mask")
    require(not masked, f"{name} must not be a masked array")
    with reading(name):
        return np.asarray(values)


def listed(values, name):
    """The items of a sequence, a list."""
    if not isinstance(values, Iterable) or isinstance(values, NO_SEQUENCES):
        raise ValueError(f"{name} must be a sequence, got {shown(values)}")  # not ``require``: arrays take long to show
    with reading(name):
        return list(values)


def written(labels, name):
    """The labels as a list, each of which can be written, as errors and exports do."""
    with reading(name):  # there are integers of too many digits, and characters that are none
        items = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
        for label in items:
            repr(label)
    return items


@contextmanager
def reading(name):
    """An argument's own methods run; what they raise becomes a ValueError that names it."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"{name} can't be read: {error!r}") from error


def require(condition, message):
    """Raise ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)
