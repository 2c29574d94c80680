"""Ids of images and annotations: those of the source, and new ones above the largest."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

__all__ = ["Ids"]


class Ids:
    """Gives every entry an id of its own.

    Parameters
    ----------
    largest : int
        Of all ids there are.
    allows_zero : bool
        Whether 0 is an id once, and not what stands for a new entry.

    Examples
    --------
    >>> ids = Ids(12)
    >>> [ids.of(one) for one in (12, 0, 12, None)]
    [12, 13, 14, 15]
    """

    def __init__(self, largest: int, *, allows_zero: bool = False) -> None:
        self._next = max(largest, 0) + 1
        self._used: set[Hashable] = set() if allows_zero else {0}

    def of(self, known: Any) -> Any:
        """Return the id of an entry, or a new one if it has none or it is already in use."""
        if known is not None and known not in self._used:
            self._used.add(known)
            return known
        fresh = self._next
        self._next += 1
        self._used.add(fresh)
        return fresh
