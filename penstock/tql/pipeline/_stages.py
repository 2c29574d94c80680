"""From the tree of a query to steps that run: sources, one SELECT with its tail, set operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import QueryBindError
from penstock.sampling.pool._sorting import digits_of_numbers, stable_order
from penstock.table import Table
from penstock.tql.binding._scope import table_fields
from penstock.tql.syntax import _ast as ast
from penstock.tql.values._frames import GroupFrame, RelationFrame
from penstock.tql.values._relations import Bound, ComputedColumn, Context, Field, Frame, Grouping, Relation, Stage, scan
from penstock.tql.values._values import Value, expand_rows, truth
from penstock.tql.values.keys._keys import distinct_rows, groups_of, order_of

__all__ = [
    "OrderBy",
    "Output",
    "Resolve",
    "Scan",
    "SelectStage",
    "Stage",
    "Tail",
    "TailStage",
    "Wrapped",
    "bound_error",
]

Resolve = Callable[[str, str | None], Table]
Step = Callable[[Relation, Context], Relation]


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """All rows of a table, or some of them."""

    table: Table
    by_name: Mapping[str, Field]
    rows: NDArray[np.int64] | None = None
    plain: bool = True
    has_groups: ClassVar[bool] = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """The tensors."""
        return tuple(self.by_name.values())

    @classmethod
    def of(cls, table: Table, qualifier: str | None = None, rows: NDArray[np.int64] | None = None) -> Scan:
        """Return the scan of a table."""
        return cls(table, table_fields(table, qualifier), rows)

    def run(self, context: Context) -> Relation:
        """Return the rows."""
        context.check()
        return scan(self.table, self.by_name, self.rows)

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one tensor."""
        return RelationFrame(relation, context).load(self.fields[number])


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """One column of a result: the field it is called by, and what it is."""

    field: Field
    bound: Bound


@dataclass(frozen=True, slots=True, eq=False)
class OrderBy:
    """One key of ORDER BY."""

    bound: Bound
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tail:
    """ORDER, ARRANGE, LIMIT, OFFSET and SAMPLE."""

    order: tuple[OrderBy, ...] = ()
    arrange: tuple[Bound, ...] = ()
    limit: int | None = None
    offset: int = 0
    sample: Step | None = None

    def apply(self, relation: Relation, frame_of: Callable[[Relation, Context], Frame], context: Context) -> Relation:
        """Return the relation after the tail."""
        if self.order:
            frame = frame_of(relation, context)
            keys = [(key.bound.full(frame), key.descending, key.nulls_first) for key in self.order]
            first = None if self.limit is None or self.arrange else min(self.offset + self.limit, relation.num_rows)
            relation = relation.take(order_of(keys, relation.num_rows, first))
        if self.arrange:
            frame = frame_of(relation, context)
            values = [bound.full(frame) for bound in self.arrange]
            relation = relation.take(_round_robin(*groups_of(values, relation.num_rows)))
        if self.limit is not None or self.offset:
            stop = relation.num_rows if self.limit is None else min(relation.num_rows, self.offset + self.limit)
            relation = relation.take(np.arange(min(self.offset, stop), stop))
            context.count("limit" if self.limit is not None else "offset", relation.num_rows)
        return relation if self.sample is None else self.sample(relation, context)


def _round_robin(order: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return rows, which are given by group, so that groups take turns, each in its own order."""
    lengths = np.diff(offsets)
    # which of its group's rows each is: all first rows come before all second ones, and groups stay in order
    turn = np.arange(len(order)) - np.repeat(offsets[:-1], lengths)
    return order[stable_order([digits_of_numbers(turn)], len(order))]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SelectStage:
    """One SELECT with its tail."""

    source: Stage
    outputs: tuple[Output, ...]
    plain: bool
    where: Bound | None = None
    where_text: str = ""
    expand: Step | None = None
    grouped: bool = False
    keys: tuple[Bound, ...] = ()
    having: Bound | None = None
    ungroup: Step | None = None
    distinct: bool = False
    tail: Tail = field(default_factory=Tail)
    top: bool = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns of the result."""
        return tuple(output.field for output in self.outputs)

    @property
    def has_groups(self) -> bool:
        """Whether each row of the result is a group of rows."""
        return (self.grouped and bool(self.keys)) or (self.plain and self.source.has_groups)

    def run(self, context: Context) -> Relation:
        """Return the result; columns that are not needed are not computed."""
        relation = self.source.run(context)
        with context.counting(self.top):
            context.count("rows", relation.num_rows)
            relation = self._chosen(relation, context)
            if self.grouped:
                relation = self._groups(relation, context)
            if self.having is not None:
                relation = _filtered(relation, self.having, self._frame(relation, context))
                context.count("having", relation.num_rows)
            if self.distinct:
                frame = self._frame(relation, context)
                values = [output.bound.full(frame) for output in self.outputs]
                relation = relation.take(distinct_rows(values, relation.num_rows))
                context.count("distinct", relation.num_rows)
            return self._projected(self.tail.apply(relation, self._frame, context), context)

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one column of the result."""
        context.check()
        return expand_rows(relation.columns[self.outputs[number].field].load(), relation.num_rows)

    def _chosen(self, relation: Relation, context: Context) -> Relation:
        if self.where is not None:
            relation = _filtered(relation, self.where, RelationFrame(relation, context))
            context.count(f"where {self.where_text}", relation.num_rows)
        if self.expand is not None:
            relation = self.expand(relation, context)
            context.count("expand", relation.num_rows)
        if self.ungroup is not None:
            relation = self.ungroup(relation, context)
            context.count("ungroup", relation.num_rows)
        return relation

    def _groups(self, relation: Relation, context: Context) -> Relation:
        frame = RelationFrame(relation, context)
        if self.keys:
            values = [key.full(frame) for key in self.keys]
            order, offsets = groups_of(values, relation.num_rows)
        else:
            order, offsets = np.arange(relation.num_rows), np.array([0, relation.num_rows])
        grouping = Grouping(rows=relation.take(order), offsets=offsets)
        context.count("group by", len(offsets) - 1)
        return Relation(num_rows=len(offsets) - 1, columns={}, grouping=grouping)

    def _frame(self, relation: Relation, context: Context) -> Frame:
        if self.grouped and relation.grouping is not None:
            return GroupFrame(relation, relation.grouping, context)
        return RelationFrame(relation, context)

    def _projected(self, relation: Relation, context: Context) -> Relation:
        frame = self._frame(relation, context)
        columns = {}
        for output in self.outputs:
            passed = _passed(output.bound) if not self.grouped else None
            if passed is not None:
                columns[output.field] = relation.columns[passed]
            else:
                columns[output.field] = ComputedColumn(output.bound.full(frame))
        return replace(relation, columns=columns)


def _passed(bound: Bound) -> Field | None:
    """Return the field of an expression that is nothing but a column."""
    return bound.fields[0] if bound.key.startswith("field ") and len(bound.fields) == 1 else None


def _filtered(relation: Relation, condition: Bound, frame: Frame) -> Relation:
    value = truth(condition.value(frame))
    if value.constant:
        return relation if value.data[0] else relation.take(np.zeros(0, np.int64))
    return relation.take(np.flatnonzero(value.data))


@dataclass(frozen=True, slots=True, eq=False)
class Wrapped:
    """What a stage has from the stage before it, where it only chooses, orders, keeps or renames its rows."""

    inner: Stage

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns of the result."""
        return self.inner.fields

    @property
    def plain(self) -> bool:
        """Return whether the result consists of rows of a dataset with all their columns."""
        return self.inner.plain

    @property
    def has_groups(self) -> bool:
        """Whether each row of the result is a group of rows."""
        return self.inner.has_groups

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one column of the result."""
        return self.inner.load(relation, context, number)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TailStage(Wrapped):
    """ORDER, LIMIT or SAMPLE of a whole set operation or of a query in parentheses."""

    tail: Tail
    top: bool = False

    def run(self, context: Context) -> Relation:
        """Return the result."""
        relation = self.inner.run(context)
        with context.counting(self.top):
            context.count("rows", relation.num_rows)
            return self.tail.apply(relation, RelationFrame, context)


def bound_error(text: str, message: str, node: ast.Node, hint: str | None = None) -> QueryBindError:
    """Return an error about a node outside an expression."""
    return QueryBindError(message, text=text, start=node.start, end=node.end, hint=hint)
