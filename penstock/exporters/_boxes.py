"""Boxes about which an export is not silent: of negative size, or edited without their outline or area."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.exporters._rows import ExportedRows
from penstock.table import OverlayTable, Ragged, Table
from penstock.tensors import boxes_xywh

__all__ = ["left_behind", "negative_boxes"]

_OUTLINE, _AREA, _ID = "segmentation", "area", "annotation_id"
_NUM_SHOWN = 10


@dataclass(slots=True)
class _Found:
    outlines: list[int] = field(default_factory=list)
    areas: list[int] = field(default_factory=list)


def left_behind(rows: ExportedRows) -> tuple[str, ...]:
    """Name the annotations whose box was edited since the import, but not their outline, or not their area.

    Parameters
    ----------
    rows : ExportedRows
        What is exported.

    Returns
    -------
    tuple of str
        For the report; empty where there are none, or the dataset was not imported.
    """
    then, name = rows.imported(), rows.boxes
    if then is None or name is None or not {name, _ID} <= then.tensors.keys() & rows.table.tensors.keys():
        return ()
    found = _Found()
    coords = rows.table.tensors[name].coords
    for now, before in _edited(rows, then, name):
        _compare(now, before, boxes_xywh(now[name], coords), boxes_xywh(before[name], coords), found)
    return (*_issue(found.outlines, _OUTLINE), *_issue(found.areas, _AREA))


def _edited(rows: ExportedRows, then: OverlayTable, name: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the samples whose boxes differ, as they are and as they were."""
    places = then.positions(rows.table.uids(rows.rows))
    there = np.flatnonzero(places >= 0)
    here, places = rows.rows[there], places[there]
    differ = np.flatnonzero(_differ(rows.table.column(name).take(here), then.column(name).take(places)))
    names = [one for one in (name, _ID, _OUTLINE, _AREA) if one in rows.table.tensors and one in then.tensors]
    now, before = rows.table.take(here[differ], names), then.take(places[differ], names)
    for at in range(len(differ)):
        yield {one: now[one][at] for one in names}, {one: before[one][at] for one in names}


def _differ(now: Ragged, then: Ragged) -> NDArray[np.bool_]:
    """Return whether each row of two columns differs."""
    differ: NDArray[np.bool_] = now.lengths != then.lengths
    same = np.flatnonzero(~differ)
    one, other = now.take(same), then.take(same)
    unequal = np.concatenate([[0], np.cumsum(one.values != other.values)])
    differ[same] = unequal[one.offsets[1:]] > unequal[one.offsets[:-1]]
    return differ


def _compare(
    now: Mapping[str, Any],
    then: Mapping[str, Any],
    boxes: NDArray[np.float64],
    boxes_then: NDArray[np.float64],
    found: _Found,
) -> None:
    before = {key: at for at, key in enumerate(_keys(then[_ID]))}
    for at, key in enumerate(_keys(now[_ID])):
        was = before.get(key)
        if not key or was is None or at >= len(boxes) or (boxes[at] == boxes_then[was]).all():
            continue
        outline = _at(now.get(_OUTLINE), at)
        area = _at(now.get(_AREA), at)
        if outline:
            if outline == _at(then.get(_OUTLINE), was):
                found.outlines.append(key)
        elif area is not None and area == _at(then.get(_AREA), was) and (boxes[at, 2:] != boxes_then[was, 2:]).any():
            found.areas.append(key)


def _keys(ids: NDArray[np.int64] | None) -> list[int]:
    return [] if ids is None else [int(one) for one in ids]


def _at(values: Sequence[Any] | None, at: int) -> Any:
    return values[at] if values is not None and at < len(values) else None


def _issue(keys: Sequence[int], what: str) -> tuple[str, ...]:
    if not keys:
        return ()
    shown = ", ".join(map(str, sorted(keys)[:_NUM_SHOWN]))
    more = f" and {len(keys) - _NUM_SHOWN:,} more" if len(keys) > _NUM_SHOWN else ""
    if len(keys) == 1:
        return (f"the box of annotation {shown} was edited, but not its {what}",)
    return (f"the boxes of {len(keys):,} annotations were edited, but not their {what}: {shown}{more}",)


def negative_boxes(table: Table, rows: NDArray[np.int64], name: str) -> tuple[str, ...]:
    """Name the first sample with a box of negative size: none can be assigned, but older datasets may have some."""
    column = table.column(name).take(rows)
    sizes = boxes_xywh(column.values, table.tensors[name].coords)[:, 2:]
    wrong = np.flatnonzero((sizes < 0).any(axis=1))
    if not len(wrong):
        return ()
    first = int(rows[np.searchsorted(column.offsets, wrong[0] * 4, side="right") - 1])
    what = "1 box has" if len(wrong) == 1 else f"{len(wrong):,} boxes have"
    return (f"{what} a negative width or height, the first in sample {first}",)
