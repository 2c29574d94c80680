"""Settling names and types: from the tree to something that can be evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from penstock._wording import nearest
from penstock.errors import QueryBindError, QueryEvaluationError
from penstock.tql.binding._pixels import over_pixels
from penstock.tql.binding._scope import Scope
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._conditions import tested
from penstock.tql.syntax._lexer import quote_text
from penstock.tql.values import _operations as ops
from penstock.tql.values._aligning import RowMismatchError
from penstock.tql.values._kinds import Type, described
from penstock.tql.values._relations import Bound, Frame, Stage
from penstock.tql.values._values import TEXT, Value, constant, scalar

__all__ = [
    "BOOL",
    "CASTS",
    "FLOAT",
    "INT",
    "JSON",
    "NULL",
    "TEXT_TYPE",
    "TIME",
    "Binder",
    "Parameters",
    "dtype_of",
    "rule",
]

Parameters = Mapping[str, Any] | Sequence[Any] | None
BOOL, INT, FLOAT = Type(kind="bool"), Type(kind="int"), Type(kind="float")
TEXT_TYPE, JSON, TIME, NULL = Type(kind="text"), Type(kind="json"), Type(kind="time"), Type(kind="null")
_DTYPES: dict[str, Any] = {
    "bool": np.bool_, "int": np.int64, "float": np.float64, "json": object, "time": "datetime64[us]", "text": TEXT,
}  # fmt: skip
CASTS = {
    **dict.fromkeys(("int", "integer", "bigint", "int64", "long"), INT),
    **dict.fromkeys(("float", "double", "float64", "real"), FLOAT),
    **dict.fromkeys(("text", "string", "varchar", "str"), TEXT_TYPE),
    **dict.fromkeys(("bool", "boolean"), BOOL),
    **dict.fromkeys(("timestamp", "date", "time"), TIME),
}
RULES: dict[type[ast.Node], Callable[[Binder, Any], Bound]] = {}


def rule(kind: type[ast.Node]) -> Callable[[Callable[[Binder, Any], Bound]], Callable[[Binder, Any], Bound]]:
    """Register how a kind of node is bound."""

    def register(function: Callable[[Binder, Any], Bound]) -> Callable[[Binder, Any], Bound]:
        RULES[kind] = function
        return function

    return register


class Binder:
    """Binds expressions in one scope.

    Parameters
    ----------
    scope : Scope
        The names there are.
    text : str
        The query, for errors.
    params : mapping or sequence, optional
        Values of ``$name`` and ``?``.
    assemble : callable
        Makes the stage of a query inside an expression.
    """

    grouped = False

    def __init__(
        self,
        scope: Scope,
        text: str,
        params: Parameters = None,
        assemble: Callable[[ast.Query], Stage] | None = None,
    ) -> None:
        self.scope = scope
        self.text = text
        self.params = params
        self.assemble = assemble
        self.num_random = 0
        self._bound: dict[int, tuple[ast.Expression, Bound]] = {}

    # -- making nodes ------------------------------------------------------------------

    def error(
        self,
        message: str,
        node: ast.Node,
        *,
        hint: str | None = None,
        fix: str | None = None,
        suggestion: str | None = None,
        related: tuple[tuple[int, int, str], ...] = (),
    ) -> QueryBindError:
        """Return an error about a node."""
        return QueryBindError(
            message, text=self.text, start=node.start, end=node.end, hint=hint, fix=fix, suggestion=suggestion,
            related=related,
        )  # fmt: skip

    def source(self, node: ast.Node) -> str:
        """Return the text a node came from."""
        return self.text[node.start : node.end]

    def make(
        self,
        node: ast.Node,
        type_: Type,
        compute: Callable[..., Value],
        key: str,
        *children: Bound,
        light: bool = False,
    ) -> Bound:
        """Return a node computed from its children; constants are folded, predicates memoised."""
        if children and all(child.constant is not None for child in children):
            return self._folded(node, type_, compute, key, children)
        return self._made(node, type_, _runner(compute, children, (node.start, node.end)), key, children, light=light)

    def steps(
        self,
        node: ast.Node,
        type_: Type,
        computes: Sequence[Callable[[Value, Value], Value]],
        key: str,
        children: Sequence[Bound],
        spans: Sequence[tuple[int, int]],
    ) -> Bound:
        """Return a chain computed step by step from the left, each child evaluated when its step comes."""

        def compute(*values: Value) -> Value:
            found = values[0]
            for step, value in zip(computes, values[1:], strict=True):
                found = step(found, value)
            return found

        if all(child.constant is not None for child in children):
            return self._folded(node, type_, compute, key, children)
        return self._made(node, type_, _stepper(computes, children, spans), key, children)

    def operands(
        self, node: ast.Binary, follows: Callable[[ast.Binary], bool]
    ) -> tuple[ast.Expression, list[ast.Binary]]:
        """Return the leftmost operand of a chain and its steps; what is bound as a whole is not taken apart."""
        return ast.chain(node, lambda step: follows(step) and (step is node or not self.is_whole(step)))

    def is_whole(self, node: ast.Expression) -> bool:  # noqa: ARG002  groups know some
        """Return whether an expression has its own value, like the keys of groups."""
        return False

    def _made(
        self,
        node: ast.Node,
        type_: Type,
        run: Callable[[Frame], Value],
        key: str,
        children: Sequence[Bound],
        *,
        light: bool = False,
    ) -> Bound:
        span = (node.start, node.end)
        pixels = any(child.pixels for child in children)
        if pixels and type_.rank == 0:
            run, pixels = over_pixels(run), False
        fields = tuple(dict.fromkeys(field for child in children for field in child.fields))
        stable = all(child.stable for child in children)
        return Bound(
            span=span,
            type=type_,
            run=run,
            key=f"{key}({','.join(child.key for child in children)})",
            fields=fields,
            stable=stable,
            pixels=pixels,
            memoised=type_ is BOOL and stable and bool(fields) and all(field.tensor for field in fields),
            light=light,
        )

    def _folded(
        self, node: ast.Node, type_: Type, compute: Callable[..., Value], key: str, children: Sequence[Bound]
    ) -> Bound:
        try:
            value = compute(*(child.constant for child in children))
        except RowMismatchError as error:
            raise self.error(f"arrays of {error.left} and {error.right} elements cannot be combined", node) from None
        keys = ",".join(child.key for child in children)
        return Bound(span=(node.start, node.end), type=type_, run=lambda _: value, key=f"{key}({keys})", constant=value)

    def constant(self, node: ast.Node, value: Any, type_: Type) -> Bound:
        """Return one value for all rows."""
        held = constant(value, _DTYPES.get(type_.kind))
        return Bound(span=(node.start, node.end), type=type_, run=lambda _: held, key=repr(value), constant=held)

    # -- expressions -------------------------------------------------------------------

    def bind(self, node: ast.Expression) -> Bound:
        """Return the node bound; raise QueryBindError on what cannot be."""
        # by id, since equal nodes stand at different places; the node is held, so that its id is not used again
        held = self._bound.get(id(node))
        if held is None:  # once: what is nested in BETWEEN or CASE would be bound twice a level
            held = self._bound[id(node)] = (node, RULES[type(node)](self, node))
        return held[1]

    def scalar(self, node: ast.Expression) -> Bound:
        """Return a node with one value per row; stored arrays of one element count as one value."""
        return self.as_scalar(self.bind(node))

    def as_scalar(self, bound: Bound) -> Bound:
        """Return an array that always has one element as that element."""
        if not bound.type.single or bound.type.rank == 0:
            return bound
        type_ = Type(kind=bound.type.kind, class_names=bound.type.class_names)
        return Bound(
            span=bound.span,
            type=type_,
            run=lambda frame: scalar(bound.value(frame)),
            key=bound.key,
            fields=bound.fields,
            stable=bound.stable,
            pixels=bound.pixels,
        )

    def one_value(self, node: ast.Expression, what: str) -> Bound:
        """Return a node that has one value per row; raise if it has more, naming `what`."""
        bound = self.scalar(node)
        if bound.type.rank:
            source = self.source(node)
            raise self.error(
                f"{what} needs one value in each row; {source} is {described(bound.type)}",
                node,
                hint=f"select an element, {source}[0], or reduce it: any({source}), max({source})",
            )
        return bound

    def condition(self, node: ast.Expression) -> Bound:
        """Return a node that is true or false in every row."""
        bound = self.truth(node)
        if bound.type.rank:
            raise self.ambiguous(self._culprit(node))
        return bound

    def truth(self, node: ast.Expression) -> Bound:
        """Return a node that can be true or false, element by element; who uses its value calls `truth`."""
        bound = self.scalar(node)
        if bound.type.kind == "null":
            return self.constant(node, False, BOOL)
        if not bound.type.numeric or bound.type.class_names is not None:
            joined = isinstance(node, ast.Binary) and node.operator == "||"
            raise self.error(
                f"{self.source(node)} is no condition: it holds {described(bound.type)}",
                node,
                hint="write OR between two conditions; || concatenates text"
                if joined
                else f"compare it: {self.source(node)} == ...",
            )
        return bound

    def _culprit(self, node: ast.Expression) -> ast.Expression:
        """Return the innermost comparison that has an array where one value is needed."""
        inner: list[ast.Expression] = []
        if isinstance(node, ast.Unary) and node.operator == "not":
            inner = [node.operand]
        elif isinstance(node, ast.Binary) and node.operator in {"and", "or"}:
            first, steps = ast.chain(node, lambda step: step.operator == node.operator)
            inner = [first, *(step.right for step in steps)]
        for child in inner:
            if self.truth(child).type.rank:
                return self._culprit(child)
        return node

    def ambiguous(self, node: ast.Expression) -> QueryBindError:
        """Return the error for a condition with several answers per row."""
        source = self.source(node)
        operand = tested(node)
        element = f"{self.source(operand)}[0]{self.text[operand.end : node.end]}"
        return self.error(
            f"ambiguous condition: {self.source(operand)} has several elements per row",
            node,
            hint=f"write any({source}), all_strict({source}) or {element}",
            fix=f"any({source})",
            suggestion=f"any({source})",
        )

    def literal_text(self, node: ast.Expression, what: str) -> str:
        """Return a node that must be a text constant."""
        bound = self.bind(node)
        if bound.constant is None or bound.type.kind != "text" or bound.type.rank:
            raise self.error(f"{what} must be text in single quotes", node)
        return str(bound.constant.data[0])

    def literal_int(self, node: ast.Expression, what: str) -> int:
        """Return a node that must be an integer constant."""
        bound = self.bind(node)
        if bound.constant is None or bound.type.kind != "int" or bound.type.rank or bound.type.class_names:
            raise self.error(f"{what} must be an integer", node)
        return int(bound.constant.data[0])

    def class_index(self, name: str, names: tuple[str, ...], node: ast.Node, where: str) -> int:
        """Return the index of a class name, or raise with the nearest; classes without names go by their numbers."""
        if name in names:
            return names.index(name)
        if not names and name.isascii() and name.isdigit():
            return int(name)
        like = nearest(name, names)
        shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        expected = f"Expected one of: {shown}" if names else "It has no classes yet"
        raise self.error(
            f"{name!r} is not a class of {where}. {expected}",
            node,
            hint=f"did you mean {quote_text(like)}?" if like else None,
            suggestion=like,
            fix=quote_text(like) if like else None,
        )

    def as_text(self, bound: Bound, node: ast.Node) -> Bound:
        """Return a value as text; class labels by their names."""
        if bound.type.class_names is not None:
            type_ = Type(kind="text", rank=bound.type.rank)
            return self.make(node, type_, ops.class_text(bound.type.class_names), "text", bound)
        if bound.type.kind == "text":
            return bound
        return self.make(node, Type(kind="text", rank=bound.type.rank), ops.as_text, "text", bound)

    def as_number(self, bound: Bound, node: ast.Node) -> Bound:
        """Return a node of numbers; JSON is converted, anything else raises an error."""
        if bound.type.numeric:
            return bound
        if bound.type.kind == "json":
            return self.make(node, Type(kind="float", rank=bound.type.rank), ops.json_number, "number", bound)
        if bound.type.kind == "null":
            return self.constant(node, None, FLOAT)
        raise self.error(f"{self.source(node)} is {described(bound.type)}. Expected a number", node)


def dtype_of(type_: Type) -> Any:
    """Return the dtype of elements of a type."""
    return _DTYPES.get(type_.kind, np.float64)


def _stepper(
    computes: Sequence[Callable[[Value, Value], Value]], children: Sequence[Bound], spans: Sequence[tuple[int, int]]
) -> Callable[[Frame], Value]:
    first, *others = children

    def run(frame: Frame) -> Value:
        found = first.value(frame)
        for compute, child, span in zip(computes, others, spans, strict=True):
            value = child.value(frame)
            try:
                found = compute(found, value)
            except RowMismatchError as error:
                raise _mismatch(error, frame, span) from None
        return found

    return run


def _mismatch(error: RowMismatchError, frame: Frame, span: tuple[int, int]) -> QueryEvaluationError:
    row = int(frame.source_rows()[error.row])
    message = f"arrays of {error.left} and {error.right} elements cannot be combined in row {row}"
    return frame.context.error(message, span)


def _runner(
    compute: Callable[..., Value], children: Sequence[Bound], span: tuple[int, int]
) -> Callable[[Frame], Value]:
    def run(frame: Frame) -> Value:
        values = [child.value(frame) for child in children]
        try:
            return compute(*values)
        except RowMismatchError as error:
            raise _mismatch(error, frame, span) from None

    return run
