"""Parsing whole queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal as Choice
from typing import TypeVar

from penstock._wording import nearest
from penstock.errors import QuerySyntaxError
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._expressions import text_of
from penstock.tql.syntax._lexer import Token, tokenize
from penstock.tql.syntax._sources import SourceParser

__all__ = ["Parser", "expected_at", "parse", "parse_expression", "parse_weight"]

T = TypeVar("T")

_CLAUSES = (
    "SELECT", "FROM", "WHERE", "EXPAND", "GROUP", "HAVING", "UNGROUP", "UNION", "EXCEPT", "INTERSECT",
    "ORDER", "ARRANGE", "LIMIT", "OFFSET", "SAMPLE",
)  # fmt: skip
_WITH_BY = frozenset(("EXPAND", "GROUP", "UNGROUP", "ORDER", "ARRANGE", "SAMPLE"))
_COMBINE: dict[str, Choice["max", "sum", "product"]] = {
    "MAX_WEIGHT": "max", "SUM_WEIGHT": "sum", "PRODUCT_WEIGHT": "product",
}  # fmt: skip
_WEIGHT = "':' and a weight"
_NO_WEIGHTS = frozenset(("MIN_WEIGHT", "AVG_WEIGHT", "MEAN_WEIGHT"))  # near in letters to one that does another thing


class Parser(SourceParser):
    """The grammar of queries, clause by clause in their fixed order."""

    def statement(self) -> ast.Query:
        """Parse one whole query."""
        query = self.query()
        if self.accept(";") and self.token.kind != "end":
            self.error("expected a single statement, but something follows the ';'", self.token)
        self._end()
        return query

    def whole_expression(self) -> ast.Expression:
        """Parse a single expression."""
        expression = self.expression()
        self._end()
        return expression

    def whole_weight(self) -> ast.Sample:
        """Parse only the text after SAMPLE BY."""
        if self.accept("SAMPLE"):
            self.expect("BY")
        sample = self._sample(self.token.start)
        self.accept(";")
        self._end()
        return sample

    def query(self) -> ast.Query:
        """Parse WITH, body and tail."""
        start = self.token.start
        self.enter()
        tables = self._common_tables() if self.accept("WITH") else ()
        body = self._body()
        order = tuple(self._separated(self._order_key)) if self._clause("ORDER") else ()
        arrange = tuple(self._separated(self.expression)) if self._clause("ARRANGE") else ()
        limit = self.expression() if self._clause("LIMIT") else None
        offset = self.expression() if self._clause("OFFSET") else None
        sample_start = self.token.start
        sample = self._sample(sample_start) if self._clause("SAMPLE") else None
        self._misplaced()
        self.depth -= 1
        begin, end = self.source(start)
        return ast.Query(
            body=body, tables=tables, order=order, arrange=arrange, limit=limit, offset=offset, sample=sample,
            start=begin, end=end,
        )  # fmt: skip

    def _clause(self, word: str) -> Token | None:
        token = self.accept(word)
        if token is not None:
            self.last_clause = word
            if word in _WITH_BY:
                self.expect("BY")
        return token

    def _misplaced(self) -> None:
        word = self.token.word
        if word not in _CLAUSES or self.last_clause not in _CLAUSES:
            return
        if word in {"UNION", "EXCEPT", "INTERSECT"}:
            hint = f"write each query of a {word} in parentheses if it has {_named(self.last_clause)}"
            self.error(f"{word} cannot follow {_named(self.last_clause)}", self.token, hint=hint)
        before, after = _CLAUSES.index(word), _CLAUSES.index(self.last_clause)
        if word == "OFFSET" and self.last_clause == "SAMPLE":
            self.error("OFFSET cannot follow SAMPLE BY", self.token, hint="put the sampled query into a subquery")
        if before == after:
            self.error(f"{_named(word)} appears twice", self.token)
        if before < after and word != "SELECT":
            self.error(f"{_named(word)} must come before {_named(self.last_clause)}", self.token)

    def _end(self) -> None:
        if self.token.kind != "end":
            self._misplaced()
            if self.token.word == ";":
                self.error("expected a single statement", self.token)
            self.fail(*(_shown(word) for word in self.trace or ("the end of the query",)))

    def _separated(self, one: Callable[[], T]) -> Iterator[T]:
        yield one()
        while self.accept(","):
            yield one()

    def _common_tables(self) -> tuple[ast.CommonTable, ...]:
        return tuple(self._separated(self._common_table))

    def _common_table(self) -> ast.CommonTable:
        name = self.name("a name")
        self.expect("AS")
        opened = self.expect("(")
        query = self.query()
        end = self.expect(")", opened=opened).end
        return ast.CommonTable(name=text_of(name), query=query, start=name.start, end=end)

    def _body(self) -> ast.Select | ast.SetOperation | ast.Query:
        left = self._intersection()
        while (word := self.token.word) in {"UNION", "EXCEPT"}:
            self.advance()
            everything = self.accept("ALL") is not None
            operator: Choice["union", "except"] = "union" if word == "UNION" else "except"
            left = self._combined(operator, left, self._intersection(), everything)
        self.note("UNION", "EXCEPT")
        return left

    def _intersection(self) -> ast.Select | ast.SetOperation | ast.Query:
        left: ast.Select | ast.SetOperation | ast.Query = self._term()
        while self.accept("INTERSECT"):
            everything = self.accept("ALL") is not None
            left = self._combined("intersect", left, self._term(), everything)
        return left

    def _combined(
        self,
        operator: Choice["union", "except", "intersect"],
        left: ast.Select | ast.SetOperation | ast.Query,
        right: ast.Select | ast.SetOperation | ast.Query,
        everything: bool,
    ) -> ast.SetOperation:
        self.last_clause = ""
        return ast.SetOperation(
            operator=operator, left=left, right=right, all=everything, start=left.start, end=right.end
        )

    def _term(self) -> ast.Select | ast.Query:
        self.last_clause = ""
        opened = self.accept("(")
        if opened is None:
            return self._select()
        query = self.query()
        self.expect(")", opened=opened)
        self.last_clause = ""
        return query

    def _select(self) -> ast.Select:
        start = self.token.start
        if not self._clause("SELECT"):
            self.note("WITH")
            self.fail("SELECT", "WITH", "'('")
        distinct = self.accept("DISTINCT") is not None
        items = tuple(self._separated(self._item))
        source = self.sources() if self._clause("FROM") else None
        where = self.expression() if self._clause("WHERE") else None
        expand = self._expand() if self._clause("EXPAND") else None
        group, having = self._group()
        ungroup = self._ungroup() if self._clause("UNGROUP") else None
        begin, end = self.source(start)
        return ast.Select(
            items=items, distinct=distinct, source=source, where=where, expand=expand, group=group, having=having,
            ungroup=ungroup, start=begin, end=end,
        )  # fmt: skip

    def _item(self) -> ast.Item:
        start = self.token.start
        expression = self.expression()
        alias = text_of(self.name("a name")) if self.accept("AS") else None
        begin, end = self.source(start)
        return ast.Item(expression=expression, alias=alias, start=begin, end=end)

    def _expand(self) -> ast.Expand:
        start = self.tokens[self.at - 2].start
        before = self._count("the number of rows before")
        after = 0
        if self.accept(",") or self.token.kind == "number":
            after = self._count("the number of rows after")
        overlap = False
        if self.accept("OVERLAP"):
            overlap = self._flag()
        alias = text_of(self.name("a name")) if self.accept("AS") else None
        begin, end = self.source(start)
        return ast.Expand(before=before, after=after, overlap=overlap, alias=alias, start=begin, end=end)

    def _count(self, what: str) -> int:
        token = self.token
        if token.kind != "number" or not token.text.isdigit():
            self.fail(what)
        self._number(token)
        self.advance()
        return int(token.text)

    def _flag(self) -> bool:
        if self.accept("FALSE"):
            return False
        self.accept("TRUE")
        return True

    def _group(self) -> tuple[tuple[ast.Expression, ...], ast.Expression | None]:
        if not self._clause("GROUP"):
            if self.token.word == "HAVING":
                self.error("HAVING needs GROUP BY", self.token, hint="use WHERE to filter rows")
            return (), None
        keys = tuple(self._separated(self.expression))
        return keys, self.expression() if self._clause("HAVING") else None

    def _ungroup(self) -> ast.Ungroup:
        start = self.tokens[self.at - 2].start
        expression = None if self.accept("SPLIT") else self.expression()
        begin, end = self.source(start)
        return ast.Ungroup(expression=expression, start=begin, end=end)

    def _order_key(self) -> ast.OrderKey:
        expression = self.expression()
        descending = self.accept("DESC") is not None
        if not descending:
            self.accept("ASC")
        nulls_first = False
        if self.accept("NULLS"):
            nulls_first = self.accept("FIRST") is not None
            if not nulls_first and not self.accept("LAST"):
                self.fail("FIRST", "LAST")
        begin, end = self.source(expression.start)
        return ast.OrderKey(expression=expression, descending=descending, nulls_first=nulls_first, start=begin, end=end)

    def _sample(self, start: int) -> ast.Sample:
        weight = self._weight()
        replace = self._flag() if self.accept("REPLACE") else True
        limit, percent = None, False
        if self.accept("LIMIT"):
            limit = self.expression()
            percent = self.accept("PERCENT") is not None
        if self.token.word == "REPLACE":
            self.error("REPLACE must come before LIMIT", self.token)
        begin, end = self.source(start)
        return ast.Sample(weight=weight, replace=replace, limit=limit, percent=percent, start=begin, end=end)

    def _weight(self) -> ast.Weights | ast.Expression:
        combine = _COMBINE.get(self.token.word)
        if combine is None and self.token.word.endswith("_WEIGHT") and self.peek().word == "(":
            known = [name.lower() for name in _COMBINE]
            like = nearest(self.token.text, known) if self.token.word not in _NO_WEIGHTS else None
            hint = (
                f"did you mean {like}?"
                if like
                else "max_weight uses the greatest weight of the conditions that a row meets"
            )
            self.error(
                f"unknown weight function {self.token.text!r}. Expected one of: {', '.join(known)}", self.token,
                suggestion=like, fix=like, hint=hint,
            )  # fmt: skip
        if combine is None or self.peek().word != "(":
            self.note(*(name.lower() for name in _COMBINE))
            return self.expression()
        start = self.advance().start
        opened = self.advance()
        pairs: list[ast.Pair] = []
        cap = None
        while True:
            if self.token.word == "CAP" and self.peek().word == "=>":
                self.advance()
                self.advance()
                cap = self.expression()
            else:
                pairs.append(self._pair())
            if not self.accept(",") or self.token.word == ")":
                break
        if self.token.word != ")":
            self._list_fail(")", opened)
        if cap is not None and combine != "product":
            self.error(f"cap => can be used in product_weight, not in {combine}_weight", opened)
        end = self.advance().end
        return ast.Weights(combine=combine, pairs=tuple(pairs), cap=cap, start=start, end=end)

    def _pair(self) -> ast.Pair:
        start = self.token.start
        condition = self.expression()
        if isinstance(condition, ast.Call) and condition.name == "classes" and self.token.word != ":":
            return ast.Pair(condition=condition, weight=None, start=start, end=condition.end)
        if not self.accept(":"):
            self.fail(_WEIGHT)
        weight = self.expression()
        return ast.Pair(condition=condition, weight=weight, start=start, end=weight.end)


def _named(word: str) -> str:
    return f"{word} BY" if word in _WITH_BY else word


def _shown(word: str) -> str:
    return word if word[:1].isalpha() or word.startswith("'") else f"'{word}'"


def _parse(text: str, rule: Callable[[Parser], T]) -> T:
    tokens = tokenize(text)
    try:
        return rule(Parser(text, tokens))
    except QuerySyntaxError:
        return _explain(text, tokens, rule)
    except RecursionError:  # the caller's stack is already deep
        raise QuerySyntaxError("the query is nested too deeply to be parsed", text=text, start=0, end=1) from None


def _explain(text: str, tokens: list[Token], rule: Callable[[Parser], T]) -> T:
    return rule(Parser(text, tokens, trace=True))


def parse(text: str) -> ast.Query:
    r"""Parse a query.

    Parameters
    ----------
    text : str
        One TQL query; a trailing ``;`` is allowed.

    Returns
    -------
    Query
        The tree; equal queries return equal trees, except for spans.

    Raises
    ------
    QuerySyntaxError
        With line, column, span, what was expected and the nearest keyword.

    Examples
    --------
    >>> parse("select * where id > 1") == parse("SELECT *\nWHERE id > 1 -- later")
    True
    """
    return _parse(text, Parser.statement)


def parse_expression(text: str) -> ast.Expression:
    """Parse one expression, such as a clause of a sampling."""
    return _parse(text, Parser.whole_expression)


def parse_weight(text: str) -> ast.Sample:
    """Parse the text after SAMPLE BY; the words SAMPLE BY are optional."""
    return _parse(text, Parser.whole_weight)


def expected_at(text: str, rule: Callable[[Parser], object]) -> tuple[tuple[str, ...], int]:
    """Return what could follow `text`, and the depth of parentheses open there."""
    parser = Parser(text, trace=True)
    parser.tokens[-1] = parser.tokens[-1]._replace(kind="caret")
    try:
        rule(parser)
    except QuerySyntaxError as error:
        return tuple(parser.trace or error.expected), error.start
    return tuple(parser.trace or ()), len(text)
