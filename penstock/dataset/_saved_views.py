"""Views kept by an id: their version, their rows by identity, and a copy of their samples where asked."""

from __future__ import annotations

import getpass
import io
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from penstock.dataset._show import html_table, text_table
from penstock.errors import (
    DatasetError,
    PenstockError,
    StorageError,
    UncommittedChangesError,
    ViewNotFoundError,
    nearest,
)
from penstock.storage import Credentials, Location, Mark, Store, mark_view, unmark_view, view_marks
from penstock.table import OptimizedTable, OverlayTable, ProjectedTable, StoredTable, Table
from penstock.tensors import Cell, TensorSpec, image_digest, image_shape

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SavedView", "SavedViews", "delete_saved", "open_saved", "save_rows", "saved_views"]

_CHUNK = 128
_MAX_BYTES = 64 * 2**20
_HEADS = ("id", "time", "samples", "query", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """What is kept of a view.

    Parameters
    ----------
    id : str
        Its name.
    message : str
        What was said.
    query_string : str or None
        The query that chose the rows; kept to be shown, never run again.
    seed : int
        The seed it was run with.
    num_samples : int
        Number of samples, repeats counted.
    commit : str
        The commit it is bound to.
    time : datetime
        When it was saved, in UTC.
    author : str
        Who saved it.
    optimized : bool
        Whether its samples lie copied beside the dataset.
    """

    id: str
    message: str
    query_string: str | None
    seed: int
    num_samples: int
    commit: str
    time: datetime
    author: str
    optimized: bool


class SavedViews(Sequence[SavedView]):
    """Saved views, the newest first.

    Parameters
    ----------
    views : sequence of SavedView
        The views in this order.
    """

    def __init__(self, views: Sequence[SavedView]) -> None:
        self._views = tuple(views)

    def __len__(self) -> int:
        return len(self._views)

    @overload
    def __getitem__(self, index: int) -> SavedView: ...
    @overload
    def __getitem__(self, index: slice) -> SavedViews: ...
    def __getitem__(self, index: int | slice) -> SavedView | SavedViews:
        return SavedViews(self._views[index]) if isinstance(index, slice) else self._views[index]

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                view.id,
                f"{view.time.astimezone():%Y-%m-%d %H:%M:%S}",
                f"{view.num_samples:,}",
                view.query_string or "",
                view.message,
            )
            for view in self._views
        ]

    def to_pandas(self) -> pd.DataFrame:
        """Return the views as a table of id, time (UTC), samples, query and message."""
        import pandas as pd

        rows = [(view.id, view.time, view.num_samples, view.query_string, view.message) for view in self._views]
        return pd.DataFrame(rows, columns=list(_HEADS))

    def __repr__(self) -> str:
        return text_table(_HEADS, self._rows()) if self._views else "no saved views yet"

    def _repr_html_(self) -> str:
        return html_table(_HEADS, self._rows()) if self._views else "<div>no saved views yet</div>"


def saved_views(store: Store) -> SavedViews:
    """Return every saved view, the newest first."""
    found = [_saved(view_id, mark) for view_id, mark in view_marks(store).items()]
    return SavedViews(sorted(found, key=lambda view: view.time, reverse=True))


def _saved(view_id: str, mark: Mark) -> SavedView:
    said = mark.said
    return SavedView(
        id=view_id,
        message=said.get("message", ""),
        query_string=said.get("query") or None,
        seed=int(said.get("seed", 0)),
        num_samples=int(said.get("num_samples", 0)),
        commit=said.get("commit", ""),
        time=datetime.fromtimestamp(float(said.get("time", 0)), UTC),
        author=said.get("author", "unknown"),
        optimized=said.get("optimized") == "1",
    )


def _file(view_id: str) -> str:
    return f"views/{view_id}.npy"


def _copy(store: Store, view_id: str) -> Location:
    return Location(f"{store.location.path}/views/{view_id}.penstock")


def save_rows(
    store: Store,
    table: Table,
    rows: NDArray[np.int64],
    *,
    view_id: str | None,
    message: str | None,
    query_string: str | None,
    seed: int,
) -> str:
    """Keep rows of a committed version under an id and return it."""
    source = table
    while isinstance(source, (OptimizedTable, ProjectedTable)):
        source = source.source
    if not isinstance(source, OverlayTable):
        raise DatasetError("a view of a query's result table; expected one of samples of the dataset")
    commit = source.version
    if not re.fullmatch(r"[0-9a-f]{24}", commit):
        raise UncommittedChangesError(
            f"a view of version {commit!r}, which has changes that are not committed; expected a commit",
            hint="ds.commit(…), then make the view again",
        )
    view_id = view_id or f"{int(time.time()):08x}{secrets.token_hex(8)}"
    if not re.fullmatch(r"[\w-]{1,80}", view_id):
        raise DatasetError(f"a view id {view_id!r}; expected letters, digits, '_' and '-', at most 80")
    if view_id in view_marks(store):
        raise DatasetError(f"a view {view_id!r} is saved already", hint="ds.delete_view deletes it")
    said = {
        "message": message or "",
        "query": query_string or "",
        "seed": str(seed),
        "num_samples": str(len(rows)),
        "commit": commit,
        "time": repr(time.time()),
        "author": _author(),
    }
    store.location.write(_file(view_id), _packed(source.uids(rows)))
    snapshot = source.stored.snapshot
    mark_view(store, view_id, Mark(branch=snapshot.branch, version=snapshot.version, said=said))
    return view_id


def _author() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _packed(uids: NDArray[np.int64]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(uids, "<i8"), allow_pickle=False)
    return buffer.getvalue()


def find_view(store: Store, view_id: str) -> Mark:
    """Return what is kept of a view."""
    marks = view_marks(store)
    if view_id not in marks:
        like = nearest(str(view_id), marks)
        raise ViewNotFoundError(
            f"no saved view {view_id!r}; there are {', '.join(marks) or 'none'}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    return marks[view_id]


def open_saved(
    store: Store, view_id: str, credentials: Credentials, *, optimize: bool, num_workers: int
) -> tuple[Table, NDArray[np.int64], SavedView]:
    """Return table, rows and description of a saved view; `optimize` copies its samples once."""
    from penstock.table import Draft

    mark = find_view(store, view_id)
    saved = _saved(view_id, mark)
    snapshot = Store.open(store.location, mark.branch).at(mark.version)
    source = OverlayTable(StoredTable(snapshot, saved.commit), Draft(), credentials)
    content = store.location.read(_file(view_id))
    if content is None:
        raise StorageError(f"the rows of view {view_id!r} are missing ({_file(view_id)})")
    rows = source.positions(np.load(io.BytesIO(content), allow_pickle=False).astype(np.int64))
    if (rows < 0).any():
        raise StorageError(f"view {view_id!r} names samples that its version does not have")
    distinct = rows[np.sort(np.unique(rows, return_index=True)[1])]
    if optimize and not saved.optimized:
        _materialize(source, distinct, _copy(store, view_id), num_workers)
        mark_view(store, view_id, replace(mark, said={**mark.said, "optimized": "1"}))
        saved = replace(saved, optimized=True)
    if not saved.optimized:
        return source, rows, saved
    copied = Store.open(_copy(store, view_id)).head()
    copy = OverlayTable(StoredTable(copied, f"{saved.commit}@{view_id}"), Draft(), credentials)
    return OptimizedTable(source, copy, distinct), rows, saved


def delete_saved(store: Store, view_id: str) -> None:
    """Delete a saved view and its copy."""
    saved = _saved(view_id, find_view(store, view_id))
    unmark_view(store, view_id)
    store.location.delete([_file(view_id)])
    if saved.optimized:
        _copy(store, view_id).remove()


# ---- copying -----------------------------------------------------------------------------------


def _materialize(source: OverlayTable, rows: NDArray[np.int64], place: Location, num_workers: int) -> None:
    """Copy rows in their order; what is half done is removed."""
    from tqdm.auto import tqdm

    place.remove()
    specs = {name: replace(spec, link=False) for name, spec in source.tensors.items()}
    try:
        store = Store.create(place, {"format": 1, "tensors": [spec.to_json() for spec in specs.values()]})
        with tqdm(total=len(rows), desc="Copying samples", unit="sample") as bar:
            for chunk, columns in _grouped(source, specs, rows, num_workers):
                store.add_columns(list(columns))
                store.append(source.uids(chunk), columns)
                bar.update(len(chunk))
    except BaseException:
        place.remove()
        raise


_Part = tuple[NDArray[np.int64], dict[TensorSpec, list[Cell]]]


def _grouped(
    source: OverlayTable, specs: dict[str, TensorSpec], rows: NDArray[np.int64], num_workers: int
) -> Iterator[_Part]:
    """Read chunks in threads, a few ahead, and join them to about 64 MB."""
    chunks = iter([rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)])
    pending: list[_Part] = []
    size = 0
    with ThreadPoolExecutor(max(1, num_workers)) as pool:
        ahead = [pool.submit(_read, source, specs, chunk) for chunk in islice(chunks, 2 * max(1, num_workers))]
        while ahead:
            part = ahead.pop(0).result()
            following = next(chunks, None)
            if following is not None:
                ahead.append(pool.submit(_read, source, specs, following))
            pending.append(part)
            size += sum(cell.num_bytes for cells in part[1].values() for cell in cells)
            if size >= _MAX_BYTES:
                yield _joined(pending)
                pending, size = [], 0
    if pending:
        yield _joined(pending)


def _joined(parts: list[_Part]) -> _Part:
    rows = np.concatenate([rows for rows, _ in parts])
    return rows, {spec: [cell for _, columns in parts for cell in columns[spec]] for spec in parts[0][1]}


def _read(source: OverlayTable, specs: dict[str, TensorSpec], rows: NDArray[np.int64]) -> _Part:
    ranks = np.argsort(rows)
    back = np.argsort(ranks)
    cells = source.cells(rows[ranks], list(specs))
    columns = {}
    for name, spec in specs.items():
        ordered = [cells[name][place] for place in back]
        columns[spec] = _fetched(source, spec, rows, ordered) if source.tensors[name].link else ordered
    return rows, columns


def _fetched(source: OverlayTable, spec: TensorSpec, rows: NDArray[np.int64], cells: list[Cell]) -> list[Cell]:
    images = source.take(rows, [spec.name])[spec.name]
    fetched = []
    for row, image, cell in zip(rows, images, cells, strict=True):
        if isinstance(image, PenstockError):
            image.message = f"sample {row}: {image.message}"
            raise image
        shape = cell.shape if image is None or cell.shape is not None else image_shape(image)
        fetched.append(Cell(value=image, shape=shape, digest=None if image is None else image_digest(image)))
    return fetched
