"""The conditions of a query's outermost WHERE, and edits of single ones; the rest of the text stays to the letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import Token, tokenize
from penstock.tql.syntax._parser import parse, parse_expression
from penstock.tql.writing._offsets import Offsets

__all__ = ["Condition", "conditions", "with_condition", "without_condition"]

_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of WHERE: all of them hold for each sample of the result.

    Parameters
    ----------
    text : str
        Its source, white space folded.
    start, end : int
        Its place in UTF-16 units.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    """WHERE of the outermost SELECT: where its keyword begins, and the places of its conditions."""

    keyword: int
    parts: tuple[tuple[int, int], ...]
    joined: bool  # whether OR joins what is one condition here


def conditions(text: str) -> tuple[Condition, ...]:
    """Return the conditions that AND joins in the outermost WHERE.

    Parameters
    ----------
    text : str
        A query.

    Returns
    -------
    tuple of Condition
        Empty without WHERE, and where the outermost query joins several by UNION, EXCEPT or INTERSECT.

    Raises
    ------
    QuerySyntaxError
        If the text is no query.

    Examples
    --------
    >>> [one.text for one in conditions("select * where a > 1 and (b or c) and d between 1 and 2 limit 5")]
    ['a > 1', '(b or c)', 'd between 1 and 2']
    """
    where = _where(text, parse(text))
    if where is None:
        return ()
    places = Offsets(text)
    return tuple(
        Condition(text=_folded(text[start:end]), start=places.to_utf16(start), end=places.to_utf16(end))
        for start, end in where.parts
    )


def without_condition(text: str, number: int) -> str:
    """Return the query without one condition; with the last one WHERE goes.

    Parameters
    ----------
    text : str
        A query.
    number : int
        Of the condition, from 0.

    Raises
    ------
    QuerySyntaxError
        If the text is no query.
    IndexError
        If there is no such condition.

    Examples
    --------
    >>> without_condition("select * where a > 1 and b limit 5", 0)
    'select * where b limit 5'
    >>> without_condition("select * where a > 1 limit 5", 0)
    'select * limit 5'
    """
    where = _where(text, parse(text))
    parts = () if where is None else where.parts
    if where is None or not 0 <= number < len(parts):
        raise IndexError(f"condition {number} does not exist. The query has {len(parts)}")
    if len(parts) == 1:
        before = text[: where.keyword].rstrip()
        after = text[parts[0][1] :]
        return before + (after if after[:1].isspace() or not after.strip(" ;") else f" {after}")
    if number + 1 < len(parts):
        return text[: parts[number][0]] + text[parts[number + 1][0] :]
    return text[: parts[number - 1][1]] + text[parts[number][1] :]


def with_condition(text: str, condition: str) -> str:
    """Return the query of those samples of its pool that fulfill one more condition.

    A query that cuts, repeats or joins its samples before the condition could apply becomes a subquery.

    Parameters
    ----------
    text : str
        A query.
    condition : str
        The condition.

    Raises
    ------
    QuerySyntaxError
        If either text is not TQL.

    Examples
    --------
    >>> with_condition("select * where a or b order by c", "d > 2")
    'select * where (a or b) and d > 2 order by c'
    >>> with_condition("select * limit 5 sample by 1", "d > 2")
    'select * from (select * limit 5) where d > 2 sample by 1'
    """
    parse_expression(condition)
    query = parse(text)
    condition = f"({condition})" if _has_or(condition) else condition
    body = query.body
    if not isinstance(body, ast.Select) or not _is_plain(query, body):
        return _around(text, query, condition)
    where = _where(text, query)
    if where is not None:
        (start, _), (_, end) = where.parts[0], where.parts[-1]
        whole = f"({text[start:end]})" if where.joined else text[start:end]
        return f"{text[:start]}{whole} and {condition}{text[end:]}"
    end = _last_end(text, body.end)
    return f"{text[:end]} where {condition}{text[end:]}"


def _is_plain(query: ast.Query, body: ast.Select) -> bool:
    """Return whether one more condition in the query's own WHERE only leaves samples out."""
    changed = body.distinct or body.expand or body.group or body.having or body.ungroup
    return not (changed or query.limit or query.offset or query.arrange)


def _around(text: str, query: ast.Query, condition: str) -> str:
    begin = _first_of_body(text, query)
    end = _last_end(text, len(text) if query.sample is None else query.sample.start)
    after = text[end:] if not text[end:] or text[end:][0] in " \t\n;" else f" {text[end:]}"
    return f"{text[:begin]}select * from ({text[begin:end]}) where {condition}{after}"  # noqa: S608  TQL, only parsed


def _first_of_body(text: str, query: ast.Query) -> int:
    """Return where the body begins, parentheses around it included: after WITH and its tables."""
    after = query.tables[-1].end if query.tables else 0
    return next((token.start for token in tokenize(text) if token.start >= after), after)


def _last_end(text: str, before: int) -> int:
    """Return where the last token before a place ends; a ``;`` and comments after it are not of the query."""
    return max(
        token.end for token in tokenize(text) if token.kind != "end" and token.word != ";" and token.end <= before
    )


def _where(text: str, query: ast.Query) -> _Where | None:
    body = query.body
    if not isinstance(body, ast.Select) or body.where is None:
        return None
    tokens = tokenize(text)
    first = next(place for place, token in enumerate(tokens) if token.start >= body.where.start)
    while tokens[first - 1].word != "WHERE":  # parentheses are no part of what they hold
        first -= 1
    inside = _inside(tokens[first:], body.where.end)
    cuts, joined = _cuts(inside)
    starts = [0, *(cut + 1 for cut in cuts)]
    stops = [*cuts, len(inside)]
    parts = tuple((inside[start].start, inside[stop - 1].end) for start, stop in zip(starts, stops, strict=True))
    return _Where(keyword=tokens[first - 1].start, parts=parts, joined=joined)


def _inside(tokens: Sequence[Token], end: int) -> Sequence[Token]:
    """Return the tokens of an expression that ends at `end`, with the parentheses around it."""
    depth = 0
    for number, token in enumerate(tokens):
        depth += (token.word in _OPENING) - (token.word in _CLOSING)
        if depth == 0 and token.end >= end:
            return tokens[: number + 1]
    return tokens


def _cuts(tokens: Sequence[Token]) -> tuple[list[int], bool]:
    """Return the places of each AND that joins conditions, and whether OR joins them all instead."""
    depth, between, found = 0, 0, []
    for number, token in enumerate(tokens):
        depth += (token.word in _OPENING or token.word == "CASE") - (token.word in _CLOSING or token.word == "END")
        if depth or token.kind != "name":
            continue
        if token.word == "OR":
            return [], True
        if token.word == "BETWEEN":
            between += 1
        elif token.word == "AND" and between:
            between -= 1
        elif token.word == "AND":
            found.append(number)
    return found, False


def _has_or(condition: str) -> bool:
    return _cuts([token for token in tokenize(condition) if token.kind != "end"])[1]


def _folded(text: str) -> str:
    return " ".join(text.split())
