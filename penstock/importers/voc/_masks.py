"""The masks of a VOC folder: a class for each pixel, and an object for each pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.importers.boxes._source import Field
from penstock.importers.building._report import IssueLog
from penstock.importers.files._masks import MaskFiles

__all__ = ["MASK_FOLDERS", "VocMasks", "read_masks"]

MASK_FOLDERS = {"SegmentationClass": "masks", "SegmentationObject": "instance_masks"}


class VocMasks:
    """Masks of images.

    Parameters
    ----------
    files : mapping of str to MaskFiles
        By the folder that they are in.
    """

    def __init__(self, files: Mapping[str, MaskFiles]) -> None:
        self._files = {folder: masks for folder, masks in files.items() if masks}

    @property
    def files(self) -> list[Path]:
        """All files."""
        return [path for masks in self._files.values() for path in masks.files]

    @property
    def fields(self) -> Mapping[str, Field]:
        """A tensor for each kind of mask, and one for their forms if these differ."""
        found = {
            MASK_FOLDERS[folder]: Field(htype="segment_mask", options={"dtype": masks.dtype})
            for folder, masks in self._files.items()
        }
        if any(len(masks.forms) > 1 for masks in self._files.values()):
            found["mask_forms"] = Field(htype="json")
        return found

    @property
    def info(self) -> dict[str, Any]:
        """How the files of each tensor show its numbers."""
        return {
            MASK_FOLDERS[folder]: {"folder": folder, "forms": [form.to_json() for form in masks.forms]}
            for folder, masks in self._files.items()
        }

    def of_image(self, image: int) -> Mapping[str, Any]:
        """Return the masks of an image."""
        forms = {MASK_FOLDERS[folder]: at for folder, masks in self._files.items() if (at := masks.form_of(image))}
        masks = {MASK_FOLDERS[folder]: masks.read(image) for folder, masks in self._files.items()}
        return {**masks, "mask_forms": forms or None}


def read_masks(images: Sequence[Path], files: Sequence[Path], root: Path, log: IssueLog) -> VocMasks:
    """Find the masks of images among the files of a folder.

    Parameters
    ----------
    images : sequence of Path
        The images.
    files : sequence of Path
        The files there are.
    root : Path
        Folder that they are in.
    log : IssueLog
        Takes files that are not masks.
    """
    found = {}
    for folder in MASK_FOLDERS:
        by_place = {
            (root / _home(path.relative_to(root), folder), path.stem): path
            for path in files
            if folder in path.relative_to(root).parts
        }
        found[folder] = MaskFiles([_of(image, by_place) for image in images], log)
    return VocMasks(found)


def _home(path: Path, folder: str) -> Path:
    return Path(*path.parts[: path.parts.index(folder)])


def _of(image: Path, by_place: Mapping[tuple[Path, str], Path]) -> Path | None:
    return next((by_place[folder, image.stem] for folder in image.parents if (folder, image.stem) in by_place), None)
