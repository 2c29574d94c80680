"""Checks of what a browser sends: types, ranges and lengths, before anything is done with it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["BadRequestError", "Check", "OutdatedError", "array", "boolean", "check_arguments", "choice", "identity"]
__all__ += ["in_few_words", "integer", "mapping", "maybe", "number", "text"]

MAX_QUERY_CHARACTERS = 100_000
_LONG_NUMBER = 10**80
_INT64 = 2**63
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class BadRequestError(Exception):
    """The browser sent what the contract does not have."""


class OutdatedError(BadRequestError):
    """The browser speaks of a state that is no more."""


@dataclass(frozen=True, slots=True)
class Check:
    """How one argument is checked, and whether it may be left out."""

    read: Callable[[Any, str], Any]
    optional: bool = False


def in_few_words(value: object) -> str:
    """Return what was sent, short, whatever it is: numbers of any length, lists of any depth."""
    if isinstance(value, str):
        return repr(value[:80])
    if isinstance(value, (bool, float, type(None))):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if abs(value) < _LONG_NUMBER else "a number of more than 80 digits"
    size = f" of {len(value)} items" if isinstance(value, (list, tuple, Mapping)) else ""
    return f"a {type(value).__name__}{size}"


def _refuse(name: str, expected: str, value: object) -> BadRequestError:
    return BadRequestError(f"argument {name!r} must be {expected}, got {in_few_words(value)}")


def integer(low: int, high: int) -> Check:
    """Accept a whole number in [low, high]."""

    def read(value: Any, name: str) -> int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not low <= value <= high:
            raise _refuse(name, f"a whole number from {low} to {high}", value)
        return int(value)

    return Check(read)


def number(low: float, high: float) -> Check:
    """Accept a finite number in [low, high]."""

    def read(value: Any, name: str) -> float:
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not real or not low <= value <= high or not math.isfinite(value):
            raise _refuse(name, f"a number from {low:g} to {high:g}", value)
        return float(value)

    return Check(read)


def text(max_length: int = MAX_QUERY_CHARACTERS, *, pattern: str = r"(?s).*") -> Check:
    """Accept Unicode text of bounded length."""
    form = re.compile(pattern)

    def read(value: Any, name: str) -> str:
        if not isinstance(value, str) or _LONE_SURROGATE.search(value):
            raise _refuse(name, "text", value)
        if len(value) > max_length:
            raise _refuse(name, f"text of at most {max_length} characters", f"{len(value)} characters")
        if not form.fullmatch(value):
            raise _refuse(name, f"text like {pattern}", value)
        return value

    return Check(read)


def identity() -> Check:
    """Accept a uid: a whole number of 64 bits as decimal text, which a browser's numbers would round."""
    form = re.compile(r"-?[0-9]{1,19}")

    def read(value: Any, name: str) -> int:
        if not isinstance(value, str) or not form.fullmatch(value) or not -_INT64 <= int(value) < _INT64:
            raise _refuse(name, "a uid, a whole number of 64 bits as text", value)
        return int(value)

    return Check(read)


def choice(*options: str) -> Check:
    """Accept one of some words."""

    def read(value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in options:
            raise _refuse(name, f"one of {', '.join(options)}", value)
        return value

    return Check(read)


def boolean() -> Check:
    """Accept true and false."""

    def read(value: Any, name: str) -> bool:
        if not isinstance(value, bool):
            raise _refuse(name, "true or false", value)
        return value

    return Check(read)


def array(item: Check, max_length: int) -> Check:
    """Accept a list whose items pass one check."""

    def read(value: Any, name: str) -> list[Any]:
        if not isinstance(value, (list, tuple)) or len(value) > max_length:
            raise _refuse(name, f"a list of at most {max_length} items", value)
        return [item.read(element, f"{name}[{i}]") for i, element in enumerate(value)]

    return Check(read)


def mapping(**fields: Check) -> Check:
    """Accept an object with exactly some fields."""

    def read(value: Any, name: str) -> dict[str, Any]:
        return check_arguments(value, fields, where=f"argument {name!r}")

    return Check(read)


def maybe(check: Check) -> Check:
    """Accept what `check` accepts, null, or nothing at all."""
    return Check(lambda value, name: None if value is None else check.read(value, name), optional=True)


def check_arguments(arguments: Any, checks: Mapping[str, Check], *, where: str = "the request") -> dict[str, Any]:
    """Return the checked arguments, those left out as None.

    Raises
    ------
    BadRequestError
        If one is missing, unknown, of the wrong type or out of range.
    """
    if not isinstance(arguments, Mapping):
        raise BadRequestError(f"{where} must have named arguments, got {type(arguments).__name__}")
    unknown = sorted(str(name)[:40] for name in arguments if name not in checks)
    if unknown:
        raise BadRequestError(f"{where} has no argument {unknown[0]!r}; it has {', '.join(checks) or 'none'}")
    missing = [name for name, check in checks.items() if not check.optional and name not in arguments]
    if missing:
        raise BadRequestError(f"{where} is missing the argument {missing[0]!r}")
    return {name: check.read(arguments.get(name), name) for name, check in checks.items()}
