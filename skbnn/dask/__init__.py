"""Estimators that train on the workers of a Dask cluster, where their rows are; needs the extra ``skbnn[dask]``."""

from skbnn.dask.estimators import DaskBinaryMLPClassifier, DaskBinaryMLPRegressor

__all__ = ["DaskBinaryMLPClassifier", "DaskBinaryMLPRegressor"]
