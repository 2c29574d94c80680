"""What changed between two versions, as far as their files tell: everything else is known to be equal unread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.storage.reading._columns import UID
from penstock.storage.reading._parts import Part
from penstock.storage.reading._snapshot import Snapshot

__all__ = ["Changes"]

_Rows = NDArray[np.int64]


class Changes:
    """Samples of two versions that may differ.

    Parameters
    ----------
    before, after : Snapshot
        Versions whose `parts` are known.
    """

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self._before = before
        self._after = after
        self._first, self._second = before.parts or (), after.parts or ()
        places = {part.name: place for place, part in enumerate(self._first)}
        self._same = [
            (places[part.name], place)
            for place, part in enumerate(self._second)
            if part.name in places and self._first[places[part.name]].marks == part.marks
        ]

    @cached_property
    def _others(self) -> tuple[list[int], list[int]]:
        """The parts of each version whose samples the other has not all, or has in other files."""
        first, second = {one for one, _ in self._same}, {two for _, two in self._same}
        return (
            [place for place in range(len(self._first)) if place not in first],
            [place for place in range(len(self._second)) if place not in second],
        )

    @property
    def num_unlike(self) -> int:
        """Number of samples of the later version that lie in parts which the earlier has not, without reading them."""
        return sum(self._second[place].num_rows for place in self._others[1])

    @cached_property
    def _joined(self) -> tuple[_Rows, _Rows, _Rows, _Rows]:
        """Rows of `_others` that both versions have, before and after, then those of one alone."""
        first, second = self._others
        rows, others = _rows_of(self._before, first), _rows_of(self._after, second)
        uids, known = _uids(self._before, first), _uids(self._after, second)
        order = np.argsort(known, kind="stable")
        found = np.searchsorted(known, uids, sorter=order).clip(max=max(len(known) - 1, 0))
        there = known[order[found]] == uids if len(known) else np.zeros(len(uids), bool)
        partners = order[found[there]] if len(known) else np.empty(0, np.int64)
        alone = np.ones(len(others), bool)
        alone[partners] = False
        return rows[there], others[partners], rows[~there], others[alone]

    @property
    def removed(self) -> _Rows:
        """Rows of the earlier version that the later has not, increasing."""
        return self._joined[2]

    @property
    def added(self) -> _Rows:
        """Rows of the later version that the earlier has not, increasing."""
        return self._joined[3]

    def suspects(self, columns: Iterable[str]) -> tuple[_Rows, _Rows]:
        """Return the rows, before and after, of samples that both have and whose files of some columns differ."""
        wanted = tuple(columns)
        unlike = [(one, two) for one, two in self._same if _differ(self._first[one], self._second[two], wanted)]
        rows, others = self._joined[:2]
        kept = self._of_unlike_files(wanted)
        return (
            np.concatenate([*(self._run(self._before, one) for one, _ in unlike), rows[kept]]),
            np.concatenate([*(self._run(self._after, two) for _, two in unlike), others[kept]]),
        )

    @cached_property
    def _places(self) -> tuple[_Rows, _Rows]:
        """The parts that the pairs of rows of `_joined` lie in, before and after."""
        rows, others = self._joined[:2]
        return (
            np.searchsorted(self._before.starts, rows, side="right") - 1,
            np.searchsorted(self._after.starts, others, side="right") - 1,
        )

    def _of_unlike_files(self, columns: Sequence[str]) -> NDArray[np.bool_]:
        """Return which pairs of `_joined` lie in unlike files of some columns; deletion marks move rows, not values."""
        unlike = np.ones((len(self._first), len(self._second)), bool)
        places = {part.name: place for place, part in enumerate(self._second)}
        for one in self._others[0]:
            two = places.get(self._first[one].name)
            if two is not None:
                unlike[one, two] = _differ(self._first[one], self._second[two], columns)
        found: NDArray[np.bool_] = unlike[self._places]
        return found

    @staticmethod
    def _run(snapshot: Snapshot, place: int) -> _Rows:
        return np.arange(snapshot.starts[place], snapshot.starts[place + 1])


def _differ(one: Part, two: Part, columns: Iterable[str]) -> bool:
    return any(one.files.get(name) != two.files.get(name) for name in columns)


def _rows_of(snapshot: Snapshot, places: Sequence[int]) -> _Rows:
    runs = [np.arange(snapshot.starts[place], snapshot.starts[place + 1]) for place in places]
    return np.concatenate([np.empty(0, np.int64), *runs])


def _uids(snapshot: Snapshot, places: Sequence[int]) -> _Rows:
    if not places:
        return np.empty(0, np.int64)
    uids: _Rows = snapshot.read_parts(places, [UID])[UID].to_numpy()
    return uids
