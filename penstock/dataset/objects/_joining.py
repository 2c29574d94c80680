"""The objects of a sample as two made them, each from the same state: both edits as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from penstock.dataset.objects._matching import Matching, doubtful_twins, matched
from penstock.dataset.objects._objects import ID, Objects
from penstock.tensors import TensorSpec

__all__ = ["UNKNOWN", "Clash", "Joined", "Side", "Version", "join"]

_OUTLINES = frozenset({"area", "segmentation"})
Side = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The objects of a sample before and after one side's edits.

    Parameters
    ----------
    before, after : Objects
        With classes as that side counts them.
    final : Objects
        `after` with classes as both sides count them after the merge.
    """

    before: Objects
    after: Objects
    final: Objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A field of an object that both sides set, each to another value.

    Parameters
    ----------
    tensor : str or None
        The field; None where it is not known which objects are the same.
    base, ours, theirs : int or None
        Where the object is in each state; None where it is deleted.
    reason : str
        What each side did.
    """

    tensor: str | None
    base: int | None = None
    ours: int | None = None
    theirs: int | None = None
    reason: str


@dataclass(slots=True, kw_only=True)
class Joined:
    """The objects of a sample with the edits of both sides.

    Parameters
    ----------
    objects : list of dict of str to object
        The entries of each object by tensor; a new object lacks those that its side does not have.
    clashes : list of Clash
        Where both sides set one field.
    twice : list of int
        Places, in `objects`, of those drawn on both sides alike, which are there once.
    theirs_new : list of int
        Places of the new objects of the other side.
    """

    objects: list[dict[str, Any]] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    twice: list[int] = field(default_factory=list)
    theirs_new: list[int] = field(default_factory=list)


def join(ours: Version, theirs: Version, specs: Mapping[str, TensorSpec], *, prefer: Side = "ours") -> Joined:
    """Take the edits of both sides, object by object and field by field.

    Parameters
    ----------
    ours, theirs : Version
        The two sides; they start from the same objects.
    specs : mapping of str to TensorSpec
        Tensors of the group.
    prefer : {"ours", "theirs"}
        Whose value is taken in a clash. All else is taken from both.
    """
    return _Join(ours, theirs, specs, prefer).run()


@dataclass(slots=True)
class _Item:
    """An object of the result, and where it is in each state."""

    entries: dict[str, Any]
    base: int | None = None
    ours: int | None = None
    theirs: int | None = None


class _Join:
    def __init__(self, ours: Version, theirs: Version, specs: Mapping[str, TensorSpec], prefer: Side) -> None:
        self._ours, self._theirs, self._specs, self._prefer = ours, theirs, specs, prefer
        self._mine = matched(ours.before, ours.after, specs)
        self._other = matched(theirs.before, theirs.after, specs)
        self._found = Joined()
        names = dict.fromkeys([*ours.final.tokens, *theirs.final.tokens])
        self._fields = [name for name in specs if name in names]

    def run(self) -> Joined:
        """Return the objects of both."""
        doubtful = self._doubtful()
        if doubtful:
            self._found.clashes = [Clash(tensor=None, reason=UNKNOWN)]
            whole = self._ours if self._prefer == "ours" else self._theirs
            self._found.objects = [_object(whole.final, place) for place in range(whole.final.count)]
            self._found.theirs_new = self._other.fresh if whole is self._theirs else []
            return self._found
        kept = [item for place in range(self._ours.before.count) if (item := self._kept(place)) is not None]
        self._place([*kept, *self._fresh()])
        return self._found

    def _doubtful(self) -> bool:
        """Return whether both sides touched an object that is not known in one of them."""
        twins = doubtful_twins(self._ours.before, (self._mine, self._other), self._specs)
        for place, (here, there) in enumerate(zip(self._mine.fates, self._other.fates, strict=True)):
            both = here != "same" and there != "same"
            if place in twins or (both and "unknown" in {here, there}):
                return True
        return False

    # ---- objects that were there before ----------------------------------------------------------

    def _kept(self, base: int) -> _Item | None:
        """Return an object of the common state as both sides leave it; None if it is deleted."""
        ours, theirs = self._mine.places[base], self._other.places[base]
        here, there = self._mine.fates[base], self._other.fates[base]
        if ours is not None and theirs is not None:
            return _Item(self._joined_fields(base, ours, theirs), base, ours, theirs)
        if ours is None and theirs is not None and there == "edited":
            self._deleted_and_edited(base, None, theirs)
            back = self._prefer == "theirs"
            return _Item(_object(self._theirs.final, theirs), base, None, theirs) if back else None
        if theirs is None and ours is not None and here == "edited":
            self._deleted_and_edited(base, ours, None)
            stays = self._prefer == "ours"
            return _Item(_object(self._ours.final, ours), base, ours, None) if stays else None
        return None

    def _deleted_and_edited(self, base: int, ours: int | None, theirs: int | None) -> None:
        gone_here = ours is None
        reason = (
            "the object was deleted here and edited there"
            if gone_here
            else "the object was edited here and deleted there"
        )
        for name in self._fields:
            if (
                self._changed(self._theirs, name, base, theirs)
                if gone_here
                else self._changed(self._ours, name, base, ours)
            ):
                self._found.clashes.append(Clash(tensor=name, base=base, ours=ours, theirs=theirs, reason=reason))

    @staticmethod
    def _changed(side: Version, name: str, base: int, place: int | None) -> bool:
        if place is None or name not in side.after.tokens:
            return False
        return name in side.before.tokens and side.before.tokens[name][base] != side.after.tokens[name][place]

    def _joined_fields(self, base: int, ours: int, theirs: int) -> dict[str, Any]:
        """Return the entries of an object that both sides have."""
        found, from_ours, from_theirs = {}, [], []
        clashing: dict[str, str] = {}
        for name in self._fields:
            mine, other = self._ours.final, self._theirs.final
            if name not in mine.tokens or name not in other.tokens:
                found[name] = (mine if name in mine.tokens else other).entries[name][
                    ours if name in mine.tokens else theirs
                ]
                continue
            found[name] = mine.entries[name][ours]
            if mine.tokens[name][ours] == other.tokens[name][theirs]:
                continue
            created = name not in self._ours.before.tokens
            here = created or self._changed(self._ours, name, base, ours)
            there = created or self._changed(self._theirs, name, base, theirs)
            if here and there:
                found[name], clashes = self._both(name, base, ours, theirs)
                if clashes:
                    clashing[name] = _BOTH
            elif here:
                from_ours.append(name)
            elif there:
                from_theirs.append(name)
                found[name] = other.entries[name][theirs]
        for names in self._dependent(from_ours, from_theirs, clashing):
            clashing |= {name: clashing.get(name, _DEPENDENT) for name in names}
            side, place = (self._ours, ours) if self._prefer == "ours" else (self._theirs, theirs)
            found |= {name: side.final.entries[name][place] for name in names}
        for name, reason in clashing.items():
            self._found.clashes.append(Clash(tensor=name, base=base, ours=ours, theirs=theirs, reason=reason))
        return found

    def _dependent(
        self, from_ours: Iterable[str], from_theirs: Iterable[str], clashing: Iterable[str]
    ) -> list[list[str]]:
        """Return the fields of which one depends on another, where the sides differ in more than one way.

        Area and outline describe the box: they are taken from the side that the box is taken from.
        """
        outline = [name for name in self._fields if self._specs[name].htype == "bbox" or _last(name) in _OUTLINES]
        mine, other, both = (
            [name for name in outline if name in names] for names in (from_ours, from_theirs, clashing)
        )
        return [[*mine, *other, *both]] if (mine and other) or both else []

    def _both(self, name: str, base: int, ours: int, theirs: int) -> tuple[Any, bool]:
        """Return the entry of a field that both changed, and whether they clash; dictionaries are joined by key."""
        mine, other = self._ours.final.entries[name][ours], self._theirs.final.entries[name][theirs]
        before = self._ours.before.entries[name][base] if name in self._ours.before.entries else None
        if self._specs[name].htype == "json" and isinstance(mine, dict) and isinstance(other, dict):
            return _joined_dicts(before if isinstance(before, dict) else {}, mine, other, self._prefer)
        return (mine if self._prefer == "ours" else other), True

    # ---- new objects -----------------------------------------------------------------------------

    def _fresh(self) -> list[_Item]:
        """Return the objects that are new, those drawn alike on both sides once."""
        ours = [_Item(_object(self._ours.final, place), ours=place) for place in self._mine.fresh]
        left = list(self._mine.fresh)
        theirs = []
        for place in self._other.fresh:
            twin = next((one for one in left if self._drawn_alike(one, place)), None)
            if twin is None:
                theirs.append(_Item(_object(self._theirs.final, place), theirs=place))
                continue
            left.remove(twin)
            (item,) = (item for item in ours if item.ours == twin)
            item.theirs = place
            item.entries = {**_object(self._theirs.final, place), **item.entries}
            if self._ours.final.ids[twin] is None and ID in item.entries:
                item.entries[ID] = self._theirs.final.entries[ID][place]
        return [*ours, *theirs]

    def _drawn_alike(self, ours: int, theirs: int) -> bool:
        mine, other = self._ours.final, self._theirs.final
        ids = {mine.ids[ours], other.ids[theirs]} - {None}
        names = [name for name in self._fields if name != ID and name in mine.tokens and name in other.tokens]
        return len(ids) <= 1 and mine.key(ours, names) == other.key(theirs, names)

    # ---- order -----------------------------------------------------------------------------------

    def _place(self, items: Sequence[_Item]) -> None:
        """Put the objects in order: as here, or as there where only they were reordered; new ones of the other last."""
        frame: Side = "theirs" if _reordered(self._other) and not _reordered(self._mine) else "ours"
        other: Side = "ours" if frame == "theirs" else "theirs"
        order = sorted((item for item in items if _at(item, frame) is not None), key=lambda item: _at(item, frame) or 0)
        guests = sorted((item for item in items if _at(item, frame) is None), key=lambda item: _at(item, other) or 0)
        old = (_at(item, other) for item in order if item.base is not None)
        last = max((place for place in old if place is not None), default=-1)
        certain = "unknown" not in (self._other if other == "theirs" else self._mine).fates
        tail = []
        for guest in guests:
            place = _at(guest, other) or 0
            if guest.base is not None:  # it was deleted in the frame, and is kept
                _insert(order, guest, [item.base is not None and item.base < guest.base for item in order])
            elif place > last and certain:
                tail.append(guest)
            else:
                _insert(order, guest, [(known := _at(item, other)) is not None and known < place for item in order])
        placed = [*order, *tail]
        self._found.objects = [item.entries for item in placed]
        fresh = [(at, item) for at, item in enumerate(placed) if item.base is None]
        self._found.twice = [at for at, item in fresh if item.ours is not None and item.theirs is not None]
        self._found.theirs_new = [at for at, item in fresh if item.ours is None]


_MISSING = object()
UNKNOWN = "its objects were edited on both branches, and it is not known which of them are the same"
_BOTH = "the object was edited on both branches"
_DEPENDENT = "the object was edited on both branches, in fields that depend on each other"


def _at(item: _Item, side: Side) -> int | None:
    return item.ours if side == "ours" else item.theirs


def _insert(order: list[_Item], guest: _Item, is_before: Sequence[bool]) -> None:
    order.insert(max((at for at, before in enumerate(is_before) if before), default=-1) + 1, guest)


def _reordered(side: Matching) -> bool:
    places = [place for place in side.places if place is not None]
    return places != sorted(places)


def _object(objects: Objects, place: int) -> dict[str, Any]:
    return {name: entries[place] for name, entries in objects.entries.items()}


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _joined_dicts(
    before: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any], prefer: Side
) -> tuple[dict[str, Any], bool]:
    """Return a dictionary with the edits of both, and whether they set one key to two values."""
    found = dict(ours)
    clashes = False
    for key in dict.fromkeys([*before, *theirs, *ours]):
        was, mine, other = (one.get(key, _MISSING) for one in (before, ours, theirs))
        if _alike(other, was) or _alike(mine, other):
            continue
        clash = not _alike(mine, was)
        clashes |= clash
        if clash and prefer == "ours":
            continue
        if other is _MISSING:
            found.pop(key, None)
        else:
            found[key] = other
    return found, clashes


def _alike(one: Any, two: Any) -> bool:
    """Return whether two JSON values are equal; 1 and true are not."""
    return one is two or (one is not _MISSING and two is not _MISSING and json.dumps(one) == json.dumps(two))
