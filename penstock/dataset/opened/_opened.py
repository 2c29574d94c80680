"""An open dataset: the stored state, and the unwritten changes of this session."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from penstock.dataset.opened._watched import Listeners, WatchedLock
from penstock.dataset.writing import _head as head
from penstock.dataset.writing._working import READ_ONLY, Working
from penstock.errors import DatasetError, PenstockError, ReadOnlyError
from penstock.storage import ENGINE, Credentials, Location, Store, renew_in_children, renewed_lock
from penstock.table import Draft, OverlayTable
from penstock.tensors import MAX_IMAGE_BYTES

__all__ = ["OpenDataset"]

_OPEN: weakref.WeakSet[OpenDataset] = weakref.WeakSet()
_OPENING = renewed_lock(threading.Lock())  # a set that grows must not be walked through


class OpenDataset:
    """A stored dataset opened by one session; every part of a `Dataset` works on it under its lock.

    Parameters
    ----------
    working : Working
        The stored dataset and the draft over it.

    Attributes
    ----------
    buffer : Buffer
        Rows that were appended and are not written yet.
    lock : WatchedLock
        Held by whatever reads or writes the other attributes; tells `listeners` of changes when it is released.
    max_image_bytes : int or None
        Most bytes of a decoded image; None allows any size.
    """

    def __init__(self, working: Working) -> None:
        self.working = working
        self.max_image_bytes: int | None = MAX_IMAGE_BYTES
        self.listeners = Listeners()
        self.lock = WatchedLock(self._mark, self._changed)
        self.buffer = working.new_buffer()
        self._depth = 0
        self._unsaved = Draft()
        with _OPENING:
            _OPEN.add(self)
        renew_in_children(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a path; the dataset is opened read-only in the other process."""
        with self.lock:
            self.settle()
            working = self.working
            sessions = None if working.fixed_version is not None else working.drafts.sessions
            known = (working.store.location, working.store.branch, working.fixed_version, working.credentials)
            return _reopened, (*known, self.max_image_bytes, sessions)

    def renew(self) -> None:
        """Leave what could not be written before a fork to the parent, which still has it."""
        if self.buffer.num_rows:
            self.renew_buffer()
        self._unsaved = Draft()

    # ---- what is open --------------------------------------------------------------------

    @property
    def path(self) -> str:
        """Folder or URL of the dataset."""
        return self.working.store.location.path

    @property
    def table(self) -> OverlayTable:
        """Every row as it is now, edits included; a snapshot."""
        with self.lock:
            self.flush()
            table = self.working.table
            table.max_image_bytes = self.max_image_bytes
            return table

    def move_to(self, working: Working) -> None:
        """Show another branch or version from now on."""
        working.credentials = self.working.credentials
        self.working.let_go()
        self.working = working
        self.renew_buffer()

    def renew_buffer(self) -> None:
        """Start an empty buffer for the current tensors and classes."""
        self.buffer = self.working.new_buffer()

    # ---- what may be done ----------------------------------------------------------------

    def check_writable(self) -> None:
        """Refuse to write to a dataset that is read-only."""
        if self.working.read_only is not None:
            raise ReadOnlyError(f"the dataset at {self.path!r} is read-only: {self.working.read_only}")

    def check_may_name(self) -> None:
        """Refuse tags and saved views where the dataset was opened with read_only=True; an old version may get both."""
        if self.working.read_only == READ_ONLY:
            self.check_writable()

    @contextlib.contextmanager
    def editing(self, *, adds: bool = False) -> Iterator[bool]:
        """Have the draft to this process alone if there are edits, or will be; others may when it is empty after.

        Yields whether edits of another process were shown, which are out of the way meanwhile.

        Raises
        ------
        DraftHeldError
            If another process holds it.
        """
        working = self.working
        if working.read_only is not None:
            yield False
            return
        hidden = working.hide_others()
        try:
            if (adds or not working.drafts.is_empty) and working.claim() and self._unsaved:
                working.edit(self._unsaved)
            yield hidden
        finally:
            if not self._unsaved and working.drafts.is_empty:
                working.drafts.leave()
            if hidden and working is self.working:
                working.show_others()

    def refuse_others_edits(self) -> None:
        """Say that the edits which are shown are another process's.

        Raises
        ------
        DraftHeldError
            If it runs.
        DatasetError
            If it has ended.
        """
        if self.working.holder is not None:
            self.working.claim()
        raise DatasetError(
            "the uncommitted edits are those of a process that has ended",
            hint="call ds.take_over() first",
        )

    def take_over(self) -> int:
        """Take the edits of other processes over; return how many samples are edited then."""
        with self.lock:
            self.check_writable()
            self.settle()
            self.working.refresh()
            self.renew_buffer()
            with self.editing():
                self.working.claim(over=True)
            return len(self.working.draft)

    # ---- writing what is held ------------------------------------------------------------

    def flush(self) -> None:
        """Write the rows that were appended."""
        error = None
        if self.buffer.num_rows:
            error = head.append(self.working, self.buffer)
            self.renew_buffer()
        if error is not None:
            raise error

    def hold(self, edits: Draft) -> None:
        """Keep edits in memory until `settle`."""
        for name, cells in edits.edits.items():
            self._unsaved = self._unsaved.with_edits(name, cells)

    def drop_held(self) -> None:
        """Drop the edits that are only in memory."""
        self._unsaved = Draft()

    def settle(self) -> None:
        """Write rows and edits, also in the middle of a `with`, before a step that reads them back from the store."""
        self.flush()
        if self._unsaved:
            self.working.save(self._unsaved)
            self._unsaved = Draft()

    # ---- groups of writes ----------------------------------------------------------------

    @property
    def is_grouping(self) -> bool:
        """Whether a `with` block is open; its rows and edits are written at its end."""
        return self._depth > 0

    def begin_group(self) -> None:
        """Buffer edits from now on."""
        with self.lock:
            self._depth += 1

    def end_group(self) -> None:
        """Write what was held, at the end of the outermost group."""
        with self.lock:
            self._depth -= 1
            if not self._depth:
                self.settle()

    # ---- who hears of changes ------------------------------------------------------------

    def _mark(self) -> object:
        working = self.working
        snapshot = working.stored.snapshot
        draft = working.draft or None
        return (
            (working, snapshot.branch, snapshot.version, working.stored.label, draft),
            self._depth > 0,
            self.buffer.num_rows,
            self.buffer.num_bytes,
        )

    def _changed(self) -> None:
        self.listeners.tell()
        with _OPENING:
            others = [other for other in _OPEN if other is not self and other.listeners]
        for other in others:
            if other.path == self.path:
                other.listeners.tell()


# ---- every dataset that is open in this process ------------------------------------------------------


def _reopened(
    location: Location,
    branch: str | None,
    version: int | None,
    credentials: Credentials,
    max_image_bytes: int | None,
    sessions: frozenset[str] | None,
) -> OpenDataset:
    if not ENGINE.works_here:
        inherited = _inherited(location.path, branch, version)
        if inherited is not None:
            return inherited
    reason = "it came from another process"
    working = Working(Store.open(location, branch), read_only=reason, version=version, sessions=sessions)
    working.credentials = credentials
    opened = OpenDataset(working)
    opened.max_image_bytes = max_image_bytes
    return opened


def _inherited(path: str, branch: str | None, version: int | None) -> OpenDataset | None:
    """Return a dataset that was open when this process was forked; None if there is none."""
    for opened in list(_OPEN):
        if (opened.path, opened.working.store.branch, opened.working.fixed_version) == (path, branch, version):
            return opened
    return None


def _settle(opened: OpenDataset) -> None:
    if opened.working.read_only is None:
        with opened.lock:
            opened.settle()


@atexit.register
def _settle_all() -> None:
    for opened in list(_OPEN):
        _settle(opened)


def _settle_before_fork() -> None:
    """Write what is held, so that a child sees it and does not write it a second time."""
    for opened in list(_OPEN):
        with contextlib.suppress(PenstockError):
            _settle(opened)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_settle_before_fork)
