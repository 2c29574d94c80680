"""Files and folders, written next to their path and moved there when complete."""

from __future__ import annotations

import filecmp
import glob
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from filelock import FileLock, Timeout

from penstock.errors import ExportError, PenstockError
from penstock.exporters._exchange import exchange, rename_new
from penstock.exporters._rows import ExportedRows
from penstock.storage import make_folders, new_staging, staging_folders, staging_lock, sync_folder

__all__ = ["checked_place", "written_beside"]

_MANY_LOST = 1000  # are enough to say so: the folder may be a home
_OF_FILES = {
    ".gz",
    ".json",
    ".jsonl",
    ".txt",
    ".csv",
    ".xml",
    ".yaml",
    ".yml",
    ".zip",
    ".tar",
}  # not of folders
_LOCK_TIMEOUT = 10.0  # seconds: a sweep may hold a lock for the moment between its making and its taking
_OLD = ".old"


def checked_place(path: object, *, overwrite: bool, suffixes: Sequence[str] = (), folder: bool = True) -> Path:
    """Return where an export goes.

    Parameters
    ----------
    path : object
        The destination.
    overwrite : bool
        Whether what is there may be replaced.
    suffixes : sequence of str
        What the name of a file ends with; without any, it cannot be a file.
    folder : bool
        Whether it can be a folder.

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
    place = Path(os.path.abspath(place))  # noqa: PTH100  without ".." the name is that of a file or folder
    if not place.name:
        raise ExportError(f"the destination {str(path)!r} is not valid. Expected a folder below the root")
    suffix = place.suffix.lower()
    if suffix not in suffixes and (not folder or suffix in _OF_FILES):
        kinds = [f"a {' or '.join(suffixes)} file"] if suffixes else []
        raise ExportError(
            f"the destination {str(path)!r} is not valid. Expected {', or '.join(kinds + ['a folder'] * folder)}"
        )
    _check_free(path, place, overwrite=overwrite)
    return place


def _check_free(path: object, place: Path, *, overwrite: bool) -> None:
    if os.path.lexists(place) and not overwrite:
        raise ExportError(
            f"{str(path)!r} already exists",
            hint="use overwrite=True, or --overwrite on the command line, to replace it",
        )


@contextmanager
def written_beside(place: Path, rows: ExportedRows, *, overwrite: bool) -> Iterator[Path]:
    """Yield a free name next to `place` for a file or folder; it becomes `place` if the block succeeds.

    What exports that were killed have left for this place is removed; imports and exports that are still running
    are not touched, and do not touch this one.

    Raises
    ------
    ExportError
        If it cannot be written there, or images of the dataset would be lost; what was at `place` is still there
        then.
    """
    _check_apart(place, rows)
    part = new_staging(place)
    try:
        make_folders(place.parent)
        _sweep(place)
        with _locked(part):
            yield part
            _sync(part)
            _check_free(place, place, overwrite=overwrite)
            _check_replaced(part, place)
            _check_linked(part, place, rows)
            _move(part, place, overwrite=overwrite)
            sync_folder(place.parent)
    except OSError as error:
        if isinstance(error, PenstockError):
            raise
        raise ExportError(f"the export cannot be written to {str(place)!r}: {error.strerror or error}") from error


@contextmanager
def _locked(part: Path) -> Iterator[None]:
    """Hold the lock of a name, by which others know that it is in use; remove what is at that name in the end."""
    with FileLock(staging_lock(part), timeout=_LOCK_TIMEOUT):
        try:
            yield
        finally:
            _remove(part)
            staging_lock(part).unlink(missing_ok=True)


def _sweep(place: Path) -> None:
    """Remove what killed exports to this place left; what such an export was about to replace is put back."""
    name = glob.escape(place.name)
    for old in sorted(place.parent.glob(f".{name}.*{_OLD}")):
        with suppress(OSError):
            if not os.path.lexists(place):
                old.rename(place)
            elif not staging_lock(old.with_suffix("")).exists():
                _remove(old)
    for part in staging_folders(place.parent):
        if not part.name.startswith(f".{place.name}."):
            continue
        with suppress(Timeout, OSError, RuntimeError), FileLock(staging_lock(part), timeout=0):
            _remove(part)
            staging_lock(part).unlink(missing_ok=True)


def _check_apart(place: Path, rows: ExportedRows) -> None:
    """Raise where the destination is in the dataset, or the dataset is in it."""
    home = rows.home
    if home is None:
        return
    real = Path(os.path.realpath(place))
    if real.is_relative_to(home) or home.is_relative_to(real):
        raise ExportError(
            f"the destination {str(place)!r} and the dataset {str(home)!r} overlap. "
            "Nothing was replaced. Expected a path outside the dataset"
        )


def _check_linked(part: Path, place: Path, rows: ExportedRows) -> None:
    """Raise where the images that samples are linked to are replaced by something else."""
    if place.is_symlink() or not place.is_dir():
        return
    folder = Path(os.path.realpath(place))
    for file in rows.linked_files():
        if not file.is_relative_to(folder) or not file.is_file():
            continue
        new = part / file.relative_to(folder)
        if new.is_symlink() or not new.is_file() or not filecmp.cmp(file, new, shallow=False):
            raise ExportError(
                f"samples of the dataset are linked to {str(file)!r}, which the export would replace by something "
                "else. Nothing was replaced",
                hint="export to a new folder",
            )


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


def _move(part: Path, place: Path, *, overwrite: bool) -> None:
    """Put a file or folder in its place; what is there goes only when the new one is there."""
    if not overwrite:
        rename_new(part, place)
        return
    if not os.path.lexists(place) or not (place.is_dir() or part.is_dir()) or place.is_symlink():
        _replace(part, place)
        return
    if exchange(part, place):  # the folder that was there is now the part, which is removed
        return
    old = part.with_name(f"{part.name}{_OLD}")
    place.rename(old)
    try:
        part.rename(place)
    except BaseException:
        old.rename(place)
        raise
    _remove(old)


def _replace(part: Path, place: Path) -> None:
    if part.is_dir() and place.is_symlink():
        place.unlink()  # no folder takes the place of a link in one step
    part.replace(place)


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
