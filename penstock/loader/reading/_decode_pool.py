"""Threads that decode batches side by side, and first of all help with the oldest.

The first batch of an epoch is so decoded by all of them, and none is idle while another works at the last.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable

from penstock.storage import renew_in_children

__all__ = ["DecodePool"]

_PIECE = 8

Work = Callable[[int, int], None]


class DecodePool:
    """What threads have in hand together; safe to call from several threads."""

    def __init__(self) -> None:
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Forget what threads of the parent have in hand, in a forked child."""
        self._lock = threading.Lock()
        self._tasks: list[_Task] = []

    def share(self, work: Work, count: int) -> None:
        """Do ``work(start, stop)`` for all of ``range(count)``, in pieces, with all threads that share work now.

        Parameters
        ----------
        work : callable
            Does the items of a range; called from several threads.
        count : int
            How many items there are.

        Raises
        ------
        BaseException
            What `work` raised first; all pieces under way are done by then.
        """
        mine = _Task(work, count)
        with self._lock:
            self._tasks.append(mine)
        try:
            while not mine.is_done and self._help():
                pass
        finally:
            mine.give_up()
            self._forget(mine)
        mine.wait()

    def _help(self) -> bool:
        """Do a piece of the oldest task that has one left."""
        with self._lock:
            tasks = tuple(self._tasks)
        return any(task.do_piece() for task in tasks)

    def _forget(self, task: _Task) -> None:
        with self._lock:
            self._tasks.remove(task)


class _Task:
    """The pieces of one piece of work."""

    def __init__(self, work: Work, count: int) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._starts = deque(range(0, count, _PIECE))
        self._count = count
        self._under_way = 0
        self._failure: BaseException | None = None
        self._pauses: queue.SimpleQueue[None] = queue.SimpleQueue()  # in C, which Ctrl-C cannot leave half done

    @property
    def is_done(self) -> bool:
        """Whether no piece is left or under way."""
        with self._lock:
            return not self._starts and not self._under_way

    def do_piece(self) -> bool:
        """Do the next piece; return whether there was one."""
        with self._lock:
            if not self._starts:
                return False
            start = self._starts.popleft()
            self._under_way += 1
        try:
            self._work(start, min(start + _PIECE, self._count))
        except BaseException as error:  # noqa: BLE001  raised again by the thread whose task it is
            self._failed(error)
        finally:
            self._finished()
        return True

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or error
            self._starts.clear()

    def _finished(self) -> None:
        with self._lock:
            self._under_way -= 1
        self._pauses.put(None)

    def give_up(self) -> None:
        """Let nobody begin another piece."""
        with self._lock:
            self._starts.clear()

    def wait(self) -> None:
        """Wait for the pieces under way; raise what one of them raised."""
        while not self.is_done:
            self._pauses.get()
        if self._failure is not None:
            raise self._failure
