"""A temporary folder next to a dataset's path, moved there when the dataset is complete."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from penstock.errors import DatasetExistsError, ImporterError, PenstockError
from penstock.storage import make_folders, new_staging, staging_folders, staging_lock, sync_folder

__all__ = ["check_free", "staged", "sweep"]

_LOCK_TIMEOUT = 10.0  # seconds: a sweep may hold a lock for the moment between its making and its taking
_SAMPLES = ("samples.lance", ".new-samples.lance")
_OWN_NAMES = re.compile(r"(\.new-)?samples\.lance|drafts|views|digests|import-report\.json|\..*\.part|.*\.lock")


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Yield a folder next to `target` that becomes `target` if the block succeeds and is deleted otherwise.

    Parameters
    ----------
    target : Path
        Where the dataset is to be; parts of one that was never finished are replaced.

    Raises
    ------
    DatasetExistsError
        If there is something at `target`.
    ImporterError
        If it cannot be written there.
    """
    try:
        check_free(target)
        make_folders(target.parent)
        sweep(target.parent)
        with _locked_name(target) as staging:
            yield staging
            check_free(target)
            _remove(target)
            staging.replace(target)
            sync_folder(target.parent)
    except OSError as error:
        if isinstance(error, PenstockError):
            raise
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            check_free(target)  # another import was faster
        raise ImporterError(f"the dataset cannot be written to {str(target)!r}: {error}") from error


def sweep(folder: Path) -> None:
    """Remove what killed imports left in a folder; imports that are still running are not touched.

    Parameters
    ----------
    folder : Path
        Where datasets were to be made.
    """
    for part in staging_folders(folder):
        lock = staging_lock(part)
        if not lock.exists():
            _remove_any(part)  # the lock comes before the folder and goes after it
            continue
        with suppress(Timeout, OSError, RuntimeError), FileLock(lock, timeout=0):
            _remove_any(part)
            lock.unlink(missing_ok=True)


@contextmanager
def _locked_name(target: Path) -> Iterator[Path]:
    """Yield a free name next to `target` that other imports respect as long as this process is alive."""
    staging = new_staging(target)
    with FileLock(staging_lock(staging), timeout=_LOCK_TIMEOUT):
        try:
            yield staging
        finally:
            _remove(staging)
            staging_lock(staging).unlink(missing_ok=True)


def check_free(target: Path) -> None:
    """Refuse a path where there is something already."""
    if target.is_symlink() and not target.exists():
        raise DatasetExistsError(f"{str(target)!r} is a broken symbolic link", hint="choose another destination")
    if target.exists() and not (target.is_dir() and (not any(target.iterdir()) or _is_half_made(target))):
        raise DatasetExistsError(f"{str(target)!r} already exists", hint="choose another destination")


def _is_half_made(target: Path) -> bool:
    """Return whether a folder contains only a dataset without any version."""
    if not any((target / name).is_dir() for name in _SAMPLES):
        return False
    if not all(_OWN_NAMES.fullmatch(path.name) for path in target.iterdir()):
        return False
    versions = target / "samples.lance" / "_versions"
    return not versions.is_dir() or not any(versions.glob("*.manifest"))


def _remove_any(part: Path) -> None:
    """Remove a folder, or the file that an export was writing."""
    if part.is_file() and not part.is_symlink():
        part.unlink(missing_ok=True)
    _remove(part)


def _remove(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
