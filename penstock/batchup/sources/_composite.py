"""Batches with samples from every one of several sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from penstock.batchup._numbers import checked_flag
from penstock.batchup.reading._batches import length_of_batch, members_of, trim_batch
from penstock.batchup.sources._abstract import AbstractDataSource
from penstock.batchup.sources._several import Several
from penstock.errors import DataSourceError, DataSourceTypeError

__all__ = ["CompositeDataSource"]


class CompositeDataSource(Several):
    """Batches that contain samples of every one of several sources; the shortest source ends them.

    Parameters
    ----------
    datasets : sequence of AbstractDataSource
        The sources; each is shuffled independently of the others.
    flatten : bool
        Whether a batch is one tuple of arrays; otherwise it is a tuple with the batch of each source.
    trim : bool
        Whether the parts of a batch are cut to the length of the shortest.

    Raises
    ------
    DataSourceError
        If there is no source.
    DataSourceTypeError
        If something in `datasets` is not a data source.

    Examples
    --------
    >>> import numpy as np
    >>> from penstock.batchup.data_source import ArrayDataSource
    >>> labeled = ArrayDataSource([np.array([1, 2]), np.array([0, 1])], repeats=-1)
    >>> unlabeled = ArrayDataSource([np.arange(10, 15)])
    >>> source = CompositeDataSource([labeled, unlabeled])
    >>> [[part.tolist() for part in batch] for batch in source.batch_iterator(batch_size=3)]
    [[[1, 2, 1], [0, 1, 0], [10, 11, 12]], [[2, 1], [1, 0], [13, 14]]]
    >>> structured = CompositeDataSource([labeled, unlabeled], flatten=False)
    >>> for (x, y), (u,) in structured.batch_iterator(batch_size=3):
    ...     print(x, y, u)
    [1 2 1] [0 1 0] [10 11 12]
    [2 1] [1 0] [13 14]
    """

    def __init__(self, datasets: Sequence[AbstractDataSource], flatten: bool = True, trim: bool = True) -> None:
        super().__init__(datasets)
        self.flatten = checked_flag("flatten", flatten)
        self.trim = checked_flag("trim", trim)

    def num_samples(self, **kwargs: Any) -> Any:
        """Return the number of samples of the shortest source; None where one of them is unknown."""
        return _least([source.num_samples(**self._for_member(n, kwargs)) for n, source in enumerate(self.datasets)])

    def num_batches(self, batch_size: int, **kwargs: Any) -> Any:
        """Return the number of batches of the source with the fewest; None where one of them is unknown."""
        options = [self._for_member(number, kwargs) for number in range(len(self.datasets))]
        return _least([s.num_batches(batch_size, **o) for s, o in zip(self.datasets, options, strict=True)])

    def batch_iterator(self, batch_size: int, **kwargs: Any) -> Iterator[Any]:
        """Return an iterator of batches.

        Parameters
        ----------
        batch_size : int
            Samples per batch from each source.
        **kwargs
            What the sources take, such as ``shuffle``.

        Returns
        -------
        iterator of tuple
            Of arrays; with ``flatten=False`` of a tuple for each source.
        """
        iterators = [s.batch_iterator(batch_size, **self._for_member(n, kwargs)) for n, s in enumerate(self.datasets)]
        return (self._prepare_batch(batch) for batch in zip(*iterators, strict=False))

    def batch_indices_iterator(self, batch_size: int, **kwargs: Any) -> Iterator[Any]:
        """Return an iterator of the indices of each batch.

        Parameters
        ----------
        batch_size : int
            Samples per batch from each source.
        **kwargs
            What the sources take, such as ``shuffle``.

        Returns
        -------
        iterator of tuple
            With the indices of each source, whatever their form.
        """
        self._check_random_access("batch_indices_iterator")
        iterators: list[Iterator[Any]] = [
            source.batch_indices_iterator(batch_size, **self._for_member(number, kwargs))  # type: ignore[attr-defined]  # checked above
            for number, source in enumerate(self.datasets)
        ]
        return (_trimmed(batch) if self.trim else batch for batch in zip(*iterators, strict=False))

    def samples_by_indices_nomapping(self, indices: Any) -> Any:
        """Return a batch of the samples of some indices in the data set of each source.

        Parameters
        ----------
        indices : sequence
            For each source what its `samples_by_indices_nomapping` takes.

        Returns
        -------
        tuple
        """
        return self._read("samples_by_indices_nomapping", indices)

    def samples_by_indices(self, indices: Any) -> Any:
        """Return a batch of the samples at some places of those that each source draws from.

        Parameters
        ----------
        indices : sequence
            For each source what its `samples_by_indices` takes.

        Returns
        -------
        tuple
        """
        return self._read("samples_by_indices", indices)

    def _read(self, name: str, indices: Any) -> Any:
        self._check_random_access(name)
        if not isinstance(indices, Sequence | np.ndarray) or getattr(indices, "shape", None) == ():
            raise DataSourceTypeError(
                f"indices is a {type(indices).__name__}. Expected a tuple with indices for each source",
                hint="batch_indices_iterator yields them",
            )
        if len(indices) != len(self.datasets):
            raise DataSourceError(
                f"there are indices for {len(indices)} sources. Expected {len(self.datasets)}, one array per source"
            )
        parts = [getattr(source, name)(part) for source, part in zip(self.datasets, indices, strict=True)]
        return self._prepare_batch(parts)

    def _prepare_batch(self, batch: Sequence[Any]) -> tuple[Any, ...]:
        parts = tuple(map(members_of, batch))
        if self.trim:
            parts = _trimmed(parts)
        return sum(parts, ()) if self.flatten else parts


def _trimmed(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    lengths = set(map(length_of_batch, parts))
    return parts if len(lengths) == 1 else tuple(trim_batch(part, min(lengths)) for part in parts)


def _least(counts: list[Any]) -> Any:
    return None if None in counts else min(counts)
