"""Find the images and labels of a YOLO dataset by folder, by split, or by lists of images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import ImporterError
from penstock.importers.building._report import IssueLog
from penstock.importers.building._sources import existing_folder, path_of
from penstock.importers.building._text import read_lines
from penstock.importers.files._image_files import is_below
from penstock.importers.files._passed_over import Listing, is_image_file, list_files
from penstock.importers.files._subsets import choose_subset, subset_in
from penstock.importers.yolo._config import YoloConfig, find_config, is_class_list

__all__ = [
    "YoloFolder",
    "YoloImage",
    "find_yolo",
    "is_yolo",
    "label_file",
    "looks_like_labels",
    "of_subset",
    "yolo_root",
]

_IMAGES = "images"
_YAML = (".yaml", ".yml")
_EXPECTED = "a YOLO folder: images and labels in it, or a YAML file that names them"


@dataclass(frozen=True, slots=True)
class YoloImage:
    """An image, its label file if there is one, and its split."""

    path: Path
    labels: Path | None
    subset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloFolder:
    """The images of a YOLO dataset, the lists that name them, and the other files in its folder."""

    root: Path
    config: YoloConfig
    listing: Listing
    images: tuple[YoloImage, ...]
    lists: tuple[Path, ...] = ()


def find_yolo(
    root: str | os.PathLike[str], log: IssueLog, *, roots: Sequence[Path] = (), class_names: Sequence[str] | None = None
) -> YoloFolder:
    """Return the images of a YOLO dataset by path.

    Parameters
    ----------
    root : str or path
        Its folder, or its YAML file.
    log : IssueLog
        Takes images that are listed and do not exist.
    roots : sequence of Path
        Further folders that may be read.
    class_names : sequence of str, optional
        Names that need not be looked for.

    Raises
    ------
    ImporterError
        If it is no such dataset, or has no images.
    """
    given = path_of(root, _EXPECTED)
    yaml_file = given if given.suffix.lower() in _YAML and os.path.isfile(given) else None
    folder = existing_folder(given.parent if yaml_file else given, _EXPECTED)
    listing = list_files(folder)
    config = _config(folder, listing, yaml_file, class_names)
    places = _Places(folder, config, roots)
    listed = dict(_listed(places, listing, log))
    if listed:
        images = [YoloImage(path, label_file(path, folder), subset) for path, subset in sorted(listed.items())]
    else:
        images = list(_by_layout(folder, listing))
    if not images:
        seen = ", ".join(path.name for path in listing.files[:3]) or "no files"
        raise ImporterError(f"{str(folder)!r} has no images, only {seen}. Expected {_EXPECTED}")
    named = [places.find(value) for values in config.splits.values() for value in values]
    lists = tuple(place for place in named if place is not None and place.suffix.lower() == ".txt")
    return YoloFolder(root=folder, config=config, listing=listing, images=tuple(images), lists=lists)


def _config(folder: Path, listing: Listing, yaml_file: Path | None, class_names: Sequence[str] | None) -> YoloConfig:
    try:
        return find_config(folder, [yaml_file] if yaml_file else listing.files)
    except ImporterError:
        if class_names is None:
            raise
        return YoloConfig(file=folder)


def is_yolo(root: Path, listing: Listing | None = None) -> bool:
    """Return whether the folder has the layout of YOLO: label files next to images, or `labels` next to `images`."""
    listing = list_files(root) if listing is None else listing
    names = {path.name.lower() for path in listing.folders}
    if any(_is_label_file(path) for path in listing.files):
        return {_IMAGES, "labels"} <= names or _config_of(root, listing) is not None
    config = _config_of(root, listing)
    if config is None or any(is_image_file(path) for path in listing.files if _is_in_labels(path)):
        return False  # images in `labels` are masks
    return bool(config.splits) or {_IMAGES, "labels"} <= names


def yolo_root(root: Path, listing: Listing) -> Path:
    """Return the folder that has all label files, their images, and the class names."""
    folders = [_above_labels(path.parent) for path in listing.files if _is_label_file(path)]
    config = _config_of(root, listing)
    if config is not None and is_below(config.file, root):
        folders.append(_above_labels(config.file.parent))
    return Path(os.path.commonpath(folders))


def _above_labels(folder: Path) -> Path:
    at = next((at for at, part in enumerate(folder.parts) if part.lower() == "labels"), len(folder.parts))
    return Path(*folder.parts[:at])


def _config_of(root: Path, listing: Listing) -> YoloConfig | None:
    try:
        return find_config(root, listing.files)
    except ImporterError:
        return None


def _is_in_labels(path: Path) -> bool:
    return any(part.lower() == "labels" for part in path.parts[:-1])


def _is_label_file(path: Path) -> bool:
    """Return whether a text file is in a folder of labels, or begins with a line of numbers."""
    if path.suffix.lower() != ".txt" or is_class_list(path):
        return False
    return _is_in_labels(path) or looks_like_labels(path)


def looks_like_labels(path: Path) -> bool:
    """Return whether a text file begins with a class number and at least four fractions."""
    try:
        with path.open("rb") as file:
            words = file.readline(4096).decode("ascii").split()
        numbers = [float(word) for word in words]
    except (OSError, ValueError):
        return False
    return len(numbers) > 4 and numbers[0].is_integer() and numbers[0] >= 0  # class, x, y, width, height


def label_file(image: Path, root: Path) -> Path | None:
    """Return an image's label file: in `labels` instead of `images`, or next to it; None if there is none."""
    return next((path for path in _label_places(image, root) if os.path.isfile(path)), None)


def _label_places(image: Path, root: Path) -> Iterator[Path]:
    names = (f"{image.stem}.txt", f"{image.stem}.TXT")
    parts = image.parts
    own = range(len(root.parts), len(parts) - 1) if is_below(image, root) else range(len(parts) - 1)
    for at in reversed(own):
        if parts[at].lower() in {_IMAGES, "jpegimages"}:
            folders = [Path(*parts[:at], labels, *parts[at + 1 : -1]) for labels in ("labels", "Labels", "LABELS")]
            yield from (folder / name for folder in folders for name in names)
    yield from (folder / name for folder in (image.parent, image.parent / "labels") for name in names)


def _by_layout(root: Path, listing: Listing) -> Iterator[YoloImage]:
    """Yield the images in folders named `images`; without such folders, all of them."""
    images = [path for path in listing.files if is_image_file(path)]
    of_folders = [path for path in images if _IMAGES in _folders(path, root)]
    for path in of_folders or images:
        yield YoloImage(path, label_file(path, root), subset_in(path.relative_to(root).parts[:-1]))


def _folders(path: Path, root: Path) -> list[str]:
    return [part.lower() for part in path.relative_to(root).parts[:-1]]


def _listed(places: _Places, listing: Listing, log: IssueLog) -> Iterator[tuple[Path, str]]:
    """Yield the images, with their splits, of the folders and lists that the dataset's file names."""
    seen: dict[str, str] = {}
    taken: dict[str, str] = {}
    for subset, values in places.config.splits.items():
        for value in values:
            if taken.setdefault(value, subset) != subset:
                log.note(str(places.config.file), f"{subset} is the same as {taken[value]}, and is not a split")
                continue
            for path in _images_at(places, value, listing, log):
                key = os.path.abspath(path)  # noqa: PTH100  links stay
                if seen.setdefault(key, subset) == subset:
                    yield path, subset
                else:
                    log.note(str(path), f"is in both {seen[key]} and {subset}, and is assigned to {seen[key]}")


def _images_at(places: _Places, value: str, listing: Listing, log: IssueLog) -> Iterator[Path]:
    place = places.find(value)
    if place is None:
        return
    if place.is_dir():
        below = listing if is_below(place, places.root) else list_files(place)
        yield from (path for path in below.files if is_below(path, place) and is_image_file(path))
    elif place.suffix.lower() == ".txt":
        for name in filter(None, map(str.strip, read_lines(place))):
            path = places.find_image(name, place)
            if path is None:
                log.refuse(f"{place.name}, {name!r}", f"this image does not exist below {str(places.root)!r}")
            else:
                yield path
    elif is_image_file(place):
        yield place


@dataclass(frozen=True, slots=True)
class _Places:
    """Finds what a dataset's file names below its folder, also where it was written on another machine."""

    root: Path
    config: YoloConfig
    roots: Sequence[Path]

    def find(self, value: str) -> Path | None:
        """Return the folder or file of a split, None where it does not exist.

        Raises
        ------
        ImporterError
            If it exists in a folder that may not be read.
        """
        starts = [start / self.config.base for start in (self.config.file.parent,)] + [
            self.config.file.parent,
            self.root,
        ]
        return self._first(value, starts)

    def find_image(self, name: str, listing: Path) -> Path | None:
        """Return an image that a list names, None where it does not exist."""
        starts = [listing.parent, self.config.file.parent / self.config.base, self.root]
        path = self._first(name, starts)
        return path if path is not None and os.path.isfile(path) else None

    def _first(self, value: str, starts: Sequence[Path]) -> Path | None:
        slashed = value.replace("\\", "/").removeprefix("file://")
        outside = None
        for start in starts:
            path = Path(os.path.normpath(start / slashed))
            if os.path.exists(path):
                if any(is_below(path, folder, resolved=True) for folder in (self.root, *self.roots)):
                    return path
                outside = path
        parts = [part for part in slashed.split("/") if part not in ("", ".", "..")]
        tails = (self.root.joinpath(*parts[at:]) for at in range(len(parts)))
        found = next((tail for tail in tails if os.path.exists(tail)), None)
        if found is None and outside is not None:
            raise ImporterError(
                f"{self.config.file} names {value!r}, which is outside {str(self.root)!r}",
                hint="pass roots= to allow reading other folders",
            )
        return found


def of_subset(found: YoloFolder, split: str) -> tuple[YoloImage, ...]:
    """Return the images of a split: by its name, or by that of a folder.

    Raises
    ------
    ImporterError
        If there is no such split.
    """
    known = sorted({image.subset for image in found.images if image.subset})
    subset = choose_subset(split, known)
    images = tuple(image for image in found.images if image.subset == subset)
    if not images and subset is None:
        images = tuple(image for image in found.images if split in image.path.relative_to(found.root).parts[:-1])
    if not images:
        raise ImporterError(
            f"{split!r} is not a split of {str(found.root)!r}. The splits are {', '.join(known) or 'none'}"
        )
    return images
