"""Operations on columns: their names, their profiles, a click on a bar; and pages of a table's rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.widgets._byte_cache import ByteCache
from penstock.widgets.columns._bars import Bars
from penstock.widgets.columns._filtering import selected_bars, with_bars
from penstock.widgets.columns._profile import bars_of
from penstock.widgets.columns._shown import ShownColumn, shown_columns
from penstock.widgets.editing._sample import edited_uids
from penstock.widgets.operations._arguments import POSITION, QUERY
from penstock.widgets.operations._describe import data_token, exact_cell, shown_kind
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, operation
from penstock.widgets.session._display import Display
from penstock.widgets.session._session import Session

__all__ = ["ColumnOperations"]

_MAX_PAGE = 256
_MAX_COLUMNS = 64
_MAX_NAME = 1000
_KEPT_BYTES = 128 * 2**20

_NAME = check.text(_MAX_NAME)
_NAMES = check.array(_NAME, _MAX_COLUMNS)
_BAR = check.integer(0, 255)

_Counts = tuple[NDArray[np.int64], NDArray[np.int64]]


class ColumnOperations:
    """Profile the columns of what the query returns, and show its rows as a table.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bars: ByteCache[Bars] = ByteCache(max_bytes=_KEPT_BYTES, size=lambda bars: bars.num_bytes)
        self._counted: tuple[object, dict[str, _Counts]] = ((), {})

    @operation("columns.list", lane="read")
    def names(self, _call: Call) -> dict[str, Any]:
        """Return the columns of what the query returns, without images and masks."""
        run = self._session.display.run
        columns = [_described(run, one) for one in _shown(run).values()]
        return {"columns": columns, "num_rows": _num_rows(self._session.display), "data": _token(run)}

    @operation("columns.profile", lane="read", names=_NAMES)
    def profile(self, call: Call, *, names: list[str]) -> dict[str, Any]:
        """Return how the values of some columns are distributed: in what the grid shows, and in all samples open."""
        display = self._session.display
        run = display.run
        shown = _shown(run)
        profiles = []
        for name in names:
            call.check_cancelled()
            profiles.append(self._profile(call, display, _known(shown, name)))
        return {"profiles": profiles, "data": _token(run)}

    @operation("columns.filter", lane="read", text=QUERY, name=_NAME, first=_BAR, last=_BAR, data=check.text(200))
    def filter(self, call: Call, *, text: str, name: str, first: int, last: int, data: str) -> dict[str, Any]:
        """Return the query with some bars of a column selected in its WHERE; selected ones are taken out."""
        run = self._session.display.run
        column = _known(_shown(run), name)
        if data != _token(run):
            raise check.OutdatedError("the data has changed since the bars were drawn; click again")
        bars = self._bars_of(call, run, column)
        if not first <= last < len(bars.bars):
            raise check.BadRequestError(f"{name!r} has {len(bars.bars)} bars, got bars {first} to {last}")
        changed = None if column.computed is not None else with_bars(text, bars, first, last)
        if changed is None:
            raise check.BadRequestError(f"a query cannot select these values of {name!r}")
        return {"text": changed}

    @operation("table.rows", lane="read", start=POSITION, stop=POSITION, names=_NAMES)
    def rows(self, call: Call, *, start: int, stop: int, names: list[str]) -> dict[str, Any]:
        """Return the rows at grid positions [start, stop), or of a table result, as text and numbers."""
        if stop < start or stop - start > _MAX_PAGE:
            raise check.BadRequestError(f"a page has 0 to {_MAX_PAGE} rows, got [{start}, {stop})")
        display = self._session.display
        run, shown = display.run, _shown(display.run)
        columns = [_known(shown, name) for name in names]
        stop = min(stop, _num_rows(display))
        places = np.arange(min(start, stop), stop)
        found = _row_heads(display, places)
        positions = display.positions[places] if run.result.is_rows else _result_rows(display, places)
        for column in columns:
            call.check_cancelled()
            values = column.column(run.table)
            index = positions if column.computed is not None else display.rows[places]
            for head, row in zip(found, index, strict=True):
                head["cells"].append(None if row < 0 else exact_cell(values, int(row)))
        return {"rows": found, "token": display.token}

    def _profile(self, call: Call, display: Display, column: ShownColumn) -> dict[str, Any]:
        run = display.run
        bars = self._bars_of(call, run, column)
        raw, pool = self._counts(display, column, bars)
        number = len(bars.bars)
        of_dataset = column.computed is None
        selected = selected_bars(run.text, bars) if of_dataset else None
        return {
            "name": column.name,
            "kind": bars.kind,
            "bars": [
                {"label": bar.label, "special": bar.special, "raw": int(raw[i]), "pool": int(pool[i])}
                for i, bar in enumerate(bars.bars)
            ],
            "other": {"raw": int(raw[number]), "pool": int(pool[number])},
            "selectable": [of_dataset and bar.condition is not None for bar in bars.bars],
            "selected": list(selected) if selected else None,
            "low": bars.low,
            "high": bars.high,
            "distinct": bars.distinct,
            "facts": [{"name": name, "value": value} for name, value in bars.facts],
            "num_raw": self._num_raw(run, column),
            "num_pool": len(display.matching) if run.result.is_rows else self._num_raw(run, column),
        }

    def _num_raw(self, run: QueryRun, column: ShownColumn) -> int:
        return run.num_rows if column.computed is None else len(column.computed)

    def _counts(self, display: Display, column: ShownColumn, bars: Bars) -> _Counts:
        """Return the rows of each bar among all samples that are open, and in what the filter shows of the pool."""
        run, (of, counts) = display.run, self._counted
        shown = run.result, display.token if display.filter else "", len(display.held)
        if of != shown:
            counts = {}
            self._counted = (shown, counts)
        narrowed = bool(display.filter) and run.result.is_rows
        if column.name not in counts:
            if column.computed is not None:
                every = bars.counts(None)
                counts[column.name] = every, bars.counts(display.matching) if narrowed else every
            else:
                raw = bars.counts(self._session.source.rows(run.table))
                counts[column.name] = raw, bars.counts(run.pool[display.matching] if narrowed else run.pool)
        return counts[column.name]

    def _bars_of(self, call: Call, run: QueryRun, column: ShownColumn) -> Bars:
        key: tuple[object, ...] = (run.result, column.name)
        if column.computed is None:
            state = column.token if column.reported is not None else run.table.revision(column.name)
            key = (run.table.stored.snapshot.branch, state, column.name)
        bars = self._bars.get(key)
        if bars is None:
            bars = bars_of(column.column(run.table), column.expression, column.htype, call.check_cancelled)
            self._bars.put(key, bars)
        return bars


def _shown(run: QueryRun) -> Mapping[str, ShownColumn]:
    return shown_columns(run.text, run.result, run.table, run.signals)


def _known(shown: Mapping[str, ShownColumn], name: str) -> ShownColumn:
    column = shown.get(name)
    if column is None:
        raise check.BadRequestError(f"{check.in_few_words(name)} is not a column of what is shown")
    return column


def _token(run: QueryRun) -> str:
    return data_token(run.table)


def _num_rows(display: Display) -> int:
    result = display.run.result
    return len(display.positions) if result.is_rows else result.num_rows


def _described(run: QueryRun, column: ShownColumn) -> dict[str, Any]:
    values = column.column(run.table)
    numeric = values.values.dtype.kind in "iuf" and values.class_names is None and values.ndim == 0
    return {
        "name": column.name,
        "htype": column.htype,
        "shown": _kind(run, column),
        "numeric": bool(numeric),
    }


def _kind(run: QueryRun, column: ShownColumn) -> str:
    if column.computed is not None:
        return "computed by the query"
    return "signal" if column.reported is not None else shown_kind(run.table.tensors[column.name])


def _row_heads(display: Display, places: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return rows without their cells."""
    run = display.run
    if not run.result.is_rows:
        return [
            {"position": int(p), "row": int(row), "uid": None, "edited": False, "held": False, "cells": []}
            for p, row in zip(places, _result_rows(display, places), strict=True)
        ]
    rows = display.rows[places]
    uids = run.table.uids(rows)
    edited, held = edited_uids(run.table), np.isin(uids, display.held)
    return [
        {
            "position": int(p),
            "row": int(row),
            "uid": str(int(uid)),
            "edited": int(uid) in edited,
            "held": bool(kept),
            "cells": [],
        }
        for p, row, uid, kept in zip(places, rows, uids, held, strict=True)
    ]


def _result_rows(display: Display, places: NDArray[np.int64]) -> NDArray[np.int64]:
    return places if display.result_rows is None else display.result_rows[places]
