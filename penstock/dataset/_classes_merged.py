"""The classes of two branches made one list, each followed by its key and not by its place or name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset._conflicts import Conflict
from penstock.table import StoredTable, class_keys, merged_into, resolved, with_classes

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
    their_names : dict of str to str
        By key, the name they gave a class that both renamed.
    conflicts : tuple of Conflict
        One for each of those.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    merged: dict[str, str]
    from_ours: NDArray[np.int64] | None
    from_theirs: NDArray[np.int64] | None
    their_names: dict[str, str]
    conflicts: tuple[Conflict, ...]

    def with_their_names(self) -> MergedClasses:
        """Return the classes named as they are there, where both sides renamed one."""
        names = tuple(self.their_names.get(key, name) for key, name in zip(self.keys, self.names, strict=True))
        return replace(self, names=names) if len(set(names)) == len(names) else self

    def into(self, meta: Mapping[str, Any], tensor: str) -> dict[str, Any]:
        """Return a dataset's description with these classes."""
        tensors = [
            {**entry, "class_names": list(self.names)} if entry["name"] == tensor else entry
            for entry in meta["tensors"]
        ]
        return with_classes({**meta, "tensors": tensors}, tensor, self.keys, self.merged)


def merged_classes(base: StoredTable, ours: StoredTable, theirs: StoredTable, tensor: str) -> MergedClasses:
    """Merge the classes of a tensor: those merged away on either side are gone, renames and new ones are taken over."""
    sides = [_Side.of(table, tensor) for table in (base, ours, theirs)]
    before, mine, other = sides
    merged = {**other.merged, **mine.merged}
    pairs = _paired_by_name(mine, other, merged)
    merged = {**merged, **pairs}
    names: dict[str, str] = {}
    for side in (mine, other):
        for key, name in side.names.items():
            if key not in merged:
                names.setdefault(key, name)
    conflicts, their_names = [], {}
    for key in names:
        chosen, clash = _name(key, before, mine, other)
        names[key] = chosen
        if clash is not None:
            their_names[key] = other.names[key]
            conflicts.append(Conflict(uid=None, tensor=tensor, reason=clash))
    names, joined = _without_doubles(names)
    merged = {**merged, **joined}
    places = {key: index for index, key in enumerate(names)}
    return MergedClasses(
        names=tuple(names.values()),
        keys=tuple(names),
        merged=merged,
        from_ours=_index(mine, places, merged),
        from_theirs=_index(other, places, merged),
        their_names=their_names,
        conflicts=tuple(conflicts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    names: dict[str, str]
    merged: dict[str, str]

    @classmethod
    def of(cls, table: StoredTable, tensor: str) -> _Side:
        meta = table.snapshot.meta
        spec = table.specs.get(tensor)
        keys = class_keys(meta, tensor)
        names = dict(zip(keys, spec.class_names if spec else (), strict=False))
        return cls(names=names, merged=merged_into(meta, tensor))


def _paired_by_name(mine: _Side, other: _Side, merged: Mapping[str, str]) -> dict[str, str]:
    """Return, for each class of theirs that we have under the same name and another key, our key."""
    here = {name: key for key, name in mine.names.items()}
    pairs = {}
    for key, name in other.names.items():
        new = key not in mine.names and key not in merged
        if new and name in here and here[name] not in other.names and here[name] not in merged:
            pairs[key] = here[name]
    return pairs


def _name(key: str, before: _Side, mine: _Side, other: _Side) -> tuple[str, str | None]:
    """Return the name of a class, and what is wrong where both sides gave it another."""
    here, there, was = mine.names.get(key), other.names.get(key), before.names.get(key)
    if here is None or there is None or here == there:
        return here or there or "", None
    if here == was:
        return there, None
    if there == was:
        return here, None
    return here, f"class {was!r} is {here!r} here and {there!r} there"


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
