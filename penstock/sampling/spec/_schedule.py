"""Weights that change during training: a spec from each of some positions of the stream on."""

from __future__ import annotations

import bisect
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np

from penstock.errors import SamplingError
from penstock.sampling.pool._normalized import set_normalized
from penstock.sampling.random._philox import RESEED, words
from penstock.sampling.spec._spec import Clause, SamplingSpec, read_json, shortened

__all__ = ["SamplingSchedule", "ScheduleEntry", "reseeded", "schedule_of"]

_SHARED: Final = ("mode", "seed", "combine", "interleave", "size")
_FURTHEST: Final = 1 << 62
_NEUTRAL: Final = {"max": 0.0, "sum": 0.0, "product": 1.0}


def reseeded(spec: SamplingSpec, start: int) -> SamplingSpec:
    """Return the spec that an entry at a position draws by: in a deck after the first with a seed of its own.

    That seed is words 0 and 1 of the Philox stream ``(12, start, 0)`` of the schedule's seed, so that the deals of two
    entries are independent of each other.
    """
    if spec.mode != "deck" or start == 0:
        return spec
    low, high = words(spec.seed, (RESEED, start, 0), 0, 2).tolist()
    return spec.with_options(seed=low + (high << 64))


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """What is drawn from a position of the stream on.

    Parameters
    ----------
    start : int
        Position, at least 0.
    spec : SamplingSpec
        The weights from there on.
    weights_sha256 : str, optional
        SHA-256, in hexadecimal, of an array of one weight for each sample, which the clauses do not express.

    Raises
    ------
    SamplingError
        If a value is not of its kind.
    """

    start: int
    spec: SamplingSpec
    weights_sha256: str | None = None

    def __post_init__(self) -> None:
        start = self.start
        if isinstance(start, bool) or not isinstance(start, int | np.integer) or not 0 <= start < _FURTHEST:
            raise SamplingError(f"start is {shortened(start)}. Expected a position of the stream, a whole number >= 0")
        set_normalized(self, start=int(start))
        if not isinstance(self.spec, SamplingSpec):
            raise SamplingError(f"{shortened(self.spec)} at position {start} is not valid. Expected a SamplingSpec")
        sha256 = self.weights_sha256
        if sha256 is None:
            return
        if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
            raise SamplingError(f"weights_sha256 is {shortened(sha256)}. Expected 64 hexadecimal digits, or None")
        if self.spec.clauses or self.spec.expression is not None:
            raise SamplingError(
                f"the entry at position {start} has both an array of weights and "
                f"{shortened(self.spec.to_tql())}. Expected one of them"
            )

    @property
    def drawn(self) -> SamplingSpec:
        """The spec that the stream of this entry is made of; see `reseeded`."""
        return reseeded(self.spec, self.start)


@dataclass(frozen=True, init=False)
class SamplingSchedule:
    """Weights that change at known positions of the stream.

    Position ``g`` is drawn by the last entry that starts at or before it, as if that entry had been there from the
    start: independent draws read the same random words as ever. Each entry of a deck begins deals of its own, which
    count from its start. Without replacement entries start where epochs do. Entries appended later change nothing that
    is drawn before them, so that the schedule of a run replays it.

    Parameters
    ----------
    entries : sequence of ScheduleEntry, or of (int, SamplingSpec)
        In the order of their starts, the first at 0, with equal mode, seed, combine, interleave and size. A spec alone
        is a schedule of one entry.

    Raises
    ------
    SamplingError
        If the entries are not in order, or differ in more than their weights.

    Examples
    --------
    >>> plain = SamplingSpec(clauses=(Clause("True", 1),))
    >>> rare = SamplingSpec(clauses=(Clause("contains(labels, 'bus')", 20), Clause("True", 1)))
    >>> schedule = SamplingSchedule([(0, plain), (5000, rare)])
    >>> schedule.clauses
    ('True', "contains(labels, 'bus')")
    >>> schedule.at(4999).spec == plain, schedule.at(5000).spec == rare
    (True, True)
    >>> SamplingSchedule.from_json(schedule.to_json()) == schedule
    True
    """

    entries: tuple[ScheduleEntry, ...]

    def __init__(self, entries: Iterable[ScheduleEntry | tuple[int, SamplingSpec]] | SamplingSpec) -> None:
        found = _entries_of(entries)
        if not found or found[0].start != 0:
            first = f"starts at {found[0].start}" if found else "has no entries"
            raise SamplingError(f"the schedule {first}. Expected a first entry at position 0")
        for before, after in pairwise(found):
            _check_follows(before, after)
        set_normalized(self, entries=found)

    @property
    def spec(self) -> SamplingSpec:
        """Spec of the first entry; mode, seed, combine, interleave and size are those of all."""
        return self.entries[0].spec

    @property
    def starts(self) -> tuple[int, ...]:
        """Position from which on each entry holds."""
        return tuple(entry.start for entry in self.entries)

    @cached_property
    def clauses(self) -> tuple[str, ...]:
        """Source of each clause of any entry, in order of first appearance; twice where an entry has it twice."""
        found: dict[tuple[str, int], None] = {}
        for entry in self.entries:
            found.update(dict.fromkeys(_numbered(entry.spec)))
        return tuple(expression for expression, _ in found)

    def of_union(self, entry: ScheduleEntry) -> SamplingSpec:
        """Return the spec of an entry over the clauses of all, which weighs every sample the same.

        Parameters
        ----------
        entry : ScheduleEntry
            One of the entries.

        Returns
        -------
        SamplingSpec
            A clause that the entry does not have has the neutral weight: 0 for "max" and "sum", 1 for "product". Where
            the entry has no clauses, it is returned as it is.
        """
        spec = entry.spec
        if not spec.clauses:
            return spec
        weights = dict(zip(_numbered(spec), spec.weights, strict=True))
        often = Counter[str]()
        clauses = []
        for expression in self.clauses:
            weight = weights.get((expression, often[expression]), _NEUTRAL[spec.combine])
            often[expression] += 1
            clauses.append(Clause(expression, weight))
        return replace(spec, clauses=tuple(clauses))

    def at(self, position: int) -> ScheduleEntry:
        """Return the entry that holds at a position of the stream, at least 0."""
        return self.entries[max(bisect.bisect_right(self.starts, position) - 1, 0)]

    def appended(self, start: int, spec: SamplingSpec, weights_sha256: str | None = None) -> SamplingSchedule:
        """Return the schedule with one more entry; what is drawn before it stays.

        Parameters
        ----------
        start : int
            Position from which on it holds. Where the last entry starts there too, it is replaced.
        spec : SamplingSpec
            The weights from there on; with the mode, seed, combine, interleave and size of the others.
        weights_sha256 : str, optional
            SHA-256 of an array of weights, in place of clauses.

        Returns
        -------
        SamplingSchedule

        Raises
        ------
        SamplingError
            If an entry starts later, or the spec differs in more than its weights.

        Examples
        --------
        >>> schedule = SamplingSchedule(SamplingSpec(clauses=(Clause("True", 1),)))
        >>> schedule.appended(64, SamplingSpec(clauses=(Clause("True", 2),))).starts
        (0, 64)
        """
        entry = ScheduleEntry(start, spec, weights_sha256)
        kept = self.entries[:-1] if self.entries[-1].start == entry.start else self.entries
        if kept:
            _check_follows(kept[-1], entry)
        else:
            _check_shared(self.entries[-1], entry)
        # those that were checked already are not checked again: a run may have thousands of them
        made = object.__new__(type(self))
        set_normalized(made, entries=(*kept, entry))
        return made

    def with_options(self, **changes: Any) -> SamplingSchedule:
        """Return a copy with some fields of every entry's spec changed, as `SamplingSpec.with_options` does."""
        return SamplingSchedule(
            tuple(replace(entry, spec=entry.spec.with_options(**changes)) for entry in self.entries)
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the schedule: equal for equal schedules."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Return the schedule as JSON with sorted keys; equal schedules give equal text."""
        entries = [
            {"start": entry.start, "spec": entry.spec.as_fields(), "weights_sha256": entry.weights_sha256}
            for entry in self.entries
        ]
        return json.dumps({"entries": entries}, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> SamplingSchedule:
        """Return the schedule that `to_json` wrote, or that of one entry which the JSON of a spec is.

        Raises
        ------
        SamplingError
            If the text is neither.
        """
        read = read_json(text, "sampling schedule")
        if not isinstance(read, Mapping):
            raise SamplingError(
                f"the text is not a sampling schedule: {shortened(text)}", hint="use the text of to_json()"
            )
        if "entries" not in read:
            return cls((ScheduleEntry(0, SamplingSpec.from_fields(read)),))
        entries = read["entries"]
        if set(read) != {"entries"} or not isinstance(entries, list):
            raise SamplingError(
                f"the text is not a sampling schedule: {shortened(text)}. Expected a list of entries",
                hint="use the text of to_json()",
            )
        return cls(tuple(_read_entry(entry) for entry in entries))


def schedule_of(weights: SamplingSpec | SamplingSchedule) -> SamplingSchedule:
    """Return a schedule as it is, a spec as a schedule of one entry."""
    return weights if isinstance(weights, SamplingSchedule) else SamplingSchedule((ScheduleEntry(0, weights),))


def _entries_of(entries: Any) -> tuple[ScheduleEntry, ...]:
    if isinstance(entries, SamplingSpec):
        return (ScheduleEntry(0, entries),)
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        raise SamplingError(
            f"{shortened(entries)} is not a list of entries. Expected pairs of a position and a SamplingSpec",
            hint="SamplingSchedule([(0, spec), (5000, other)])",
        )
    return tuple(_entry_of(entry) for entry in entries)


def _entry_of(entry: Any) -> ScheduleEntry:
    if isinstance(entry, ScheduleEntry):
        return entry
    if isinstance(entry, tuple | list) and len(entry) in {2, 3}:
        return ScheduleEntry(*entry)
    raise SamplingError(
        f"{shortened(entry)} is not an entry of a schedule. Expected a position and a SamplingSpec",
        hint="SamplingSchedule([(0, spec), (5000, other)])",
    )


def _read_entry(read: Any) -> ScheduleEntry:
    if not isinstance(read, Mapping) or not {"start", "spec"} <= set(read) <= {"start", "spec", "weights_sha256"}:
        raise SamplingError(
            f"{shortened(read)} is not an entry of a schedule. Expected start, spec and weights_sha256",
            hint="use the text of to_json()",
        )
    return ScheduleEntry(read["start"], SamplingSpec.from_fields(read["spec"]), read.get("weights_sha256"))


def _check_follows(before: ScheduleEntry, after: ScheduleEntry) -> None:
    if after.start <= before.start:
        raise SamplingError(
            f"an entry at position {after.start} follows one at {before.start}. Expected starts in ascending order"
        )
    _check_shared(before, after)


def _check_shared(before: ScheduleEntry, after: ScheduleEntry) -> None:
    for name in _SHARED:
        mine, other = getattr(before.spec, name), getattr(after.spec, name)
        if mine != other:
            raise SamplingError(
                f"{name} is {other!r} at position {after.start} and {mine!r} at {before.start}. "
                "Expected the same in every entry of a schedule",
                hint=f"spec.with_options({name}={mine!r})",
            )


def _numbered(spec: SamplingSpec) -> list[tuple[str, int]]:
    """Return the source of each clause, and how many clauses before it have the same."""
    often = Counter[str]()
    found = []
    for clause in spec.clauses:
        found.append((clause.expression, often[clause.expression]))
        often[clause.expression] += 1
    return found
