"""A run that a training loop writes: what it records, an epoch at a time."""

from __future__ import annotations

import hashlib
import io
import secrets
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from penstock.signals._aligned import Kind, check_kind
from penstock.signals._log import Block
from penstock.signals._parts import PartName, finished_epochs, fold_parts, parts_of
from penstock.signals._record import RunRecord, holder_here, now
from penstock.signals._recorder import Recorder
from penstock.signals._run_state import RunState, columns_of_log
from penstock.signals._stored_run import stored_state
from penstock.storage import Location, RunFolder, check_run_name, run_names

__all__ = ["RunWriter"]

_LONGEST_BASE = 90  # characters of a name that a number can follow
_LEVEL = 3  # of the stack, for a warning in the caller's line


class RunWriter:
    """A run that is being recorded; use `Runs.start`.

    Nothing is on the disk before the first epoch is written. From then on a process that is killed loses the epoch it
    was in, no more.

    Parameters
    ----------
    location : Location
        The dataset.
    name : str
        The run.
    uids : callable
        Returns the identity of every row of the dataset that is trained on.
    version : mapping
        That version of the dataset, as JSON values.
    rank, world : int
        Which of how many processes this is.
    resumed : bool
        Whether it goes on with the run of this name.
    find : callable, optional
        Returns the positions of rows that are recorded without; by default records are counted.
    """

    def __init__(
        self,
        location: Location,
        name: str,
        uids: Callable[[], NDArray[np.int64]],
        version: Mapping[str, Any],
        *,
        rank: int,
        world: int,
        resumed: bool,
        find: Callable[[Any], NDArray[np.int64]] | None = None,
    ) -> None:
        self._location = location
        self._folder = RunFolder(location, name)
        self._version = version
        self._rank, self._world = rank, world
        self._find = find
        self._token = secrets.token_hex(4)
        self._started = now()
        self._record: RunRecord | None = None
        self._uids = uids()
        self._resumed = RunRecord.read(self._folder) if resumed else None
        self._state, self._others = self._begun()
        self._after = self._state.frontiers()
        self._epochs = self._resumed.epochs if self._resumed else 0
        self._log: list[Block] = []
        self._num_files = 0
        self._files: list[str] = []
        self._has_written = False
        self._schedule: str | None = None
        self._small: dict[str, bytes] = {}
        self._kept: set[str] = set()
        first = 1 + max(self._after.values(), default=-1)
        self._recorder = Recorder(len(self._uids), first=first + rank, step=world)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The run."""
        return self._folder.name

    def record(self, rows: Any, positions: Any, values: Mapping[str, Any]) -> None:
        """Keep numbers of samples until the epoch is written; see `Recorder.record`."""
        if positions is None and self._find is not None:
            positions = self._find(rows)
        self._recorder.record(rows, positions, values)

    def write(self, epoch: int | None = None, *, finished: bool = True) -> None:
        """Write what was recorded since the last time: one step, which a kill leaves undone or done.

        Every rank calls this at the end of each epoch, whether it recorded something or not. None waits for another.

        Parameters
        ----------
        epoch : int, optional
            The epoch, by default the one after the last that was finished.
        finished : bool
            Whether the epoch is at its end.

        Raises
        ------
        StorageError
            If the disk is full or the store cannot be reached. Nothing is lost: the next call writes it.
        """
        self._log += self._recorder.collect()
        number = self._epochs if epoch is None else epoch
        if self._world > 1:
            self._write_part(number, finished=finished)
            if self._rank == 0:
                self._fold_finished(number + finished, closed=False)
        else:
            self._fold()
            self._write_state(number + finished, closed=False)
        self._epochs = max(self._epochs, number + finished)

    def close(self) -> None:
        """Write what is left, and note that nobody goes on with the run. A run without numbers leaves nothing."""
        self._log += self._recorder.collect()
        if self._log and self._world > 1:
            self._write_part(self._epochs, finished=False)
        self._fold()
        if self._rank == 0 and (self._has_written or self._state.signals):
            self._fold_finished(self._epochs, closed=True)

    def write_schedule(self, text: str) -> None:
        """Keep the schedule that the run draws by, as JSON text, with the next numbers that are written."""
        self._schedule = f"schedule-{self._token}.json"
        self._small[self._schedule] = text.encode()

    def numbers(self, name: str, kind: Kind = "last") -> NDArray[np.float64]:
        """Return a number of a signal for each row, as recorded so far by all ranks; NaN where it never was.

        Parameters
        ----------
        name : str
            The signal.
        kind : {"last", "mean", "count", "position"}
            Which of its numbers.

        Returns
        -------
        ndarray of float64, shape (num_rows,)
        """
        check_kind(kind)
        if self._world > 1:
            found = stored_state(self._folder, self._read_record(), [name]).at(self._uids).signals.get(name)
        else:
            self._log += self._recorder.collect()
            self._fold()
            found = self._state.signals.get(name)
        if found is None:
            return np.full(len(self._uids), np.nan)
        return np.where(found.recorded(), np.asarray(getattr(found, kind), np.float64), np.nan)

    def _read_record(self) -> RunRecord:
        return RunRecord.read(self._folder) or RunRecord.new(self._token, self._version, self._started)

    def keep_weights(self, weights: NDArray[Any], *, at_once: bool = False) -> str:
        """Keep an array of weights, one for each row of a pool, with the next numbers that are written.

        Parameters
        ----------
        weights : ndarray of float, shape (num_rows,)
            The weights.
        at_once : bool
            Whether they are also written now: a state that is saved before the epoch ends needs them.

        Returns
        -------
        str
            Its SHA-256, by which `Run.weights` returns it.
        """
        values = np.ascontiguousarray(weights, "<f8")
        sha = hashlib.sha256(values.tobytes()).hexdigest()
        stream = io.BytesIO()
        np.save(stream, values, allow_pickle=False)
        name = f"weights/{sha}.npy"
        if name not in self._kept:
            self._small[name] = stream.getvalue()
            if at_once:
                self._folder.write_bytes(name, self._small[name])
        return sha

    # ---- the numbers ---------------------------------------------------------------------------

    def _begun(self) -> tuple[RunState, RunState | None]:
        """Return the signals of a resumed run: of the rows, and of samples that the dataset no longer has."""
        if self._resumed is None:
            return RunState(self._uids), None
        stored = stored_state(self._folder, self._resumed, None, with_parts=self._world == 1)
        others = stored.without(self._uids)
        return stored.at(self._uids), others if len(others.uids) else None

    def _fold(self) -> None:
        if self._world == 1:
            log, self._log = self._log, []
            self._state.fold(log, self._after)

    def _write_state(self, epochs: int, *, closed: bool) -> None:
        """Write the numbers of all samples, then the record that names them."""
        record, replaced = self._own_record()
        self._num_files += 1
        file = f"numbers-{self._token}-{self._num_files}.lance"
        self._files.append(file)
        self._folder.write_columns(file, self._state.columns(self._others))
        self._write_small()
        signals = self._state.signals.keys() | (self._others.signals.keys() if self._others else set())
        self._record = replace(
            record, file=file, epochs=epochs, closed=closed, signals=tuple(sorted(signals)), schedule=self._schedule
        ).write(self._folder)
        self._has_written = True
        before = [] if record.file is None else [record.file]  # which may be being read
        gone = [name for name in self._files if name not in {file, *before}]
        self._files = [*before, file]
        self._folder.delete([*gone, *replaced])

    def _write_small(self) -> None:
        for name, content in self._small.items():
            self._folder.write_bytes(name, content)
        self._kept |= self._small.keys()
        self._small = {}

    # ---- several processes ---------------------------------------------------------------------

    def _write_part(self, epoch: int, *, finished: bool) -> None:
        part = PartName.new(epoch, self._rank, self._world, self._token, is_last=finished)
        self._folder.write_columns(part.path, columns_of_log(self._log, self._uids))
        self._log, self._has_written = [], True

    def _fold_finished(self, epochs: int, *, closed: bool) -> None:
        """Fold the epochs that every rank has finished; the others stay as parts, which reading joins as well."""
        there = self._record or self._resumed
        parts = [] if self._world == 1 else parts_of(self._folder, there.started if there else self._started)
        parts = finished_epochs(parts)
        fold_parts(self._state, self._folder, parts, None)
        self._write_state(epochs, closed=closed)
        self._folder.delete([part.path for part in parts])

    # ---- whose run it is -----------------------------------------------------------------------

    def _own_record(self) -> tuple[RunRecord, list[str]]:
        """Return the record that is to be written, and the files of the run that it takes the place of."""
        there = RunRecord.read(self._folder)
        if self._record is not None:
            if self._world == 1 and there is not None and there.token != self._token:
                self._move("another process began a run of this name")
            return self._record, []
        if self._resumed is not None and there is not None and there.attempt == self._resumed.attempt:
            return self._continued(there), self._unnamed(there)
        if self._world == 1 and there is not None and not there.may_be_replaced():
            self._move("another process records a run of this name")
            there = None
        return RunRecord.new(self._token, self._version, self._started), self._replaced(there)

    def _continued(self, there: RunRecord) -> RunRecord:
        versions = there.versions
        if not versions or dict(versions[-1][1]) != dict(self._version):
            first = 1 + max(self._after.values(), default=-1)
            versions = (*versions, (first, self._version))
        self._schedule = self._schedule or there.schedule
        return replace(there, token=self._token, holder=holder_here(), versions=versions)

    def _unnamed(self, there: RunRecord) -> list[str]:
        """Return the files that a process that was killed left in the run."""
        if not there.may_be_replaced():
            return []
        parts = [part.path for part in parts_of(self._folder, None)] if self._world == 1 else []
        return [*parts, *(name for name in self._numbers() if name != there.file)]

    def _replaced(self, there: RunRecord | None) -> list[str]:
        """Return the files of the run that was here."""
        if there is None:
            return []
        mine = {part.path for part in parts_of(self._folder, self._started)}
        parts = [part.path for part in parts_of(self._folder, None) if part.path not in mine]
        schedules = [name for name in self._folder.names() if name.startswith("schedule-")]
        small = {*self._folder.names("weights"), *schedules} - self._small.keys() - self._kept
        return [*self._numbers(), *parts, *small]

    def _numbers(self) -> list[str]:
        return [name for name in self._folder.names() if name.startswith("numbers-") and self._token not in name]

    def _move(self, why: str) -> None:
        """Go on under another name, with the small files that were written under the old one."""
        known, before = set(run_names(self._location)), self._folder
        short = before.name[:_LONGEST_BASE].rstrip(" .")
        name = next(f"{short}-{n}" for n in range(2, len(known) + 3) if f"{short}-{n}" not in known)
        check_run_name(name)
        warnings.warn(f"run {before.name!r} goes on as {name!r}: {why}", UserWarning, stacklevel=_LEVEL)
        self._folder, self._files = RunFolder(self._location, name), []
        for kept in self._kept:
            content = before.read_bytes(kept)
            if content is not None:
                self._folder.write_bytes(kept, content)


def new_run_name(name: str | None, known: Collection[str]) -> str:
    """Return the name of a new run: the one that was given, or the present time.

    Raises
    ------
    DatasetError
        If the name is not valid.
    """
    if name is not None:
        check_run_name(name, known)
        return name
    stamp = now()[:19].replace("T", " ").replace(":", "-")
    return next(one for one in (stamp, *(f"{stamp}-{n}" for n in range(2, len(known) + 3))) if one not in known)
