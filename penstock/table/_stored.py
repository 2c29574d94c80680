"""Columns and rows of one stored version, cached."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage import (
    Part,
    Snapshot,
    byte_views,
    column_names,
    column_of,
    flat_values,
    renewed_lock,
    runs,
    sample_columns,
    scalars,
    shape_rows,
)
from penstock.table._checks import checked_column, checked_tensor
from penstock.table._ragged import Bounds, Ragged, all_bounds, exact_bounds, widened
from penstock.tensors import Cell, TensorSpec

__all__ = ["StoredTable", "box_shapes", "cells_of_columns", "column_of_table", "empty_column", "text_column"]

Lists = tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_] | None]  # values, offsets, validity
_TEXT = np.dtypes.StringDType()
_FEW_UIDS = 64  # up to one sought sample in so many, one pass over all is faster than ordering them
_MOST_HINTS = 100_000
_PAGE = 1024  # rows up to which identities are read alone
_LARGE = 1_000_000  # of so many: those of fewer are quickly read, once
_BLOCK = 1 << 18
_ENDS = 0xFFFF


class StoredTable:
    """The content of a snapshot by column and by row; thread-safe, each column is read once.

    An `OverlayTable` reads from it. It is not a `Table` itself: its rows are read in increasing order, as cells.
    """

    def __init__(self, snapshot: Snapshot, label: str, before: StoredTable | None = None) -> None:
        self.snapshot = snapshot
        self.label = label
        self._columns: dict[str, Ragged] = {}
        self._bounds: dict[str, Bounds] = {}
        self._hints: dict[int, int] = {}
        self._before: dict[str, EarlierColumn] = {}
        self._pieces: dict[str, list[Ragged]] = {}
        self._shapes: dict[str, NDArray[np.int64]] = {}
        self._lock = renewed_lock(threading.RLock())  # reentrant: `shapes` asks for a column
        if before is not None:
            self._learn(before)

    def _learn(self, before: StoredTable) -> None:
        """Take over what an earlier version has in memory, as far as the files are the same."""
        self.snapshot.learn(before.snapshot)
        self._hints = before._hints  # each is checked before it is used
        if before.snapshot.knows_parts and self.snapshot.knows_parts:
            with before._lock:
                self._before = {**before._before, **before._kept()}

    def is_at(self, snapshot: Snapshot, label: str) -> bool:
        """Return whether this is the table of a version, and under this label."""
        mine = self.snapshot
        if (mine.path, mine.branch, mine.version) != (snapshot.path, snapshot.branch, snapshot.version):
            return False
        return self.label == label and mine.meta == snapshot.meta  # which names the dataset, if it was replaced

    def _kept(self) -> dict[str, EarlierColumn]:
        parts = self.snapshot.parts or ()
        return {
            name: EarlierColumn(column=column, spec=self.specs[name], parts=parts, bounds=self._bounds.get(name))
            for name, column in self._columns.items()
        }

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

    @property
    def uids(self) -> NDArray[np.int64]:
        """Identity of each row."""
        return self.snapshot.uids

    def uids_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the identity of some rows; a few of a large table are read alone."""
        if not len(rows) or self.snapshot.has_uids or len(rows) > _PAGE or self.num_rows < _LARGE:
            return self.uids[rows]
        unique, places = np.unique(rows, return_inverse=True)
        return self.snapshot.uids_of(unique)[places]

    @cached_property
    def _by_uid(self) -> NDArray[np.int64]:
        return np.argsort(self.uids, kind="stable")

    def positions(self, uids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each uid; -1 if it does not exist."""
        uids = np.asarray(uids, np.int64)
        if not self.num_rows or not len(uids):
            return np.full(len(uids), -1, np.int64)
        if "_by_uid" not in self.__dict__ and len(uids) * _FEW_UIDS <= self.num_rows:
            return self._of_few(uids)
        ordered = self.uids[self._by_uid]
        found = np.searchsorted(ordered, uids).clip(max=len(ordered) - 1)  # past the last: compared below
        rows: NDArray[np.int64] = np.where(ordered[found] == uids, self._by_uid[found], -1)
        return rows

    def _of_few(self, uids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of a few uids: where they were last seen, or else by one pass over all."""
        rows = np.fromiter((self._hints.get(uid, -1) for uid in uids.tolist()), np.int64, len(uids))
        rows[rows >= self.num_rows] = -1
        hinted = np.flatnonzero(rows >= 0)
        rows[hinted[self.uids_of(rows[hinted]) != uids[hinted]]] = -1
        if (rows < 0).any():
            rows[rows < 0] = rows_of_few(self.uids, uids[rows < 0])
        self.remember(uids, rows)
        return rows

    def remember(self, uids: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        """Keep where a few samples are, which is looked at first when they are looked for."""
        if len(self._hints) + len(uids) <= _MOST_HINTS:
            self._hints.update(zip(uids.tolist(), rows.tolist(), strict=True))

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
        names = self._read_names(spec)
        if not names:
            return empty_column(spec, self.num_rows)
        pieces = self._moved(spec)
        if pieces is not None:
            column = joined(pieces, spec)
            del self._before[spec.name], self._pieces[spec.name]
            return column
        lists = self.snapshot.lists(names[0]) if len(names) == 1 and spec.htype not in {"text", "json"} else None
        if lists is not None:
            return column_of_lists(spec, lists)
        return column_of_table(spec, self.snapshot.read(names))

    def _read_names(self, spec: TensorSpec) -> list[str]:
        """Return the physical columns that a column is read from; those of single numbers have no sides to read."""
        names = [name for name in column_names(spec) if name in self.snapshot.columns]
        return names[:1] if spec.htype == "generic" and not spec.ndim else names

    def bounds(self, tensor: str) -> Bounds:
        """Return the least and the greatest number of elements of a sample; there must be samples."""
        with self._lock:
            if tensor not in self._bounds:
                self._bounds[tensor] = all_bounds(self.offsets(tensor))
            return self._bounds[tensor]

    def offsets(self, tensor: str) -> list[NDArray[np.int64]]:
        """Return where the samples of consecutive pieces of a column begin, and where the last one of each ends."""
        with self._lock:
            moved = None if self.is_cached(tensor) else self._moved(self.specs[tensor])
            return [self.column(tensor).offsets] if moved is None else [piece.offsets for piece in moved]

    def _moved(self, spec: TensorSpec) -> list[Ragged] | None:
        """Return the pieces of a column that an earlier version has in memory; only parts with new files are read."""
        earlier = self._before.get(spec.name)
        if earlier is None or not earlier.serves(spec):
            return None
        if spec.name not in self._pieces:
            names = self._read_names(spec)
            pieces = self._pieces[spec.name] = earlier.moved(self.snapshot, names, spec)
            if earlier.bounds is not None and any(map(len, pieces)):
                self._bounds[spec.name] = earlier.bounds_of(pieces)
        return self._pieces[spec.name]

    def parts_since(self, last: StoredTable, tensor: str) -> tuple[list[int], list[int]]:
        """Return the places of parts whose samples of a tensor an earlier version had not, and of those it had."""
        names = column_names(self.specs[tensor])
        new = {run.place for run in runs(last.snapshot.files, self.snapshot.files, names) if run.place is not None}
        return sorted(new), [place for place in range(len(self.snapshot.files)) if place not in new]

    def lengths_of_part(self, tensor: str, place: int) -> Ragged:
        """Return the samples of a tensor of lists in one part."""
        spec, name = self.specs[tensor], column_of(tensor)
        if name not in self.snapshot.columns:
            return empty_column(spec, self.snapshot.files[place].num_rows)
        return column_of_table(spec, self.snapshot.read_parts([place], [name]))

    def some(self, tensor: str, rows: NDArray[np.int64]) -> Ragged:
        """Return the samples of some rows, which must be increasing, of a tensor that is not an image or mask."""
        spec = checked_column(self.specs, tensor)
        if self.is_cached(tensor) or len(rows) * 2 > self.num_rows:
            return self.column(tensor).take(rows)
        names = self._read_names(spec)
        if not names:
            return empty_column(spec, len(rows))
        return column_of_table(spec, self.snapshot.some(rows, names))

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


def rows_of_few(everything: NDArray[np.int64], uids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where a few uids are among all, -1 where they are not; by one pass that compares the last 16 bits."""
    few = np.unique(uids)
    ends = np.zeros(_ENDS + 1, bool)
    ends[few & _ENDS] = True
    rows = np.full(len(few), -1, np.int64)
    for start in range(0, len(everything), _BLOCK):
        block = everything[start : start + _BLOCK]
        alike = np.flatnonzero(ends[block & _ENDS])
        found = np.searchsorted(few, block[alike]).clip(max=len(few) - 1)
        there = few[found] == block[alike]
        rows[found[there]] = alike[there] + start
    return rows[np.searchsorted(few, uids)]


def column_of_table(spec: TensorSpec, table: Any) -> Ragged:
    """Return a tensor that is not an image or mask from its physical columns."""
    if spec.htype in {"text", "json"}:
        return text_column(scalars(table[column_of(spec.name)]))
    return column_of_lists(spec, flat_values(table[column_of(spec.name)]), table)


def column_of_lists(spec: TensorSpec, lists: Lists, table: Any = None) -> Ragged:
    """Return a tensor of numbers from its lists; the sides of arrays of several dimensions are in `table`."""
    values, offsets, valid = lists
    if spec.htype == "class_label":
        return Ragged(values=values, offsets=offsets, class_names=spec.class_names)
    if spec.htype == "bbox":
        return Ragged(values=values, offsets=offsets, shapes=box_shapes(np.diff(offsets) // 4))
    shapes = None
    if spec.htype == "generic" and spec.ndim != 1:
        known = spec.ndim or 0
        sides = shape_rows(table[f"_shape_{column_of(spec.name)}"], known) if known else np.zeros((len(offsets) - 1, 0))
        shapes = sides.astype(np.int64, copy=False).clip(min=0)
    return Ragged(values=values, offsets=offsets, shapes=shapes, valid=valid)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EarlierColumn:
    """A column of an earlier version, from which that of a later one can be made.

    Parameters
    ----------
    column : Ragged
        The samples of the earlier version.
    spec : TensorSpec
        What they were read as.
    parts : sequence of Part
        The parts they were read from.
    bounds : (int, int) or None
        Least and greatest number of elements of a sample, if known.
    """

    column: Ragged
    spec: TensorSpec
    parts: Sequence[Part]
    bounds: Bounds | None

    def serves(self, spec: TensorSpec) -> bool:
        """Return whether the samples of a later version are read in the same way."""
        one, two = self.spec, spec
        return (one.htype, one.dtype, one.ndim, one.link) == (two.htype, two.dtype, two.ndim, two.link)

    def moved(self, snapshot: Snapshot, columns: Sequence[str], spec: TensorSpec) -> list[Ragged]:
        """Return the pieces of the column of a later version; only parts whose files are new are read."""
        return [
            stretch(self.column, run.begin, run.end)
            if run.place is None
            else column_of_table(spec, snapshot.read_parts([run.place], columns))
            for run in runs(self.parts, snapshot.parts or (), columns)
        ]

    def bounds_of(self, pieces: Sequence[Ragged]) -> Bounds:
        """Return the bounds of pieces of which most are stretches of the column; `bounds` must be known."""
        new = [piece for piece in pieces if not np.shares_memory(piece.offsets, self.column.offsets)]
        return exact_bounds([piece.offsets for piece in (*new, *pieces)], widened(self.bounds or (0, 0), new))


def stretch(column: Ragged, begin: int, end: int) -> Ragged:
    """Return consecutive rows of a column, without copying its values."""
    first, last = column.offsets[begin], column.offsets[end]
    return Ragged(
        values=column.values[first:last],
        offsets=column.offsets[begin : end + 1],
        shapes=None if column.shapes is None else column.shapes[begin:end],
        valid=None if column.valid is None else column.valid[begin:end],
        class_names=column.class_names,
    )


def joined(pieces: Sequence[Ragged], spec: TensorSpec) -> Ragged:
    """Return columns one after the other; the offsets of a piece may begin anywhere."""
    if not pieces:
        return empty_column(spec, 0)
    if len(pieces) == 1 and pieces[0].offsets[0] == 0:
        one, has_nulls = pieces[0], pieces[0].valid is not None and not pieces[0].valid.all()
        names = spec.class_names if spec.htype == "class_label" else None
        return replace(one, valid=one.valid if has_nulls else None, class_names=names)
    offsets = np.zeros(sum(map(len, pieces)) + 1, np.int64)
    row = 0
    for piece in pieces:
        np.add(piece.offsets[1:], offsets[row] - piece.offsets[0], out=offsets[row + 1 : row + 1 + len(piece)])
        row += len(piece)
    has_nulls = any(piece.valid is not None and not piece.valid.all() for piece in pieces)
    values = np.concatenate([piece.values for piece in pieces])
    values.flags.writeable = False
    return Ragged(
        values=values,
        offsets=offsets,
        shapes=None if pieces[0].shapes is None else np.concatenate([_shapes(piece) for piece in pieces]),
        valid=np.concatenate([piece.valid_rows for piece in pieces]) if has_nulls else None,
        class_names=spec.class_names if spec.htype == "class_label" else None,
    )


def _shapes(piece: Ragged) -> NDArray[np.int64]:
    assert piece.shapes is not None
    return piece.shapes


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
