"""The files of a run, to read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import numpy as np

from penstock._wording import nearest
from penstock.errors import RunNotFoundError, SignalError, StorageError
from penstock.signals._aligned import Kind, Numbers, check_kind
from penstock.signals._parts import PartName, fold_parts, parts_of
from penstock.signals._record import RunRecord
from penstock.signals._run_state import RunState, names_in_part
from penstock.storage import Location, RunFolder, run_names

__all__ = ["StoredRun", "no_such_signal", "stored_state"]

_T = TypeVar("_T")
_TRIES = 5  # a training loop may write an epoch while it is read


class StoredRun:
    """The files of a run, to read.

    Parameters
    ----------
    location : Location
        The dataset.
    name : str
        The run.
    """

    def __init__(self, location: Location, name: str) -> None:
        self._location = location
        self._folder = RunFolder(location, name)

    @property
    def name(self) -> str:
        """The run."""
        return self._folder.name

    @property
    def record(self) -> RunRecord:
        """What the run says of itself now.

        Raises
        ------
        RunNotFoundError
            If it was deleted.
        """
        found = RunRecord.read(self._folder)
        if found is None:
            raise RunNotFoundError(self.name, run_names(self._location))
        return found

    @property
    def versions(self) -> set[tuple[str | None, int]]:
        """The versions of the dataset that it trained on, each a branch and a number."""
        states = [state for _, state in self.record.versions]
        return {(state["branch"], int(state["version"])) for state in states if "version" in state}

    @property
    def names(self) -> list[str]:
        """Names of its signals, sorted."""
        record = self.record
        parts = parts_of(self._folder, record.started)
        more = {name for part in parts for name in names_in_part(self._folder.columns_in(part.path))}
        return sorted(more | set(record.signals))

    def state(self, names: Collection[str] | None = None) -> RunState:
        """Return the numbers of some signals, all by default, of the samples that were recorded."""
        return self._steadily(lambda record: stored_state(self._folder, record, names))

    def _steadily(self, read: Callable[[RunRecord], _T]) -> _T:
        """Read files that a record names, again where a training loop has written an epoch meanwhile."""
        for _ in range(_TRIES):
            record = self.record
            try:
                return read(record)
            except StorageError:
                if self.record == record:
                    raise
        return read(self.record)

    def numbers(self, name: str, kind: Kind = "last") -> Numbers:
        """Return one number of a signal for each sample that was recorded.

        Parameters
        ----------
        name : str
            The signal.
        kind : {"last", "mean", "count", "position"}
            Which of its numbers.

        Raises
        ------
        SignalError
            If the run has no signal of this name, or nothing of this kind is kept.
        """
        check_kind(kind)
        names = self.names
        if name not in names:
            raise no_such_signal(name, self.name, names)
        return self._steadily(lambda record: self._numbers(record, name, kind))

    def _numbers(self, record: RunRecord, name: str, kind: Kind) -> Numbers:
        if record.file is None or parts_of(self._folder, record.started):
            state = stored_state(self._folder, record, [name])
            signal = state.signals.get(name)
            if signal is None:
                raise no_such_signal(name, self.name, list(state.signals))
            return Numbers(state.uids, getattr(signal, kind), signal.recorded())
        wanted = RunState.stored_columns([name], (kind, "count"))
        columns = self._folder.read_columns(record.file, wanted)
        if len(columns) < len(wanted):  # a new run of this name has other signals
            raise no_such_signal(name, self.name, record.signals)
        return RunState.numbers_of(columns, name, kind)

    def key(self) -> tuple[Any, ...]:
        """Return what changes whenever the numbers do."""
        record = self.record
        parts = tuple(part.path for part in parts_of(self._folder, record.started))
        return (self._location.path, self.name, record.attempt, record.file, parts)

    def read(self, file: str) -> bytes | None:
        """Return a small file of the run; None if there is none."""
        return self._folder.read_bytes(file)

    def delete(self) -> None:
        """Delete the run and its numbers."""
        self._folder.remove()


def stored_state(
    folder: RunFolder, record: RunRecord, names: Collection[str] | None, *, with_parts: bool = True
) -> RunState:
    """Return the numbers of a run.

    Parameters
    ----------
    folder : RunFolder
        Its files.
    record : RunRecord
        What it says of itself.
    names : collection of str, optional
        The signals, all by default.
    with_parts : bool
        Whether epochs that not every rank has finished count.
    """
    columns: Mapping[str, Any] = {}
    if record.file is not None:
        columns = folder.read_columns(record.file, None if names is None else RunState.stored_columns(names))
    stored = RunState.of_columns(columns)
    parts = parts_of(folder, record.started) if with_parts else []
    return _with_parts(folder, stored, parts, names) if parts else stored


def _with_parts(folder: RunFolder, stored: RunState, parts: list[PartName], names: Collection[str] | None) -> RunState:
    uids = [folder.read_columns(part.path, ["uid"])["uid"] for part in parts]
    state = stored.at(np.unique(np.concatenate([stored.uids, *uids])))
    fold_parts(state, folder, parts, names)
    return state


def no_such_signal(name: str, run: str, names: Collection[str]) -> SignalError:
    """Return the error for a signal that a run does not have."""
    like = nearest(name, names)
    known = f"Expected one of: {', '.join(names)}" if names else "It has none"
    return SignalError(
        f"{name!r} is not a signal of run {run!r}. {known}", hint=f"did you mean {like!r}?" if like else None
    )
