"""A stored dataset: created, opened, and written one step at a time."""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConflictError, DatasetError, DatasetExistsError, DatasetNotFoundError, StorageError
from penstock.storage._fork import ENGINE, renew_in_children
from penstock.storage._location import Location
from penstock.storage._readers import hold
from penstock.storage._version_files import record_of, root_of
from penstock.storage._wrap import is_conflict, wrapped
from penstock.storage.reading._cached_version import CachedVersion
from penstock.storage.reading._columns import UID, column_names, table_of
from penstock.storage.reading._served import Refused, ServedVersion
from penstock.storage.reading._snapshot import ID, META_KEY, Snapshot
from penstock.storage.reading._stored_version import StoredVersion
from penstock.storage.writing._compaction import all_options, compacted, sizes, small_options
from penstock.storage.writing._files import names_in, secure
from penstock.storage.writing._fragments import from_texts
from penstock.storage.writing._landing import KIND, land, latest, settled
from penstock.storage.writing._publishing import complete_replacement, replaced_in_store
from penstock.storage.writing._steps import (
    ROWS_PER_FILE,
    Steps,
    append_operation,
    delete_operation,
    meta_operation,
    missing_fields,
)
from penstock.tensors import Cell, TensorSpec

if TYPE_CHECKING:
    import lance

__all__ = ["ROWS_PER_FILE", "Store", "open_version"]

_SPARE = "_spare"  # rewriting columns is refused when they are all there are
_TRIES = 20
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
        """Create an empty dataset; `overwrite` deletes an existing one."""
        import lance
        import pyarrow as pa

        ENGINE.check()
        if location.is_file():
            raise DatasetError(f"{location.path!r} is a file. Expected a folder or a new path")
        _recover(location)
        if location.exists() and not overwrite:
            raise DatasetExistsError(
                f"a dataset already exists at {location.path!r}",
                hint="use penstock.load to open it, or overwrite=True to delete it",
            )
        schema = pa.schema(
            [pa.field(UID, pa.int64()), pa.field(_SPARE, pa.bool_())],
            metadata={META_KEY: json.dumps({**meta, ID: secrets.token_hex(8)})},
        )
        with wrapped(f"create a dataset at {location.path!r}"), _replaced(location, overwrite=overwrite) as uri:
            lance.write_dataset(
                schema.empty_table(),
                uri,
                schema=schema,
                mode="create",
                data_storage_version="2.2",
                enable_stable_row_ids=True,
                max_rows_per_file=ROWS_PER_FILE,
                storage_options=location.engine_options(),
            )
        return cls.open(location)

    @classmethod
    def open(cls, location: Location, branch: str | None = None) -> Store:
        """Open the head of a branch."""
        import lance

        ENGINE.check()
        _recover(location)
        if not location.exists():
            raise DatasetNotFoundError(
                f"there is no dataset at {location.path!r}. Expected a folder or URL written by penstock",
                hint=_hint(location),
            )
        location.step_over_torn(branch)
        with wrapped(f"open the dataset at {location.path!r}"):
            handle = lance.dataset(location.samples_uri, storage_options=location.engine_options())
            if branch is not None:
                handle = handle.checkout_version((branch, None))
        return cls(location, handle, branch)

    def on(self, branch: str | None) -> Store:
        """Return the working head of another branch."""
        if branch == self.branch:
            return self
        action = f"open branch {branch or 'main'!r} of {self.location.path!r}"
        with suppress(StorageError), wrapped(action):
            return Store(self.location, latest(self._handle, branch), branch)
        self.location.step_over_torn(branch)
        with wrapped(action):
            return Store(self.location, latest(self._handle, branch), branch)

    @property
    def handle(self) -> lance.LanceDataset:
        """The engine's own dataset, for use in this room only; it never changes version, so threads may share it."""
        return self._handle

    def own_handle(self) -> lance.LanceDataset:
        """Return a handle of one's own, to change something through: the engine refuses that while others read."""
        return latest(self._handle, self.branch)

    def head(self) -> Snapshot:
        """Return the newest version of the branch."""
        with wrapped(f"read the newest version of {self.location.path!r}"):
            return self._snapshot(self._latest())

    def latest_version(self) -> int:
        """Return the number of the branch's newest version, whoever wrote it; nothing is read but names."""
        with wrapped(f"read the newest version of {self.location.path!r}"):
            return int(self._handle.latest_version)

    def at(self, version: int) -> Snapshot:
        """Return one version of this branch; a number names it only together with the branch."""
        with wrapped(f"read version {version} of {self.location.path!r}"):
            return self._snapshot(self._handle.checkout_version((self.branch, version)))

    def hold(self, snapshot: Snapshot) -> bool:
        """Keep a version of this branch from being cleaned up while its snapshot exists; tell whether it is there."""
        if self.location.is_remote:
            return True
        home = Path(self.location.path)
        record = home / self._folder / "_versions" / record_of(snapshot.version)
        return hold(home, snapshot, snapshot.branch, snapshot.version, record)

    def _snapshot(self, handle: lance.LanceDataset) -> Snapshot:
        stored = StoredVersion(handle, self.location.path, self.branch)
        cache = self.location.cache if self.location.is_remote else None
        return Snapshot(stored if cache is None else CachedVersion(stored, cache), self.location, self.branch)

    def _latest(self) -> lance.LanceDataset:
        return (settled if self.location.is_remote else latest)(self._handle, self.branch)

    def _redo(self, action: str, step: Callable[[lance.LanceDataset], _T | None]) -> _T:
        """Do a step on the newest version, again when another writer was first or the step says None."""
        # other threads and processes of this machine wait at the lock; writers elsewhere are seen as conflicts
        with self.location.lock():
            for attempt in range(_TRIES):
                with wrapped(action):
                    try:
                        done = step(self._latest())
                    except BaseException as error:
                        if not is_conflict(error):
                            raise
                    else:
                        if done is not None:
                            return done
                time.sleep(random.uniform(0, 0.02 * (attempt + 1)))  # noqa: S311  jitter, no secret
        raise ConflictError(f"cannot {action}: other processes wrote first {_TRIES} times in a row")

    def transact(
        self,
        action: str,
        kind: str,
        change: Callable[[Steps], None],
        *,
        start: int | None = None,
    ) -> int:
        """Apply `change` and make the result the newest version in one transaction; return its number.

        Parameters
        ----------
        action : str
            What is done, for messages.
        kind : str
            What is recorded next to the version.
        change : callable
            Is handed `Steps` over the newest version, again when another writer was first.
        start : int, optional
            The version of this branch the changes start from; by default the newest.
        """
        import lance

        def step(handle: lance.LanceDataset) -> int | None:
            steps = Steps(
                handle if start is None else handle.checkout_version((self.branch, start)),
                self.location,
                self.branch,
            )
            change(steps)
            if not steps.detached:
                return int(handle.version)
            operation = lance.LanceOperation.Restore(steps.detached[-1])
            made = self._land(handle, operation, {KIND: kind}, new=self._new_files(handle, steps.handle))
            self._forget(steps.records)
            return None if made is None else int(made.version)

        return self._redo(action, step)

    # ---- landing: whole files, one version, on the disk ------------------------------------------

    def _land(
        self,
        handle: lance.LanceDataset,
        operation: Any,
        properties: Mapping[str, str],
        *,
        new: Mapping[str, int | None],
    ) -> lance.LanceDataset | None:
        """Apply an operation to the newest version; None if another process was first.

        The files it names are on the disk before it, and its record when this returns.
        """
        secure(self.location, self.branch, new)
        self.location.check_lock()
        made = land(handle, self.branch, operation, properties, base=int(handle.version))
        if made is not None:
            self._sync(made)
        return made

    def _new_files(self, before: lance.LanceDataset, after: lance.LanceDataset) -> dict[str, int | None]:
        if self.location.is_remote:
            return {}
        known = names_in(fragment.metadata for fragment in before.get_fragments())
        now = names_in(fragment.metadata for fragment in after.get_fragments())
        return {name: size for name, size in now.items() if name not in known}

    def sync(self) -> None:
        """Sync the record of the newest version."""
        with wrapped(f"sync the newest version of {self.location.path!r}"):
            self._sync(self._latest())

    def _sync(self, made: lance.LanceDataset) -> None:
        """Sync the record of a version; its files were synced before."""
        self._sync_version(int(made.version))

    def _sync_version(self, version: int) -> None:
        if not self.location.is_remote:  # the record also says how it was created
            self.location.sync_version(f"{self._folder}/_versions/{record_of(version)}")

    @property
    def _folder(self) -> str:
        return root_of(self.branch)

    def _forget(self, records: Sequence[str]) -> None:
        """Delete the records of versions that only led to another one; leftovers do no harm."""
        with suppress(StorageError):
            self.location.delete([f"{self._folder}/{record}" for record in records])

    def update_meta(self, change: Callable[[dict[str, Any]], dict[str, Any]], action: str | None = None) -> None:
        """Replace what the dataset says of itself by `change` of what it says now."""

        def step(handle: lance.LanceDataset) -> bool | None:
            before = json.loads(handle.schema.metadata[META_KEY])
            after = change(json.loads(json.dumps(before)))
            if after == before:
                return True
            return self._land(handle, meta_operation(after), {}, new={}) is not None or None

        self._redo(action or f"change the settings of {self.location.path!r}", step)

    def add_columns(self, specs: Sequence[TensorSpec]) -> None:
        """Add the physical columns of some tensors, NULL in existing rows; they are invisible without the specs."""
        import pyarrow as pa

        def step(handle: lance.LanceDataset) -> bool:
            fields = missing_fields(handle, specs)
            if fields:
                handle.add_columns(pa.schema(fields))
                self._sync(handle)
            return True

        self._redo(f"add tensors to {self.location.path!r}", step)

    def drop_columns(self, specs: Iterable[TensorSpec], *, only: Iterable[str] | None = None) -> None:
        """Drop columns that belong to no tensor, and those with the names of a new tensor if requested."""
        kept = {UID, _SPARE, *(name for spec in specs for name in column_names(spec))}
        wanted = None if only is None else set(only)

        def step(handle: lance.LanceDataset) -> bool:
            left = [name for name in handle.schema.names if name not in kept and (wanted is None or name in wanted)]
            if left:
                handle.drop_columns(left)
                self._sync(handle)
            return True

        self._redo(f"drop columns of {self.location.path!r}", step)

    def append(self, uids: NDArray[np.int64], columns: Mapping[TensorSpec, Sequence[Cell]]) -> None:
        """Append rows: one write, one version."""
        table = table_of(uids, columns)

        def step(handle: lance.LanceDataset) -> bool | None:
            operation = append_operation(handle, table)
            return self._land(handle, operation, {}, new=names_in(operation.fragments)) is not None or None

        self._redo(f"append samples to {self.location.path!r}", step)

    def append_files(self, files: Sequence[str]) -> None:
        """Append the rows of files that `write_rows` wrote, in their order: one version."""
        import lance

        def step(handle: lance.LanceDataset) -> bool | None:
            operation = lance.LanceOperation.Append(from_texts(files))
            return self._land(handle, operation, {}, new=names_in(operation.fragments)) is not None or None

        if files:
            self._redo(f"append samples to {self.location.path!r}", step)

    def sweep_files(self) -> None:
        """Delete files without rows, as tasks that died leave them; nobody else may be writing to the dataset."""
        with wrapped(f"delete files of {self.location.path!r}"):
            named = names_in(fragment.metadata for fragment in self._latest().get_fragments())
            there = self.location.names(f"{self._folder}/data")
            self.location.delete([name for name in there if name.removeprefix(f"{self._folder}/") not in named])

    def delete(self, uids: NDArray[np.int64], message: str, near: Sequence[int] | None = None) -> None:
        """Delete rows by identity; `near` are the fragments that had them in the version they were chosen from."""

        def step(handle: lance.LanceDataset) -> bool | None:
            operation = delete_operation(handle, uids, near)
            if operation is None:
                return True
            new = names_in(operation.updated_fragments)
            return self._land(handle, operation, {_MESSAGE: message}, new=new) is not None or None

        self._redo(f"delete samples of {self.location.path!r}", step)

    def compact(self, *, everything: bool = False) -> tuple[tuple[int, int], tuple[int, int]]:
        """Merge files where many are small; order and row ids stay. Return files and deleted rows before and after.

        `everything`: merge all that can be, and drop deleted rows.
        """

        def step(handle: lance.LanceDataset) -> tuple[tuple[int, int], tuple[int, int]]:
            before = sizes(handle)
            options = all_options() if everything else small_options(handle)
            start = int(handle.version)
            if options is not None and compacted(handle, options, self._secure):
                for version in range(start + 1, int(handle.version) + 1):  # numbers are reserved by one of their own
                    self._sync_version(version)
            return before, sizes(handle)

        return self._redo(f"compact {self.location.path!r}", step)

    def _secure(self, files: Mapping[str, int | None]) -> None:
        secure(self.location, self.branch, files)


def _recover(location: Location) -> None:
    """Complete or take back what a process that died was about to do."""
    location.recover()
    complete_replacement(location)


def _replaced(location: Location, *, overwrite: bool) -> AbstractContextManager[str]:
    return replaced_in_store(location) if location.is_remote else location.replaced(overwrite=overwrite)


def open_version(location: Location, branch: str | None, version: int) -> Snapshot:
    """Return a version to read, in a forked child too."""
    if ENGINE.works_here:
        return Store.open(location, branch).at(version)
    return Snapshot(ServedVersion(location, branch, version), location, branch)


def _hint(location: Location) -> str | None:
    """Suggest a dataset with a similar path."""
    from penstock._wording import nearest

    parent = Path(location.path).parent
    if location.is_remote or not parent.is_dir():
        return None if location.is_remote else f"the folder {str(parent)!r} does not exist"
    beside = [entry.name for entry in parent.iterdir() if (entry / "samples.lance").is_dir()]
    like = nearest(Path(location.path).name, beside)
    return (
        f"did you mean {str(parent / like)!r}?"
        if like
        else "use penstock.empty to create a dataset, or an importer such as penstock.from_coco"
    )
