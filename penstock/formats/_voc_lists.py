"""Lines of the lists below ``ImageSets``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["class_flag", "list_line"]


def class_flag(label: str, names: Sequence[str], difficult: Sequence[Any]) -> int:
    """Return whether an image has a class: 1, -1 if it has not, and 0 if all objects of it are difficult.

    Examples
    --------
    >>> class_flag("dog", ["cat", "dog"], [0, 1]), class_flag("dog", ["cat"], [0])
    (0, -1)
    """
    own = [one for name, one in zip(names, difficult, strict=True) if name == label]
    if not own:
        return -1
    return int(any(one not in (1, "1", True) for one in own))


def list_line(name: str, flag: int | None) -> str:
    """Return a line of a list, with a flag if it is a list of a class.

    Examples
    --------
    >>> list_line("2008_000002", -1), list_line("2008_000002", 1), list_line("a", None)
    ('2008_000002 -1', '2008_000002  1', 'a')
    """
    return name if flag is None else f"{name} {flag:2d}"
