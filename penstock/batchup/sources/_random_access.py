"""Sources whose samples are read by index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock._wording import nearest
from penstock.batchup._numbers import (
    check_within,
    checked_batch_size,
    checked_count,
    checked_flag,
    checked_indices,
    checked_repeats,
)
from penstock.batchup.reading._batches import SampleIndices
from penstock.batchup.reading._rows import Rows
from penstock.batchup.samplers._draws import Draws
from penstock.batchup.samplers._orders import rng_of
from penstock.batchup.samplers._samplers import AbstractSampler, StandardSampler, SubsetSampler
from penstock.batchup.sources._abstract import AbstractDataSource
from penstock.errors import DataSourceError, DataSourceTypeError, NotSupportedError
from penstock.loader import Drawn
from penstock.sampling import SamplingPlan

__all__ = ["RandomAccessDataSource", "check_options"]


class RandomAccessDataSource(AbstractDataSource):
    """Base of sources whose samples are read by index; a source of your own defines `samples_by_indices_nomapping`.

    Parameters
    ----------
    length : int
        Samples of the data set.
    indices : array_like of int, shape (num_indices,), optional
        The samples that are drawn from; default: all.
    repeats : int
        Number of passes over them; -1 means endless.
    sampler : AbstractSampler, optional
        What draws the samples, in place of `indices` and `repeats`.
    include_indices : bool
        Whether each batch begins with the indices of its samples in the data set.

    Attributes
    ----------
    sampler : AbstractSampler
        What draws the samples.
    include_indices : bool
        Whether each batch begins with the indices of its samples.

    Raises
    ------
    DataSourceError
        If `sampler` is given with `indices` or `repeats`, or `repeats` is neither -1 nor at least 1.
    SampleIndexError
        If `indices` contain one that does not exist.
    """

    def __init__(
        self,
        length: int,
        indices: Any = None,
        repeats: int = 1,
        sampler: AbstractSampler | None = None,
        include_indices: bool = False,
    ) -> None:
        self.length = checked_count("length", length, 0)
        self.include_indices = checked_flag("include_indices", include_indices)
        self.sampler = self._chosen_sampler(indices, checked_repeats(repeats), sampler)

    def _chosen_sampler(self, indices: Any, repeats: int, sampler: AbstractSampler | None) -> AbstractSampler:
        if sampler is None:
            if indices is None:
                return StandardSampler(self.length, repeats)
            chosen = checked_indices(indices)
            check_within(chosen, self.length)
            return SubsetSampler(chosen, repeats)
        if not isinstance(sampler, AbstractSampler):
            raise DataSourceTypeError(f"sampler is a {type(sampler).__name__}. Expected an AbstractSampler")
        if repeats != 1:
            raise DataSourceError(
                f"repeats={repeats} cannot be combined with a sampler. Expected 1", hint="set repeats on the sampler"
            )
        if indices is not None:
            raise DataSourceError(
                "indices cannot be combined with a sampler. Expected only one of them",
                hint="set indices on the sampler",
            )
        return sampler

    @property
    def is_random_access(self) -> bool:
        """Return whether samples can be read by index."""
        return True

    def num_samples(self, **kwargs: Any) -> Any:  # noqa: ARG002  an int, inf or None
        """Return the number of samples of an iteration, repeats counted; inf without end."""
        return self.sampler.num_indices_generated()

    def samples_by_indices_nomapping(self, indices: Any) -> Any:  # noqa: ARG002  for a subclass
        """Return a batch of the samples of some indices in the data set.

        Parameters
        ----------
        indices : ndarray of int, shape (num_indices,), or slice
            Which samples of the data set.

        Returns
        -------
        tuple of ndarray
        """
        raise NotSupportedError(f"{type(self).__name__} does not define samples_by_indices_nomapping")

    def samples_by_indices(self, indices: Any) -> Any:
        """Return a batch of the samples at some places of those that are drawn from.

        Parameters
        ----------
        indices : ndarray of int, shape (num_indices,), or slice
            Positions in the subset, if there is one. Indices from `batch_indices_iterator`, or that came with
            a batch, are samples of the dataset and are used directly.

        Returns
        -------
        tuple of ndarray
        """
        if isinstance(indices, SampleIndices) and indices.is_mapped:
            return self.samples_by_indices_nomapping(indices)
        return self.samples_by_indices_nomapping(self.sampler.map_indices(indices))

    def batch_indices_iterator(
        self,
        batch_size: int,
        shuffle: Any = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Return an iterator of the indices of each batch in the data set.

        Parameters
        ----------
        batch_size : int
            Samples per batch; the last batch can be smaller.
        shuffle : bool, RandomState, Generator or int, optional
            As in `batch_iterator`.

        Returns
        -------
        iterator of ndarray of int64, shape (batch_size,)
        """
        check_options(kwargs)
        return map(_marked, self._drawn(batch_size, shuffle))

    def _drawn(self, batch_size: int, shuffle: Any) -> Iterator[Any]:
        size, rng = checked_batch_size(batch_size), rng_of(shuffle)
        if rng is None:
            return self.sampler.in_order_indices_batch_iterator(size)
        return self.sampler.shuffled_indices_batch_iterator(size, rng)

    def batch_iterator(
        self,
        batch_size: int,
        shuffle: Any = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Return an iterator of batches.

        Parameters
        ----------
        batch_size : int
            Samples per batch; the last batch can be smaller.
        shuffle : bool, RandomState, Generator or int, optional
            Where a random order comes from. None and False: samples in order. True: numpy's global `RandomState`,
            seeded by ``numpy.random.seed``. A `RandomState`: the same order as BatchUp. A `Generator`: an order of
            `penstock.sampling`, another at each call. A seed: the same order at each call.

        Returns
        -------
        iterator of tuple of ndarray

        Raises
        ------
        DataSourceError
            If `batch_size` is less than 1.
        NotSupportedError
            If the sampler draws by weight and `shuffle` is None or False.
        """
        return self._batches(self.batch_indices_iterator(batch_size, shuffle=shuffle, **kwargs))

    def draws(self) -> Draws:
        """Return the samples that are drawn from, and their weights."""
        return Draws.of(self.sampler, self.length)

    def __sample_weights__(self, num_samples: int) -> NDArray[np.float64]:
        """Return the weight of each sample: datasets take a source where they take weights."""
        if num_samples != self.length:
            raise DataSourceError(
                f"the weights are for a source of {self.length} samples, not {num_samples}. Expected equal numbers"
            )
        return self.draws().per_sample(num_samples)

    def __drawn__(self, seed: int) -> Drawn:
        """Return what a loader of this source draws from."""
        return self.drawn_rows(seed)

    def drawn_rows(self, seed: int) -> Drawn:
        """Return rows and weights, and samples that this source reads."""
        draws = self.draws()
        plan = None if draws.weights is None else self._plan(draws, seed)
        rows = np.tile(draws.rows, draws.repeats)
        return Drawn(source=self._rows(), rows=rows, plan=plan, all_rows=np.arange(self.length))

    def _plan(self, draws: Draws, seed: int) -> SamplingPlan:
        return draws.plan(None, seed=seed)

    def _rows(self) -> Rows:
        return Rows(self.length, self._read_samples)

    def _read_samples(self, indices: Any) -> Any:
        """Return a batch without the indices of its samples."""
        batch = self.samples_by_indices_nomapping(indices)
        return batch[1:] if self.include_indices and isinstance(batch, tuple) else batch

    def _batches(self, indices: Iterator[Any]) -> Iterator[Any]:
        for batch in indices:
            yield self.samples_by_indices_nomapping(batch)


def check_options(options: dict[str, Any]) -> None:
    """Refuse a misspelt `shuffle`; other options may be meant for other sources of a composite."""
    for name in options:
        if nearest(name, ("shuffle",)):
            raise DataSourceTypeError(f"batch_iterator has no option {name!r}", hint="did you mean 'shuffle'?")


def _marked(indices: Any) -> Any:
    return SampleIndices.of(indices) if isinstance(indices, np.ndarray) else indices
