"""Which object after an edit is which one before it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np

from penstock.dataset.objects._objects import Objects, is_blank
from penstock.tensors import TensorSpec

__all__ = ["Fate", "Matching", "doubtful_twins", "matched"]

_OUTLINES = frozenset({"segmentation", "keypoints"})
Fate = Literal["same", "edited", "deleted", "unknown"]


@dataclass(slots=True, kw_only=True)
class Matching:
    """The objects of a sample before and after an edit.

    Parameters
    ----------
    fates : list of {"same", "edited", "deleted", "unknown"}
        What became of each object. An unknown one was edited or deleted.
    places : list of int or None
        Where each object is afterwards; None for deleted and unknown ones.
    fresh : list of int
        Objects that are new, or unknown ones after their edit.
    fixed : set of str
        Tensors other than classes that were not edited, as far as can be told: no value is new.
    """

    fates: list[Fate]
    places: list[int | None]
    fresh: list[int]
    fixed: set[str]

    @property
    def in_place(self) -> bool:
        """Whether every object is where it was, and none is new."""
        return not self.fresh and self.places == list(range(len(self.places)))


def matched(before: Objects, after: Objects, specs: Mapping[str, TensorSpec]) -> Matching:
    """Find each object again.

    By its id where it has one that no other object of the sample has. Otherwise an object that is equal in every
    tensor is itself, and so is one with the same box or outline if no other object has it. What remains goes by its
    position between objects that were found, if boxes that were changed still overlap; otherwise it is unknown.

    Parameters
    ----------
    before, after : Objects
        The objects of a sample.
    specs : mapping of str to TensorSpec
        Tensors of the group.
    """
    found = _Search(before, after, specs)
    found.by_id()
    found.by_equality()
    found.by_look()
    found.by_position()
    return found.result()


@dataclass(slots=True)
class _Search:
    """What is known so far of which object is which."""

    before: Objects
    after: Objects
    specs: Mapping[str, TensorSpec]
    names: list[str] = field(init=False)
    places: list[int | None] = field(init=False)
    deleted: set[int] = field(init=False, default_factory=set)
    unclear: set[int] = field(init=False, default_factory=set)
    taken: set[int] = field(init=False, default_factory=set)
    ids: tuple[list[Hashable], list[Hashable]] = field(init=False)

    def __post_init__(self) -> None:
        self.names = [name for name in self.before.tokens if name in self.after.tokens]
        self.places = [None] * self.before.count
        self.ids = self.before.ids, self.after.ids

    def result(self) -> Matching:
        """Return what was found."""
        fates: list[Fate] = []
        for place, other in enumerate(self.places):
            if other is None:
                fates.append("deleted" if place in self.deleted else "unknown")
            else:
                same = self.before.key(place, self.names) == self.after.key(other, self.names)
                fates.append("same" if same else "edited")
        fresh = [place for place in range(self.after.count) if place not in self.taken]
        then, now = self.before.tokens, self.after.tokens
        telling = [name for name in self.names if self.specs[name].htype != "class_label" and not fresh]
        fixed = {name for name in telling if not Counter(now[name]) - Counter(then[name])}
        return Matching(fates=fates, places=self.places, fresh=fresh, fixed=fixed)

    def _pair(self, place: int, other: int) -> None:
        self.places[place] = other
        self.taken.add(other)

    def _left(self) -> tuple[list[int], list[int]]:
        """Return the objects before and after that are not found."""
        before = [i for i, other in enumerate(self.places) if other is None and i not in self.deleted]
        return before, [i for i in range(self.after.count) if i not in self.taken]

    def by_id(self) -> None:
        """Pair objects by an id that is there once; one whose id is gone was deleted."""
        then, now = self.ids
        counts, left = Counter(then), Counter(now)
        where = {one: place for place, one in enumerate(now)}
        for place, one in enumerate(then):
            if one is None or counts[one] > 1:
                continue
            if left[one] == 1:
                self._pair(place, where[one])
            elif not left[one]:
                self.deleted.add(place)

    def by_equality(self) -> None:
        """Pair objects that are equal in every tensor, those at one position first."""
        before, after = self._left()
        key_of = {place: self.after.key(place, self.names) for place in after}
        for place in before:
            if key_of.get(place) == self.before.key(place, self.names):
                self._pair(place, place)
        before, after = self._left()
        waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
        for other in after:
            waiting[key_of[other]].append(other)
        for place in before:
            equal = waiting[self.before.key(place, self.names)]
            if equal:
                self._pair(place, equal.pop(0))

    def by_look(self) -> None:
        """Pair objects that have a box or an outline that no other object of the sample has."""
        before, after = self._left()
        links: set[tuple[int, int]] = set()
        for name in self.names:
            if not _is_look(name, self.specs):
                continue
            then, now = self.before.tokens[name], self.after.tokens[name]
            counts, left = Counter(then), Counter(now)
            where = {now[other]: other for other in after}
            links |= {
                (place, where[then[place]])
                for place in before
                if not is_blank(then[place]) and then[place] in where and counts[then[place]] == left[then[place]] == 1
            }
        links = {(place, other) for place, other in links if self._may_pair(place, other)}
        firsts, seconds = Counter(place for place, _ in links), Counter(other for _, other in links)
        for place, other in links:
            if firsts[place] == seconds[other] == 1:
                self._pair(place, other)
            else:
                self.unclear.add(place)

    def _may_pair(self, place: int, other: int) -> bool:
        return self.ids[0][place] == self.ids[1][other]

    def by_position(self) -> None:
        """Pair what remains between objects that were found, where there are as many before as after."""
        anchors = [(place, other) for place, other in enumerate(self.places) if other is not None]
        ordered = all(one[1] < two[1] for one, two in pairwise(anchors))
        if not ordered:
            anchors = []
        ends = [(-1, -1), *anchors, (self.before.count, self.after.count)]
        before, after = self._left()
        for (first, other_first), (last, other_last) in pairwise(ends):
            then = [place for place in before if first < place < last]
            now = [place for place in after if other_first < place < other_last]
            for one in dict.fromkeys(self.ids[0][place] for place in then):
                self._pair_gap(
                    [place for place in then if self.ids[0][place] == one],
                    [place for place in now if self.ids[1][place] == one],
                    ordered=ordered,
                )

        self.deleted -= self._found_elsewhere()

    def _found_elsewhere(self) -> set[int]:
        """Return deleted objects that a new object elsewhere in the sample may be."""
        fresh = [place for place in range(self.after.count) if place not in self.taken]
        return {
            place
            for place in self.deleted
            for other in fresh
            if self._may_pair(place, other) and self._overlap(place, other) and self._likeness(place, other)
        }

    def _pair_gap(self, then: Sequence[int], now: Sequence[int], *, ordered: bool) -> None:
        if not now:
            self.deleted |= set(then) - self.unclear
        elif ordered and not self.unclear.intersection(then):
            pairs = zip(then, now, strict=True) if self._alike(then, now) else self._overlapping(then, now)
            for place, other in pairs:
                self._pair(place, other)

    def _alike(self, then: Sequence[int], now: Sequence[int]) -> bool:
        """Return whether objects in one order look like one another, and not more like others.

        One whose box is elsewhere now may be a new object, drawn where another was deleted.
        """
        if len(then) != len(now):
            return False
        likeness = np.array([[self._likeness(place, other) for other in now] for place in then])
        own = np.diagonal(likeness)
        if (own == 0).any() or (own < likeness.max(axis=1)).any() or (own < likeness.max(axis=0)).any():
            return False
        return all(self._overlap(place, other) for place, other in zip(then, now, strict=True))

    def _overlapping(self, then: Sequence[int], now: Sequence[int]) -> list[tuple[int, int]]:
        """Return the pairs of which each box overlaps the other's alone; none where no tensor is one of boxes."""
        if not any(self.specs[name].htype == "bbox" for name in self.names):
            return []
        pairs = [(place, other) for place in then for other in now if self._overlap(place, other)]
        firsts, seconds = Counter(place for place, _ in pairs), Counter(other for _, other in pairs)
        sure = [pair for pair in pairs if firsts[pair[0]] == seconds[pair[1]] == 1 and self._likeness(*pair)]
        return sure if all(one[1] < two[1] for one, two in pairwise(sure)) else []

    def _likeness(self, place: int, other: int) -> int:
        values = ((self.before.tokens[name][place], self.after.tokens[name][other]) for name in self.names)
        return sum(one == two and not is_blank(one) for one, two in values)

    def _overlap(self, place: int, other: int) -> bool:
        for name in self.names:
            if self.specs[name].htype == "bbox":
                coords = self.specs[name].coords
                one, two = self.before.entries[name][place], self.after.entries[name][other]
                if not np.array_equal(one, two) and not _overlaps(_corners(one, coords), _corners(two, coords)):
                    return False
        return True


_Corners = tuple[float, float, float, float]


def _corners(box: Sequence[float], coords: str | None) -> _Corners:
    left, top, right, bottom = (float(side) for side in box)
    if coords == "xyxy":
        return left, top, right, bottom
    return left, top, left + right, top + bottom


def _overlaps(one: _Corners, two: _Corners) -> bool:
    """Return whether the center of a box is in the other."""
    return _contains(one, two) or _contains(two, one)


def _contains(box: _Corners, other: _Corners) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def doubtful_twins(before: Objects, sides: Sequence[Matching], specs: Mapping[str, TensorSpec]) -> set[int]:
    """Return objects with the same box and outline as another, where both sides edited or deleted one of them.

    Which one each side meant is known only if all objects stayed where they were, or if they differ in tensors that
    nobody edited. Objects without boxes and outlines are compared by all of their tensors.
    """
    if all(side.in_place for side in sides):
        return set()
    looks = [name for name in before.tokens if _is_look(name, specs)]
    fixed = set(before.tokens).intersection(*(side.fixed for side in sides))
    names = [name for name in before.tokens if name in fixed or name in looks or not looks]
    alike: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, known in enumerate(before.ids):
        if known is None or before.ids.count(known) > 1:
            alike[before.key(place, names)].append(place)
    found: set[int] = set()
    for places in alike.values():
        if len(places) > 1 and all(any(side.fates[place] != "same" for place in places) for side in sides):
            found.update(places)
    return found


def _is_look(name: str, specs: Mapping[str, TensorSpec]) -> bool:
    return specs[name].htype == "bbox" or name.rsplit("/", 1)[-1] in _OUTLINES
