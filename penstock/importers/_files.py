"""Finding the image files that a source names."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from penstock.errors import ImporterError

__all__ = ["IMAGE_SUFFIXES", "ImageIndex", "holds_images", "image_folder", "image_under"]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif"})


def image_folder(folder: str | os.PathLike[str], names: Iterable[str]) -> Path:
    """Return the folder as a path; when `names` lie one folder deeper, say so.

    Raises
    ------
    ImporterError
        If there is no such folder, or it has none of the images.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ImporterError(f"no folder of images {str(root)!r}")
    first = list(names)[:20]
    if first and not any((root / name).exists() for name in first):
        deeper = next((path.parent for path in root.glob(f"*/{PurePosixPath(first[0]).name}")), None)
        raise ImporterError(
            f"{str(root)!r} has no file {first[0]!r}, which the annotations name",
            hint=f"did you mean {str(deeper)!r}?" if deeper else None,
        )
    return root


def image_under(root: Path, name: str) -> Path:
    """Return the path of an image inside `root`; a name that leads out of it is refused."""
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise ImporterError(f"image {name!r} lies outside {str(root)!r}; expected a name inside the folder")
    return path


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
