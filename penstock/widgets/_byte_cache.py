"""The values that were used last, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["ByteCache"]

_ENTRY_BYTES = 512
"""About what a key and an empty value take, so that a million empty ones are not kept for nothing."""
_Value = TypeVar("_Value")


class ByteCache(Generic[_Value]):
    """Values by key; the least recently used go first. Threads may share it.

    Parameters
    ----------
    max_bytes : int
        How much is kept.
    size : callable
        Returns the bytes of a value; 512 are added for each entry.

    Examples
    --------
    >>> cache = ByteCache(max_bytes=1200, size=len)
    >>> for key in ("a", "b", "c"):
    ...     cache.put(key, b"x" * 50)
    >>> cache.get("a"), len(cache.get("c")), cache.num_bytes
    (None, 50, 1124)
    """

    def __init__(self, *, max_bytes: int, size: Callable[[_Value], int]) -> None:
        self._max_bytes = max_bytes
        self._size = size
        self._num_bytes = 0
        self._kept: OrderedDict[Hashable, _Value] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def num_bytes(self) -> int:
        """Bytes of what is kept, and of its entries."""
        return self._num_bytes

    def get(self, key: Hashable) -> _Value | None:
        """Return a value, which is then the one used last; None if it is not kept."""
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
            return value

    def put(self, key: Hashable, value: _Value) -> None:
        """Keep a value, in place of one of the same key."""
        with self._lock:
            if key in self._kept:
                self._num_bytes -= self._bytes_of(self._kept.pop(key))
            self._kept[key] = value
            self._num_bytes += self._bytes_of(value)
            while self._num_bytes > self._max_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._num_bytes -= self._bytes_of(dropped)

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self._num_bytes = 0

    def _bytes_of(self, value: _Value) -> int:
        return _ENTRY_BYTES + self._size(value)
