"""Checks of batch sizes, repeats and indices, before anything is drawn."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataSourceError, DataSourceTypeError, SampleIndexError

__all__ = [
    "check_within",
    "checked_batch_size",
    "checked_count",
    "checked_index",
    "checked_indices",
    "checked_repeats",
    "num_batches",
]


def num_batches(n: float, batch_size: int) -> Any:
    """Return the batches that cover a data set.

    Parameters
    ----------
    n : int or inf
        Samples of the data set.
    batch_size : int
        Samples per batch, at least 1; the last batch can be smaller.

    Returns
    -------
    int or inf

    Raises
    ------
    DataSourceError
        If `batch_size` is not an integer of at least 1.

    Examples
    --------
    >>> num_batches(20, 5), num_batches(21, 5)
    (4, 5)
    """
    size = checked_batch_size(batch_size)
    return n if math.isinf(n) else -(-n // size)


def checked_batch_size(batch_size: Any) -> int:
    """Return a batch size as an int, or say what is wrong with it."""
    return checked_count("batch_size", batch_size, 1)


def checked_count(name: str, value: Any, least: int) -> int:
    """Return an integer of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool | np.bool_):
        raise DataSourceTypeError(f"{name}={value!r} is not valid. Expected an integer of at least {least}")
    if number < least:
        raise DataSourceError(f"{name}={value!r} is not valid. Expected an integer of at least {least}")
    return number


def checked_repeats(repeats: Any) -> int:
    """Return the number of passes over a dataset; -1 means endless."""
    try:
        number = operator.index(repeats)
    except TypeError:
        number = None
    if number is None or isinstance(repeats, bool | np.bool_):
        raise DataSourceTypeError(
            f"repeats={repeats!r} is not valid. Expected an integer of at least 1, or -1 to repeat forever"
        )
    if number == 0 or number < -1:
        raise DataSourceError(f"repeats={repeats!r} is not valid. Expected at least 1, or -1 to repeat forever")
    return number


def checked_indices(indices: Any) -> NDArray[np.int64]:
    """Return indices of samples as a read-only array of their own, shape (num_indices,)."""
    try:
        array = np.asarray(indices)
    except ValueError as error:
        raise DataSourceTypeError("indices has lists of unequal length. Expected one integer per sample") from error
    if array.dtype == np.bool_:
        raise DataSourceTypeError(
            f"indices is a mask of shape {array.shape}. Expected integers", hint="np.flatnonzero(mask)"
        )
    if array.ndim != 1:
        raise DataSourceError(f"indices has shape {array.shape}. Expected one dimension")
    if array.size and array.dtype.kind not in "iu":
        raise DataSourceTypeError(f"indices has dtype {array.dtype}. Expected integers")
    own = np.array(array, np.int64)
    own.setflags(write=False)
    return own


def checked_index(indices: Any, length: int) -> Any:
    """Return an index, a slice, or an array of indices or of bool, of samples that exist."""
    if isinstance(indices, slice):
        return indices
    array = indices if isinstance(indices, np.ndarray) else np.asarray(indices)
    if array.ndim > 1 or not (array.dtype.kind in "iu" or (array.dtype == np.bool_ and array.ndim) or not array.size):
        raise DataSourceTypeError(
            f"indices={indices!r} is not valid. Expected an integer, a slice or a one-dimensional array of integers"
        )
    if array.dtype == np.bool_:
        if len(array) != length:
            raise SampleIndexError(f"the mask has {len(array)} entries. Expected {length}, one per sample")
        return array
    check_within(array, length)
    return array if array.ndim and array.size else int(array) if not array.ndim else array.astype(np.int64)


def check_within(indices: NDArray[np.integer[Any]], length: int, what: str = "indices") -> None:
    """Refuse indices of samples that do not exist; negative ones count from the end."""
    if not indices.size:
        return
    low, high = int(indices.min()), int(indices.max())
    if low < -length or high >= length:
        wrong = high if high >= length else low
        raise SampleIndexError(f"{what} contain {wrong}, but there are {length} samples. Expected at most {length - 1}")
