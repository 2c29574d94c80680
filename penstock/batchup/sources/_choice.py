"""Batches each of which is of one of several sources."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._numbers import checked_flag, checked_index
from penstock.batchup.reading._batches import ChoiceBatch
from penstock.batchup.samplers._orders import orders_of, permuted
from penstock.batchup.sources._abstract import AbstractDataSource
from penstock.batchup.sources._several import Several
from penstock.errors import DataSourceError, DataSourceTypeError

__all__ = ["ChoiceDataSource"]


class ChoiceDataSource(Several):
    """Batches that each contain samples of one of several sources.

    Parameters
    ----------
    datasets : sequence of AbstractDataSource
        The sources.
    stratified : bool
        Whether all batches of all sources come, those of each spread evenly over the iteration, or shuffled. Else,
        or where a source has no end, sources take turns until one of them is exhausted.

    Raises
    ------
    DataSourceError
        If there is no source.
    DataSourceTypeError
        If something in `datasets` is not a data source.

    Examples
    --------
    >>> from penstock.batchup.data_source import ArrayDataSource
    >>> few, many = ArrayDataSource([np.arange(2)]), ArrayDataSource([np.arange(10, 18)])
    >>> source = ChoiceDataSource([few, many], stratified=True)
    >>> [batch[0].tolist() for batch in source.batch_iterator(batch_size=2)]
    [[0, 1], [10, 11], [12, 13], [14, 15], [16, 17]]
    """

    def __init__(self, datasets: Sequence[AbstractDataSource], stratified: bool = False) -> None:
        super().__init__(datasets)
        self.stratified = checked_flag("stratified", stratified)

    def num_samples(self, **kwargs: Any) -> Any:
        """Return the number of samples of all sources together; inf where one has no end, unknown ones left out."""
        counts = [source.num_samples(**self._for_member(n, kwargs)) for n, source in enumerate(self.datasets)]
        return sum(count for count in counts if count is not None)

    def num_batches(self, batch_size: int, **kwargs: Any) -> Any:
        """Return the number of batches; None where it depends on which source is exhausted first."""
        counts: list[Any] = self._batches_of(batch_size, kwargs)
        if None in counts:
            return None
        if self.stratified and np.inf not in counts:
            return sum(counts)
        return np.inf if all(count == np.inf for count in counts) else None

    def _batches_of(self, batch_size: int, options: dict[str, Any]) -> list[Any]:
        members = enumerate(self.datasets)
        return [source.num_batches(batch_size, **self._for_member(n, options)) for n, source in members]

    def batch_iterator(self, batch_size: int, shuffle: Any = None, **kwargs: Any) -> Iterator[Any]:
        """Return an iterator of batches.

        Parameters
        ----------
        batch_size : int
            Samples per batch.
        shuffle : bool, RandomState, Generator or int, optional
            Where the order of samples and the order of sources come from.
        **kwargs
            What else the sources take.

        Returns
        -------
        iterator of batches
        """
        return (batch.sample_indices for batch in self._chosen("batch_iterator", batch_size, shuffle, kwargs))

    def batch_indices_iterator(self, batch_size: int, shuffle: Any = None, **kwargs: Any) -> Iterator[ChoiceBatch]:
        """Return an iterator of the indices of each batch, and which source they are of.

        Parameters
        ----------
        batch_size : int
            Samples per batch.
        shuffle : bool, RandomState, Generator or int, optional
            Where the order of samples and the order of sources come from.
        **kwargs
            What else the sources take.

        Returns
        -------
        iterator of ChoiceBatch
            ``(sample_indices, ds_index)``
        """
        self._check_random_access("batch_indices_iterator")
        return self._chosen("batch_indices_iterator", batch_size, shuffle, kwargs)

    def _chosen(self, name: str, batch_size: int, shuffle: Any, options: dict[str, Any]) -> Iterator[ChoiceBatch]:
        rng = self._get_shuffle_rng(shuffle)
        options = {**options, "shuffle": shuffle if rng is None else rng}
        iterators = [getattr(s, name)(batch_size, **self._for_member(n, options)) for n, s in enumerate(self.datasets)]
        return self._ds_iterator(batch_size, iterators, rng, **{**options, "shuffle": rng})

    def samples_by_indices_nomapping(self, indices: ChoiceBatch) -> Any:
        """Return a batch of the samples of some indices in the data set of a source.

        Parameters
        ----------
        indices : ChoiceBatch
            As yielded by `batch_indices_iterator`.

        Returns
        -------
        tuple of ndarray
        """
        return self._read("samples_by_indices_nomapping", indices)

    def samples_by_indices(self, indices: ChoiceBatch) -> Any:
        """Return a batch of the samples at some places of those that a source draws from.

        Parameters
        ----------
        indices : ChoiceBatch
            The source, and places in it.

        Returns
        -------
        tuple of ndarray
        """
        return self._read("samples_by_indices", indices)

    def _read(self, name: str, indices: ChoiceBatch) -> Any:
        self._check_random_access(name)
        if not isinstance(indices, ChoiceBatch):
            raise DataSourceTypeError(
                f"indices is a {type(indices).__name__}. Expected a ChoiceBatch",
                hint="batch_indices_iterator yields them",
            )
        source = self.datasets[int(checked_index(indices.ds_index, len(self.datasets)))]
        return getattr(source, name)(indices.sample_indices)

    # ---- which source is next --------------------------------------------------------------

    def _ds_iterator(
        self,
        batch_size: int,
        iterators: Sequence[Iterator[Any]],
        shuffle_rng: Any,
        **kwargs: Any,
    ) -> Iterator[ChoiceBatch]:
        counted = self.stratified and self.num_batches(batch_size, **kwargs) != np.inf
        ended: set[int] = set()
        for number in self._turns(batch_size, shuffle_rng, kwargs):
            if number in ended:
                continue
            try:
                batch = next(iterators[number])
            except StopIteration:
                if not counted:
                    return
                ended.add(number)
                warnings.warn(
                    f"datasets[{number}] ended before the number of batches it has by its own account; "
                    "the others go on without it",
                    stacklevel=3,
                )
                continue
            yield ChoiceBatch(sample_indices=batch, ds_index=int(number))

    def _turns(self, batch_size: int, rng: Any, options: dict[str, Any]) -> Iterator[int]:
        counts: list[Any] = self._batches_of(batch_size, {**options, "shuffle": rng}) if self.stratified else [np.inf]
        if None in counts:
            raise DataSourceError(
                "a source does not know how many batches it has, which stratified=True requires",
                hint="stratified=False",
            )
        if np.inf not in counts:
            order = self._ds_indices_stratified_in_order(counts) if rng is None else None
            yield from self._ds_indices_stratified_shuffled(counts, rng) if order is None else order
        elif rng is None:
            yield from itertools.cycle(range(len(self.datasets)))
        else:
            yield from itertools.chain.from_iterable(orders_of(rng, len(self.datasets)))

    @staticmethod
    def _ds_indices_stratified_in_order(batches_per_ds: Sequence[int]) -> NDArray[np.int64]:
        """Return whose turn each batch is, those of every source at even distances."""
        counts = np.asarray(batches_per_ds, np.int64)
        most = int(counts.max())
        begun = np.outer(np.arange(most), counts) // max(most, 1)  # batches of each source that are due before a step
        due = np.diff(begun, axis=0, prepend=-1) > 0
        due &= counts > 0
        return np.nonzero(due)[1].astype(np.int64)

    @staticmethod
    def _ds_indices_stratified_shuffled(batches_per_ds: Sequence[int], shuffle_rng: Any) -> NDArray[np.int64]:
        """Return whose turn each batch is, in random order."""
        return permuted(shuffle_rng, np.repeat(np.arange(len(batches_per_ds)), np.asarray(batches_per_ds, np.int64)))
