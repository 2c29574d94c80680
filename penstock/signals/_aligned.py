"""The numbers of one signal, for the rows of a version of the dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SignalError

__all__ = ["KINDS", "Kind", "Numbers", "check_kind", "places_of"]

Kind = Literal["last", "mean", "count", "position"]
_MOST_RUNS = 64  # pieces between deleted samples, from which sorting is faster
_WINDOW = 1 << 16
KINDS: tuple[Kind, ...] = ("last", "mean", "count", "position")


def check_kind(kind: object) -> None:
    """Refuse what is not kept of a signal.

    Raises
    ------
    SignalError
        With what is.
    """
    if kind not in KINDS:
        raise SignalError(f"{kind!r} is not kept of a signal. Expected one of: {', '.join(map(repr, KINDS))}")


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """One number for each of some samples.

    Parameters
    ----------
    uids : ndarray of int64, shape (n,)
        The samples.
    values : ndarray, shape (n,)
        The numbers.
    recorded : ndarray of bool, shape (n,), optional
        Which samples were recorded; by default all.
    """

    uids: NDArray[np.int64]
    values: NDArray[np.generic]
    recorded: NDArray[np.bool_] | None

    def at(self, uids: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the number of each of these samples, and which of them have one."""
        if len(uids) == len(self.uids) and np.array_equal(uids, self.uids):
            found = self.values.astype(np.float64)
            return found, np.ones(len(uids), bool) if self.recorded is None else self.recorded
        places = places_of(uids, self.uids)
        there = places >= 0
        if self.recorded is not None:
            there[there] = self.recorded[places[there]]
        values = np.full(len(uids), np.nan)
        values[there] = self.values[places[there]]
        return values, there


def places_of(uids: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each identity is among others, -1 where it is not.

    Examples
    --------
    >>> places_of(np.array([7, 5, 9]), np.array([5, 7])).tolist()
    [1, 0, -1]
    """
    found = _by_runs(uids, known)
    return _by_sorting(uids, known) if found is None else found


def _by_runs(uids: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the places where some of the others were deleted, or more appended; None where more has changed."""
    places = np.full(len(uids), -1, np.int64)
    begin = other = 0
    for _ in range(_MOST_RUNS):
        count = min(len(uids) - begin, len(known) - other)
        differ = uids[begin : begin + count] != known[other : other + count]
        run = int(differ.argmax()) if differ.any() else count
        places[begin : begin + run] = np.arange(other, other + run)
        begin, other = begin + run, other + run
        if run == count:
            left = uids[begin:]  # appended since, passed over before, or there a second time
            if len(left) > _WINDOW:
                return None
            places[begin:] = _of_few(left, known)
            return places
        ahead = np.flatnonzero(known[other : other + _WINDOW] == uids[begin])
        if not len(ahead):
            return None
        other += int(ahead[0])
    return None


def _of_few(uids: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(uids):
        return np.empty(0, np.int64)
    values, inverse = np.unique(uids, return_inverse=True)
    at = np.searchsorted(values, known).clip(max=len(values) - 1)
    hits = np.flatnonzero(values[at] == known)
    places = np.full(len(values), -1, np.int64)
    places[at[hits]] = hits
    return places[inverse]


def _by_sorting(uids: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(known):
        return np.full(len(uids), -1, np.int64)
    order, wanted = np.argsort(known), np.argsort(uids)  # both in order: memory is read from one end to the other
    there, asked = known[order], uids[wanted]
    found = np.searchsorted(there, asked).clip(max=len(known) - 1)
    places = np.empty(len(uids), np.int64)
    places[wanted] = np.where(there[found] == asked, order[found], -1)
    return places
