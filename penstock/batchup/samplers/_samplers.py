"""Samplers that bring every sample once a pass."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._numbers import checked_batch_size, checked_count, checked_index, checked_indices, checked_repeats
from penstock.batchup.samplers._orders import chosen_order, cut_passes, cut_stream, orders_of, rng_of, seed_of
from penstock.errors import DataSourceError, DataSourceTypeError, NotSupportedError
from penstock.sampling import ShuffledStream

__all__ = ["AbstractSampler", "StandardSampler", "SubsetSampler", "bound_of_indices"]


class AbstractSampler:
    """Base of samplers, for deriving samplers of your own: it says which samples make up each batch.

    A sampler defines `num_indices_generated`, `in_order_indices_batch_iterator` and
    `shuffled_indices_batch_iterator`, and `map_indices` where it draws from a subset.
    """

    bound: int | None = None
    """All indices it gives are from 0 to below this; None where that is not known."""

    def num_indices_generated(self) -> float | None:
        """Return the number of indices of an iteration: an int, inf without end, None where unknown."""
        raise NotSupportedError(f"{type(self).__name__} does not define num_indices_generated")

    def map_indices(self, indices: Any) -> Any:
        """Return the samples that some places stand for.

        Parameters
        ----------
        indices : ndarray of int, shape (num_indices,)
            Places among the samples that are drawn from.

        Returns
        -------
        ndarray of int, shape (num_indices,)
            Indices in the data set; here the places themselves.
        """
        return indices

    def in_order_indices_batch_iterator(self, batch_size: int) -> Iterator[NDArray[np.int64]]:  # noqa: ARG002  for a subclass
        """Return an iterator of the indices of each batch, in order.

        Parameters
        ----------
        batch_size : int
            Samples per batch; the last batch can be smaller.

        Returns
        -------
        iterator of ndarray of int64, shape (batch_size,)
        """
        raise NotSupportedError(f"{type(self).__name__} does not define in_order_indices_batch_iterator")

    def shuffled_indices_batch_iterator(
        self,
        batch_size: int,  # noqa: ARG002  for a subclass
        shuffle_rng: Any,  # noqa: ARG002  RandomState or Generator, for a subclass
    ) -> Iterator[NDArray[np.int64]]:
        """Return an iterator of the indices of each batch, in random order.

        Parameters
        ----------
        batch_size : int
            Samples per batch; the last batch can be smaller.
        shuffle_rng : RandomState or Generator
            Where the order comes from.

        Returns
        -------
        iterator of ndarray of int64, shape (batch_size,)
        """
        raise NotSupportedError(f"{type(self).__name__} does not define shuffled_indices_batch_iterator")


class _PassSampler(AbstractSampler):
    """Passes over samples, each in a different order."""

    def __init__(self, length: int, repeats: int, indices: NDArray[np.int64] | None) -> None:
        self.repeats = checked_repeats(repeats)
        self.length = length
        self._chosen = indices

    def num_indices_generated(self) -> float:
        """Return the number of indices of an iteration: length times repeats, inf without end."""
        return np.inf if self.repeats == -1 else self.length * self.repeats

    def in_order_indices_batch_iterator(self, batch_size: int) -> Iterator[NDArray[np.int64]]:
        """Return an iterator of the indices of each batch, in order.

        Parameters
        ----------
        batch_size : int
            Samples per batch. A batch can extend beyond the end of a pass; the last can be smaller.

        Returns
        -------
        iterator of ndarray of int64, shape (batch_size,)
        """
        return self._in_order(self._checked(batch_size))

    def _in_order(self, batch_size: int) -> Iterator[NDArray[np.int64]]:
        order = np.arange(self.length, dtype=np.int64) if self._chosen is None else self._chosen
        for batch in cut_passes(itertools.repeat(order), self.length, self.repeats, batch_size):
            yield batch.copy()

    def shuffled_indices_batch_iterator(
        self,
        batch_size: int,
        shuffle_rng: Any,
    ) -> Iterator[NDArray[np.int64]]:
        """Return an iterator of the indices of each batch, in random order, another in every pass.

        Parameters
        ----------
        batch_size : int
            Samples per batch. A batch can extend beyond the end of a pass; the last can be smaller.
        shuffle_rng : RandomState, Generator or int
            A `RandomState` draws one permutation a pass. A `Generator` or a seed names a
            `penstock.sampling.ShuffledStream`, whose epochs are the passes.

        Returns
        -------
        iterator of ndarray of int64, shape (batch_size,)
        """
        size, rng = self._checked(batch_size), rng_of(shuffle_rng)
        if rng is None:
            raise DataSourceTypeError(
                f"shuffle_rng={shuffle_rng!r} is not valid. Expected a RandomState, a Generator or a seed"
            )
        return self._streamed(rng, size) if isinstance(rng, np.random.Generator) else self._permuted(rng, size)

    def _permuted(self, rng: Any, batch_size: int) -> Iterator[NDArray[np.int64]]:
        orders = (chosen_order(order, self._chosen) for order in orders_of(rng, self.length))
        return cut_passes(orders, self.length, self.repeats, batch_size)

    def _streamed(self, rng: np.random.Generator, batch_size: int) -> Iterator[NDArray[np.int64]]:
        total = None if self.repeats == -1 else self.length * self.repeats
        yield from cut_stream(ShuffledStream(self.length, seed_of(rng)), total, batch_size, self._chosen)

    def _checked(self, batch_size: int) -> int:
        if self.repeats == -1 and not self.length:
            raise DataSourceError("0 samples cannot be repeated forever. Expected at least 1")
        return checked_batch_size(batch_size)


class StandardSampler(_PassSampler):
    """Every sample of a data set, in order or shuffled.

    Parameters
    ----------
    length : int
        Samples of the data set.
    repeats : int
        Number of passes over it; -1 means endless.

    Raises
    ------
    DataSourceError
        If `length` is negative, or `repeats` is neither -1 nor at least 1.

    Examples
    --------
    >>> sampler = StandardSampler(length=5, repeats=2)
    >>> [batch.tolist() for batch in sampler.in_order_indices_batch_iterator(4)]
    [[0, 1, 2, 3], [4, 0, 1, 2], [3, 4]]
    """

    def __init__(self, length: int, repeats: int = 1) -> None:
        super().__init__(checked_count("length", length, 0), repeats, None)
        self.bound = self.length


class SubsetSampler(_PassSampler):
    """Some samples of a dataset, in the given order or shuffled.

    Parameters
    ----------
    indices : array_like of int, shape (num_indices,)
        Which samples; one that is named twice comes twice a pass.
    repeats : int
        Number of passes over them; -1 means endless.

    Attributes
    ----------
    length : int
        Number of samples drawn from.

    Raises
    ------
    DataSourceError
        If `indices` are no integers, or `repeats` is neither -1 nor at least 1.

    Examples
    --------
    >>> sampler = SubsetSampler(indices=[7, 3, 5])
    >>> [batch.tolist() for batch in sampler.in_order_indices_batch_iterator(2)]
    [[7, 3], [5]]
    >>> sampler.map_indices(np.array([2, 0])).tolist()
    [5, 7]
    """

    def __init__(self, indices: Any, repeats: int = 1) -> None:
        self._indices = checked_indices(indices)
        super().__init__(len(self._indices), repeats, self._indices)
        self.bound = bound_of_indices(self._indices)

    @property
    def indices(self) -> NDArray[np.int64]:
        """The samples, read-only."""
        return self._indices

    def map_indices(self, indices: Any) -> Any:
        """Return the samples at some places of the subset.

        Parameters
        ----------
        indices : ndarray of int, shape (num_indices,)
            Places in the subset.

        Returns
        -------
        ndarray of int64, shape (num_indices,)
            Indices in the data set.
        """
        return self.indices[checked_index(indices, self.length)]


def bound_of_indices(indices: NDArray[np.int64]) -> int | None:
    """Return the end of the range that indices are in; None where some count from the end."""
    if not indices.size:
        return 0
    return None if indices.min() < 0 else int(indices.max()) + 1
