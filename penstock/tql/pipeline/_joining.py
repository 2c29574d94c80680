"""JOIN: rows of two sources with equal keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import QueryBindError
from penstock.sampling.pool._sorting import Digits, equal_rows
from penstock.tql.binding._binder import Binder
from penstock.tql.binding._scope import Scope
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._frames import RelationFrame
from penstock.tql.values._relations import Bound, ColumnSource, Context, Field, JoinedColumn, Relation, Stage
from penstock.tql.values._values import Value
from penstock.tql.values.keys._digits import equal_digits
from penstock.tql.values.keys._keys import concatenated

__all__ = ["MAX_ROWS", "JoinStage", "join_condition"]

MAX_ROWS = 50_000_000
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Equality:
    """``left = right`` of a join condition."""

    left: Bound
    right: Bound


def join_condition(
    node: ast.Expression, left: Stage, right: Stage, binder_of: Callable[[Scope], Binder]
) -> list[Equality]:
    """Return the equalities an ON consists of."""
    both = binder_of(Scope((*left.fields, *right.fields)))
    if isinstance(node, ast.Binary) and node.operator == "and":
        first, steps = ast.chain(node, lambda step: step.operator == "and")
        parts = (first, *(step.right for step in steps))
        return [equality for part in parts for equality in join_condition(part, left, right, binder_of)]
    hint = "on a.id = b.id and a.part = b.part"
    if not isinstance(node, ast.Binary) or node.operator != "=":
        raise both.error("ON must consist of equalities joined by AND", node, hint=hint)
    first, second = both.one_value(node.left, "ON"), both.one_value(node.right, "ON")
    if _side(first, left) and _side(second, right):
        return [_checked(both, node, first, second)]
    if _side(second, left) and _side(first, right):
        return [_checked(both, node, second, first)]
    raise both.error("each side of an equality in ON must use one source", node, hint=hint)


def _side(bound: Bound, stage: Stage) -> bool:
    return bool(bound.fields) and all(field in stage.fields for field in bound.fields)


def _checked(binder: Binder, node: ast.Node, left: Bound, right: Bound) -> Equality:
    x, y = left.type, right.type
    texts = [each.kind == "text" or each.class_names is not None for each in (x, y)]
    if texts[0] != texts[1] and "text" in {x.kind, y.kind}:
        raise binder.error(f"cannot join {x.described} with {y.described}", node)
    return Equality(left, right)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class JoinStage:
    """Two sources side by side."""

    kind: str
    left: Stage
    right: Stage
    equalities: tuple[Equality, ...]
    fields: tuple[Field, ...]
    using: str | None
    span: tuple[int, int]
    plain: bool = False
    has_groups: ClassVar[bool] = False

    @classmethod
    def of(
        cls,
        node: ast.Join,
        left: Stage,
        right: Stage,
        bind: Callable[[ast.Expression], list[Equality]],
        text: str,
    ) -> JoinStage:
        """Return the join of two stages."""
        shared = {field.qualifier for field in left.fields} & {field.qualifier for field in right.fields}
        if shared:
            name = next(iter(shared)) or "this dataset"
            raise QueryBindError(
                f"both sources are called {name!r}", text=text, start=node.start, end=node.end,
                hint="name them: data as a join data as b",
            )  # fmt: skip
        equalities = [] if node.on is None else bind(node.on)
        if node.using is not None:
            for stage in (left, right):
                if any(field.qualifier is None for field in stage.fields[:1]):
                    raise QueryBindError(
                        "USING needs named sources, and one of these has no name",
                        text=text, start=node.start, end=node.end,
                        hint="name it: (select …) as a",
                    )  # fmt: skip
            sides = [ast.Column(parts=(field.qualifier or "", node.using), start=node.start, end=node.end)
                     for stage in (left, right) for field in stage.fields[:1]]  # fmt: skip
            equalities = bind(ast.Binary(operator="=", left=sides[0], right=sides[1], start=node.start, end=node.end))
        hidden = {field for field in right.fields if field.name == node.using}
        fields = (*left.fields, *(replace(field, hidden=True) if field in hidden else field for field in right.fields))
        return cls(
            kind=node.kind, left=left, right=right, equalities=tuple(equalities), fields=fields, using=node.using,
            span=(node.start, node.end),
        )  # fmt: skip

    def run(self, context: Context) -> Relation:
        """Return left order; right rows without a partner last."""
        left, right = self.left.run(context), self.right.run(context)
        if self.kind == "cross":
            self._guard(left.num_rows * right.num_rows, context)
            rows = np.arange(left.num_rows * right.num_rows)
            pairs = rows // max(right.num_rows, 1), rows % max(right.num_rows, 1)
        else:
            pairs = self._matched(left, right, context)
        columns: dict[Field, ColumnSource] = {}
        sides = ((self.left, left, pairs[0]), (self.right, right, pairs[1]))
        number = 0
        for stage, relation, rows in sides:
            for field in stage.fields:
                columns[self.fields[number]] = JoinedColumn(relation.columns[field], rows)
                number += 1
        return Relation(num_rows=len(pairs[0]), columns=columns)

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one column of the result."""
        context.check()
        return relation.columns[self.fields[number]].load()

    def _guard(self, rows: int, context: Context) -> None:
        if rows > MAX_ROWS:
            message = f"the join would have {rows:,} rows. Expected at most {MAX_ROWS:,}"
            raise context.error(message, self.span, hint="join on more columns, or filter a side first")

    def _matched(self, left: Relation, right: Relation, context: Context) -> tuple[Ints, Ints]:
        keys, missing = self._keys(left, right, context)
        # rows are ascending among equal ones: those of the left side come first, and the others are their partners
        order, starts = equal_rows(keys, left.num_rows + right.num_rows)
        of_right = order >= left.num_rows
        again = of_right[1:] & of_right[:-1]
        again[starts[1:] - 1] = False
        match = self._each_with_one if not again.any() else self._each_with_several
        first, second = match(order, starts, of_right, left.num_rows, missing, context)
        if self.kind in {"right", "full"}:
            has_partner = np.zeros(right.num_rows + 1, bool)
            has_partner[second] = True  # of -1: the entry behind the last row
            alone = np.flatnonzero(~has_partner[:-1])
            first = np.concatenate([first, np.full(len(alone), -1)])
            second = np.concatenate([second, alone])
        return first, second

    def _each_with_one(
        self,
        order: Ints,
        starts: Ints,
        of_right: Flags,
        num_left: int,
        missing: Flags | None,
        context: Context,
    ) -> tuple[Ints, Ints]:
        """Return the pairs where each row of the right side has a key of its own."""
        ends = np.append(starts[1:], len(order))[: len(starts)]
        last = np.maximum(order[ends - 1] - num_left, -1)  # of equal rows, the last is the partner of the others
        of_left = ~of_right
        second = np.empty(num_left, np.int64)
        second[order[of_left]] = np.repeat(last, ends - starts)[of_left]
        if missing is not None:  # NULL equals nothing
            second[missing[:num_left]] = -1
        if self.kind in {"left", "full"}:
            self._guard(num_left, context)
            return np.arange(num_left), second
        first = np.flatnonzero(second >= 0)
        self._guard(len(first), context)
        return first, second if len(first) == num_left else second[first]

    def _each_with_several(
        self,
        order: Ints,
        starts: Ints,
        of_right: Flags,
        num_left: int,
        missing: Flags | None,
        context: Context,
    ) -> tuple[Ints, Ints]:
        """Return the pairs of each left row with its partners, which are a part of the right rows by key."""
        partners = order[of_right] - num_left
        of_left = ~of_right
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(of_left)])
        ends = np.append(starts[1:], len(order))[: len(starts)]
        sizes = before[ends] - before[starts]
        rows = order[of_left]
        begins, counts = np.empty(num_left, np.int64), np.empty(num_left, np.int64)
        begins[rows] = np.repeat(starts - before[starts], sizes)
        counts[rows] = np.repeat(ends - starts - sizes, sizes)
        if missing is not None:
            counts[missing[:num_left]] = 0
        self._guard(int(counts.sum()), context)
        outer = counts if self.kind in {"inner", "right"} else np.maximum(counts, 1)
        first = np.repeat(np.arange(num_left), outer)
        # 0, 1, 2, ... for the partners of each left row; a row without partners has one place, filled by -1
        within = np.arange(len(first)) - np.repeat(np.cumsum(outer) - outer, outer)
        return first, np.append(partners, -1)[np.where(counts[first] > 0, begins[first] + within, -1)]

    def _keys(self, left: Relation, right: Relation, context: Context) -> tuple[list[Digits], NDArray[np.bool_] | None]:
        """Return keys of the rows of both sides, one side after the other, and where one of a row is NULL."""
        frames = RelationFrame(left, context), RelationFrame(right, context)
        keys: list[Digits] = []
        missing: NDArray[np.bool_] | None = None
        for equality in self.equalities:
            mine, theirs = equality.left.full(frames[0]), equality.right.full(frames[1])
            if equality.left.type.class_names != equality.right.type.class_names:
                mine, theirs = _named(mine, equality.left), _named(theirs, equality.right)
            more, null = equal_digits(concatenated(mine, theirs), left.num_rows + right.num_rows)
            keys += more
            missing = null if missing is None else missing if null is None else missing | null
        return keys, missing


def _named(value: Value, bound: Bound) -> Value:
    return value if bound.type.class_names is None else ops.class_text(bound.type.class_names)(value)
