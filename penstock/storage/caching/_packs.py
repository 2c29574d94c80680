"""Files that many entries are appended to, written by one process each and read by all.

A pack holds contents; the file beside it their keys, a record for each. A record is written after its content, and
says where that is and what its checksum must be: what a killed process leaves half done is not found, or does not
match. Nothing is locked: a process writes to its own packs alone, and deletes whole packs, the least recently used
first, which those who have them open can still read.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage._fork import renew_in_children
from penstock.storage.caching._descriptors import Descriptor
from penstock.storage.caching._keys import RECORD, Found, Index, checksum_of, record_of

__all__ = ["Packs"]

_PACK, _KEYS = ".pack", ".keys"
_PARTS = 64  # packs that the limit is divided into
_LARGEST = 2**30
_MOST_PACKS = 512
_MOST_OPEN = 128
_RESERVE = 2**29  # bytes of the disk that are left free
_TOUCHED = 0.1  # seconds that a use is noted again after
_LOOK = 0.5  # seconds between looks at what others wrote, at least
_log = logging.getLogger("penstock.storage")


@dataclass(slots=True)
class _Own:
    """The pack that this process writes to."""

    name: str
    pack: Descriptor
    keys: Descriptor
    size: int = 0
    entries: int = 0


class Packs:
    """The packs of a folder; safe to use from several threads.

    Parameters
    ----------
    folder : Path
        Where they are; created by the first `put`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Write to a pack of its own in a forked child."""
        self._lock = threading.Lock()
        self._own: _Own | None = None
        self._index = Index()
        self._files: dict[str, Descriptor] = {}
        self._touched: dict[str, float] = {}
        self._seen: dict[str, int] = {}  # records read of each pack
        self._next_look = 0.0
        self._used = 0  # bytes on the disk when they were last counted, and own ones since
        self._uncounted = 0
        self._writable = True

    # ---- reading -----------------------------------------------------------------------------------

    def get(self, keys: Sequence[bytes]) -> list[memoryview | None]:
        """Return the content under each key, None where there is none or it is damaged."""
        found = self._index.find(keys)
        if None in found and time.monotonic() >= self._next_look:
            self._look()
            found = self._index.find(keys)
        contents = [None if entry is None else self._read(entry) for entry in found]
        self._touch({entry.pack for entry in found if entry is not None})
        return contents

    def _read(self, entry: Found) -> memoryview | None:
        try:
            file = self._files.get(entry.pack) or self._opened(entry.pack)
            content = file.read(entry.length, entry.offset)
        except OSError:
            self._forget(entry.pack)
            return None
        if len(content) != entry.length or checksum_of(content) != entry.checksum:
            self._drop(entry.pack)
            return None
        return memoryview(content)

    def _opened(self, pack: str) -> Descriptor:
        file = Descriptor(self._folder / f"{pack}{_PACK}")
        with self._lock:
            while len(self._files) >= _MOST_OPEN:
                self._files.pop(next(iter(self._files)))  # closed once nobody reads from it
            self._files[pack] = file
        return file

    def _touch(self, packs: set[str]) -> None:
        now = time.monotonic()
        for pack in packs:
            if now - self._touched.get(pack, -_TOUCHED) >= _TOUCHED:
                self._touched[pack] = now
                with suppress(OSError):
                    os.utime(self._folder / f"{pack}{_PACK}")

    def _look(self) -> None:
        """Read the keys that other processes have written since, and forget packs that are gone."""
        began = time.monotonic()
        with self._lock:
            there = self._sizes(_KEYS)
            for pack in [pack for pack in self._seen if pack not in there]:
                del self._seen[pack]
            parts = []
            for pack, size in there.items():
                known = self._seen.get(pack, 0)
                if size // RECORD.itemsize > known and (self._own is None or pack != self._own.name):
                    parts.append((pack, self._records(pack, known)))
                    self._seen[pack] = known + len(parts[-1][1])
            self._index = self._index.with_packs(parts, there)
        took = time.monotonic() - began
        self._next_look = time.monotonic() + max(_LOOK, 20 * took)

    def _records(self, pack: str, known: int) -> NDArray[Any]:
        try:
            with (self._folder / f"{pack}{_KEYS}").open("rb") as stream:
                stream.seek(known * RECORD.itemsize)
                content = stream.read()
        except OSError:
            return np.empty(0, RECORD)
        return np.frombuffer(content[: len(content) // RECORD.itemsize * RECORD.itemsize], RECORD)

    def _sizes(self, suffix: str) -> dict[str, int]:
        """Return the size of each file with an ending, by the pack's name."""
        found = {}
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(suffix):
                    with suppress(OSError):
                        found[entry.name.removesuffix(suffix)] = entry.stat().st_size
        return found

    # ---- writing -----------------------------------------------------------------------------------

    def put(self, entries: Sequence[tuple[bytes, bytes]], limit: int) -> None:
        """Keep contents under their keys of 16 bytes; older packs make room for them."""
        with self._lock:
            known = self._index.find([key for key, _ in entries])
            for (key, content), found in zip(entries, known, strict=True):
                checksum = checksum_of(content)
                new = found is None or (found.length, found.checksum) != (len(content), checksum)
                if self._writable and new and len(content) + RECORD.itemsize <= limit:
                    self._put(key, content, checksum, limit)

    def _put(self, key: bytes, content: bytes, checksum: int, limit: int) -> None:
        size = len(content) + RECORD.itemsize
        try:
            full = self._used + size > limit or self._uncounted > min(limit // _PARTS, _LARGEST) or not self._used
            if full and not self._make_room(size, limit):
                return
            own = self._own = self._own or self._new_pack()
            found = Found(own.name, own.size, len(content), checksum)
            own.pack.write(content)
            own.keys.write(record_of(key, found))
        except OSError as error:
            self._writable = False  # the rest of this process does without
            _log.warning("samples are no longer cached in %s: %s", self._folder, error.strerror or error)
            self._close()
            return
        self._index.add(key, found)
        if self._index.is_long:
            self._index = self._index.sorted_in()
        own.size += len(content)
        own.entries += 1
        self._used += size
        self._uncounted += size
        if own.size >= min(limit // _PARTS, _LARGEST):
            self._close()

    def _new_pack(self) -> _Own:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = secrets.token_hex(8)
        pack = Descriptor(self._folder / f"{name}{_PACK}", new=True)
        return _Own(name, pack, Descriptor(self._folder / f"{name}{_KEYS}", new=True))

    def _close(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            own.pack.close()
            own.keys.close()
            self._seen[own.name] = own.entries  # in the index already

    def _make_room(self, size: int, limit: int) -> bool:
        """Delete the least recently used packs until there is room, and return whether there is."""
        packs = []
        with suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(_PACK):
                    with suppress(OSError):
                        stat = entry.stat()
                        packs.append((stat.st_mtime_ns, stat.st_size, entry.name.removesuffix(_PACK)))
        keys = self._sizes(_KEYS)
        packs.sort()
        used = sum(size for _, size, _ in packs) + sum(keys.values())
        limit = min(limit, used + self._free_space())
        if self._own is not None and self._own.name not in {name for *_, name in packs}:
            self._close()  # another process has deleted it
        count = len(packs)
        for _, taken, name in packs:
            if used + size <= limit and count <= _MOST_PACKS:
                break
            if self._own is not None and name == self._own.name:
                self._close()
            self._unlink(name)
            used -= taken + keys.pop(name, 0)
            count -= 1
        for name in keys.keys() - {name for *_, name in packs}:
            with suppress(OSError):  # keys whose pack is gone
                (self._folder / f"{name}{_KEYS}").unlink()
        self._used, self._uncounted = used, 0
        return used + size <= limit

    def _free_space(self) -> int:
        """Return the bytes that the disk has left for entries, less a reserve for others."""
        home = next(folder for folder in (self._folder, *self._folder.parents) if folder.exists())
        return shutil.disk_usage(home).free - _RESERVE

    def _unlink(self, pack: str) -> None:
        for suffix in (_KEYS, _PACK):
            with suppress(OSError):
                (self._folder / f"{pack}{suffix}").unlink()
        self._files.pop(pack, None)
        self._seen.pop(pack, None)
        self._index = self._index.without(pack)

    # ---- upkeep ------------------------------------------------------------------------------------

    def _forget(self, pack: str) -> None:
        """Forget a pack that another process has deleted."""
        with self._lock:
            self._files.pop(pack, None)
            self._seen.pop(pack, None)
            self._index = self._index.without(pack)

    def _drop(self, pack: str) -> None:
        """Delete a pack that holds what nobody wrote."""
        with self._lock:
            if self._own is not None and pack == self._own.name:
                self._close()
            self._unlink(pack)
            self._used = 0  # counted again before the next entry

    def size(self) -> int:
        """Return the bytes on the disk."""
        return sum(self._sizes(_PACK).values()) + sum(self._sizes(_KEYS).values())

    def clear(self) -> None:
        """Delete all packs."""
        with self._lock:
            self._close()
            for pack in {**self._sizes(_PACK), **self._sizes(_KEYS)}:
                self._unlink(pack)
            self._index, self._used, self._uncounted = Index(), 0, 0
