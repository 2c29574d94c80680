"""What several processes recorded, joined in the order of the stream.

Each process (rank) of a distributed run writes a part at the end of an epoch: its records as they are. Whoever folds
them sorts them by position, so that the numbers are those of one process that recorded everything, to the bit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from penstock.signals._aligned import places_of
from penstock.signals._log import Records
from penstock.signals._run_state import Part, RunState, part_of_columns
from penstock.storage import RunFolder

__all__ = ["PartName", "finished_epochs", "fold_parts", "parts_of"]

_FOLDER = "parts"
_END = ".lance"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PartName:
    """The name of the file of a part.

    Parameters
    ----------
    epoch : int
        Its epoch.
    written : int
        When, in nanoseconds since 1970.
    rank, world : int
        Which of how many processes wrote it.
    is_last : bool
        Whether it completes what the process recorded in the epoch.
    token : str
        What tells it from the parts of other processes.
    """

    epoch: int
    written: int
    rank: int
    world: int
    is_last: bool
    token: str

    @classmethod
    def new(cls, epoch: int, rank: int, world: int, token: str, *, is_last: bool) -> PartName:
        """Return the name of a part that is about to be written."""
        return cls(epoch=epoch, written=time.time_ns(), rank=rank, world=world, is_last=is_last, token=token)

    @classmethod
    def of(cls, path: str) -> PartName | None:
        """Return what a path says; None if it is not that of a part."""
        fields = path.rpartition("/")[2].removesuffix(_END).split("-")
        if len(fields) != 6 or not path.endswith(_END):
            return None
        try:
            epoch, written, rank, world, last = map(int, fields[:5])
        except ValueError:
            return None
        return cls(epoch=epoch, written=written, rank=rank, world=world, is_last=bool(last), token=fields[5])

    @property
    def path(self) -> str:
        """Its path, relative to the run."""
        fields = (f"{self.epoch:08d}", self.written, self.rank, self.world, int(self.is_last), self.token)
        return f"{_FOLDER}/{'-'.join(map(str, fields))}{_END}"


def parts_of(folder: RunFolder, started: str | None) -> list[PartName]:
    """Return the parts of a run, by epoch; those written before `started` are of an earlier run of the same name."""
    found = sorted(part for path in folder.names(_FOLDER) if (part := PartName.of(path)) is not None)
    if started is None:
        return found
    begin = int(datetime.fromisoformat(started).timestamp() * 1e9)
    return [part for part in found if part.written >= begin]


def finished_epochs(parts: Sequence[PartName]) -> list[PartName]:
    """Return the parts of the first epochs, as far as every rank has finished them."""
    kept: list[PartName] = []
    for epoch in sorted({part.epoch for part in parts}):
        of_epoch = [part for part in parts if part.epoch == epoch]
        done = {(part.rank, part.world) for part in of_epoch if part.is_last}
        if not any(all((rank, world) in done for rank in range(world)) for world in {part.world for part in of_epoch}):
            break
        kept += of_epoch
    return kept


def fold_parts(state: RunState, folder: RunFolder, parts: Sequence[PartName], names: Iterable[str] | None) -> None:
    """Add the records of parts to the state of their samples, each once and in the order of their positions.

    What the state already has, and what a process recorded again after it was resumed from an earlier batch, is left
    out by position. Samples that the state lacks are left out too.
    """
    wanted = None if names is None else set(names)
    after = state.frontiers()
    for epoch in sorted({part.epoch for part in parts}):
        ranks: dict[int, list[Part]] = {}
        for part in (part for part in parts if part.epoch == epoch):
            ranks.setdefault(part.rank, []).append(part_of_columns(folder.read_columns(part.path)))
        signals = dict.fromkeys(name for found in ranks.values() for part in found for name in part.values)
        for name in (name for name in signals if wanted is None or name in wanted):
            records = _joined(state.uids, name, ranks)
            state.fold_records(name, records, after.get(name, -1))
            if len(records.positions):
                after[name] = max(after.get(name, -1), int(records.positions.max()))


def _joined(uids: NDArray[np.int64], name: str, ranks: Mapping[int, Sequence[Part]]) -> Records:
    """Return the records of one signal in one epoch, rank after rank; those at one position keep that order."""
    found = [one for parts in ranks.values() for one in _of_rank(uids, name, parts)]
    return Records(
        np.concatenate([np.empty(0, np.int64), *(one.rows for one in found)]),
        np.concatenate([np.empty(0, np.int64), *(one.positions for one in found)]),
        np.concatenate([np.empty(0, np.float32), *(one.values for one in found)]),
    )


def _of_rank(uids: NDArray[np.int64], name: str, parts: Sequence[Part]) -> list[Records]:
    found, after = [], -1
    for part in (part for part in parts if name in part.values):
        values = part.values[name]
        kept = ~np.ma.getmaskarray(values) & (part.positions > after)
        after = max(after, int(part.positions[kept].max(initial=-1)))
        rows = places_of(part.uids, uids)
        kept &= rows >= 0
        found.append(Records(rows[kept], part.positions[kept], np.ma.getdata(values)[kept].astype(np.float32)))
    return found
