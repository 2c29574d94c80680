"""A table in memory that consists of numpy columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table._checks import checked_column, checked_rows, checked_tensor
from penstock.table._fixed import FixedTable
from penstock.table._ragged import Ragged
from penstock.table._samples import samples_of_column
from penstock.tensors import Htype, TensorSpec

__all__ = ["ArrayTable"]

_TEXT = np.dtypes.StringDType()
_RANKS = {"class_label": 1, "embedding": 1, "bbox": 2}


class ArrayTable(FixedTable):
    """A table whose columns are arrays or lists.

    Parameters
    ----------
    columns : mapping of str to array-like or Ragged
        One entry per tensor. A 1-D array holds scalars, an n-D array samples of
        equal shape, a list of arrays ragged samples, a list of str text, a list
        of dict JSON, a list of bytes encoded images; None is a NULL sample.
    class_names : mapping of str to sequence of str, optional
        Tensors named here are class labels; their samples become int64 of shape (n,).
    htypes : mapping of str to str, optional
        Kinds that the values do not show by themselves (``bbox``, ``embedding``).
    version : str
        Identity of the content.

    Examples
    --------
    >>> table = ArrayTable({"label": [0, 1], "score": [0.5, 2.0]}, class_names={"label": ["car", "dog"]})
    >>> table.num_rows, table.tensors["label"].single_valued
    (2, True)
    >>> table.column("score").values.tolist()
    [0.5, 2.0]
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        *,
        class_names: Mapping[str, Sequence[str]] | None = None,
        htypes: Mapping[str, Htype] | None = None,
        version: str = "memory",
    ) -> None:
        self._images: dict[str, list[bytes | None]] = {}
        self._columns: dict[str, Ragged] = {}
        specs: dict[str, TensorSpec] = {}
        names = class_names or {}
        for name, data in columns.items():
            htype = "class_label" if name in names else (htypes or {}).get(name) or _guess(data)
            specs[name] = self._add(name, data, htype, tuple(names.get(name, ())))
        counts = {self._length(name) for name in specs}
        if len(counts) > 1:
            raise ValueError(f"the columns have {sorted(counts)} rows. Expected equal numbers")
        super().__init__(specs, counts.pop() if counts else 0, version)

    def _length(self, name: str) -> int:
        return len(self._images[name]) if name in self._images else len(self._columns[name])

    def _add(self, name: str, data: Any, htype: Htype, class_names: tuple[str, ...]) -> TensorSpec:
        if htype == "image":
            self._images[name] = list(data)
            return TensorSpec(name=name, htype=htype, dtype="uint8", sample_compression="png")
        column = data if isinstance(data, Ragged) else _column(data, htype)
        if htype == "class_label":
            column = replace(column, class_names=class_names)
        lengths = column.lengths
        self._columns[name] = column
        return TensorSpec(
            name=name,
            htype=htype,
            dtype="str" if htype in {"text", "json"} else column.values.dtype.name,
            class_names=class_names,
            length_min=int(lengths.min()) if len(lengths) else None,
            length_max=int(lengths.max()) if len(lengths) else None,
        )

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor that is not an image."""
        checked_column(self._specs, tensor)
        return self._columns[tensor]

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return the shape of every sample, int64 of shape (num_rows, ndim); -1 where unknown."""
        checked_tensor(self._specs, tensor)
        return _image_shapes(self._images[tensor]) if tensor in self._images else self._columns[tensor].sample_shapes

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return raw samples of some rows, in their order, repeats kept."""
        rows = checked_rows(rows, self._num_rows)
        return {name: self._samples(checked_tensor(self._specs, name), rows) for name in tensors}

    def _samples(self, spec: TensorSpec, rows: NDArray[np.int64]) -> list[Any]:
        if spec.name in self._images:
            images = self._images[spec.name]
            return [images[row] for row in rows.tolist()]
        return samples_of_column(self._columns[spec.name], spec, rows)


def _guess(data: Any) -> Htype:
    if isinstance(data, Ragged):
        return "text" if data.values.dtype.kind == "T" else "generic"
    if isinstance(data, np.ndarray) and data.dtype.kind in "UT":
        return "text"
    first = next((value for value in data if value is not None), None) if isinstance(data, list) else None
    kinds: tuple[tuple[type, Htype], ...] = ((bytes, "image"), (str, "text"), (dict, "json"))
    return next((kind for type_, kind in kinds if isinstance(first, type_)), "generic")


def _column(data: Any, htype: Htype) -> Ragged:
    if htype in {"text", "json"}:
        return _text([None if value is None else value for value in data], as_json=htype == "json")
    if isinstance(data, np.ndarray) and data.dtype != object:
        return _dense(data, one_label=htype == "class_label" and data.ndim == 1)
    dtype = np.int64 if htype == "class_label" else None
    samples = [None if value is None else np.asarray(value, dtype) for value in data]
    return _ragged(samples, _RANKS.get(htype))


def _text(data: list[Any], *, as_json: bool) -> Ragged:
    texts = ["" if value is None else json.dumps(value) if as_json else str(value) for value in data]
    valid = np.array([value is not None for value in data], bool)
    return Ragged(
        values=np.array(texts, _TEXT),
        offsets=np.arange(len(data) + 1),
        shapes=np.zeros((len(data), 0), np.int64),
        valid=None if valid.all() else valid,
    )


def _dense(data: NDArray[Any], *, one_label: bool) -> Ragged:
    count = len(data)
    shape = (1,) if one_label else data.shape[1:]
    size = int(np.prod(shape, dtype=np.int64))
    shapes = None if len(shape) == 1 else np.tile(np.array(shape, np.int64), (count, 1)).reshape(count, len(shape))
    return Ragged(values=data.reshape(-1), offsets=np.arange(count + 1, dtype=np.int64) * size, shapes=shapes)


def _ragged(samples: list[NDArray[Any] | None], rank: int | None) -> Ragged:
    present = [sample for sample in samples if sample is not None]
    rank = max((sample.ndim for sample in present if sample.size), default=1) if rank is None else rank
    filled = [sample for sample in present if sample.size] or present
    dtype = np.result_type(*filled) if filled else np.dtype(np.float64)
    flats = [np.empty(0, dtype) if sample is None else sample.reshape(-1) for sample in samples]
    offsets = np.concatenate([[0], np.cumsum([len(flat) for flat in flats])]).astype(np.int64)
    valid = np.array([sample is not None for sample in samples], bool)
    shapes = None
    if rank != 1:
        shapes = np.array([_shape(sample, rank) for sample in samples], np.int64).reshape(len(samples), rank)
    return Ragged(
        values=np.concatenate(flats).astype(dtype) if flats else np.empty(0, dtype),
        offsets=offsets,
        shapes=shapes,
        valid=None if valid.all() else valid,
    )


def _shape(sample: NDArray[Any] | None, rank: int) -> tuple[int, ...]:
    if sample is not None and sample.ndim == rank:
        return sample.shape
    return (0,) * (rank - 1) + (4,) * (rank == 2) if rank else ()


def _image_shapes(images: list[bytes | None]) -> NDArray[np.int64]:
    from penstock.tensors import image_shape

    rows = [(-1, -1, -1) if image is None else image_shape(image) for image in images]
    return np.array(rows, np.int64).reshape(len(images), 3)
