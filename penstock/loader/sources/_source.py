"""Sources that a loader can read, other than a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError
from penstock.loader.sources._first_sample import FirstSampleTable, named
from penstock.loader.sources._pool import Pool, Resolve
from penstock.loader.sources._sequential import SequentialTable
from penstock.sampling import SamplingPlan
from penstock.table import Ragged, Selection, Table, checked_column, checked_rows, checked_tensor, text_column

__all__ = ["Drawn", "DrawnSource", "Source", "SourceTable", "as_table", "pool_of"]


@runtime_checkable
class Source(Protocol):
    """Samples that are read by number; a loader reads anything with these two methods.

    One whose samples are arrays in memory may have a third, ``arrays()``: what `samples_by_indices` returns for all
    of them. Batches are then gathered from these arrays, in the caller's own thread.
    """

    def num_samples(self) -> int:
        """Return the number of samples."""
        ...

    def samples_by_indices(self, indices: NDArray[np.int64]) -> Any:
        """Return the samples of some numbers: an array, a sequence or a mapping of arrays, first axis samples."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What a loader is to draw from.

    Parameters
    ----------
    source : Source
        Where samples are read.
    rows : ndarray of int64, shape (num_rows,)
        Which samples of it; repeats are allowed.
    plan : SamplingPlan, optional
        Weights over the rows; without one every row is visited once an epoch.
    all_rows : ndarray of int64, shape (num_samples,), optional
        The row of each sample of the data set, to which the weights of a sampler or source apply.
    """

    source: Source
    rows: NDArray[np.int64]
    plan: SamplingPlan | None = None
    all_rows: NDArray[np.int64] | None = None


@runtime_checkable
class DrawnSource(Protocol):
    """A source that also says which of its samples are drawn and how often, as those of `penstock.batchup` do."""

    def __drawn__(self, seed: int) -> Drawn:
        """Return samples, rows and weights; a plan of weights has the seed."""
        ...


class SourceTable(FirstSampleTable):
    """A `Source` seen as a table of generic tensors.

    Parameters
    ----------
    source : Source
        What is read. A mapping gives tensors by its keys, a sequence tensors
        named ``"0"``, ``"1"``, ..., one array the tensor ``"0"``.

    Raises
    ------
    LoaderError
        If the source has no samples or does not say how many.
    """

    def __init__(self, source: Source) -> None:
        count = source.num_samples
        num_rows = int(count() if callable(count) else count)
        if num_rows < 1:
            raise LoaderError(f"the source has {num_rows} samples. Expected at least 1")
        self._source = source
        super().__init__(
            source, num_rows, {name: values[0] for name, values in self._read(np.zeros(1, np.int64)).items()}
        )

    def _read(self, rows: NDArray[np.int64]) -> dict[str, Any]:
        return named(self._source.samples_by_indices(rows))

    def stacked(self, tensor: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        """Return all samples of a tensor where the source has them as an array; None where it has to be asked."""
        checked_tensor(self._specs, tensor)
        if tuple(shape) != self._sample_shapes[tensor]:
            return None
        arrays: Any = getattr(self._source, "arrays", None)
        array = named(arrays()).get(tensor) if callable(arrays) else None
        return self._checked(tensor, array) if isinstance(array, np.ndarray) else None

    def _checked(self, tensor: str, array: NDArray[Any]) -> NDArray[Any]:
        expected = (self._num_rows, *self._sample_shapes[tensor])
        if array.shape != expected or array.dtype.name != self._specs[tensor].dtype:
            raise LoaderError(
                f"the array {tensor!r} of the source is {array.dtype.name} of shape {array.shape}. "
                f"Expected {self._specs[tensor].dtype} of shape {expected}, as its samples are"
            )
        return array

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor of equal shapes, in memory."""
        spec = checked_column(self._specs, tensor)
        read = self._read(np.arange(self._num_rows))[tensor]
        if spec.htype == "text":
            return text_column(list(read))
        values = np.asarray(read)
        shape = np.array(values.shape[1:], np.int64)
        size = int(shape.prod())
        return Ragged(
            values=values.reshape(-1),
            offsets=np.arange(self._num_rows + 1, dtype=np.int64) * size,
            shapes=np.tile(shape, (self._num_rows, 1)),
        )

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return samples of some rows, in their order."""
        rows = checked_rows(rows, self._num_rows)
        for name in tensors:
            checked_tensor(self._specs, name)
        samples = self._read(rows)
        return {name: samples[name] for name in tensors}


def pool_of(
    source: Any, selection: Selection | None, *, seed: int, plan: SamplingPlan | None, resolve: Resolve | None
) -> Pool:
    """Return what a loader draws from: a selection, what the source itself says is drawn, or all of it.

    Parameters
    ----------
    source : Table, Source or DrawnSource
        What is read.
    selection : Selection, optional
        Rows of it.
    seed : int
        Of a source's own draws.
    plan : SamplingPlan, optional
        Weights over the selection.
    resolve : callable, optional
        How the names in a query become tables.
    """
    drawn = source.__drawn__(seed) if isinstance(source, DrawnSource) else None
    if drawn is not None and selection is None and plan is None:
        selection, plan = Selection(rows=drawn.rows, version="", query_string=None, seed=seed), drawn.plan
    table: Table = as_table(source if drawn is None else drawn.source)
    rows = np.arange(table.num_rows) if selection is None else np.asarray(selection.rows, np.int64)
    history = (selection.query_string,) if selection is not None and selection.query_string else ()
    all_rows = None if drawn is None or plan is not drawn.plan else drawn.all_rows
    return Pool(table=table, rows=rows, plan=plan, history=history, resolve=resolve, all_rows=all_rows)


def as_table(source: Any) -> Table:
    """Return a table as it is, a source as one.

    A source is anything with the right members, which may come from a proxy's ``__getattr__``: `hasattr` sees those.
    """
    if isinstance(source, Table):
        return source
    if hasattr(source, "num_samples") and hasattr(source, "samples_by_indices"):
        return SourceTable(source)
    if hasattr(source, "num_samples") and hasattr(source, "__iter__"):
        return SequentialTable(source)
    raise LoaderError(
        f"a loader cannot read a {type(source).__name__}. Expected a dataset, a view or a source with "
        "num_samples and samples_by_indices"
    )
