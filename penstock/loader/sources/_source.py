"""What can stand under a loader that is no dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError
from penstock.loader.sources._sequential import SequentialTable, named
from penstock.sampling import SamplingPlan
from penstock.table import Ragged
from penstock.tensors import Htype, TensorSpec

__all__ = ["Drawn", "DrawnSource", "Source", "SourceTable", "as_table"]


@runtime_checkable
class Source(Protocol):
    """Samples that are read by number; anything with these two can stand under a loader.

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
        Weights over the rows; without one every row comes once an epoch.
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


class SourceTable:
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

    has_nulls = False

    def __init__(self, source: Source) -> None:
        count = source.num_samples
        self._num_rows = int(count() if callable(count) else count)
        self._source = source
        if self._num_rows < 1:
            raise LoaderError(f"the source has {self._num_rows} samples; expected at least 1")
        first = self._read(np.zeros(1, np.int64))
        self._specs = {name: _spec(name, values[0]) for name, values in first.items()}
        self._sample_shapes = {name: np.shape(values[0]) for name, values in first.items()}

    def _read(self, rows: NDArray[np.int64]) -> dict[str, Any]:
        return named(self._source.samples_by_indices(rows))

    def whole(self, tensor: str) -> NDArray[Any] | None:
        """Return all samples of a tensor where the source has them as an array; None where it has to be asked."""
        arrays: Any = getattr(self._source, "arrays", None)
        array = named(arrays()).get(tensor) if callable(arrays) else None
        return self._checked(tensor, array) if isinstance(array, np.ndarray) else None

    def _checked(self, tensor: str, array: NDArray[Any]) -> NDArray[Any]:
        expected = (self._num_rows, *self._sample_shapes[tensor])
        if array.shape != expected or array.dtype.name != self._specs[tensor].dtype:
            raise LoaderError(
                f"the array {tensor!r} of the source is {array.dtype.name} of shape {array.shape}; "
                f"expected {self._specs[tensor].dtype} of shape {expected}, as its samples are"
            )
        return array

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self._num_rows

    @property
    def version(self) -> str:
        """Identity of what is read; a source has none but its kind and size."""
        return hashlib.sha256(f"{type(self._source).__qualname__}/{self._num_rows}".encode()).hexdigest()[:16]

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each tensor, by the first sample."""
        return self._specs

    def revision(self, tensor: str) -> str:
        """Return a key of the tensor."""
        return f"{self.version}/{tensor}"

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor of equal shapes, in memory."""
        values = np.asarray(self._read(np.arange(self._num_rows))[tensor])
        shape = np.array(values.shape[1:], np.int64)
        size = int(shape.prod())
        return Ragged(
            values=values.reshape(-1),
            offsets=np.arange(self._num_rows + 1, dtype=np.int64) * size,
            shapes=np.tile(shape, (self._num_rows, 1)),
        )

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return the shape of the first sample for all: a source's samples are taken to be alike."""
        shape = np.array(self._sample_shapes[tensor], np.int64)
        return np.broadcast_to(shape, (self._num_rows, len(shape)))

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return samples of some rows, in their order."""
        samples = self._read(rows)
        return {name: samples[name] for name in tensors}

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows themselves."""
        return rows


def _spec(name: str, value: Any) -> TensorSpec:
    htype: Htype = "text" if isinstance(value, str) else "generic"
    return TensorSpec(name=name, htype=htype, dtype="str" if htype == "text" else np.asarray(value).dtype.name)


def as_table(source: Any) -> Any:
    """Return a table as it is, a source as one."""
    if hasattr(source, "take") and hasattr(source, "tensors"):
        return source
    if hasattr(source, "num_samples") and hasattr(source, "samples_by_indices"):
        return SourceTable(source)
    if hasattr(source, "num_samples") and hasattr(source, "__iter__"):
        return SequentialTable(source, _spec)
    raise LoaderError(
        f"a loader over {type(source).__name__}; expected a dataset, a view or a source with "
        "num_samples and samples_by_indices"
    )
