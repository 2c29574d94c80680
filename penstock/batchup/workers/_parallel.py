"""A source whose batches workers make ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from penstock.batchup._numbers import checked_count
from penstock.batchup.reading._sent import extract
from penstock.batchup.sources._abstract import AbstractDataSource
from penstock.batchup.workers._work_stream import Pool, WorkStream
from penstock.errors import DataSourceTypeError

__all__ = ["ParallelDataSource"]


class _SharingPool(Pool, Protocol):
    def shared_constant(self, x: Any) -> Any: ...


class ParallelDataSource(AbstractDataSource):
    """Batches of a source, prefetched by the workers of a pool; created by its `parallel_data_source`.

    Batches are those of the source, in the same order: samples are chosen here, and workers read them.

    Parameters
    ----------
    ds : AbstractDataSource
        A source whose samples can be read by index.
    batch_buffer_size : int
        Batches made ahead at most.
    pool : AbstractWorkerPool
        The workers.
    """

    def __init__(self, ds: AbstractDataSource, batch_buffer_size: int, pool: _SharingPool) -> None:
        if not isinstance(ds, AbstractDataSource):
            raise DataSourceTypeError(f"ds is a {type(ds).__name__}. Expected a data source")
        if not ds.is_random_access:
            raise DataSourceTypeError(
                f"the samples of a {type(ds).__name__} cannot be read by index. Expected a source whose samples can"
            )
        self._source = ds
        self._shared = pool.shared_constant(ds)
        self._size = checked_count("batch_buffer_size", batch_buffer_size, 1)
        self._pool = pool

    def num_samples(self, **kwargs: Any) -> Any:
        """Return the number of samples of an iteration, as the source says."""
        return self._source.num_samples(**kwargs)

    def num_batches(self, batch_size: int, **kwargs: Any) -> Any:
        """Return the number of batches of an iteration, as the source says."""
        return self._source.num_batches(batch_size, **kwargs)

    def batch_iterator(self, batch_size: int, **kwargs: Any) -> Iterator[Any]:
        """Return an iterator of batches; workers begin at once.

        Parameters
        ----------
        batch_size : int
            Samples per batch.
        **kwargs
            What the source takes, such as ``shuffle``.

        Returns
        -------
        iterator of batches
        """
        indices: Iterator[Any] = self._source.batch_indices_iterator(batch_size, **kwargs)  # type: ignore[attr-defined]  # a source of samples by number has it
        tasks: Iterator[tuple[Callable[..., Any], tuple[Any, ...]]] = (
            (extract, (self._shared, batch)) for batch in indices
        )
        return WorkStream(self._pool, tasks, task_buffer_size=self._size).retrieve_iter()
