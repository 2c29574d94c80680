"""What lies at a path: a dataset, or a source to import first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from penstock.errors import ImporterError
from penstock.importers import find_coco_images, holds_images, is_coco, is_voc, is_yolo

__all__ = ["Source", "recognise"]

Kind = Literal["coco", "voc", "yolo", "folder"]
_JSON_SUFFIXES = (".json", ".json.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something to import.

    Parameters
    ----------
    kind : {"coco", "voc", "yolo", "folder"}
    root : Path
        The annotations file of COCO, else the folder.
    images : Path, optional
        Folder of COCO's images.
    """

    kind: Kind
    root: Path
    images: Path | None = None

    @property
    def name(self) -> str:
        """What a user would call it: the folder's name, not that of the annotations."""
        root = self.root.resolve()
        folder = root.parent if root.is_file() else root
        return folder.parent.name if folder.name == "annotations" else folder.name

    @property
    def key(self) -> str:
        """Name that changes with the source's place and time of change."""
        root = self.root.resolve()
        facts = f"{self.kind}\n{root}\n{self.images}\n{root.stat().st_mtime_ns}"
        return hashlib.sha256(facts.encode()).hexdigest()[:16]


def recognise(path: Path, images: Path | None = None) -> Source:
    """Return what is to be imported from a path that is no dataset.

    Raises
    ------
    ImporterError
        If there is nothing at the path, or nothing that can be imported.
    """
    if not path.exists():
        raise ImporterError(f"nothing at {str(path)!r}; expected a dataset, COCO annotations or a folder of images")
    if path.is_file():
        return _annotations(path, images)
    found = _folder(path) or _only([source for child in _folders(path) if (source := _folder(child))])
    if found is None and holds_images(path):
        found = Source(kind="folder", root=path)
    if found is None:
        raise ImporterError(
            f"{str(path)!r} is no dataset, and no COCO, VOC, YOLO or image folder",
            hint="a table is imported with: penstock import table",
        )
    return found


def _annotations(path: Path, images: Path | None) -> Source:
    if not path.name.endswith(_JSON_SUFFIXES):
        hint = "a table is imported with: penstock import table" if ".csv" in path.suffixes else None
        raise ImporterError(f"{str(path)!r} is no COCO annotations file; expected a name ending in .json", hint=hint)
    return Source(kind="coco", root=path, images=images or find_coco_images(path))


def _folder(path: Path) -> Source | None:
    if is_voc(path):
        return Source(kind="voc", root=path)
    if is_yolo(path):
        return Source(kind="yolo", root=path)
    return _coco(path)


def _coco(path: Path) -> Source | None:
    files = [file for folder in (path / "annotations", path) for file in sorted(folder.glob("*.json"))]
    found = [file for file in files if "instances" in file.name] or [file for file in files if is_coco(file)]
    if len(found) > 1:
        hint = f"name one: {', '.join(str(file) for file in found)}"
        raise ImporterError(f"{str(path)!r} has {len(found)} COCO annotation files; expected one", hint=hint)
    return Source(kind="coco", root=found[0], images=find_coco_images(found[0])) if found else None


def _folders(path: Path) -> Iterator[Path]:
    return (child for child in sorted(path.iterdir()) if child.is_dir())


def _only(sources: list[Source]) -> Source | None:
    return sources[0] if len(sources) == 1 else None
