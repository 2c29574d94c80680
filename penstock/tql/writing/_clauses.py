"""The weight clauses of a query as sliders see them, and edits of single literals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from penstock.errors import SamplingError
from penstock.sampling.spec._number_text import number_text
from penstock.table import Table
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import quote_text, tokenize
from penstock.tql.syntax._parser import parse, parse_expression
from penstock.tql.syntax._specs import literal_number
from penstock.tql.writing._offsets import Offsets

__all__ = ["ClassTables", "WeightClause", "add_clause", "clauses", "remove_clause", "rewrite_weight"]

_DIGITS = 12  # of a weight that a slider gives, whose steps are not exact


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightClause:
    """One clause of the outermost SAMPLE BY.

    Parameters
    ----------
    expression : str
        Its source, to the letter.
    label : str
        The class name where the clause asks for one, "everything else" for True, else the source.
    tensor, class_name : str, optional
        For ``contains(tensor, 'name')`` and ``tensor = 'name'``.
    class_index : int, optional
        Index of that class, where a table was given.
    weight : float
        The constant weight; NaN where it differs from row to row.
    start, end : int, optional
        Span of the number in UTF-16 units; None if there is no slider: it is not a literal,
        or another clause's weight differs from row to row.
    table : str, optional
        The ``$name`` of the table of class weights that the weight stands in, in place of the text.
    """

    expression: str
    label: str
    tensor: str | None
    class_name: str | None
    class_index: int | None
    weight: float
    start: int | None
    end: int | None
    table: str | None = None


ClassTables = Mapping[str, Mapping[str, float]]


def clauses(text: str, table: Table | None = None, *, tables: ClassTables | None = None) -> tuple[WeightClause, ...]:
    """Return the clauses of the outermost SAMPLE BY.

    Parameters
    ----------
    text : str
        A query.
    table : Table, optional
        Where class names have their indices.
    tables : mapping of str to mapping of str to float, optional
        Weights by class name of each ``$name``: ``classes(tensor, $name)`` is then a clause for each class of the
        tensor in `table`, 1 where the mapping has none.

    Returns
    -------
    tuple of WeightClause
        Empty without SAMPLE BY.

    Raises
    ------
    QuerySyntaxError
        If the text is no query.

    Examples
    --------
    >>> bus, rest = clauses("select * sample by max_weight(contains(cars, 'bus'): 20, True: 1)")
    >>> bus.label, bus.weight, rest.label
    ('bus', 20.0, 'everything else')
    """
    sample = parse(text).sample
    if sample is None:
        return ()
    places = Offsets(text)
    weight = sample.weight
    if isinstance(weight, ast.Weights):
        found = tuple(
            clause
            for pair in weight.pairs
            for clause in (_of_table(pair, text, table, tables or {}) or (_clause(pair, text, places, table),))
        )
        # one weight that differs from row to row leaves no strata of clauses: nothing for any slider to move
        constant = all(_constant(pair.weight) or _named_table(pair, table, tables or {}) for pair in weight.pairs)
        return found if constant else tuple(map(_without_place, found))
    number = literal_number(weight)
    source = "True" if number is not None else text[weight.start : weight.end]
    return (_described(source, None, number, weight, places, table),)


def _constant(weight: ast.Expression | None) -> bool:
    return literal_number(weight) is not None or isinstance(weight, ast.Parameter)


def _without_place(clause: WeightClause) -> WeightClause:
    return replace(clause, start=None, end=None, table=None)


def _named_table(pair: ast.Pair, table: Table | None, tables: ClassTables) -> tuple[str, str] | None:
    """Return tensor and ``$name`` of ``classes(tensor, $name)``, where both are known."""
    if pair.weight is not None or table is None:
        return None
    match pair.condition:
        case ast.Call(arguments=(ast.Column(parts=(tensor,)), ast.Parameter(name=name))):
            return (tensor, name) if tensor in table.tensors and name in tables else None
    return None


def _of_table(pair: ast.Pair, text: str, table: Table | None, tables: ClassTables) -> tuple[WeightClause, ...]:
    """Return a clause for each class of a table of class weights; empty for any other pair."""
    found = _named_table(pair, table, tables)
    if found is None or table is None:
        return ()
    tensor, parameter = found
    given, asked = tables[parameter], cast("ast.Call", pair.condition).arguments[0]
    source = text[asked.start : asked.end]
    return tuple(
        WeightClause(
            expression=f"contains({source}, {quote_text(name)})",
            label=name,
            tensor=tensor,
            class_name=name,
            class_index=number,
            weight=float(given.get(name, 1.0)),
            start=None,
            end=None,
            table=parameter,
        )
        for number, name in enumerate(table.tensors[tensor].class_names)
    )


def _clause(pair: ast.Pair, text: str, places: Offsets, table: Table | None) -> WeightClause:
    source = text[pair.condition.start : pair.condition.end]
    return _described(source, pair.condition, literal_number(pair.weight), pair.weight, places, table)


def _described(
    source: str,
    condition: ast.Expression | None,
    number: float | None,
    weight: ast.Expression | None,
    places: Offsets,
    table: Table | None,
) -> WeightClause:
    tensor, name = _asked_class(condition)
    if table is not None and tensor is not None and table.tensors.get(tensor) is None:
        tensor = name = None
    names = tuple(table.tensors[tensor].class_names) if table is not None and tensor is not None else ()
    everything = condition is None and number is not None
    if isinstance(condition, ast.Literal) and condition.value is True:
        everything = True
    literal = isinstance(weight, ast.Literal)
    return WeightClause(
        expression=source,
        label="everything else" if everything else name or source,
        tensor=tensor,
        class_name=name,
        class_index=names.index(name) if name in names else None,
        weight=math.nan if number is None else number,
        start=places.to_utf16(weight.start) if literal and weight is not None else None,
        end=places.to_utf16(weight.end) if literal and weight is not None else None,
    )


def _asked_class(node: ast.Expression | None) -> tuple[str | None, str | None]:
    """Return tensor and class of a condition that asks for one class."""
    sides: tuple[ast.Expression, ...] = ()
    if isinstance(node, ast.Call) and node.name == "contains":
        sides = node.arguments
    elif isinstance(node, ast.Binary) and node.operator == "=":
        sides = (node.left, node.right)
    match sides:
        case (ast.Column(parts=(tensor,)), ast.Literal(kind="text", value=name)):
            return tensor, str(name)
    return None, None


def _number(value: float) -> str:
    if not (math.isfinite(value) and value >= 0):
        raise SamplingError(
            f"the weight is {value!r}. Expected a finite number >= 0", hint="use weight 0 to leave samples out"
        )
    return number_text(value if value == int(value) else float(f"{value:.{_DIGITS}g}"))


def _weights(text: str) -> tuple[ast.Sample | None, tuple[ast.Pair, ...]]:
    sample = parse(text).sample
    if sample is None or not isinstance(sample.weight, ast.Weights):
        return sample, ()
    return sample, sample.weight.pairs


def _checked(number: int, count: int) -> int:
    if not 0 <= number < count:
        raise SamplingError(
            f"clause {number} does not exist. The query has {count} clauses", hint="clauses are numbered from 0"
        )
    return number


def rewrite_weight(text: str, clause: int, value: float) -> str:
    """Return the query with one weight changed and everything else kept unchanged.

    Parameters
    ----------
    text : str
        A query with SAMPLE BY.
    clause : int
        Number of the clause, from 0.
    value : float
        The new weight.

    Returns
    -------
    str

    Raises
    ------
    QuerySyntaxError
        If the text is no query.
    SamplingError
        If there is no such clause, its weight is no literal, or the value is no weight.

    Examples
    --------
    >>> rewrite_weight("select * sample by max_weight(a > 1: 20, True: 1)  -- mine", 0, 2.5)
    'select * sample by max_weight(a > 1: 2.5, True: 1)  -- mine'
    """
    sample, pairs = _weights(text)
    if sample is not None and not pairs:
        _checked(clause, 1)
        node: ast.Expression | None = sample.weight if isinstance(sample.weight, ast.Literal) else None
    else:
        node = pairs[_checked(clause, len(pairs))].weight
    if not isinstance(node, ast.Literal):
        raise SamplingError(f"the weight of clause {clause} is not a plain number. Change it in the text of the query")
    return text[: node.start] + _number(value) + text[node.end :]


def add_clause(text: str, expression: str, weight: float) -> str:
    """Return the query with one more clause; the first brings SAMPLE BY with it.

    Parameters
    ----------
    text : str
        A query.
    expression : str
        The condition.
    weight : float
        Its weight.

    Returns
    -------
    str

    Raises
    ------
    QuerySyntaxError
        If either text is not TQL.
    SamplingError
        If the weight is not valid.

    Examples
    --------
    >>> add_clause("select *", "contains(cars, 'bus')", 20)
    "select * sample by max_weight(contains(cars, 'bus'): 20, True: 1)"
    """
    parse_expression(expression)
    pair = f"{expression}: {_number(weight)}"
    sample, pairs = _weights(text)
    if sample is None:
        end = _end_of_query(text)
        return f"{text[:end]} sample by max_weight({pair}, True: 1){text[end:]}"
    if not pairs:
        node = sample.weight
        return f"{text[: node.start]}max_weight({pair}, True: {text[node.start : node.end]}){text[node.end :]}"
    last = pairs[-1]
    if isinstance(last.condition, ast.Literal) and last.condition.value is True:
        return f"{text[: last.start]}{pair}, {text[last.start :]}"
    return f"{text[: last.end]}, {pair}{text[last.end :]}"


def _end_of_query(text: str) -> int:
    """Return where the last token ends, a ``;`` left out."""
    tokens = [token for token in tokenize(text) if token.kind != "end" and token.word != ";"]
    return tokens[-1].end


def remove_clause(text: str, clause: int) -> str:
    """Return the query without one clause; with the last one SAMPLE BY goes.

    Parameters
    ----------
    text : str
        A query with SAMPLE BY.
    clause : int
        Number of the clause, from 0.

    Returns
    -------
    str

    Raises
    ------
    QuerySyntaxError
        If the text is no query.
    SamplingError
        If there is no such clause.

    Examples
    --------
    >>> remove_clause("select * sample by max_weight(a > 1: 20, True: 1)", 0)
    'select * sample by max_weight(True: 1)'
    >>> remove_clause("select * sample by max_weight(True: 1)", 0)
    'select *'
    """
    sample, pairs = _weights(text)
    _checked(clause, len(pairs) if pairs else int(sample is not None))
    assert sample is not None
    if len(pairs) <= 1:
        return text[: sample.start].rstrip() + text[sample.end :]
    if clause + 1 < len(pairs):
        return text[: pairs[clause].start] + text[pairs[clause + 1].start :]
    return text[: pairs[clause - 1].end] + text[pairs[clause].end :]
