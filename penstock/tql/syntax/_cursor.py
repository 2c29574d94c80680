"""A cursor over tokens, and errors about unexpected ones."""

from __future__ import annotations

from typing import NoReturn

from penstock._wording import nearest
from penstock.errors import QuerySyntaxError
from penstock.tql.syntax._lexer import KEYWORDS, SOFT, Token, tokenize

__all__ = ["MAX_DEPTH", "Cursor"]

MAX_DEPTH = 100
_SHOWN = 8
_LIKE_KEYWORD = 3


class Cursor:
    """Tokens of one text and a place among them.

    With `trace`, everything that was asked for at the furthest token is kept:
    the expected set of an error and of completion.
    """

    def __init__(self, text: str, tokens: list[Token] | None = None, *, trace: bool = False) -> None:
        self.text = text
        self.tokens = tokenize(text) if tokens is None else tokens
        self.at = 0
        self.token = self.tokens[0]
        self.depth = 0
        self.parameters = 0
        self.trace: dict[str, None] | None = {} if trace else None
        self.last_clause = ""

    def advance(self) -> Token:
        """Return the current token and step past it."""
        token = self.token
        if token.kind != "end":
            self.at += 1
            self.token = self.tokens[self.at]
            if self.trace:
                self.trace.clear()
        return token

    def peek(self, ahead: int = 1) -> Token:
        """Return a later token without moving."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else self.tokens[-1]

    def note(self, *expected: str) -> None:
        """Record what could stand here."""
        if self.trace is not None:
            self.trace.update(dict.fromkeys(expected))

    def accept(self, word: str) -> Token | None:
        """Step past `word` if it is next."""
        token = self.token
        if token.word == word:  # never the end's, which has none
            self.at += 1
            self.token = self.tokens[self.at]
            if self.trace:
                self.trace.clear()
            return token
        if self.trace is not None:
            self.trace[word] = None
        return None

    def expect(self, word: str, *, what: str = "", opened: Token | None = None) -> Token:
        """Step past `word`, or fail."""
        found = self.accept(word)
        if found is None:
            related = ((opened.start, opened.end, f"'{opened.text}' opened here"),) if opened else ()
            self.fail(what or _shown(word), related=related)
        return found

    def name(self, what: str) -> Token:
        """Step past a name, or fail."""
        token = self.token
        if token.kind == "quoted" or (token.kind == "name" and (token.word not in KEYWORDS or token.word in SOFT)):
            return self.advance()
        self.note(what)
        return self.fail(what)

    def enter(self, levels: int = 1) -> None:
        """Count one level of nesting."""
        self.depth += levels
        if self.depth > MAX_DEPTH:
            self.error(f"the query is nested more than {MAX_DEPTH} levels deep", self.token)

    def source(self, start: int) -> tuple[int, int]:
        """Return the span from `start` to the last token passed."""
        return start, self.tokens[self.at - 1].end if self.at else start

    def error(self, message: str, token: Token, **facts: object) -> NoReturn:
        """Raise a QuerySyntaxError at a token."""
        end = max(token.end, token.start + (token.kind != "end"))
        raise QuerySyntaxError(message, text=self.text, start=token.start, end=end, **facts)  # type: ignore[arg-type]  # facts are TQLError's own keywords

    def fail(self, *expected: str, related: tuple[tuple[int, int, str], ...] = ()) -> NoReturn:
        """Raise an error: the current token is not valid here."""
        token = self.token
        found = "the end of the query" if token.kind == "end" else f"{token.text!r}"
        wanted = _sentence(expected)
        words = {word for word in self.trace or expected if word in KEYWORDS}
        like = _like_keyword(token, words)
        place = "".join(f", {note} (column {self._column(start)})" for start, _, note in related)
        hint = f"did you mean {like}?" if like else self._keyword_hint(token)
        self.error(
            f"expected {wanted}, found {found}{place}",
            token,
            expected=tuple(expected),
            suggestion=like,
            fix=like,
            hint=hint,
            related=related,
        )

    def _column(self, position: int) -> int:
        return position - (self.text.rfind("\n", 0, position) + 1) + 1

    def _keyword_hint(self, token: Token) -> str | None:
        reserved = token.kind == "name" and token.word in KEYWORDS and token.word not in SOFT
        if reserved and self.peek().word in {"=", "==", "!=", "<>", "<", "<=", ">", ">=", ",", "["}:
            return f'{token.word} is a keyword. To name a column, write "{token.text}"'
        return None


def _like_keyword(token: Token, words: set[str]) -> str | None:
    if token.kind != "name" or token.word in words or len(token.word) < _LIKE_KEYWORD:
        return None
    return nearest(token.word, sorted(words))


def _shown(word: str) -> str:
    return word if word.isalpha() else f"'{word}'"


def _sentence(expected: tuple[str, ...]) -> str:
    shown = [*expected[:_SHOWN], *(["…"] if len(expected) > _SHOWN else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
