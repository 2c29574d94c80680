"""Kinds of tokens for an editor; never raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.tql.syntax._lexer import KEYWORDS, Token
from penstock.tql.writing._offsets import Offsets

__all__ = ["ColoredToken", "scan", "tokens"]

_CONSTANTS = frozenset(("TRUE", "FALSE", "NULL"))
_NEVER_CALLED = frozenset(("IN", "AND", "OR", "NOT", "BY", "WHERE"))
_CALLED = re.compile(r"\s*\(")
# an unterminated string or comment runs to the end of its line or text, so that typing one does not recolor the rest
_PATTERN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<comment>--[^\n]*|\#[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*|\$[A-Za-z_]\w*|"[^"]*(?:""[^"]*)*"?)
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<string>'[^']*(?:''[^']*)*'|'[^\n]*)
    |(?P<operator>=>|==|!=|<>|<=|>=|\|\||//|[-+*/%=<>()\[\]:,.;?])
    |(?P<error>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColoredToken:
    """A token and its span in UTF-16 units.

    Parameters
    ----------
    kind : str
        Such as ``keyword``, ``name`` or ``error``.
    start, end : int
        Where it begins, and where what follows it begins.
    """

    kind: str
    start: int
    end: int


def tokens(text: str) -> tuple[ColoredToken, ...]:
    """Return the tokens of any text, comments and errors among them.

    Parameters
    ----------
    text : str
        The text in an editor, valid or not.

    Returns
    -------
    tuple of ColoredToken
        Kinds: keyword, constant, function, name, number, string, comment, operator, error.

    Examples
    --------
    >>> [token.kind for token in tokens("where any(v > 1)")]
    ['keyword', 'function', 'operator', 'name', 'operator', 'number', 'operator']
    """
    places = Offsets(text)
    return tuple(
        ColoredToken(
            kind=_kind_of_name(text, token.text, token.end) if token.kind == "name" else token.kind,
            start=places.to_utf16(token.start),
            end=places.to_utf16(token.end),
        )
        for token in scan(text)
    )


def scan(text: str) -> Iterator[Token]:
    """Yield the tokens of any text, right or wrong; names in double quotes are names."""
    for match in _PATTERN.finditer(text):
        kind, source = match.lastgroup or "error", match.group()
        if kind != "blank":
            word = source.upper() if kind == "name" else source if kind == "operator" else ""
            yield Token(kind, word, source, match.start(), match.end())


def _kind_of_name(text: str, name: str, end: int) -> str:
    word = name.upper()
    if word in _CONSTANTS:
        return "constant"
    called = _CALLED.match(text, end, end + 20) is not None
    if word in KEYWORDS and (not called or word in _NEVER_CALLED):
        return "keyword"
    return "function" if called else "name"
