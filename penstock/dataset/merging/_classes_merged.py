"""Merge the classes of two branches into one list, following each by its key, not by position or name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.writing._conflicts import Conflict
from penstock.table import StoredTable, class_aliases, class_keys, merged_into, resolved, with_classes

__all__ = ["MergedClasses", "merged_classes"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MergedClasses:
    """The classes of a tensor after a merge.

    Parameters
    ----------
    names, keys : tuple of str
        The classes, ours first.
    merged : dict of str to str
        For each class that is no more, the key of the one it went into.
    from_ours, from_theirs : ndarray of int64 or None
        The index here of each of our and their classes; None where none moves.
    aliases : dict of str to str
        For each key that another branch gave a class of ours, our own.
    conflicts : tuple of Conflict
        One for each class that both sides renamed or merged, each in its own way.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    merged: dict[str, str]
    from_ours: NDArray[np.int64] | None
    from_theirs: NDArray[np.int64] | None
    aliases: dict[str, str]
    conflicts: tuple[Conflict, ...]

    def into(self, meta: Mapping[str, Any], tensor: str) -> dict[str, Any]:
        """Return a dataset's description with these classes."""
        tensors = [
            {**entry, "class_names": list(self.names)} if entry["name"] == tensor else entry
            for entry in meta["tensors"]
        ]
        return with_classes({**meta, "tensors": tensors}, tensor, self.keys, self.merged, self.aliases)


def merged_classes(
    base: StoredTable, ours: StoredTable, theirs: StoredTable, tensor: str, *, prefer_theirs: bool = False
) -> MergedClasses:
    """Merge the classes of a tensor: classes removed by a merge on either side are gone, renames and new ones stay.

    If both sides merged or renamed a class differently, it is a conflict; ours wins by default.
    """
    aliases = {**class_aliases(theirs.snapshot.meta, tensor), **class_aliases(ours.snapshot.meta, tensor)}
    before, mine, other = (_Side.of(table, tensor, aliases) for table in (base, ours, theirs))
    merged, turned = _followed(*((other, mine) if prefer_theirs else (mine, other)))
    pairs = _paired_by_name(mine, other, merged)
    merged = {**merged, **pairs}
    conflicts = [*_merged_apart(before, mine, other, tensor), *_merged_crosswise(turned, mine, other, tensor)]
    names: dict[str, str] = {}
    for side in (mine, other):
        for key, name in side.names.items():
            if key not in merged:
                names.setdefault(key, name)
    for key in names:
        names[key], clash = _name(key, before, mine, other, prefer_theirs)
        if clash is not None:
            conflicts.append(Conflict(uid=None, tensor=tensor, reason=clash))
    names, joined = _without_doubles(names)
    merged = {**merged, **joined}
    places = {key: index for index, key in enumerate(names)}
    return MergedClasses(
        names=tuple(names.values()),
        keys=tuple(names),
        merged={key: into for key, into in merged.items() if key not in pairs},
        aliases={**aliases, **pairs},
        from_ours=_index(mine, places, merged),
        from_theirs=_index(other, places, merged),
        conflicts=tuple(conflicts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """The classes of one state by key, and what was merged away; keys of one class are one key."""

    names: dict[str, str]
    merged: dict[str, str]

    @classmethod
    def of(cls, table: StoredTable, tensor: str, aliases: Mapping[str, str]) -> _Side:
        meta = table.snapshot.meta
        spec = table.specs.get(tensor)
        keys = [_last(key, aliases) for key in class_keys(meta, tensor)]
        names = dict(zip(keys, spec.class_names if spec else (), strict=False))
        known = class_aliases(meta, tensor)
        merged = {
            _last(key, aliases): _last(into, aliases)
            for key, into in merged_into(meta, tensor).items()
            if known.get(key) != into
        }
        return cls(names=names, merged={key: into for key, into in merged.items() if key not in names})


def _last(key: str, steps: Mapping[str, str]) -> str:
    seen: set[str] = set()
    while key in steps and key not in seen:
        seen.add(key)
        key = steps[key]
    return key


def _followed(preferred: _Side, second: _Side) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return where the classes of both sides went, and the classes in which steps of both sides lead back to a class.

    One side merged 'cat' into 'dog', the other 'dog' into 'cat': one class, as the preferred side calls it.
    """
    merged = {**second.merged, **preferred.merged}
    turned = []
    for key in second.merged.keys() - preferred.merged.keys():
        cycle = _cycle(key, merged)
        if cycle:
            stays = min(cycle & merged.keys() - preferred.merged.keys(), key=_order_in(preferred))
            turned.append(stays)
            del merged[stays]
    return merged, tuple(turned)


def _cycle(key: str, merged: Mapping[str, str]) -> set[str]:
    """Return the keys that following `merged` from a key passes, if it comes back to this key."""
    passed: set[str] = set()
    at = key
    while at in merged and at not in passed:
        passed.add(at)
        at = merged[at]
    return passed if at == key and key in merged else set()


def _order_in(side: _Side) -> Callable[[str], tuple[int, str]]:
    places = {key: place for place, key in enumerate(side.names)}
    return lambda key: (places.get(key, len(places)), key)


def _merged_crosswise(turned: Sequence[str], mine: _Side, other: _Side, tensor: str) -> list[Conflict]:
    """Report the classes that each side merged into what the other side merged away."""
    found = []
    for key in turned:
        gone, stays = (mine, other) if key in mine.merged else (other, mine)
        into = gone.names.get(_last(key, gone.merged))
        here, there = (into, stays.names.get(key)) if gone is mine else (stays.names.get(key), into)
        reason = f"the classes {here!r} and {there!r} are the same class, called {here!r} here and {there!r} there"
        found.append(Conflict(uid=None, tensor=tensor, reason=reason))
    return sorted(found, key=lambda conflict: conflict.reason)


def _merged_apart(before: _Side, mine: _Side, other: _Side, tensor: str) -> list[Conflict]:
    """Report the classes that both sides merged away since they parted, each into another."""
    found = []
    for key in mine.merged.keys() & other.merged.keys() & before.names.keys():
        here, there = (resolved(key, {k: i for i, k in enumerate(side.names)}, side.merged) for side in (mine, other))
        into = [
            list(side.names)[place] if place is not None else None for side, place in ((mine, here), (other, there))
        ]
        if into[0] is not None and into[1] is not None and into[0] != into[1]:
            named = [side.names[key] for side, key in zip((mine, other), into, strict=True) if key is not None]
            reason = f"class {before.names[key]!r} was merged into {named[0]!r} here and into {named[1]!r} there"
            found.append(Conflict(uid=None, tensor=tensor, reason=reason))
    return sorted(found, key=lambda conflict: conflict.reason)


def _paired_by_name(mine: _Side, other: _Side, merged: Mapping[str, str]) -> dict[str, str]:
    """Return, for each class of theirs that we have under the same name and another key, our key."""
    here = {name: key for key, name in mine.names.items()}
    pairs = {}
    for key, name in other.names.items():
        new = key not in mine.names and key not in merged
        if new and name in here and here[name] not in other.names and here[name] not in merged:
            pairs[key] = here[name]
    return pairs


def _name(key: str, before: _Side, mine: _Side, other: _Side, prefer_theirs: bool) -> tuple[str, str | None]:
    """Return the name of a class, and what is wrong where both sides gave it another."""
    here, there, was = mine.names.get(key), other.names.get(key), before.names.get(key)
    if here is None or there is None or here == there:
        return here or there or "", None
    if here == was:
        return there, None
    if there == was:
        return here, None
    return there if prefer_theirs else here, f"class {was!r} is called {here!r} here and {there!r} there"


def _without_doubles(names: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return classes of which no two have one name: a later one goes into the first."""
    first: dict[str, str] = {}
    joined = {}
    for key, name in names.items():
        if name in first:
            joined[key] = first[name]
        else:
            first[name] = key
    return {key: name for name, key in first.items()}, joined


def _index(side: _Side, places: Mapping[str, int], merged: Mapping[str, str]) -> NDArray[np.int64] | None:
    found = [resolved(key, places, merged) for key in side.names]
    index = np.array([-1 if place is None else place for place in found], np.int64)
    return None if (index == np.arange(len(index))).all() else index
