"""The tree a query is parsed into; every node keeps its span in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as Choice

from penstock.tql.syntax._nodes import LeftDeep, Node, chain, children

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
    "children",
]


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
