"""Files and folders, written next to their path and moved there when complete."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.errors import ExportError, PenstockError
from penstock.storage import make_folders, sync_folder

__all__ = ["checked_place", "written_beside"]


def checked_place(path: object, *, overwrite: bool) -> Path:
    """Return where an export goes.

    Raises
    ------
    ExportError
        If it is no path, or something is there and may not be overwritten.
    """
    if not isinstance(path, str | os.PathLike) or not str(path):
        raise ExportError(f"the destination {path!r} is not valid. Expected a path")
    place = Path(os.fspath(path)).absolute()
    if "\0" in str(place) or "://" in str(path):
        raise ExportError(f"the destination {str(path)!r} is not valid. Expected a path on this machine")
    if os.path.lexists(place) and not overwrite:
        raise ExportError(f"{str(path)!r} already exists", hint="use overwrite=True to replace it")
    return place


@contextmanager
def written_beside(place: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a free name next to `place` for a file or folder; it becomes `place` if the block succeeds.

    Raises
    ------
    ExportError
        If it cannot be written there; what was at `place` is still there then.
    """
    part = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        make_folders(place.parent)
        yield part
        _sync(part)
        _move(part, checked_place(place, overwrite=overwrite))
        sync_folder(place.parent)
    except OSError as error:
        if isinstance(error, PenstockError):
            raise
        raise ExportError(f"the export cannot be written to {str(place)!r}: {error.strerror or error}") from error
    finally:
        _remove(part)


def _move(part: Path, place: Path) -> None:
    """Put a file or folder in its place; what is there goes only when the new one is there."""
    if not os.path.lexists(place) or not (place.is_dir() or part.is_dir()) or place.is_symlink():
        part.replace(place)
        return
    old = part.with_name(f"{part.name}.old")
    place.rename(old)  # a folder cannot be replaced in one step
    try:
        part.rename(place)
    except BaseException:
        old.rename(place)
        raise
    _remove(old)


def _sync(part: Path) -> None:
    """Sync what was written, so that it survives a power failure."""
    for path in [part, *(part.rglob("*") if part.is_dir() else ())]:
        if path.is_dir() and not path.is_symlink():
            sync_folder(path)
        elif path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
