"""Cells as samples and as columns, and columns with some rows replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from penstock.table._ragged import Ragged
from penstock.table._stored import box_shapes, text_column
from penstock.tensors import MAX_IMAGE_BYTES, Cell, TensorSpec, decode_json, unpack_mask

__all__ = ["column_of_cells", "sample_of_cell", "with_rows_replaced"]


def sample_of_cell(spec: TensorSpec, cell: Cell, *, max_bytes: int | None = MAX_IMAGE_BYTES) -> Any:
    """Return the raw sample of a stored cell, as `Table.take` promises it."""
    value = cell.value
    if value is None:
        return _EMPTY[spec.htype].copy() if spec.htype in _EMPTY else None
    if spec.htype == "json":
        return decode_json(spec, str(value))
    if spec.htype in {"binary_mask", "segment_mask"}:
        return unpack_mask(spec, cast("bytes", value), cell.shape or (), max_bytes=max_bytes)
    if not isinstance(value, np.ndarray):
        return value
    if spec.htype == "bbox":
        return value.reshape(-1, 4)
    return value.reshape(_generic_shape(spec, cell, value)) if spec.htype == "generic" else value


_EMPTY: dict[str, NDArray[Any]] = {"class_label": np.empty(0, np.int64), "bbox": np.empty((0, 4), np.float32)}


def _generic_shape(spec: TensorSpec, cell: Cell, value: NDArray[Any]) -> tuple[int, ...]:
    return cell.shape if cell.shape is not None else () if spec.ndim == 0 else value.shape


def column_of_cells(spec: TensorSpec, cells: Sequence[Cell]) -> Ragged:
    """Return some cells of a tensor that is no image or mask as a column."""
    if spec.htype in {"text", "json"}:
        return text_column([None if cell.value is None else str(cell.value) for cell in cells])
    flats = [np.empty(0, spec.dtype) if cell.value is None else np.asarray(cell.value) for cell in cells]
    offsets = np.zeros(len(cells) + 1, np.int64)
    np.cumsum([len(flat) for flat in flats], out=offsets[1:])
    values = np.concatenate(flats) if flats else np.empty(0, spec.dtype)
    if spec.htype == "class_label":
        return Ragged(values=values, offsets=offsets, class_names=spec.class_names)
    if spec.htype == "bbox":
        return Ragged(values=values, offsets=offsets, shapes=box_shapes(np.diff(offsets) // 4))
    valid = np.array([cell.value is not None for cell in cells], bool)
    shapes = None
    if spec.htype == "generic" and spec.ndim != 1:
        ndim = spec.ndim or 0
        shapes = np.array([cell.shape or (0,) * ndim for cell in cells], np.int64).reshape(len(cells), ndim)
    return Ragged(values=values, offsets=offsets, shapes=shapes, valid=valid)


def with_rows_replaced(base: Ragged, rows: NDArray[np.int64], edited: Ragged) -> Ragged:
    """Return `base` with some rows taken from `edited`, in the order of `rows`.

    The values between edited rows are copied in one piece each.
    """
    ranks = np.argsort(rows, kind="stable")
    rows, edited = rows[ranks], edited.take(ranks.astype(np.int64))
    offsets = _offsets(base, rows, edited)
    return Ragged(
        values=_with_values(base, rows, edited) if offsets is base.offsets else _spliced(base, rows, edited),
        offsets=offsets,
        shapes=_with_shapes(base, rows, edited),
        valid=_with_valid(base, rows, edited),
        class_names=base.class_names,
    )


def _offsets(base: Ragged, rows: NDArray[np.int64], edited: Ragged) -> NDArray[np.int64]:
    """Return where each row begins: those after an edited row are moved by what it has more or less than before."""
    more = np.cumsum(edited.lengths - (base.offsets[rows + 1] - base.offsets[rows]))
    if not more.any():
        return base.offsets
    offsets = base.offsets.copy()
    for begin, end, by in zip(rows.tolist(), [*rows[1:].tolist(), len(base)], more.tolist(), strict=True):
        offsets[begin + 1 : end + 1] += by
    return offsets


def _with_values(base: Ragged, rows: NDArray[np.int64], edited: Ragged) -> NDArray[Any]:
    values = base.values.copy()
    for place, begin in enumerate(base.offsets[rows].tolist()):
        new = edited.values[edited.offsets[place] : edited.offsets[place + 1]]
        values[begin : begin + len(new)] = new
    return values


def _spliced(base: Ragged, rows: NDArray[np.int64], edited: Ragged) -> NDArray[Any]:
    # stretches between edited rows: each begins where one edited row ends and ends where the next begins
    begins = np.concatenate([[0], base.offsets[rows + 1]])
    ends = np.concatenate([base.offsets[rows], [base.offsets[-1]]])
    pieces = []
    for place, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        pieces.append(base.values[begin:end])
        if place < len(rows):
            pieces.append(edited.values[edited.offsets[place] : edited.offsets[place + 1]])
    return np.concatenate(pieces)


def _with_shapes(base: Ragged, rows: NDArray[np.int64], edited: Ragged) -> NDArray[np.int64] | None:
    if base.shapes is None or edited.shapes is None:
        return base.shapes
    shapes = base.shapes.copy()
    shapes[rows] = edited.shapes
    return shapes


def _with_valid(base: Ragged, rows: NDArray[np.int64], edited: Ragged) -> NDArray[np.bool_] | None:
    if base.valid is None and edited.valid is None:
        return None
    valid = np.ones(len(base), bool) if base.valid is None else base.valid.copy()
    valid[rows] = True if edited.valid is None else edited.valid
    return None if valid.all() else valid
