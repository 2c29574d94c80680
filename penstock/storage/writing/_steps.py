"""Several changes prepared aside, and the one step that makes them the newest version."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage._location import Location
from penstock.storage.reading._columns import UID, fields_of, table_of
from penstock.storage.reading._snapshot import META_KEY, Snapshot
from penstock.storage.reading._stored_version import StoredVersion
from penstock.tensors import Cell, TensorSpec

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

__all__ = [
    "ROWS_PER_FILE",
    "Steps",
    "append_operation",
    "delete_operation",
    "meta_operation",
    "missing_fields",
    "rewrite_operation",
]

ROWS_PER_FILE = 100_000
_FEW_FRAGMENTS = 16  # up to which rewriting one by one is faster than looking for the rows in all


class Steps:
    """Changes made one after the other on detached versions that no reader sees.

    Each is a detached version of the engine: outside the history, reached by number alone.
    Restoring the last of them is one transaction, so a reader or a crash finds all of the changes or none.

    Parameters
    ----------
    handle : LanceDataset
        The version the changes start from.
    location : Location
        Where the dataset is, for messages.
    branch : str or None
        Its branch.
    """

    def __init__(self, handle: lance.LanceDataset, location: Location, branch: str | None) -> None:
        self._handle = handle
        self._location = location
        self._branch = branch
        self.detached: list[int] = []
        self.records: list[str] = []  # of the detached versions and of what made each, below the branch

    @property
    def handle(self) -> lance.LanceDataset:
        """The engine's dataset as the changes so far leave it."""
        return self._handle

    def snapshot(self) -> Snapshot:
        """Return what the changes so far leave."""
        return Snapshot(StoredVersion(self._handle, self._location.path, self._branch), self._location, self._branch)

    def _take(self, operation: Any) -> None:
        import lance

        made = isinstance(operation, lance.Transaction)
        step = operation if made else lance.Transaction(int(self._handle.version), operation)
        self._handle = lance.LanceDataset.commit(self._handle, step, detached=True)
        self.detached.append(int(self._handle.version))
        self.records += [
            f"_versions/d{self.detached[-1]}.manifest",
            f"_transactions/{step.read_version}-{step.uuid}.txn",
        ]

    def rewrite(self, table: pa.Table, fragments: Sequence[int] | None = None) -> None:
        """Replace the columns of `table` in the rows of its uids; order and row ids stay.

        `fragments` are the numbers of those that have all of these rows, where that is known: only they are read.
        """
        if table.column_names == [UID]:
            return
        if fragments is not None and len(fragments) <= _FEW_FRAGMENTS:
            self._take(rewrite_operation(self._handle, table, fragments))
            return
        merge = self._handle.merge_insert(UID).when_matched_update_all().write_mode("rewrite_columns")
        self._take(merge.execute_uncommitted(table)[0])

    def delete(self, uids: NDArray[np.int64]) -> None:
        """Delete rows by identity."""
        operation = delete_operation(self._handle, uids)
        if operation is not None:
            self._take(operation)

    def append(self, uids: NDArray[np.int64], columns: Mapping[TensorSpec, Sequence[Cell]]) -> None:
        """Append rows."""
        self._take(append_operation(self._handle, table_of(uids, columns)))

    @property
    def meta(self) -> dict[str, Any]:
        """The metadata of the dataset after the changes so far."""
        meta: dict[str, Any] = json.loads(self._handle.schema.metadata[META_KEY])
        return meta

    def set_meta(self, change: Callable[[dict[str, Any]], dict[str, Any]], *, always: bool = False) -> None:
        """Replace what the dataset says of itself by `change` of what it says now; `always` also where it is equal."""
        after = change(self.meta)
        if always or after != self.meta:
            self._take(meta_operation(after))


def meta_operation(meta: Mapping[str, Any]) -> Any:
    """Return the operation that replaces what the dataset says of itself."""
    import lance

    update = lance.LanceOperation.UpdateMap(updates={META_KEY.decode(): json.dumps(meta)})
    return lance.LanceOperation.UpdateConfig(schema_metadata_updates=update)


def append_operation(handle: lance.LanceDataset, table: pa.Table) -> Any:
    """Write rows to new files and return the operation that adds them to the dataset."""
    import lance

    fragments = lance.fragment.write_fragments(
        table, handle, mode="append", max_rows_per_file=ROWS_PER_FILE, data_storage_version="2.2"
    )
    return lance.LanceOperation.Append(fragments)


def rewrite_operation(handle: lance.LanceDataset, table: pa.Table, fragments: Sequence[int]) -> Any:
    """Write the columns of `table` anew in some fragments, and return the operation that makes them true."""
    import lance

    updated, fields, offsets = [], set(), {}
    for number in fragments:
        fragment = handle.get_fragment(number)
        made, changed, rows = fragment.update_columns(table, left_on=UID, with_offsets=True)
        updated.append(made)
        fields.update(changed)
        offsets[number] = rows
    lists = {field.id() for field in handle.lance_schema.fields() if field.name() in table.column_names[1:]}
    return lance.LanceOperation.Update(
        updated_fragments=updated,
        fields_modified=sorted({*fields, *lists}),  # of a list also its own number, or an index would not follow
        update_mode="rewrite_columns",
        updated_fragment_offsets=offsets,
    )


def delete_operation(handle: lance.LanceDataset, uids: NDArray[np.int64], near: Sequence[int] | None = None) -> Any:
    """Write deletion marks and return the operation that makes them true; None where no row has such a uid.

    `near` are the fragments that had the rows in the version they were chosen from: these are searched first.
    """
    import lance

    predicate = f"{UID} IN ({', '.join(map(str, uids.tolist()))})"
    files = _files_with(handle, predicate, near) if near is not None else []
    if sum(found for _, found in files) < len(uids):  # another writer moved them: all are searched
        files = _files_with(handle, predicate, None)
    touched, emptied = [], []
    for fragment in (handle.get_fragment(number) for number, _ in files):
        left = fragment.delete(predicate)
        if left is None:
            emptied.append(fragment.fragment_id)
        else:
            touched.append(left)
    return lance.LanceOperation.Delete(touched, emptied, predicate) if touched or emptied else None


def _files_with(handle: lance.LanceDataset, predicate: str, near: Sequence[int] | None) -> list[tuple[int, int]]:
    """Return the fragments that have rows of a predicate, and how many; `near` alone are searched if given."""
    known = {fragment.fragment_id: fragment for fragment in handle.get_fragments()}
    chosen = None if near is None else [known[number] for number in near if number in known]
    if chosen is not None and not chosen:
        return []
    scanner = handle.scanner(columns=[], filter=predicate, with_row_address=True, fragments=chosen)
    found = scanner.to_table()["_rowaddr"].to_numpy().astype(np.uint64) >> np.uint64(32)
    numbers, counts = np.unique(found, return_counts=True)
    return list(zip(numbers.tolist(), counts.tolist(), strict=True))


def missing_fields(handle: lance.LanceDataset, specs: Sequence[TensorSpec]) -> list[pa.Field]:
    """Return the physical columns of some tensors that the dataset lacks."""
    present = set(handle.schema.names)
    return [field for spec in specs for field in fields_of(spec) if field.name not in present]
