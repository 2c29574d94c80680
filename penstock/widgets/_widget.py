"""What all penstock widgets share: the session behind them, synced state, answers to the browser."""

from __future__ import annotations

import os
import uuid
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets
from anywidget import WidgetTrait
from numpy.typing import NDArray

from penstock._wording import nearest
from penstock.sampling import SamplingPlan, SamplingSpec
from penstock.widgets._html import NUM_LARGE, Page, Thumbs, checked_thumbnails, page_of, written_page
from penstock.widgets._runtime import read_stub, runtime
from penstock.widgets._snapshot import snapshot
from penstock.widgets._still import still_html, still_thumbnails
from penstock.widgets._traits import PanelTrait, SessionEnum, SessionInt, SessionUnicode, WeightsTrait, follow
from penstock.widgets.exporting._export import code_of, loader_of
from penstock.widgets.grid._selection import selection_told
from penstock.widgets.live._loop import attach
from penstock.widgets.operations._contract import all_operations
from penstock.widgets.operations._describe import dataset_info, display_state, grid_state
from penstock.widgets.requests._operation import News
from penstock.widgets.requests._rpc import Dispatcher
from penstock.widgets.requests._subshells import HeardWidget
from penstock.widgets.session._session import Session, What
from penstock.widgets.session._session_state import Explorable, exported_run

if TYPE_CHECKING:
    from penstock.dataset import Dataset, View

__all__ = ["SessionWidget"]

_SESSION_OPTIONS = ("query", "seed", "mode", "size", "unit", "labels")
_VIEW_OPTIONS = ("height", "theme", "layout")


class SessionWidget(HeardWidget):
    """A widget over a session.

    Parameters
    ----------
    source : Dataset, View or Session
        What is shown. Widgets of one session are linked.
    **options
        ``query``, ``seed``, ``mode``, ``size``, ``unit``, ``labels`` of a new session, and ``height``
        (CSS pixels), ``theme`` (auto, light, dark), ``layout`` of the widget.

    Attributes
    ----------
    kind : str
        Which panels it shows (Python to browser).
    height, theme
        Height in CSS pixels; colors, where "auto" follows the notebook (both directions).
    labels : str or None
        The class label tensor that charts count (Python to browser).
    snapshot : dict
        What is shown before the kernel answers (Python to browser).
    query : str
        The query that ran; assigning runs another (both directions).
    query_draft : str
        Text in the editor that has not run (browser to Python).
    weights : ndarray of float64, shape (num_clauses,)
        Weight of each clause of the query (both directions).
    mode, seed, size, unit
        As of `Session` (both directions).
    panel : dict
        How the browser has set its panels (browser to Python); a reload starts from it.
    selection : dict
        How many samples are selected, the first uids, and a token (Python to browser).
    """

    _kind = traitlets.Unicode("").tag(sync=True)
    _runtime = WidgetTrait().tag(sync=True)
    query = SessionUnicode("select *").tag(sync=True)
    query_draft = traitlets.Unicode("").tag(sync=True)
    weights = WeightsTrait()
    mode = SessionEnum(("iid", "deck", "once"), "iid").tag(sync=True)
    seed = SessionInt(0, min=0).tag(sync=True)
    size = SessionInt(None, allow_none=True, min=1).tag(sync=True)
    unit = SessionEnum(("instances", "samples"), "instances").tag(sync=True)
    labels = traitlets.Unicode(None, allow_none=True, read_only=True).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    selection = traitlets.Dict().tag(sync=True)
    snapshot = traitlets.Dict().tag(sync=True)
    panel = PanelTrait().tag(sync=True)
    height = traitlets.Int(620, min=120, max=4000).tag(sync=True)

    kind: ClassVar[str] = ""
    _esm = read_stub()

    def __init__(self, source: Dataset | View | Explorable | Session, **options: Any) -> None:
        _check_options(type(self).__name__, source, options)
        if isinstance(source, Explorable):
            source, defaults = source.__explored__()
            options = {**defaults, **options}
        session = source if isinstance(source, Session) else Session(source, **_only(_SESSION_OPTIONS, options))
        self._session = session
        self._outputs: list[str] = []
        super().__init__(_kind=self.kind, _runtime=runtime(), **_only(_VIEW_OPTIONS, options))
        this = weakref.ref(self)
        operations = all_operations(session, draft=lambda: getattr(this(), "query_draft", ""))
        self._dispatcher = Dispatcher(operations, _sender(this), session.order)
        self.on_msg(_receive)
        self._follow()
        session.watch(self)

    # ---- what Python asks -----------------------------------------------------------

    @property
    def session(self) -> Session:
        """The session behind the widget; widgets made from it are linked."""
        return self._session

    @property
    def view(self) -> View:
        """What the query returns, with the weights of now: its epoch 0 if it has SAMPLE BY."""
        return self._session.view

    @property
    def spec(self) -> SamplingSpec | None:
        """The sampling with the current weights; None without SAMPLE BY."""
        return self._session.spec

    @property
    def plan(self) -> SamplingPlan | None:
        """How often which sample is drawn, as the charts show it; of the dataset as it is now."""
        return self._session.plan

    @property
    def selected(self) -> NDArray[np.int64]:
        """Selected samples as rows of the dataset, int64 of shape (num_selected,); assign rows to select."""
        return self._session.selected

    @selected.setter
    def selected(self, rows: Any) -> None:
        self._session.select_rows(rows)

    def loader(
        self,
        batch_size: int = 64,
        framework: str = "pytorch",
        *,
        drop_last: bool = False,
        live: bool = False,
        **options: Any,
    ) -> Any:
        """Return the loader the charts describe.

        Parameters
        ----------
        batch_size : int
            Samples in a batch.
        framework : {"pytorch", "numpy"}
            What batches are made of.
        drop_last : bool
            Leave out a last batch that is not full.
        live : bool
            Whether weights that are set later reach the loader: at the next batch that is not drawn yet, without
            replacement at the next epoch. The header then shows how far training is, in a thread or in the next cell,
            and `export_code` writes the weights with the positions from which they held.
        **options
            Passed to the loader's ``.pytorch()`` or ``.numpy()``.

        Returns
        -------
        loader
            Epoch 0 draws what the charts show, of the state of the dataset they show: the newest, edits that
            are not committed included. Where the charts cannot follow the dataset, a warning says so.

        Raises
        ------
        SamplingError
            If nothing can be drawn, or the query returns a table; with `live` also if it has no weights.
        """
        session = self._followed()
        made = loader_of(
            session.source,
            session.run,
            session.seed,
            batch_size=batch_size,
            drop_last=drop_last,
            framework=framework,
            **options,
        )
        if live:
            attach(session, made, batch_size=batch_size, drop_last=drop_last)
        return made

    def export_code(
        self,
        batch_size: int = 64,
        framework: str = "pytorch",
        *,
        drop_last: bool = False,
        resize: tuple[int, int] | None = None,
        schedule: bool = True,
    ) -> str:
        """Return code that makes the same loader in any process; its batches equal those of `loader`.

        Its last lines are comments that say how many draws an epoch has, and which counts to expect. With ``resize``,
        height and width in pixels, all images get that size, and boxes are scaled with them. Where weights were moved
        while a live loader ran, they are written with the positions from which they held, so that the code draws what
        the run drew; ``schedule=False`` writes those of now.

        Raises
        ------
        UncommittedChangesError
            If the dataset has changes that are not committed.
        """
        session = self._followed()
        run, recorded = exported_run(session, schedule=schedule)
        return code_of(
            session.source,
            run,
            run.spec.seed if recorded else session.seed,
            batch_size=batch_size,
            drop_last=drop_last,
            framework=framework,
            resize=resize,
            schedule=recorded,
        )

    def _followed(self) -> Session:
        """Return the session with the dataset as it is now; warn where that is not what is shown."""
        session = self._session
        session.follow(store=True)
        if session.behind is not None:
            warnings.warn(session.behind.message, UserWarning, stacklevel=3)
        return session

    def export_cell(
        self,
        batch_size: int = 64,
        framework: str = "pytorch",
        *,
        drop_last: bool = False,
        resize: tuple[int, int] | None = None,
    ) -> None:
        """Put the code of `export_code` into the next cell; call it in a cell."""
        from IPython import get_ipython

        code = self.export_code(batch_size, framework, drop_last=drop_last, resize=resize)
        shell = get_ipython()
        if shell is None:
            raise RuntimeError("a cell can only be inserted in a notebook. Hint: print(x.export_code())")
        shell.set_next_input(code)

    def to_html(self, path: str | os.PathLike[str], *, thumbnails: Thumbs = NUM_LARGE) -> Page:
        """Write what is shown into one file that needs neither network nor kernel.

        Sliders, classes, coverage, filter and sort are alive in it, and so are queries whose conditions ask for class
        labels. For that it has the labels, boxes and a thumbnail of 32 pixels of every sample that queries run on,
        not only of those on show, up to 100,000 samples; of more samples it has only the large thumbnails.

        Parameters
        ----------
        path : str or path
            The file, overwritten where it exists.
        thumbnails : int, "all" or "none"
            How many samples, from the first of the grid on, have a thumbnail of 160 pixels: about 10 KB each for
            photos, where one of 32 pixels takes 0.6 KB. "none" leaves out all images.

        Returns
        -------
        Page
            Where it is and how large.

        Raises
        ------
        ValueError
            If `thumbnails` is none of these.

        Examples
        --------
        >>> import penstock, tempfile
        >>> x = penstock.explore(penstock.demo(num_samples=60))
        >>> page = x.to_html(tempfile.mkdtemp() + "/demo.html", thumbnails=20)
        >>> page.num_samples, page.num_large, page.num_small
        (60, 20, 60)
        """
        checked_thumbnails(thumbnails)
        self._session.follow(store=True)
        text, counts = page_of(self._session, self.get_state(), runtime(), self._ask, thumbnails)
        Path(path).write_text(text, encoding="utf-8")
        return written_page(text, os.fspath(path), counts)

    def _ask(self, name: str, arguments: Mapping[str, Any]) -> tuple[Any, Sequence[bytes]]:
        answers: list[tuple[dict[str, Any], list[bytes]]] = []
        operations = all_operations(self._session, draft=lambda: "")
        once = Dispatcher(operations, lambda message, buffers: answers.append((message, buffers)), self._session.order)
        once.answer({"v": 1, "id": "0:1", "op": name, "args": dict(arguments)})
        message, buffers = answers[-1]
        if not message["ok"]:
            raise RuntimeError(message["error"]["message"])
        return message["result"], buffers

    def close(self) -> None:
        """Take the widget off the page; what runs for it is cancelled."""
        if hasattr(self, "_dispatcher"):
            self._dispatcher.cancel_all()
            self._session.unwatch(self)
        super().close()

    def __repr__(self) -> str:
        """Return the same text in every run."""
        session = self._session
        return f"{type(self).__name__}({session.name!r}, samples={session.run.num_rows}, seed={session.seed})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0]["text/plain"] = f"{self!r}: run this cell to open it"
            bundle[0]["text/html"] = still_html(snapshot(self._session))
        return bundle

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_()
        if bundle is not None:
            self._outputs.append(uuid.uuid4().hex)
            _publish(bundle[0], self._outputs[-1], update=False)

    def freeze(self) -> None:
        """Replace what this widget shows in the notebook by a still image of it.

        The image is HTML without scripts: query, thumbnails of the first samples, bars and coverage. It stays in
        the notebook file, and is shown where no kernel runs, by nbconvert and by websites. The widget itself goes on:
        its next display is alive. A page that was loaded again since the display must run the cell of the display
        first: a browser then no longer knows which output is meant.

        Raises
        ------
        RuntimeError
            If the widget is not displayed.
        """
        if not self._outputs:
            raise RuntimeError(
                "the widget is not displayed in a notebook. Hint: display it first, or write a file: x.to_html(path)"
            )
        still = still_html(snapshot(self._session), still_thumbnails(self._ask))
        data = {"text/html": still, "text/plain": f"{self!r}: run this cell to open it"}
        for output in self._outputs:
            _publish(data, output, update=True)
        self._outputs.clear()

    # ---- the session and the browser ---------------------------------------------

    def session_changed(self, what: What) -> None:
        """Bring traits up to date and report the change to the browser; a request's own change is in its reply."""
        session = self._session
        if what == "live":
            self.send({"v": 1, "event": "live", "live": None if session.live is None else session.live.told})
            return
        self._follow()
        if what == "note":
            self.send({"v": 1, "event": "warning", "message": session.note})
        elif what in _EVENTS:
            news, event = _EVENTS[what]
            self._dispatcher.changed(news, lambda: event(session))

    def _follow(self) -> None:
        session = self._session
        with self.hold_sync():
            for name in _ASSIGN:
                follow(self, name, getattr(session, name))
            if self.labels != session.labels:
                self.set_trait("labels", session.labels)
            self.selection = selection_told(session.display.selection)
            self.snapshot = snapshot(session)

    def _assign(self, name: str, value: Any) -> Any:
        """Ask the session for another value of a trait it keeps; return the value it has then."""
        if not np.array_equal(value, getattr(self._session, name)):
            _ASSIGN[name](self._session, value)
        return getattr(self._session, name)


def _publish(data: dict[str, Any], output: str, *, update: bool) -> None:
    from IPython import display

    publish: Any = display.publish_display_data
    publish(data, transient={"display_id": output}, update=update)


_ASSIGN: dict[str, Callable[[Session, Any], object]] = {
    "query": lambda session, text: session.run_query(text),
    "weights": lambda session, weights: session.set_weights(weights),
    "mode": lambda session, mode: session.set_weights(mode=mode),
    "seed": lambda session, seed: session.set_weights(seed=seed),
    "size": lambda session, size: session.set_weights(size=size),
    "unit": lambda session, unit: session.set_unit(unit),
}


def _query_event(session: Session) -> tuple[dict[str, Any], list[bytes]]:
    state, buffers = display_state(session, session.display)
    return {"v": 1, "event": "query", **state}, buffers


def _dataset_event(session: Session) -> tuple[dict[str, Any], list[bytes]]:
    return {"v": 1, "event": "dataset", "dataset": dataset_info(session, session.display)}, []


def _grid_event(session: Session) -> tuple[dict[str, Any], list[bytes]]:
    return {"v": 1, "event": "grid", "grid": grid_state(session.display)}, []


_EVENTS: dict[What, tuple[News, Callable[[Session], tuple[dict[str, Any], list[bytes]]]]] = {
    "query": ("query", _query_event),
    "dataset": ("dataset", _dataset_event),
    "grid": ("grid", _grid_event),
    "selection": ("grid", _grid_event),
}


def _only(names: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in names}


def _check_options(widget: str, source: object, options: dict[str, Any]) -> None:
    known = (*_SESSION_OPTIONS, *_VIEW_OPTIONS)
    for name in options:
        if name not in known:
            like = nearest(name, known)
            raise TypeError(
                f"{widget} has no option {name!r}; it has {', '.join(known)}"
                + (f". Hint: did you mean {like!r}?" if like else "")
            )
        if isinstance(source, Session) and name in _SESSION_OPTIONS:
            raise TypeError(f"{name!r} belongs to the session; give it to Session(...), or assign widget.{name}")


def _sender(widget: weakref.ref[Any]) -> Any:
    def send(message: dict[str, Any], buffers: list[bytes]) -> None:
        target = widget()
        if target is not None:
            target.send(message, buffers)

    return send


def _receive(widget: SessionWidget, content: Any, _buffers: Any) -> None:
    widget._dispatcher.receive(content)  # noqa: SLF001  the widget's own callback, kept free of a bound method's cycle
