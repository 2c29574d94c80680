"""From the names that annotations give their images to files below the folders that may be read."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from penstock.errors import ImporterError
from penstock.importers.building._report import IssueLog
from penstock.importers.building._sources import path_of
from penstock.importers.building._text import shown
from penstock.importers.files._image_files import image_under, is_below, none_there
from penstock.tensors import Link

__all__ = ["ImageFinder", "admit_links", "as_folders", "as_links"]

_DRIVE = re.compile(r"^[A-Za-z]:/")


def as_folders(roots: Sequence[str | os.PathLike[str]] | str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return the further folders that may be read, as paths that exist.

    Raises
    ------
    ImporterError
        If one of them is not a folder.
    """
    given = [roots] if isinstance(roots, (str, os.PathLike)) else roots
    if not isinstance(given, Sequence):
        raise ImporterError(f"roots={shown(roots)} is not valid. Expected folders that may be read")
    folders = tuple(path_of(root, "a folder that may be read") for root in given)
    missing = next((folder for folder in folders if not os.path.isdir(folder)), None)
    if missing is not None:
        raise ImporterError(
            f"roots contains {str(missing)!r}, which is not a folder. Expected folders that may be read"
        )
    return folders


class ImageFinder:
    """Finds images by name below a folder, and reports those found under another name or through a link.

    Parameters
    ----------
    folder : Path
        Folder of the images.
    roots : sequence of Path
        Further folders that may be read.
    log : IssueLog
        Takes images whose names lead out of these folders, or are not names.
    linked : bool
        Whether the images are linked to: then a symbolic link must lead into the
        folder or one of `roots`.
    """

    def __init__(self, folder: Path, roots: Sequence[Path], log: IssueLog, *, linked: bool = False) -> None:
        self._folder = folder
        self._roots = tuple(roots)
        self._log = log
        self._linked = linked
        self._renamed: list[tuple[str, Path]] = []
        self._num_outside = 0
        self._real_folders: dict[str, str] = {}
        self._allowed = [os.path.realpath(folder), *(os.path.realpath(root) for root in roots)]

    def find_all(self, names: Sequence[str], source: str) -> list[Path | None]:
        """Return the file of each name, None where it is refused; a missing file keeps the path it should have.

        Raises
        ------
        ImporterError
            If the folder does not exist or has none of the images.
        """
        if not os.path.isdir(self._folder):
            raise ImporterError(
                f"the image folder {str(self._folder)!r} does not exist. Expected the folder of the images"
            )
        found = [self._find(name) for name in names]
        if names and not any(path is not None and os.path.exists(path) for path in found):
            readable = next((name for name, path in zip(names, found, strict=True) if path is not None), None)
            if readable is not None:
                raise none_there(self._folder, readable)
        self.report(source)
        return found

    def admit(self, path: Path) -> Path | None:
        """Return the file to read for one that was found, None where it is refused."""
        return self._admitted(str(path), path)

    def _find(self, name: str) -> Path | None:
        problem = _flaw(name)
        if problem:
            self._log.refuse(shown(name), problem)
            return None
        try:
            direct = image_under(self._folder, name, self._roots)
        except ImporterError as error:
            direct, problem = None, error.message
        path = direct if direct is not None and os.path.isfile(direct) else self._elsewhere(name)
        path = path or direct
        if path is None:
            self._log.refuse(name, problem or "was not found", hint="pass roots= to allow reading other folders")
            return None
        return self._admitted(name, path)

    def _elsewhere(self, name: str) -> Path | None:
        """Return the file that a name of another system or machine means."""
        for other in _readings(name, self._folder.absolute().name):
            path = self._folder / other
            if is_below(path, self._folder) and os.path.isfile(path):
                self._renamed.append((name, path))
                return path
        return None

    def _admitted(self, name: str, path: Path) -> Path | None:
        if os.path.exists(path) and not os.path.isfile(path):
            self._log.refuse(name, f"{str(path)!r} is not a file. Expected an image file")
            return None
        real = self._real(path)
        self._num_outside += not _is_in(real, self._allowed[0])
        if not self._linked or _is_in(real, self._allowed[0]):
            return path
        if not any(_is_in(real, root) for root in self._allowed[1:]):
            self._log.refuse(
                name,
                f"is a symbolic link to {real!r}, outside {str(self._folder)!r}, the only folder that may be "
                "read with link=True",
                hint="pass roots= to allow reading other folders, or link=False to copy the images",
            )
            return None
        return Path(real)

    def _real(self, path: Path) -> str:
        """Resolve symbolic links; a folder is resolved once for all that is in it."""
        if os.path.islink(path):
            return os.path.realpath(path)
        folder, name = os.path.split(path)
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder)
        return os.path.join(self._real_folders[folder], name)  # noqa: PTH118  names are many, and Path would cost more than the look-up

    def report(self, source: str) -> None:
        """Note images found under another name, and the number found through links that point outside."""
        if self._renamed:
            name, path = self._renamed[0]
            what = "1 image has" if len(self._renamed) == 1 else f"{len(self._renamed):,} images have"
            self._log.note(source, f"{what} another name or location than stated: {name!r} is {str(path)!r}")
        if self._num_outside:
            what = "1 image is" if self._num_outside == 1 else f"{self._num_outside:,} images are"
            self._log.note(str(self._folder), f"{what} reached through symbolic links that point outside this folder")


def admit_links(
    paths: Sequence[Path], folder: Path, roots: Sequence[Path], log: IssueLog, *, linked: bool
) -> list[Path | Link | None]:
    """Return the files to read, or links to them, None where one is refused.

    How many are reached over symbolic links that lead outside is noted.

    Parameters
    ----------
    paths : sequence of Path
        Files that were found below `folder` or `roots`.
    linked : bool
        Whether they are linked to: then symbolic links must lead into these folders.
    """
    finder = ImageFinder(folder, roots, log, linked=linked)
    admitted = [finder.admit(path) for path in paths]
    finder.report(str(folder))
    return as_links(admitted) if linked else [*admitted]


def as_links(paths: Sequence[Path | None]) -> list[Path | Link | None]:
    """Return links to files, None where a file is missing."""
    return [None if path is None else Link(str(path.absolute())) for path in paths]


def _flaw(name: str) -> str | None:
    """Return why no file can have this name."""
    if not name or "\0" in name:
        return "is not a file name"
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return "is not a file name: it has a lone surrogate"
    return None


def _readings(name: str, folder: str) -> Iterator[str]:
    """Yield other readings of a name: backslashes, percent signs, composed characters, paths of another machine."""
    slashed = name.replace("\\", "/")
    plain = [slashed, unquote(slashed)]
    for text in plain:
        yield from (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    for text in plain:
        parts = PurePosixPath(_DRIVE.sub("/", urlsplit(text).path if "://" in text else text)).parts
        foreign = parts[:1] == ("/",) or ".." in parts
        for start in range(1, len(parts)):
            if ".." not in parts[start:] and (foreign or parts[start - 1] == folder):
                yield "/".join(parts[start:])


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)
