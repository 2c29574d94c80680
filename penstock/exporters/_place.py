"""Files and folders, written next to their path and moved there when complete."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from penstock.errors import ExportError, PenstockError
from penstock.storage import make_folders, sync_folder

__all__ = ["checked_place", "written_beside"]

_MANY_LOST = 1000  # are enough to say so: the folder may be a home
_NOT_WRITTEN = {".gz", ".jsonl", ".txt", ".csv", ".zip", ".tar"}  # a folder of such a name is a mistake


def checked_place(path: object, *, overwrite: bool, suffixes: Sequence[str] | None = None) -> Path:
    """Return where an export goes.

    Parameters
    ----------
    path : object
        The destination.
    overwrite : bool
        Whether what is there may be replaced.
    suffixes : sequence of str, optional
        What the name of a file ends with; by default it may be a ``.json`` file or a folder.

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
    if suffixes is not None and place.suffix.lower() not in suffixes:
        raise ExportError(f"the destination {str(path)!r} is not valid. Expected a {' or '.join(suffixes)} file")
    if suffixes is None and place.suffix.lower() in _NOT_WRITTEN:
        raise ExportError(f"the destination {str(path)!r} is not valid. Expected a .json file, or a folder")
    _check_free(path, place, overwrite=overwrite)
    return place


def _check_free(path: object, place: Path, *, overwrite: bool) -> None:
    if os.path.lexists(place) and not overwrite:
        raise ExportError(
            f"{str(path)!r} already exists",
            hint="use overwrite=True, or --overwrite on the command line, to replace it",
        )


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
        _check_replaced(part, place)
        _check_free(place, place, overwrite=overwrite)
        _move(part, place)
        sync_folder(place.parent)
    except OSError as error:
        if isinstance(error, PenstockError):
            raise
        raise ExportError(f"the export cannot be written to {str(place)!r}: {error.strerror or error}") from error
    finally:
        _remove(part)


def _check_replaced(part: Path, place: Path) -> None:
    """Raise where files at the place are not among those that are written: they would be lost."""
    lost = sorted(islice(_lost(part, place), _MANY_LOST))
    if lost:
        least = "at least " if len(lost) == _MANY_LOST else ""
        more = f" and {least}{len(lost) - 1:,} more" if len(lost) > 1 else ""
        raise ExportError(
            f"{str(place)!r} contains files that the export does not write: {lost[0]!r}{more}. Nothing was replaced",
            hint="export to a new folder, or remove them first",
        )


def _lost(part: Path, place: Path) -> Iterator[str]:
    """Yield the files that would go where one of the two is a folder; a file is replaced by a file."""
    if place.is_symlink() or not (place.is_dir() or part.is_dir()):
        return
    if not place.is_dir():
        yield from [place.name] if place.exists() else []
        return
    for path in place.rglob("*"):
        if (path.is_symlink() or not path.is_dir()) and not os.path.lexists(part / path.relative_to(place)):
            yield str(path.relative_to(place))


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
        with suppress(FileNotFoundError, NotADirectoryError):  # a folder on the way may be a file
            path.unlink()
