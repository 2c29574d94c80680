"""Images of a dataset as files again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ExportError
from penstock.exporters._rows import ExportedRows
from penstock.table import OverlayTable
from penstock.tensors import local_path, shown_url

__all__ = ["Images", "check_images", "safe_name", "write_images"]

_NO_NAME = "unnamed"
Images = Literal["copy", "link"] | None


def check_images(rows: ExportedRows, images: object) -> Images:
    """Return whether images are written, refused where they cannot be.

    Raises
    ------
    ExportError
        If `images` is something else, there are none, or there is nothing to link to.
    """
    if images is None:
        return None
    if images not in ("copy", "link"):
        raise ExportError(f"images={images!r} is not valid. Expected 'copy', 'link' or None")
    if rows.images is None:
        raise ExportError(f"images={images!r} was given, but the dataset has no images. Expected None")
    if images == "link" and not rows.table.tensors[rows.images].link:
        raise ExportError(
            f"images='link' was given, but {rows.images!r} are stored in the dataset. Expected linked images",
            hint="use images='copy' to write them as files",
        )
    return "copy" if images == "copy" else "link"


def safe_name(name: str) -> str:
    """Return a file's name that stays inside the folder it is written to.

    Examples
    --------
    >>> safe_name("batch_1/a.jpg"), safe_name("/etc/a.jpg"), safe_name("../a.jpg"), safe_name("a/..")
    ('batch_1/a.jpg', 'a.jpg', 'a.jpg', 'unnamed')
    """
    path = PurePosixPath(name.replace("\\", "/").replace("\0", ""))
    if path.parts and not path.is_absolute() and ".." not in path.parts and ":" not in path.parts[0]:
        return str(path)
    last = path.name.rsplit(":", 1)[-1]
    return last if last.strip(".") else _NO_NAME


def write_images(
    rows: ExportedRows, chosen: NDArray[np.int64], names: Sequence[str], folder: Path, images: Literal["copy", "link"]
) -> None:
    """Write the images of some samples to a folder, or links to the files they are linked to.

    Raises
    ------
    ExportError
        If two samples have one name, or an image is far away and cannot be linked to.
    """
    _check_distinct(names)
    tensor = str(rows.images)
    if images == "link":
        for name, target in zip(names, _targets(rows, chosen, tensor), strict=True):
            _place(folder, name).symlink_to(target)
        return
    for start, samples in rows.chunks([tensor], chosen):
        for at, image in enumerate(samples[tensor]):
            if isinstance(image, Exception):
                raise ExportError(f"the image {names[start + at]!r} cannot be read: {image}") from image
            if image is not None:
                _place(folder, names[start + at]).write_bytes(image)


def _place(folder: Path, name: str) -> Path:
    path = folder / safe_name(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _check_distinct(names: Sequence[str]) -> None:
    places = [safe_name(name) for name in names]
    if len(set(places)) < len(places):
        twice = next(place for place, count in Counter(places).items() if count > 1)
        raise ExportError(
            f"several images have the name {twice!r}. Expected a different name for each", hint="images=None"
        )


def _targets(rows: ExportedRows, chosen: NDArray[np.int64], tensor: str) -> list[Path]:
    """Return the file that each image is linked to."""
    if not isinstance(rows.table, OverlayTable):
        raise ExportError("images='link' cannot be used for a view of copied samples. Expected 'copy' or None")
    found = []
    for link in rows.table.links(rows.rows[chosen], tensor):
        path = None if link is None else local_path(link.url)
        if link is not None and path is None and "://" in link.url:
            raise ExportError(f"the image {shown_url(link.url)} is not on this machine. Expected images='copy'")
        found.append(Path(path or (link.url if link is not None else "")).absolute())
    return found
