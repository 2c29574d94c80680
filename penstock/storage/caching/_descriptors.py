"""Open files that are closed when nobody uses them any more."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["Descriptor"]

_BINARY = getattr(os, "O_BINARY", 0)


class Descriptor:
    """An open file; whoever reads from it keeps it open, also where it was deleted or forgotten meanwhile.

    Parameters
    ----------
    path : Path
        The file.
    new : bool
        Whether it is created, to be written.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        self._number = -1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND if new else os.O_RDONLY
        self._number = os.open(path, flags | _BINARY, 0o600)
        self._lock = threading.Lock()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        number, self._number = self._number, -1
        if number >= 0:
            with suppress(OSError):
                os.close(number)

    def write(self, content: bytes) -> None:
        """Append all of a content, or raise an error."""
        if os.write(self._number, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def read(self, length: int, offset: int) -> bytes:
        """Return a part; it is shorter where the file ends."""
        if hasattr(os, "pread"):
            return os.pread(self._number, length, offset)
        with self._lock:
            os.lseek(self._number, offset, os.SEEK_SET)
            return os.read(self._number, length)
