"""The bytes of a file, read where they are needed."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any, TypeAlias

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
        self._path = path.absolute()
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        weakref.finalize(self, os.close, self._file)
        self._stamp = self._now()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the path; another process opens the file itself, and finds it changed if it was."""
        return _reopened, (self._path, self._stamp)

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

    def expect(self, stamp: tuple[int, int]) -> None:
        """Take the file for changed unless it is as it was elsewhere."""
        self._stamp = stamp
        self.check()

    def check(self) -> None:
        """Raise if the file was changed since it was opened."""
        if self._now() != self._stamp:
            raise ImporterError(f"{self._name!r} was changed while it was being imported. Expected a complete file")


def _reopened(path: Path, stamp: tuple[int, int]) -> FileContent:
    try:
        content = FileContent(path)
    except OSError as error:
        raise ImporterError(f"{str(path)!r} cannot be read where its images are imported: {error.strerror}") from error
    content.expect(stamp)
    return content


Content: TypeAlias = bytes | FileContent


def check_unchanged(content: Content) -> None:
    """Raise if a file was changed since it was opened."""
    if isinstance(content, FileContent):
        content.check()
