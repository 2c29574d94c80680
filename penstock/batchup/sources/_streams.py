"""Sources of batches that come from a function or an iterator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from penstock.batchup._numbers import checked_num_samples
from penstock.batchup.sources._abstract import AbstractDataSource
from penstock.errors import DataSourceTypeError

__all__ = ["CallableDataSource", "IteratorDataSource"]


class CallableDataSource(AbstractDataSource):
    """Batches of the iterators that a function returns.

    Parameters
    ----------
    batch_iterator_fn : callable ``fn(batch_size, **kwargs) -> iterator``
        Returns an iterator of batches, each a tuple or list of arrays.
    num_samples_fn : callable, int or inf, optional
        The number of samples, or a function ``fn(**kwargs)`` that returns it; None where it is unknown.

    Raises
    ------
    DataSourceError
        If `batch_iterator_fn` cannot be called, or `num_samples_fn` is something else.

    Examples
    --------
    >>> x = np.arange(7)
    >>> def batches(batch_size):
    ...     for start in range(0, len(x), batch_size):
    ...         yield (x[start : start + batch_size],)
    >>> source = CallableDataSource(batches, 7)
    >>> [batch[0].tolist() for batch in source.batch_iterator(5)]
    [[0, 1, 2, 3, 4], [5, 6]]
    """

    def __init__(self, batch_iterator_fn: Callable[..., Iterator[Any]], num_samples_fn: Any = None) -> None:
        if not callable(batch_iterator_fn):
            raise DataSourceTypeError(f"batch_iterator_fn={batch_iterator_fn!r} is not valid. Expected a function")
        self.batch_iterator_fn = batch_iterator_fn
        self.num_samples_fn = num_samples_fn
        if not callable(num_samples_fn):
            self.num_samples()

    def num_samples(self, **kwargs: Any) -> Any:
        """Return the number of samples of an iteration: an int, inf without end, None where unknown."""
        count = self.num_samples_fn(**kwargs) if callable(self.num_samples_fn) else self.num_samples_fn
        return None if count is None else checked_num_samples("num_samples_fn", count)

    def batch_iterator(self, batch_size: int, **kwargs: Any) -> Iterator[Any]:
        """Return what the function returns.

        Parameters
        ----------
        batch_size : int
            Samples per batch.
        **kwargs
            Passed to the function.

        Returns
        -------
        iterator of batches
        """
        return _iterator("batch_iterator_fn returned", self.batch_iterator_fn(batch_size, **kwargs))


class IteratorDataSource(AbstractDataSource):
    """Batches of an iterator, once.

    Parameters
    ----------
    batch_iter : iterator
        Its batches are tuples or lists of arrays.
    n_samples : int or inf, optional
        The number of samples; None where it is unknown.

    Raises
    ------
    DataSourceError
        If `n_samples` is something else, or `batch_iter` cannot be iterated.

    Examples
    --------
    >>> source = IteratorDataSource(iter([(np.arange(5),), (np.arange(2),)]), n_samples=7)
    >>> source.num_samples()
    7
    """

    def __init__(self, batch_iter: Iterator[Any], n_samples: Any = None) -> None:
        _iterator("batch_iter is", batch_iter)
        self.batch_iter = batch_iter
        self.n_samples = None if n_samples is None else checked_num_samples("n_samples", n_samples)

    def num_samples(self, **kwargs: Any) -> Any:  # noqa: ARG002  an int, inf or None
        """Return the number of samples: an int, inf without end, None where unknown."""
        return self.n_samples

    def num_batches(self, batch_size: int, **kwargs: Any) -> Any:  # noqa: ARG002  inf or None
        """Return inf for an endless iterator, otherwise None: the batch sizes are those of the iterator."""
        return np.inf if self.n_samples == np.inf else None

    def batch_iterator(self, batch_size: int, **kwargs: Any) -> Iterator[Any]:  # noqa: ARG002  nothing can be passed
        """Return the iterator; `batch_size` and the other arguments are ignored, because it already exists.

        Returns
        -------
        iterator of batches
        """
        return _iterator("batch_iter is", self.batch_iter)


def _iterator(what: str, batches: Any) -> Iterator[Any]:
    if getattr(batches, "shape", None) == () or not hasattr(batches, "__iter__"):
        raise DataSourceTypeError(f"{what} a {type(batches).__name__}. Expected an iterator of batches")
    return iter(batches)
