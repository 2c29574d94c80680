"""Several threads at one iterator: one at a time, and none waits when it is over."""

from __future__ import annotations

import queue
import threading

from penstock.errors import LoaderError
from penstock.loader.running._jobs import PipelineEnded
from penstock.storage import renew_in_children

__all__ = ["Turns"]


class Turns:
    """The right to take the next batch; batches are so handed over in order, each to one thread.

    Queues written in C alone, which Ctrl-C cannot leave half acquired.
    """

    def __init__(self) -> None:
        self._over = False
        self._holder: int | None = None
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._free.put(None)
        renew_in_children(self)

    def renew(self) -> None:
        """Free the turn in a forked child, unless its own thread has it."""
        self._free = queue.SimpleQueue()
        if self._holder != threading.get_ident():
            self._holder = None
            self._free.put(None)

    def __enter__(self) -> None:
        """Wait for the turn.

        Raises
        ------
        PipelineEnded
            If it is over, also while this thread waits.
        LoaderError
            If this thread has the turn already.
        """
        me = threading.get_ident()
        if self._holder == me:
            raise LoaderError(
                "the transform or collate_fn requests a batch of its own iterator while it makes one",
                hint="iterate another loader there",
            )
        self._free.get()
        if self._over:
            self._free.put(None)
            raise PipelineEnded
        self._holder = me

    def __exit__(self, *_: object) -> None:
        """Pass the turn on."""
        self._holder = None
        self._free.put(None)

    def end(self) -> None:
        """Let everybody go who waits, one after the other."""
        self._over = True
        self._free.put(None)
