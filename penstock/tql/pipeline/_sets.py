"""UNION, INTERSECT and EXCEPT."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, groupby
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.errors import QueryBindError
from penstock.sampling.pool._sorting import digits_of_numbers, equal_rows, first_of_each
from penstock.tql.pipeline._stages import Wrapped
from penstock.tql.syntax import _ast as ast
from penstock.tql.values._kinds import Type
from penstock.tql.values._operations import as_text, class_text
from penstock.tql.values._relations import ComputedColumn, Context, Field, Relation, Stage, scan
from penstock.tql.values._values import Value, expand_rows
from penstock.tql.values.keys._keys import codes_of, concatenated

__all__ = ["KeptStage", "SetStage"]

Ints = NDArray[np.int64]

_SPARSE = 16


@dataclass(frozen=True, slots=True, eq=False)
class KeptStage(Wrapped):
    """A query of WITH: run once, used often; the queries of WITH that it names run before it."""

    needs: Sequence[KeptStage] = ()

    def run(self, context: Context) -> Relation:
        """Return the result, computed once in a run."""
        waiting = [self]
        while waiting:  # not by recursion: a thousand queries may build on one another
            stage = waiting[-1]
            missing = [need for need in stage.needs if need not in context.kept]
            if missing and stage not in context.kept:
                waiting += missing
                continue
            waiting.pop()
            if stage not in context.kept:
                context.kept[stage] = stage.inner.run(context)
        return context.kept[self]


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation on what stands left of it: the stage on its right, and the columns of both together."""

    operator: str
    everything: bool
    right: Stage
    order: tuple[int, ...]
    fields: tuple[Field, ...]
    plain: bool

    @classmethod
    def of(cls, node: ast.SetOperation, left: Side, right: Stage, text: str) -> Operation:
        """Return the operation; columns are matched by name."""
        names = [field.name for field in left.fields]
        others = [field.name for field in right.fields]
        if sorted(names) != sorted(others):
            only = sorted(set(names) ^ set(others))
            message = (
                f"{node.operator.upper()} needs the same columns on both sides, but {', '.join(only)} is only on one"
            )
            raise QueryBindError(message, text=text, start=node.start, end=node.end)
        order = tuple(others.index(name) for name in names)
        both = left.plain and right.plain and _same_table(left, right)
        pairs = zip(left.fields, (right.fields[number] for number in order), strict=True)
        fields = left.fields if both else tuple(_common(mine, theirs, node, text) for mine, theirs in pairs)
        return cls(node.operator, node.all, right, order, fields, both)


class Side(Protocol):
    """What stands left of an operation: a stage, or the operation before."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns."""
        ...

    @property
    def plain(self) -> bool:
        """Return whether it consists of rows of a dataset with all their columns."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SetStage:
    """Set operations from left to right: by row number if all are rows of one dataset, otherwise by value."""

    first: Stage
    operations: tuple[Operation, ...]
    has_groups: ClassVar[bool] = False

    @classmethod
    def of(cls, node: ast.SetOperation, stage_of: Callable[[Any], Stage], text: str) -> SetStage:
        """Return the operations of a chain, whose operands `stage_of` stages."""
        start, steps = ast.chain(node)
        first = stage_of(start)
        left: Side = first
        operations: list[Operation] = []
        for step in steps:
            operations.append(Operation.of(step, left, stage_of(step.right), text))
            left = operations[-1]
        return cls(first, tuple(operations))

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns of the result."""
        return self.operations[-1].fields

    @property
    def plain(self) -> bool:
        """Return whether the result consists of rows of a dataset with all their columns."""
        return self.operations[-1].plain

    def run(self, context: Context) -> Relation:
        """Return the result; consecutive unions are computed together."""
        left = Operand.of(self.first, context)
        for operations in self._runs():
            others = [Operand.of(operation.right, context) for operation in operations]
            whole = operations[-1]
            table = left.relation.table
            if whole.plain and table is not None and all(each.relation.table is table for each in others):
                rows = [each.relation.source_rows() for each in others]
                found = _row_set(whole, left.relation.source_rows(), np.concatenate(rows))
                relation = scan(table, {field.tensor or "": field for field in whole.fields}, found)
            else:
                ordered = [each.ordered(step.order) for each, step in zip(others, operations, strict=True)]
                relation = _of_values(whole, [left, *ordered])
            left = Operand(relation, whole.fields, partial(_column, relation, whole.fields))
        return left.relation

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one column of the result."""
        context.check()
        return _column(relation, self.fields, number)

    def _runs(self) -> Iterator[list[Operation]]:
        alone = count()
        for _, found in groupby(
            self.operations,
            lambda each: (each.operator, each.everything, each.plain, 0 if each.operator == "union" else next(alone)),
        ):
            yield list(found)


def _column(relation: Relation, fields: tuple[Field, ...], number: int) -> Value:
    return relation.columns[fields[number]].load()


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """An operand: rows, and their columns by number."""

    relation: Relation
    fields: tuple[Field, ...]
    load: Callable[[int], Value]

    @classmethod
    def of(cls, stage: Stage, context: Context) -> Operand:
        """Return the result of a stage."""
        relation = stage.run(context)
        return cls(relation, stage.fields, partial(stage.load, relation, context))

    def ordered(self, order: tuple[int, ...]) -> Operand:
        """Return the same rows with the columns in another order."""
        return Operand(
            self.relation, tuple(self.fields[number] for number in order), lambda number: self.load(order[number])
        )

    def column(self, number: int, want: Type) -> Value:
        """Return a column as a type."""
        value = expand_rows(self.load(number), self.relation.num_rows)
        return _as(value, self.fields[number].type, want)


def _of_values(whole: Operation, operands: list[Operand]) -> Relation:
    values = [
        concatenated(*(operand.column(number, field.type) for operand in operands))
        for number, field in enumerate(whole.fields)
    ]
    total = sum(operand.relation.num_rows for operand in operands)
    columns = {field: ComputedColumn(value) for field, value in zip(whole.fields, values, strict=True)}
    joined = Relation(num_rows=total, columns=columns)
    if whole.operator == "union" and whole.everything:
        return joined
    codes, first = codes_of(values, total), operands[0].relation.num_rows
    return joined.take(_kept(whole.operator, codes[:first], codes[first:], everything=whole.everything))


def _same_table(left: Side, right: Side) -> bool:
    tables = {id(field.table) for stage in (left, right) for field in stage.fields}
    return len(tables) == 1


def _common(mine: Field, theirs: Field, node: ast.SetOperation, text: str) -> Field:
    x, y = mine.type, theirs.type
    message = ""
    if mine.pixels or theirs.pixels:
        message = f"{node.operator.upper()} of projections cannot contain images ({mine.name})"
    elif (x.rank == 0) != (y.rank == 0):
        message = f"{mine.name!r} is a single value on one side and an array on the other"
    elif ((x.kind == "text") != (y.kind == "text") and None not in {x.class_names, y.class_names}) or (
        {x.kind, y.kind} - {x.kind} and not (x.numeric and y.numeric) and "null" not in {x.kind, y.kind}
    ):
        message = f"{mine.name!r} is {x.described} on one side and {y.described} on the other"
    if message:
        raise QueryBindError(message, text=text, start=node.start, end=node.end)
    if x.class_names != y.class_names:
        return Field(name=mine.name, known_type=Type(kind="text", rank=x.rank))
    kind = y.kind if x.kind in {"null", "bool"} or y.kind == "float" else x.kind
    return Field(name=mine.name, known_type=Type(kind=kind, rank=x.rank, class_names=x.class_names))


def _as(value: Value, have: Type, want: Type) -> Value:
    if want.kind != "text" or have.kind == "text":
        return value
    return class_text(have.class_names)(value) if have.class_names is not None else as_text(value)


def _row_set(operation: Operation, left: Ints, right: Ints) -> Ints:
    """Return the rows of a table that are in the result, ascending."""
    count = max(int(left.max(initial=-1)), int(right.max(initial=-1))) + 1
    known = None
    if count > _SPARSE * (len(left) + len(right)):  # few of many: numbered anew
        known, places = np.unique(np.concatenate([left, right]), return_inverse=True)
        left, right, count = places[: len(left)], places[len(left) :], len(known)
    found = _in_result(operation, left, right, count)
    return found if known is None else known[found]


def _in_result(operation: Operation, left: Ints, right: Ints, count: int) -> Ints:
    if operation.everything:
        ours, theirs = (np.bincount(rows, minlength=count) for rows in (left, right))
        more = np.maximum(ours - theirs, 0)
        times = {"union": ours + theirs, "intersect": np.minimum(ours, theirs), "except": more}
        return np.repeat(np.arange(count), times[operation.operator])
    mine, others = _flags(left, count), _flags(right, count)
    flags = {"union": mine | others, "intersect": mine & others, "except": mine & ~others}
    return np.flatnonzero(flags[operation.operator])


def _flags(rows: Ints, count: int) -> NDArray[np.bool_]:
    flags = np.zeros(count, bool)
    flags[rows] = True
    return flags


def _kept(operator: str, left: Ints, right: Ints, *, everything: bool) -> Ints:
    """Return which rows of left and right together stay, in order of appearance."""
    if operator == "union":
        both = np.concatenate([left, right])
        return first_of_each([digits_of_numbers(both)], len(both))
    order, starts = equal_rows([digits_of_numbers(left)], len(left))
    occurrence = np.empty(len(left), np.int64)
    occurrence[order] = np.arange(len(left)) - np.repeat(starts, np.diff(starts, append=len(left)))
    times = np.bincount(right, minlength=int(left.max(initial=0)) + 1)
    if operator == "intersect":
        keep = occurrence < (times[left] if everything else np.minimum(times[left], 1))
    else:
        keep = occurrence >= times[left] if everything else (times[left] == 0) & (occurrence == 0)
    return np.flatnonzero(keep)
