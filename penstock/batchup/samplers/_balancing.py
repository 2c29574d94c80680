"""Weights of samples that balance their classes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._numbers import as_array, check_within, checked_count
from penstock.errors import SamplingError
from penstock.sampling import ClassCounts, class_counts
from penstock.sampling.pool._label_input import HasClassCounts

__all__ = ["balancing_weights", "labels_of"]

_SHOWN = 5


def labels_of(y: Any) -> ClassCounts:
    """Return classes as counts: also those of a matrix of numbers 0 and 1, a column for each class."""
    matrix = as_array("y", y) if hasattr(y, "detach") else y
    if np.ma.is_masked(matrix):
        raise SamplingError("y has masked entries. Expected a class for each sample")
    if isinstance(matrix, np.ndarray) and matrix.ndim == 2 and matrix.shape[1] > 1 and _is_zero_or_one(matrix):
        return class_counts(matrix.astype(bool))
    return class_counts(matrix)


def labels_in(y: Any, indices: NDArray[np.int64]) -> Any:
    """Return the classes of some samples, which may be those of samples that have one; rows of frames by position."""
    if isinstance(y, HasClassCounts | ClassCounts):
        labels = class_counts(y)
        check_within(indices, labels.num_rows)
        return labels.take(np.where(indices < 0, indices + labels.num_rows, indices))
    if not isinstance(y, list | tuple):
        y = as_array("y", y)
        if not y.ndim or y.dtype == object:
            y = y.tolist()
    if not isinstance(y, list | tuple | np.ndarray):
        raise SamplingError(f"y={y!r} is not valid. Expected a class for each sample")
    check_within(indices, len(y))
    return y[indices] if isinstance(y, np.ndarray) else [y[index] for index in indices.tolist()]


def _is_zero_or_one(matrix: NDArray[Any]) -> bool:
    return matrix.dtype.kind in "iuf" and bool(((matrix == 0) | (matrix == 1)).all())


def balancing_weights(y: Any, n_classes: Any = None) -> NDArray[np.float64]:
    """Return a weight per sample: one over the size of its class, times the number of classes.

    If a sample has several classes, the largest weight is used; a sample without a class has the smallest weight of
    those that have one. See `WeightedSampler.class_balancing_sample_weights`.
    """
    values = np.asarray(y) if hasattr(y, "dtype") and not hasattr(y, "detach") else None
    if values is not None and values.size and values.dtype.kind in "if" and values.min() < 0:
        raise SamplingError(f"y contains {values.min()}. Expected class indices of at least 0")
    labels = labels_of(y)
    counts = labels.samples
    if not len(counts) or not counts.any():
        raise SamplingError("no sample has a class, so there is nothing to balance")
    if n_classes is not None:
        _check_classes(counts, checked_count("n_classes", n_classes, 1))
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = 1.0 / (counts[present].astype(np.float64) * int(present.sum()))
    rows, classes, _ = labels.entries
    largest = np.zeros(labels.num_rows)
    np.maximum.at(largest, rows, weights[classes])
    unlabeled = largest == 0
    largest[unlabeled] = weights[present].min()
    return largest


def _check_classes(counts: NDArray[np.int64], n_classes: int) -> None:
    most = int(np.flatnonzero(counts)[-1])
    if most >= n_classes:
        raise SamplingError(f"y contains class {most}, but n_classes is {n_classes}", hint=f"use n_classes={most + 1}")
    empty = np.flatnonzero(np.bincount(np.flatnonzero(counts), minlength=n_classes) == 0)
    if len(empty):
        shown = ", ".join(map(str, empty[:_SHOWN])) + (", …" if len(empty) > _SHOWN else "")
        warnings.warn(
            f"{len(empty)} of {n_classes} classes have no samples ({shown}). The others are balanced", stacklevel=4
        )
