"""Samples as they are stored: one by itself, or many in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from penstock.tensors._spec import TensorSpec

__all__ = ["Cell", "PackedCells"]

_OBJECT = 32  # bytes that a sample is counted with apart from its elements


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """A sample on its way into the store.

    Parameters
    ----------
    value : bytes, str, ndarray of shape (num_elements,) or None
        Encoded image, packed mask, text, JSON text, link URL, or flat elements.
    shape : tuple of int, optional
        Shape of the sample, if the elements do not determine it.
    digest : int, optional
        64 bits of the BLAKE2 hash of an image's bytes.
    creds_key : str, optional
        Name of the credentials of a link.
    num_entries : int, optional
        Number of entries of a JSON list, where it is known without reading it again.
    """

    value: bytes | str | NDArray[Any] | None
    shape: tuple[int, ...] | None = None
    digest: int | None = None
    creds_key: str | None = None
    num_entries: int | None = None

    @property
    def num_bytes(self) -> int:
        """About what the sample takes in memory."""
        if self.value is None:
            return 8
        return 32 + (len(self.value) if isinstance(self.value, (bytes, str)) else self.value.nbytes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedCells(Sequence[Cell]):
    """Cells of class labels, numbers, vectors or text, which are checked; any of them can be asked for.

    Parameters
    ----------
    values : ndarray, shape (num_values,), or sequence of str or None
        The elements of all samples, or a text for each.
    offsets : ndarray of int64, shape (num_samples + 1,), optional
        Where the elements of each sample begin; None where there is one value for each.
    valid : ndarray of bool, shape (num_samples,), optional
        False where a sample is NULL, which has no elements.
    shape : tuple of int, optional
        The shape that all samples have, recorded with each; by default none is recorded.
    """

    values: NDArray[Any] | Sequence[str | None]
    offsets: NDArray[np.int64] | None = None
    valid: NDArray[np.bool_] | None = None
    shape: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> list[Cell]: ...
    def __getitem__(self, index: int | slice) -> Cell | list[Cell]:
        if isinstance(index, slice):
            return [self._cell(place) for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._cell(index % len(self))

    def _cell(self, place: int) -> Cell:
        if self.offsets is None:
            text: Any = self.values[place]
            return Cell(value=text)
        if self.valid is not None and not self.valid[place]:
            return Cell(value=None)
        flat: Any = self.values[self.offsets[place] : self.offsets[place + 1]]
        return Cell(value=flat.copy(), shape=self.shape)

    @property
    def num_bytes(self) -> int:
        """About what the samples take in memory, counted as `Cell.num_bytes` does."""
        if isinstance(self.values, np.ndarray) and self.offsets is not None:
            begin, end = int(self.offsets[0]), int(self.offsets[-1])
            return _OBJECT * len(self) + (end - begin) * self.values.dtype.itemsize
        return sum(_OBJECT + len(text) for text in self.values if text is not None)

    @property
    def lengths(self) -> tuple[int, int] | None:
        """The least and the greatest number of elements of a sample that is not NULL."""
        if self.offsets is None:
            return None
        lengths = np.diff(self.offsets)
        lengths = lengths if self.valid is None else lengths[self.valid]
        return (int(lengths.min()), int(lengths.max())) if len(lengths) else None

    def fixed(self, spec: TensorSpec) -> TensorSpec:
        """Return the spec with what these samples fix, as `with_type` does for others."""
        lengths = self.lengths
        if lengths is None:
            return spec
        if spec.htype == "embedding" and spec.length_max is None:
            return replace(spec, length_min=lengths[0], length_max=lengths[1])
        if spec.htype == "generic" and spec.ndim is None and self.shape is not None:
            return replace(spec, ndim=len(self.shape))
        return spec
