"""The bytes of a file, read where they are needed."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import TypeAlias

from penstock.errors import ImporterError

__all__ = ["Content", "FileContent", "check_unchanged"]


class FileContent:
    """A file that is open, and sliced as bytes are; safe to read from many threads.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        weakref.finalize(self, os.close, self._file)
        self._stamp = self._now()

    def _now(self) -> tuple[int, int]:
        state = os.fstat(self._file)
        return state.st_size, state.st_mtime_ns

    def __len__(self) -> int:
        return self._stamp[0]

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(len(self))
        found = os.pread(self._file, end - start, start) if end > start else b""
        while len(found) < end - start:
            more = os.pread(self._file, end - start - len(found), start + len(found))
            if not more:
                self.check()
                break
            found += more
        return found

    def check(self) -> None:
        """Raise if the file was changed since it was opened."""
        if self._now() != self._stamp:
            raise ImporterError(f"{self._name!r} was changed while it was being imported. Expected a complete file")


Content: TypeAlias = bytes | FileContent


def check_unchanged(content: Content) -> None:
    """Raise if a file was changed since it was opened."""
    if isinstance(content, FileContent):
        content.check()
