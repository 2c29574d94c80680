"""The right to write to a dataset in an object store: one process at a time, as with the lock of a folder.

The engine checks most changes against others, but not the one step that makes a prepared version the newest, which
would undo what another process wrote in between. A process that has died keeps others waiting for as long as a lease
lasts, or not at all if it ran on the same machine.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from penstock.errors import StorageError
from penstock.storage._fork import renew_in_children
from penstock.storage._wrap import wrapped
from penstock.storage.leasing._holder import Holder

__all__ = ["WriteLease"]

_NAME = ".writing.json"
_LASTS = 30.0  # seconds without a renewal
_POLL = (0.02, 0.5)  # seconds between two tries, at first and at most


class WriteLease:
    """The lease of a dataset; threads of this process take turns, and a thread that has it may take it again.

    Parameters
    ----------
    store : callable
        Returns the object store of the dataset.
    path : str
        The dataset, for messages.
    """

    def __init__(self, store: Callable[[], Any], path: str) -> None:
        self._store = store
        self._path = path
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Hold nothing in a forked child."""
        self._guard = threading.RLock()
        self._depth = 0
        self._timer: threading.Timer | None = None
        self._token = secrets.token_hex(8)
        self._count = 0
        self._tag: str | None = None
        self._renewed = 0.0  # when the record was last written

    @property
    def is_over(self) -> bool:
        """Whether it was not renewed in time, so that another process may hold it."""
        return self._tag is not None and time.monotonic() - self._renewed > _LASTS

    @contextmanager
    def held(self, timeout: float) -> Iterator[None]:
        """Hold the lease, which `timeout` seconds are waited for.

        Raises
        ------
        StorageError
            If another process holds it for longer.
        """
        with self._guard:
            if self._depth == 0:
                with wrapped(f"write to the dataset at {self._path!r}"):
                    self._acquire(timeout)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._release()

    def _acquire(self, timeout: float) -> None:
        end = time.monotonic() + timeout
        seen: tuple[str | None, float] = (None, time.monotonic())
        pause = _POLL[0]
        while not self._put("create"):
            holder, tag = self._read()
            if tag != seen[0]:
                seen = tag, time.monotonic()
            over = holder is not None and holder.has_ended()
            if tag is not None and (over or time.monotonic() - seen[1] > _LASTS) and self._put({"e_tag": tag}):
                break
            if time.monotonic() >= end:
                raise StorageError(f"another process has been writing to {self._path!r} for more than {timeout:.0f} s")
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311  jitter, no secret
            pause = min(2 * pause, _POLL[1])
        self._renew_later()

    def _read(self) -> tuple[Holder | None, str | None]:
        """Return who holds the lease, and the tag of its record, which each renewal changes."""
        try:
            found = self._store().get(_NAME)
        except FileNotFoundError:
            return None, None
        return Holder.from_bytes(bytes(found.bytes()).partition(b"\n")[0]), found.meta.get("e_tag")

    def _put(self, mode: Any) -> bool:
        """Write the record of this process, and return whether nobody else was first."""
        from obstore.exceptions import AlreadyExistsError, NotSupportedError, PreconditionError

        self._count += 1
        holder = Holder.here(self._token, locked=False).to_bytes()
        began = time.monotonic()
        content = holder + b"\n" + json.dumps({"renewal": self._count, "token": self._token}).encode()
        try:
            self._tag = self._store().put(_NAME, content, mode=mode).get("e_tag")
        except (AlreadyExistsError, PreconditionError):
            return False
        except (NotSupportedError, NotImplementedError):  # the store cannot write on a condition
            self._tag = None
            return True
        self._renewed = began
        return True

    def _renew_later(self) -> None:
        self._timer = threading.Timer(_LASTS / 3, self._renew)
        self._timer.daemon = True
        self._timer.start()

    def _renew(self) -> None:
        timer = self._timer
        if timer is not None and self._tag is not None:
            with suppress(Exception):  # the next renewal may succeed
                self._put({"e_tag": self._tag})
        if self._timer is timer is not None:
            self._renew_later()

    def _release(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        if self._tag is not None and not self.is_over:
            with suppress(Exception):  # what is left ends by itself
                self._store().delete(_NAME)
        self._tag = None
