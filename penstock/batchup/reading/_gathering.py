"""A function applied to every batch: its results joined, or their mean."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._numbers import checked_count, detached
from penstock.batchup.reading._batches import length_of_batch, members_of
from penstock.errors import DataSourceError, DataSourceTypeError

__all__ = ["batch_map_concat", "batch_map_mean"]

Function = Callable[..., Any]
Progress = Callable[..., Iterable[Any]]


def batch_map_concat(
    func: Function,
    batch_iter: Iterable[Any],
    progress_iter_func: Progress | None = None,
    n_batches: int | None = None,
    prepend_args: tuple[Any, ...] | None = None,
) -> tuple[NDArray[Any], ...] | None:
    """Return the results of a function for all samples of an iterator of batches, in the order of the batches.

    Parameters
    ----------
    func : callable ``func(*batch) -> results``
        Returns an array with one entry for each sample, a tuple or list of such arrays, or None.
    batch_iter : iterable of batches
        Arrays in tuples.
    progress_iter_func : callable, optional
        Such as ``tqdm.tqdm``: called as ``progress_iter_func(iterator, total=n_batches, leave=False)``.
    n_batches : int, optional
        How many batches to take at most.
    prepend_args : tuple, optional
        Arguments of `func` before those of the batch.

    Returns
    -------
    tuple of ndarray, shape (num_samples, ...), or None
        One array per result; None if there were no results.

    Raises
    ------
    DataSourceTypeError
        If `func` returns something else.

    Examples
    --------
    >>> batches = [(np.arange(3),), (np.arange(3, 5),)]
    >>> (squares,) = batch_map_concat(lambda x: x**2, batches)
    >>> squares.tolist()
    [0, 1, 4, 9, 16]
    """
    results: list[tuple[Any, ...]] = []
    before = _checked_call(func, prepend_args)
    for batch in _limited(batch_iter, progress_iter_func, n_batches):
        found = func(*before, *(batch if type(batch) is tuple else members_of(batch)))
        if type(found) is np.ndarray and found.ndim and (not results or len(results[0]) == 1):
            results.append((found,))
        elif found is not None:
            results.append(_checked(found, results, numbers=False))
    if not results:
        return None
    return tuple(_joined(parts) for parts in zip(*results, strict=True))


def batch_map_mean(
    func: Function,
    batch_iter: Iterable[Any],
    progress_iter_func: Progress | None = None,
    sum_axis: int | tuple[int, ...] | None = None,
    n_batches: int | None = None,
    prepend_args: tuple[Any, ...] | None = None,
) -> tuple[Any, ...] | None:
    """Return the mean of a function's results over all samples.

    Parameters
    ----------
    func : callable ``func(*batch) -> results``
        Returns the sum over the samples of the batch, a tuple or list of such sums, or None. With `sum_axis` it
        returns arrays that are summed over these axes.
    batch_iter : iterable of batches
        Arrays in tuples.
    progress_iter_func : callable, optional
        Such as ``tqdm.tqdm``: called as ``progress_iter_func(iterator, total=n_batches, leave=False)``.
    sum_axis : int or tuple of int, optional
        Axes over which results are summed; 0 for results with one entry for each sample.
    n_batches : int, optional
        How many batches to take at most.
    prepend_args : tuple, optional
        Arguments of `func` before those of the batch.

    Returns
    -------
    tuple of float or ndarray, or None
        The sums, divided by the number of samples; None if there were no results.

    Raises
    ------
    DataSourceTypeError
        If `func` returns something else.

    Examples
    --------
    >>> batches = [(np.arange(3),), (np.arange(3, 5),)]
    >>> batch_map_mean(lambda x: (x.sum(), (x > 1).sum()), batches)
    (np.float64(2.0), np.float64(0.6))
    """
    sums: list[Any] = []
    num_samples = 0
    before = _checked_call(func, prepend_args)
    for batch in _limited(batch_iter, progress_iter_func, n_batches):
        parts = members_of(batch)
        found = func(*before, *parts)
        num_samples += length_of_batch(parts)
        if found is not None:
            added = [
                _summed(result, sum_axis) for result in _checked(found, [tuple(sums)] if sums else [], numbers=True)
            ]
            sums = [_added(one, other) for one, other in zip(sums, added, strict=True)] if sums else added
    return tuple(one / num_samples for one in sums) if sums else None


def _checked_call(func: Function, prepend_args: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """Return the first arguments of a function, before any batch is made."""
    if not callable(func):
        raise DataSourceTypeError(f"func={func!r} is not valid. Expected a function of a batch")
    if prepend_args is not None and not isinstance(prepend_args, tuple | list):
        raise DataSourceTypeError(
            f"prepend_args={prepend_args!r} is not valid. Expected a tuple of arguments",
            hint="use (argument,) for a single one",
        )
    return tuple(prepend_args or ())


def _joined(parts: tuple[NDArray[Any], ...]) -> NDArray[Any]:
    try:
        return np.concatenate(parts)
    except (TypeError, ValueError) as error:
        kinds = list(dict.fromkeys(f"{part.dtype} of shape {part.shape}" for part in parts))
        raise DataSourceError(
            f"the function returned arrays that do not fit together: {', then '.join(kinds[:2])}. "
            "Expected the same in every batch, except for the number of samples"
        ) from error


def _summed(result: Any, sum_axis: int | tuple[int, ...] | None) -> Any:
    array = np.asarray(result)
    if array.dtype.kind not in "biufcO":
        raise DataSourceTypeError(f"the function returned {array.dtype}. Expected numbers")
    try:
        array = array.astype(np.float64 if array.dtype == object else np.result_type(array.dtype, np.float64))
    except (TypeError, ValueError, OverflowError) as error:
        raise DataSourceTypeError(f"the function returned objects ({error}). Expected numbers") from error
    if sum_axis is None:
        return array[()]
    try:
        return array.sum(axis=sum_axis)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataSourceError(
            f"sum_axis={sum_axis!r} is not valid for results of shape {array.shape}. Expected axes of the results"
        ) from error


def _added(sums: Any, more: Any) -> Any:
    if np.shape(sums) != np.shape(more):
        raise DataSourceError(
            f"the function returned a result of shape {np.shape(more)}. "
            f"Expected {np.shape(sums)}, as in earlier batches",
            hint="sum_axis=0 for results with an entry for each sample",
        )
    return sums + more


def _limited(batch_iter: Iterable[Any], progress: Progress | None, n_batches: int | None) -> Iterator[Any]:
    """Return an iterator of at most some batches, which does not read further ones."""
    if n_batches is not None:
        n_batches = checked_count("n_batches", n_batches, 0)
    if progress is not None and not callable(progress):
        raise DataSourceTypeError(
            f"progress_iter_func={progress!r} is not valid. Expected a function such as tqdm.tqdm"
        )
    if not hasattr(batch_iter, "__iter__") or getattr(batch_iter, "shape", None) == ():
        raise DataSourceTypeError(f"batch_iter is a {type(batch_iter).__name__}. Expected an iterator of batches")
    shown = batch_iter if progress is None else progress(batch_iter, total=n_batches, leave=False)
    return itertools.islice(shown, n_batches)


def _checked(found: Any, before: list[tuple[Any, ...]], *, numbers: bool) -> tuple[Any, ...]:
    """Return results as a tuple of arrays, or numbers, as many as before."""
    results = tuple(detached(one) for one in (found if isinstance(found, tuple | list) else (found,)))
    results = tuple(np.asarray(one) if hasattr(one, "detach") else one for one in results)
    kinds = (np.ndarray, np.number, np.bool_, int, float) if numbers else (np.ndarray,)
    for one in results:
        if not isinstance(one, kinds):
            raise DataSourceTypeError(
                f"the function returned {type(found).__name__}. Expected an array{' or a number' if numbers else ''}, "
                "a tuple of them, or None"
            )
        if not numbers and not np.ndim(one):
            raise DataSourceTypeError(
                f"the function returned the single number {one!r}. Expected an entry for each sample",
                hint="use batch_map_mean for sums over the samples of a batch",
            )
    if before and len(before[0]) != len(results):
        raise DataSourceError(
            f"the function returned {len(results)} results. Expected {len(before[0])}, as in earlier batches"
        )
    return results
