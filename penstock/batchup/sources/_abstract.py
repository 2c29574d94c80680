"""The base of all data sources, and sources whose batches go through a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._numbers import num_batches
from penstock.batchup.reading import _gathering
from penstock.batchup.reading._batches import members_of
from penstock.batchup.reading._rows import Rows
from penstock.batchup.samplers._orders import rng_of
from penstock.errors import DataSourceError, DataSourceTypeError, NotSupportedError
from penstock.loader import Drawn, DrawnSource
from penstock.tql import HasSampleWeights

__all__ = ["AbstractDataSource", "MapDataSource"]


class AbstractDataSource:
    """Base of data sources, for deriving sources of your own: something that gives batches.

    A source defines `num_samples` and `batch_iterator`. One whose samples can be read by index also defines
    `is_random_access`, `batch_indices_iterator` and `samples_by_indices_nomapping`, as `RandomAccessDataSource` does.
    """

    @property
    def is_random_access(self) -> bool:
        """Return whether samples can be read by index."""
        return False

    def num_samples(self, **kwargs: Any) -> Any:  # noqa: ARG002  an int, inf or None; for a subclass
        """Return the number of samples of an iteration: an int, inf without end, None where unknown."""
        raise NotSupportedError(f"{type(self).__name__} does not define num_samples")

    def num_batches(self, batch_size: int, **kwargs: Any) -> Any:
        """Return the number of batches of an iteration: an int, inf without end, None where unknown."""
        count = self.num_samples(**kwargs)
        return None if count is None else num_batches(count, batch_size)

    def batch_iterator(self, batch_size: int, **kwargs: Any) -> Iterator[Any]:  # noqa: ARG002  for a subclass
        """Return an iterator of batches.

        Parameters
        ----------
        batch_size : int
            Samples per batch.
        **kwargs
            What the source takes, such as ``shuffle``.

        Returns
        -------
        iterator of tuple of ndarray
        """
        raise NotSupportedError(f"{type(self).__name__} does not define batch_iterator")

    def map(self, fn: Callable[..., Any]) -> MapDataSource:
        """Return a source whose batches are those of this one, put through a function.

        Parameters
        ----------
        fn : callable ``fn(*batch) -> batch``
            Returns a batch as a tuple; data augmentation, for instance.

        Returns
        -------
        MapDataSource
        """
        return MapDataSource(self, fn)

    def batch_map_concat(
        self,
        func: Callable[..., Any],
        batch_size: int,
        progress_iter_func: Callable[..., Iterable[Any]] | None = None,
        n_batches: int | None = None,
        prepend_args: tuple[Any, ...] | None = None,
        **kwargs: Any,
    ) -> tuple[NDArray[Any], ...] | None:
        """Return the results of a function for all samples, batch by batch.

        Parameters
        ----------
        func : callable ``func(*batch) -> results``
            Returns an array with one entry for each sample, a tuple or list of such arrays, or None.
        batch_size : int
            Samples per batch.
        progress_iter_func : callable, optional
            Such as ``tqdm.tqdm``.
        n_batches : int, optional
            How many batches to take at most; needed where the source has no end.
        prepend_args : tuple, optional
            Arguments of `func` before those of the batch.
        **kwargs
            Passed to `batch_iterator`; by default samples come in order, and so do results.

        Returns
        -------
        tuple of ndarray, shape (num_samples, ...), or None
            One array per result; None if there were no results.

        Raises
        ------
        DataSourceError
            If the source has no end and `n_batches` is not given.

        Examples
        --------
        >>> from penstock.batchup.data_source import ArrayDataSource
        >>> source = ArrayDataSource([np.arange(5)])
        >>> (doubled,) = source.batch_map_concat(lambda x: 2 * x, batch_size=2)
        >>> doubled.tolist()
        [0, 2, 4, 6, 8]
        """
        limit = self._limit(batch_size, n_batches, kwargs)
        func, batches = self._applied(func, batch_size, kwargs)
        return _gathering.batch_map_concat(func, batches, progress_iter_func, limit, prepend_args)

    def batch_map_mean(
        self,
        func: Callable[..., Any],
        batch_size: int,
        progress_iter_func: Callable[..., Iterable[Any]] | None = None,
        sum_axis: int | tuple[int, ...] | None = None,
        n_batches: int | None = None,
        prepend_args: tuple[Any, ...] | None = None,
        **kwargs: Any,
    ) -> tuple[Any, ...] | None:
        """Return the mean of a function's results over all samples.

        Parameters
        ----------
        func : callable ``func(*batch) -> results``
            Returns the sum over the samples of the batch, a tuple or list of such sums, or None; with `sum_axis`
            arrays that are summed over these axes.
        batch_size : int
            Samples per batch.
        progress_iter_func : callable, optional
            Such as ``tqdm.tqdm``.
        sum_axis : int or tuple of int, optional
            Axes over which results are summed; 0 for results with one entry for each sample.
        n_batches : int, optional
            How many batches to take at most; needed where the source has no end.
        prepend_args : tuple, optional
            Arguments of `func` before those of the batch.
        **kwargs
            Passed to `batch_iterator`.

        Returns
        -------
        tuple of float or ndarray, or None
            The sums, divided by the number of samples; None if there were no results.

        Raises
        ------
        DataSourceError
            If the source has no end and `n_batches` is not given.

        Examples
        --------
        >>> from penstock.batchup.data_source import ArrayDataSource
        >>> source = ArrayDataSource([np.arange(5), np.zeros(5)])
        >>> source.batch_map_mean(lambda x, y: [((x - y) ** 2).sum()], batch_size=2)
        (np.float64(6.0),)
        """
        limit = self._limit(batch_size, n_batches, kwargs)
        func, batches = self._applied(func, batch_size, kwargs)
        return _gathering.batch_map_mean(func, batches, progress_iter_func, sum_axis, limit, prepend_args)

    def _applied(
        self, func: Callable[..., Any], batch_size: int, options: dict[str, Any]
    ) -> tuple[Callable[..., Any], Iterator[Any]]:
        """Return what is called with each batch, and the batches."""
        return func, self.batch_iterator(batch_size, **options)

    def _limit(self, batch_size: int, n_batches: int | None, options: dict[str, Any]) -> int | None:
        if n_batches is not None:
            return n_batches
        count = self.num_batches(batch_size, **options)
        if count == np.inf:
            raise DataSourceError(
                f"{type(self).__name__} never ends. Expected n_batches, the number of batches to take",
                hint="or use a WeightedSampler with num_samples, which ends",
            )
        return None if count is None else int(count)

    @staticmethod
    def _get_shuffle_rng(shuffle: Any) -> Any:
        return rng_of(shuffle)


class MapDataSource(AbstractDataSource):
    """Batches of another source, put through a function.

    Parameters
    ----------
    source : AbstractDataSource
        Where the batches come from.
    fn : callable ``fn(*batch) -> batch``
        Returns a batch as a tuple.

    Raises
    ------
    DataSourceTypeError
        If `source` is not a data source, or `fn` cannot be called.

    Examples
    --------
    >>> from penstock.batchup.data_source import ArrayDataSource
    >>> source = MapDataSource(ArrayDataSource([np.arange(4)]), lambda x: (x * 10,))
    >>> [batch[0].tolist() for batch in source.batch_iterator(2)]
    [[0, 10], [20, 30]]
    """

    def __init__(self, source: AbstractDataSource, fn: Callable[..., Any]) -> None:
        if not isinstance(source, AbstractDataSource):
            raise DataSourceTypeError(f"source is a {type(source).__name__}. Expected a data source")
        if not callable(fn):
            raise DataSourceTypeError(f"fn={fn!r} is not valid. Expected a function of a batch")
        self.source = source
        self.fn = fn

    @property
    def is_random_access(self) -> bool:
        """Return whether samples can be read by index."""
        return self.source.is_random_access

    def num_samples(self, **kwargs: Any) -> Any:
        """Return the number of samples of an iteration, as the source says."""
        return self.source.num_samples(**kwargs)

    def num_batches(self, batch_size: int, **kwargs: Any) -> Any:
        """Return the number of batches of an iteration, as the source says."""
        return self.source.num_batches(batch_size, **kwargs)

    def batch_iterator(self, batch_size: int, **kwargs: Any) -> Iterator[Any]:
        """Return an iterator of batches, each put through the function.

        Parameters
        ----------
        batch_size : int
            Samples per batch.
        **kwargs
            What the source takes, such as ``shuffle``.

        Returns
        -------
        iterator of what the function returns
        """
        return self._mapped(self.source.batch_iterator(batch_size, **kwargs))

    def _mapped(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            yield self.fn(*members_of(batch))

    def samples_by_indices_nomapping(self, indices: Any) -> Any:
        """Return the samples of some indices in the data set, put through the function."""
        return self.fn(*members_of(self._read("samples_by_indices_nomapping")(indices)))

    def samples_by_indices(self, indices: Any) -> Any:
        """Return the samples at some places of those the source draws from, put through the function."""
        return self.fn(*members_of(self._read("samples_by_indices")(indices)))

    def __drawn__(self, seed: int) -> Drawn:
        """Return what a loader of this source draws from: its samples go through the function."""
        if not isinstance(self.source, DrawnSource):
            raise NotSupportedError(
                f"a loader cannot read from a {type(self.source).__name__}. "
                "Expected a source whose samples can be read by index"
            )
        drawn = getattr(self.source, "drawn_rows", self.source.__drawn__)(seed)
        inner = drawn.source
        rows = Rows(int(inner.num_samples()), lambda indices: self.fn(*members_of(inner.samples_by_indices(indices))))
        return replace(drawn, source=rows)

    def __sample_weights__(self, num_samples: int) -> NDArray[np.float64]:
        """Return the weight of each sample, as the source says: a function changes samples, not which are drawn."""
        if not isinstance(self.source, HasSampleWeights):
            raise DataSourceError(
                f"weights of a {type(self.source).__name__}. Expected a source whose samples are read by index"
            )
        return self.source.__sample_weights__(num_samples)

    def batch_indices_iterator(self, batch_size: int, **kwargs: Any) -> Iterator[Any]:
        """Return an iterator of the indices of each batch, as the source gives them."""
        indices: Iterator[Any] = self._read("batch_indices_iterator")(batch_size, **kwargs)
        return indices

    def _read(self, name: str) -> Callable[..., Any]:
        if not self.is_random_access:
            raise DataSourceTypeError(f"{name}: samples of a {type(self.source).__name__} cannot be read by index")
        method: Callable[..., Any] = getattr(self.source, name)
        return method
