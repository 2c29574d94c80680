"""Python source with lines of at most 100 characters, of calls whose arguments are literals."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["WIDTH", "Name", "call_text", "comment_text", "value_text"]

WIDTH = 100
_INDENT = 4


class Name(str):
    """A variable: written as it is, not as text in quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def call_text(
    opening: str, arguments: Sequence[Any] = (), options: Iterable[tuple[str, Any]] = (), indent: int = 0
) -> str:
    """Return a call: on one line where it fits, else with an argument on each line.

    Parameters
    ----------
    opening : str
        What stands before the parenthesis.
    arguments : sequence
        Positional arguments.
    options : iterable of (str, object)
        Arguments by name.
    indent : int
        Spaces before each line.

    Examples
    --------
    >>> print(call_text("dataset.query", ["select *"], {"seed": 7}.items()))
    dataset.query('select *', seed=7)
    >>> print(call_text("f", ["abc " * 30]))
    f(
        'abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc abc '
        'abc abc abc abc abc abc abc ',
    )
    """
    named = [("", value) for value in arguments] + [(f"{name}=", value) for name, value in options]
    flat = f"{' ' * indent}{opening}({', '.join(f'{name}{value!r}' for name, value in named)})"
    if len(flat) <= WIDTH:
        return flat
    inner = indent + _INDENT
    parts = [_fitted(name, value, inner) for name, value in named]
    return "\n".join([f"{' ' * indent}{opening}(", *(f"{part}," for part in parts), f"{' ' * indent})"])


def comment_text(text: str) -> str:
    """Return a comment, wrapped; what an arrow joins stays on one line."""
    joined = text.replace(" → ", "\xa0→\xa0")
    return textwrap.fill(joined, WIDTH, initial_indent="# ", subsequent_indent="#   ").replace("\xa0→\xa0", " → ")


def value_text(opening: str, value: Any) -> str:
    """Return what is given with a literal after it, over several lines where one would be too long."""
    return _fitted(opening, value, 0)


def _fitted(name: str, value: Any, indent: int) -> str:
    """Return ``name=value`` with its indentation, over several lines where one would be too long."""
    flat = f"{' ' * indent}{name}{value!r}"
    if len(flat) < WIDTH:
        return flat
    if isinstance(value, str) and not isinstance(value, Name):
        return _string(name, value, indent)
    if isinstance(value, Mapping):
        items = [_fitted(f"{key!r}: ", one, indent + _INDENT) for key, one in value.items()]
        return _bracketed(name, "{}", items, indent)
    if isinstance(value, list | tuple):
        if all(isinstance(one, int | float) for one in value):
            return _numbers(name, value, indent)
        items = [_fitted("", one, indent + _INDENT) for one in value]
        return _bracketed(name, "[]" if isinstance(value, list) else "()", items, indent)
    return flat


def _bracketed(name: str, brackets: str, items: list[str], indent: int) -> str:
    space = " " * indent
    return "\n".join([f"{space}{name}{brackets[0]}", *(f"{item}," for item in items), f"{space}{brackets[1]}"])


def _numbers(name: str, values: Sequence[Any], indent: int) -> str:
    left, right = "[]" if isinstance(values, list) else "()"
    space = " " * (indent + _INDENT)
    lines = textwrap.fill(
        ", ".join(map(repr, values)) + ",", WIDTH, initial_indent=space, subsequent_indent=space, break_on_hyphens=False
    )
    return f"{' ' * indent}{name}{left}\n{lines}\n{' ' * indent}{right}"


def _string(name: str, text: str, indent: int) -> str:
    """Return literals that Python joins, split after spaces where there are any."""
    inside = indent if name == "" else indent + _INDENT
    lines = [" " * inside + repr(piece) for piece in _pieces(text, WIDTH - inside - 1)]
    return "\n".join(lines) if name == "" else "\n".join([f"{' ' * indent}{name}(", *lines, f"{' ' * indent})"])


def _pieces(text: str, width: int) -> list[str]:
    pieces, line = [], ""
    for word in re.findall(r"\S*\s+|\S+", text):
        if line and len(repr(line + word)) > width:
            pieces.append(line)
            line = ""
        line += word
        while len(repr(line)) > width:
            cut = next(end for end in range(width - 2, 0, -1) if len(repr(line[:end])) <= width)
            pieces.append(line[:cut])
            line = line[cut:]
    return [*pieces, line] if line else pieces
