"""Forked children: locks and caches of the parent's threads are created again.

A child has one thread, and everything else as it was at that moment: locks of threads that it does not have, and an
engine whose own threads are gone. Lance then hangs or crashes, one call in two, so that nothing in a child calls it:
`ServedVersion` reads through a process of its own.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
import weakref
from functools import cached_property
from typing import Any, Protocol, TypeVar

from penstock.errors import StorageError

__all__ = ["ENGINE", "OBJECT_STORES", "Renewable", "renew_in_children", "renewed_lock"]

warnings.filterwarnings("ignore", message="lance is not fork-safe", category=UserWarning)


class Renewable(Protocol):
    """An object that can be renewed in a forked child."""

    def renew(self) -> None:
        """Drop everything that belonged to threads of the parent."""
        ...


_Lock = TypeVar("_Lock")
_RENEWABLE: weakref.WeakSet[Renewable] = weakref.WeakSet()
_LOCKS: weakref.WeakSet[Any] = weakref.WeakSet()


def renew_in_children(thing: Renewable) -> None:
    """Have an object's `renew` called in every child that is forked while it exists."""
    _RENEWABLE.add(thing)


def renewed_lock(lock: _Lock) -> _Lock:
    """Return a `threading.Lock` or `RLock` that is free in every forked child, whoever held it in the parent."""
    _LOCKS.add(lock)
    return lock


class _OwnProcess:
    """Something that works only in the process that first used it, not in its forked children.

    Parameters
    ----------
    refused : str
        What cannot be done in such a child.
    """

    def __init__(self, refused: str) -> None:
        self._refused = refused
        self._process: int | None = None

    @property
    def works_here(self) -> bool:
        """Return whether this process may use it."""
        return self._process in {None, os.getpid()}

    def check(self) -> None:
        """Refuse in a child of the process that first called this.

        Raises
        ------
        StorageError
            With the way out.
        """
        if not self.works_here:
            raise StorageError(
                f"{self._refused} in a process that was forked from one that had already done so. Samples of datasets "
                "that were open before the fork can be read",
                hint="start processes with 'spawn' or 'forkserver', in PyTorch with "
                "DataLoader(multiprocessing_context='spawn'), or use num_workers of a penstock loader",
            )
        self._process = os.getpid()


ENGINE = _OwnProcess("a dataset cannot be opened or written")
OBJECT_STORES = _OwnProcess("object stores and web links cannot be read")


def _in_child() -> None:
    for lock in list(_LOCKS):
        # an RLock that the forking thread holds is its own in the child too; any other holder is not there
        if not getattr(lock, "_is_owned", bool)():
            lock._at_fork_reinit()  # noqa: SLF001  what the standard library itself calls in a child
    if sys.version_info < (3, 12):
        _renew_cached_properties()
    for thing in list(_RENEWABLE):
        thing.renew()


def _renew_cached_properties() -> None:
    """Free the locks that cached properties have up to Python 3.11, one for all objects of a class."""
    ours = [module for name, module in list(sys.modules.items()) if name.startswith("penstock.") and module]
    classes = {kind for module in ours for kind in vars(module).values() if isinstance(kind, type)}
    for kind in classes:
        if kind.__module__.startswith("penstock."):
            for member in vars(kind).values():
                if isinstance(member, cached_property):
                    member.lock = threading.RLock()  # type: ignore[attr-defined]  # removed in Python 3.12


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
