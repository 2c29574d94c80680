"""One sample at many versions, found without reading the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock.storage._wrap import wrapped
from penstock.storage.reading._columns import UID
from penstock.storage.reading._snapshot import Snapshot

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

    from penstock.storage.writing._store import Store

__all__ = ["SampleStates", "Stamp", "names_at"]

Stamp = tuple[int, int]  # the engine's marks of the steps that created and last wrote a row
_ROW_ID = "_rowid"
_STAMP = ("_row_created_at_version", "_row_last_updated_at_version")


def names_at(snapshot: Snapshot, row: int) -> tuple[int, int]:
    """Return the identity of the sample at a row of a version, and the engine's number of it."""
    place = snapshot.place_of(row)
    with wrapped(f"read a sample of {snapshot.path!r}"):
        found = snapshot.handle.take([place], columns=[UID, _ROW_ID])
    return int(found[UID][0].as_py()), int(found[_ROW_ID][0].as_py())


class SampleStates:
    """A sample, by its identity, at any version of any branch.

    The engine finds a row by its number without reading other rows. Only its number has to be looked for by the
    sample's identity, and then each file is searched once, whatever number of versions share it.

    Parameters
    ----------
    store : Store
        The dataset.
    uid : int
        The sample.
    """

    def __init__(self, store: Store, uid: int) -> None:
        self._store = store
        self._uid = uid
        self._searched: set[tuple[Any, ...]] = set()

    def snapshot(self, branch: str | None, version: int) -> Snapshot:
        """Return a version."""
        return self._store.on(branch).at(version)

    @cached_property
    def _uid_field(self) -> int:
        fields = self._store.handle.lance_schema.fields()
        return next(int(field.id()) for field in fields if field.name() == UID)

    def find(self, snapshot: Snapshot) -> int | None:
        """Return the number of the sample's row in a version, None if it is not there."""
        with wrapped(f"look for a sample of {snapshot.path!r}"):
            for fragment in snapshot.handle.get_fragments():
                key = self._key(fragment)
                if key in self._searched:
                    continue
                found = fragment.to_table(columns=[], filter=f"{UID} = {self._uid}", with_row_id=True)
                if found.num_rows:
                    return int(found[_ROW_ID][0].as_py())
                self._searched.add(key)
        return None

    def _key(self, fragment: lance.LanceFragment) -> tuple[Any, ...]:
        """Return what tells the identities in a fragment: the file they are in, and which rows are deleted."""
        meta = fragment.metadata
        files = tuple((data.base_id, data.path) for data in meta.files if self._uid_field in data.fields)
        marks = meta.deletion_file
        return (*files, None if marks is None else (marks.base_id, marks.path(meta.id)))

    def stamp(self, snapshot: Snapshot, row_id: int) -> Stamp | None:
        """Return the marks of the sample's row in a version; None if the row is not there, or is of another sample."""
        table = self.row(snapshot, row_id, (UID, *_STAMP))
        if not table.num_rows or table[UID][0].as_py() != self._uid:
            return None
        created, updated = (int(table[name][0].as_py() or 0) for name in _STAMP)
        return created, updated

    def row(self, snapshot: Snapshot, row_id: int, columns: Sequence[str]) -> pa.Table:
        """Return columns of one row of a version, by its number."""
        with wrapped(f"read a sample of {snapshot.path!r}"):
            return snapshot.handle.to_table(columns=list(columns), filter=f"{_ROW_ID} = {row_id}")
