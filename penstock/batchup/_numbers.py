"""Checks of batch sizes, repeats and indices, before anything is drawn."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataSourceError, DataSourceTypeError, SampleIndexError

__all__ = [
    "as_array",
    "check_within",
    "checked_batch_size",
    "checked_count",
    "checked_flag",
    "checked_index",
    "checked_indices",
    "checked_num_samples",
    "checked_repeats",
    "detached",
    "num_batches",
]


_MOST = 1 << 48  # more than any machine has samples; what follows from it still fits into 64 bits


def num_batches(n: float, batch_size: int) -> Any:
    """Return the number of batches that cover a data set.

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
        If `batch_size` is not an integer of at least 1, or `n` is neither an integer of at least 0 nor inf.

    Examples
    --------
    >>> num_batches(20, 5), num_batches(21, 5)
    (4, 5)
    """
    size, count = checked_batch_size(batch_size), checked_num_samples("n", n)
    return count if count == math.inf else -(-count // size)


def checked_batch_size(batch_size: Any) -> int:
    """Return a batch size as an int; refuse what is not one."""
    return checked_count("batch_size", batch_size, 1)


def checked_count(name: str, value: Any, least: int) -> int:
    """Return an integer of at least `least`."""
    number = _whole(value)
    if number is None:
        raise DataSourceTypeError(f"{name}={value!r} is not valid. Expected an integer of at least {least}")
    if not least <= number <= _MOST:
        raise DataSourceError(f"{name}={value!r} is not valid. Expected an integer from {least} to {_MOST}")
    return number


def checked_repeats(repeats: Any) -> int:
    """Return how often a data set is repeated; -1 is without end."""
    number = _whole(repeats)
    if number is None:
        raise DataSourceTypeError(
            f"repeats={repeats!r} is not valid. Expected an integer of at least 1, or -1 to repeat forever"
        )
    if number == 0 or not -1 <= number <= _MOST:
        raise DataSourceError(
            f"repeats={repeats!r} is not valid. Expected an integer from 1 to {_MOST}, or -1 to repeat forever"
        )
    return number


def checked_num_samples(name: str, count: Any) -> Any:
    """Return a number of samples: an int of at least 0, or inf."""
    if isinstance(count, float | np.floating) and count == math.inf:
        return math.inf
    return checked_count(name, count, 0)


def checked_flag(name: str, value: Any) -> bool:
    """Return True or False; 1 and 0 stand for them."""
    if isinstance(value, bool | np.bool_) or _whole(value) in {0, 1}:
        return bool(value)
    raise DataSourceTypeError(f"{name}={value!r} is not valid. Expected True or False")


def _whole(value: Any) -> int | None:
    """Return an integer as int; None for anything else."""
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # a tensor of torch with several entries raises the last two
        return None


def as_array(name: str, values: Any) -> NDArray[Any]:
    """Return lists, tensors and frames as an array of numpy."""
    if np.ma.is_masked(values):
        raise DataSourceTypeError(
            f"{name} has masked entries. Expected a value for each sample", hint="values.filled(0)"
        )
    try:
        return np.asarray(detached(values))
    except Exception as error:
        raise DataSourceTypeError(
            f"{name} are a {type(values).__name__} that is not an array ({' '.join(str(error).split())[:100]}). "
            "Expected one number for each"
        ) from error


def detached(values: Any) -> Any:
    """Return a tensor of torch on the CPU, without a gradient, of a type that numpy has; anything else as it is."""
    if not hasattr(values, "detach"):
        return values
    plain = values.detach().cpu()
    return plain.float() if str(plain.dtype) == "torch.bfloat16" else plain


def checked_indices(indices: Any) -> NDArray[np.int64]:
    """Return indices of samples as a read-only array that nobody else has, shape (num_indices,)."""
    array = as_array("indices", indices)
    if array.dtype == np.bool_:
        raise DataSourceTypeError(
            f"indices is a mask of shape {array.shape}. Expected integers", hint="np.flatnonzero(mask)"
        )
    if array.ndim != 1:
        raise DataSourceError(f"indices has shape {array.shape}. Expected one dimension")
    if array.size and array.dtype.kind not in "iu":
        raise DataSourceTypeError(f"indices has dtype {array.dtype}. Expected integers")
    if array.size and int(array.max()) > np.iinfo(np.int64).max:  # as int64 it would count from the end
        raise SampleIndexError(f"indices contain {array.max()}. Expected at most {np.iinfo(np.int64).max}")
    own = np.array(array, np.int64)
    own.setflags(write=False)
    return own


def checked_index(indices: Any, length: int) -> Any:
    """Return an index, a slice, or an array of indices or of bool, of samples that exist."""
    if isinstance(indices, slice):
        wrong = [
            part for part in (indices.start, indices.stop, indices.step) if part is not None and _whole(part) is None
        ]
        if wrong or indices.step == 0:
            raise DataSourceTypeError(f"indices={indices!r} is not valid. Expected a slice of integers, the step not 0")
        backward = indices.step is not None and indices.step < 0  # which numpy alone takes
        return np.arange(length)[indices].copy() if backward else indices
    array = indices if isinstance(indices, np.ndarray) else as_array("indices", indices)
    if array.ndim > 1 or not (array.dtype.kind in "iu" or (array.dtype == np.bool_ and array.ndim) or not array.size):
        raise DataSourceTypeError(
            f"indices={indices!r} is not valid. Expected an integer, a slice or a one-dimensional array of integers"
        )
    if array.dtype == np.bool_:
        if len(array) != length:
            raise SampleIndexError(f"the mask has {len(array)} entries. Expected {length}, one per sample")
        return array
    check_within(array, length)
    if not array.ndim:
        return int(array)
    if not array.size:
        return array.astype(np.int64)
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)  # torch takes no other strides


def check_within(indices: NDArray[np.integer[Any]], length: int, what: str = "indices") -> None:
    """Refuse indices of samples that do not exist; negative ones count from the end."""
    if not indices.size:
        return
    low, high = int(indices.min()), int(indices.max())
    if low < -length or high >= length:
        wrong = high if high >= length else low
        expected = f"from {-length} to {length - 1}" if length else "none"
        raise SampleIndexError(f"{what} contain {wrong}; there are {length} samples, expected indices {expected}")
