"""Completion: what can be typed at the caret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from penstock.errors import PenstockError, TQLError
from penstock.signals import KINDS, Runs
from penstock.table import Table
from penstock.tql.editor._colors import scan
from penstock.tql.editor._lint import class_counts_of, described_tensor
from penstock.tql.functions._registry import FUNCTIONS
from penstock.tql.syntax._lexer import KEYWORDS, Token, quote_name, quote_text
from penstock.tql.syntax._parser import Parser, expected_at
from penstock.tql.writing._offsets import Offsets

__all__ = ["Completion", "complete"]

Kind = Literal["keyword", "tensor", "function", "class", "value"]
_TWO_WORDS = frozenset(("EXPAND", "GROUP", "UNGROUP", "ORDER", "ARRANGE", "SAMPLE"))
_EQUALS = frozenset(("=", "==", "!=", "<>"))
_MOST = 200
_WEIGHTS = {
    "max_weight": "max_weight(condition: weight, ...)",
    "sum_weight": "sum_weight(condition: weight, ...)",
    "product_weight": "product_weight(condition: weight, ...)",
}
_NO_EXPRESSION = frozenset(("LIMIT", "OFFSET", "AS", "FROM", "AT"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One offer; `insert` replaces ``[start, end)``, in UTF-16 units.

    Parameters
    ----------
    label, detail : str
        What is shown: the offer, and what it is.
    insert : str
        The text it writes.
    kind : str
        Such as ``keyword``, ``tensor`` or ``class``.
    start, end : int
        The text it replaces.
    """

    label: str
    insert: str
    kind: Kind
    detail: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Offer:
    label: str
    insert: str
    kind: Kind
    detail: str


def complete(text: str, position: int, table: Table) -> tuple[Completion, ...]:
    """Return what can be typed at the caret.

    Parameters
    ----------
    text : str
        The text in an editor, valid or not.
    position : int
        The caret, in UTF-16 units.
    table : Table
        The dataset.

    Returns
    -------
    tuple of Completion
        Best first: class names where a class is expected, then tensors, functions and keywords.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"label": [0, 1]}, class_names={"label": ["car", "dog"]})
    >>> text = "select * where label = 'd"
    >>> [(offer.label, offer.insert) for offer in complete(text, len(text), table)]
    [('dog', "'dog'")]
    """
    places = Offsets(text)
    caret = places.from_utf16(position)
    before, typed, start = _split(text[:caret])
    if before is None:
        return ()
    end = _end(text, caret, typed)
    offers = _matching(_offers(text[:start], before, typed, table), typed)
    span = {"start": places.to_utf16(start), "end": places.to_utf16(end)}
    return tuple(
        Completion(label=offer.label, insert=offer.insert, kind=offer.kind, detail=offer.detail, **span)
        for offer in offers[:_MOST]
    )


def _split(text: str) -> tuple[list[Token] | None, str, int]:
    """Return the tokens before what is being typed, what is being typed, and where it starts; None in a comment."""
    found = [token for token in scan(text) if token.kind != "error"]
    last = found[-1] if found else None
    tokens = [token for token in found if token.kind != "comment"]
    if last is None or last.end < len(text) or last.text.endswith("*/"):
        return tokens, "", len(text)
    if last.kind == "comment":
        return None, "", len(text)
    open_quote = last.text[0] in "'\"" and (len(last.text) == 1 or last.text[-1] != last.text[0])
    if open_quote or (last.kind == "name" and last.text[0] not in '$"'):
        return tokens[:-1], last.text, last.start
    return tokens, "", len(text)


def _end(text: str, caret: int, typed: str) -> int:
    """Return the end of the replaced part: after the closing quote, or the end of the word."""
    quote = typed[:1]
    if quote in {"'", '"'}:
        line = text.find("\n", caret)
        closing = text.find(quote, caret, None if line < 0 else line)
        between = text[caret:closing] if closing >= 0 else ","
        return closing + 1 if not set(between) & set(",()=") else caret
    while caret < len(text) and typed and (text[caret].isalnum() or text[caret] == "_"):
        caret += 1
    return caret


def _matching(offers: Iterator[_Offer], typed: str) -> list[_Offer]:
    wanted = typed.lstrip("'\"").replace("''", "'").casefold()
    found = [offer for offer in offers if wanted in offer.label.casefold()]
    return sorted(dict.fromkeys(found), key=lambda offer: not offer.label.casefold().startswith(wanted))


def _offers(text: str, before: list[Token], typed: str, table: Table) -> Iterator[_Offer]:
    signals = _signals(before, table)
    if signals is not None:
        yield from signals
        return
    asked = _asked_tensor(before)
    if typed.startswith("'"):
        if asked in table.tensors:
            yield from _classes(table, asked)
        return
    if typed.startswith('"'):
        yield from _tensors(table, quoted=True)
        return
    expected, _ = _expected(text)
    if "an expression" in expected and not (before and before[-1].word in _NO_EXPRESSION):
        if asked in table.tensors:
            yield from _classes(table, asked)
        yield from _tensors(table)
        yield from _functions()
        yield from _constants(typed)
    if _after_sample_by(before):
        yield from (_Offer(name, f"{name}(", "function", detail) for name, detail in _WEIGHTS.items())
    yield from _keywords(expected, typed, text)


def _expected(text: str) -> tuple[Sequence[str], int]:
    try:
        return expected_at(text, Parser.statement)
    except TQLError:
        return (), 0


def _asked_tensor(before: list[Token]) -> str:
    """Return the column that a class name at the caret would be compared with; empty if there is none."""
    tokens = list(before)
    while len(tokens) > 1 and tokens[-1].word == "," and tokens[-2].kind in {"string", "number"}:
        tokens = tokens[:-2]
    words = [token.word for token in tokens]
    if words[-1:] == ["("] and words[-2:-1] == ["IN"]:
        tokens = tokens[:-3] if words[-3:-2] == ["NOT"] else tokens[:-2]
    elif (
        (words[-1:] == [","] and words[-3:-2] == ["("] and words[-4:-3] == ["CONTAINS"])
        or (words and words[-1] in _EQUALS)
        or words[-1:] == ["LIKE"]
    ):
        tokens = tokens[:-1]
    else:
        return ""
    return _name(tokens[-1]) if tokens else ""


def _name(token: Token) -> str:
    if token.kind != "name":
        return ""
    return token.text[1:-1].replace('""', '"') if token.text[0] == '"' else token.text


def _signals(before: list[Token], table: Table) -> list[_Offer] | None:
    """Return what can stand at the caret inside ``signal(...)``; None elsewhere."""
    words = [token.word for token in before]
    opened = next((place for place in range(len(words) - 1, 0, -1) if words[place] in {"(", ")"}), 0)
    if not opened or words[opened] != "(" or words[opened - 1] != "SIGNAL" or table.location is None:
        return None
    try:
        runs = Runs(table.location)
        if words[-2:] == ["RUN", "=>"]:
            return [_Offer(name, quote_text(name), "value", "run") for name in reversed(list(runs))]
        newest = runs.newest
        names = [] if newest is None or words[-1] != "(" else newest.names
    except PenstockError:
        return []
    if words[-1] == "(":
        return [_Offer(name, quote_text(name), "value", "signal") for name in names]
    if words[-1] != ",":
        return None
    kinds = [_Offer(kind, quote_text(kind), "value", f"{kind} of the signal") for kind in KINDS]
    return [*kinds, _Offer("run =>", "run => ", "keyword", "signal of a named run")]


def _classes(table: Table, tensor: str) -> Iterator[_Offer]:
    names = table.tensors[tensor].class_names
    if not names:
        return
    counts = class_counts_of(table, tensor)
    order = sorted(range(len(names)), key=lambda number: -counts[number])
    for number in order:
        yield _Offer(names[number], quote_text(names[number]), "class", f"{counts[number]:,}")


def _tensors(table: Table, *, quoted: bool = False) -> Iterator[_Offer]:
    for name in table.tensors:
        insert = '"' + name.replace('"', '""') + '"' if quoted else quote_name(name)
        yield _Offer(name, insert, "tensor", described_tensor(table, name))


def _functions() -> Iterator[_Offer]:
    for name, found in sorted(FUNCTIONS.items()):
        yield _Offer(
            name, f"{name}(" if found.at_most else f"{name}()", "function", f"{found.signature}: {found.summary}"
        )


def _constants(typed: str) -> Iterator[_Offer]:
    for word in ("true", "false", "null"):
        yield _Offer(word, _cased(word, typed, ""), "value", "")


def _after_sample_by(before: list[Token]) -> bool:
    return [token.word for token in before[-2:]] == ["SAMPLE", "BY"]


def _keywords(expected: Sequence[str], typed: str, text: str) -> Iterator[_Offer]:
    for word in expected:
        if word in KEYWORDS:
            whole = f"{word} BY" if word in _TWO_WORDS else word
            yield _Offer(whole, _cased(whole, typed, text) + " ", "keyword", "")
    if "an operator" in expected:
        for word in ("AND", "OR", "IN", "LIKE", "BETWEEN", "IS NULL", "NOT IN"):
            yield _Offer(word, _cased(word, typed, text) + " ", "keyword", "")


def _cased(word: str, typed: str, text: str) -> str:
    capital = typed.isupper() if typed else text[:6].isupper() and text[:6].isalpha()
    return word.upper() if capital else word.lower()
