"""Files out of a .tar.gz, read from the archive; nothing is unpacked to disk."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

__all__ = ["members", "read_members"]


def members(path: Path) -> Iterator[tuple[str, IO[bytes], int]]:
    """Yield name, without folder, content and length in bytes of each file of an archive, in its order.

    The content can be read until the next file is requested.
    """
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                yield member.name.rsplit("/", 1)[-1], content, member.size


def read_members(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of some files by name.

    Raises
    ------
    KeyError
        If one of them is not in the archive.
    """
    found = {name: content.read() for name, content, _ in members(path) if name in names}
    missing = [name for name in names if name not in found]
    if missing:
        raise KeyError(f"{missing[0]!r} is not in the archive")
    return found
