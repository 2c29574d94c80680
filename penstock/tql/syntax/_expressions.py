"""Parsing expressions: operator precedence by binding power."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal as Choice
from typing import NoReturn

from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._cursor import Cursor
from penstock.tql.syntax._lexer import KEYWORDS, SOFT, Token

__all__ = ["ExpressionParser", "text_of"]

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _SIGN = range(1, 8)
_POWER = {
    "OR": _OR,
    "AND": _AND,
    **dict.fromkeys(("=", "==", "!=", "<>", "<", "<=", ">", ">=", "IN", "BETWEEN", "LIKE", "ILIKE", "IS"), _COMPARE),
    "NOT": _COMPARE,
    **dict.fromkeys(("+", "-", "||"), _ADD),
    **dict.fromkeys(("*", "/", "//", "%"), _MULTIPLY),
}
_NORMAL = {"==": "=", "<>": "!=", "AND": "and", "OR": "or"}
_NEGATABLE = frozenset(("IN", "BETWEEN", "LIKE", "ILIKE"))
_LARGEST = 2**63 - 1
_CONSTANTS: dict[str, tuple[Choice["bool", "null"], bool | None]] = {
    "TRUE": ("bool", True),
    "FALSE": ("bool", False),
    "NULL": ("null", None),
}
_OPERATORS = ("an operator",)
# an atom before one of these is the whole expression: no operator, call or index can follow
_ATOMS = frozenset(("name", "quoted", "number", "string"))
_AFTER_ATOM = frozenset((",", ")", ":", "]"))


def text_of(token: Token) -> str:
    """Return what a name or string token means, quotes taken off."""
    if token.kind == "string":
        return token.text[1:-1].replace("''", "'")
    return token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text


class ExpressionParser(Cursor):
    """Expressions of section "grammar": OR < AND < NOT < comparison < + < * < sign < [] < call."""

    def expression(self, floor: int = _OR) -> ast.Expression:
        """Parse an expression whose operators bind at least as tightly as `floor`."""
        if self.trace is None and self.token.kind in _ATOMS and self.tokens[self.at + 1].word in _AFTER_ATOM:
            return self._primary()
        depth = self.depth
        self.enter()
        left = self._not() if self.token.word == "NOT" and floor <= _NOT else self._signed()
        while (power := self._infix_power(floor)) is not None:
            left = self._infix(left, power)
        self.depth = depth
        return left

    def query(self) -> ast.Query:
        """Parse a query; the statement parser says how."""
        raise NotImplementedError

    def _infix_power(self, floor: int) -> int | None:
        self.note(*_OPERATORS)
        word = self.token.word
        power = _POWER.get(word)
        if power is None or power < floor or (word == "NOT" and self.peek().word not in _NEGATABLE):
            return None
        return power

    def _infix(self, left: ast.Expression, power: int) -> ast.Expression:
        if power == _COMPARE:
            return self._comparison(left)
        word = self.advance().word
        right = self.expression(power + 1)
        return ast.Binary(operator=_NORMAL.get(word, word), left=left, right=right, start=left.start, end=right.end)

    def _not(self) -> ast.Expression:
        start = self.advance().start
        operand = self.expression(_NOT)
        return ast.Unary(operator="not", operand=operand, start=start, end=operand.end)

    def _comparison(self, left: ast.Expression) -> ast.Expression:
        negated = self.accept("NOT") is not None
        word = self.advance().word
        compared: ast.Expression
        if word == "IN":
            compared = self._in(left, negated=negated)
        elif word == "BETWEEN":
            low = self.expression(_ADD)
            self.expect("AND", what="AND and the upper bound")
            high = self.expression(_ADD)
            compared = ast.Between(operand=left, low=low, high=high, negated=negated, start=left.start, end=high.end)
        elif word in {"LIKE", "ILIKE"}:
            pattern = self.expression(_ADD)
            compared = ast.Like(
                operand=left,
                pattern=pattern,
                ignore_case=word == "ILIKE",
                negated=negated,
                start=left.start,
                end=pattern.end,
            )
        elif word == "IS":
            negated = self.accept("NOT") is not None
            end = self.expect("NULL").end
            compared = ast.IsNull(operand=left, negated=negated, start=left.start, end=end)
        else:
            right = self.expression(_ADD)
            compared = ast.Binary(
                operator=_NORMAL.get(word, word), left=left, right=right, start=left.start, end=right.end
            )
        if _POWER.get(self.token.word) == _COMPARE and (self.token.word != "NOT" or self.peek().word in _NEGATABLE):
            side = compared.right if isinstance(compared, ast.Binary) else None
            joined = isinstance(side, ast.Binary) and side.operator == "||"
            hint = (
                "write OR between two conditions; || concatenates text" if joined else "join two comparisons with AND"
            )
            self.error("comparisons cannot be chained", self.token, hint=hint)
        return compared

    def _in(self, left: ast.Expression, *, negated: bool) -> ast.Expression:
        if self.token.word in {"[", "ARRAY"} or self.token.kind == "parameter":
            array = self._postfix()
            items = array.items if isinstance(array, ast.Array) else (array,)
            return ast.InList(operand=left, items=items, negated=negated, start=left.start, end=array.end)
        opened = self.expect("(", what="'(' and a list of values")
        if self._at_query():
            query = self.query()
            end = self.expect(")", opened=opened).end
            return ast.InQuery(operand=left, query=query, negated=negated, start=left.start, end=end)
        items = self._list(")", opened)
        end = self.expect(")", opened=opened).end
        return ast.InList(operand=left, items=items, negated=negated, start=left.start, end=end)

    def _at_query(self) -> bool:
        ahead = 0
        while self.peek(ahead).word == "(":
            ahead += 1
        return self.peek(ahead).word in {"SELECT", "WITH"}

    def _list(self, closing: str, opened: Token) -> tuple[ast.Expression, ...]:
        items = [self.expression()]
        while self.accept(","):
            items.append(self.expression())
        if self.token.word != closing:
            self._list_fail(closing, opened)
        return tuple(items)

    def _list_fail(self, closing: str, opened: Token) -> NoReturn:
        self.note(",", closing)
        related = ((opened.start, opened.end, f"'{opened.text}' opened"),)
        self.fail("','", f"'{closing}'", related=related)

    def _signed(self) -> ast.Expression:
        if self.token.word in {"-", "+"}:
            depth = self.depth
            self.enter()
            sign = self.advance()
            operand = self._signed()
            self.depth = depth
            return ast.Unary(operator=sign.word, operand=operand, start=sign.start, end=operand.end)
        return self._postfix()

    def _postfix(self) -> ast.Expression:
        value = self._primary()
        depth = self.depth
        while self.token.word == "[":
            self.enter()
            opened = self.advance()
            items = [self._index()]
            while self.accept(","):
                items.append(self._index())
            end = self.expect("]", opened=opened).end
            value = ast.Index(operand=value, items=tuple(items), start=value.start, end=end)
        self.depth = depth
        return value

    def _index(self) -> ast.Expression | ast.Slice:
        start = self.token.start
        first = None if self.token.word == ":" else self.expression()
        if first is not None and not self.accept(":"):
            return first
        if first is None:
            self.advance()
        stop = None if self.token.word in {":", ",", "]"} else self.expression()
        step = None
        if self.accept(":") and self.token.word not in {",", "]"}:
            step = self.expression()
        begin, end = self.source(start)
        return ast.Slice(first=first, stop=stop, step=step, start=begin, end=end)

    def _primary(self) -> ast.Expression:  # noqa: PLR0911  one return a kind of token
        token = self.token
        if token.kind == "number":
            return self._number(self.advance())
        if token.kind == "string":
            self.advance()
            return ast.Literal(kind="text", value=text_of(token), start=token.start, end=token.end)
        if token.kind == "parameter":
            return self._parameter(self.advance())
        if token.kind == "op":
            return self._bracketed(token)
        if token.kind == "name":
            found = self._keyword_primary(token)
            if found is not None:
                return found
        if token.kind == "quoted" or (token.kind == "name" and (token.word not in KEYWORDS or token.word in SOFT)):
            return self._named(self.advance())
        self.note("an expression")
        return self.fail("an expression")

    def _parameter(self, token: Token) -> ast.Expression:
        name = token.text[1:]
        if not name:
            name = str(self.parameters)
            self.parameters += 1
        return ast.Parameter(name=name, start=token.start, end=token.end)

    def _number(self, token: Token) -> ast.Expression:
        if token.text.isdigit():
            if len(token.text) > len(str(_LARGEST)) or int(token.text) > _LARGEST:
                self.error(f"the number {token.text[:24]} is too large. Expected at most {_LARGEST}", token)
            return ast.Literal(kind="int", value=int(token.text), start=token.start, end=token.end)
        value = float(token.text)
        if math.isinf(value):
            self.error(f"the number {token.text[:24]} is too large", token)
        return ast.Literal(kind="float", value=value, start=token.start, end=token.end)

    def _bracketed(self, token: Token) -> ast.Expression:
        if token.word == "(":
            return self._parenthesised()
        if token.word == "[":
            return self._array(token.start)
        if token.word == "*":
            self.advance()
            return ast.Star(start=token.start, end=token.end)
        self.note("an expression")
        return self.fail("an expression")

    def _parenthesised(self) -> ast.Expression:
        opened = self.token
        if self.peek().word in {"SELECT", "WITH"}:
            self.advance()
            query = self.query()
            end = self.expect(")", opened=opened).end
            return ast.Subquery(query=query, start=opened.start, end=end)
        self.advance()
        inside = self.expression()
        end = self.expect(")", opened=opened).end
        return replace(inside, start=opened.start, end=end)

    def _array(self, start: int) -> ast.Expression:
        opened = self.expect("[")
        items = () if self.token.word == "]" else self._list("]", opened)
        end = self.expect("]", opened=opened).end
        return ast.Array(items=items, start=start, end=end)

    def _keyword_primary(self, token: Token) -> ast.Expression | None:  # noqa: PLR0911  one return a keyword
        word, following = token.word, self.peek()
        if word in _CONSTANTS:
            self.advance()
            kind, value = _CONSTANTS[word]
            return ast.Literal(kind=kind, value=value, start=token.start, end=token.end)
        if word == "CASE":
            return self._case()
        if word == "CAST" and following.word == "(":
            return self._cast()
        if word == "ALL" and following.word == "(":
            return self._call(self.advance())
        if word == "ARRAY" and following.word == "[":
            self.advance()
            return self._array(token.start)
        if word in {"TIMESTAMP", "DATE"} and following.kind == "string":
            self.advance()
            value_token = self.advance()
            when: Choice["timestamp", "date"] = "timestamp" if word == "TIMESTAMP" else "date"
            return ast.Literal(kind=when, value=text_of(value_token), start=token.start, end=value_token.end)
        return None

    def _named(self, token: Token) -> ast.Expression:
        if self.token.word == "(" and token.kind == "name":
            return self._call(token)
        parts = [text_of(token)]
        while self.token.word == ".":
            self.advance()
            if self.token.word == "*":
                self.error("a source's name before * is not supported. Use * to select all columns", self.token)
            parts.append(text_of(self.name("a name")))
        begin, end = self.source(token.start)
        return ast.Column(parts=tuple(parts), start=begin, end=end)

    def _call(self, token: Token) -> ast.Expression:
        opened = self.advance()
        distinct = self.accept("DISTINCT") is not None
        arguments: list[ast.Expression] = []
        named: list[tuple[str, ast.Expression]] = []
        while self.token.word != ")" or distinct:
            if self.peek().word == "=>":
                token_of_name = self.name("a name")
                name = token_of_name.text.lower()
                if name in dict(named):
                    self.error(f"{name} is given twice", token_of_name)
                self.advance()
                named.append((name, self.expression()))
            else:
                arguments.append(self.expression())
            if not self.accept(","):
                break
        if self.token.word != ")":
            self._list_fail(")", opened)
        end = self.advance().end
        return ast.Call(
            name=token.text.lower(),
            arguments=tuple(arguments),
            named=tuple(named),
            distinct=distinct,
            start=token.start,
            end=end,
            name_end=token.end,
        )

    def _case(self) -> ast.Expression:
        opened = self.advance()
        operand = None if self.token.word == "WHEN" else self.expression()
        branches = []
        self.expect("WHEN")
        while True:
            condition = self.expression()
            self.expect("THEN")
            branches.append((condition, self.expression()))
            if not self.accept("WHEN"):
                break
        default = self.expression() if self.accept("ELSE") else None
        end = self.expect("END", opened=opened).end
        return ast.Case(operand=operand, branches=tuple(branches), default=default, start=opened.start, end=end)

    def _cast(self) -> ast.Expression:
        token = self.advance()
        opened = self.advance()
        operand = self.expression()
        self.expect("AS")
        type_name = self.name("a type").text.lower()
        end = self.expect(")", opened=opened).end
        return ast.Cast(operand=operand, type=type_name, start=token.start, end=end)
