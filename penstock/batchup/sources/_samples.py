"""The source of batches of samples that are read one by one, such as those of a torch dataset."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.batchup._numbers import check_within
from penstock.batchup.reading._batches import SampleIndices
from penstock.batchup.reading._reading import num_samples_of
from penstock.batchup.samplers._samplers import AbstractSampler
from penstock.batchup.sources._random_access import RandomAccessDataSource
from penstock.errors import DataSourceTypeError

__all__ = ["SampleDataSource", "is_sample_dataset"]


def is_sample_dataset(data: Any) -> bool:
    """Return whether this is a map-style torch dataset."""
    torch = sys.modules.get("torch.utils.data")
    return torch is not None and isinstance(data, torch.Dataset) and hasattr(type(data), "__len__")


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
        if not hasattr(samples, "__getitem__"):
            raise DataSourceTypeError(
                f"samples is a {type(samples).__name__}. Expected an object that can be indexed by integers"
            )
        super().__init__(num_samples_of(samples), indices, repeats, sampler, include_indices)
        self.samples = samples

    def samples_by_indices_nomapping(self, indices: Any) -> tuple[Any, ...]:
        """Return a batch of the samples of some indices.

        Parameters
        ----------
        indices : ndarray of int, shape (num_indices,), or slice

        Returns
        -------
        tuple of ndarray, shape (num_indices, ...)
            One per part of a sample; a list if the shapes of samples differ.
        """
        rows = np.arange(self.length)[indices] if isinstance(indices, slice) else np.asarray(indices)
        check_within(rows, self.length)
        numbers = np.where(rows < 0, rows + self.length, rows).tolist()
        many = getattr(self.samples, "__getitems__", None)
        samples = many(numbers) if many is not None else [self.samples[number] for number in numbers]
        batch = tuple(_stacked(part) for part in zip(*map(_parts, samples), strict=True))
        return (SampleIndices.of(rows.copy()), *batch) if self.include_indices else batch


def _parts(sample: Any) -> tuple[Any, ...]:
    if isinstance(sample, Mapping):
        return tuple(sample.values())
    return tuple(sample) if isinstance(sample, tuple | list) else (sample,)


def _stacked(values: tuple[Any, ...]) -> Any:
    arrays = [np.asarray(value.detach().cpu() if hasattr(value, "detach") else value) for value in values]
    if len({array.shape for array in arrays}) > 1:
        return arrays
    return np.stack(arrays)
