"""The lists of images of a VOC folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.exporters._images import safe_name
from penstock.formats._voc_lists import class_flag, list_line

__all__ = ["Listed", "list_files"]

_ALL = "trainval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What lists say of an image.

    Parameters
    ----------
    name : str
        What they call it.
    home : str
        The dataset that it is in, if there are several.
    subset : str
        Its split.
    sets : frozenset of str
        Further lists that it is in.
    names : tuple of str
        Classes of its objects.
    difficult : tuple
        Whether each is difficult.
    """

    name: str
    home: str = ""
    subset: str = ""
    sets: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    difficult: tuple[Any, ...] = field(default=())

    def line(self, label: str | None) -> str:
        """Return the line of a list, or of that of a class."""
        return list_line(self.name, None if label is None else class_flag(label, self.names, self.difficult))


def list_files(
    images: Sequence[Listed], notes: Sequence[Mapping[str, Any]], now: Mapping[str, str], *, splits: Sequence[str]
) -> dict[str, str]:
    """Return the lists to write: their text by path.

    Parameters
    ----------
    images : sequence of Listed
        All images, in order.
    notes : sequence of mapping
        What the import noted of each list.
    now : mapping of str to str
        Name of each class now, by the name that it had.
    splits : sequence of str
        All splits.
    """
    found: dict[str, str] = {}
    members: dict[str, list[Listed]] = {}
    for note in sorted(notes, key=lambda one: "class" in one):
        path = str(note["path"])
        base = note.get("of_list")
        own = members.get(str(base), []) if "class" in note else [one for one in images if _is_in(one, note, path)]
        members[path] = own
        label = note.get("class")
        if label is not None and label not in now:
            continue  # the class was removed
        renamed = None if label is None else now[label]
        if renamed is not None and renamed != label:
            folder, _, last = path.rpartition("/")
            path = f"{folder}/{renamed}_{last.removeprefix(f'{label}_')}"
        found[safe_name(path)] = _text(own, note, renamed)
    stated = {split for note in notes for split in note.get("of", ())}
    for split in splits:
        if split not in stated:
            own = [one for one in images if one.subset == split]
            found.setdefault(f"ImageSets/Main/{safe_name(split)}.txt", _text(own, {}, None))
    sets = dict.fromkeys(name for one in images for name in sorted(one.sets))
    known = {str(note.get("name")) for note in notes}
    for name in sets:
        if name not in known:
            path = name if "/" in name else f"Main/{name}"
            own = [one for one in images if name in one.sets]
            found.setdefault(f"ImageSets/{safe_name(path)}.txt", _text(own, {}, None))
    if not notes and not splits and not found:
        found[f"ImageSets/Main/{_ALL}.txt"] = _text(images, {}, None)
    return found


def _is_in(one: Listed, note: Mapping[str, Any], path: str) -> bool:
    if one.home and not path.startswith(f"{one.home}/"):
        return False
    return one.subset in note["of"] if "of" in note else note.get("name") in one.sets


def _text(own: Sequence[Listed], note: Mapping[str, Any], label: str | None) -> str:
    left = {one.name: one for one in own}
    lines, seen = [], set()
    for name, text, usual in note.get("lines", ()):
        if name is None:
            lines.append(text)
        elif name in left:
            seen.add(name)
            line = left[name].line(label)
            lines.append(text if line == usual else line)
    lines += [one.line(label) for one in own if one.name not in seen]
    newline = str(note.get("newline", "\n"))
    return newline.join(lines) + (str(note.get("end", "\n")) if lines else "")
