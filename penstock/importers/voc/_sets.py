"""The lists of images below ``ImageSets``: as splits, as a tensor, and as they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.errors import ImporterError
from penstock.formats._voc_lists import class_flag, list_line
from penstock.importers.boxes._source import Field
from penstock.importers.building._report import IssueLog
from penstock.importers.building._text import read_text
from penstock.importers.files._subsets import subset_in
from penstock.importers.voc._file import VocFile
from penstock.importers.voc._names import VocNames

__all__ = ["ImageSets", "names_in", "read_sets"]

_FOLDER = "ImageSets"
_MAIN = "Main"
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _List:
    """A list of images.

    Parameters
    ----------
    path : str
        Of the file in the dataset.
    entries : list of (str, int or None)
        Lines, and the annotation that each means; None for one that is not there.
    newline, end : str
        What ends a line, and the last line.
    """

    path: str
    entries: list[tuple[str, int | None]]
    newline: str
    end: str

    @property
    def members(self) -> list[int]:
        """The annotations in the list, each once."""
        return list(dict.fromkeys(place for _, place in self.entries if place is not None))


class ImageSets:
    """Lists of images.

    Parameters
    ----------
    lists : sequence of _List
        As the files have them.
    names : sequence of str
        What lists call each annotation.
    contents : sequence of VocFile
        The annotations.
    with_splits : bool
        Whether lists such as train and val may be splits.
    """

    def __init__(
        self, lists: Sequence[_List], names: Sequence[str], contents: Sequence[VocFile], *, with_splits: bool
    ) -> None:
        self._lists = lists
        self._names = names
        self._contents = contents
        members = {one.path: set(one.members) for one in lists}
        self._splits = _splits(lists, members) if with_splits else {}
        self._notes = {one.path: self._note(one, members) for one in lists}
        self._tensor = [one.path for one in lists if not {"of", "class"} & set(self._notes[one.path])]
        self._of_image: list[list[int]] = [[] for _ in contents]
        for number, path in enumerate(self._tensor):
            for place in members[path]:
                self._of_image[place].append(number)

    @property
    def subsets(self) -> tuple[str, ...]:
        """The split of each annotation; empty where it is in none."""
        found = [""] * len(self._contents)
        for path, split in self._splits.items():
            for place in next(one for one in self._lists if one.path == path).members:
                found[place] = split
        return tuple(found)

    @property
    def fields(self) -> Mapping[str, Field]:
        """The lists that each image is in, unless its split says so."""
        names = {"class_names": [_shown(path) for path in self._tensor]}
        return {"image_sets": Field(htype="class_label", options=names, blank=[])} if self._tensor else {}

    def of_image(self, image: int) -> Mapping[str, Any]:
        """Return the lists that an image is in."""
        return {"image_sets": self._of_image[image]} if self._tensor else {}

    @property
    def info(self) -> list[dict[str, Any]]:
        """How each list is written."""
        return [self._notes[one.path] for one in self._lists]

    def _note(self, one: _List, members: Mapping[str, set[int]]) -> dict[str, Any]:
        note: dict[str, Any] = {"path": one.path}
        own = members[one.path]
        split, label = self._class_list(one)
        if label is not None:
            note |= {"class": label, "of_list": split}
        elif own and f"{_FOLDER}/{_MAIN}/" in one.path and (splits := self._union(own, members)) is not None:
            note["of"] = splits
        else:
            note["name"] = _shown(one.path)
        usual = [(self._line(place, label), place) for place in sorted(own)]
        if usual != one.entries:
            note["lines"] = [
                [None, text, None] if place is None else [self._names[place], text, self._line(place, label)]
                for text, place in one.entries
            ]
        if (one.newline, one.end) != ("\n", "\n"):
            note |= {"newline": one.newline, "end": one.end}
        return note

    def _line(self, place: int, label: str | None) -> str:
        if label is None:
            return list_line(self._names[place], None)
        content = self._contents[place]
        difficult = [one.attributes.get("difficult") for one in content.objects]
        return list_line(self._names[place], class_flag(label, content.names, difficult))

    def _class_list(self, one: _List) -> tuple[str, str | None]:
        """Return the list that a list of a class is made from, and the class; None if it is no such list."""
        folder, name = one.path.rsplit("/", 1)
        label, _, split = name.removesuffix(".txt").rpartition("_")
        base = f"{folder}/{split}.txt"
        known = {name for content in self._contents for name in content.names}
        same = next((other for other in self._lists if other.path == base), None)
        if not label or label not in known or same is None or set(same.members) != set(one.members):
            return "", None
        return base, label

    def _union(self, own: set[int], members: Mapping[str, set[int]]) -> list[str] | None:
        """Return the splits that together have the same images; None if there are none."""
        parts = [path for path in self._splits if members[path] & own]
        whole = set().union(*(members[path] for path in parts))
        return [self._splits[path] for path in parts] if whole == own else None


def _shown(path: str) -> str:
    """Return what a list is called: ``trainval`` or ``Layout/train``."""
    return path.replace(f"{_FOLDER}/", "").replace(f"{_MAIN}/", "").removesuffix(".txt")


def _splits(lists: Sequence[_List], members: Mapping[str, set[int]]) -> dict[str, str]:
    """Return the lists that are splits, by path: train, val and test, if no image is in several."""
    found = {
        one.path: name
        for one in lists
        if f"{_FOLDER}/{_MAIN}/" in one.path and one.path.count("/") == 2 and (name := subset_in([Path(one.path).stem]))
    }
    total = set().union(*(members[path] for path in found))
    disjoint = sum(len(members[path]) for path in found) == len(total)
    return {path: name for path, name in found.items() if members[path]} if disjoint else {}


def read_sets(
    files: Sequence[Path],
    root: Path,
    names: VocNames,
    contents: Sequence[VocFile],
    log: IssueLog,
    *,
    others: frozenset[str],
    with_splits: bool,
) -> ImageSets:
    """Read the lists of images.

    Parameters
    ----------
    files : sequence of Path
        The lists.
    root : Path
        Folder that they are in.
    names : VocNames
        Of the annotations.
    contents : sequence of VocFile
        The annotations.
    log : IssueLog
        Takes lists that cannot be read.
    others : frozenset of str
        Names of annotation files that are not imported: lines with them are left out.
    with_splits : bool
        Whether lists such as train and val may be splits.
    """
    lists = []
    for file in files:
        parts = file.relative_to(root).parts
        at = parts.index(_FOLDER)
        home = "/".join(parts[:at])
        path = "/".join(parts if names.homes else parts[at:])
        try:
            text = read_text(file)
        except ImporterError as error:
            log.note(file.name, error.message)
            continue
        lists.append(_parsed(path, text, names.of_home(home), others))
    own = [name.removeprefix(_home(name, names.homes)) for name in names.ids]
    return ImageSets(lists, own, contents, with_splits=with_splits)


def _home(name: str, homes: Sequence[str]) -> str:
    return next((f"{home}/" for home in homes if home and name.startswith(f"{home}/")), "")


def _parsed(path: str, text: str, places: Mapping[str, int], others: frozenset[str]) -> _List:
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = _LINE_END.split(text)
    end = newline if lines and not lines[-1] else ""
    entries = [(line, _place_of(line, places)) for line in (lines[:-1] if end else lines)]
    kept = [(line, place) for line, place in entries if place is not None or not others.intersection(names_in(line))]
    return _List(path=path, entries=[] if not text else kept, newline=newline, end=end if text else "")


def _place_of(line: str, places: Mapping[str, int]) -> int | None:
    return next((places[name] for name in names_in(line.strip()) if name in places), None)


def names_in(line: str) -> Sequence[str]:
    """Return the possible names in a line: all of it, or the part before a flag."""
    if not line.strip():
        return ()
    name = line.rsplit(None, 1)[0]
    return (line, name, Path(line).stem, line.split(maxsplit=1)[0])
