"""A loader that a training loop draws from: the sliders reach it, and it tells how far it is."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import weakref
from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np

from penstock.errors import PenstockError, SamplingError
from penstock.loader.sources._planned import PlannedStream
from penstock.sampling import IndexStream, SamplingSchedule
from penstock.widgets.live._drawn import DrawnSoFar, Progress
from penstock.widgets.live._promise import promised_coverage
from penstock.widgets.live._ticker import start_ticker
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.queries._source import same_state
from penstock.widgets.session._session import Session
from penstock.widgets.session._session_state import What

__all__ = ["RunningLoop", "attach"]

_MAX_ENTRIES = 200
_MAX_EPOCHS = 100
_WAITS_AFTER_S = 3.0
_READ_AGAIN_S = 3.0  # short epochs end many times a second, and what is shown of them is read from files
_AHEAD = (1, 2, 3, 5, 8, 12, 20)  # epochs of the promise
_numbers = itertools.count(1)
_log = logging.getLogger("penstock.widgets")

DETACHED = "the sliders are detached: training goes on with the weights it has"
OTHER_SAMPLES = "the query now has other samples than the loader draws from; x.loader(live=True) makes another loader"
NO_WEIGHTS = "the query has no weights now; training goes on with those it had"


class RunningLoop:
    """A loader, the weights it was given, and what it has drawn.

    Parameters
    ----------
    session : Session
        Whose sliders reach it.
    loader : Loader
        Made by the session; held weakly, so that it ends with the training loop.
    batch_size : int
        Samples in a batch.
    drop_last : bool
        Whether an epoch leaves out a last batch that is not full.
    """

    def __init__(self, session: Session, loader: Any, *, batch_size: int, drop_last: bool) -> None:
        self.number = next(_numbers)
        self._loader = weakref.ref(loader)
        self._session = weakref.ref(session)
        self._run = session.run
        self._given = session.run.spec
        self._given_at = {0: session.run.spec}  # arrays that weights of signals are evaluated to have no clauses
        self._batch_size, self._drop_last = batch_size, drop_last
        self._labels: dict[str, tuple[str, int | None]] = {}
        self._learn_labels(session.run)
        self._why: str | None = None
        self._wanted = True
        self._drawn = None if session.run.strata is None else DrawnSoFar(session.run.strata)
        self._moved = (-1, time.monotonic())
        self._last = (Progress(epoch=0, start=0, consumed=0, length=1, continuing=True), 1)
        self._planned = _planned(loader)
        self._reported: dict[str, Any] | None = None
        self._ended = False
        self._told: dict[str, Any] | None = None
        self._looking = threading.Lock()
        self._unread = False
        self._read_at = float("-inf")
        self._ticker = start_ticker(_looker(weakref.ref(self)))

    # ---- steering -----------------------------------------------------------------------

    @property
    def schedule(self) -> SamplingSchedule | None:
        """The weights by the position that each hold from; those that wait for an epoch included."""
        loader = self._loader()
        if loader is None:
            return self._planned.schedule
        try:
            found: SamplingSchedule | None = loader.schedule
        except PenstockError:  # somebody gave it weights that no schedule says
            return None
        return found

    @property
    def recorded(self) -> tuple[QueryRun, SamplingSchedule] | None:
        """What the loader was made from, and its weights by position; None where they did not change."""
        schedule = self.schedule
        return None if schedule is None or len(schedule.entries) < 2 else (self._run, schedule)

    def session_changed(self, what: What) -> None:
        """Give the loader the weights of now."""
        if what in {"weights", "query"}:
            self._steer()
            self.look()

    def follow(self, *, on: bool) -> None:
        """Let weights that are set reach the loader, or not."""
        self._wanted = on
        self._why = None if on else DETACHED
        if on:
            self._steer()
        self.look()

    def _steer(self) -> None:
        session, loader = self._session(), self._loader()
        if session is None or loader is None or not self._wanted:
            return
        run = session.run
        try:
            self._why = self._given_to(loader, run)
        except PenstockError as error:
            self._why = f"the loader keeps its weights: {error.message}"
        self._planned = _planned(loader)

    def _given_to(self, loader: Any, run: QueryRun) -> str | None:
        """Give the loader the weights of a run; return why they are not."""
        if not run.has_sampling:
            return NO_WEIGHTS
        if not _same_samples(run, self._run):
            return OTHER_SAMPLES
        spec = run.spec.with_options(seed=self._run.spec.seed, mode=self._run.spec.mode, size=self._run.spec.size)
        if spec != self._given:
            same = same_state(run.table, self._run.table) and run.strata is not None
            weights: Any = run.plan if same else spec.with_options(size=None, mode="iid").to_tql()
            loader.with_weights(weights, when=self.when)
            self._learn_labels(run)
            self._given = spec
            if self.when == "next_batch":
                self._given_at[_planned(loader).armed[-1].start] = spec
        if run.spec.mode != spec.mode:
            return f"the loader draws in mode {spec.mode!r} to its end; weights reach it, another mode does not"
        return None

    @property
    def when(self) -> Literal["next_batch", "next_epoch"]:
        """When weights that are set take effect."""
        return "next_epoch" if self._run.spec.mode == "once" else "next_batch"

    def _learn_labels(self, run: QueryRun) -> None:
        for clause in run.clauses if run.has_sampling else ():
            index = clause.class_index if clause.tensor == run.labels else None
            self._labels[clause.expression] = clause.label, index

    def end(self) -> None:
        """Look no more; the schedule stays."""
        self._ended = True
        self._ticker.set()

    # ---- what is told -------------------------------------------------------------------

    def look(self) -> bool:
        """Tell the session's widgets what has changed since the last look; return whether to look again."""
        session = self._session()
        if session is None or session.live is not self:
            return False
        with self._looking:
            loader = self._loader()
            if loader is None:
                self._ended = True
            else:
                self._read(loader)
            told = self._told_now()
            is_news, before, self._told = told != self._told, self._told, told
        if is_news:
            session.tell_live()
            self._unread |= before is not None and _ends(before) != _ends(told)
        if self._unread and (self._is_at_rest(told) or time.monotonic() > self._read_at + _READ_AGAIN_S):
            self._unread, self._read_at = False, time.monotonic()
            session.look_soon()  # what was reported in an epoch is written when it ends
        return not self._ended

    @staticmethod
    def _is_at_rest(told: Mapping[str, Any]) -> bool:
        return told["state"] in {"waiting", "ended"}

    def _read(self, loader: Any) -> None:
        planned = _planned(loader)
        place = loader.state_dict()
        spec = planned.armed[0].spec if planned.armed else self._run.spec
        progress = Progress(
            epoch=place["epoch"],
            start=place["start"] if spec.mode != "once" else place["epoch"] * planned.stream.size,
            consumed=place["consumed"],
            length=self._length(loader, planned.stream.size),
            continuing=spec.mode != "once",
        )
        self._planned, self._last = planned, (progress, len(loader))
        if progress.position != self._moved[0]:
            self._moved = progress.position, time.monotonic()
        if self._drawn is not None:
            self._drawn.follow(cast(IndexStream, planned.stream), progress)
        self._reported = _reported(loader)

    def _length(self, loader: Any, size: int) -> int:
        return len(loader) * self._batch_size if self._drop_last else size

    @property
    def told(self) -> dict[str, Any]:
        """The `LiveState` of the contract, as of the last look."""
        if self._told is None:
            self.look()
        return self._told or self._told_now()

    def _told_now(self) -> dict[str, Any]:
        progress, num_batches = self._last
        entries, clauses = self._entries()
        return {
            "loader": self.number,
            "state": self._state(progress),
            "follows": self._why is None and not self._ended,
            "why": self._why,
            "when": self.when,
            **self._shown_place(progress, num_batches),
            "num_batches": num_batches,
            "position": progress.position,
            "draws": progress.length,
            "reported": self._reported,
            "clauses": clauses,
            "entries": entries[-_MAX_ENTRIES:],
            "num_entries": len(entries),
            **self._seen(progress),
        }

    def _shown_place(self, progress: Progress, num_batches: int) -> dict[str, int]:
        """Return epoch and batch: the end of an epoch, until the next has begun."""
        if progress.consumed == 0 and progress.epoch > 0:
            return {"epoch": progress.epoch - 1, "batch": num_batches}
        return {"epoch": progress.epoch, "batch": min(num_batches, -(-progress.consumed // self._batch_size))}

    def _state(self, progress: Progress) -> str:
        if self._ended:
            return "ended"
        if progress.position == 0:
            return "ready"
        return "training" if time.monotonic() - self._moved[1] < _WAITS_AFTER_S else "waiting"

    def _entries(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        specs = [
            (one.start, one.spec if one.spec.clauses else self._given_at.get(one.start, one.spec))
            for one in self._planned.armed
        ]
        names = list(dict.fromkeys(clause.expression for _, spec in specs for clause in spec.clauses))
        weights = [{clause.expression: clause.weight for clause in spec.clauses} for _, spec in specs]
        entries = [
            {"start": start, "weights": [given.get(name) for name in names]}
            for (start, _), given in zip(specs, weights, strict=True)
        ]
        told = (self._labels.get(name, (name, None)) for name in names)
        return entries, [{"label": label, "class_index": index} for label, index in told]

    def _seen(self, progress: Progress) -> dict[str, Any]:
        drawn = self._drawn
        if drawn is None:
            return {"drawn": None, "seen": [], "num_seen": None, "promise": None}
        counts = drawn.counts
        return {
            "drawn": None if counts is None else counts.tolist(),
            "seen": drawn.after_epochs[-_MAX_EPOCHS:],
            "num_seen": drawn.num_seen,
            "promise": None if self._ended else self._promise(drawn, progress),
        }

    def _promise(self, drawn: DrawnSoFar, progress: Progress) -> dict[str, Any] | None:
        armed = self._planned.armed
        plan = armed[-1].plan if armed else None
        if plan is None:
            return None
        left = progress.length - progress.consumed
        draws = np.array([left + progress.length * (epochs - 1) for epochs in _AHEAD], np.int64)
        found = promised_coverage(plan, drawn.unseen(plan.strata), draws)
        return None if found is None else {"epochs": [progress.epoch + epochs for epochs in _AHEAD], **found}


def attach(session: Session, loader: Any, *, batch_size: int, drop_last: bool) -> RunningLoop:
    """Let the session's sliders reach a loader, in place of one that they reached before.

    Raises
    ------
    SamplingError
        If the query has no weights.
    """
    if not session.run.has_sampling:
        raise SamplingError(
            "a live loader draws by weight, and the query has no SAMPLE BY",
            hint="add weights first, such as: x.query = 'select * sample by max_weight(True: 1)'",
        )
    if session.live is not None:
        session.unwatch(session.live)
        session.live.end()
    loop = RunningLoop(session, loader, batch_size=batch_size, drop_last=drop_last)
    session.live = loop
    session.watch(loop)
    loop.look()
    return loop


def _ends(told: dict[str, Any]) -> tuple[bool, int]:
    """Return what differs once an epoch has ended."""
    return told["state"] in {"waiting", "ended"}, told["epoch"] + (told["batch"] == told["num_batches"])


def _planned(loader: Any) -> PlannedStream:
    planned: PlannedStream = loader._parts.cursor.planned  # noqa: SLF001  the loader's own stream, whatever its schedule
    return planned


def _reported(loader: Any) -> dict[str, Any] | None:
    """Return the latest mean of what the loop records; None where it records nothing."""
    found = loader._parts.recording.latest()  # noqa: SLF001  the loader's own account
    return None if found is None else {"name": found[0], "value": float(f"{found[1]:.6g}")}


def _same_samples(one: QueryRun, other: QueryRun) -> bool:
    if one.pool is other.pool:
        return True
    if len(one.pool) != len(other.pool) or one.strata is None:
        return False
    return np.array_equal(one.table.uids(one.pool), other.table.uids(other.pool))


def _looker(loop: weakref.ref[RunningLoop]) -> Any:
    def look() -> bool:
        found = loop()
        if found is None:
            return False
        try:
            return found.look()
        except Exception:  # noqa: BLE001  what cannot be told keeps no loop from training
            _log.exception("the state of training could not be read")
            return True

    return look
