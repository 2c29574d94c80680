"""What a session shows, and who hears when it changes."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples import content_of
from penstock.sampling import SamplingSchedule, SamplingSpec
from penstock.table import OverlayTable
from penstock.tensors import label_tensor
from penstock.widgets.editing._edits import EditStack, edit_stack, rows_of
from penstock.widgets.grid._image_checks import ImageChecks
from penstock.widgets.grid._order import SIGNAL, present_order
from penstock.widgets.queries._applied_presets import AppliedPresets
from penstock.widgets.queries._class_tables import ClassTable, ClassTables
from penstock.widgets.queries._query_run import Mode, QueryRun
from penstock.widgets.queries._signals import signals_now
from penstock.widgets.queries._source import Source
from penstock.widgets.session._display import Display
from penstock.widgets.session._follow import Behind
from penstock.widgets.session._options import Unit, checked_seed, checked_unit

if TYPE_CHECKING:
    from penstock.dataset import Dataset, View

__all__ = ["Explorable", "SessionState", "Watcher", "What", "exported_run"]

What = Literal["query", "weights", "dataset", "selection", "grid", "unit", "note", "live"]
_MAX_HISTORY = 50
_log = logging.getLogger("penstock.widgets")


class Watcher(Protocol):
    """What wants to hear of changes."""

    def session_changed(self, what: What) -> None:
        """Hear that `what` changed."""
        ...


class Live(Watcher, Protocol):
    """Training that draws from a loader of a session."""

    @property
    def recorded(self) -> tuple[QueryRun, SamplingSchedule] | None:
        """What the loader was made from, and its weights by position; None where they did not change."""
        ...

    @property
    def told(self) -> dict[str, Any]:
        """The `LiveState` of the contract, as of the last look."""
        ...

    def follow(self, *, on: bool) -> None:
        """Let weights that are set reach the loader, or not."""
        ...

    def end(self) -> None:
        """Look no more."""
        ...


@runtime_checkable
class Explorable(Protocol):
    """Samples that can be made a dataset, such as arrays of `penstock.batchup`."""

    def __explored__(self) -> tuple[Dataset | View, dict[str, Any]]:
        """Return the dataset, and options that show it as its samples are drawn."""
        ...


class SessionState:
    """Query, weights, selection and edits as they are shown; `Session` changes them.

    Parameters
    ----------
    source : Dataset or View
        What is explored.
    seed, mode, size, unit, labels
        As of `Session`.

    Attributes
    ----------
    lock : RLock
        Held while query, weights or selection change.
    order : Executor
        Runs what the session has to do by itself, one thing after the other.
    note : str
        What a user should know of the last change; empty where there is nothing.
    history : list of str
        Queries that ran, the newest first.
    image_checks : ImageChecks
        Which images of the pool cannot be read, as far as they have been.
    weight_steps : str
        What the browser can undo and redo of weights, as it wrote it; empty where nothing is known.
    presets : AppliedPresets
        Which preset the weights come from.
    live : Live, optional
        The training that draws from a loader of the session.
    """

    _display: Display

    def __init__(
        self,
        source: Dataset | View,
        *,
        seed: int | None,
        mode: Mode,
        size: int | None,
        unit: Unit,
        labels: str | None,
    ) -> None:
        seed = checked_seed(seed)
        SamplingSpec(seed=seed, mode=mode, size=size)  # refuses what no sampling could use
        self.source = Source(source)
        self.lock = threading.RLock()
        self.history: list[str] = []
        self.note = ""
        self.weight_steps = ""
        self.image_checks = ImageChecks()
        self.presets = AppliedPresets()
        self.live: Live | None = None
        self._watchers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._wanted_labels = label_tensor(content_of(self.dataset).table.tensors, labels)
        self._unit = checked_unit(unit)
        self._seed, self._mode, self._size = seed, mode, size
        self._holds = False
        self._tables = ClassTables()

    @property
    def dataset(self) -> Dataset:
        """The dataset that is edited."""
        return self.source.dataset

    @property
    def edits(self) -> EditStack:
        """What was edited and can be taken back, shared by all sessions of the dataset."""
        return edit_stack(self.dataset)

    @property
    def name(self) -> str:
        """Name of the dataset: the last part of its path, without its ending."""
        last = str(self.dataset.path).rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
        return last.removesuffix(".penstock")

    @property
    def run(self) -> QueryRun:
        """The last query that ran, an immutable snapshot."""
        return self._display.run

    @property
    def display(self) -> Display:
        """All that is displayed, an immutable value; taken without a lock, so pages are read while a query runs."""
        return self._display

    @property
    def query(self) -> str:
        """Text of the query, with the weights of now."""
        return self.run.text

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight of each clause, float64 of shape (num_clauses,); empty without SAMPLE BY."""
        return np.array(self.run.spec.weights if self.run.has_sampling else (), np.float64)

    @property
    def mode(self) -> Mode:
        """How a query with SAMPLE BY draws."""
        return self.run.spec.mode if self.run.has_sampling else self._mode

    @property
    def seed(self) -> int:
        """Seed of draws and shuffles."""
        return self._seed

    @property
    def size(self) -> int | None:
        """Draws per epoch, where they do not come from the query."""
        return self._size

    @property
    def unit(self) -> Unit:
        """What bars count: ``instances`` or ``samples``."""
        return self._unit

    def set_unit(self, unit: Unit) -> None:
        """Count instances or samples."""
        with self.lock:
            self._unit = checked_unit(unit)
            self._tell("unit")

    @property
    def labels(self) -> str | None:
        """The class label tensor that charts count; None where the dataset has none."""
        return self.run.labels

    @property
    def table(self) -> OverlayTable:
        """The state of the dataset that is shown, edits included; everything on show is read from it."""
        return self.run.table

    @property
    def behind(self) -> Behind | None:
        """How what is shown differs from the dataset as it is now, as far as that is known; None where it does not."""
        return self._display.behind

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of its classes, by index."""
        return self.run.class_names

    @property
    def spec(self) -> SamplingSpec | None:
        """The sampling as it is now; None without SAMPLE BY."""
        return self.run.spec if self.run.has_sampling else None

    def row_of(self, uid: int) -> int:
        """Return the row that has a uid.

        Raises
        ------
        SampleIndexError
            If no sample has it.
        """
        return int(rows_of(self.table, np.array([uid], np.int64))[0])

    def add_table(self, stem: str, new: ClassTable) -> str:
        """Keep a table of class weights for queries to name; return its name."""
        with self.lock:
            name, self._tables = self._tables.added(stem, new)
            return name

    @property
    def tables(self) -> Mapping[str, Mapping[str, float]]:
        """Weights by class name of each ``$name`` that a query can have, of the data on show."""
        return self._tables.fitting(self.table)

    # ---- edits ---------------------------------------------------------------------

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep what the grid shows in its place through an edit, also what then matches no longer.

        It is arranged anew with the next filter, order or query.
        """
        self._holds = True
        try:
            yield
        finally:
            self._holds = False

    # ---- who listens --------------------------------------------------------------

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every change, as long as it lives."""
        self._watchers.add(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Tell `watcher` no more."""
        self._watchers.discard(watcher)

    def tell_live(self) -> None:
        """Tell watchers that training has gone on, or was steered."""
        self._tell("live")

    def refresh_signals(self) -> None:
        """Show what training has reported since; what is sorted by it stays in place until the grid is updated."""
        with self.lock:
            display = self._display
            before, now = display.run.signals, signals_now(self.table, display.run.signals)
            if now is before:
                return
            display = replace(display, run=replace(display.run, signals=now), revision=display.revision + 1)
            order = present_order(display.order, display.run)
            if order != display.order:
                display = display.with_order(order)
            elif order.by.startswith(SIGNAL):
                display = replace(display, stale=True)
            self._publish(display, "dataset")
            self._tell("grid")

    def _publish(self, display: Display, what: What) -> None:
        self._display = display
        self._tell(what)

    def _tell(self, what: What) -> None:
        for watcher in list(self._watchers):
            try:
                watcher.session_changed(what)
            except Exception:  # noqa: BLE001  a widget that cannot be reached keeps nobody else from going on
                _log.exception("a change could not be reported to a widget")

    def _remember(self, text: str) -> None:
        self.history = [text, *(past for past in self.history if past != text)][:_MAX_HISTORY]


def exported_run(session: SessionState, *, schedule: bool) -> tuple[QueryRun, SamplingSchedule | None]:
    """Return what code is made from: the query of now, or that of a live loader with the weights of its run."""
    live = session.live if schedule else None
    return (live.recorded if live is not None else None) or (session.run, None)
