"""Parsing FROM: datasets, queries, joins."""

from __future__ import annotations

from typing import Literal as Choice

from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._cursor import MAX_DEPTH
from penstock.tql.syntax._expressions import ExpressionParser, text_of

__all__ = ["SourceParser"]

_JOINS: dict[str, Choice["inner", "left", "right", "full", "cross"]] = {
    "JOIN": "inner", "INNER": "inner", "LEFT": "left", "RIGHT": "right", "FULL": "full", "CROSS": "cross",
}  # fmt: skip


class SourceParser(ExpressionParser):
    """The sources after FROM."""

    def sources(self) -> ast.Source:
        """Parse one source and the joins behind it."""
        left: ast.Source = self._one_source()
        joined = 1
        while (word := self.token.word) in _JOINS:
            joined += 1
            if joined > MAX_DEPTH:
                self.error(f"FROM joins too many sources. Expected at most {MAX_DEPTH}", self.token)
            self.advance()
            kind = _JOINS[word]
            if word in {"LEFT", "RIGHT", "FULL"}:
                self.accept("OUTER")
            if word != "JOIN":
                self.expect("JOIN")
            left = self._join(kind, left)
        if self.token.kind == "name" and self.token.word == "NATURAL":
            self.error("NATURAL JOIN is not supported", self.token, hint="write join … using (id), or join … on …")
        if self.token.word == ",":
            self.error("sources cannot be joined by a comma", self.token, hint="write JOIN ... ON, or CROSS JOIN")
        self.note("JOIN", *_JOINS)
        return left

    def _join(self, kind: Choice["inner", "left", "right", "full", "cross"], left: ast.Source) -> ast.Join:
        right = self._one_source()
        on, using = None, None
        if kind != "cross":
            if self.accept("ON"):
                on = self.expression()
            elif self.accept("USING"):
                if self.token.word != "(":
                    self.error("USING needs a column in parentheses", self.token, hint="write using (id)")
                opened = self.advance()
                using = text_of(self.name("a column"))
                if self.token.word == ",":
                    hint = f"write on a.{using} = b.{using} and …"
                    self.error("USING takes only one column", self.token, hint=hint)
                self.expect(")", opened=opened)
            else:
                self.fail("ON", "USING")
        begin, end = self.source(left.start)
        return ast.Join(kind=kind, left=left, right=right, on=on, using=using, start=begin, end=end)

    def _one_source(self) -> ast.TableSource | ast.QuerySource:
        start = self.token.start
        if opened := self.accept("("):
            clause = self.last_clause
            query = self.query()
            self.last_clause = clause
            self.expect(")", opened=opened)
            alias = self._source_alias()
            begin, end = self.source(start)
            return ast.QuerySource(query=query, alias=alias, start=begin, end=end)
        name = self.name("a dataset's name or '('")
        at = None
        if self.token.word == "AT" and self.peek().kind == "string":
            self.advance()
            at = text_of(self.advance())
        else:
            self.note("AT")
        alias = self._source_alias()
        begin, end = self.source(start)
        return ast.TableSource(name=text_of(name), at=at, alias=alias, start=begin, end=end)

    def _source_alias(self) -> str | None:
        return text_of(self.name("a name")) if self.accept("AS") else None
