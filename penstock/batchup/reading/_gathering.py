"""A function applied to every batch: its results joined, or their mean."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._numbers import checked_count
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
    before = prepend_args or ()
    for batch in _limited(batch_iter, progress_iter_func, n_batches):
        found = func(*before, *(batch if type(batch) is tuple else members_of(batch)))
        if type(found) is np.ndarray and found.ndim and (not results or len(results[0]) == 1):
            results.append((found,))
        elif found is not None:
            results.append(_checked(found, results, numbers=False))
    if not results:
        return None
    return tuple(np.concatenate(parts) for parts in zip(*results, strict=True))


def batch_map_mean(  # noqa: PLR0917  the signature of BatchUp
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
    for batch in _limited(batch_iter, progress_iter_func, n_batches):
        parts = members_of(batch)
        found = func(*(prepend_args or ()), *parts)
        num_samples += length_of_batch(parts)
        if found is not None:
            added = [
                _summed(result, sum_axis) for result in _checked(found, [tuple(sums)] if sums else [], numbers=True)
            ]
            sums = [one + other for one, other in zip(sums, added, strict=True)] if sums else added
    return tuple(one / num_samples for one in sums) if sums else None


def _summed(result: Any, sum_axis: int | tuple[int, ...] | None) -> Any:
    array = np.asarray(result)
    array = array.astype(np.result_type(array.dtype, np.float64))
    return array[()] if sum_axis is None else array.sum(axis=sum_axis)


def _limited(batch_iter: Iterable[Any], progress: Progress | None, n_batches: int | None) -> Iterator[Any]:
    """Return an iterator of at most some batches, which does not read further ones."""
    if n_batches is not None:
        n_batches = checked_count("n_batches", n_batches, 0)
    shown = batch_iter if progress is None else progress(batch_iter, total=n_batches, leave=False)
    return itertools.islice(shown, n_batches)


def _checked(found: Any, before: list[tuple[Any, ...]], *, numbers: bool) -> tuple[Any, ...]:
    """Return results as a tuple of arrays, or numbers, as many as before."""
    results = tuple(_plain(one) for one in (found if isinstance(found, tuple | list) else (found,)))
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


def _plain(result: Any) -> Any:
    return result.detach().cpu().numpy() if hasattr(result, "detach") else result
