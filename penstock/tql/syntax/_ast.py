"""The tree a query is parsed into; every node keeps its span in the text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any
from typing import Literal as Choice

__all__ = [
    "Array",
    "Between",
    "Binary",
    "Call",
    "Case",
    "Cast",
    "Column",
    "CommonTable",
    "Expand",
    "Expression",
    "InList",
    "InQuery",
    "Index",
    "IsNull",
    "Item",
    "Join",
    "Like",
    "Literal",
    "Node",
    "OrderKey",
    "Pair",
    "Parameter",
    "Query",
    "QuerySource",
    "Sample",
    "Select",
    "SetOperation",
    "Slice",
    "Source",
    "Star",
    "Subquery",
    "TableSource",
    "Unary",
    "Ungroup",
    "Weights",
    "chain",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node with a span ``[start, end)`` in code points; the span does not affect equality."""

    start: int = field(compare=False, default=0)
    end: int = field(compare=False, default=0)


class LeftDeep:
    """A node that grows to the left without bound: ``a or b or c``.

    It is compared, hashed and shown step by step, where recursion would end at some
    hundred operands. `left` and `right` are its operands.
    """

    __slots__ = ()

    def facts(self) -> tuple[object, ...]:
        """Return what tells one step from another, apart from `left`."""
        return tuple(
            getattr(self, each.name)
            for each in fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
            if each.compare and each.name != "left"
        )

    def __eq__(self, other: object) -> bool:
        mine: object = self
        while isinstance(mine, LeftDeep):
            if type(mine) is not type(other) or mine.facts() != other.facts():
                return False
            mine, other = mine.left, other.left  # type: ignore[attr-defined]  # every subclass has it
        return not isinstance(other, LeftDeep) and mine == other

    def __hash__(self) -> int:
        first, steps = chain(self)
        return hash((first, tuple(step.facts() for step in steps)))

    def __repr__(self) -> str:
        first, steps = chain(self)
        tails = ["".join(f", {name}={getattr(step, name)!r}" for name in _shown(step)) for step in steps]
        heads = "".join(f"{type(step).__name__}(left=" for step in reversed(steps))
        return heads + repr(first) + "".join(f"{tail})" for tail in tails)


def _shown(step: object) -> list[str]:
    return [each.name for each in fields(step) if each.name != "left"]  # type: ignore[arg-type]  # a dataclass


def chain(node: object, follows: Callable[[Any], bool] = lambda _: True) -> tuple[Any, list[Any]]:
    """Return the leftmost operand of a left-deep node, and the steps on it, the innermost first.

    Parameters
    ----------
    node : Node
        Any node; one that is not left-deep is its own leftmost operand.
    follows : callable
        Whether a left-deep node belongs to the chain.
    """
    steps: list[Any] = []
    while isinstance(node, LeftDeep) and follows(node):
        steps.append(node)
        node = node.left  # type: ignore[attr-defined]  # every subclass has it
    return node, steps[::-1]


class Expression(Node):
    """A node with a value in every row."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Expression):
    """A number, string, boolean, NULL or point in time."""

    kind: Choice["int", "float", "text", "bool", "null", "timestamp", "date"]
    value: int | float | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Expression):
    """``$name``, or ``?`` with its position."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Expression):
    """A tensor or alias, perhaps behind the name of its source."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Star(Expression):
    """``*``: every column, or every row in ``count(*)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Expression):
    """``-``, ``+`` or ``NOT``."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Binary(LeftDeep, Expression):
    """Arithmetic, a comparison, AND or OR; ``==`` and ``<>`` are normalized."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class InList(Expression):
    """``x [NOT] IN (a, b)``."""

    operand: Expression
    items: tuple[Expression, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InQuery(Expression):
    """``x [NOT] IN (SELECT ...)``."""

    operand: Expression
    query: Query
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Between(Expression):
    """``x [NOT] BETWEEN low AND high``, both included."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Like(Expression):
    """``x [NOT] LIKE pattern``; ILIKE ignores letter case."""

    operand: Expression
    pattern: Expression
    ignore_case: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IsNull(Expression):
    """``x IS [NOT] NULL``."""

    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Node):
    """``start:stop:step`` inside brackets."""

    first: Expression | None = None
    stop: Expression | None = None
    step: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Expression):
    """``x[i, a:b]``."""

    operand: Expression
    items: tuple[Expression | Slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Expression):
    """A function call; the name is in lower case."""

    name: str
    arguments: tuple[Expression, ...] = ()
    named: tuple[tuple[str, Expression], ...] = ()
    distinct: bool = False
    name_end: int = field(compare=False, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Array(Expression):
    """``ARRAY[...]``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Expression):
    """``CASE [x] WHEN a THEN b ... [ELSE c] END``."""

    operand: Expression | None
    branches: tuple[tuple[Expression, Expression], ...]
    default: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(Expression):
    """``CAST(x AS type)``."""

    operand: Expression
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subquery(Expression):
    """A query of one value."""

    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Node):
    """One entry of the select list."""

    expression: Expression
    alias: str | None = None


class Source(Node):
    """The sources after FROM."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource(Source):
    """A dataset by name, perhaps at a version."""

    name: str
    at: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySource(Source):
    """A query in parentheses."""

    query: Query
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(Source):
    """Two sources side by side."""

    kind: Choice["inner", "left", "right", "full", "cross"]
    left: Source
    right: Source
    on: Expression | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expand(Node):
    """``EXPAND BY before after``."""

    before: int
    after: int = 0
    overlap: bool = False
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ungroup(Node):
    """``UNGROUP BY SPLIT`` (None) or an expression."""

    expression: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Select(Node):
    """SELECT up to UNGROUP."""

    items: tuple[Item, ...]
    distinct: bool = False
    source: Source | None = None
    where: Expression | None = None
    expand: Expand | None = None
    group: tuple[Expression, ...] = ()
    having: Expression | None = None
    ungroup: Ungroup | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SetOperation(LeftDeep, Node):
    """UNION, EXCEPT or INTERSECT of two bodies."""

    operator: Choice["union", "except", "intersect"]
    left: Select | SetOperation | Query
    right: Select | SetOperation | Query
    all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKey(Node):
    """One key of ORDER BY."""

    expression: Expression
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Node):
    """``condition: weight``; no weight for the table form ``classes(tensor, $name)``."""

    condition: Expression
    weight: Expression | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights(Node):
    """``max_weight(...)``, ``sum_weight(...)`` or ``product_weight(...)``."""

    combine: Choice["max", "sum", "product"]
    pairs: tuple[Pair, ...]
    cap: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Node):
    """``SAMPLE BY weight REPLACE x LIMIT n PERCENT``."""

    weight: Weights | Expression
    replace: bool = True
    limit: Expression | None = None
    percent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonTable(Node):
    """``name AS (query)`` after WITH."""

    name: str
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Node):
    """A body with its ORDER, ARRANGE, LIMIT, OFFSET and SAMPLE."""

    body: Select | SetOperation | Query
    tables: tuple[CommonTable, ...] = ()
    order: tuple[OrderKey, ...] = ()
    arrange: tuple[Expression, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    sample: Sample | None = None
