"""What the training loop reports of batches, written with the run at the end of each epoch."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError, PenstockError
from penstock.loader.batching._batch import Draw
from penstock.loader.sources._planned import Armed, PlannedStream
from penstock.signals import Runs, RunWriter
from penstock.storage import renewed_lock
from penstock.table import Table, noted_state

__all__ = ["Recording"]


class Recording:
    """The run of a loader: begun with the first number that is reported, or with the first epoch where it has a name.

    Parameters
    ----------
    table : Table
        The dataset's version.
    name : str, optional
        Of the run.
    share : callable
        Returns rank and world size.
    planned : callable
        Returns what is drawn by now; its schedule is kept with the run.
    """

    def __init__(
        self,
        table: Table,
        name: str | None,
        share: Callable[[], tuple[int, int]],
        planned: Callable[[], PlannedStream],
    ) -> None:
        self._table = table
        self._name = name
        self._is_named = name is not None
        self._share = share
        self._planned = planned
        self._resumed = False
        self._has_begun = False
        self._open: _OpenRun | None = None
        self._lock = renewed_lock(threading.RLock())
        self._latest: dict[str, Any] = {}

    def latest(self) -> tuple[str, float] | None:
        """Return the mean of what was reported last, of the loss if there is one, with its name; None before."""
        values = self._latest
        name = "loss" if "loss" in values else next(iter(values), None)
        if name is None:
            return None
        found = values[name]
        plain = found.cpu() if hasattr(found, "cpu") else found  # waits, in the thread of whoever asks
        mean = float(np.mean(np.asarray(plain, np.float64)))
        return (name, mean) if np.isfinite(mean) else None

    @property
    def name(self) -> str | None:
        """The run; None before it has begun where it was not given a name."""
        return self._name

    def resume(self, name: object) -> None:
        """Go on with the run that a state names, or with that of the loader."""
        with self._lock:
            self.close()
            if not self._is_named and isinstance(name, str):
                self._name = name
            self._resumed = self._name is not None

    def begin_at(self, epoch: int, place: int) -> None:
        """Go on with the run of this name if the first batch is not the first of the stream: trainers skip to it."""
        if not self._has_begun:
            self._has_begun = True
            self._resumed = self._resumed or (self._is_named and (epoch > 0 or place > 0))

    def record(
        self,
        batch: Any,
        values: Mapping[str, Any],
        find: Callable[[NDArray[np.int64]], Draw | None],
        reached: Callable[[], int],
    ) -> None:
        """Keep one number of each signal for each sample of a batch.

        Parameters
        ----------
        batch : mapping or array_like of int
            What the loader gave, or rows.
        values : mapping of str to array_like
            Of each signal.
        find : callable
            Returns the latest of the batches delivered last that has some rows.
        reached : callable
            Returns the stream position that was delivered last, for rows that are none of these batches.
        """
        rows = _rows_of(batch)
        run = self._begun()
        near = isinstance(rows, np.ndarray) and rows.ndim == 1 and rows.dtype == np.int64 and len(rows) > 0
        draw = find(rows) if near else None
        if draw is None:
            run.writer.record(rows, np.full(len(rows), reached()), values)
            self._note(values)
            return
        positions = draw.start + draw.positions
        if draw.valid is not None and not draw.valid.all():  # what only fills a batch is at its end
            count = int(draw.valid.sum())
            rows, positions = rows[:count], positions[:count]
            values = {name: _first(value, count, len(draw)) for name, value in values.items()}
        run.writer.record(rows, positions, values)
        self._note(values)

    def _note(self, values: Mapping[str, Any]) -> None:
        """Keep the values of one batch for whoever shows the latest, without the graph they were computed by."""
        self._latest = {name: one.detach() if hasattr(one, "detach") else one for name, one in values.items()}

    def _begun(self) -> _OpenRun:
        run = self._open
        if run is not None and run.is_mine:
            return run
        with self._lock:
            if self._open is None or not self._open.is_mine:
                self._open = self._begin()
            return self._open

    def _begin(self) -> _OpenRun:
        location = self._table.location
        if location is None:
            raise LoaderError(
                "numbers are kept beside a dataset, and this loader reads samples that are stored in none",
                hint="store them: penstock.empty(path)",
            )
        rank, world = self._share()
        table = self._table
        writer = Runs(location).start(
            self._name,
            lambda: table.uids(np.arange(table.num_rows)),
            noted_state(table),
            rank=rank,
            world=world,
            resumed=self._resumed,
        )
        self._name, self._resumed = writer.name, True
        run = _OpenRun(writer, self._planned)
        run.finalizer = weakref.finalize(self, run.close)
        return run

    def numbers(self, signal: str, kind: Any = "last") -> NDArray[np.float64]:
        """Return a number of a signal for each row of the dataset, NaN where it was never recorded."""
        with self._lock:
            return self._begun().numbers(signal, kind)

    def keep_weights(self, planned: PlannedStream) -> None:
        """Keep the arrays of weights by which something will be drawn; at once, as they are needed to go on."""
        arrays = any(armed.plan is not None and armed.plan.strata.row_weights is not None for armed in planned.armed)
        if not arrays or self._table.location is None:
            return
        with self._lock:  # weights come from any thread, also while an epoch is written
            if self._is_named or self._open is not None:
                self._begun().keep_now(planned)

    def end_epoch(self, epoch: int, *, finished: bool) -> None:
        """Write what was recorded in an epoch."""
        with self._lock:
            if self._open is None and not (self._is_named and self._table.location is not None):
                return
            self._begun().write(epoch, finished=finished)

    def close(self) -> None:
        """Write what is left."""
        with self._lock:
            run, self._open = self._open, None
        if run is not None:
            run.finalizer()


class _OpenRun:
    """A run that is being written; it does not know whose it is, so that it can be closed when that is gone."""

    finalizer: weakref.finalize[..., Recording]

    def __init__(self, writer: RunWriter, planned: Callable[[], PlannedStream]) -> None:
        self.writer = writer
        self._planned = planned
        self._process = os.getpid()
        self._kept: set[Armed] = set()
        self._is_written = False

    @property
    def is_mine(self) -> bool:
        """Whether this process began it; a forked child has a run of its own."""
        return self._process == os.getpid()

    def write(self, epoch: int, *, finished: bool) -> None:
        self._safely(lambda: self.writer.write(epoch, finished=finished))

    def close(self) -> None:
        if self.is_mine:
            self._safely(self.writer.close)

    def keep(self, planned: PlannedStream, *, at_once: bool = False) -> bool:
        """Keep arrays of weights that are not kept yet; tell whether there were any."""
        arrays = 0
        for armed in planned.armed:
            if armed in self._kept:
                continue
            if armed.entry.weights_sha256 is not None and armed.plan is not None:
                strata = armed.plan.strata
                assert strata.row_weights is not None  # it has a SHA-256
                self.writer.keep_weights(strata.row_weights[strata.ids], at_once=at_once)
                arrays += 1
            self._kept.add(armed)
        return arrays > 0

    def keep_now(self, planned: PlannedStream) -> None:
        """Keep them at once: a state that is saved before the epoch ends needs them, and the run they are found by."""
        if self.keep(planned, at_once=self._is_written) and not self._is_written:
            self._safely(lambda: self.writer.write(finished=False))

    def numbers(self, signal: str, kind: Any) -> NDArray[np.float64]:
        return self.writer.numbers(signal, kind)

    def _safely(self, write: Callable[[], None]) -> None:
        """Write; training goes on where the store cannot be reached, and what was not written waits for the next time.

        Its own errors are told as a warning: the loop that trains has nothing to do with them.
        """
        planned = self._planned()
        try:
            self.keep(planned)
            if planned.schedule is not None:
                self.writer.write_schedule(planned.schedule.to_json())
            write()
            self._is_written = True
        except PenstockError as error:
            warnings.warn(f"run {self.writer.name!r} could not be written: {error}", stacklevel=2)


def _rows_of(batch: Any) -> Any:
    if isinstance(batch, dict | Mapping):  # a dict is known for a mapping by this order at once
        if "index" not in batch:
            raise LoaderError(
                f"the batch has no 'index'; it has {', '.join(map(repr, batch)) or 'nothing'}. Expected the rows of "
                "its samples",
                hint="return_index=True, or pass the rows instead of the batch",
            )
        batch = batch["index"]
    if isinstance(batch, np.ndarray) and batch.ndim:
        return batch
    if hasattr(batch, "detach"):
        rows = batch.detach().numpy() if batch.device.type == "cpu" else batch
    else:
        rows = _read_rows(batch)
    if not len(rows.shape):
        raise LoaderError(
            f"the batch is a {type(batch).__name__}. Expected what the loader gave, or the rows of its samples",
            hint="loader.record([3], loss=[0.5]) is of one sample",
        )
    return rows


def _read_rows(batch: Any) -> Any:
    try:
        return np.asarray(batch)
    except Exception as error:
        raise LoaderError(
            f"the batch, a {type(batch).__name__}, cannot be read as rows: {error}",
            hint="pass a batch as the loader gave it, with its 'index'",
        ) from error


def _first(values: Any, count: int, whole: int) -> Any:
    """Return the values of the first samples, where there is one for each."""
    values = values if hasattr(values, "__getitem__") else np.asarray(values)
    return values[:count] if len(values) == whole else values
