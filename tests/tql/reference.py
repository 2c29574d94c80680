"""Conditions evaluated one row at a time in plain Python: slow, short, and nothing shared with the evaluator."""

from __future__ import annotations

import fnmatch
import math
import operator

from penstock.tql.syntax import _ast as ast

COMPARE = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def truth(value) -> bool | list:
    if isinstance(value, list):
        return [truth(each) for each in value]
    return value is not None and not (isinstance(value, float) and math.isnan(value)) and bool(value)


def lifted(function, left, right):
    """Apply a function to two values, or to the elements of one or both."""
    if isinstance(left, list) and isinstance(right, list):
        return [function(x, y) for x, y in zip(left, right, strict=True)]
    if isinstance(left, list):
        return [function(x, right) for x in left]
    if isinstance(right, list):
        return [function(left, y) for y in right]
    return function(left, right)


class Row:
    """The samples of one row, and what an expression is in it; `arrays` names the tensors that hold arrays."""

    def __init__(self, values: dict, names: dict[str, list[str]], arrays: set[str]) -> None:
        self.values = values
        self.names = names
        self.arrays = arrays

    def of(self, node: ast.Node):
        return getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _literal(self, node):
        return node.value

    def _column(self, node):
        value = self.values[node.parts[0]]
        return value[0] if node.parts[0] == "label" else value

    def _named(self, column: ast.Node, other: ast.Node):
        """Return a literal, as a class index where it names a class of the column."""
        while isinstance(column, ast.Index):
            column = column.operand
        names = self.names.get(column.parts[0]) if isinstance(column, ast.Column) else None
        if names and isinstance(other, ast.Literal) and isinstance(other.value, str):
            return names.index(other.value)
        return self.of(other)

    def _is_array(self, node) -> bool:
        if isinstance(node, ast.Column):
            return node.parts[0] in self.arrays
        if isinstance(node, ast.Index):
            sliced = sum(isinstance(item, ast.Slice) for item in node.items)
            return self._is_array(node.operand) and (sliced > 0 or len(node.items) < self._rank(node.operand))
        if isinstance(node, ast.Binary):
            return self._is_array(node.left) or self._is_array(node.right)
        return isinstance(node, ast.Unary) and self._is_array(node.operand)

    def _rank(self, node) -> int:
        """Return the number of dimensions of an array: boxes have two."""
        return 2 if isinstance(node, ast.Column) and node.parts[0] == "w" else 1

    def _elements(self, node) -> list:
        """Return an array's elements; a NULL array has none."""
        value = self.of(node)
        return [] if value is None else value if isinstance(value, list) else [value]

    def _binary(self, node):
        if node.operator in {"and", "or"}:
            join = (lambda x, y: x and y) if node.operator == "and" else (lambda x, y: x or y)
            return lifted(join, truth(self.of(node.left)), truth(self.of(node.right)))
        if node.operator in COMPARE:
            return self.compared(node.operator, node.left, node.right)
        left, right = self.of(node.left), self.of(node.right)
        if (left is None and self._is_array(node.left)) or (right is None and self._is_array(node.right)):
            return None
        return lifted(lambda x, y: None if x is None or y is None else ARITHMETIC[node.operator](x, y), left, right)

    def compared(self, symbol, first, second):
        left, right = self._named(second, first), self._named(first, second)
        for node, value in ((first, left), (second, right)):
            if value is None and self._is_array(node):
                return []
        return lifted(lambda x, y: x is not None and y is not None and COMPARE[symbol](x, y), left, right)

    def _unary(self, node):
        value = self.of(node.operand)
        if node.operator == "not":
            flags = truth(value)
            return [not flag for flag in flags] if isinstance(flags, list) else not flags
        return lifted(lambda x, y: None if x is None else y - x, value, 0)

    def _between(self, node):
        low = self.compared("<" if node.negated else ">=", node.operand, node.low)
        high = self.compared(">" if node.negated else "<=", node.operand, node.high)
        return low or high if node.negated else low and high

    def _inlist(self, node):
        value = self.of(node.operand)
        if value is None:
            return False
        found = any(self._named(node.operand, item) == value for item in node.items)
        return found != node.negated

    def _like(self, node):
        value = self.of(node.operand)
        if value is None:
            return False
        return fnmatch.fnmatchcase(value, self.of(node.pattern)) != node.negated

    def _isnull(self, node):
        return (self.of(node.operand) is None) != node.negated

    def _case(self, node):
        for when, then in node.branches:
            if truth(self.of(when)):
                return self.of(then)
        return None if node.default is None else self.of(node.default)

    def _index(self, node):
        value = self.of(node.operand)
        for item in node.items[:1]:
            value = self._picked(value, item)
        if len(node.items) == 2 and value is not None:
            rows = value if isinstance(node.items[0], ast.Slice) else [value]
            picked = [self._picked(each, node.items[1]) for each in rows]
            return picked if isinstance(node.items[0], ast.Slice) else picked[0]
        return value

    def _picked(self, value, item):
        if value is None:
            return None
        if isinstance(item, ast.Slice):
            parts = (None if part is None else self.of(part) for part in (item.first, item.stop, item.step))
            return value[slice(*parts)]
        at = self.of(item)
        return value[at] if at is not None and -len(value) <= at < len(value) else None

    def _call(self, node):
        first = node.arguments[0]
        if node.name in {"any", "all", "all_strict"}:
            flags = truth(self._elements(first))
            return any(flags) if node.name == "any" else all(flags) and (node.name == "all" or bool(flags))
        if node.name == "contains":
            wanted = self._named(first, node.arguments[1])
            value = self.of(first)
            return value is not None and (wanted in value if isinstance(value, list | str) else wanted == value)
        if node.name == "shape":
            value = self.of(first)
            return None if value is None else [len(value)]
        if node.name == "coalesce":
            return next((value for each in node.arguments if (value := self.of(each)) is not None), None)
        return self._reduced(node.name, self.of(first), first)

    def _reduced(self, name, value, node):
        if name in {"length", "abs"}:
            return None if value is None else len(value) if name == "length" else abs(value)
        elements = self._elements(node)
        if name in {"count", "sum"}:
            return len(elements) if name == "count" else sum(elements)
        if not elements:
            return None
        return {"avg": sum(elements) / len(elements), "max": max(elements), "min": min(elements)}[name]
