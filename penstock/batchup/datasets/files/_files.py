"""Bring the files of a standard dataset into the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from penstock.batchup.datasets.files._download import download
from penstock.batchup.datasets.files._sources import SourceFile, sha256_of
from penstock.errors import DownloadError

__all__ = ["ensure_files", "locked"]


def ensure_files(files: Sequence[SourceFile], folder: Path, *, progress: bool = True) -> Mapping[str, Path]:
    """Return the paths of files by name, each with its checksum verified; those that are missing are downloaded.

    Parameters
    ----------
    files : sequence of SourceFile
    folder : Path
        The cache folder; a file placed there by hand is used if its checksum is right.
    progress : bool
        Whether to show a progress bar for each download.

    Raises
    ------
    DownloadError
        If a file has another checksum, or cannot be downloaded from any of its addresses. A file that is in the
        folder is never changed.
    """
    paths = {file.name: folder / file.name for file in files}
    for file in files:  # before anything is downloaded
        if os.path.lexists(paths[file.name]):
            _verify(file, paths[file.name])
    missing = [file for file in files if not os.path.lexists(paths[file.name])]
    for number, file in enumerate(missing):
        download(file, folder, progress=progress, also=tuple(later.name for later in missing[number + 1 :]))
    return paths


def _verify(file: SourceFile, path: Path) -> None:
    found = sha256_of(path)
    if found != file.sha256:
        raise DownloadError(
            f"{str(path)!r} has the SHA-256 checksum {found}. Expected {file.sha256}",
            hint="the file is damaged or is a different file; remove it to download it again",
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a cache folder, created if it is missing: one process downloads, the others wait for it."""
    from filelock import FileLock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire()
    except OSError as error:
        raise DownloadError(
            f"the data folder {str(folder)!r} is not writable ({error.strerror or error}). Expected a writable folder",
            hint="set the environment variable PENSTOCK_HOME to use another folder",
        ) from error
    try:
        yield
    finally:
        lock.release()
