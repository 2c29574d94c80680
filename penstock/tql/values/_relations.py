"""Rows under evaluation: relations of columns, and frames an expression is evaluated in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.errors import QueryCancelledError, QueryEvaluationError
from penstock.sampling import SamplingPlan
from penstock.table import Table
from penstock.tql.values._kinds import Type
from penstock.tql.values._memo import memo_of
from penstock.tql.values._types import PIXEL_HTYPES, tensor_type
from penstock.tql.values._values import Value, expand_rows, from_ragged, take

__all__ = [
    "SIGNAL",
    "Bound",
    "ColumnSource",
    "ComputedColumn",
    "Context",
    "Field",
    "Frame",
    "Grouping",
    "JoinedColumn",
    "Relation",
    "Stage",
    "TensorColumn",
    "scan",
    "tensor_value",
]


SIGNAL = "signal of run "  # part of the key of what depends on recorded numbers, which are read in one process


@dataclass(eq=False, slots=True)
class Context:
    """The context of one run."""

    text: str
    seed: int = 0
    mode: str = "iid"
    labels: str | None = None
    cancel: Any = None
    progress: Callable[[int, int], None] | None = None
    warnings: list[str] = field(default_factory=list)
    funnel: list[tuple[str, int]] = field(default_factory=list)
    plan: SamplingPlan | None = None
    pool: NDArray[np.int64] | None = None
    kept: dict[Stage, Relation] = field(default_factory=dict)
    masks: Callable[[Bound, Table, Context], Value | None] | None = None  # of conditions in every row of a table
    counts: bool = False
    draws: bool = True

    @contextmanager
    def counting(self, top: bool) -> Iterator[None]:
        """Count rows into the funnel while the outermost query runs."""
        before, self.counts = self.counts, top
        try:
            yield
        finally:
            self.counts = before

    def count(self, label: str, rows: int) -> None:
        """Add a step to the funnel."""
        if self.counts:
            self.funnel.append((label, rows))

    def check(self) -> None:
        """Raise QueryCancelledError if the query was cancelled."""
        cancel = self.cancel
        if cancel is not None and (cancel.is_set() if hasattr(cancel, "is_set") else cancel()):
            raise QueryCancelledError("the query was cancelled")

    def warn(self, message: str) -> None:
        """Keep a warning, once."""
        if message not in self.warnings:
            self.warnings.append(message)

    def error(self, message: str, span: tuple[int, int], hint: str | None = None) -> QueryEvaluationError:
        """Return an error about these rows."""
        return QueryEvaluationError(message, text=self.text, start=span[0], end=span[1], hint=hint)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Field:
    """One column of a scope: a tensor of a table, or something computed."""

    name: str
    known_type: Type | None = None
    qualifier: str | None = None
    table: Table | None = None
    tensor: str | None = None
    hidden: bool = False

    @property
    def type(self) -> Type:
        """The type of a sample."""
        if self.known_type is not None:
            return self.known_type
        assert self.table is not None
        return tensor_type(self.table, self.table.tensors[self.tensor or ""])

    @property
    def key(self) -> str:
        """The identity of the values: the tensor and its revision, or else the name."""
        if self.table is None or self.tensor is None:
            return f"field {self.name!r}"
        return f"field {self.tensor!r}@{self.table.revision(self.tensor)}"

    @property
    def pixels(self) -> bool:
        """Return whether samples must be decoded."""
        return (
            self.table is not None and self.tensor is not None and self.table.tensors[self.tensor].htype in PIXEL_HTYPES
        )


class Frame(Protocol):
    """Rows an expression is evaluated in."""

    context: Context

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        ...

    def load(self, field: Field) -> Value:
        """Return a column in these rows."""
        ...

    def source_rows(self) -> NDArray[np.int64]:
        """Return the row number in the dataset of each row."""
        ...

    def rows_of(self, field: Field) -> NDArray[np.int64]:
        """Return the row of a tensor's table for each row; -1 if there is none."""
        ...

    def recall(self, bound: Bound) -> Value:
        """Return a memoised expression in these rows."""
        ...


@dataclass(slots=True, eq=False, kw_only=True)  # not frozen: made by the dozen at every key stroke, five times faster
class Bound:
    """An expression whose names and types are bound; immutable.

    `stable` says that its value in a row depends on that row of the table
    alone; `pixels` that it still has the size of images.
    """

    span: tuple[int, int]
    type: Type
    run: Callable[[Frame], Value]
    key: str
    constant: Value | None = None
    fields: tuple[Field, ...] = ()
    stable: bool = True
    pixels: bool = False
    memoised: bool = False
    light: bool = False

    def value(self, frame: Frame) -> Value:
        """Return the value in every row of a frame."""
        if self.constant is not None:
            return self.constant
        frame.context.check()
        return frame.recall(self) if self.memoised else self.run(frame)

    def full(self, frame: Frame) -> Value:
        """Return the value with one entry per row, even if it is constant."""
        return expand_rows(self.value(frame), frame.num_rows)


class ColumnSource(Protocol):
    """The origin of a relation's column."""

    def load(self) -> Value:
        """Return all rows."""
        ...

    def take(self, rows: NDArray[np.int64]) -> ColumnSource:
        """Return the column of some rows."""
        ...

    def table_rows(self) -> NDArray[np.int64]:
        """Return the row of the tensor's table in each row."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TensorColumn:
    """A tensor of a table, in some of its rows (None: all)."""

    table: Table
    tensor: str
    rows: NDArray[np.int64] | None = None

    def load(self) -> Value:
        """Return the samples of the rows."""
        whole = tensor_value(self.table, self.tensor)
        return whole if self.rows is None else take(whole, self.rows)

    def take(self, rows: NDArray[np.int64]) -> TensorColumn:
        """Return the same tensor in some of these rows."""
        return TensorColumn(self.table, self.tensor, rows if self.rows is None else self.rows[rows])

    def table_rows(self) -> NDArray[np.int64]:
        """Return the rows."""
        return np.arange(self.table.num_rows) if self.rows is None else self.rows


def tensor_value(table: Table, tensor: str) -> Value:
    """Return a whole tensor in evaluation form, kept with the table."""
    key = f"column {tensor}@{table.revision(tensor)}"
    return memo_of(table).keep(key, lambda: from_ragged(table.column(tensor)))


@dataclass(frozen=True, slots=True, eq=False)
class ComputedColumn:
    """Values that are in memory."""

    value: Value

    def load(self) -> Value:
        """Return them."""
        return self.value

    def take(self, rows: NDArray[np.int64]) -> ComputedColumn:
        """Return some of them."""
        return ComputedColumn(take(self.value, rows))

    def table_rows(self) -> NDArray[np.int64]:
        """Return -1: what is computed is of no table."""
        return np.full(self.value.num_rows, -1)


@dataclass(frozen=True, slots=True, eq=False)
class JoinedColumn:
    """A column of one side of a join; row -1 is a missing partner."""

    column: ColumnSource
    rows: NDArray[np.int64]

    def load(self) -> Value:
        """Return the side's values, NULL for rows without a match."""
        return take(self.column.load(), self.rows)

    def take(self, rows: NDArray[np.int64]) -> JoinedColumn:
        """Return some rows of the join."""
        return JoinedColumn(self.column, self.rows[rows])

    def table_rows(self) -> NDArray[np.int64]:
        """Return the side's rows, -1 for rows without a match."""
        inner = np.append(self.column.table_rows(), -1)
        return inner[self.rows]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Grouping:
    """The rows behind groups: `rows` in group order, where each group begins."""

    rows: Relation
    offsets: NDArray[np.int64]

    def take(self, groups: NDArray[np.int64]) -> Grouping:
        """Return some groups."""
        inner = take(Value(data=np.arange(self.rows.num_rows), offsets=self.offsets), groups)
        assert inner.offsets is not None
        return Grouping(rows=self.rows.take(inner.data), offsets=inner.offsets)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Relation:
    """Columns of equal length; with a table, each row is a row of that table."""

    num_rows: int
    columns: Mapping[Field, ColumnSource]
    table: Table | None = None
    rows: NDArray[np.int64] | None = None
    grouping: Grouping | None = None

    def take(self, rows: NDArray[np.int64]) -> Relation:
        """Return some rows, in the order given; columns of the same rows of a table share what is looked up."""
        taken: dict[int, NDArray[np.int64]] = {}

        def within(own: NDArray[np.int64] | None) -> NDArray[np.int64]:
            if own is None:
                return rows
            if id(own) not in taken:
                taken[id(own)] = own[rows]
            return taken[id(own)]

        return Relation(
            num_rows=len(rows),
            columns={name: _taken(column, rows, within) for name, column in self.columns.items()},
            table=self.table,
            rows=None if self.table is None else within(self.rows),
            grouping=None if self.grouping is None else self.grouping.take(rows),
        )

    def source_rows(self) -> NDArray[np.int64]:
        """Return the row number in the table of each row."""
        return np.arange(self.num_rows) if self.rows is None else self.rows


def _taken(
    column: ColumnSource, rows: NDArray[np.int64], within: Callable[[NDArray[np.int64] | None], NDArray[np.int64]]
) -> ColumnSource:
    if isinstance(column, TensorColumn):
        return replace(column, rows=within(column.rows))
    return replace(column, rows=within(column.rows)) if isinstance(column, JoinedColumn) else column.take(rows)


def scan(table: Table, fields: Mapping[str, Field], rows: NDArray[np.int64] | None) -> Relation:
    """Return a table's rows (None: all) as a relation."""
    columns = {field: TensorColumn(table, name, rows) for name, field in fields.items()}
    return Relation(num_rows=table.num_rows if rows is None else len(rows), columns=columns, table=table, rows=rows)


class Stage(Protocol):
    """A step of a query's pipeline, whose names are settled: it makes rows, most from those of the stages before."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns of the result."""
        ...

    @property
    def plain(self) -> bool:
        """Return whether the result consists of rows of a dataset with all their columns."""
        ...

    @property
    def has_groups(self) -> bool:
        """Whether each row of the result is a group of rows, which UNGROUP BY makes rows again."""
        ...

    def run(self, context: Context) -> Relation:
        """Return the result."""
        ...

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one column of the result."""
        ...
