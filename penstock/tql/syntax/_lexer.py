"""Text to tokens."""

from __future__ import annotations

import re
from typing import NamedTuple

from penstock.errors import QuerySyntaxError

__all__ = ["KEYWORDS", "MAX_LENGTH", "SOFT", "Token", "needs_quotes", "quote_name", "quote_text", "tokenize"]

MAX_LENGTH = 200_000

_RESERVED = (
    "ALL AND ARRANGE AS ASC BETWEEN BY CASE CAST CROSS DESC DISTINCT ELSE END EXCEPT EXPAND FALSE FROM FULL GROUP "
    "HAVING ILIKE IN INNER INTERSECT IS JOIN LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OUTER OVERLAP RIGHT SAMPLE "
    "SELECT THEN TRUE UNGROUP UNION USING WHEN WHERE WITH"
)
_SOFT = "ARRAY AT DATE FIRST LAST NULLS PERCENT REPLACE SPLIT TIMESTAMP"
# these are names wherever the grammar does not ask for them
SOFT = frozenset(_SOFT.split(" "))
KEYWORDS = frozenset(_RESERVED.split(" ")) | SOFT

_PATTERN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<comment>--[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<string>'[^']*(?:''[^']*)*')
    |(?P<quoted>"[^"]*(?:""[^"]*)*")
    |(?P<parameter>\$[A-Za-z_][A-Za-z0-9_]*|\?)
    |(?P<op>=>|==|!=|<>|<=|>=|\|\||//|[-+*/%=<>()\[\]:,.;])
    |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_OTHER_OPERATORS = {"&&": "AND", "&": "AND", "|": "OR, or || for text", "!": "NOT"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Token(NamedTuple):
    """One token; `word` is the upper-case text of names and the text of operators, otherwise empty."""

    kind: str
    word: str
    text: str
    start: int
    end: int


def tokenize(text: str, *, comments: bool = False) -> list[Token]:
    """Return the tokens of `text`, followed by one of kind ``end``; raise QuerySyntaxError on invalid text."""
    if len(text) > MAX_LENGTH:
        raise QuerySyntaxError(
            f"the query has {len(text):,} characters. Expected at most {MAX_LENGTH:,}", text="", start=0, end=0
        )
    tokens: list[Token] = []
    position, match, new, add = 0, _PATTERN.match, tuple.__new__, tokens.append
    while found := match(text, position):
        kind = found.lastgroup or ""
        start, position = found.span(found.lastindex or 0)
        source = text[start:position]
        word = source if kind == "op" else source.upper() if kind == "name" else ""
        if kind != "comment" or comments:
            add(new(Token, (kind, word, source, start, position)))  # a third of the time of calling the class
        if kind == "end":
            return tokens
    raise _unreadable(text, len(text) - len(text[position:].lstrip()))


def _unreadable(text: str, position: int) -> QuerySyntaxError:
    character = text[position]
    if character in "'\"":
        what = "string" if character == "'" else "name in double quotes"
        line_end = text.find("\n", position)
        end = len(text) if line_end < 0 else line_end
        return QuerySyntaxError(
            f"unterminated {what}", text=text, start=position, end=end, expected=(f"a closing {character}",)
        )
    if text.startswith("/*", position):
        return QuerySyntaxError("unterminated comment", text=text, start=position, end=position + 2, expected=("*/",))
    for written, meant in _OTHER_OPERATORS.items():
        if text.startswith(written, position):
            word = meant.split(",")[0]
            return QuerySyntaxError(
                f"unexpected {written!r}", text=text, start=position, end=position + len(written),
                hint=f"write {meant}", suggestion=word, fix=f"{word} " if word == "NOT" else word,
            )  # fmt: skip
    named = "write names with letters other than A to Z in double quotes"
    return QuerySyntaxError(
        f"unexpected character {character!r}",
        text=text,
        start=position,
        end=position + 1,
        hint=named if character.isalpha() else None,
    )


def needs_quotes(name: str) -> bool:
    """Return whether a column of this name must be written in double quotes."""
    return not _NAME.match(name) or (name.upper() in KEYWORDS and name.upper() not in SOFT)


def quote_name(name: str) -> str:
    """Return a column name as TQL writes it."""
    return '"' + name.replace('"', '""') + '"' if needs_quotes(name) else name


def quote_text(value: str) -> str:
    """Return a string literal."""
    return "'" + value.replace("'", "''") + "'"
