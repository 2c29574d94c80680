"""The record of who holds a draft in a folder, and the lock of the system that ends with its process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.storage.leasing._holder import Holder

__all__ = ["LEASE_S", "FolderRecord"]

LEASE_S = 90.0  # a process that cannot lock has ended, or hangs, when it has not renewed its record for so long


class FolderRecord:
    """The record in a folder.

    Beside it each holder has a file of its own, which it keeps locked: a file that is free belongs to a process
    that has ended, whatever ended it, while the record can be given to another process at any time.

    Parameters
    ----------
    folder : path
        The folder of the draft.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    def read(self) -> Holder | None:
        """Return whom the record names."""
        try:
            return Holder.from_bytes((self._folder / ".holder").read_bytes())
        except FileNotFoundError:
            return None

    def is_alive(self, holder: Holder) -> bool:
        """Return whether a process may still run."""
        if holder.has_ended():
            return False
        own = self._own_file(holder.token)
        if holder.locked:
            return _is_locked(own)
        return self._age(own) < LEASE_S

    def write(self, token: str, seen: Holder | None) -> Holder | None:
        """Name this process in place of the one that was `seen`; None if another one came between."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if self.read() != seen:
                return None
            handle = os.open(self._own_file(token), os.O_RDWR | os.O_CREAT, 0o666)
            locked = _lock(handle, wait=True)  # whoever asks whether we live has it for a moment
            if locked:
                self._handle = handle
            else:
                os.close(handle)
            holder = Holder.here(token, locked=locked)
            part = self._folder / ".holder.new"
            part.write_bytes(holder.to_bytes())
            part.replace(self._folder / ".holder")
            if seen is not None and not self.is_alive(seen):
                self._own_file(seen.token).unlink(missing_ok=True)
            return holder

    def renew(self, holder: Holder) -> None:
        """Say that this process still runs."""
        self._own_file(holder.token).touch()

    def remove(self, holder: Holder) -> None:
        """Free the record; it stays, but names a process that holds nothing."""
        with suppress(OSError):
            self._own_file(holder.token).unlink(missing_ok=True)
        if self._handle is not None:
            _unlock(self._handle)
        self.forget()

    def forget(self) -> None:
        """Close the lock without freeing it: in a forked child it is the parent's."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _own_file(self, token: str) -> Path:
        return self._folder / f".{token}.holds"

    def _age(self, own: Path) -> float:
        """Return the seconds since a file was touched, by the clock of the file system."""
        try:
            touched = own.stat().st_mtime
        except OSError:
            return LEASE_S
        clock = self._folder / ".clock"
        clock.touch()
        return clock.stat().st_mtime - touched

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from changing the record, where the file system can."""
        handle = os.open(self._folder / ".holder.lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle, wait=True)
            yield
        finally:
            _unlock(handle)  # not by closing alone: a child that was forked meanwhile has the handle too
            os.close(handle)


if sys.platform == "win32":

    def _lock(handle: int, *, wait: bool = False) -> bool:  # noqa: ARG001  the signature of the other systems
        """Return that there is no lock that ends with its process: the record has to be renewed."""
        return False

    def _unlock(handle: int) -> None:
        """Do nothing."""

else:
    import fcntl

    def _lock(handle: int, *, wait: bool = False) -> bool:
        """Lock a file; return False where the file system has no locks.

        Raises
        ------
        BlockingIOError
            If another process has it.
        """
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)


def _is_locked(own: Path) -> bool:
    try:
        handle = os.open(own, os.O_RDWR if os.access(own, os.W_OK) else os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not _lock(handle)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
