"""Find the annotation files and images of a Pascal VOC dataset."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import ImporterError
from penstock.importers.building._report import IssueLog
from penstock.importers.building._sources import existing_folder
from penstock.importers.building._text import read_lines
from penstock.importers.files._passed_over import Listing, is_image_file, list_files
from penstock.importers.files._subsets import choose_subset, subset_in
from penstock.importers.voc._file import is_voc_root, root_tag
from penstock.importers.voc._masks import MASK_FOLDERS
from penstock.importers.voc._sets import names_in

__all__ = ["ANNOTATION_FOLDERS", "ImagesByName", "VocFolder", "find_voc", "is_voc", "of_split", "voc_root"]

ANNOTATION_FOLDERS = frozenset({"annotations", "annotation", "xmls", "xml", "labels"})
_IMAGES = frozenset({"jpegimages", "images", "image", "imgs", "img"})
_EXPECTED = (
    "a Pascal VOC folder: with Annotations (XML files) and JPEGImages in it, or with XML files next to the images"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VocFolder:
    """The annotation files of a VOC dataset, and the images below its folder."""

    root: Path
    listing: Listing
    files: tuple[Path, ...]
    images: tuple[Path, ...]

    @property
    def lists(self) -> list[Path]:
        """The lists of images."""
        return [path for path in self.listing.files if path.suffix == ".txt" and "ImageSets" in path.parts]

    def subset(self, file: Path) -> str:
        """Return the split that the folders of a file say."""
        return subset_in(file.relative_to(self.root).parts[:-1])


def find_voc(root: str | os.PathLike[str]) -> VocFolder:
    """Return the annotation files below a folder, by name.

    Raises
    ------
    ImporterError
        If there are none.
    """
    folder = existing_folder(root, _EXPECTED)
    listing = list_files(folder)
    files = tuple(_annotation_files(listing))
    images = tuple(path for path in listing.files if not _is_mask(path.relative_to(folder)) and is_image_file(path))
    if not files or not images:
        what = "no images" if files else "no annotation files (XML with <annotation>)"
        raise ImporterError(f"there are {what} in {str(folder)!r}. Expected {_EXPECTED}")
    return VocFolder(root=folder, listing=listing, files=files, images=images)


def _is_mask(path: Path) -> bool:
    return not MASK_FOLDERS.keys().isdisjoint(path.parts)


def is_voc(root: Path, listing: Listing | None = None) -> bool:
    """Return whether a folder contains VOC annotation files."""
    listing = list_files(root) if listing is None else listing
    return any(root_tag(path) == "annotation" or path.parent.name == "Annotations" for path in _xml_files(listing))


def voc_root(listing: Listing) -> Path:
    """Return the folder that has all annotation files, and their images."""
    folder = Path(os.path.commonpath([path.parent for path in _annotation_files(listing)]))
    while folder.name.lower() in ANNOTATION_FOLDERS:
        folder = folder.parent
    return folder


def _xml_files(listing: Listing) -> list[Path]:
    return [path for path in listing.files if path.suffix.lower() == ".xml"]


def _annotation_files(listing: Listing) -> list[Path]:
    """Return the XML files that are VOC's, or are where only VOC's can be: those are refused by name."""
    files = _xml_files(listing)
    return [path for path in files if is_voc_root(root_tag(path)) or path.parent.name.lower() in ANNOTATION_FOLDERS]


def of_split(found: VocFolder, split: str, log: IssueLog) -> list[Path]:
    """Return the files of a split, in its order: those that ImageSets list, or those in its folder.

    Raises
    ------
    ImporterError
        If there is no such split.
    """
    lists = {path.stem: path for path in found.lists}
    main = {stem: path for stem, path in lists.items() if path.parent.name == "Main"} or lists
    if split in main:
        return _listed(found, main[split], log)
    folders = sorted({found.subset(file) for file in found.files} - {""})
    subset = choose_subset(split, folders)
    if subset is None:
        known = ", ".join(sorted({*main, *folders})) or "none"
        raise ImporterError(f"{split!r} is not a split of {str(found.root)!r}. Expected one of: {known}")
    return [file for file in found.files if found.subset(file) == subset]


def _listed(found: VocFolder, listing: Path, log: IssueLog) -> list[Path]:
    file_of = {file.stem: file for file in found.files}
    files: dict[Path, None] = {}
    for line in filter(None, map(str.strip, read_lines(listing))):
        file = next((file_of[name] for name in names_in(line) if name in file_of), None)
        if file is None:
            log.refuse(f"{listing.name}, {line[:80]!r}", "there is no annotation file with this name")
        else:
            files[file] = None
    return list(files)


class ImagesByName:
    """Finds the image of an annotation file: the one with the same name, or else the one it names.

    Parameters
    ----------
    found : VocFolder
        The dataset.
    """

    def __init__(self, found: VocFolder) -> None:
        self._root = found.root
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._folders = {path.parent for path in found.images}
        for path in found.images:
            self._by_stem[path.stem].append(path)
            self._by_name[path.name].append(path)

    def find(self, file: Path, named: str, log: IssueLog) -> Path | None:
        """Return the path of the image, even if it is missing; None if the file does not name one.

        Parameters
        ----------
        file : Path
            The annotation file.
        named : str
            The name it states, may be empty.
        log : IssueLog
            Takes files whose name and stated name are of two images, and files of no image.
        """
        own = self._best(self._by_stem.get(file.stem, []), file, named)
        stated = self._best(self._by_name.get(named, []), file, named)
        if own is not None:
            if stated is not None and stated.stem != own.stem:
                log.note(
                    file.name,
                    f"names the image {named!r}, but {own.name!r}, which has the same name as the file, is used",
                )
            return own
        if stated is not None:
            return stated
        if not named:
            log.refuse(file.name, "has no filename, and no image has the same name")
            return None
        return self._expected_folder(file) / named

    def _best(self, candidates: Sequence[Path], file: Path, named: str) -> Path | None:
        if len(candidates) < 2:  # nothing to choose
            return candidates[0] if candidates else None
        return max(candidates, key=lambda path: (*self._nearness(path, file), path.name == named))

    def _nearness(self, path: Path, file: Path) -> tuple[bool, bool, bool, bool]:
        """Return how near an image is to an annotation file: same folder, shared folders, in a folder of images."""
        of_image, of_file = (one.relative_to(self._root).parts[:-1] for one in (path, file))
        return (
            path.parent == file.parent,
            _without_first(of_image, _IMAGES) == _without_first(of_file, ANNOTATION_FOLDERS),
            _without(of_image, _IMAGES) == _without(of_file, ANNOTATION_FOLDERS),
            path.parent.name.lower() in _IMAGES,
        )

    def _expected_folder(self, file: Path) -> Path:
        """Return the folder where the image of a file should be."""
        beside = [folder for folder in self._folders if folder.name.lower() in _IMAGES]
        if file.parent in self._folders or not beside:
            return file.parent
        return min(beside, key=lambda folder: (folder.parent != file.parent.parent, folder))


def _without(folders: Sequence[str], kind: frozenset[str]) -> list[str]:
    return [part for part in folders if part.lower() not in kind]


def _without_first(folders: Sequence[str], kind: frozenset[str]) -> list[str]:
    """Return folders without the first of a kind: those below it may have any name, also one of the kind."""
    at = next((at for at, part in enumerate(folders) if part.lower() in kind), len(folders))
    return [*folders[:at], *folders[at + 1 :]]
