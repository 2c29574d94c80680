"""One exploration of a dataset: query, weights, selection, edits. Widgets made from one session are linked."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SampleIndexError, SamplingError, TQLError
from penstock.sampling import SamplingPlan, SamplingSpec
from penstock.widgets._edits import EditStack, RowFinder, edit_stack
from penstock.widgets._export import view_of
from penstock.widgets._grid_order import GridOrder
from penstock.widgets._options import Unit, checked_labels, checked_seed, checked_unit
from penstock.widgets._query_run import Mode, QueryRun, as_written, execute, reweighted, same_but_weights
from penstock.widgets._sample import sample_labels
from penstock.widgets._source import Source

if TYPE_CHECKING:
    from penstock.dataset import Dataset, View

__all__ = ["Session", "Watcher", "What"]

What = Literal["query", "weights", "dataset", "selection", "filter", "unit"]
_MAX_HISTORY = 50
_NO_ROWS = np.empty(0, np.int64)


class Watcher(Protocol):
    """What wants to hear of changes."""

    def session_changed(self, what: What, origin: str | None) -> None:
        """Hear that `what` changed; `origin` is the browser view that asked for it."""
        ...


class Session:
    """Query, weights, selection and edits of one exploration, shared by its widgets.

    Parameters
    ----------
    source : Dataset or View
        What is explored.
    query : str
        The first query.
    seed : int, optional
        Seed of draws and shuffles, at most 2**53 - 1; None takes a fresh one and keeps it in `seed`.
    mode : {"iid", "deck", "once"}
        How a query with SAMPLE BY draws.
    size : int, optional
        Draws per epoch; None means what the query says.
    unit : {"instances", "samples"}
        What bars count.
    labels : str, optional
        The class label tensor that charts count; the first one by default.

    Raises
    ------
    TQLError
        If the query is wrong.
    TensorNotFoundError
        If `labels` is no class label of the dataset.

    Examples
    --------
    >>> import penstock
    >>> session = Session(penstock.demo(), query="select * limit 20")
    >>> len(session.view)
    20
    """

    def __init__(
        self,
        source: Dataset | View,
        *,
        query: str = "select *",
        seed: int | None = 0,
        mode: Mode = "iid",
        size: int | None = None,
        unit: Unit = "instances",
        labels: str | None = None,
    ) -> None:
        seed = checked_seed(seed)
        SamplingSpec(seed=seed, mode=mode, size=size)  # refuses what no sampling could use
        self.source = Source(source)
        self.lock = threading.RLock()
        self.order = ThreadPoolExecutor(1, thread_name_prefix="penstock-session")
        self.history: list[str] = []
        self._refresh_waits = threading.Event()
        self._watchers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._labels = checked_labels(labels, self.dataset.table.tensors)
        self._unit = checked_unit(unit)
        self._seed, self._mode, self._size = seed, mode, size
        self._grid = GridOrder()
        self._selected_uids = _NO_ROWS
        self._token: str | None = None
        self._revision = 0
        self._rows = RowFinder()
        self._run = self._execute(query)
        self._remember(query)
        self.edits.sessions.add(self)

    # ---- what there is ------------------------------------------------------

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
        return self._run

    @property
    def revision(self) -> int:
        """A number that grows with every change of query, weights or data."""
        return self._revision

    @property
    def query(self) -> str:
        """Text of the query, with the weights of now."""
        return self._run.text

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight of each clause, float64 of shape (num_clauses,); empty without SAMPLE BY."""
        return np.array(self._run.spec.weights if self._run.has_sampling else (), np.float64)

    @property
    def mode(self) -> Mode:
        """How a query with SAMPLE BY draws."""
        return self._run.spec.mode if self._run.has_sampling else self._mode

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

    @property
    def labels(self) -> str | None:
        """The class label tensor that charts count; None where the dataset has none."""
        return self._labels

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of its classes, by index."""
        return self._run.class_names

    @property
    def spec(self) -> SamplingSpec | None:
        """The sampling as it is now; None without SAMPLE BY."""
        return self._run.spec if self._run.has_sampling else None

    @property
    def plan(self) -> SamplingPlan | None:
        """How often which sample is drawn; None when the query gives no samples."""
        return self._run.plan

    @property
    def view(self) -> View:
        """What the query returns, with the weights of now: its epoch 0 if it has SAMPLE BY."""
        with self.lock:
            return view_of(self.source, self._run, self._seed)

    @property
    def selected(self) -> NDArray[np.int64]:
        """Selected samples as rows of the dataset, int64 of shape (num_selected,)."""
        return self.edits.rows.rows(self.dataset.table, self._selected_uids)

    @property
    def selected_uids(self) -> NDArray[np.int64]:
        """Lasting identity of the selected samples, int64 of shape (num_selected,)."""
        return self._selected_uids

    @property
    def selection_token(self) -> str:
        """A short text that differs when another set is selected."""
        if self._token is None:
            self._token = hashlib.sha256(self._selected_uids.tobytes()).hexdigest()[:12]
        return self._token

    # ---- query and weights ----------------------------------------------------

    def run_query(
        self,
        text: str,
        *,
        mode: Mode | None = None,
        seed: int | None = None,
        cancelled: Callable[[], bool] | None = None,
        origin: str | None = None,
    ) -> QueryRun:
        """Run a query; on an error everything stays as it was."""
        with self.lock:
            before = self._mode, self._seed
            self._mode, self._seed = mode or self._mode, self._seed if seed is None else checked_seed(seed)
            try:
                run = self._execute(text, cancelled)
            except BaseException:
                self._mode, self._seed = before
                raise
            self._remember(text)
            self._publish(run, "query", origin)
            return run

    def try_query(self, text: str, *, cancelled: Callable[[], bool] | None = None) -> QueryRun:
        """Run a query without showing it."""
        return self._execute(text, cancelled)

    def set_weights(
        self,
        weights: Sequence[float] | NDArray[np.float64] | None = None,
        *,
        text: str | None = None,
        mode: Mode | None = None,
        seed: int | None = None,
        size: int | Literal["same"] | None = "same",
        origin: str | None = None,
    ) -> None:
        """Weigh the clauses of the query anew; O(strata), no query runs.

        Raises
        ------
        SamplingError
            If there are not as many weights as clauses, one is negative or infinite, or
            `text` differs from the query in more than its weights.
        """
        with self.lock:
            text = self._run.text if text is None else text
            if not same_but_weights(text, self._run.text):
                raise SamplingError("the text differs from the query that ran in more than its weights; run it first")
            if weights is not None:
                self._check_number_of(weights)
            seed = None if seed is None else checked_seed(seed)
            changes: dict[str, Any] = {} if mode is None else {"mode": mode}
            changes |= {} if seed is None else {"seed": seed}
            changes |= {} if size == "same" else {"size": size}
            spec = self._run.spec.with_options(**(changes if self._run.has_sampling else {}))
            if weights is not None:
                spec = spec.replace_weights({i: float(w) for i, w in enumerate(weights)})
            self._mode, self._seed = mode or self._mode, self._seed if seed is None else seed
            self._size = self._size if size == "same" else size
            text = reweighted(text, spec) if self._run.has_sampling else text
            self._publish(self._run.with_spec(as_written(text, spec), text), "weights", origin)

    def _check_number_of(self, weights: Sequence[float] | NDArray[np.float64]) -> None:
        expected = len(self.weights)
        if len(weights) != expected:
            raise SamplingError(
                f"{len(weights)} weights given; the query has {expected} weight clauses",
                hint=None if expected else "add SAMPLE BY max_weight(...) to the query",
            )

    # ---- what is shown and selected ------------------------------------------------

    @property
    def class_filter(self) -> int | None:
        """The grid shows only samples with this class; None means the whole pool."""
        return self._grid.class_index

    def show(self, *, class_index: int | None, origin: str | None = None) -> int:
        """Show only pool samples with a class; return how many there are.

        Raises
        ------
        SampleIndexError
            If there is no such class.
        """
        with self.lock:
            if class_index is not None and not 0 <= class_index < len(self.class_names):
                raise SampleIndexError(f"class index {class_index} is out of range; there are {len(self.class_names)}")
            self._grid.class_index = class_index
            self._tell("filter", origin)
            return len(self.shown()[1])

    def sort(self, sort: str) -> None:
        """Order the grid: as the query does, by ``row``, or by ``labels``, most first."""
        self._grid.sort = sort

    def shown(self) -> tuple[QueryRun, NDArray[np.int64]]:
        """Return a snapshot and its pool positions in the order the grid shows them, int64.

        Takes no lock: pages are read while a long query runs.
        """
        run = self._run
        return run, self._grid.positions(run)

    def select(self, intervals: Sequence[tuple[int, int]], *, origin: str | None = None) -> int:
        """Select what the grid shows at positions [start, stop); return how many samples."""
        with self.lock:
            run, shown = self.shown()
            parts = [shown[start:stop] for start, stop in intervals]
            positions = np.unique(np.concatenate(parts)) if parts else _NO_ROWS
            self._selected_uids, self._token = run.table.uids(run.pool[positions]), None
            self._tell("selection", origin)
            return len(positions)

    def select_rows(self, rows: ArrayLike) -> None:
        """Select samples by their rows in the dataset.

        Raises
        ------
        SampleIndexError
            If a row is out of range.
        """
        wanted = np.atleast_1d(np.asarray(rows)).astype(np.int64)
        num_rows = self.dataset.table.num_rows
        wrong = wanted[(wanted < 0) | (wanted >= num_rows)]
        if len(wrong):
            raise SampleIndexError(f"row {int(wrong[0])} is out of range; the dataset has {num_rows} samples")
        with self.lock:
            self._selected_uids, self._token = self.dataset.table.uids(wanted), None
            self._tell("selection", None)

    def set_unit(self, unit: Unit) -> None:
        """Count instances or samples."""
        with self.lock:
            self._unit = checked_unit(unit)
            self._tell("unit", None)

    # ---- what is edited -----------------------------------------------------------

    def row_of(self, uid: int) -> int:
        """Return the row of the last query's table that has a uid."""
        return self._rows.row(self._run.table, uid)

    def edited_uids(self) -> frozenset[int]:
        """Return the samples that differ from what is committed."""
        edits = self.dataset.table.draft.edits
        return frozenset(uid for tensor in edits for uid in edits[tensor])

    def committed(self, uid: int) -> dict[str, Any] | None:
        """Return labels and boxes of a sample as committed; None where it is new."""
        stored = self.dataset.table.stored
        row = int(stored.positions(np.array([uid], np.int64))[0])
        if row < 0:
            return None
        labels, boxes = sample_labels(stored.column, stored.specs, row, self._labels)
        return {"labels": labels, "boxes": boxes}

    # ---- who listens --------------------------------------------------------------

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every change, as long as it lives."""
        self._watchers.add(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Tell `watcher` no more."""
        self._watchers.discard(watcher)

    def refresh_soon(self) -> None:
        """Run the query again before anything else that is asked; several calls run it once."""
        if not self._refresh_waits.is_set():
            self._refresh_waits.set()
            self.order.submit(self._refresh_waiting)

    def _refresh_waiting(self) -> None:
        self._refresh_waits.clear()
        self.refresh()

    def refresh(self, *, origin: str | None = None) -> None:
        """Run the query again on the data as it is now; where it no longer runs, keep what was and say so."""
        with self.lock:
            try:
                run = self._execute(self._run.text)
            except (TQLError, SamplingError) as error:
                run = replace(self._run, warnings=(f"the query no longer runs on the edited data: {error.message}",))
            self._publish(run, "query", origin)
            self._tell("dataset", origin)

    def _execute(self, text: str, cancelled: Callable[[], bool] | None = None) -> QueryRun:
        table, rows = self.source.table()
        return execute(
            text,
            table,
            seed=self._seed,
            mode=self._mode,
            size=self._size,
            labels=self._labels,
            rows=rows,
            cancelled=cancelled,
        )

    def _publish(self, run: QueryRun, what: What, origin: str | None) -> None:
        self._run = run
        self._revision += 1
        self._tell(what, origin)

    def _tell(self, what: What, origin: str | None) -> None:
        for watcher in list(self._watchers):
            watcher.session_changed(what, origin)

    def _remember(self, text: str) -> None:
        self.history = [text, *(past for past in self.history if past != text)][:_MAX_HISTORY]
