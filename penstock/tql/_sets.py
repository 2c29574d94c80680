"""UNION, INTERSECT and EXCEPT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.errors import QueryBindError
from penstock.tql import _ast as ast
from penstock.tql._keys import combined_codes, concatenated
from penstock.tql._operations import as_text, class_text
from penstock.tql._relations import ComputedColumn, Context, Field, Plan, Relation, scan
from penstock.tql._values import Type, Value, expand_rows

__all__ = ["KeptPlan", "SetPlan"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class KeptPlan:
    """A query of WITH: run once, used often."""

    inner: Plan

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns of the result."""
        return self.inner.fields

    @property
    def plain(self) -> bool:
        """Whether the result is rows of a dataset with all their columns."""
        return self.inner.plain

    def run(self, context: Context) -> Relation:
        """Return the result, computed once in a run."""
        if id(self) not in context.kept:
            context.kept[id(self)] = self.inner.run(context)
        return context.kept[id(self)]

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one column of the result."""
        return self.inner.load(relation, context, number)


@dataclass(frozen=True, slots=True, eq=False)
class SetPlan:
    """A set operation: of row numbers where both sides are rows of one dataset, else of values."""

    operator: str
    everything: bool
    left: Plan
    right: Plan
    order: tuple[int, ...]
    fields: tuple[Field, ...]
    span: tuple[int, int]

    @classmethod
    def of(cls, node: ast.SetOperation, left: Plan, right: Plan, text: str) -> SetPlan:
        """Return the operation on two plans; columns are matched by name."""
        names = [field.name for field in left.fields]
        others = [field.name for field in right.fields]
        if sorted(names) != sorted(others):
            only = sorted(set(names) ^ set(others))
            message = f"{node.operator.upper()} needs the same columns on both sides; {', '.join(only)} is on one"
            raise QueryBindError(message, text=text, start=node.start, end=node.end)
        order = tuple(others.index(name) for name in names)
        pairs = zip(left.fields, (right.fields[number] for number in order), strict=True)
        both = left.plain and right.plain and _same_table(left, right)
        fields = left.fields if both else tuple(_common(mine, theirs, node, text) for mine, theirs in pairs)
        return cls(node.operator, node.all, left, right, order, fields, (node.start, node.end))

    @property
    def plain(self) -> bool:
        """Whether the result is rows of a dataset with all their columns."""
        return self.left.plain and self.right.plain and _same_table(self.left, self.right)

    def run(self, context: Context) -> Relation:
        """Return the result."""
        left, right = self.left.run(context), self.right.run(context)
        if self.plain and left.table is not None and left.table is right.table:
            rows = _row_set(self.operator, left.source_rows(), right.source_rows(), everything=self.everything)
            return scan(left.table, {field.tensor or "": field for field in self.fields}, rows)
        return self._of_values(left, right, context)

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one column of the result."""
        context.check()
        return relation.columns[self.fields[number]].load()

    def _of_values(self, left: Relation, right: Relation, context: Context) -> Relation:
        values = []
        for number, field in enumerate(self.fields):
            mine = self.left.load(left, context, number)
            theirs = self.right.load(right, context, self.order[number])
            mine = _as(expand_rows(mine, left.num_rows), self.left.fields[number].type, field.type)
            theirs = _as(expand_rows(theirs, right.num_rows), self.right.fields[self.order[number]].type, field.type)
            values.append(concatenated(mine, theirs))
        total = left.num_rows + right.num_rows
        columns = {field: ComputedColumn(value) for field, value in zip(self.fields, values, strict=True)}
        joined = Relation(num_rows=total, columns=columns)
        if self.operator == "union" and self.everything:
            return joined
        codes = combined_codes(values, total)
        kept = _kept(self.operator, codes[: left.num_rows], codes[left.num_rows :], everything=self.everything)
        return joined.take(kept)


def _same_table(left: Plan, right: Plan) -> bool:
    tables = {id(field.table) for plan in (left, right) for field in plan.fields}
    return len(tables) == 1


def _common(mine: Field, theirs: Field, node: ast.SetOperation, text: str) -> Field:
    x, y = mine.type, theirs.type
    message = ""
    if mine.pixels or theirs.pixels:
        message = f"{node.operator.upper()} of projections cannot hold images ({mine.name})"
    elif (x.rank == 0) != (y.rank == 0):
        message = f"{mine.name!r} is one value on one side, an array on the other"
    elif ((x.kind == "text") != (y.kind == "text") and None not in {x.class_names, y.class_names}) or (
        {x.kind, y.kind} - {x.kind} and not (x.numeric and y.numeric) and "null" not in {x.kind, y.kind}
    ):
        message = f"{mine.name!r} is {x.described} on one side, {y.described} on the other"
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


def _row_set(operator: str, left: Ints, right: Ints, *, everything: bool) -> Ints:
    if operator == "union":
        rows = np.concatenate([left, right])
        return np.sort(rows) if everything else np.unique(rows)
    if not everything:
        return np.intersect1d(left, right) if operator == "intersect" else np.setdiff1d(left, right)
    rows, counts = np.unique(left, return_counts=True)
    others, other_counts = np.unique(right, return_counts=True)
    at = np.searchsorted(others, rows)
    here = np.append(other_counts, 0)[at] * (np.append(others, -1)[at] == rows)
    times = np.minimum(counts, here) if operator == "intersect" else np.maximum(counts - here, 0)
    return np.repeat(rows, times)


def _kept(operator: str, left: Ints, right: Ints, *, everything: bool) -> Ints:
    """Return which rows of left and right together stay, in order of appearance."""
    both = np.concatenate([left, right])
    if operator == "union":
        _, first = np.unique(both, return_index=True)
        return np.sort(first)
    times = np.bincount(right, minlength=int(both.max(initial=0)) + 1)
    order = np.argsort(left, kind="stable")
    ordered = left[order]
    begins = np.searchsorted(ordered, ordered, "left")
    occurrence = np.empty(len(left), np.int64)
    occurrence[order] = np.arange(len(left)) - begins
    if operator == "intersect":
        keep = occurrence < (times[left] if everything else np.minimum(times[left], 1))
    else:
        keep = occurrence >= times[left] if everything else (times[left] == 0) & (occurrence == 0)
    return np.flatnonzero(keep)
