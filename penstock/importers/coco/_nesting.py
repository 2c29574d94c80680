"""Values nested deeper than a JSON tensor allows: they are left out, and named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["MOST_NESTED", "deep_keys", "without_deep"]

MOST_NESTED = 490  # JSON tensors allow 500, of which lists of objects and of their fields take some


def deep_keys(entry: Mapping[str, Any]) -> list[str]:
    """Return the keys of an entry whose values are nested too deep.

    Examples
    --------
    >>> deep = []
    >>> for _ in range(600):
    ...     deep = [deep]
    >>> deep_keys({"id": 3, "bbox": [1, 2, 3, 4], "tree": deep})
    ['tree']
    """
    return [name for name, value in entry.items() if type(value) in {list, dict} and _is_deep(value)]


def without_deep(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry without the keys whose values are nested too deep."""
    deep = deep_keys(entry)
    return {name: value for name, value in entry.items() if name not in deep} if deep else entry


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_NESTED):
        level = [inner for one in level for inner in (one.values() if type(one) is dict else one)]
        level = [inner for inner in level if type(inner) in {list, dict}]
        if not level:
            return False
    return True
