"""Find the class and the split of images from their folders."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import ImporterError

__all__ = ["Place", "find_places"]

Parts = tuple[str, ...]
IsSplit = Callable[[str], bool]

_SPLIT = re.compile(
    r"(train|training|val|valid|validation|test|testing)([-_ ]?(set|data|split|images|imgs))?[-_ ]?\d*", re.IGNORECASE
)
_CONTAINERS = frozenset({"images", "image", "imgs", "img", "jpegimages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The class and split of an image.

    Parameters
    ----------
    label, split : str, optional
        Names of the folders that say so.
    problem : str, optional
        Why the image has no place.
    beside : str, optional
        Splits that the image is beside: no part of the data.
    """

    label: str | None = None
    split: str | None = None
    problem: str | None = None
    beside: str | None = None


def find_places(parts_of: Sequence[Parts], root: Path, splits: Sequence[str] | None) -> list[Place]:
    """Return the class and split of each image from its folders.

    Parameters
    ----------
    parts_of : sequence of tuple of str
        Names of the folders below the root, for each image.
    root : Path
        For messages.
    splits : sequence of str, optional
        Names of the folders that are splits, in any letter case; by default the usual ones.

    Raises
    ------
    ImporterError
        If one folder has the name of a split and others next to it have not.
    """
    is_split = _split_test(splits)
    inner = _unwrapped(parts_of, is_split)
    tops = sorted({parts[0] for parts in inner if parts})
    found = [top for top in tops if is_split(top)]
    if splits and not found and not any(is_split(name) for parts in inner for name in parts[1:2]):
        raise ImporterError(
            f"{str(root)!r} has no folders named {', '.join(splits)}. Its folders are {', '.join(tops) or 'none'}"
        )
    if not found:
        return _in_classes(inner, is_split)
    if splits is None and len(found) == 1 and (len(tops) > 1 or () in inner):
        others = ", ".join(repr(top) for top in tops if top not in found) or "images"
        raise ImporterError(
            f"{found[0]!r} has the name of a split, and next to it {others}. Expected folders that are all splits, "
            "or all classes",
            hint=f"pass splits=() if every folder is a class, or splits=({found[0]!r},) if this is the only split",
        )
    return _in_splits(inner, is_split)


def _split_test(splits: Sequence[str] | None) -> IsSplit:
    if splits is None:
        return lambda name: _SPLIT.fullmatch(name) is not None
    if isinstance(splits, str) or not hasattr(splits, "__iter__") or not all(isinstance(name, str) for name in splits):
        raise ImporterError(f"splits={splits!r} is not valid. Expected a sequence of folder names")
    wanted = {name.casefold() for name in splits}
    return lambda name: name.casefold() in wanted


def _unwrapped(parts_of: Sequence[Parts], is_split: IsSplit) -> list[Parts]:
    """Drop folders that wrap all others, where splits or classes in a folder `images` show below them."""
    inner = list(parts_of)
    depth = 0
    while len(tops := {parts[depth : depth + 1] for parts in inner}) == 1 and () not in tops:
        name = inner[0][depth]
        if is_split(name):
            break
        if name.lower() in _CONTAINERS:
            inner, depth = [parts[depth + 1 :] for parts in inner], 0
        else:
            depth += 1
    wrapped = any(is_split(parts[depth]) for parts in inner if len(parts) > depth)
    return [parts[depth:] for parts in inner] if wrapped else inner


def _in_classes(inner: Sequence[Parts], is_split: IsSplit) -> list[Place]:
    if not any(inner):
        return [Place() for _ in inner]
    divided = all(len(parts) > 1 and is_split(parts[1]) for parts in inner)
    return [
        Place(label=parts[0], split=parts[1] if divided else None)
        if parts
        else Place(problem="is not in a class folder, but other images are. Expected all or none in class folders")
        for parts in inner
    ]


def _in_splits(inner: Sequence[Parts], is_split: IsSplit) -> list[Place]:
    below: dict[str, list[Parts]] = defaultdict(list)
    for parts in inner:
        if parts and is_split(parts[0]):
            below[parts[0]].append(parts[1:])
    depths = {split: _num_wrapping(rests, is_split) for split, rests in below.items()}
    has_classes = {split: any(len(rest) > depths[split] for rest in rests) for split, rests in below.items()}

    def place(parts: Parts) -> Place:
        if not parts or parts[0] not in depths:
            return Place(beside=", ".join(sorted(depths)))
        split, rest = parts[0], parts[1 + depths[parts[0]] :]
        if not rest and has_classes[split]:
            return Place(
                problem=f"is not in a class folder, but other images in {split!r} are. "
                "Expected all or none in class folders"
            )
        return Place(label=rest[0] if rest else None, split=split)

    return [place(parts) for parts in inner]


def _num_wrapping(rests: Iterable[Parts], is_split: IsSplit) -> int:
    """Return how many folders between a split and its classes say nothing: the split again, or `images`."""
    rests, depth = list(rests), 0
    while len(names := {rest[depth : depth + 1] for rest in rests}) == 1 and () not in names:
        name = rests[0][depth]
        if not is_split(name) and name.lower() not in _CONTAINERS:
            break
        depth += 1
    return depth
