"""Predictions of partitions, not computed before they are asked for."""

from copy import copy

import dask.array as da
import numpy as np
from dask import delayed

from skbnn.dask.partitions import is_list_of_delayed
from skbnn.training.state import FinalState


def ask(model, method, example, X):
    """What a method of a fitted estimator says of a partition; of an empty one, no rows like the example's."""
    return getattr(model, method)(X) if X.shape[0] else example[:0]


def ask_lazily(local, method, X):
    """The same of Dask's collections, a dask array with a chunk for each partition of X.

    Parameters
    ----------
    local : BinaryMLPClassifier or BinaryMLPRegressor
        Fitted.
    method : str
        Name of a method.
    X : dask array, data frame, or list of delayed
    """
    model = without_training(local)
    example = example_of(model, method)
    like = {"dtype": example.dtype, "meta": example[:0]}
    call = {"model": delayed(model), "method": method, "example": example}
    if isinstance(X, da.Array):
        if X.ndim != 2:
            raise ValueError(f"Expected 2D array, got {X.ndim}D array instead")
        if X.shape[1] != local.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(local).__name__} is expecting {local.n_features_in_} features "
                "as input."
            )
        X = X.rechunk({1: -1})
        if example.ndim == 1:
            return X.map_blocks(ask_of_block, **call, drop_axis=1, **like)
        return X.map_blocks(ask_of_block, **call, chunks=(X.chunks[0], example.shape[1:]), **like)
    parts = X if is_list_of_delayed(X) else X.to_delayed()
    ask_part = delayed(ask, pure=False)
    blocks = [
        da.from_delayed(ask_part(*call.values(), part), shape=(np.nan, *example.shape[1:]), **like) for part in parts
    ]
    return da.concatenate(blocks, allow_unknown_chunksizes=True)


def ask_of_block(X, model, method, example):
    """``ask`` as Dask calls it for each block."""
    return ask(model, method, example, X)


def without_training(local):
    """The estimator without what training needs, which is much larger than what predicts."""
    model = copy(local)
    model._state = FinalState(local._state.targets, np.zeros(local.n_features_in_))
    return model


def example_of(model, method):
    """What a method says of one row."""
    bare = copy(model)
    vars(bare).pop("feature_names_in_", None)
    bare._packed = model._packed.named(classes=model._packed.classes)  # which reads codes
    return getattr(bare, method)(np.zeros((1, model.n_features_in_)))
