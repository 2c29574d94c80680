"""The cache between queries: columns in evaluation form, and the masks of predicates."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.storage import renewed_lock
from penstock.table import Table
from penstock.tql.values._values import Value

__all__ = ["Memo", "memo_of"]

_MAX_BYTES = 512 * 2**20


@dataclass(slots=True, eq=False)
class Memo:
    """Least recently used values of one table, bounded by their bytes.

    `evaluations` counts what had to be computed, so that a test can hold that a
    changed weight evaluates nothing.
    """

    max_bytes: int = _MAX_BYTES
    evaluations: int = 0
    _values: OrderedDict[str, Value] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=lambda: renewed_lock(threading.Lock()))

    def get(self, key: str) -> Value | None:
        """Return what is kept under `key`."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def keep(self, key: str, make: Callable[[], Value]) -> Value:
        """Return what is kept under `key`, or make and keep it."""
        value = self.get(key)
        if value is None:
            value = make()
            self._put(key, value)
        return value

    @property
    def num_bytes(self) -> int:
        """Bytes of what is kept."""
        return self._bytes

    def forget(self, start: str = "") -> None:
        """Forget everything whose key starts so."""
        with self._lock:
            for key in [key for key in self._values if key.startswith(start)]:
                self._bytes -= _size(self._values.pop(key))

    def _put(self, key: str, value: Value) -> None:
        size = _size(value)
        with self._lock:
            self.evaluations += 1
            if size > self.max_bytes or key in self._values:
                return
            self._values[key] = value
            self._bytes += size
            while self._bytes > self.max_bytes:
                self._bytes -= _size(self._values.popitem(last=False)[1])


def _size(value: Value) -> int:
    return sum(array.nbytes for array in (value.data, value.valid) if array is not None)


_MEMOS: weakref.WeakKeyDictionary[Table, Memo] = weakref.WeakKeyDictionary()
_LOCK = renewed_lock(threading.Lock())


def memo_of(table: Table) -> Memo:
    """Return the memo that lives as long as the table object."""
    with _LOCK:
        memo = _MEMOS.get(table)
        if memo is None:
            memo = _MEMOS[table] = Memo()
        return memo
