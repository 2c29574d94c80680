"""A second parser, made by lark from the grammar, that builds the same trees."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lark import Lark, Token, Transformer

from penstock.tql.syntax import _ast as ast

_GRAMMAR = Path(__file__).with_name("grammar.lark")
_NORMAL = {"==": "=", "<>": "!="}


def _unquoted(token: str) -> str:
    quote = token[0]
    return token[1:-1].replace(quote * 2, quote) if quote in "'\"" else token


def _words(children: list) -> set[str]:
    return {child.upper() for child in children if isinstance(child, Token)}


def _nodes(children: list) -> list:
    return [child for child in children if not isinstance(child, Token)]


class _Build(Transformer):
    """Trees of lark to trees of penstock."""

    def start(self, children):
        return children[0]

    # -- expressions

    def name(self, children):
        return [_unquoted(str(children[0]))]

    def column(self, children):
        return ast.Column(parts=tuple(part for child in children for part in child))

    def int_(self, children):
        return ast.Literal(kind="int", value=int(children[0]))

    def float_(self, children):
        return ast.Literal(kind="float", value=float(children[0]))

    def text(self, children):
        return ast.Literal(kind="text", value=_unquoted(str(children[0])))

    def true(self, _):
        return ast.Literal(kind="bool", value=True)

    def false(self, _):
        return ast.Literal(kind="bool", value=False)

    def null(self, _):
        return ast.Literal(kind="null", value=None)

    def timestamp(self, children):
        return ast.Literal(kind="timestamp", value=_unquoted(str(children[-1])))

    def date(self, children):
        return ast.Literal(kind="date", value=_unquoted(str(children[-1])))

    def parameter(self, children):
        return ast.Parameter(name=str(children[0])[1:])

    def star(self, _):
        return ast.Star()

    def array(self, children):
        return ast.Array(items=tuple(_nodes(children)))

    def call(self, children):
        name, *rest = children
        arguments = [child for child in rest if isinstance(child, ast.Node)]
        named = tuple(child for child in rest if isinstance(child, tuple))
        distinct = any(isinstance(child, Token) and child.upper() == "DISTINCT" for child in rest)
        return ast.Call(name=str(name).lower(), arguments=tuple(arguments), named=named, distinct=distinct)

    def named(self, children):
        return (str(children[0]).lower(), children[-1])

    def cast(self, children):
        return ast.Cast(operand=children[0], type=children[1][0].lower())

    def subquery(self, children):
        return ast.Subquery(query=children[0])

    def when(self, children):
        return (children[0], children[1])

    def otherwise(self, children):
        return [children[0]]

    def case(self, children):
        branches = tuple(child for child in children if isinstance(child, tuple))
        default = next((child[0] for child in children if isinstance(child, list)), None)
        operand = children[0] if isinstance(children[0], ast.Node) else None
        return ast.Case(operand=operand, branches=branches, default=default)

    def first(self, children):
        return ("first", children[0])

    def stop(self, children):
        return ("stop", children[0])

    def step(self, children):
        return ("step", children[0])

    def slice(self, children):
        return ast.Slice(**dict(child for child in children if isinstance(child, tuple)))

    def post(self, children):
        value, *indices = children
        for items in indices:
            value = ast.Index(operand=value, items=tuple(items))
        return value

    def indices(self, children):
        return list(children)

    def sign(self, children):
        return ast.Unary(operator=str(children[0]), operand=children[1])

    def _chain(self, children):
        value = children[0]
        for operator, right in zip(children[1::2], children[2::2], strict=True):
            value = ast.Binary(operator=str(operator), left=value, right=right)
        return value

    add = mul = _chain

    def or_(self, children):
        value = children[0]
        for right in children[1:]:
            value = ast.Binary(operator="or", left=value, right=right)
        return value

    def and_(self, children):
        value = children[0]
        for right in children[1:]:
            value = ast.Binary(operator="and", left=value, right=right)
        return value

    def negation(self, children):
        return ast.Unary(operator="not", operand=_nodes(children)[0])

    def compare(self, children):
        left, operator, right = children
        return ast.Binary(operator=_NORMAL.get(str(operator), str(operator)), left=left, right=right)

    def in_list(self, children):
        operand, *items = _nodes(children)
        return ast.InList(operand=operand, items=tuple(items), negated="NOT" in _words(children))

    def in_array(self, children):
        operand, array = _nodes(children)
        return ast.InList(operand=operand, items=array.items, negated="NOT" in _words(children))

    def in_query(self, children):
        operand, query = _nodes(children)
        return ast.InQuery(operand=operand, query=query, negated="NOT" in _words(children))

    def between(self, children):
        operand, low, high = _nodes(children)
        return ast.Between(operand=operand, low=low, high=high, negated="NOT" in _words(children))

    def like(self, children):
        operand, pattern = _nodes(children)
        words = _words(children)
        return ast.Like(operand=operand, pattern=pattern, ignore_case="ILIKE" in words, negated="NOT" in words)

    def is_null(self, children):
        return ast.IsNull(operand=_nodes(children)[0], negated="NOT" in _words(children))

    # -- queries

    def item(self, children):
        return ast.Item(expression=children[0], alias=children[1][0] if len(children) > 1 else None)

    def at(self, children):
        return ("at", _unquoted(str(children[0])))

    def alias(self, children):
        return ("alias", children[0][0])

    def named_source(self, children):
        facts = dict(child for child in children if isinstance(child, tuple))
        return ast.TableSource(name=children[0][0], **facts)

    def query_source(self, children):
        return ast.QuerySource(query=children[0], **dict(child for child in children if isinstance(child, tuple)))

    def on(self, children):
        return ("on", children[0])

    def using(self, children):
        return ("using", children[0][0])

    def join(self, children):
        words = _words(children)
        kind = next((kind for kind in ("left", "right", "full") if kind.upper() in words), "inner")
        (source,) = [child for child in children if isinstance(child, ast.Node)]
        (condition,) = [child for child in children if isinstance(child, tuple)]
        return ("join", {"kind": kind, "right": source, condition[0]: condition[1]})

    def cross(self, children):
        return ("join", {"kind": "cross", "right": children[-1]})

    def from_(self, children):
        source, *joins = children
        for _, facts in joins:
            source = ast.Join(left=source, **facts)
        return ("source", source)

    def where(self, children):
        return ("where", children[0])

    def expand(self, children):
        numbers = [int(child) for child in children if isinstance(child, Token) and child.type == "INT"]
        alias = dict(child for child in children if isinstance(child, tuple)).get("alias")
        overlap = any(child is True for child in children)
        after = numbers[1] if len(numbers) > 1 else 0
        return ("expand", ast.Expand(before=numbers[0], after=after, overlap=overlap, alias=alias))

    def overlap(self, children):
        return not (children and children[0].value is False)

    def group(self, children):
        return ("group", tuple(children))

    def having(self, children):
        return ("having", children[0])

    def ungroup(self, children):
        nodes = _nodes(children)
        return ("ungroup", ast.Ungroup(expression=nodes[0] if nodes else None))

    def core(self, children):
        items = tuple(child for child in children if isinstance(child, ast.Item))
        facts = dict(child for child in children if isinstance(child, tuple))
        return ast.Select(items=items, distinct="DISTINCT" in _words(children), **facts)

    def operand(self, children):
        return children[0]

    def isect(self, children):
        return self._sets(children, lambda _: "intersect")

    def body(self, children):
        return self._sets(children, str.lower)

    sbody, sisect = body, isect

    def _sets(self, children, operator_of):
        value, rest = children[0], list(children[1:])
        while rest:
            operator = rest.pop(0)
            everything = isinstance(rest[0], Token)
            if everything:
                rest.pop(0)
            value = ast.SetOperation(operator=operator_of(operator), left=value, right=rest.pop(0), all=everything)
        return value

    def key(self, children):
        words = _words(children)
        return ast.OrderKey(expression=children[0], descending="DESC" in words, nulls_first="FIRST" in words)

    def order(self, children):
        return ("order", tuple(children))

    def arrange(self, children):
        return ("arrange", tuple(children))

    def limit(self, children):
        return ("limit", children[0])

    def offset(self, children):
        return ("offset", children[0])

    def pair(self, children):
        return ast.Pair(condition=children[0], weight=children[1])

    def cap(self, children):
        return ("cap", children[-1])

    def weights(self, children):
        pairs = tuple(child for child in children if isinstance(child, ast.Pair))
        facts = dict(child for child in children if isinstance(child, tuple))
        return ast.Weights(combine=str(children[0]).lower().removesuffix("_weight"), pairs=pairs, **facts)

    def replace(self, children):
        return ("replace", not (children and children[0].value is False))

    def sample_limit(self, children):
        return ("limit", (children[0], len(children) > 1))

    def sample(self, children):
        facts = dict(child for child in children[1:] if isinstance(child, tuple))
        limit, percent = facts.pop("limit", (None, False))
        return ("sample", ast.Sample(weight=children[0], limit=limit, percent=percent, **facts))

    def table(self, children):
        return ast.CommonTable(name=children[0][0], query=children[1])

    def with_(self, children):
        return ("tables", tuple(children))

    def query(self, children):
        facts = dict(child for child in children if isinstance(child, tuple))
        (body,) = [child for child in children if isinstance(child, ast.Node)]
        return ast.Query(body=body, **facts)

    squery = query


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR.read_text(encoding="utf-8"), parser="lalr", maybe_placeholders=False)


def parse(text: str) -> ast.Query:
    """Return the tree of a query by the grammar file; lark's errors for what is none."""
    return _Build().transform(_parser().parse(text))
