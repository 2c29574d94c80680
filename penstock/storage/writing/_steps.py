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

__all__ = ["ROWS_PER_FILE", "Steps", "append_operation", "delete_operation", "meta_operation", "missing_fields"]

ROWS_PER_FILE = 100_000


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

    def rewrite(self, table: pa.Table) -> None:
        """Replace the columns of `table` in the rows of its uids; order and row ids stay."""
        if table.column_names == [UID]:
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


def delete_operation(handle: lance.LanceDataset, uids: NDArray[np.int64]) -> Any:
    """Write deletion marks and return the operation that makes them true; None where no row has such a uid."""
    import lance

    predicate = f"{UID} IN ({', '.join(map(str, uids.tolist()))})"
    found = handle.scanner(columns=[], filter=predicate, with_row_address=True).to_table()["_rowaddr"]
    files = np.unique(found.to_numpy().astype(np.uint64) >> np.uint64(32)).tolist()
    touched, emptied = [], []
    for fragment in map(handle.get_fragment, files):
        left = fragment.delete(predicate)
        if left is None:
            emptied.append(fragment.fragment_id)
        else:
            touched.append(left)
    return lance.LanceOperation.Delete(touched, emptied, predicate) if touched or emptied else None


def missing_fields(handle: lance.LanceDataset, specs: Sequence[TensorSpec]) -> list[pa.Field]:
    """Return the physical columns of some tensors that the dataset lacks."""
    present = set(handle.schema.names)
    return [field for spec in specs for field in fields_of(spec) if field.name not in present]
