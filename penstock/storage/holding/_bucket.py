"""The record of who holds a draft in an object store, which its process renews: nothing there ends with a process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from penstock.storage.holding._folder import LEASE_S
from penstock.storage.leasing._holder import Holder

__all__ = ["BucketRecord"]


class BucketRecord:
    """The record in an object store. Times are the store's own, so that no clock has to be right.

    Parameters
    ----------
    store : callable
        Opens the object store of the dataset.
    folder : str
        The folder of the draft in it.
    """

    def __init__(self, store: Callable[[], Any], folder: str) -> None:
        self._store = store
        self._name = f"{folder}/.holder"
        self._tag: str | None = None

    def read(self) -> Holder | None:
        """Return whom the record names."""
        try:
            found = self._store().get(self._name)
        except FileNotFoundError:
            self._tag = None
            return None
        self._tag = found.meta.get("e_tag")
        return Holder.from_bytes(bytes(found.bytes()))

    def is_alive(self, holder: Holder) -> bool:
        """Return whether a process may still run."""
        return not holder.has_ended() and self._age() < LEASE_S

    def write(self, token: str, seen: Holder | None) -> Holder | None:
        """Name this process in place of the one that was `seen`; None if another one came between."""
        holder = Holder.here(token, locked=False)
        if self.read() != seen or not self._put(holder, new=seen is None):
            return None
        return holder

    def renew(self, holder: Holder) -> None:
        """Say that this process still runs."""
        if self.read() == holder:
            self._put(holder, new=False)

    def remove(self, holder: Holder) -> None:
        """Free the record."""
        if self.read() == holder:
            self._store().delete(self._name)

    def forget(self) -> None:
        """Do nothing: the record names its process."""

    def _put(self, holder: Holder, *, new: bool) -> bool:
        """Write the record if it is still as it was read; a store that cannot say so is read again."""
        from obstore.exceptions import AlreadyExistsError, NotSupportedError, PreconditionError

        mode: Any = "create" if new or self._tag is None else {"e_tag": self._tag}
        try:
            self._store().put(self._name, holder.to_bytes(), mode=mode)
        except (AlreadyExistsError, PreconditionError):
            return False
        except (NotSupportedError, NotImplementedError):
            self._store().put(self._name, holder.to_bytes())
            return self.read() == holder
        return True

    def _age(self) -> float:
        """Return the seconds since the record was written, by the clock of the store."""
        probe = f"{self._name}-clock"
        self._store().put(probe, b"")
        now: datetime = self._store().head(probe)["last_modified"]
        self._store().delete(probe)
        try:
            then: datetime = self._store().head(self._name)["last_modified"]
        except FileNotFoundError:
            return LEASE_S
        return (now - then).total_seconds()
