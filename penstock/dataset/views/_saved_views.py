"""Views saved under an id: their version, their rows by identity, and an optional copy of their samples."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from penstock._wording import nearest
from penstock.dataset.shown._show import html_table, text_table
from penstock.dataset.views._fixed_content import FixedContent, Home
from penstock.dataset.views._materialize import Copying, materialize
from penstock.dataset.views._view_records import (
    ViewRecord,
    delete_record,
    read_places,
    read_rows,
    view_records,
    write_record,
    write_view,
    write_views,
)
from penstock.engines import EngineOption, check_num_workers
from penstock.errors import DatasetError, DatasetNotFoundError, StorageError, UncommittedChangesError, ViewNotFoundError
from penstock.storage import Credentials, Store, author, encoded, find_version
from penstock.table import Draft, OptimizedTable, OverlayTable, StoredTable, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SavedView",
    "SavedViews",
    "delete_saved",
    "open_saved",
    "save_view",
    "save_views",
    "saved_view",
    "saved_views",
]

_HEADS = ("id", "time", "samples", "query", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """The record of a saved view.

    Parameters
    ----------
    id : str
        Its name.
    message : str
        What was said.
    query_string : str or None
        The query that selected the rows; kept for display, never run again.
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
        Whether its samples were copied next to the dataset.
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


def saved_views(home: Home) -> SavedViews:
    """Return every saved view, the newest first."""
    with home.lock:
        found = [_saved(view_id, record) for view_id, record in view_records(home.store).items()]
    return SavedViews(sorted(found, key=lambda view: view.time, reverse=True))


def saved_view(home: Home, view_id: str) -> SavedView:
    """Return what is known of a saved view."""
    views = saved_views(home)
    found = next((view for view in views if view.id == view_id), None)
    if found is None:
        known = [view.id for view in views]
        like = nearest(str(view_id), known)
        raise ViewNotFoundError(
            f"no view {view_id!r}; there are {', '.join(known[:8]) or 'none'}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    return found


def _saved(view_id: str, record: ViewRecord) -> SavedView:
    return SavedView(
        id=view_id,
        message=record.message,
        query_string=record.query or None,
        seed=record.seed,
        num_samples=record.num_samples,
        commit=record.commit,
        time=record.saved_at,
        author=record.author,
        optimized=bool(record.copy),
    )


def save_view(home: Home, content: FixedContent, *, view_id: str | None, message: str | None) -> str:
    """Keep samples of a committed version under an id and return it."""
    with home.lock:
        home.check_may_name()
        return _written(home.store, content, view_id=view_id, message=message)


def save_views(
    home: Home, contents: Mapping[str, FixedContent], *, view_id: str | None, message: str | None
) -> dict[str, str]:
    """Keep views under one id and their names, all of them or none, and return the id of each."""
    with home.lock:
        home.check_may_name()
        base = view_id or _fresh_id()
        ids = {name: _checked_id(home.store, f"{base}-{name}") for name in contents}
        records = {
            name: replace(_record_of(home.store, content, message), together=tuple(ids.values()))
            for name, content in contents.items()
        }
        if len({record.commit for record in records.values()}) > 1:
            raise DatasetError("the views are of several commits. Expected views of one commit")
        written = {
            ids[name]: (records[name], _source_of(content.table).uids(content.rows), content.rows)
            for name, content in contents.items()
        }
        write_views(home.store.location, written)
        return ids


def _written(store: Store, content: FixedContent, *, view_id: str | None, message: str | None) -> str:
    record = _record_of(store, content, message)
    view_id = _checked_id(store, view_id or _fresh_id())
    write_view(store.location, view_id, record, _source_of(content.table).uids(content.rows), content.rows)
    return view_id


def _fresh_id() -> str:
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


def _checked_id(store: Store, view_id: str) -> str:
    if not re.fullmatch(r"[\w-]{1,80}", view_id):
        raise DatasetError(f"{view_id!r} is not a valid view id. Expected at most 80 letters, digits, '_' and '-'")
    if view_id in view_records(store):
        raise DatasetError(f"the view {view_id!r} already exists", hint="use ds.delete_view to delete it")
    return view_id


def _record_of(store: Store, content: FixedContent, message: str | None) -> ViewRecord:
    source = _source_of(content.table)
    commit = source.version
    if not re.fullmatch(r"[0-9a-f]{24}", commit):
        raise UncommittedChangesError(
            f"a view of version {commit!r} cannot be saved, because it has uncommitted changes. Expected a commit",
            hint="call ds.commit(…), then create the view again",
        )
    branch, version = find_version(store, commit)
    snapshot = source.stored.snapshot
    return ViewRecord(
        commit=commit,
        branch=branch,
        version=snapshot.version if version is None else version,
        message=message or "",
        query=content.query_string or "",
        author=author(),
        seed=content.seed,
        num_samples=len(content),
        time=time.time(),
    )


def _source_of(table: Table) -> OverlayTable:
    source = table.origin
    if not isinstance(source, OverlayTable):
        raise DatasetError(
            "the result of this query is a table, not samples of the dataset. Expected a view of samples"
        )
    return source


def _found(store: Store, view_id: str) -> ViewRecord:
    """Return what is kept of a view."""
    records = view_records(store)
    if view_id not in records:
        like = nearest(str(view_id), records)
        raise ViewNotFoundError(
            f"{view_id!r} is not a saved view. The saved views are {', '.join(records) or 'none'}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    return records[view_id]


def open_saved(
    home: Home, view_id: str, *, optimize: bool, num_workers: int, engine: EngineOption = None
) -> FixedContent:
    """Return the samples of a saved view; `optimize` copies them once."""
    check_num_workers(num_workers)
    copying = Copying(num_workers, engine) if optimize else None
    with home.lock:
        record = _found(home.store, view_id)
        table, rows = _opened(home.store, view_id, record, home.credentials, copying, home.max_image_bytes)
    return FixedContent(table=table, rows=rows, query_string=record.query or None, seed=record.seed)


def _opened(
    store: Store,
    view_id: str,
    record: ViewRecord,
    credentials: Credentials,
    copying: Copying | None,
    max_image_bytes: int | None,
) -> tuple[OverlayTable | OptimizedTable, NDArray[np.int64]]:
    """Return the table and rows of a saved view, those of the copy if there is or will be one."""
    snapshot = store.on(record.branch).at(record.version)
    source = OverlayTable(StoredTable(snapshot, record.commit), Draft(), credentials, max_image_bytes=max_image_bytes)
    rows = _rows_of(store, view_id, record, source)
    if copying is None and not record.copy:
        return source, rows
    distinct = rows[np.sort(np.unique(rows, return_index=True)[1])]
    if copying is not None and not record.copy:
        record = _copied(store, view_id, record, source, distinct, copying)
    try:
        copied = Store.open(store.location.below(record.copy)).head()
    except (DatasetNotFoundError, StorageError):  # the copy is gone or damaged; the samples are not
        return source, rows
    stored = StoredTable(copied, f"{record.commit}@{view_id}")
    copy = OverlayTable(stored, Draft(), credentials, max_image_bytes=max_image_bytes)
    return OptimizedTable(source, copy, distinct), rows


def _rows_of(store: Store, view_id: str, record: ViewRecord, source: OverlayTable) -> NDArray[np.int64]:
    """Return the rows of a saved view: as they were saved, or by identity in views that were saved without them."""
    made = source.stored.snapshot.meta.get("commit")
    is_same = isinstance(made, dict) and made.get("id") == record.commit  # not another version of the same number
    rows = read_places(store.location, view_id, record) if is_same else None
    if rows is None:
        rows = source.positions(read_rows(store.location, view_id, record))
    if len(rows) and (rows.min() < 0 or rows.max() >= source.num_rows):
        raise StorageError(f"view {view_id!r} contains samples that its version does not have")
    return rows


def _copied(
    store: Store,
    view_id: str,
    record: ViewRecord,
    source: OverlayTable,
    rows: NDArray[np.int64],
    copying: Copying,
) -> ViewRecord:
    """Copy a view's samples to a place of their own, which the record names once the copy is whole."""
    name = f"views/{encoded(view_id)}.{secrets.token_hex(4)}.penstock"
    materialize(source, rows, store.location.below(name), copying)
    record = replace(record, copy=name)
    write_record(store.location, view_id, record)
    return record


def delete_saved(home: Home, view_id: str) -> None:
    """Delete a saved view and its copy."""
    delete_record(home.store, view_id, _found(home.store, view_id))
