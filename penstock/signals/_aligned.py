"""The numbers of one signal, for the rows of a version of the dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SignalError

__all__ = ["KINDS", "Kind", "Numbers", "check_kind", "places_of"]

Kind = Literal["last", "mean", "count", "position"]
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
    if not len(known):
        return np.full(len(uids), -1, np.int64)
    same = min(len(uids), len(known))
    if np.array_equal(uids[:same], known[:same]):  # nothing changed, or samples were appended
        places = np.arange(len(uids))
        places[same:] = -1
        return places
    order = np.argsort(known)
    found = order[np.searchsorted(known, uids, sorter=order).clip(max=len(known) - 1)]
    return np.where(known[found] == uids, found, -1)
