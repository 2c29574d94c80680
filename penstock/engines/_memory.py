"""Memory that two processes share and no name in the file system leads to."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path

__all__ = ["SharedMemory"]

_GRAIN = 1 << 20


class SharedMemory:
    """Growing memory behind a file descriptor that a child inherits.

    It has no name from the first moment on, so nothing is left behind
    whichever process is killed, and no limit but the machine's memory.

    Parameters
    ----------
    descriptor : int, optional
        Of memory made by another process; None makes new memory.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = _anonymous() if descriptor is None else descriptor
        self._map: mmap.mmap | None = None
        self._size = 0

    def view(self, size: int) -> memoryview:
        """Return the first `size` bytes, after growing to them where needed."""
        if size > self._size or self._map is None:
            self._size = max(size, os.fstat(self.descriptor).st_size, _GRAIN)
            self._size = -(-self._size // _GRAIN) * _GRAIN
            if os.fstat(self.descriptor).st_size < self._size:
                os.ftruncate(self.descriptor, self._size)
            self._map = mmap.mmap(self.descriptor, self._size)
        return memoryview(self._map)[:size]

    def private(self, size: int) -> memoryview:
        """Return the first `size` bytes to read; what is written to them stays with whoever wrote it."""
        return memoryview(mmap.mmap(self.descriptor, max(size, 1), access=mmap.ACCESS_COPY))[:size]

    def close(self) -> None:
        """Return the memory."""
        self._map = None
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _anonymous() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("penstock")
    descriptor, path = tempfile.mkstemp(prefix="penstock-")
    Path(path).unlink()
    return descriptor
