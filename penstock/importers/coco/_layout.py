"""Find COCO files, their splits and the folders of their images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import ImporterError
from penstock.importers.building._sources import path_of
from penstock.importers.coco._file import find_coco_images, is_coco
from penstock.importers.files._passed_over import Listing, list_files
from penstock.importers.files._subsets import subset_in

__all__ = ["CocoFile", "coco_files", "coco_files_below", "coco_root"]

_PathLike = str | os.PathLike[str]
_SUFFIXES = (".json", ".json.gz")
_HEAD = 65_536
_EXPECTED = "a COCO JSON file, or a folder that has one"
_KEYS = (b'"images"', b'"annotations"', b'"categories"', b'"info"', b'"licenses"')


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoFile:
    """One COCO file.

    Parameters
    ----------
    path : Path
        The file.
    subset : str
        The split it is of; empty where it is the only file.
    images : str, optional
        Folder or URL of its images; None where the file has their addresses.
    """

    path: Path
    subset: str = ""
    images: str | None = None


def coco_files(
    annotations: _PathLike | Mapping[str, _PathLike],
    images: _PathLike | Mapping[str, _PathLike] | None,
    *,
    look_for_images: bool,
) -> list[CocoFile]:
    """Return the files that the arguments of `from_coco` name.

    Raises
    ------
    ImporterError
        If they contradict each other, or a folder has no file or several that are not splits.
    """
    if isinstance(annotations, Mapping):
        paths = {str(subset): path_of(path, _EXPECTED) for subset, path in annotations.items()}
        if not paths:
            raise ImporterError("annotations is empty. Expected one file per split")
        return [
            CocoFile(path=path, subset=subset, images=_images_of(subset, path, images, look_for_images))
            for subset, path in paths.items()
        ]
    path = path_of(annotations, _EXPECTED)
    if isinstance(images, Mapping):
        raise ImporterError(
            "images is a mapping, but annotations is not. Expected a mapping of the same splits, or a folder"
        )
    if os.path.isdir(path):
        files = coco_files_below(path)
        if not files:
            raise ImporterError(
                f"{str(path)!r} has no COCO instances file. Expected the JSON file, or a folder that contains it"
            )
        if images is None and look_for_images:
            return _with_images(files)
        given = None if images is None else _folder(images)
        return [CocoFile(path=file.path, subset=file.subset, images=given) for file in files]
    if images is None and look_for_images:
        raise ImporterError(
            "images is None. Expected the folder of the images", hint="pass link=True to use the URLs in the file"
        )
    return [CocoFile(path=path, images=None if images is None else _folder(images))]


def _folder(images: _PathLike) -> str:
    return str(images) if "://" in str(images) else str(path_of(images, "the folder of the images"))


def _images_of(
    subset: str, path: Path, images: _PathLike | Mapping[str, _PathLike] | None, look_for_images: bool
) -> str | None:
    if isinstance(images, Mapping):
        if subset not in images:
            raise ImporterError(f"images has no {subset!r}. Expected the same splits as in annotations")
        return _folder(images[subset])
    if images is not None:
        return _folder(images)
    return str(find_coco_images(path)) if look_for_images else None


def _with_images(files: Sequence[CocoFile]) -> list[CocoFile]:
    """Return the files whose images are found; raise if there are none."""
    found, failure = [], None
    for file in files:
        try:
            found.append(CocoFile(path=file.path, subset=file.subset, images=str(find_coco_images(file.path))))
        except ImporterError as error:
            failure = failure or error
    if failure is not None and not found:
        raise failure
    return found


def coco_files_below(root: Path, listing: Listing | None = None) -> list[CocoFile]:
    """Return the COCO instances files below a folder, one or one for each split.

    Raises
    ------
    ImporterError
        If there are several that are not splits.
    """
    found = list(_candidates(list_files(root) if listing is None else listing))
    found = [path for path in found if "instances" in path.name.lower()] or [path for path in found if is_coco(path)]
    if len(found) < 2:
        return [CocoFile(path=path) for path in found]
    subsets = [_subset(path, root) for path in found]
    if "" in subsets or len(set(subsets)) < len(subsets):
        raise ImporterError(
            f"{str(root)!r} has {len(found)} COCO annotation files. Expected one, or one per split",
            hint=f"choose one of: {', '.join(str(file) for file in found)}",
        )
    return [CocoFile(path=path, subset=subset) for path, subset in zip(found, subsets, strict=True)]


def _candidates(listing: Listing) -> Iterator[Path]:
    for path in listing.files:
        if path.name.lower().endswith(_SUFFIXES) and _may_be_coco(path):
            yield path


def _may_be_coco(path: Path) -> bool:
    """Return whether it is worth reading the whole file: its head has a key of COCO, or cannot tell."""
    if path.name.endswith(".gz"):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return any(key in head for key in _KEYS) or head[:2] in {b"\xff\xfe", b"\xfe\xff"}


def _subset(path: Path, root: Path) -> str:
    folders = path.relative_to(root).parts[:-1]
    return subset_in([path.name], words=True) or subset_in(folders)


def coco_root(annotations: _PathLike | Mapping[str, _PathLike], files: Sequence[CocoFile]) -> list[Path]:
    """Return the folders whose other files are to be reported."""
    if not isinstance(annotations, Mapping) and os.path.isdir(annotations):
        return [Path(annotations)]
    folders = dict.fromkeys(file.images for file in files if file.images is not None and "://" not in file.images)
    return [Path(folder) for folder in folders if os.path.isdir(folder)]
