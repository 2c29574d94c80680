"""What a merge of two branches should give: cell by cell, classes followed by identity."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.model import resolved

CELLS = ("age", "note", "labels")


@dataclass
class Merge:
    """The right result of a merge, and the conflicts on the way to it.

    `cells` and `classes` are conflicts that must be told; `open_questions` are names of classes where
    either answer is right, and telling is too. `revived` are samples deleted here that come back.
    """

    state: object
    cells: set = field(default_factory=set)
    classes: set = field(default_factory=set)
    open_questions: bool = False
    revived: set = field(default_factory=set)


def identified(base, ours, theirs):
    """Return which of their new classes is which of ours: the one both added under one name."""
    known = {name: label for label, name in ours.classes.items()}
    return {
        label: known[name]
        for label, name in theirs.classes.items()
        if label not in base.classes and name in known and known[name] != label
    }


def renamed(state, same):
    """Return a state in which classes have the identities that `same` gives them."""
    made = state.copy()
    made.classes = {same.get(label, label): name for label, name in made.classes.items()}
    made.merged = {same.get(label, label): same.get(into, into) for label, into in made.merged.items()}
    for cells in made.stored.values():
        cells["labels"] = [same.get(label, label) for label in cells["labels"]]
    return made


@dataclass(frozen=True)
class _Sides:
    base: object
    ours: object
    theirs: object
    prefer: str | None


def three_way(base, ours, theirs, prefer):
    """Return what merging `theirs` into `ours` should give; without `prefer`, as "theirs", if nothing conflicts."""
    found = Merge(ours.copy())
    result = found.state
    first, second = (ours, theirs) if prefer == "ours" else (theirs, ours)
    result.merged = {**second.merged, **first.merged}
    sides = _Sides(base, ours, theirs, prefer)
    _merge_names(found, sides)
    edited_here, edited_there = _edited(base, ours), _edited(base, theirs)
    for key in [key for key in base.order if key not in theirs.order and key in ours.order]:
        _deleted_there(found, key, edited_here, prefer)
    for key in [key for key in base.order if key not in ours.order and key in theirs.order]:
        if any(place[0] == key for place in edited_there):
            found.cells.add((key, None))
            if prefer == "theirs":
                found.revived.add(key)
                result.order.append(key)
                result.stored[key] = dict(theirs.stored[key])
    for key, tensor in edited_there:
        if key in ours.order and key in result.order:
            _edited_by_them(found, sides, (key, tensor), edited_here)
    for key in theirs.order:
        if key not in base.order and key not in ours.order:
            result.order.append(key)
            result.stored[key] = dict(theirs.stored[key])
    for cells in result.stored.values():
        cells["labels"] = [resolved(result.merged, label) for label in cells["labels"]]
    return found


def _edited(base, state):
    """Return the cells that differ from the base, not counting what merged classes changed."""
    found = []
    for key in state.order:
        for tensor in CELLS if key in base.stored else ():
            before, after = base.stored[key][tensor], state.stored[key][tensor]
            if tensor == "labels":
                before = [resolved(state.merged, label) for label in before]
            if before != after:
                found.append((key, tensor))
    return found


def _deleted_there(found, key, edited_here, prefer):
    if any(place[0] == key for place in edited_here):
        found.cells.add((key, None))
        if prefer == "ours":
            return
    found.state.order.remove(key)
    del found.state.stored[key]


def _edited_by_them(found, sides, place, edited_here):
    key, tensor = place
    ours, theirs = sides.ours, sides.theirs
    one, two = ours.stored[key][tensor], theirs.stored[key][tensor]
    if place in edited_here:
        if tensor == "labels":
            one, two = ([resolved(found.state.merged, label) for label in value] for value in (one, two))
        if one != two:
            found.cells.add(place)
            if sides.prefer == "ours":
                return
    found.state.stored[key][tensor] = theirs.stored[key][tensor]


def _merge_names(found, sides):
    base, ours, theirs = sides.base, sides.ours, sides.theirs
    result = found.state
    both = {**theirs.merged, **ours.merged}
    for label in ours.merged.keys() & theirs.merged.keys() & base.classes.keys():
        if resolved(both, ours.merged[label]) != resolved(both, theirs.merged[label]):
            found.classes.add(label)
    _break_cycles(found, sides)
    result.classes = {}
    for label in [*ours.classes, *(label for label in theirs.classes if label not in ours.classes)]:
        _name_of(found, label, sides)
    for label, state, other in [(label, ours, theirs) for label in ours.merged] + [
        (label, theirs, ours) for label in theirs.merged
    ]:
        into = resolved(state.merged, label)
        if into in other.merged or (label in other.classes and other.classes[label] != base.classes.get(label)):
            found.open_questions = True


def _break_cycles(found, sides):
    """Where each side merged a class into what the other merged away, they are one: what the preferred side calls it."""
    merged = found.state.merged
    preferred = sides.ours if sides.prefer == "ours" else sides.theirs
    for label in list(merged):
        passed = []
        at = label
        while at in merged and at not in passed:
            passed.append(at)
            at = merged[at]
        if at == label and label in merged:
            kept = next(label for label in preferred.classes if label in passed)
            del merged[kept]
            found.classes.add(kept)


def _name_of(found, label, sides):
    if label in found.state.merged:
        return
    here, there, before = (state.classes.get(label) for state in (sides.ours, sides.theirs, sides.base))
    if here is None or there is None:
        name = here or there
    elif there in {here, before}:
        name = here
    elif here == before:
        name = there
    else:
        found.classes.add(label)
        name = here if sides.prefer == "ours" else there
    found.state.classes[label] = name
