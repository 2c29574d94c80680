"""Where the images and label files of samples go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from penstock.exporters._images import safe_name
from penstock.exporters._issues import Issues

__all__ = ["Places", "label_path"]

_IMAGES = "images"
_NO_SPLIT = "unassigned"


class Places:
    """Gives each image a path of its own, and with it a label file of its own.

    Parameters
    ----------
    subsets : sequence of str
        The split of each sample; empty where it has none.
    folders : mapping of str to str, optional
        Where the source has the images of each split; None for the usual folders.
    issues : Issues
        Takes images that get another name.
    """

    def __init__(self, subsets: Sequence[str], folders: Mapping[str, str] | None, issues: Issues) -> None:
        self._subsets = subsets
        self._folders = folders
        self._issues = issues
        self._used: set[str] = set()
        self.has_splits = any(subsets)
        names = dict.fromkeys(subsets) if self.has_splits else {"": None}
        self.folders = {name: self._folder(name) for name in names}

    def _folder(self, subset: str) -> str:
        known = (self._folders or {}).get(subset)
        if known is not None:
            return known
        return f"{_IMAGES}/{safe_name(subset or (_NO_SPLIT if self.has_splits else 'train'))}"

    def place(self, position: int, file: str | None, suffix: str) -> str:
        """Return the path of an image below the destination; its label file is at `label_path` of it.

        Parameters
        ----------
        position : int
            Of the sample.
        file : str or None
            The path that its source has.
        suffix : str
            Of its file, if it needs a new name.
        """
        subset = self._subsets[position] if self.has_splits else ""
        folder = self.folders[subset]
        name = safe_name(file) if file else f"{position:012d}{suffix}"
        if not PurePosixPath(name).suffix:
            name += suffix
        if self._folders is not None and file:
            path = self._kept(name, subset, folder)
        else:
            path = f"{folder}/{_without_split(name, subset)}"
        return self._distinct(path)

    def _kept(self, name: str, subset: str, folder: str) -> str:
        """Return the path of the source; below the folder of its split if it is now of another one."""
        if _is_below(name, folder):
            return name
        other = next((one for key, one in (self._folders or {}).items() if key != subset and _is_below(name, one)), "")
        return f"{folder}/{name.removeprefix(other).lstrip('/')}" if other else f"{folder}/{PurePosixPath(name).name}"

    def _distinct(self, path: str) -> str:
        """Return a path whose label file no other image has."""
        found, number = path, 1
        pure = PurePosixPath(path)
        while label_path(found) in self._used:
            number += 1
            found = str(pure.with_name(f"{pure.stem}-{number}{pure.suffix}"))
        self._used.add(label_path(found))
        if found != path:
            self._issues.note("images whose label file is already that of another image get another name", path)
        return found


def label_path(image: str) -> str:
    """Return the path of a label file, where trainers look for it.

    Examples
    --------
    >>> label_path("images/train/a.jpg"), label_path("train/images/b/a.x.png")
    ('labels/train/a.txt', 'train/labels/b/a.x.txt')
    """
    head, _, tail = f"/{image}".rpartition(f"/{_IMAGES}/")
    return f"{head}/labels/{tail.rpartition('.')[0]}.txt".lstrip("/")


def _is_below(name: str, folder: str) -> bool:
    return folder in ("", ".") or name.startswith(f"{folder}/")


def _without_split(name: str, subset: str) -> str:
    """Return a name without the folders that the destination has anyway, and without others of that name.

    Examples
    --------
    >>> _without_split("images/train/a.jpg", "train"), _without_split("train/images/b/a.jpg", "train")
    ('a.jpg', 'b/a.jpg')
    """
    *folders, last = PurePosixPath(name).parts
    kept = [part for part in folders if part != _IMAGES]
    return "/".join([*(kept[1:] if kept[:1] == [subset] else kept), last])
