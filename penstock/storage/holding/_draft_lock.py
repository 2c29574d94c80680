"""The lock of the uncommitted edits of a branch: the handles of one process share it, other processes wait."""

from __future__ import annotations

import secrets
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.errors import StorageError
from penstock.storage._fork import ENGINE, renew_in_children, renewed_lock
from penstock.storage._location import Location
from penstock.storage._wrap import wrapped
from penstock.storage.holding._bucket import BucketRecord
from penstock.storage.holding._folder import LEASE_S, FolderRecord
from penstock.storage.leasing._holder import Holder

__all__ = ["DraftLock", "draft_lock"]

_TRIES = 20


class DraftLock:
    """The right of a process to change the uncommitted edits of a branch, from its first edit to its last commit.

    Parameters
    ----------
    record : FolderRecord or BucketRecord
        Where it is recorded who has it.
    path : str
        The dataset, for messages.

    Attributes
    ----------
    turn : int
        Counts how often this process got the right: between two turns others may have changed the edits.
    """

    def __init__(self, record: FolderRecord | BucketRecord, path: str) -> None:
        self._record = record
        self._path = path
        self._tokens: set[str] = set()  # of the turns of this process
        self._holder: Holder | None = None
        self._free: weakref.finalize[..., Any] | None = None
        self._users: set[int] = set()
        self._guard = renewed_lock(threading.RLock())
        self._names: dict[int, str] = {}
        self.turn = 0
        renew_in_children(self)

    def renew(self) -> None:
        """Hold nothing in a forked child: what the parent holds ends with the parent."""
        self._drop()
        self._tokens.clear()
        self._users.clear()

    def holder(self) -> Holder | None:
        """Return the process that holds the edits, other than this one; None if none does."""
        with self._acting("look who edits"):
            found = self._record.read()
            if found is None or found.token in self._tokens or not self._record.is_alive(found):
                return None
            return found

    def take(self, user: object, *, over: bool = False) -> Holder | None:
        """Get the right for a session, until it leaves or is no more; return the process that has it instead.

        With `over` it is taken from that process.

        Raises
        ------
        StorageError
            In a forked child, or if the storage cannot be reached.
        """
        ENGINE.check()
        with self._guard, self._acting("begin to edit"):
            for _ in range(_TRIES):
                seen = self._record.read()
                if self._holder is not None and seen == self._holder:
                    self._users.add(id(user))
                    return None
                if seen is not None and not over and seen.token not in self._tokens and self._record.is_alive(seen):
                    return seen
                self._drop()
                token = secrets.token_hex(8)  # of this turn: a record that was seen must not be like a later one
                self._tokens.add(token)
                self._holder = self._record.write(token, seen)
                if self._holder is not None:
                    self._users.add(id(user))
                    self._began(self._holder)
                    return None
            raise StorageError(
                f"cannot start editing the dataset at {self._path!r}: other processes keep starting to edit it"
            )

    def _began(self, holder: Holder) -> None:
        self.turn += 1
        ended = threading.Event()
        self._free = weakref.finalize(self, _end, self._record, holder, ended)
        if not holder.locked:
            work = (self._record, holder, ended)
            threading.Thread(target=_renewed, args=work, name="penstock-draft", daemon=True).start()

    def _drop(self) -> None:
        """Forget a turn that is another process's now."""
        free = self._free.detach() if self._free is not None else None
        if free is not None:
            free[2][2].set()
        self._record.forget()
        self._holder = self._free = None

    # ---- who in this process uses it -------------------------------------------------------------

    def join(self, user: object, name: str) -> None:
        """Know a session of this process until it is no more."""
        self._names[id(user)] = name
        weakref.finalize(user, _leave, weakref.ref(self), id(user), for_good=True)

    def others(self, user: object) -> set[str]:
        """Return the names of the other sessions of this process."""
        return {name for key, name in list(self._names.items()) if key != id(user)}

    def is_held_for(self, user: object) -> bool:
        """Return whether this process has the right, and a session uses it."""
        with self._acting("look who edits"):
            held = self._holder
            return held is not None and id(user) in self._users and self._record.read() == held

    def leave(self, user: object) -> None:
        """Give the right back if nobody else in this process uses it."""
        self._leave(id(user))

    def _leave(self, user: int, *, for_good: bool = False) -> None:
        with self._guard:
            if for_good:
                self._names.pop(user, None)
            self._users.discard(user)
            if not self._users and self._free is not None:
                self._free()
                self._holder = self._free = None

    def _acting(self, what: str) -> Any:
        return wrapped(f"{what} the dataset at {self._path!r}")


def _leave(lock: weakref.ref[DraftLock], user: int, *, for_good: bool) -> None:
    known = lock()
    if known is not None:
        known._leave(user, for_good=for_good)  # noqa: SLF001  of this module


def _end(record: FolderRecord | BucketRecord, holder: Holder, ended: threading.Event) -> None:
    """Give the right back; what cannot be reached ends with the process, or by its age."""
    ended.set()
    with suppress(Exception):
        record.remove(holder)


def _renewed(record: FolderRecord | BucketRecord, holder: Holder, ended: threading.Event) -> None:
    """Renew a record until its process ends the turn; the next try may reach what this one did not."""
    while not ended.wait(LEASE_S / 5):
        with suppress(Exception):
            record.renew(holder)


_LOCKS: weakref.WeakValueDictionary[tuple[str, str], DraftLock] = weakref.WeakValueDictionary()
_OPENING = renewed_lock(threading.Lock())


def draft_lock(location: Location, folder: str) -> DraftLock:
    """Return the lock of the edits in a folder of a dataset: one for all handles of a process."""
    home = location.path if location.is_remote else str(Path(location.path).resolve())
    with _OPENING:
        lock = _LOCKS.get((home, folder))
        if lock is None:
            record: FolderRecord | BucketRecord = (
                BucketRecord(location.object_store, folder) if location.is_remote else FolderRecord(Path(home, folder))
            )
            lock = _LOCKS[home, folder] = DraftLock(record, location.path)
    return lock
