"""The source of batches of arrays, and of whatever is indexed like arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._numbers import as_array, checked_batch_size, checked_index
from penstock.batchup.reading._batches import SampleIndices
from penstock.batchup.reading._reading import Reader, dataset_rows, is_array_like, is_plain, num_samples_of, reader_of
from penstock.batchup.reading._rows import Rows
from penstock.batchup.reading._sent import SentArrays, sent_reader
from penstock.batchup.reading._untouched import Untouched, views
from penstock.batchup.samplers._balancing import labels_of
from penstock.batchup.samplers._draws import Draws, Mode
from penstock.batchup.samplers._orders import rng_of
from penstock.batchup.samplers._samplers import AbstractSampler, StandardSampler
from penstock.batchup.samplers._weighted import WeightedSampler
from penstock.batchup.sources._explored import explored
from penstock.batchup.sources._random_access import RandomAccessDataSource, check_options
from penstock.errors import DataSourceError, DataSourceTypeError, SampleIndexError
from penstock.loader import Drawn
from penstock.sampling import ClassCounts, SamplingPlan
from penstock.sampling.pool._label_input import HasClassCounts

__all__ = ["ArrayDataSource"]


class ArrayDataSource(RandomAccessDataSource):
    """Batches of arrays, or of anything that is indexed like an array.

    Parameters
    ----------
    data : list of array_like
        Arrays with as many samples each. Whatever has a length and takes an integer, a slice and an array of
        integers in its brackets will do: arrays of numpy in memory or in a file, of h5py and zarr, tensors of torch,
        frames of pandas (rows by position), tensors, views and datasets of penstock, classes of your own.
    indices : array_like of int, shape (num_indices,), optional
        The samples that are drawn from; default: all.
    repeats : int
        Number of passes over them; -1 means endless. Shuffled samples have a new order in each pass.
    sampler : AbstractSampler, optional
        What draws the samples, in place of `indices` and `repeats`.
    include_indices : bool
        Whether each batch begins with the indices of its samples in `data`.
    labels : array_like, optional
        Classes of the samples, for `plan` and `penstock.explore`, in any form that `penstock.sampling.class_counts`
        takes. Default: the last array of `data` that has one integer for each sample, if there is one.
    class_names : sequence of str, optional
        Names of the classes by index.

    Attributes
    ----------
    data : list
        The arrays.
    sampler : AbstractSampler
        What draws the samples.
    include_indices : bool
        Whether each batch begins with the indices of its samples.

    Raises
    ------
    DataSourceError
        If there is no array, their lengths differ, or arguments contradict one another.
    DataSourceTypeError
        If `data` is not a list, or something in it cannot be indexed.
    SampleIndexError
        If `indices` or the sampler refer to a sample that does not exist.

    Examples
    --------
    >>> x, y = np.arange(10).reshape(5, 2), np.arange(5)
    >>> source = ArrayDataSource([x, y])
    >>> [batch_y.tolist() for batch_x, batch_y in source.batch_iterator(batch_size=2)]
    [[0, 1], [2, 3], [4]]
    >>> shuffled = source.batch_iterator(batch_size=2, shuffle=np.random.RandomState(12345))
    >>> [batch_y.tolist() for batch_x, batch_y in shuffled]
    [[0, 4], [3, 1], [2]]
    """

    def __init__(
        self,
        data: list[Any],
        indices: Any = None,
        repeats: int = 1,
        sampler: AbstractSampler | None = None,
        include_indices: bool = False,
        *,
        labels: Any = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        length = _common_length(data)
        self._data = tuple(data)
        self._readers: tuple[Reader, ...] = tuple(reader_of(array) for array in data)
        super().__init__(length, indices, repeats, sampler, include_indices)
        self._bound = _bound_of(self.sampler)
        _check_bound(self.sampler, self._bound, length)
        self._labels = labels
        self._class_names = _checked_names(class_names)

    @property
    def data(self) -> list[Any]:
        """The arrays."""
        return list(self._data)

    def samples_by_indices_nomapping(self, indices: Any) -> tuple[Any, ...]:
        """Return a batch of the samples of some indices in the data set.

        Parameters
        ----------
        indices : int, ndarray of int, shape (num_indices,), or slice
            Which samples of the data set.

        Returns
        -------
        tuple of ndarray, shape (num_indices, ...)
            One for each of `data`, after the indices where these are included.

        Raises
        ------
        SampleIndexError
            If an index is out of range.
        """
        indices = checked_index(indices, self.length)
        batch = tuple(read(indices) for read in self._readers)
        return (self._numbered(indices), *batch) if self.include_indices else batch

    def _numbered(self, indices: Any) -> Any:
        if isinstance(indices, slice):
            indices = np.arange(self.length)[indices]
        return SampleIndices.of(indices.copy()) if isinstance(indices, np.ndarray) else indices

    # ---- charts and loaders ------------------------------------------------------------------

    def class_counts(self) -> ClassCounts | None:
        """Return the classes of all samples; None if there are none."""
        labels = _labels_in(self._data) if self._labels is None else self._labels
        if labels is None:
            return None
        counts = labels_of(labels)
        if counts.num_rows != self.length:
            raise DataSourceError(
                f"there are labels for {counts.num_rows} samples, but {self.length} samples. Expected equal numbers"
            )
        return counts if self._class_names is None else replace(counts, class_names=self._class_names)

    def __class_counts__(self) -> ClassCounts:
        """Return the classes of all samples, for the helpers of `penstock.sampling`."""
        counts = self.class_counts()
        if counts is None:
            raise DataSourceError(
                "the source has no labels", hint="pass labels, as in ArrayDataSource([x, y], labels=y)"
            )
        return counts

    def plan(self, *, seed: int = 0, size: int | None = None, mode: Mode = "iid") -> SamplingPlan:
        """Return what drawing from this source does, before a single draw: histogram, coverage and the stream.

        Parameters
        ----------
        seed : int
            Of a sampler by weight: its stream is what ``shuffle=seed`` draws.
        size : int, optional
            Draws per weighted epoch; by default `num_samples` of the sampler, or else the number of samples.
        mode : {"iid", "deck", "once"}
            How draws by weight are made. Batches of this source are of mode "iid"; a loader draws in any:
            ``Loader(source).sample_by(source, mode="deck")``.

        Returns
        -------
        penstock.sampling.SamplingPlan
            Its rows are places among the samples that are drawn from.

        Examples
        --------
        >>> from penstock.batchup.sampling import WeightedSampler
        >>> y = np.array([0, 0, 0, 1])
        >>> source = ArrayDataSource([np.zeros((4, 2)), y], sampler=WeightedSampler.class_balancing_sampler(y))
        >>> source.plan().histogram().expected.tolist()
        [2.0, 2.0]
        """
        return self.draws().plan(self.class_counts(), seed=seed, size=size, mode=mode)

    def __drawn__(self, seed: int) -> Drawn:
        """Return what a loader of this source draws from; of a dataset or view it reads the samples itself."""
        drawn = self.drawn_rows(seed)
        found = dataset_rows(self._data[0]) if len(self._data) == 1 else None
        if found is None:
            return drawn
        return replace(drawn, source=found[0], rows=found[1][drawn.rows], all_rows=found[1])

    def _plan(self, draws: Draws, seed: int) -> SamplingPlan:
        return draws.plan(self.class_counts(), seed=seed)

    def _rows(self) -> Rows:
        own = type(self).samples_by_indices_nomapping is ArrayDataSource.samples_by_indices_nomapping
        arrays = self._data if own and all(map(is_plain, self._data)) else None
        return Rows(self.length, self._read_samples, arrays)

    def __explored__(self) -> Any:
        """Return a dataset of these samples, for the widgets."""
        return explored(self)

    def __reduce_for_worker__(self) -> Any:
        """Send worker processes what reads rows, and not what draws them; a file is opened there."""
        if type(self) is not ArrayDataSource:
            return NotImplemented
        return SentArrays, (tuple(map(sent_reader, self._readers)), self.include_indices)

    # ---- batches of plain arrays, whose rows are known to exist ------------------------------

    def batch_iterator(self, batch_size: int, shuffle: Any = None, **kwargs: Any) -> Iterator[Any]:
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
        iterator of tuple of ndarray, shape (batch_size, ...)

        Raises
        ------
        DataSourceError
            If `batch_size` is less than 1.
        NotSupportedError
            If the sampler draws by weight and `shuffle` is None or False.
        """
        if not self._is_plain:
            return super().batch_iterator(batch_size, shuffle, **kwargs)
        check_options(kwargs)
        if self._is_in_order(shuffle):
            return self._cut(checked_batch_size(batch_size))
        return self._gathered(self._drawn(batch_size, shuffle))

    @property
    def _is_plain(self) -> bool:
        """Return whether batches are rows of arrays in memory, within the known range of the sampler."""
        own = type(self)
        return (
            self._bound is not None
            and not self.include_indices
            and own.samples_by_indices_nomapping is ArrayDataSource.samples_by_indices_nomapping
            and own.batch_indices_iterator is RandomAccessDataSource.batch_indices_iterator
            and all(map(is_plain, self._data))
        )

    def _gathered(self, drawn: Iterator[NDArray[np.int64]]) -> Iterator[tuple[Any, ...]]:
        takes = [array.take for array in self._data]
        if len(takes) == 1:
            (take,) = takes
            for rows in drawn:
                yield (take(rows, 0, None, "clip"),)
            return
        for rows in drawn:
            yield tuple([take(rows, 0, None, "clip") for take in takes])

    def _applied(
        self, func: Callable[..., Any], batch_size: int, options: dict[str, Any]
    ) -> tuple[Callable[..., Any], Iterator[Any]]:
        batches = self.batch_iterator(batch_size, **options)
        if self._is_in_order(options.get("shuffle")) and type(self).batch_iterator is ArrayDataSource.batch_iterator:
            return Untouched(func, len(self._data)), views(self._data, int(batch_size))
        return func, batches

    def _is_in_order(self, shuffle: Any) -> bool:
        """Return whether batches are consecutive rows of plain arrays, in a single pass."""
        ordered = isinstance(self.sampler, StandardSampler) and self.sampler.repeats == 1 and rng_of(shuffle) is None
        return ordered and self._bound == self.length and self._is_plain

    def _cut(self, batch_size: int) -> Iterator[tuple[Any, ...]]:
        for start, stop in pairwise((*range(0, self.length, batch_size), self.length)):
            yield tuple([array[start:stop].copy() for array in self._data])


def _labels_in(data: Sequence[Any]) -> Any:
    known = [array for array in data if isinstance(array, HasClassCounts)]
    if known:
        return known[0]
    whole = [array for array in map(_whole_numbers, data) if array is not None]
    return whole[-1] if whole and (not len(whole[-1]) or whole[-1].min() >= 0) else None


def _whole_numbers(array: Any) -> NDArray[Any] | None:
    """Return an array, tensor of torch or column of pandas that has one integer for each sample."""
    if not isinstance(array, np.ndarray):
        if not (hasattr(array, "detach") or hasattr(array, "iloc")) or getattr(array, "ndim", 0) != 1:
            return None
        array = as_array("labels", array)
    return array if array.ndim == 1 and array.dtype.kind in "iu" else None


def _checked_names(names: Sequence[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise DataSourceTypeError(f"class_names={names!r} is not valid. Expected a list with one name per class")
    return tuple(names)


def _bound_of(sampler: AbstractSampler) -> int | None:
    """Return the bound of a sampler of this package; one derived from it may give what it likes."""
    return sampler.bound if type(sampler).__module__.startswith("penstock.batchup.") else None


def _check_bound(sampler: AbstractSampler, bound: int | None, length: int) -> None:
    name = type(sampler).__name__
    if bound is not None and bound > length:
        raise SampleIndexError(
            f"the {name} draws sample {bound - 1}, but the data has {length} samples. Expected at most {length - 1}"
        )
    if bound is not None and bound < length and isinstance(sampler, WeightedSampler):
        warnings.warn(
            f"the {name} has {bound} weights for {length} samples, so samples from {bound} on are never drawn",
            stacklevel=4,
        )


def _common_length(data: Any) -> int:
    if not isinstance(data, list | tuple):
        raise DataSourceTypeError(
            f"data is a {type(data).__name__}. Expected a list of arrays", hint="use ArrayDataSource([x, y])"
        )
    if not data:
        raise DataSourceError("data is an empty list. Expected at least one array")
    for number, array in enumerate(data):
        if not is_array_like(array):
            raise DataSourceTypeError(
                f"data[{number}] is a {type(array).__name__}. "
                "Expected an array, or another object with a length and an index"
            )
    lengths = [num_samples_of(array) for array in data]
    for number, length in enumerate(lengths):
        if length != lengths[0]:
            raise DataSourceError(
                f"data[{number}] has {length} samples, but data[0] has {lengths[0]}. Expected equal numbers"
            )
    return lengths[0]
