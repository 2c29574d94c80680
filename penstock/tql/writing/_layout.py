"""Laying a query out: clauses on lines of their own, comments kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from penstock.tql.syntax._lexer import KEYWORDS, SOFT, Token, tokenize
from penstock.tql.syntax._parser import parse

__all__ = ["format_query"]

_WIDTH = 88
_CLAUSES = frozenset(
    ("FROM", "WHERE", "EXPAND", "GROUP", "HAVING", "UNGROUP", "ORDER", "ARRANGE", "LIMIT", "OFFSET", "SAMPLE")
)
_SETS = frozenset(("UNION", "EXCEPT", "INTERSECT"))
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")
_NO_SPACE_BEFORE = frozenset((",", ")", "]", ";", ":", "."))
_WEIGHTS = frozenset(("MAX_WEIGHT", "SUM_WEIGHT", "PRODUCT_WEIGHT"))
_BEFORE_OPERAND = frozenset(
    ("(", "[", ",", ":", "=", "==", "!=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "||")
)


@dataclass(slots=True)
class _Writer:
    """Lines being written, and the parentheses around the place."""

    lines: list[str] = field(default_factory=lambda: [""])
    opened: list[str] = field(default_factory=list)

    def line(self, indent: int) -> None:
        if self.lines[-1].strip():
            self.lines[-1] = self.lines[-1].rstrip()
            self.lines.append(" " * indent)
        else:
            self.lines[-1] = " " * indent

    @property
    def indent(self) -> int:
        return 4 * len([kind for kind in self.opened if kind != "inside"])


def format_query(text: str) -> str:
    """Return the query laid out: keywords in small letters, clauses on lines of their own where one line is too long.

    Parameters
    ----------
    text : str
        A query.

    Returns
    -------
    str
        Parses to the same tree; comments stay.

    Raises
    ------
    QuerySyntaxError
        If the text is no query.

    Examples
    --------
    >>> format_query("SELECT  *  WHERE id>1 AND( a=2 )")
    'select * where id > 1 and (a = 2)'
    """
    parse(text)
    tokens = tokenize(text, comments=True)[:-1]
    one = _one_line(tokens)
    return one if one is not None and len(one) <= _WIDTH else _several_lines(tokens)


def _one_line(tokens: list[Token]) -> str | None:
    if any(token.kind == "comment" for token in tokens):
        return None
    around = _around(tokens)
    return "".join(_gap(tokens, number, around) + _shown(tokens, number) for number in range(len(tokens)))


def _shown(tokens: list[Token], number: int) -> str:
    token = tokens[number]
    if token.kind != "name":
        return token.text
    if token.word in KEYWORDS and token.word not in SOFT:
        return token.text.lower()
    soft = (
        token.word in SOFT and number and tokens[number - 1].word not in {".", ","} and _means_keyword(tokens, number)
    )
    return token.text.lower() if soft or token.word in _WEIGHTS else token.text


def _means_keyword(tokens: list[Token], number: int) -> bool:
    """Return whether a soft keyword is where only the keyword is valid."""
    word, before = tokens[number].word, tokens[number - 1].word
    after = tokens[number + 1] if number + 1 < len(tokens) else None
    if word in {"FIRST", "LAST"}:
        return before == "NULLS"
    if word == "SPLIT":
        return before == "BY"
    if word == "ARRAY":
        return after is not None and after.word == "["
    if word in {"DATE", "TIMESTAMP", "AT"}:
        return after is not None and after.kind == "string"
    return False


def _gap(tokens: list[Token], number: int, around: list[str]) -> str:
    before = tokens[number - 1] if number else None
    token = tokens[number]
    if before is None or token.word in _NO_SPACE_BEFORE or before.word in _OPENING or before.word == ".":
        return "" if not (token.word == ":" and before is not None and before.kind == "comment") else " "
    if before.word == ":" and around[number] == "[":
        return ""
    if token.word == "[":
        return "" if before.kind in {"name", "quoted"} or before.word in _CLOSING else " "
    if token.word == "(":
        called = before.kind == "name" and (before.word not in KEYWORDS or before.word in {"ALL", "CAST"})
        return (
            ""
            if (called and before.word != "ALL") or (before.word == "ALL" and not _after_set(tokens, number))
            else " "
        )
    return "" if _sign(tokens, number - 1) else " "


def _after_set(tokens: list[Token], number: int) -> bool:
    return number > 1 and tokens[number - 2].word in _SETS


def _sign(tokens: list[Token], number: int) -> bool:
    """Return whether the token is the sign of the next operand; two signs stay apart, or they make a comment."""
    token = tokens[number]
    if token.word not in {"-", "+"}:
        return False
    before = tokens[number - 1] if number else None
    starts = (
        before is None or before.word in _BEFORE_OPERAND or (before.kind == "name" and before.word in KEYWORDS - SOFT)
    )
    return starts and tokens[number + 1].word not in {"-", "+"}


def _around(tokens: list[Token]) -> list[str]:
    """Return the innermost bracket open at each token."""
    opened, found = [""], []
    for token in tokens:
        if token.word in _CLOSING and len(opened) > 1:
            opened.pop()
        found.append(opened[-1])
        if token.word in _OPENING:
            opened.append(token.word)
    return found


def _several_lines(tokens: list[Token]) -> str:
    writer, around = _Writer(), _around(tokens)
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else None
        if token.kind == "comment":
            _comment(writer, tokens, number)
            continue
        if before is not None and before.kind == "comment" and not before.text.startswith("/*"):
            writer.line(writer.indent)
        _break_before(writer, tokens, number)
        here = writer.lines[-1]
        gap = _gap(tokens, number, around) if here.strip() else ""
        writer.lines[-1] = here + gap + _shown(tokens, number)
        _nest(writer, tokens, number)
    return "\n".join(line.rstrip() for line in writer.lines)


def _comment(writer: _Writer, tokens: list[Token], number: int) -> None:
    here = writer.lines[-1]
    writer.lines[-1] = here + (" " if here.strip() else "") + tokens[number].text


def _break_before(writer: _Writer, tokens: list[Token], number: int) -> None:
    word, before = tokens[number].word, tokens[number - 1].word if number else ""
    around = writer.opened[-1] if writer.opened else ""
    if around in {"query", "weights"} and word == ")":
        writer.line(writer.indent - 4)
    elif _opens_line(around, before) or (around != "inside" and _starts_line(tokens, number)):
        writer.line(writer.indent)


def _opens_line(around: str, before: str) -> bool:
    return (around in {"query", "weights"} and before == "(") or (around == "weights" and before == ",")


def _starts_line(tokens: list[Token], number: int) -> bool:
    word, before = tokens[number].word, tokens[number - 1].word if number else ""
    if before in _SETS or (before == "ALL" and _after_set(tokens, number)):
        return word != "ALL"
    return (
        word in _SETS
        or (word == "SELECT" and before == ")")
        or (word in _CLAUSES and not _second_limit(tokens, number))
    )


def _second_limit(tokens: list[Token], number: int) -> bool:
    """Return whether LIMIT belongs to the SAMPLE BY before it, or OFFSET to the LIMIT."""
    if tokens[number].word == "OFFSET":
        return any(token.word == "LIMIT" for token in tokens[max(0, number - 3) : number])
    if tokens[number].word != "LIMIT":
        return False
    depth = 0
    for token in reversed(tokens[:number]):
        depth += (token.word in _CLOSING) - (token.word in _OPENING)
        if depth < 0:
            return False
        if depth == 0 and token.word in _CLAUSES:
            return token.word == "SAMPLE"
    return False


def _nest(writer: _Writer, tokens: list[Token], number: int) -> None:
    token = tokens[number]
    if token.word in _OPENING:
        writer.opened.append(_kind_of_parentheses(tokens, number))
    elif token.word in _CLOSING and writer.opened:
        writer.opened.pop()


def _kind_of_parentheses(tokens: list[Token], number: int) -> str:
    following = next(
        (token.word for token in tokens[number + 1 :] if token.kind != "comment" and token.word != "("), ""
    )
    if tokens[number].word == "(" and following in {"SELECT", "WITH"}:
        return "query"
    if number and tokens[number - 1].word in _WEIGHTS:
        return "weights"
    return "inside"
