"""The samples of a page without a kernel: label sets and small thumbnails of all, larger ones of the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock import tql
from penstock.table import Table
from penstock.tensors import boxes_xywh, first_tensor
from penstock.widgets.editing._sample import edited_uids
from penstock.widgets.operations.images._thumbnails import Thumbnail, Thumbnails
from penstock.widgets.queries._query_run import QueryRun

if TYPE_CHECKING:
    from penstock.widgets.session._session import Session

__all__ = ["LARGE", "MAX_SAMPLES", "SMALL", "Ask", "large_tiles", "packed_samples"]

MAX_SAMPLES = 100_000
SMALL = 32
LARGE = 160
_PAGE = 256
_SMALL_PAGE = 1024

Ask = Callable[[str, Mapping[str, Any]], tuple[Any, Sequence[bytes]]]


def packed_samples(session: Session, *, images: bool) -> tuple[dict[str, Any], bytes, list[int]]:
    """Return what the page knows of each sample that queries run on.

    A header that names arrays, their bytes, and how long each small thumbnail is.

    Parameters
    ----------
    session : Session
        What the widget shows.
    images : bool
        Whether the page has thumbnails.
    """
    run = session.display.run
    table = run.table
    chosen = session.source.rows(table)
    rows = np.arange(table.num_rows) if chosen is None else chosen
    made = _small(session, table, rows) if images else []
    arrays: dict[str, NDArray[Any]] = {
        "rows": rows.astype("<i4"),
        "uids": table.uids(rows).astype("<i8"),
        "pool": _places(rows, run.pool).astype("<i4"),
        **_strata(session.display.run, rows),
        "edited": np.flatnonzero(np.isin(table.uids(rows), list(edited_uids(table)))).astype("<i4"),
        "sides": np.array([(one.width, one.height) for one in made], "<i4").reshape(-1),
        "jpeg_lengths": np.array([len(one.jpeg) for one in made], "<i4"),
    }
    labels = [name for name, spec in table.tensors.items() if spec.htype == "class_label"]
    for number, name in enumerate(labels):
        arrays |= _ragged(f"labels{number}", *_labels(table, name, rows))
    arrays |= _ragged("boxes", *_boxes(table, rows))
    header = {
        "num_samples": len(rows),
        "repeats": len(np.unique(rows)) < len(rows),
        "tensors": [
            {"name": name, "class_names": list(table.tensors[name].class_names), "single": _is_single(table, name)}
            for name in labels
        ],
        "arrays": [{"name": name, "dtype": array.dtype.str, "length": len(array)} for name, array in arrays.items()],
        "errors": {str(i): one.error for i, one in enumerate(made) if one.error},
    }
    parts = [*(array.tobytes() for array in arrays.values()), *(one.jpeg for one in made)]
    return header, b"".join(parts), [len(one.jpeg) for one in made]


def _strata(run: QueryRun, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the stratum of each position of the pool, where strata are groups of weight clauses."""
    strata = run.strata
    if strata is None or strata.row_weights is not None or len(np.unique(rows)) < len(rows):
        return {}
    return {"strata": strata.ids.astype("<i4")}


def _places(rows: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where among the page's samples each row of the pool is."""
    order = np.argsort(rows, kind="stable")
    return order[np.searchsorted(rows[order], pool)] if len(rows) else np.zeros(0, np.int64)


def _ragged(name: str, lengths: NDArray[np.int64], values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {f"{name}_lengths": lengths.astype("<i4"), name: values}


def _labels(table: Table, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    column = table.column(name)
    lengths = column.lengths[rows]
    return lengths, column.values[_of_rows(column.offsets, rows, lengths)].astype("<i4")


def _boxes(table: Table, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    name = first_tensor(table.tensors, "bbox")
    if name is None:
        return np.zeros(len(rows), np.int64), np.zeros(0, "<f4")
    column, coords = table.column(name), table.tensors[name].coords
    found = [boxes_xywh(column.row(row), coords).reshape(-1) for row in rows.tolist()]
    values = np.concatenate([np.zeros(0), *found]).astype("<f4")
    return np.array([len(one) for one in found], np.int64), np.where(np.isfinite(values), values, 0).astype("<f4")


def _of_rows(offsets: NDArray[np.int64], rows: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the values of some rows, row after row."""
    ends = np.cumsum(lengths)
    shifts: NDArray[np.int64] = np.repeat(offsets[rows] - (ends - lengths), lengths)
    return np.arange(len(shifts), dtype=np.int64) + shifts


def _is_single(table: Table, name: str) -> bool:
    """Return whether every row has one label, as the language sees it: then it compares with a class."""
    found = tql.lint(f"select * where {tql.quote_name(name)} = 0", table)
    return not any(diagnostic.severity == "error" for diagnostic in found)


def _small(session: Session, table: Table, rows: NDArray[np.int64]) -> list[Thumbnail]:
    tensor = first_tensor(table.tensors, "image")
    if tensor is None:
        return [Thumbnail(error="the dataset has no images")] * len(rows)
    maker = Thumbnails(max_bytes=0)  # what is on show stays in the widgets' own cache
    pages = range(0, len(rows), _SMALL_PAGE)
    return [
        made
        for start in pages
        for made in maker.page(table, rows[start : start + _SMALL_PAGE], tensor, SMALL, dataset=session.dataset.path)
    ]


def large_tiles(ask: Ask, count: int) -> tuple[list[dict[str, Any]], bytes]:
    """Return the first tiles of the grid as `grid.page` gives them, and the bytes of their images and shapes."""
    tiles: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for start in range(0, count, _PAGE):
        result, buffers = ask("grid.page", {"start": start, "stop": min(start + _PAGE, count), "size": LARGE})
        for tile in result["tiles"]:
            image, shapes = (buffers[tile[name]] if tile[name] >= 0 else b"" for name in ("image", "shapes"))
            tiles.append({"tile": tile, "image": len(image), "shapes": len(shapes)})
            parts += [image, shapes]
        if not result["tiles"]:
            break
    return tiles, b"".join(parts)
