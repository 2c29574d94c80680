"""A dataset's lock, and those who hear of a change once it is released."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from types import MethodType, TracebackType
from typing import Any

from penstock.storage import renew_in_children

__all__ = ["Listener", "Listeners", "WatchedLock"]

Listener = Callable[[], None]
_log = logging.getLogger("penstock.dataset")


class Listeners:
    """Callables that are called after each change, outside the dataset's lock, in the thread of the change.

    A listener must return at once: it takes note, and reads the dataset later in a thread of its own.
    Bound methods are held weakly.
    """

    def __init__(self) -> None:
        self._known: list[Callable[[], Listener | None]] = []

    def __bool__(self) -> bool:
        """Return whether there are listeners."""
        return bool(self._known)

    def add(self, listener: Listener) -> None:
        """Call `listener` from now on."""
        known = weakref.WeakMethod(listener) if isinstance(listener, MethodType) else (lambda: listener)
        self._known = [*self._alive(), known]

    def remove(self, listener: Listener) -> None:
        """Call `listener` no longer."""
        self._known = [known for known in self._alive() if known() != listener]

    def _alive(self) -> list[Callable[[], Listener | None]]:
        return [known for known in self._known if known() is not None]

    def tell(self) -> None:
        """Call every listener; one that fails keeps neither the others nor the writer from going on."""
        for known in self._known:
            listener = known()
            if listener is not None:
                try:
                    listener()
                except Exception:  # noqa: BLE001  a write must not fail because of who watches it
                    _log.exception("a listener of a dataset failed")


class WatchedLock:
    """A reentrant lock that calls `changed` after its last release, where `mark` differs from the time before.

    Parameters
    ----------
    mark : bound method
        Returns what changes with the state, cheap to make and to compare; called under the lock.
    changed : bound method
        Called outside the lock. Both are held weakly: the lock belongs to their object.
    """

    def __init__(self, mark: Callable[[], object], changed: Callable[[], None]) -> None:
        self._lock = threading.RLock()
        self._mark: Any = weakref.WeakMethod(mark)
        self._changed: Any = weakref.WeakMethod(changed)
        self._depth = 0
        self._seen: object = None
        renew_in_children(self)

    def renew(self) -> None:
        """Free the lock in a forked child where a thread of the parent held it."""
        if not self._lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001  as the standard library asks
            self._lock, self._depth, self._seen = threading.RLock(), 0, None

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1
        if self._seen is None:
            self._seen = self._mark()()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        changed = None
        if self._depth == 1:
            now = self._mark()()
            if now != self._seen:
                self._seen, changed = now, self._changed()
        self._depth -= 1
        self._lock.release()
        if changed is not None:
            changed()
