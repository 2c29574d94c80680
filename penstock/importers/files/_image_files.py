"""Finding the image files that a source names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from penstock.errors import ImporterError

__all__ = ["image_under", "is_below", "local_path", "none_there"]


def none_there(root: Path, name: str) -> ImporterError:
    """Return the error for a folder that has none of the images; `name` is the first image."""
    last = PurePosixPath(name.replace("\\", "/")).name
    deeper = next((folder for folder in sorted(root.glob("*/")) if os.path.exists(folder / last)), None)
    return ImporterError(
        f"{str(root)!r} has neither {name!r} nor any other image that the annotations refer to",
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
            f"image {name!r} is outside {str(root)!r}. Expected a name inside the folder",
            hint="pass roots= to allow reading other folders" if Path(local).is_absolute() else None,
        )
    return path


def local_path(url: str) -> Path | None:
    """Return the path of a file on this machine, also by its ``file://`` address; None for one elsewhere."""
    if url.lower().startswith("file:"):
        return Path(unquote(urlsplit(url).path))
    return None if "://" in url else Path(url)


def is_below(path: Path, folder: Path, *, resolved: bool = False) -> bool:
    """Return whether a path is below a folder, as written or with symbolic links resolved."""
    if Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder)):  # noqa: PTH100  `..` goes, links stay
        return True
    return resolved and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
