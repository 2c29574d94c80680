"""A stored dataset: made, opened, and written one step at a time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConflictError, DatasetError, DatasetExistsError, DatasetNotFoundError
from penstock.storage._columns import UID, fields_of, table_of
from penstock.storage._fork import ENGINE, renew_in_children
from penstock.storage._location import Location
from penstock.storage._served import Refused, ServedVersion
from penstock.storage._snapshot import META_KEY, Snapshot
from penstock.storage._wrap import is_conflict, wrapped
from penstock.tensors import Cell, TensorSpec

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

__all__ = ["ROWS_PER_FILE", "Store", "open_version"]

ROWS_PER_FILE = 100_000
_SPARE = "_spare"  # rewriting columns is refused when they are all there are
_TRIES = 20
_SMALL_FILES = 8
_MESSAGE = "__lance_commit_message"
_T = TypeVar("_T")


class Store:
    """The working head of one branch of a stored dataset.

    Parameters
    ----------
    location : Location
        Where it is.
    handle : LanceDataset
        The engine's dataset.
    branch : str, optional
        The branch, None for the first one.
    """

    def __init__(self, location: Location, handle: lance.LanceDataset, branch: str | None = None) -> None:
        self.location = location
        self.branch = branch
        self._handle = handle
        renew_in_children(self)

    def renew(self) -> None:
        """Refuse to write in a forked child."""
        self._kept = self._handle
        refused: Any = Refused()
        self._handle = refused

    @classmethod
    def create(cls, location: Location, meta: Mapping[str, Any], *, overwrite: bool = False) -> Store:
        """Make an empty dataset; `overwrite` deletes the one stored there."""
        import lance
        import pyarrow as pa

        ENGINE.check()
        if location.is_file():
            raise DatasetError(f"a dataset at {location.path!r}, which is a file; expected a folder or a new path")
        if location.exists():
            if not overwrite:
                raise DatasetExistsError(
                    f"a dataset is stored at {location.path!r} already",
                    hint="penstock.load opens it; overwrite=True deletes it",
                )
            location.clear()
        schema = pa.schema(
            [pa.field(UID, pa.int64()), pa.field(_SPARE, pa.bool_())], metadata={META_KEY: json.dumps(meta)}
        )
        with wrapped(f"make a dataset at {location.path!r}"):
            handle = lance.write_dataset(
                schema.empty_table(),
                location.samples_uri,
                schema=schema,
                mode="create",
                data_storage_version="2.2",
                enable_stable_row_ids=True,
                max_rows_per_file=ROWS_PER_FILE,
            )
        return cls(location, handle)

    @classmethod
    def open(cls, location: Location, branch: str | None = None) -> Store:
        """Open the head of a branch."""
        import lance

        ENGINE.check()
        if not location.exists():
            raise DatasetNotFoundError(
                f"no dataset at {location.path!r}; expected a folder or URL that penstock wrote", hint=_hint(location)
            )
        with wrapped(f"open the dataset at {location.path!r}"):
            handle = lance.dataset(location.samples_uri)
            if branch is not None:
                handle = handle.checkout_version((branch, None))
        return cls(location, handle, branch)

    @property
    def handle(self) -> lance.LanceDataset:
        """The engine's own dataset, for this layer alone."""
        return self._handle

    def head(self) -> Snapshot:
        """Return the newest version of the branch."""
        with wrapped(f"read the newest version of {self.location.path!r}"):
            self._handle.checkout_latest()
        return self.at(self._handle.version)

    def at(self, version: int, branch: str | None = None) -> Snapshot:
        """Return one version of this branch, or of another."""
        branch = branch or self.branch
        with wrapped(f"read version {version} of {self.location.path!r}"):
            handle = self._handle.checkout_version(version if branch is None else (branch, version))
        return Snapshot(handle, self.location.path, branch)

    def _redo(self, action: str, step: Callable[[lance.LanceDataset], _T]) -> _T:
        """Do a step on the newest version, again when another writer was first."""
        with self.location.lock():
            for attempt in range(_TRIES):
                with wrapped(action):
                    self._handle.checkout_latest()
                    try:
                        return step(self._handle)
                    except Exception as error:
                        if not is_conflict(error):
                            raise
                time.sleep(random.uniform(0, 0.02 * (attempt + 1)))  # noqa: S311  jitter, no secret
        raise ConflictError(f"cannot {action}: other writers were first {_TRIES} times in a row")

    def update_meta(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Replace what the dataset says of itself by `change` of what it says now."""

        def step(handle: lance.LanceDataset) -> None:
            key = META_KEY.decode()
            before = json.loads(handle.schema.metadata[META_KEY])
            after = change(json.loads(json.dumps(before)))
            if after != before:
                handle.update_schema_metadata({key: json.dumps(after)})

        self._redo(f"change the settings of {self.location.path!r}", step)

    def add_columns(self, specs: Sequence[TensorSpec]) -> None:
        """Add the physical columns of some tensors, NULL in the rows there are."""
        import pyarrow as pa

        def step(handle: lance.LanceDataset) -> None:
            present = set(handle.schema.names)
            fields = [field for spec in specs for field in fields_of(spec) if field.name not in present]
            if fields:
                handle.add_columns(pa.schema(fields))

        self._redo(f"add tensors to {self.location.path!r}", step)

    def append(self, uids: NDArray[np.int64], columns: Mapping[TensorSpec, Sequence[Cell]]) -> None:
        """Append rows: one write, one version."""
        import lance

        table = table_of(uids, columns)

        def step(handle: lance.LanceDataset) -> None:
            lance.write_dataset(
                table,
                handle,
                mode="append",
                max_rows_per_file=ROWS_PER_FILE,
                data_storage_version="2.2",
            )

        self._redo(f"append samples to {self.location.path!r}", step)

    def rewrite(self, table: pa.Table, message: str) -> None:
        """Replace the columns of `table` in the rows of its uids; order and row ids stay."""
        import lance

        def step(handle: lance.LanceDataset) -> None:
            merge = handle.merge_insert(UID).when_matched_update_all().write_mode("rewrite_columns")
            transaction = merge.execute_uncommitted(table)[0]
            transaction.transaction_properties = {_MESSAGE: message}
            lance.LanceDataset.commit(handle, transaction)

        self._redo(f"write edits to {self.location.path!r}", step)

    def delete(self, uids: NDArray[np.int64], message: str) -> None:
        """Delete rows by identity."""
        import lance

        predicate = f"{UID} IN ({', '.join(map(str, uids.tolist()))})"

        def step(handle: lance.LanceDataset) -> None:
            touched, emptied = [], []
            found = handle.scanner(columns=[], filter=predicate, with_row_address=True).to_table()["_rowaddr"]
            files = np.unique(found.to_numpy().astype(np.uint64) >> np.uint64(32)).tolist()
            for fragment in map(handle.get_fragment, files):
                left = fragment.delete(predicate)
                if left is None:
                    emptied.append(fragment.fragment_id)
                else:
                    touched.append(left)
            if touched or emptied:
                operation = lance.LanceOperation.Delete(touched, emptied, predicate)
                lance.LanceDataset.commit(handle, operation, read_version=handle.version, commit_message=message)

        self._redo(f"delete samples of {self.location.path!r}", step)

    def restore(self, version: int, branch: str | None) -> None:
        """Make the newest version equal to an earlier one."""

        def step(handle: lance.LanceDataset) -> None:
            handle.checkout_version(version if branch is None else (branch, version)).restore()

        self._redo(f"reset {self.location.path!r}", step)

    def restored_version(self, version: int) -> int:
        """Return the version that `version` is a restored copy of, or itself."""
        with wrapped(f"read the history of {self.location.path!r}"):
            operation = self.at(version).handle.read_transaction(version).operation
        return int(operation.version) if type(operation).__name__ == "Restore" else version

    def compact(self) -> None:
        """Merge files when many are small; order and row ids stay."""

        def step(handle: lance.LanceDataset) -> None:
            small = [fragment for fragment in handle.get_fragments() if fragment.physical_rows < ROWS_PER_FILE // 2]
            if len(small) > _SMALL_FILES:
                handle.optimize.compact_files(target_rows_per_fragment=ROWS_PER_FILE)

        self._redo(f"compact {self.location.path!r}", step)


def open_version(path: str, branch: str | None, version: int) -> Snapshot:
    """Return a version to read, in a forked child too."""
    if ENGINE.works_here:
        return Store.open(Location(path), branch).at(version)
    served: Any = ServedVersion(path, branch, version)
    return Snapshot(served, path, branch)


def _hint(location: Location) -> str | None:
    """Name a dataset beside the wrong path."""
    from pathlib import Path

    from penstock.errors import nearest

    parent = Path(location.path).parent
    if location.is_remote or not parent.is_dir():
        return None if location.is_remote else f"there is no folder {str(parent)!r}"
    beside = [entry.name for entry in parent.iterdir() if (entry / "samples.lance").is_dir()]
    like = nearest(Path(location.path).name, beside)
    return (
        f"did you mean {str(parent / like)!r}?"
        if like
        else "penstock.empty makes one, penstock.from_coco and its siblings import one"
    )
