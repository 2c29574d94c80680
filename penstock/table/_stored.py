"""Columns and rows of one stored version, cached."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage import (
    Snapshot,
    byte_views,
    column_names,
    column_of,
    flat_values,
    renewed_lock,
    sample_columns,
    scalars,
    shape_rows,
)
from penstock.table._checks import checked_column, checked_tensor
from penstock.table._ragged import Ragged
from penstock.tensors import Cell, TensorSpec

__all__ = ["StoredTable", "box_shapes", "cells_of_columns", "empty_column", "text_column"]

_TEXT = np.dtypes.StringDType()


class StoredTable:
    """The content of a snapshot by column and by row; thread-safe, each column is read once.

    An `OverlayTable` reads from it. It is not a `Table` itself: its rows are read in increasing order, as cells.
    """

    def __init__(self, snapshot: Snapshot, label: str) -> None:
        self.snapshot = snapshot
        self.label = label
        self._columns: dict[str, Ragged] = {}
        self._shapes: dict[str, NDArray[np.int64]] = {}
        self._lock = renewed_lock(threading.RLock())  # reentrant: `shapes` asks for a column

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.snapshot.num_rows

    @cached_property
    def specs(self) -> dict[str, TensorSpec]:
        """Spec of each tensor, in order of creation."""
        found = {entry["name"]: TensorSpec.from_json(entry) for entry in self.snapshot.meta.get("tensors", [])}
        return {name: self._as_stored(spec) for name, spec in found.items()}

    def _as_stored(self, spec: TensorSpec) -> TensorSpec:
        """Return a spec with the element type of its column, if the column exists without samples."""
        if spec.is_typed or spec.name not in self.snapshot.columns:
            return spec
        return replace(spec, dtype=self.snapshot.element_type(spec.name), inferred=False)

    @cached_property
    def uids(self) -> NDArray[np.int64]:
        """Identity of each row."""
        return self.snapshot.uids

    @cached_property
    def _by_uid(self) -> NDArray[np.int64]:
        return np.argsort(self.uids, kind="stable")

    def positions(self, uids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each uid; -1 if it does not exist."""
        if not self.num_rows:
            return np.full(len(uids), -1, np.int64)
        ordered = self.uids[self._by_uid]
        found = np.searchsorted(ordered, uids).clip(max=len(ordered) - 1)  # past the last: compared below
        rows: NDArray[np.int64] = np.where(ordered[found] == uids, self._by_uid[found], -1)
        return rows

    def row_of(self, uid: int) -> int:
        """Return the row of one uid, -1 where there is none."""
        return int(self.positions(np.array([uid], np.int64))[0])

    def is_cached(self, tensor: str) -> bool:
        """Return whether `column` is already in memory."""
        return tensor in self._columns

    def column(self, tensor: str) -> Ragged:
        """Return a whole column, read once."""
        spec = checked_column(self.specs, tensor)
        with self._lock:
            if tensor not in self._columns:
                self._columns[tensor] = self._read_column(spec)
            return self._columns[tensor]

    def _read_column(self, spec: TensorSpec) -> Ragged:
        names = [name for name in column_names(spec) if name in self.snapshot.columns]
        if not names:
            return empty_column(spec, self.num_rows)
        table = self.snapshot.read(names)
        if spec.htype in {"text", "json"}:
            return text_column(scalars(table[column_of(spec.name)]))
        values, offsets, valid = flat_values(table[column_of(spec.name)])
        if spec.htype == "class_label":
            return Ragged(values=values, offsets=offsets, class_names=spec.class_names)
        if spec.htype == "bbox":
            return Ragged(values=values, offsets=offsets, shapes=box_shapes(np.diff(offsets) // 4))
        shapes = None
        if spec.htype == "generic" and spec.ndim != 1:
            shapes = shape_rows(table[f"_shape_{column_of(spec.name)}"], spec.ndim or 0).clip(min=0)
        return Ragged(values=values, offsets=offsets, shapes=shapes, valid=valid)

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return recorded shapes; -1 if none is recorded."""
        spec = checked_tensor(self.specs, tensor)
        if not spec.is_encoded:
            return self.column(tensor).sample_shapes
        with self._lock:
            if tensor not in self._shapes:
                name = f"_shape_{column_of(tensor)}"
                ndim = 3 if spec.htype == "image" else (spec.ndim or 2)
                known = name in self.snapshot.columns
                table = self.snapshot.read([name]) if known else None
                empty = np.full((self.num_rows, ndim), -1, np.int64)
                self._shapes[tensor] = empty if table is None else shape_rows(table[name], ndim)
            return self._shapes[tensor]

    def missing(self, tensor: str) -> NDArray[np.bool_]:
        """Return whether each sample of a tensor is NULL; the samples are not held in memory."""
        column = column_of(checked_tensor(self.specs, tensor).name)
        return self.snapshot.missing(column) if column in self.snapshot.columns else np.ones(self.num_rows, bool)

    def digests(self, tensor: str) -> NDArray[np.int64] | None:
        """Return recorded digests of images, 0 if missing; None if the tensor has none."""
        name = f"_digest_{column_of(tensor)}"
        if name not in self.snapshot.columns:
            return None
        digests: NDArray[np.int64] = self.snapshot.read([name])[name].fill_null(0).to_numpy()
        return digests

    def cells(self, rows: NDArray[np.int64], tensors: Sequence[str], *, recorded: bool = True) -> dict[str, list[Cell]]:
        """Return stored cells of increasing rows from the files; images without shape and digest if requested."""
        specs = [checked_tensor(self.specs, name) for name in tensors]
        names_of = column_names if recorded else sample_columns
        wanted = [name for spec in specs for name in names_of(spec) if name in self.snapshot.columns]
        table = self.snapshot.take(rows, wanted) if wanted and len(rows) else None
        columns = {} if table is None else {name: table[name] for name in wanted}
        return {spec.name: cells_of_columns(spec, columns, len(rows)) for spec in specs}

    def bytes_of(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> dict[str, list[memoryview | None]]:
        """Return the encoded samples of increasing rows, as views of what was read."""
        for name in tensors:
            checked_tensor(self.specs, name)
        known = {name: column_of(name) for name in tensors if column_of(name) in self.snapshot.columns}
        table = self.snapshot.take(rows, list(known.values())) if known and len(rows) else None
        missing: list[memoryview | None] = [None] * len(rows)
        return {
            name: missing if table is None or name not in known else byte_views(table[known[name]]) for name in tensors
        }


def cells_of_columns(spec: TensorSpec, columns: Mapping[str, Any], count: int) -> list[Cell]:
    """Return cells of Arrow columns, copied out of them."""
    own = column_of(spec.name)
    if own not in columns:
        return [Cell(value=None)] * count
    extras = {
        part: scalars(columns[f"_{part}_{own}"]) if f"_{part}_{own}" in columns else [None] * count
        for part in ("shape", "digest", "creds")
    }
    values: Sequence[Any]
    if spec.is_encoded or spec.htype in {"text", "json"}:
        values = scalars(columns[own])
    else:
        flat, offsets, valid = flat_values(columns[own])
        values = [
            flat[offsets[row] : offsets[row + 1]].copy() if valid is None or valid[row] else None
            for row in range(count)
        ]
    return [
        Cell(value=value, shape=None if shape is None else tuple(shape), digest=digest, creds_key=creds)
        for value, shape, digest, creds in zip(values, extras["shape"], extras["digest"], extras["creds"], strict=True)
    ]


def box_shapes(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the shapes (num_boxes, 4) of samples of so many boxes."""
    return np.stack([counts, np.full_like(counts, 4)], axis=1)


def text_column(texts: Sequence[str | None]) -> Ragged:
    """Return a column of text, one value per row."""
    valid = np.array([text is not None for text in texts], bool)
    return Ragged(
        values=np.array(["" if text is None else text for text in texts], _TEXT),
        offsets=np.arange(len(texts) + 1, dtype=np.int64),
        shapes=np.zeros((len(texts), 0), np.int64),
        valid=None if valid.all() else valid,
    )


def empty_column(spec: TensorSpec, count: int) -> Ragged:
    """Return a column of samples that were never written."""
    if spec.htype in {"text", "json"}:
        return text_column([None] * count)
    offsets = np.zeros(count + 1, np.int64)
    values = np.empty(0, spec.dtype)
    if spec.htype == "class_label":
        return Ragged(values=values, offsets=offsets, class_names=spec.class_names)
    if spec.htype == "bbox":
        return Ragged(values=values, offsets=offsets, shapes=box_shapes(np.zeros(count, np.int64)))
    shapes = None if spec.htype == "embedding" or spec.ndim == 1 else np.zeros((count, spec.ndim or 0), np.int64)
    return Ragged(values=values, offsets=offsets, shapes=shapes, valid=np.zeros(count, bool) if count else None)
