"""Samples as the browser gets them: tiles of the grid, one sample with all it has."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table import Table
from penstock.tensors import first_tensor
from penstock.tql import quote_text
from penstock.widgets.editing._objects import state_of
from penstock.widgets.editing._sample import committed_labels, edited_uids, sample_labels, stored_alone
from penstock.widgets.grid._order import SIGNAL, ordered_by
from penstock.widgets.operations._describe import cell_text, exact_cell
from penstock.widgets.operations.images._thumbnails import THUMBNAILS, Thumbnail
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.session._display import Display
from penstock.widgets.session._session import Session
from penstock.widgets.shapes._packed import SHAPES, Drawn

__all__ = ["info_rows", "sample_detail", "sample_fields", "tiles"]


def tiles(
    session: Session, display: Display, places: range, size: int, check_cancelled: Callable[[], None]
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return the `Tile`s of the contract at some places of the grid, and their thumbnails and shapes.

    Parameters
    ----------
    session : Session
        Whose images are read.
    display : Display
        What the grid shows.
    places : range
        Positions; those past the end are left out.
    size : int
        Longest side of a thumbnail, pixels.
    check_cancelled : callable
        Raises when nobody wants the page any more.
    """
    run = display.run
    rows = display.rows[places.start : places.stop]
    edited = edited_uids(run.table)
    found: list[dict[str, Any]] = []
    buffers: list[bytes] = []
    thumbnails = _thumbnails(session, run, rows, size, check_cancelled)
    shapes = _shapes(session, run, rows, thumbnails, size)
    uids = run.table.uids(rows)
    held = np.isin(uids, display.held)
    values = _values(display, places)
    stale = run.signals.stale if run.signals is not None and display.order.by.startswith(SIGNAL) else None
    session.image_checks.note(int(uid) for uid, made in zip(uids, thumbnails, strict=True) if made.error)
    for i, (row, made, drawn) in enumerate(zip(rows, thumbnails, shapes, strict=True)):
        tile = _tile(run, int(row), places.start + i, made, edited=int(uids[i]) in edited)
        tile["held"] = bool(held[i])
        if values:
            tile["value"] = values[i]
            tile["stale"] = bool(stale[row]) if stale is not None else False
        found.append(tile | _placed(buffers, image=made.jpeg, shapes=drawn.data))
    return found, buffers


def _values(display: Display, places: range) -> list[str | float | int | None]:
    """Return what the samples at some places are ordered by, empty where that is no column."""
    found = ordered_by(display.run, display.order)
    if found is None:
        return []
    column, of_result = found
    index = (display.positions if of_result else display.rows)[places.start : places.stop]
    return [None if one < 0 else exact_cell(column, int(one)) for one in index]


def _placed(buffers: list[bytes], **parts: bytes) -> dict[str, int]:
    """Add what is not empty to the buffers; return where each part is, -1 where it is empty."""
    places = {}
    for name, part in parts.items():
        places[name] = len(buffers) if part else -1
        buffers += [part] if part else []
    return places


def sample_detail(
    session: Session, display: Display, row: int, size: int, *, near: int | None = None
) -> tuple[dict[str, Any], list[bytes]]:
    """Return a `SampleDetail` for a row of the run's table, at position `near` if it is there, its image and shapes."""
    run, table = display.run, display.run.table
    box_tensor = first_tensor(table.tensors, "bbox")
    rows, buffers = np.array([row]), list[bytes]()
    made = _thumbnails(session, run, rows, size, lambda: None)
    uid = int(table.uids(rows)[0])
    edited = uid in edited_uids(table)
    detail = _tile(run, row, display.position_of(uid, near), made[0], edited=edited)
    detail["held"] = bool((display.held == uid).any())
    drawn = _shapes(session, run, rows, made, None)[0]
    detail |= _placed(buffers, image=made[0].jpeg, shapes=drawn.data)
    detail["fields"] = [*sample_fields(table, row, (run.labels, box_tensor)), *_reported(run, row)]
    detail["before"] = committed_labels(table, uid, run.labels) if edited else None
    if detail["before"] is not None:
        before = SHAPES.page(
            stored_alone(table),
            table.stored.positions(np.array([uid], np.int64)),
            run.labels,
            [(made[0].width, made[0].height)],
            None,
            session.dataset,
        )
        detail["before"] |= _placed(buffers, shapes=before[0].data)
    detail["note"] = drawn.note
    detail["state"] = state_of(table, row, run.labels)
    return detail | _weighed(display, detail["position"]), buffers


def _reported(run: QueryRun, row: int) -> list[dict[str, Any]]:
    """Return what training reported of a row, as fields; says so where its labels were edited since."""
    signals = run.signals
    if signals is None:
        return []
    stale = ", before the edit" if signals.stale[row] else ""
    values = ((name, cell_text(signals.column(name), row)) for name in signals.names)
    return [
        {"name": name, "htype": "signal", "value": "never seen" if one is None else f"{_digits(one)}{stale}"}
        for name, one in values
    ]


def _digits(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _weighed(display: Display, position: int) -> dict[str, Any]:
    """Return the weight of the sample at a grid position, and which clauses match it; None where none are asked."""
    plan = display.run.plan
    if plan is None or position < 0 or display.positions[position] < 0:
        return {"clauses": None, "weight": 1.0}
    stratum = int(plan.strata.ids[display.positions[position]])
    weight = float(plan.weights[stratum])
    clauses = None if plan.strata.level == "bins" else np.flatnonzero(plan.strata.matches[:, stratum]).tolist()
    return {"clauses": clauses, "weight": weight if math.isfinite(weight) else 0.0}


def _shapes(
    session: Session, run: QueryRun, rows: NDArray[np.int64], made: Sequence[Thumbnail], size: int | None
) -> list[Drawn]:
    sides = [(one.width, one.height) for one in made]
    return SHAPES.page(run.table, rows, run.labels, sides, size, session.dataset)


def _thumbnails(
    session: Session, run: QueryRun, rows: NDArray[np.int64], size: int, check_cancelled: Callable[[], None]
) -> list[Thumbnail]:
    tensor = first_tensor(run.table.tensors, "image")
    if tensor is None:
        return [Thumbnail(error="the dataset has no images", problem="none")] * len(rows)
    return THUMBNAILS.page(run.table, rows, tensor, size, check_cancelled, dataset=session.dataset.path)


def _tile(run: QueryRun, row: int, position: int, made: Thumbnail, *, edited: bool) -> dict[str, Any]:
    """Return a `Tile` of the contract for a row of the run's table."""
    table = run.table
    labels, boxes = sample_labels(table.column, table.tensors, row, run.labels)
    return {
        "position": position,
        "row": row,
        "uid": str(int(table.uids(np.array([row]))[0])),
        "image": -1,
        "shapes": -1,
        "width": made.width,
        "height": made.height,
        "labels": labels,
        "boxes": boxes,
        "edited": edited,
        "error": made.error,
        "problem": made.problem,
    }


_MAX_ROWS = 200
_MAX_DEPTH = 6
_MAX_KEYS = 12
_MAX_CHARACTERS = 1000
_FEW = 8


def info_rows(notes: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return notes as rows of name and value; what is long is counted.

    Examples
    --------
    >>> info_rows({"source": {"format": "coco", "licenses": [{"id": 1}, {"id": 2}]}})
    [{'name': 'source.format', 'value': 'coco'}, {'name': 'source.licenses', 'value': '2 entries'}]
    >>> info_rows({})
    []
    """
    rows = [{"name": name, "value": _short(value)} for name, value in _leaves("", notes, 0)] if notes else []
    left = len(rows) - _MAX_ROWS
    return rows[:_MAX_ROWS] + ([{"name": "…", "value": f"{left:,} more"}] if left > 0 else [])


def _leaves(name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return
    if isinstance(value, Mapping) and 0 < len(value) <= _MAX_KEYS and depth < _MAX_DEPTH:
        for key, entry in value.items():
            yield from _leaves(f"{name}.{key}" if name else str(key), entry, depth + 1)
    else:
        yield name, _counted(value)


def _counted(value: Any) -> str:
    plain = (
        isinstance(value, list) and len(value) <= _FEW and not any(isinstance(one, (list, Mapping)) for one in value)
    )
    if isinstance(value, (list, Mapping)) and not plain:
        return f"{len(value):,} entries" if len(value) != 1 else "1 entry"
    return ", ".join(map(_word, value)) if isinstance(value, list) else _word(value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"


def sample_fields(table: Table, row: int, shown: Sequence[str | None]) -> list[dict[str, Any]]:
    """Return the sample's other tensors as text: name, kind, value; `each`: of every object, where it is a list.

    The keys of a JSON object are rows of their own; their kind is how TQL finds them: ``image_attributes['license']``.
    """
    fields: list[dict[str, Any]] = []
    for name, spec in table.tensors.items():
        if name in shown or spec.htype == "image":
            continue
        if spec.htype == "json":
            fields += _json_fields(name, table.take(np.array([row], np.int64), [name])[name][0])
            continue
        value = _shape(table, name, row) if spec.is_encoded else cell_text(table.column(name), row)
        fields.append({"name": name, "htype": spec.htype, "value": "NULL" if value is None else str(value)})
    return fields


def _json_fields(name: str, value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and value:
        pairs = ((str(key), _short(_plain(one))) for key, one in value.items())
        return [{"name": key, "htype": f"{name}[{quote_text(key)}]", "value": words} for key, words in pairs]
    field: dict[str, Any] = {"name": name, "htype": "json", "value": "NULL" if value is None else _short(_plain(value))}
    if isinstance(value, list) and value:
        field["each"] = [_short(_plain(one)) for one in value]
        said = [f"{number + 1}: {one}" for number, one in enumerate(field["each"]) if one != "–"]
        field["value"] = _short("; ".join(said)) or "–"
    return [field]


def _plain(value: Any) -> str:
    """Return a JSON value as people write it: ``pose Left, truncated true``."""
    if value is None or value in ({}, [], ""):
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(one)}" for key, one in value.items())
    return _counted(value)


def _shape(table: Table, name: str, row: int) -> str | None:
    sides = table.shapes(name)[row].tolist()
    return None if -1 in sides else " × ".join(map(str, sides))
