"""A session kept up with its dataset: changes are noted at once, gathered, and shown soon after."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from penstock.errors import PenstockError

__all__ = ["OTHERS_WROTE", "WRITING", "Behind", "Follower", "left_behind", "not_run"]

_SHORT_ID = 7  # characters of a version
_PAUSE_S = 0.04  # changes this close together are shown as one
_REST = 2  # times the last refresh took: many changes in a row leave the writer two thirds of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What the charts show is not what the dataset is.

    Parameters
    ----------
    message : str
        What differs and why.
    remedy : {"update", "take over"}, optional
        What would bring them together.
    """

    message: str
    remedy: Literal["update", "take over"] | None = None


WRITING = Behind(message="a `with` block is writing to the dataset; its changes are shown when it ends")
OTHERS_WROTE = Behind(message="another session has written to the dataset since", remedy="update")


def left_behind(count: int) -> Behind:
    """Return that a process ended whose edits are not shown here."""
    edits = "1 unsaved edit, which is" if count == 1 else f"{count} unsaved edits, which are"
    return Behind(message=f"another process ended and left {edits} not committed here", remedy="take over")


def not_run(error: PenstockError, version: str) -> Behind:
    """Return that the query fails on the dataset as it is now, and which version is shown instead."""
    return Behind(
        message=f"the query does not run on the dataset as it is now: {error.message}. "
        f"Version {version[:_SHORT_ID]} is shown"
    )


class Follower:
    """Calls `follow` on a session's own thread soon after a dataset changed, once for changes close together.

    Parameters
    ----------
    lane : Executor
        The session's thread.
    follow : bound method
        Brings the session up to date; held weakly.
    """

    def __init__(self, lane: ThreadPoolExecutor, follow: Callable[[], None]) -> None:
        self._lane = lane
        self._follow: Any = weakref.WeakMethod(follow)
        self._lock = threading.Lock()
        self._waits = False
        self._next_at = 0.0

    def changed(self, *, after_s: float = _PAUSE_S) -> None:
        """Take note of a change, or of one that may come; returns at once."""
        with self._lock:
            if self._waits:
                return
            self._waits = True
            wait = max(after_s, self._next_at - time.monotonic())
        timer = threading.Timer(wait, self._submit)
        timer.daemon = True
        timer.start()

    def _submit(self) -> None:
        try:
            self._lane.submit(self._run)
        except RuntimeError:  # the interpreter ends
            self._waits = False

    def _run(self) -> None:
        self._waits = False
        follow = self._follow()
        if follow is None:
            return
        started = time.monotonic()
        follow()
        ended = time.monotonic()
        self._next_at = ended + _REST * (ended - started)
