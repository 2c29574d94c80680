"""Binding expressions over groups: keys, aggregates, and lists of everything else."""

from __future__ import annotations

from penstock.tql.binding._binder import Binder
from penstock.tql.binding._scope import Scope
from penstock.tql.functions._reducing import aggregate, grouped_value
from penstock.tql.functions._registry import AGGREGATES
from penstock.tql.syntax import _ast as ast
from penstock.tql.values._frames import GroupFrame, RelationFrame
from penstock.tql.values._kinds import Type
from penstock.tql.values._relations import Bound, Frame
from penstock.tql.values._values import Value, take

__all__ = ["GroupBinder"]


class GroupBinder(Binder):
    """Binds expressions over groups; `rows` binds expressions over their rows."""

    grouped = True

    def __init__(
        self, rows: Binder, keys: tuple[tuple[ast.Expression, Bound], ...], scope: Scope | None = None
    ) -> None:
        super().__init__(scope or rows.scope, rows.text, rows.params, rows.assemble)
        self.rows = rows
        self.keys = keys

    def with_scope(self, scope: Scope) -> GroupBinder:
        """Return the same groups with other names."""
        return GroupBinder(self.rows, self.keys, scope)

    def bind(self, node: ast.Expression) -> Bound:
        """Bind a key as its value, an aggregate over the group, a column as a list."""
        for key, bound in self.keys:
            if node == key:
                return _first(bound, node)
        if isinstance(node, ast.Column):
            if len(node.parts) == 1 and node.parts[0] in self.scope.aliases:
                return self.scope.aliases[node.parts[0]]
            return self._list(node)
        if isinstance(node, ast.Call) and node.name in AGGREGATES and not self._of_groups(node):
            return aggregate(self, self.rows, node)
        return super().bind(node)

    def is_whole(self, node: ast.Expression) -> bool:
        """Return whether an expression is a key."""
        return any(node == key for key, _ in self.keys)

    def _of_groups(self, node: ast.Call) -> bool:
        """Return whether the argument is itself a reduction, so that nothing is left to reduce in rows."""
        return len(node.arguments) != 1

    def _list(self, node: ast.Column) -> Bound:
        bound = self.rows.bind(node)
        if bound.pixels:
            raise self.error(f"{self.source(node)} contains images, which cannot be listed in groups", node)

        def run(frame: Frame) -> Value:
            assert isinstance(frame, GroupFrame)
            return grouped_value(bound.full(frame.base), frame.offsets)

        type_ = Type(kind=bound.type.kind, rank=1, class_names=bound.type.class_names)
        return Bound(span=bound.span, type=type_, run=run, key=f"list {bound.key}", stable=False)


def _first(bound: Bound, node: ast.Expression) -> Bound:
    def run(frame: Frame) -> Value:
        assert isinstance(frame, GroupFrame)
        if not bound.stable:  # what it is in a row depends on all rows
            return take(bound.full(frame.base), frame.offsets[:-1])
        first = frame.base.relation.take(frame.offsets[:-1])
        return bound.full(RelationFrame(first, frame.context))

    type_ = Type(kind=bound.type.kind, class_names=bound.type.class_names)
    return Bound(span=(node.start, node.end), type=type_, run=run, key=f"key {bound.key}", stable=False)
