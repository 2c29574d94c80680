"""One exploration of a dataset: query, weights, selection, edits. Widgets made from one session are linked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.dataset.samples import content_of
from penstock.errors import SamplingError, TQLError
from penstock.sampling import SamplingPlan
from penstock.storage import Holder
from penstock.table import OverlayTable
from penstock.widgets.editing._edits import drop_stored_edits
from penstock.widgets.exporting._export import split_sampling, view_of
from penstock.widgets.grid._filter import EVERYTHING, GridFilter, How, State, checked_filter
from penstock.widgets.grid._order import checked_order, present_order
from penstock.widgets.grid._selection import NOTHING, positions_of, rows_in_order
from penstock.widgets.queries._query_run import Mode, QueryRun, execute, same_but_weights
from penstock.widgets.queries._reweighing import reweighed
from penstock.widgets.queries._signals import signals_now
from penstock.widgets.queries._source import same_state
from penstock.widgets.requests._checks import OutdatedError
from penstock.widgets.requests._failures import in_short
from penstock.widgets.session._display import Display, arranged
from penstock.widgets.session._follow import OTHERS_WROTE, WRITING, Behind, Follower, left_behind, not_run
from penstock.widgets.session._followed import Follows, Names, filter_now, renamed
from penstock.widgets.session._narrowing import narrowed_text
from penstock.widgets.session._options import Unit, checked_seed, present_labels
from penstock.widgets.session._session_state import SessionState, Watcher, What

if TYPE_CHECKING:
    from penstock.dataset import Dataset, View

__all__ = ["Session", "Watcher", "What"]

_LOOK_AGAIN_S = 2.0  # while another process edits: its commit makes editing possible here


class Session(SessionState):
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
        Draws per epoch; None takes what the query asks for.
    unit : {"instances", "samples"}
        What bars count.
    labels : str, optional
        The class label tensor that charts count; the first one by default.

    Raises
    ------
    TQLError
        If the query is wrong.
    TensorNotFoundError
        If `labels` is not a class label tensor of the dataset.

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
        super().__init__(source, seed=seed, mode=mode, size=size, unit=unit, labels=labels)
        self.order = ThreadPoolExecutor(1, thread_name_prefix="penstock-session")
        self._unread: tuple[OverlayTable, Behind] | None = None
        self._follows = Follows()
        self._renames: Names = {}
        self._display = arranged(self._execute(query))
        self._remember(query)
        self._follower = Follower(self.order, self.follow)
        content_of(self.dataset).listeners.add(self._follower.changed)

    # ---- what there is ------------------------------------------------------

    @property
    def plan(self) -> SamplingPlan | None:
        """How often which sample is drawn; None when the query returns a table."""
        self.follow()
        return self.run.plan

    @property
    def view(self) -> View:
        """What the query returns, with the weights of now: its epoch 0 if it has SAMPLE BY."""
        self.follow(store=True)
        return view_of(self.source, self.run, self._seed)

    @property
    def selected(self) -> NDArray[np.int64]:
        """Selected samples as rows of the dataset, int64 of shape (num_selected,)."""
        self.follow()
        rows = self.table.positions(self._display.selection.uids)
        return rows[rows >= 0]

    # ---- query and weights ----------------------------------------------------

    def run_query(
        self,
        text: str,
        *,
        mode: Mode | None = None,
        seed: int | None = None,
        cancelled: Callable[[], bool] | None = None,
        show_all: bool = False,
    ) -> QueryRun:
        """Run a query on the dataset as it is now; on an error everything stays as it was.

        The grid's filter and order stay; with `show_all` the filter goes.
        """
        with self.lock:
            self.dataset.refresh()
            mode, seed = mode or self._mode, self._seed if seed is None else checked_seed(seed)
            run = self._execute(text, cancelled=cancelled, mode=mode, seed=seed)
            same_pool = split_sampling(text)[0] == split_sampling(self.run.text)[0]
            display = self._carried_over(run, selected=None if same_pool else NOTHING.uids)
            self._mode, self._seed, self._unread = mode, seed, None
            self._remember(text)
            self._drop_outdated_edits(run)
            if show_all:
                display = display.with_filter(EVERYTHING, display.unreadable)
            self._publish(replace(display, behind=None), "query")
            return run

    def narrow(
        self, by: Literal["filter", "selection"], *, text: str, cancelled: Callable[[], bool] | None = None
    ) -> QueryRun:
        """Write what the grid's filter shows, or the selection, into WHERE and run that; the filter goes.

        Parameters
        ----------
        by : {"filter", "selection"}
            What is written.
        text : str
            The query that ran, with the weights of now.
        cancelled : callable, optional
            As of `run_query`.

        Raises
        ------
        DatasetError
            If no condition says it: there is no filter or selection, or too many samples to name.
        """
        with self.lock:
            narrowed = narrowed_text(self._display, by, text, lambda one: self.try_query(one, cancelled=cancelled).pool)
            return self.run_query(narrowed, cancelled=cancelled, show_all=True)

    def try_query(self, text: str, *, cancelled: Callable[[], bool] | None = None) -> QueryRun:
        """Run a query on the data that is shown, without showing it."""
        return self._execute(text, self.table, cancelled=cancelled)

    def set_weights(
        self,
        weights: Sequence[float] | NDArray[np.float64] | None = None,
        *,
        text: str | None = None,
        mode: Mode | None = None,
        seed: int | None = None,
        size: int | Literal["same"] | None = "same",
    ) -> None:
        """Weigh the clauses of the query anew; O(strata), no query runs.

        Raises
        ------
        SamplingError
            If there are not as many weights as clauses, one is negative or infinite, or
            `text` differs from the query in more than its weights; if rows repeat and the mode is not "iid".
        """
        with self.lock:
            text = self.run.text if text is None else text
            if not same_but_weights(text, self.run.text):
                text = renamed(text, self._renames)  # of a slider that was moved while classes were renamed
            if not same_but_weights(text, self.run.text):
                raise SamplingError("the text differs from the query that ran in more than its weights; run it first")
            seed = None if seed is None else checked_seed(seed)
            options: dict[str, Any] = {} if mode is None else {"mode": mode}
            options |= {} if seed is None else {"seed": seed}
            options |= {} if size == "same" else {"size": size}
            run, tables = reweighed(self.run, text, weights, options, self._tables, self.tables)
            self._mode, self._seed = mode or self._mode, self._seed if seed is None else seed
            another_size = size not in {"same", self._size}
            self._size = self._size if size == "same" else size
            token = self._display.token
            self._tables = tables
            self._publish(self._display.with_weights(run), "query" if another_size else "weights")
            if self._display.token != token and not another_size:
                self._tell("grid")

    # ---- what is shown and selected ------------------------------------------------

    def show(
        self,
        *,
        class_index: int | None = None,
        classes: Sequence[int] = (),
        how: How = "any",
        states: Sequence[State] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Show only some samples of the pool; return how many. What is selected stays selected.

        Parameters
        ----------
        class_index : int, optional
            The same as ``classes=[class_index]``.
        classes : sequence of int
            Indices of classes; empty shows samples of all classes.
        how : {"any", "all", "not"}
            Whether they have any of the classes, all of them, or none.
        states : sequence of {"unreadable", "edited", "selected", "unlabeled"}
            Only samples in all of these states. ``unreadable`` reads the images that nobody has read yet.
        progress : callable, optional
            Called with the numbers of images read and to be read; what it raises ends it, and nothing changes.

        Raises
        ------
        SampleIndexError
            If there is no such class.
        SamplingError
            If `how` or a state does not exist.
        """
        classes = (*classes, *(() if class_index is None else (class_index,)))
        wanted = GridFilter(classes=classes, how=how, states=tuple(states))
        wanted = checked_filter(wanted, len(self.class_names))
        unreadable = self._display.unreadable
        if "unreadable" in wanted.states:
            unreadable = self.image_checks.unreadable(self.run.table, self.run.pool, progress)
        with self.lock:
            wanted = checked_filter(wanted, len(self.class_names))  # an image takes long to read, others go on
            self._publish(self._display.with_filter(wanted, unreadable), "grid")
            return len(self._display.positions)

    def check_images(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Read the images of the pool that may be unreadable, those that were too; return how many are."""
        return len(self.image_checks.unreadable(self.run.table, self.run.pool, progress, again=True))

    def sort(self, by: str, *, descending: bool | None = None) -> None:
        """Order the grid. What is selected stays selected.

        Parameters
        ----------
        by : str
            As of `GridOrder`: ``query``, ``row``, ``labels``, ``box_area``, ``image_size``, ``drawn``, ``weight``,
            ``tensor:<name>``, ``column:<name>``.
        descending : bool, optional
            The greatest first; by default for all but ``query``, ``row`` and tensors.

        Raises
        ------
        SamplingError
            If there is no such order.
        TensorNotFoundError
            If there is no such tensor or column.
        """
        with self.lock:
            self._publish(self._display.with_order(checked_order(by, descending, self.run)), "grid")

    def select(
        self, intervals: Sequence[tuple[int, int]], *, token: str | None = None, keep_hidden: bool = False
    ) -> int:
        """Select what the grid shows at positions [start, stop); return how many samples are selected.

        With `keep_hidden`, selected samples that the grid does not show stay selected.

        Raises
        ------
        OutdatedError
            If `token` is not that of `display`: the positions were read off another state of the grid.
        """
        with self.lock:
            display = self._display
            if token is not None and token != display.token:
                raise OutdatedError("the samples in the grid have changed; select again")
            positions = positions_of(intervals, len(display.rows))
            self._publish(display.with_selected_positions(positions, keep_hidden=keep_hidden), "selection")
            return len(self._display.selection.uids)

    def select_rows(self, rows: ArrayLike) -> None:
        """Select samples by their rows in the dataset.

        Raises
        ------
        SampleIndexError
            If a row is out of range.
        """
        self.follow()
        wanted = rows_in_order(rows, self.table.num_rows)
        with self.lock:
            chosen = self.table.uids(wanted)
            self._publish(self._display.with_selected(chosen), "selection")

    # ---- the dataset and what is shown of it ---------------------------------------------

    def follow(self, *, store: bool = False) -> None:
        """Show the dataset as it is now, or say how that differs from what is shown.

        Parameters
        ----------
        store : bool
            Whether what other sessions and processes have written is read as well; else it is only reported.
            An open ``with`` block, whose changes show at its end, is then written too.
        """
        with self.lock:
            holder = None
            try:
                if store:
                    self.dataset.refresh()
                holder = self.dataset.draft_holder
                if store and holder is None:
                    drop_stored_edits(self.dataset, since=self.table)
                behind = (None if store else self._noticed()) or self._left(holder)
                if behind is not WRITING:
                    behind = self._brought_up(behind) or behind
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001  whatever keeps the data from being read, the charts go on and say so
                behind = Behind(message=f"the dataset cannot be read as it is now: {in_short(error)}")
            self._be(behind, holder)
            self.refresh_signals()

    def look_soon(self) -> None:
        """Look for changes in the session's own thread."""
        self._follower.changed()

    def _be(self, behind: Behind | None, holder: Holder | None) -> None:
        if (behind, holder) != (self.behind, self._display.holder):
            self._publish(replace(self._display, behind=behind, holder=holder), "dataset")
        if holder is not None:
            self._follower.changed(after_s=_LOOK_AGAIN_S)

    def _noticed(self) -> Behind | None:
        if content_of(self.dataset).is_grouping:
            return WRITING
        return OTHERS_WROTE if self.dataset.is_behind else None

    def _left(self, holder: Holder | None) -> Behind | None:
        """Look, once another process no longer edits, whether it ended with edits that are not committed."""
        before = self._display
        if holder is not None or (
            before.holder is None and (before.behind is None or before.behind.remedy != "take over")
        ):
            return None
        count = content_of(self.dataset).opened.working.num_left()
        return left_behind(count) if count else None

    def _brought_up(self, behind: Behind | None) -> Behind | None:
        """Run the query again where the data differs from what it ran on; where it no longer runs, keep what was."""
        table = content_of(self.dataset).table
        if same_state(table, self.table):
            return None
        if self._unread is None or not same_state(table, self._unread[0]):
            try:
                run = self._execute_followed(table)
            except (TQLError, SamplingError) as error:
                self._unread = table, not_run(error, self.table.version)
            else:
                self._unread = None
                self._drop_outdated_edits(run)
                display = self._carried_over(run).holding(self._display if self._holds else None)
                self._publish(replace(display, behind=behind), "query")
        return self._unread[1] if self._unread else None

    def _execute_followed(self, table: OverlayTable) -> QueryRun:
        """Run the query on another state of the data; classes that were renamed or merged are renamed in it."""
        text, followed, renames = self._follows.query(self.run, table)
        tables = self._tables
        if followed is not None:
            self._tables = tables.followed(renames, self.run.table, table, self.run.spec.combine)
        try:
            run = self._execute(text, table)
        except BaseException:
            self._tables = tables
            raise
        if followed is not None:
            self._renames = renames
            self.weight_steps = ""  # they name classes as they were
            past = (text if one == self.run.text else renamed(one, renames) for one in self.history)
            self.history = list(dict.fromkeys(past))
        return run if followed is None else replace(run, followed=followed)

    def _carried_over(self, run: QueryRun, selected: NDArray[np.int64] | None = None) -> Display:
        """Return another run with filter, order and selection as far as they still mean the same.

        `selected` are the uids that are selected then; None takes those that are and still exist.
        """
        display, uids = self._display, self._display.selection.uids
        wanted, order = filter_now(display.filter, self.run, run), present_order(display.order, run)
        if selected is None:
            return display.with_run(run, wanted, order, uids[run.table.positions(uids) >= 0])
        return display.with_run(run, wanted.without("selected"), order, selected)

    def _drop_outdated_edits(self, run: QueryRun) -> None:
        dropped = self.edits.drop_outdated(run.table)
        if dropped:
            self.note = (
                f"{dropped} earlier edit{'s' if dropped > 1 else ''} can no longer be undone: the samples changed"
            )
            self._tell("note")

    def _execute(
        self,
        text: str,
        table: OverlayTable | None = None,
        *,
        mode: Mode | None = None,
        seed: int | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> QueryRun:
        table = content_of(self.dataset).table if table is None else table
        run = execute(
            text,
            table,
            seed=self._seed if seed is None else seed,
            mode=mode or self._mode,
            size=self._size,
            labels=present_labels(self._wanted_labels, table.tensors),
            rows=self.source.rows(table),
            cancelled=cancelled,
            tables=self._tables,
        )
        gone = self.source.num_gone(table)
        if gone:
            run = replace(run, warnings=(*run.warnings, f"{gone} samples of the view are no longer in the dataset"))
        before = self._display.run.signals if hasattr(self, "_display") else None
        return replace(run, signals=signals_now(table, before))
