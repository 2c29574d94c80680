"""The functions of the language: the registry, how a call is bound, and custom functions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, overload

import numpy as np

from penstock._wording import nearest
from penstock.errors import PenstockError, QueryBindError
from penstock.tql.binding._binder import Binder, rule
from penstock.tql.binding._pixels import over_pixels
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import KEYWORDS
from penstock.tql.values._kinds import Type
from penstock.tql.values._relations import Bound, Frame
from penstock.tql.values._values import TEXT, Value, expand_rows, to_ragged

__all__ = ["AGGREGATES", "FUNCTIONS", "Function", "builtin", "function"]

Bind = Callable[[Binder, ast.Call], Bound]
UserFunction = TypeVar("UserFunction", bound=Callable[..., Any])
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RETURNS: dict[str, Any] = {"bool": np.bool_, "int": np.int64, "float": np.float64, "text": TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function: its name, its signature, and one line about what it does."""

    name: str
    signature: str
    summary: str
    bind: Bind
    at_least: int
    at_most: int
    aggregate: bool = False
    user: bool = False


FUNCTIONS: dict[str, Function] = {}
AGGREGATES = frozenset(("sum", "avg", "mean", "min", "max", "amin", "amax", "prod", "std", "var", "count", "unique"))
_WEIGHTS = frozenset(("max_weight", "sum_weight", "product_weight", "classes"))
_MANY = 1_000_000


def builtin(signature: str, summary: str) -> Callable[[Bind], Bind]:
    """Register a function of the language; the signature gives its name and arguments."""
    name, _, inside = signature.rstrip(")").partition("(")
    required, _, optional = inside.partition("[")
    least = len([part for part in required.split(",") if part.strip(" .")])
    extra = _MANY if "..." in inside else len([part for part in optional.split(",") if part.strip(" ]")])

    def register(bind: Bind) -> Bind:
        FUNCTIONS[name] = Function(
            name=name, signature=signature, summary=summary, bind=bind, at_least=least, at_most=least + extra,
            aggregate=name in AGGREGATES,
        )  # fmt: skip
        return bind

    return register


@rule(ast.Call)
def _call(binder: Binder, node: ast.Call) -> Bound:
    found = FUNCTIONS.get(node.name)
    if found is None:
        raise _unknown(binder, node)
    count = len(node.arguments)
    if not found.at_least <= count <= found.at_most:
        if found.at_least == found.at_most:
            takes = f"{found.at_least} argument{'s' * (found.at_least != 1)}"
        else:
            takes = (
                f"{found.at_least} to {found.at_most} arguments"
                if found.at_most < _MANY
                else f"at least {found.at_least}"
            )
        raise binder.error(
            f"{node.name} takes {takes}, but {count} {'was' if count == 1 else 'were'} given",
            node,
            hint=found.signature,
        )
    if node.distinct and node.name not in {"count", "unique"}:
        raise binder.error(f"DISTINCT can be used in count(distinct x), not in {node.name}", node)
    for name, value in node.named:
        if not ((name == "axis" and "axis" in found.signature) or f"{name} =>" in found.signature):
            raise binder.error(f"{node.name} has no argument {name!r}", value, hint=found.signature)
    return found.bind(binder, node)


def _unknown(binder: Binder, node: ast.Call) -> QueryBindError:
    span = ast.Node(start=node.start, end=node.name_end)
    if node.name in _WEIGHTS:
        return binder.error(f"{node.name}(...) can be used only after SAMPLE BY", span)
    like = nearest(node.name, FUNCTIONS)
    hint = f"did you mean {like}?" if like else f"functions are {', '.join(sorted(FUNCTIONS)[:12])}, …"
    return binder.error(f"unknown function {node.name!r}", span, hint=hint, suggestion=like, fix=like)


Returns = Literal["bool", "int", "float", "text"]


@overload
def function(target: UserFunction) -> UserFunction: ...
@overload
def function(*, name: str | None = None, returns: Returns = "float") -> Callable[[UserFunction], UserFunction]: ...
def function(
    target: UserFunction | None = None, *, name: str | None = None, returns: Returns = "float"
) -> UserFunction | Callable[[UserFunction], UserFunction]:
    """Register a vectorized function for use in queries.

    Parameters
    ----------
    target : callable
        Takes one argument per TQL argument: an ndarray of shape (num_rows,) if
        the argument is one value per row, a `Ragged` if it is an array. Returns
        an ndarray of shape (num_rows,).
    name : str, optional
        Name in queries; by default the name of the function.
    returns : {"float", "int", "bool", "text"}
        What the function returns.

    Returns
    -------
    callable
        The function itself.

    Raises
    ------
    ValueError
        If the name is already in use, reserved or not valid, or `returns` is not one of the four.

    Examples
    --------
    >>> @function
    ... def doctest_half(x):
    ...     return x / 2
    >>> from penstock.table import ArrayTable
    >>> from penstock.tql import run
    >>> run("select * where doctest_half(a) > 1", ArrayTable({"a": [1, 2, 3]})).selection.rows.tolist()
    [2]
    """
    if target is None:
        return lambda decorated: _register(decorated, name or decorated.__name__, returns)
    return _register(target, name or target.__name__, returns)


def _register(target: UserFunction, name: str, returns: Returns) -> UserFunction:
    lowered = name.lower()
    if not _NAME.match(name) or name.upper() in KEYWORDS:
        raise ValueError(f"{name!r} is reserved or not a valid function name. Expected letters, digits and _")
    if returns not in _RETURNS:
        raise ValueError(f"returns={returns!r} is not valid. Expected one of: {', '.join(_RETURNS)}")
    known = FUNCTIONS.get(lowered)
    if known is not None or lowered in _WEIGHTS:
        raise ValueError(f"the function {lowered!r} already exists. Pass another name=")
    parameters = inspect.signature(target).parameters.values()
    least = sum(each.default is each.empty and each.kind <= each.POSITIONAL_OR_KEYWORD for each in parameters)
    most = sum(each.kind <= each.POSITIONAL_OR_KEYWORD for each in parameters)
    if any(each.kind == each.VAR_POSITIONAL for each in parameters):
        most = _MANY
    FUNCTIONS[lowered] = Function(
        name=lowered,
        signature=f"{lowered}({', '.join(each.name for each in parameters)})",
        summary=(inspect.getdoc(target) or "yours").split("\n", 1)[0],
        bind=lambda binder, node: _bind_user(binder, node, target, returns),
        at_least=least,
        at_most=most,
        user=True,
    )
    return target


def _bind_user(binder: Binder, node: ast.Call, target: Callable[..., Any], returns: Returns) -> Bound:
    children = [binder.scalar(argument) for argument in node.arguments]
    span = (node.start, node.end)

    def run(frame: Frame) -> Value:
        arguments = [_handed(child, frame) for child in children]
        try:
            result = np.asarray(target(*arguments))
        except PenstockError:
            raise
        except Exception as error:
            message = f"{node.name} failed: {type(error).__name__}: {error}"
            raise frame.context.error(message, span) from error
        return Value(data=_checked(result, frame, node.name, returns, span))

    pixels = any(child.pixels for child in children)
    return Bound(
        span=span,
        type=Type(kind=returns),
        run=over_pixels(run) if pixels else run,
        key=f"user {node.name}({','.join(child.key for child in children)})",  # a name stands for one function
        fields=tuple(dict.fromkeys(field for child in children for field in child.fields)),
        stable=False,
    )


def _handed(child: Bound, frame: Frame) -> Any:
    value = expand_rows(child.value(frame), frame.num_rows)
    if value.offsets is not None:
        return to_ragged(value, frame.num_rows, child.type.class_names)
    if value.valid is not None and value.data.dtype.kind == "f":
        return np.where(value.valid, value.data, np.nan)
    return value.data


def _checked(result: Any, frame: Frame, name: str, returns: Returns, span: tuple[int, int]) -> Any:
    if result.shape != (frame.num_rows,):
        message = f"{name} returned shape {result.shape}. Expected ({frame.num_rows},), one value per row"
        raise frame.context.error(message, span)
    try:
        return result.astype(_RETURNS[returns])
    except (TypeError, ValueError) as error:
        message = f"{name} returned {result.dtype}, but it is registered as {returns}"
        raise frame.context.error(message, span) from error
