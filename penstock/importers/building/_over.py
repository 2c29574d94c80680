"""Columns into a dataset part by part, wherever an engine reads and writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.dataset.opened._apart import ChangedSpecsError, RowsApart, append_files, rows_apart, settle_specs
from penstock.dataset.samples import content_of
from penstock.dataset.writing._buffer import Buffer
from penstock.engines import Engine
from penstock.importers.building._report import IssueLog
from penstock.importers.building._write import CHUNK, Column, add_rows
from penstock.storage import ROWS_PER_FILE, Location, derived_uids, write_rows
from penstock.table import Rows, part_rows
from penstock.tensors import Cell, TensorSpec

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["write_over"]

_PARTS = 64  # unless they would be too small
_FEWEST_IMAGES = 1024  # rows of a part: each becomes a file
_FEWEST = 16_384

_Entry = tuple[str, str, str, str | None]


def write_over(
    dataset: Dataset,
    columns: Sequence[Column],
    num_rows: int,
    *,
    log: IssueLog,
    engine: Engine,
    num_workers: int,
    bar: tqdm[NoReturn],
) -> int | None:
    """Fill the tensors, which are empty; return the number of samples that are in.

    Parameters
    ----------
    dataset : Dataset
        Has the tensors, and no rows.
    columns : sequence of Column
        The tensors.
    num_rows : int
        Number of rows of every column.
    log : IssueLog
        Takes samples that cannot be read; they are left out.
    engine : Engine
        Where parts are read and written.
    num_workers : int
        Parts at the same time; 0 leaves it to the engine.
    bar : tqdm
        Told of every part.

    Returns
    -------
    int or None
        None where the rows have to be added in their order, because they bring classes or types of their own;
        nothing is added then.
    """
    opened = content_of(dataset).opened
    known, key = len(log.issues), _key(columns, num_rows)
    first = _First(columns, rows_apart(opened), log)
    stop = first.read(num_rows)
    bar.update(stop)
    settle_specs(opened, first.rows.buffer.specs)
    apart = rows_apart(opened)
    place = opened.working.store.location
    sent = tuple(replace(column, whole=None, wrong=()) for column in columns)
    task = _Part(sent, apart, place, key)
    head = (derived_uids(key, np.array(first.taken, np.int64)), first.columns_by(apart.specs))
    files, buffers, count = write_rows(place, iter([head]), list(apart.specs.values())), [first.rows.buffer], 0
    fewest = _FEWEST_IMAGES if any(spec.is_encoded for spec in apart.specs.values()) else _FEWEST
    size = min(max(-(-num_rows // _PARTS), fewest), ROWS_PER_FILE)
    parts = [(start + stop, end + stop) for start, end in part_rows(num_rows - stop, size)]
    try:
        for (start, end), done in zip(parts, engine.map(task, parts, num_workers=num_workers), strict=True):
            _replay(done, columns, log)
            files += done.files
            buffers.append(done.buffer)
            count += done.num_rows
            bar.update(end - start)
    except ChangedSpecsError:
        del log.issues[known:]
        opened.working.store.sweep_files()
        bar.reset()
        return None
    append_files(opened, files, buffers)
    return count + len(first.taken)


@dataclass(slots=True, eq=False)
class _First:
    """The first rows, read here: they fix the types that were not given."""

    columns: Sequence[Column]
    rows: RowsApart
    log: IssueLog
    taken: list[int] = field(default_factory=list)

    def read(self, num_rows: int) -> int:
        """Read rows until every type is known; return how many were read."""
        stop = 0
        while stop < num_rows and (stop == 0 or self.rows.is_open):
            rows = range(stop, min(stop + CHUNK, num_rows))
            self.taken += add_rows(self.rows, self.columns, rows, log=self.log)
            stop = rows.stop
        return stop

    def columns_by(self, specs: Mapping[str, TensorSpec]) -> dict[TensorSpec, Sequence[Cell]]:
        """Return the samples by the specs they are written with."""
        return {spec: self.rows.buffer.cells.get(name, []) for name, spec in specs.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    """What a part has become."""

    files: list[str]
    num_rows: int
    buffer: Buffer
    entries: list[_Entry]
    left_out: dict[str, list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The task: some rows, read, checked and written to files of their own."""

    columns: tuple[Column, ...]
    apart: RowsApart
    place: Location
    key: int

    def __call__(self, rows: Rows) -> _Done:
        apart, notes = self.apart.renewed(), _Notes()
        counts: list[int] = []

        def chunks() -> Iterator[tuple[NDArray[np.int64], Mapping[TensorSpec, Sequence[Cell]]]]:
            for start, stop in part_rows(rows[1] - rows[0], CHUNK):
                chunk = range(rows[0] + start, rows[0] + stop)
                taken = add_rows(apart, self.columns, chunk, log=notes)
                counts.append(len(taken))
                yield derived_uids(self.key, np.array(taken, np.int64)), apart.taken()

        files = write_rows(self.place, chunks(), list(apart.specs.values()))
        return _Done(files, sum(counts), apart.buffer, notes.entries, self._left_out())

    def _left_out(self) -> dict[str, list[int]]:
        found = {column.name: sorted(column.left_out) for column in self.columns if column.left_out}
        for column in self.columns:
            if column.left_out:
                column.left_out.clear()
        return found


class _Notes(IssueLog):
    """Keeps issues as they are told, for the log of the import, which may raise."""

    def __init__(self) -> None:
        super().__init__("skip")
        self.entries: list[_Entry] = []

    def refuse(self, source: str, problem: str, *, hint: str | None = None) -> None:
        """Keep that `source` is left out."""
        self.entries.append(("refuse", source, problem, hint))

    def repair(self, source: str, problem: str) -> None:
        """Keep that `source` was changed."""
        self.entries.append(("repair", source, problem, None))


def _replay(done: _Done, columns: Sequence[Column], log: IssueLog) -> None:
    """Tell the log what a part has met, as if its rows had been read here."""
    for action, source, problem, hint in done.entries:
        if action == "refuse":
            log.refuse(source, problem, hint=hint)
        else:
            log.repair(source, problem)
    for column in columns:
        if column.left_out is not None:
            column.left_out.update(done.left_out.get(column.name, ()))


def _key(columns: Sequence[Column], num_rows: int) -> int:
    """Return what tells the identities of this import from those of others; the same for the same source."""
    told = [num_rows, *((column.name, column.htype, sorted(map(str, column.options.items()))) for column in columns)]
    return int.from_bytes(hashlib.sha256(repr(told).encode()).digest()[:8], "little")
