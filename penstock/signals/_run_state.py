"""What a run keeps of all its signals, keyed by the identity of the samples."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.signals._aligned import KINDS, Kind, Numbers, places_of
from penstock.signals._folding import SignalState
from penstock.signals._log import Block, Log, Records, records_of

__all__ = ["Part", "RunState", "columns_of_log", "part_of_columns"]

_UID, _POSITION = "uid", "position"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Records by the identity of the samples.

    Parameters
    ----------
    uids : ndarray of int64, shape (n,)
        The samples.
    positions : ndarray of int64, shape (n,)
        Where in the stream they were drawn.
    values : mapping of str to ndarray of float32
        The numbers of each signal; masked where it was not recorded.
    """

    uids: NDArray[np.int64]
    positions: NDArray[np.int64]
    values: Mapping[str, NDArray[Any]]


class RunState:
    """Signals of some samples.

    Parameters
    ----------
    uids : ndarray of int64, shape (num_rows,)
        The samples.
    signals : dict of str to SignalState, optional
        By name.
    """

    def __init__(self, uids: NDArray[np.int64], signals: Mapping[str, SignalState] | None = None) -> None:
        self.uids = uids
        self.signals: dict[str, SignalState] = dict(signals or {})

    def fold(self, log: Log, after: Mapping[str, int]) -> None:
        """Add records, those of each signal whose position is beyond `after`."""
        for name, records in records_of(log):
            self.fold_records(name, records, after.get(name, -1))

    def fold_records(self, name: str, records: Records, after: int) -> None:
        """Add records of one signal beyond a position."""
        if len(records.positions) and int(records.positions.min()) <= after:
            kept = records.positions > after
            records = Records(records.rows[kept], records.positions[kept], records.values[kept])
        if name not in self.signals:
            self.signals[name] = SignalState.new(len(self.uids))
        self.signals[name].fold(records)

    def frontiers(self) -> dict[str, int]:
        """Return the greatest position of each signal."""
        return {name: state.frontier() for name, state in self.signals.items()}

    def at(self, uids: NDArray[np.int64]) -> RunState:
        """Return the signals of these samples, in their order; never recorded where this has none of them."""
        if len(uids) == len(self.uids) and np.array_equal(uids, self.uids):
            return self
        places = places_of(uids, self.uids)
        there = np.flatnonzero(places >= 0)
        found = RunState(uids)
        for name, state in self.signals.items():
            found.signals[name] = SignalState.new(len(uids))
            found.signals[name].put(there, state.take(places[there]))
        return found

    def without(self, uids: NDArray[np.int64]) -> RunState:
        """Return the signals of all samples but these."""
        kept = np.flatnonzero(places_of(self.uids, uids) < 0)
        return RunState(self.uids[kept], {name: state.take(kept) for name, state in self.signals.items()})

    # ---- files ---------------------------------------------------------------------------------

    def columns(self, others: RunState | None) -> dict[str, NDArray[Any]]:
        """Return the columns that are stored, of the samples that were recorded; `others` are added to them."""
        recorded = np.zeros(len(self.uids), bool)
        for state in self.signals.values():
            recorded |= state.recorded()
        kept: Any = slice(None) if recorded.all() else recorded
        more = RunState(np.empty(0, np.int64)) if others is None else others
        found = {_UID: _joined(self.uids[kept], more.uids)}
        for name in sorted(self.signals.keys() | more.signals.keys()):
            one = self.signals[name].take(kept) if name in self.signals else SignalState.new(len(self.uids[kept]))
            two = more.signals.get(name) or SignalState.new(len(more.uids))
            for what, value in _parts_of(one, two):
                found[_column(what, name)] = value
        return found

    @classmethod
    def of_columns(cls, columns: Mapping[str, NDArray[Any]]) -> RunState:
        """Return what `columns` gave."""
        names = [_name(column) for column in columns if column.startswith("last_")]
        uids = np.asarray(columns.get(_UID, np.empty(0, np.int64)))
        signals = {name: SignalState.of(*(columns[_column(what, name)] for what in KINDS)) for name in names}
        return cls(uids, signals)

    @staticmethod
    def stored_columns(names: Collection[str], kinds: Collection[Kind] = KINDS) -> list[str]:
        """Return the columns that some signals are stored in."""
        return [_UID, *(_column(what, name) for name in names for what in dict.fromkeys(kinds))]

    @staticmethod
    def numbers_of(columns: Mapping[str, NDArray[Any]], name: str, kind: Kind) -> Numbers:
        """Return one number of a signal out of its stored columns."""
        recorded = columns[_column("count", name)] > 0
        return Numbers(columns[_UID], columns[_column(kind, name)], None if recorded.all() else recorded)


def _parts_of(one: SignalState, two: SignalState) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "last", _joined(one.last, two.last)
    yield "mean", _joined(one.mean, two.mean)
    yield "count", _joined(one.count, two.count)
    yield "position", _joined(one.position, two.position)


def _joined(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([one, two]) if len(two) else one


def _column(what: str, name: str) -> str:
    """Return the column of a signal: the engine has its own ideas of dots and case in names."""
    return f"{what}_{name.encode().hex()}"


def _name(column: str) -> str:
    return bytes.fromhex(column.rpartition("_")[2]).decode()


def columns_of_log(log: Log, uids: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the columns in which the records of a rank are stored; `uids` of all rows."""
    rows = np.concatenate([np.empty(0, np.int64), *(block.rows for block in log)])
    positions = np.concatenate([np.empty(0, np.int64), *(block.positions for block in log)])
    found: dict[str, NDArray[Any]] = {_UID: uids[rows], _POSITION: positions}
    for name in dict.fromkeys(name for block in log for name in block.values):
        found[_column("value", name)] = np.ma.concatenate([_of_block(block, name) for block in log])
    return found


def _of_block(block: Block, name: str) -> NDArray[Any]:
    if name in block.values:
        return np.ma.MaskedArray(block.values[name], np.zeros(len(block.rows), bool))
    return np.ma.MaskedArray(np.zeros(len(block.rows), np.float32), np.ones(len(block.rows), bool))


def part_of_columns(columns: Mapping[str, NDArray[Any]]) -> Part:
    """Return what `columns_of_log` gave."""
    values = {_name(column): found for column, found in columns.items() if column.startswith("value_")}
    return Part(np.asarray(columns[_UID]), np.asarray(columns[_POSITION]), values)
