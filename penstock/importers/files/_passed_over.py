"""List the files below a folder: those that count, those that are skipped, and those that are images."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from penstock.errors import ImporterError

__all__ = ["Listing", "is_image_file", "is_passed_over", "list_files"]

_SYSTEM_NAMES = frozenset(
    {
        "$recycle.bin",
        "#recycle",
        "@eadir",
        "__macosx",
        "__pycache__",
        "desktop.ini",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "icon\r",
        "lost+found",
        "system volume information",
        "thumbs.db",
    }
)
_HEAD = 32  # bytes: what tells the format of an image
_NUM_NAMED = 3
_IMAGE_HEADS = (
    re.compile(rb"\xff\xd8\xff"),  # JPEG
    re.compile(rb"\x89PNG\r\n\x1a\n"),
    re.compile(rb"GIF8[79]a"),
    re.compile(rb"RIFF....WEBP", re.DOTALL),
    re.compile(rb"(II[*+]\x00|MM\x00[*+])"),  # TIFF and BigTIFF
    re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", re.DOTALL),
    re.compile(rb"P[1-6f]\s+[#\d]"),  # PBM, PGM, PPM, PFM
    re.compile(rb"....ftyp(avi[fs]|hei[cfmsx]|hev[cmx]|mif1|msf1)", re.DOTALL),
    re.compile(rb"(\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51)"),  # JPEG 2000
    re.compile(rb"(\x00\x00\x00\x0cJXL |\xff\x0a)"),
    re.compile(rb"(\x00\x00\x01\x00[^\x00]\x00|8BPS|qoif|DDS |\x01\xda[\x00\x01][\x01\x02])"),
)
_IMAGE_ENDINGS = re.compile(
    r"\.(avif|bmp|dib|gif|heic|heif|jfif|jp2|jpe|jpe?g|jxl|p[bgnp]m|png|tiff?|webp)", re.IGNORECASE
)
_CAMERA_RAW = re.compile(  # TIFF at their heads, of which little more than a thumbnail can be read
    r"\.(arw|cr[23]|dng|nef|nrw|orf|pef|raf|rw2|sr2|srw)", re.IGNORECASE
)


def is_passed_over(name: str) -> bool:
    """Return whether a file or folder of this name was put there by a system or a tool, not by a person.

    Parameters
    ----------
    name : str
        The name alone, without the folder it is in.

    Examples
    --------
    >>> [is_passed_over(name) for name in ("cat.png", "._cat.png", ".ipynb_checkpoints", "Thumbs.db")]
    [False, True, True, True]
    """
    return name.startswith((".", "~$")) or name.lower() in _SYSTEM_NAMES


def is_image_file(path: Path) -> bool:
    """Return whether a file is an image by its first bytes, or calls itself one by its ending.

    A file that has the ending of an image and another content counts: it is an
    image that is broken, which is refused by name and not passed over.
    """
    if _IMAGE_ENDINGS.fullmatch(path.suffix):
        return True
    if _CAMERA_RAW.fullmatch(path.suffix):
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return any(pattern.match(head) for pattern in _IMAGE_HEADS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files below a folder.

    Parameters
    ----------
    files : tuple of Path
        Ascending; a link that leads nowhere is one, so that it is refused by name.
    folders : tuple of Path
        Ascending, without the root.
    passed_over : tuple of (Path, str)
        What counts as neither, and why; a folder stands for all that is in it.
    num_outside : int
        How many of `files` are reached over a symbolic link that leads out of the root.
    """

    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    passed_over: tuple[tuple[Path, str], ...]
    num_outside: int


def list_files(root: Path) -> Listing:
    """List the files below a folder; symbolic links count as what they lead to.

    Parameters
    ----------
    root : Path
        The folder; its own name may be hidden.

    Raises
    ------
    ImporterError
        If a folder below cannot be read.
    """
    found = _Found(root=os.path.realpath(root))
    found.add(root, (), outside=False)
    return Listing(
        files=tuple(sorted(found.files)),
        folders=tuple(sorted(found.folders)),
        passed_over=tuple(sorted(found.passed_over)),
        num_outside=found.num_outside,
    )


@dataclass(slots=True)
class _Found:
    root: str
    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    passed_over: list[tuple[Path, str]] = field(default_factory=list)
    num_outside: int = 0

    def add(self, folder: Path, above: tuple[tuple[int, int], ...], *, outside: bool) -> None:
        """Add what is in a folder; `above` has device and inode of the folders that lead to it."""
        for entry, status in _entries(folder):
            path = folder / entry.name
            leads_out = self._leads_out(entry, outside=outside)
            reason = _reason(entry, status)
            if reason is not None:
                self.passed_over.append((path, reason))
            elif status is not None and stat.S_ISDIR(status.st_mode):
                self._add_folder(path, (*above, (status.st_dev, status.st_ino)), outside=leads_out)
            else:
                self.files.append(path)
                self.num_outside += leads_out

    def _add_folder(self, folder: Path, chain: tuple[tuple[int, int], ...], *, outside: bool) -> None:
        status = Path(self.root).stat()
        if chain[-1] in {*chain[:-1], (status.st_dev, status.st_ino)}:
            self.passed_over.append((folder, "a symbolic link to one of its parent folders"))
            return
        self.folders.append(folder)
        self.add(folder, chain, outside=outside)

    def _leads_out(self, entry: os.DirEntry[str], *, outside: bool) -> bool:
        if not entry.is_symlink():
            return outside
        return not Path(os.path.realpath(entry.path)).is_relative_to(self.root)


def _entries(folder: Path) -> Iterator[tuple[os.DirEntry[str], os.stat_result | None]]:
    """Yield what is in a folder, and the state of what it leads to, None where it leads nowhere."""
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise ImporterError(f"the folder {str(folder)!r} cannot be read: {error.strerror}") from error
    for entry in listed:
        try:
            yield entry, entry.stat()
        except OSError:
            yield entry, None


def _reason(entry: os.DirEntry[str], status: os.stat_result | None) -> str | None:
    """Return why an entry is skipped, None if it is not."""
    is_folder = status is not None and stat.S_ISDIR(status.st_mode)
    if is_passed_over(entry.name):
        return f"a hidden or system folder{_contents(Path(entry.path))}" if is_folder else "a hidden or system file"
    if is_folder and Path(entry.path, "samples.lance").is_dir():
        return "a penstock dataset"
    if status is not None and not is_folder and not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    return None


def _contents(folder: Path) -> str:
    """Return how many files a folder has, and the first of their names."""
    names = sorted(name for _, _, files in os.walk(folder) for name in files)
    named = ", ".join([*names[:_NUM_NAMED], *(["…"] if len(names) > _NUM_NAMED else [])])
    return f" with {len(names):,} file{'' if len(names) == 1 else 's'}{f' ({named})' if names else ''}"
