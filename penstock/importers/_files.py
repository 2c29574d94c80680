"""Finding the image files that a source names."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from penstock.errors import ImporterError

__all__ = [
    "IMAGE_SUFFIXES",
    "ImageIndex",
    "holds_images",
    "image_folder",
    "image_under",
    "is_below",
    "local_path",
    "none_there",
]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif"})


def image_folder(folder: str | os.PathLike[str], names: Iterable[str]) -> Path:
    """Return the folder as a path; when `names` lie one folder deeper, say so.

    Raises
    ------
    ImporterError
        If there is no such folder, or it has none of the images.
    """
    root = Path(folder)
    if not os.path.isdir(root):  # noqa: PTH112
        raise ImporterError(f"no folder of images {str(root)!r}")
    first, has_any = None, False
    for name in names:
        first = name if first is None else first
        if os.path.exists(root / name):  # noqa: PTH110  Path.exists raises for names that no file can have
            has_any = True
            break
    if first is not None and not has_any:
        raise none_there(root, first)
    return root


def none_there(root: Path, name: str) -> ImporterError:
    """Return the error for a folder that has none of the images; `name` is the first."""
    last = PurePosixPath(name.replace("\\", "/")).name
    deeper = next((folder for folder in sorted(root.glob("*/")) if os.path.exists(folder / last)), None)  # noqa: PTH110
    return ImporterError(
        f"{str(root)!r} has no file {name!r}, which the annotations name, and none of the others",
        hint=f"did you mean {str(deeper)!r}?" if deeper else None,
    )


def image_under(root: Path, name: str, roots: Sequence[Path] = ()) -> Path:
    """Return the path of an image inside `root` or one of `roots`; a name that leads out of them is refused.

    Symbolic links that the user made below these folders count as inside. An
    absolute path or a ``file://`` address is taken where it is below them.
    """
    local = str(local_path(name) or name)
    path = Path(os.path.normpath(root / local))
    if not any(is_below(path, folder, resolved=Path(local).is_absolute()) for folder in (root, *roots)):
        raise ImporterError(
            f"image {name!r} lies outside {str(root)!r}; expected a name inside the folder",
            hint="roots= names further folders that may be read" if Path(local).is_absolute() else None,
        )
    return path


def local_path(url: str) -> Path | None:
    """Return the path of a file on this machine, also by its ``file://`` address; None for one elsewhere."""
    if url.lower().startswith("file:"):
        return Path(unquote(urlsplit(url).path))
    return None if "://" in url else Path(url)


def is_below(path: Path, folder: Path, *, resolved: bool = False) -> bool:
    """Return whether a path is below a folder, as written or, if asked for, with symbolic links resolved."""
    if Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder)):  # noqa: PTH100  `..` goes, links stay
        return True
    return resolved and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


class ImageIndex:
    """Image files below a folder, by relative path and by name.

    Parameters
    ----------
    root : str or Path
        The folder; its subfolders are searched as well.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise ImporterError(f"no folder of images {str(self.root)!r}")
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(self.root.rglob("*")):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                self._by_name[path.name].append(path)

    def find(self, name: str) -> Path:
        """Return the one file that is at `name` below the folder, or has this name in a subfolder."""
        direct = image_under(self.root, name)
        if direct.is_file():
            return direct
        found = self._by_name.get(name, [])
        if len(found) == 1:
            return found[0]
        raise ImporterError(
            f"{len(found)} files named {name!r} below {str(self.root)!r}; expected one"
            if found
            else f"no file {name!r} below {str(self.root)!r}"
        )


def holds_images(folder: Path) -> bool:
    """Return whether there is an image below the folder."""
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.rglob("*"))
