"""From the tree back to text: one line, every operator safe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import quote_name, quote_text

__all__ = ["unparse"]

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _SIGN, _POST = range(1, 9)
_LEVELS = {
    "or": _OR, "and": _AND, "+": _ADD, "-": _ADD, "||": _ADD, "*": _MULTIPLY, "/": _MULTIPLY, "//": _MULTIPLY,
    "%": _MULTIPLY,
}  # fmt: skip


def unparse(node: ast.Node) -> str:
    """Return text that parses to an equal tree.

    Examples
    --------
    >>> from penstock.tql.syntax._parser import parse
    >>> unparse(parse("SELECT * WHERE (a=1 OR b<>'x') AND NOT c"))
    "select * where (a = 1 or b != 'x') and not c"
    """
    return _WRITERS[type(node)](node)


def _level(node: ast.Node) -> int:
    if isinstance(node, ast.Binary):
        return _LEVELS.get(node.operator, _COMPARE)
    if isinstance(node, ast.Unary):
        return _NOT if node.operator == "not" else _SIGN
    if isinstance(node, ast.InList | ast.InQuery | ast.Between | ast.Like | ast.IsNull):
        return _COMPARE
    return _POST


def _at(node: ast.Node, level: int) -> str:
    text = unparse(node)
    return f"({text})" if _level(node) < level else text


def _list(nodes: tuple[ast.Node, ...]) -> str:
    return ", ".join(map(unparse, nodes))


def _literal(node: ast.Literal) -> str:
    if node.kind == "text":
        return quote_text(str(node.value))
    if node.kind in {"timestamp", "date"}:
        return f"{node.kind} {quote_text(str(node.value))}"
    if node.kind == "null":
        return "null"
    if node.kind == "bool":
        return "true" if node.value else "false"
    text = repr(node.value)
    return text if node.kind == "int" or any(mark in text for mark in ".e") else f"{text}.0"


def _parameter(node: ast.Parameter) -> str:
    return "?" if node.name.isdigit() else f"${node.name}"


def _unary(node: ast.Unary) -> str:
    if node.operator == "not":
        return f"not {_at(node.operand, _NOT)}"
    gap = " " if isinstance(node.operand, ast.Unary) and node.operand.operator != "not" else ""
    return f"{node.operator}{gap}{_at(node.operand, _SIGN)}"


def _binary(node: ast.Binary) -> str:
    level = _level(node)
    if level == _COMPARE:
        return f"{_at(node.left, level + 1)} {node.operator} {_at(node.right, level + 1)}"
    first, steps = ast.chain(node, lambda step: _level(step) == level)
    return _at(first, level) + "".join(f" {step.operator} {_at(step.right, level + 1)}" for step in steps)


def _not(negated: bool) -> str:
    return "not " if negated else ""


def _in_list(node: ast.InList) -> str:
    items = f"({_list(node.items)})" if node.items else "[]"
    return f"{_at(node.operand, _ADD)} {_not(node.negated)}in {items}"


def _in_query(node: ast.InQuery) -> str:
    return f"{_at(node.operand, _ADD)} {_not(node.negated)}in ({unparse(node.query)})"


def _between(node: ast.Between) -> str:
    bounds = f"{_at(node.low, _ADD)} and {_at(node.high, _ADD)}"
    return f"{_at(node.operand, _ADD)} {_not(node.negated)}between {bounds}"


def _like(node: ast.Like) -> str:
    word = "ilike" if node.ignore_case else "like"
    return f"{_at(node.operand, _ADD)} {_not(node.negated)}{word} {_at(node.pattern, _ADD)}"


def _is_null(node: ast.IsNull) -> str:
    return f"{_at(node.operand, _ADD)} is {_not(node.negated)}null"


def _slice(node: ast.Slice) -> str:
    first, stop, step = ("" if part is None else unparse(part) for part in (node.first, node.stop, node.step))
    return f"{first}:{stop}" + (f":{step}" if node.step is not None else "")


def _index(node: ast.Index) -> str:
    return f"{_at(node.operand, _POST)}[{_list(node.items)}]"


def _call(node: ast.Call) -> str:
    arguments = [unparse(argument) for argument in node.arguments]
    arguments += [f"{name} => {unparse(value)}" for name, value in node.named]
    return f"{node.name}({'distinct ' if node.distinct else ''}{', '.join(arguments)})"


def _case(node: ast.Case) -> str:
    parts = ["case"] if node.operand is None else [f"case {unparse(node.operand)}"]
    parts += [f"when {unparse(when)} then {unparse(then)}" for when, then in node.branches]
    if node.default is not None:
        parts.append(f"else {unparse(node.default)}")
    return " ".join([*parts, "end"])


def _item(node: ast.Item) -> str:
    return unparse(node.expression) + (f" as {quote_name(node.alias)}" if node.alias is not None else "")


def _alias(alias: str | None) -> str:
    return "" if alias is None else f" as {quote_name(alias)}"


def _table(node: ast.TableSource) -> str:
    at = "" if node.at is None else f" at {quote_text(node.at)}"
    return f"{quote_name(node.name)}{at}{_alias(node.alias)}"


def _join(node: ast.Join) -> str:
    word = "join" if node.kind == "inner" else f"{node.kind} join"
    tail = f" on {unparse(node.on)}" if node.on is not None else ""
    tail = f" using ({quote_name(node.using)})" if node.using is not None else tail
    return f"{unparse(node.left)} {word} {unparse(node.right)}{tail}"


def _expand(node: ast.Expand) -> str:
    overlap = " overlap true" if node.overlap else ""
    return f"expand by {node.before} {node.after}{overlap}{_alias(node.alias)}"


def _ungroup(node: ast.Ungroup) -> str:
    return "ungroup by " + ("split" if node.expression is None else unparse(node.expression))


def _select(node: ast.Select) -> str:
    parts = [f"select {'distinct ' if node.distinct else ''}{_list(node.items)}"]
    if node.source is not None:
        parts.append(f"from {unparse(node.source)}")
    if node.where is not None:
        parts.append(f"where {unparse(node.where)}")
    if node.expand is not None:
        parts.append(unparse(node.expand))
    if node.group:
        parts.append(f"group by {_list(node.group)}")
    if node.having is not None:
        parts.append(f"having {unparse(node.having)}")
    if node.ungroup is not None:
        parts.append(unparse(node.ungroup))
    return " ".join(parts)


def _operand(node: ast.Node) -> str:
    return f"({unparse(node)})" if isinstance(node, ast.Query) else unparse(node)


def _set(node: ast.SetOperation) -> str:
    first, steps = ast.chain(node)
    tails = (f" {step.operator}{' all' * step.all} {_operand(step.right)}" for step in steps)
    return _operand(first) + "".join(tails)


def _order_key(node: ast.OrderKey) -> str:
    return unparse(node.expression) + " desc" * node.descending + " nulls first" * node.nulls_first


def _pair(node: ast.Pair) -> str:
    return unparse(node.condition) + ("" if node.weight is None else f": {unparse(node.weight)}")


def _weights(node: ast.Weights) -> str:
    terms = [unparse(pair) for pair in node.pairs]
    if node.cap is not None:
        terms.append(f"cap => {unparse(node.cap)}")
    return f"{node.combine}_weight({', '.join(terms)})"


def _sample(node: ast.Sample) -> str:
    parts = [f"sample by {unparse(node.weight)}", *([] if node.replace else ["replace false"])]
    if node.limit is not None:
        parts.append(f"limit {unparse(node.limit)}{' percent' if node.percent else ''}")
    return " ".join(parts)


def _query(node: ast.Query) -> str:
    parts = []
    if node.tables:
        parts.append("with " + ", ".join(f"{quote_name(each.name)} as ({unparse(each.query)})" for each in node.tables))
    parts.append(f"({unparse(node.body)})" if isinstance(node.body, ast.Query) else unparse(node.body))
    if node.order:
        parts.append(f"order by {_list(node.order)}")
    if node.arrange:
        parts.append(f"arrange by {_list(node.arrange)}")
    if node.limit is not None:
        parts.append(f"limit {unparse(node.limit)}")
    if node.offset is not None:
        parts.append(f"offset {unparse(node.offset)}")
    if node.sample is not None:
        parts.append(unparse(node.sample))
    return " ".join(parts)


_WRITERS: dict[type[ast.Node], Callable[[Any], str]] = {
    ast.Literal: _literal, ast.Parameter: _parameter, ast.Star: lambda _: "*", ast.Unary: _unary, ast.Binary: _binary,
    ast.Column: lambda node: ".".join(quote_name(part) for part in node.parts), ast.InList: _in_list,
    ast.InQuery: _in_query, ast.Between: _between, ast.Like: _like, ast.IsNull: _is_null, ast.Slice: _slice,
    ast.Index: _index, ast.Call: _call, ast.Array: lambda node: f"array[{_list(node.items)}]", ast.Case: _case,
    ast.Cast: lambda node: f"cast({unparse(node.operand)} as {node.type})",
    ast.Subquery: lambda node: f"({unparse(node.query)})", ast.Item: _item, ast.TableSource: _table,
    ast.QuerySource: lambda node: f"({unparse(node.query)}){_alias(node.alias)}", ast.Join: _join, ast.Expand: _expand,
    ast.Ungroup: _ungroup, ast.Select: _select, ast.SetOperation: _set, ast.OrderKey: _order_key, ast.Pair: _pair,
    ast.Weights: _weights, ast.Sample: _sample, ast.Query: _query,
}  # fmt: skip
