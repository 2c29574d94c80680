"""The source of batches of samples that are read one by one, such as those of a torch dataset."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from penstock.batchup._numbers import checked_index, detached
from penstock.batchup.reading._batches import SampleIndices
from penstock.batchup.reading._reading import num_samples_of
from penstock.batchup.samplers._samplers import AbstractSampler
from penstock.batchup.sources._random_access import RandomAccessDataSource
from penstock.errors import DataSourceError, DataSourceTypeError

__all__ = ["SampleDataSource"]


class SampleDataSource(RandomAccessDataSource):
    """Batches of samples that are read one by one: of a dataset of torch, a list, a class of your own.

    Parameters
    ----------
    samples : sequence
        Has a length and takes an integer in its brackets. A sample is an array, a number, or a tuple or mapping of
        these; of a mapping the values, in the order of the first sample.
    indices, repeats, sampler, include_indices
        As in `ArrayDataSource`.

    Raises
    ------
    DataSourceTypeError
        If `samples` cannot be indexed or has no length.

    Examples
    --------
    >>> source = SampleDataSource([(np.zeros(2), 0), (np.ones(2), 1), (np.ones(2), 0)])
    >>> [(x.shape, y.tolist()) for x, y in source.batch_iterator(2)]
    [((2, 2), [0, 1]), ((1, 2), [0])]
    """

    def __init__(
        self,
        samples: Any,
        indices: Any = None,
        repeats: int = 1,
        sampler: AbstractSampler | None = None,
        include_indices: bool = False,
    ) -> None:
        if not hasattr(samples, "__getitem__") or isinstance(samples, Mapping):
            raise DataSourceTypeError(
                f"samples is a {type(samples).__name__}. Expected a sequence that can be indexed by integers"
            )
        super().__init__(num_samples_of(samples), indices, repeats, sampler, include_indices)
        self.samples = samples
        self._by_position = getattr(samples, "iloc", samples)  # brackets of pandas take labels

    def samples_by_indices_nomapping(self, indices: Any) -> tuple[Any, ...]:
        """Return a batch of the samples of some indices.

        Parameters
        ----------
        indices : int, ndarray of int, shape (num_indices,), or slice

        Returns
        -------
        tuple of ndarray, shape (num_indices, ...)
            One per part of a sample; a list if the shapes of samples differ.

        Raises
        ------
        SampleIndexError
            If an index is out of range.
        DataSourceError
            If samples do not have the same parts.
        """
        chosen = checked_index(indices, self.length)
        rows = np.arange(self.length)[chosen]
        samples = self._samples(np.atleast_1d(rows).tolist())
        batch = tuple(_stacked(part) for part in zip(*samples, strict=True))
        if isinstance(chosen, int):
            batch = tuple(part[0] for part in batch)
        numbers = SampleIndices.of(np.array(chosen)) if isinstance(chosen, np.ndarray) else rows
        return (numbers, *batch) if self.include_indices else batch

    def _samples(self, numbers: list[int]) -> list[tuple[Any, ...]]:
        many = getattr(self.samples, "__getitems__", None)
        samples = many(numbers) if many is not None else [self._by_position[number] for number in numbers]
        found = [self._parts(sample) for sample in samples]
        for number, parts in zip(numbers, found, strict=True):
            if len(parts) != len(found[0]):
                raise DataSourceError(
                    f"sample {number} has {len(parts)} parts, sample {numbers[0]} has {len(found[0])}. "
                    "Expected the same number"
                )
        return found

    def _parts(self, sample: Any) -> tuple[Any, ...]:
        if not isinstance(sample, Mapping):
            return tuple(sample) if isinstance(sample, tuple | list) else (sample,)
        if sample.keys() != self._names.keys():
            raise DataSourceError(
                f"a sample has the parts {', '.join(map(repr, sample))}. "
                f"Expected {', '.join(map(repr, self._names)) or 'none'} as sample 0"
            )
        return tuple(sample[name] for name in self._names)

    @cached_property
    def _names(self) -> dict[Any, None]:
        first = self._by_position[0]
        return dict.fromkeys(first if isinstance(first, Mapping) else ())


def _stacked(values: tuple[Any, ...]) -> Any:
    arrays = [np.asarray(detached(value)) for value in values]
    if len({array.shape for array in arrays}) > 1:
        return arrays
    try:
        return np.stack(arrays)
    except TypeError as error:
        kinds = ", ".join(dict.fromkeys(str(array.dtype) for array in arrays))
        raise DataSourceError(f"a part of the samples has the types {kinds}. Expected a single type") from error
