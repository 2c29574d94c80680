"""Random trees of the whole grammar, for round trips, the oracle and noise that nearly makes sense."""

from __future__ import annotations

import random

from penstock.tql.syntax import _ast as ast

COLUMNS = ("id", "label", "findings", "name", "v", "boxes", "score", "meta", "stuff/kind")
TEXTS = ("car", "Hernia", "it's", "", "*a*", "p", "x y")
FUNCTIONS = {
    "any": 1, "all": 1, "all_strict": 1, "contains": 2, "shape": 1, "sum": 1, "avg": 1, "max": 1, "length": 1, "abs": 1,
    "coalesce": 2, "lower": 1, "logical_and": 2, "l2_norm": 1, "is_nan": 1, "row_number": 0, "random": 0, "unique": 1,
}  # fmt: skip


class Trees:
    """Makes trees out of one source of chance."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def maybe(self, make, chance: float = 0.3):
        return make() if self.rng.random() < chance else None

    def some(self, make, most: int = 3) -> tuple:
        return tuple(make() for _ in range(self.rng.randint(1, most)))

    # -- expressions

    def literal(self) -> ast.Literal:
        kind = self.rng.choice(["int", "int", "float", "text", "text", "bool", "null", "timestamp"])
        values = {
            "int": lambda: self.rng.randint(0, 9),
            "float": lambda: self.rng.choice([0.5, 1e-7, 2.25, 1e300, 3.0]),
            "text": lambda: self.rng.choice(TEXTS),
            "bool": lambda: self.rng.random() < 0.5,
            "null": lambda: None,
            "timestamp": lambda: "2024-01-02",
        }
        return ast.Literal(kind=kind, value=values[kind]())

    def column(self) -> ast.Column:
        return ast.Column(parts=(self.rng.choice(COLUMNS),))

    def expression(self, depth: int = 3) -> ast.Expression:
        if depth <= 0 or self.rng.random() < 0.15:
            return self.rng.choice([self.literal, self.column, self.column])()
        return self.rng.choice(
            [
                self.binary, self.binary, self.comparison, self.comparison, self.unary, self.call, self.call, self.index,
                self.in_list, self.between, self.like, self.is_null, self.case, self.cast, self.array,
            ]
        )(depth - 1)  # fmt: skip

    def comparison(self, depth: int) -> ast.Binary:
        operator = self.rng.choice(["=", "!=", "<", "<=", ">", ">="])
        return ast.Binary(operator=operator, left=self.expression(depth), right=self.expression(depth))

    def binary(self, depth: int) -> ast.Binary:
        operator = self.rng.choice(["and", "or", "and", "or", "+", "-", "*", "/", "//", "%", "||"])
        return ast.Binary(operator=operator, left=self.expression(depth), right=self.expression(depth))

    def unary(self, depth: int) -> ast.Unary:
        return ast.Unary(operator=self.rng.choice(["not", "-", "+"]), operand=self.expression(depth))

    def call(self, depth: int) -> ast.Call:
        name = self.rng.choice(list(FUNCTIONS))
        return ast.Call(name=name, arguments=tuple(self.expression(depth) for _ in range(FUNCTIONS[name])))

    def index(self, depth: int) -> ast.Index:
        def one():
            if self.rng.random() < 0.6:
                return self.rng.choice([self.literal(), self.expression(depth - 1)])
            return ast.Slice(
                first=self.maybe(self.number), stop=self.maybe(self.number), step=self.maybe(self.number, 0.2)
            )

        return ast.Index(operand=self.rng.choice([self.column(), self.expression(depth)]), items=self.some(one, 2))

    def number(self) -> ast.Literal:
        return ast.Literal(kind="int", value=self.rng.randint(0, 5))

    def in_list(self, depth: int) -> ast.InList:
        items = self.some(lambda: self.expression(depth - 2))
        return ast.InList(operand=self.expression(depth), items=items, negated=self.rng.random() < 0.5)

    def between(self, depth: int) -> ast.Between:
        low, high = self.expression(depth - 1), self.expression(depth - 1)
        return ast.Between(operand=self.expression(depth), low=low, high=high, negated=self.rng.random() < 0.5)

    def like(self, depth: int) -> ast.Like:
        pattern = ast.Literal(kind="text", value=self.rng.choice(["ca?", "%a%", "*", "_", ""]))
        flags = {"negated": self.rng.random() < 0.5, "ignore_case": self.rng.random() < 0.5}
        return ast.Like(operand=self.expression(depth - 1), pattern=pattern, **flags)

    def is_null(self, depth: int) -> ast.IsNull:
        return ast.IsNull(operand=self.expression(depth), negated=self.rng.random() < 0.5)

    def case(self, depth: int) -> ast.Case:
        branches = self.some(lambda: (self.expression(depth - 1), self.expression(depth - 1)), 2)
        return ast.Case(operand=self.maybe(self.column), branches=branches, default=self.maybe(self.literal))

    def cast(self, depth: int) -> ast.Cast:
        return ast.Cast(operand=self.expression(depth), type=self.rng.choice(["int", "float", "text", "bool"]))

    def array(self, depth: int) -> ast.Array:
        del depth
        return ast.Array(items=self.some(self.number))

    # -- queries

    def query(self, depth: int = 2) -> ast.Query:
        return ast.Query(
            body=self.body(depth),
            order=self.rng.choice([(), self.some(self.order_key, 2)]),
            arrange=() if self.rng.random() < 0.9 else self.some(lambda: self.expression(1), 1),
            limit=self.maybe(self.number),
            offset=self.maybe(self.number, 0.2),
            sample=self.maybe(self.sample, 0.25),
        )

    def body(self, depth: int):
        if depth <= 0 or self.rng.random() < 0.7:
            return self.select(depth)
        operator = self.rng.choice(["union", "except", "intersect"])
        left = ast.Query(body=self.select(depth - 1))
        return ast.SetOperation(operator=operator, left=left, right=self.query(depth - 1), all=self.rng.random() < 0.5)

    def select(self, depth: int) -> ast.Select:
        return ast.Select(
            items=self.items(),
            distinct=self.rng.random() < 0.1,
            source=self.maybe(lambda: ast.QuerySource(query=self.query(depth - 1)), 0.3) if depth > 0 else None,
            where=self.maybe(self.expression, 0.6),
            expand=self.maybe(lambda: ast.Expand(before=self.rng.randint(0, 2), after=self.rng.randint(0, 2)), 0.1),
            group=() if self.rng.random() < 0.9 else (self.column(),),
        )

    def items(self) -> tuple[ast.Item, ...]:
        if self.rng.random() < 0.6:
            return (ast.Item(expression=ast.Star()),)
        return tuple(ast.Item(expression=self.expression(2), alias=f"c{i}") for i in range(self.rng.randint(1, 3)))

    def order_key(self) -> ast.OrderKey:
        flags = {"descending": self.rng.random() < 0.5, "nulls_first": self.rng.random() < 0.3}
        return ast.OrderKey(expression=self.expression(1), **flags)

    def sample(self) -> ast.Sample:
        def pair() -> ast.Pair:
            return ast.Pair(condition=self.expression(2), weight=self.rng.choice([self.number(), self.expression(1)]))

        combine = self.rng.choice(["max", "sum", "product"])
        weights = ast.Weights(combine=combine, pairs=self.some(pair))
        return ast.Sample(
            weight=self.rng.choice([weights, weights, self.expression(1)]),
            replace=self.rng.random() < 0.7,
            limit=self.maybe(self.number),
            percent=False,
        )
