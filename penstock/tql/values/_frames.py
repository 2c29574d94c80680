"""Frames: rows in which an expression is evaluated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import PenstockError, QueryEvaluationError
from penstock.table import Table
from penstock.tql.values._memo import Memo, memo_of
from penstock.tql.values._patching import patched
from penstock.tql.values._relations import Bound, Context, Field, Frame, Grouping, Relation, TensorColumn, tensor_value
from penstock.tql.values._values import Value, expand_rows, take

__all__ = ["GroupFrame", "PixelFrame", "RelationFrame", "TableFrame"]

_BLOCK = 1 << 20
_FEW = 4


class RelationFrame:
    """Every row of a relation."""

    def __init__(self, relation: Relation, context: Context) -> None:
        self.relation = relation
        self.context = context
        self._loaded: dict[Field, Value] = {}

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.relation.num_rows

    def load(self, field: Field) -> Value:
        """Return a column."""
        if field not in self._loaded:
            self._loaded[field] = self.relation.columns[field].load()
        return self._loaded[field]

    def source_rows(self) -> NDArray[np.int64]:
        """Return row numbers of the table."""
        return self.relation.source_rows()

    def rows_of(self, field: Field) -> NDArray[np.int64]:
        """Return the rows of one tensor's table."""
        return self.relation.columns[field].table_rows()

    def recall(self, bound: Bound) -> Value:
        """Return a predicate from the memo of the table, evaluating the whole table when that pays."""
        table = self.relation.table
        if table is None or not all(self._plain(field) for field in bound.fields):
            return bound.run(self)
        memo, rows = memo_of(table), self.relation.rows
        whole = memo.get(bound.key)
        if whole is None and (rows is None or (len(rows) * _FEW >= table.num_rows and not _decodes(bound))):
            whole = self._evaluate(bound, table, memo)
        if whole is None:
            return bound.run(self)
        return whole if rows is None else take(whole, rows)

    def _plain(self, field: Field) -> bool:
        column = self.relation.columns[field]
        return isinstance(column, TensorColumn) and column.table is self.relation.table

    def _evaluate(self, bound: Bound, table: Table, memo: Memo) -> Value | None:
        try:
            return memo.keep(bound.key, lambda: _whole(bound, table, self.context))
        except QueryEvaluationError:
            if self.relation.rows is None:
                raise
            return None  # the row at fault may not be among ours


def _decodes(bound: Bound) -> bool:
    return any(field.pixels for field in bound.fields)


def _whole(bound: Bound, table: Table, context: Context) -> Value:
    """Return a predicate in all rows of a table; only changed rows are evaluated where its earlier state is known."""
    found = None if context.masks is None else context.masks(bound, table, context)
    if found is None:
        found = patched(bound, table, context, lambda other, name: _in_blocks(bound, other, context, name))
    return _in_blocks(bound, table, context) if found is None else found


def _in_blocks(bound: Bound, table: Table, context: Context, name: Callable[[str], str] = str) -> Value:
    count = table.num_rows
    if count <= _BLOCK * 2 or _decodes(bound) or bound.light:
        return expand_rows(bound.run(TableFrame(table, context, 0, count, name)), count)
    parts = []
    for start in range(0, count, _BLOCK):
        context.check()
        stop = min(start + _BLOCK, count)
        block = TableFrame(table, context, start, stop, name)
        parts.append(expand_rows(bound.run(block), stop - start).data)
    return Value(data=np.concatenate(parts))


class TableFrame:
    """A run of rows of a table; predicates in it are evaluated, not recalled."""

    def __init__(self, table: Table, context: Context, start: int, stop: int, name: Callable[[str], str] = str) -> None:
        self._name = name  # of a key, in the memo of this table
        self.table = table
        self.context = context
        self.start = start
        self.stop = stop
        self._loaded: dict[str, Value] = {}

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.stop - self.start

    def load(self, field: Field) -> Value:
        """Return a tensor in these rows, as slices of the whole."""
        tensor = field.tensor or ""
        if tensor not in self._loaded:
            whole = tensor_value(self.table, tensor)
            everything = self.num_rows == self.table.num_rows
            self._loaded[tensor] = whole if everything else _sliced(whole, self.start, self.stop)
        return self._loaded[tensor]

    def source_rows(self) -> NDArray[np.int64]:
        """Return row numbers of the table."""
        return np.arange(self.start, self.stop)

    def rows_of(self, field: Field) -> NDArray[np.int64]:  # noqa: ARG002  one table, one numbering
        """Return row numbers of the table."""
        return np.arange(self.start, self.stop)

    def recall(self, bound: Bound) -> Value:
        """Return the inner predicate of a larger one."""
        if self.num_rows == self.table.num_rows:
            return memo_of(self.table).keep(self._name(bound.key), lambda: expand_rows(bound.run(self), self.num_rows))
        return bound.run(self)


def _sliced(value: Value, start: int, stop: int) -> Value:
    valid = None if value.valid is None else value.valid[start:stop]
    if value.offsets is None:
        return Value(data=value.data[start:stop], valid=valid)
    begin, end = value.offsets[start], value.offsets[stop]
    return Value(
        data=value.data[begin:end],
        offsets=value.offsets[start : stop + 1] - begin,
        shapes=None if value.shapes is None else value.shapes[start:stop],
        valid=valid,
    )


class GroupFrame:
    """One row a group; aggregates look at the rows behind."""

    def __init__(self, relation: Relation, grouping: Grouping, context: Context) -> None:
        self.relation = relation
        self.context = context
        self.offsets = grouping.offsets
        self.base = RelationFrame(grouping.rows, context)

    @property
    def num_rows(self) -> int:
        """Number of groups."""
        return len(self.offsets) - 1

    def load(self, field: Field) -> Value:
        """Return a column of the groups themselves."""
        return self.relation.columns[field].load()

    def source_rows(self) -> NDArray[np.int64]:
        """Return the source row of each group's first row."""
        return self.base.source_rows()[self.offsets[:-1]]

    def rows_of(self, field: Field) -> NDArray[np.int64]:
        """Return -1: a group is no row."""
        return self.relation.columns[field].table_rows()

    def recall(self, bound: Bound) -> Value:
        """Return an expression of groups; nothing is kept."""
        return bound.run(self)


class PixelFrame:
    """A few rows of another frame, whose images are decoded."""

    def __init__(self, frame: Frame, rows: NDArray[np.int64]) -> None:
        self.frame = frame
        self.context = frame.context
        self.rows = rows
        self._loaded: dict[Field, Value] = {}
        self._lock = threading.Lock()

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def load(self, field: Field) -> Value:
        """Return a column; images decoded."""
        if field not in self._loaded:
            self._loaded[field] = self._decoded(field) if field.pixels else take(self.frame.load(field), self.rows)
        return self._loaded[field]

    def _decoded(self, field: Field) -> Value:
        assert field.table is not None
        assert field.tensor is not None
        rows = self.rows_of(field)
        samples = field.table.take(rows[rows >= 0], [field.tensor])[field.tensor]
        given = iter(zip(samples, rows[rows >= 0], strict=True))
        allowed = field.table.max_image_bytes
        arrays = [_pixels(*next(given), field.tensor, allowed) if row >= 0 else None for row in rows]
        return _stacked(arrays, field.type.rank)

    def source_rows(self) -> NDArray[np.int64]:
        """Return row numbers of the table."""
        return self.frame.source_rows()[self.rows]

    def rows_of(self, field: Field) -> NDArray[np.int64]:
        """Return the rows of one tensor's table."""
        return self.frame.rows_of(field)[self.rows]

    def recall(self, bound: Bound) -> Value:
        """Return a predicate; nothing is kept for a few rows."""
        return bound.run(self)


def _pixels(  # bytes or ndarray, by kind
    sample: Any,
    row: np.int64,
    tensor: str,
    max_bytes: int | None,
) -> NDArray[Any] | None:
    if sample is None or isinstance(sample, np.ndarray):
        return sample
    from penstock.tensors import decode_image

    try:
        return decode_image(sample, max_bytes=max_bytes)
    except PenstockError as error:
        error.add_note(f"sample {row} of {tensor!r}")
        raise


def _stacked(arrays: list[NDArray[Any] | None], rank: int) -> Value:
    valid = np.array([array is not None for array in arrays], bool)
    flats = [np.empty(0, np.uint8) if array is None else array.reshape(-1) for array in arrays]
    shapes = np.zeros((len(arrays), rank), np.int64)
    for number, array in enumerate(arrays):
        if array is not None and array.ndim == rank:
            shapes[number] = array.shape
    offsets = np.concatenate([[0], np.cumsum([len(flat) for flat in flats])]).astype(np.int64)
    data = np.concatenate(flats) if flats else np.empty(0, np.uint8)
    return Value(data=data, offsets=offsets, shapes=shapes, valid=None if valid.all() else valid)
