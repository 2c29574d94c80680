"""The edits of one session: in memory, in files next to the dataset, and the state they are based on."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.errors import DraftHeldError, StorageError
from penstock.storage import Holder, Store, decoded, draft_lock
from penstock.table import (
    Draft,
    DraftFile,
    DraftNote,
    DraftPart,
    StoredTable,
    class_keys,
    delete_drafts,
    draft_files,
    draft_folder,
    merged_into,
    new_index,
    read_drafts,
    write_draft,
)
from penstock.tensors import Cell

__all__ = ["Drafts", "Pending"]

_MANY = 64
_Cells = Mapping[int, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Edits that are about to be committed.

    Parameters
    ----------
    draft : Draft
        The edits.
    over : mapping of str to mapping of int to int
        For each tensor, the version each edit was made over.
    lost : sequence of (str, int)
        Tensor and uid of labels whose class is no more.
    """

    draft: Draft
    over: Mapping[str, Mapping[int, int]]
    lost: Sequence[tuple[str, int]]


class Drafts:
    """The draft of a session.

    It takes over the files it finds when it opens, and after that only its own: what another session writes
    meanwhile is that session's to commit. Files of another process that still runs are shown, and not part of it.
    Before it changes anything it claims the draft; until it is empty again, or its process has ended, other
    processes cannot.

    Parameters
    ----------
    store : Store
        The branch.
    stored : StoredTable
        The newest version.
    tidy : bool
        Whether files may be deleted and joined, and edits made.
    sessions : collection of str, optional
        The sessions whose files are shown, of a dataset that another process opened.
    """

    def __init__(
        self, store: Store, stored: StoredTable, *, tidy: bool, sessions: Collection[str] | None = None
    ) -> None:
        self._store = store
        self._session = secrets.token_hex(4)
        self._counter = 0
        self._tried = 0  # the last file of this session, also where writing it seemed to fail
        self._lock = draft_lock(store.location, draft_folder(store.branch)) if tidy else None
        self._turn = 0  # of the lock in which the files were read last
        self._sessions = sessions
        self.held: Holder | None = None  # the process whose edits were there
        self._empty()
        self._keys = _keys_of(stored)
        stale = self._read(stored, lambda file: sessions is None or file.session in sessions)
        if self._lock is not None:
            self._lock.join(self, self._session)
            delete_drafts(store.location, stale)
            if self.files:
                self.held = self._lock.holder()  # asked after they were read: it may just have begun
            if self.held is not None:
                self._lend()

    def _empty(self) -> None:
        self.draft = Draft()
        self.files: list[DraftFile] = []
        self.others: list[DraftFile] = []  # of edits that are shown, and another process's: the draft has no more then
        self.lost: list[tuple[str, int]] = []  # tensor and uid of labels whose class is no more
        self.over: dict[str, dict[int, int]] = {}  # for each tensor, the version each edit was made over

    def _lend(self) -> None:
        """Show the edits that were read as those of another process."""
        self.others, self.files, self.lost, self.over = self.files, [], [], {}

    def _read(self, stored: StoredTable, ours: Callable[[DraftFile], bool]) -> list[DraftFile]:
        """Read the files that count and are ours; return those that count no more."""
        parts, stale = read_drafts(
            self._store.location,
            self._store.branch,
            stored.specs,
            dataset=_id_of(stored),
            committed=committed_drafts(stored),
            wanted=ours,  # others may be of a version that is not read yet
        )
        found = [part for part in parts if ours(part.file)]
        self._empty()
        for part in found:
            self._adopt(part, stored)
        self._counter = max((file.counter for file in (*(part.file for part in parts), *stale)), default=self._counter)
        self._left = [part for part in parts if part not in found]
        return stale

    # ---- who may change it -----------------------------------------------------------------------

    def claim(self, stored: StoredTable, *, over: bool = False) -> bool:
        """Be the one process that changes the draft; return whether the edits may have changed until then.

        Parameters
        ----------
        stored : StoredTable
            The newest version.
        over : bool
            Whether the draft of another process is taken over, with the edits of those that have ended.

        Raises
        ------
        DraftHeldError
            If another process holds it.
        """
        lock = self._lock
        if lock is None:
            return False
        holder = lock.take(self, over=over)
        if holder is not None:
            branch = self._store.branch
            raise DraftHeldError(self._store.location.path, "main" if branch is None else decoded(branch), holder)
        turn, here = lock.turn, lock.others(self)
        if self._turn == turn and not over:
            return False
        if over:
            self._read(stored, lambda file: file.session not in here or self._knows(file))
        else:
            self._read(stored, self._knows)
            self._warn_of_left(here)
        self._turn = turn
        if len(self.files) > _MANY:
            self.replace(lambda draft: draft, stored)
        return True

    def _knows(self, file: DraftFile) -> bool:
        return file.session == self._session or file in self.files

    def num_left(self, stored: StoredTable) -> int:
        """Return how many edits processes that have ended left, which are not part of this session."""
        if self._lock is None or self._lock.holder() is not None:
            return 0
        store, here = self._store, {self._session, *self._lock.others(self)}
        committed = committed_drafts(stored)
        parts, _ = read_drafts(store.location, store.branch, stored.specs, dataset=_id_of(stored), committed=committed)
        return _num_edits(part for part in parts if part.file.session not in here and part.file not in self.files)

    def _warn_of_left(self, here: Collection[str]) -> None:
        if any(part.file.session not in here for part in self._left):
            warnings.warn(
                f"another process left uncommitted edits of {self._store.location.path!r}, which are not part of "
                "this session. ds.take_over() adds them, and so does opening the dataset again",
                UserWarning,
                stacklevel=8,  # the assignment of the user
            )

    def leave(self) -> None:
        """Let other processes change the draft."""
        if self._lock is not None:
            self._lock.leave(self)

    @property
    def is_empty(self) -> bool:
        """Whether this session has no edits, nor labels whose class is no more."""
        return bool(self.others) or (not self.draft and not self.lost)

    def hide_others(self) -> bool:
        """Show no edits of another process, before something is done with the draft; return whether there were any."""
        lock = self._lock
        if self.files and lock is not None and not lock.is_held_for(self) and lock.holder() is not None:
            self._lend()
        if not self.others:
            return False
        self._empty()
        return True

    def show_others(self, stored: StoredTable) -> None:
        """Show the edits of another process again, as they are now, unless there are some of this session."""
        if self.is_empty:
            with suppress(StorageError):  # they may be of a version that is not read yet
                self._read(stored, lambda _: True)
            self._lend()

    @property
    def holder(self) -> Holder | None:
        """The other process that holds the draft, if there is one."""
        return None if self._lock is None else self._lock.holder()

    @property
    def sessions(self) -> Collection[str] | None:
        """The sessions whose edits these are; None where all are shown."""
        if self._lock is None:
            return self._sessions
        return frozenset({self._session, *(file.session for file in (*self.files, *self.others))})

    def _adopt(self, part: DraftPart, stored: StoredTable) -> None:
        """Adopt the edits of a file: labels by the current class indices, without deleted samples."""
        self.files.append(part.file)
        for tensor, cells in part.edits.items():
            kept = self._translated(tensor, _present(cells, stored), part.note.keys.get(tensor, ()), stored)
            self.add(tensor, kept, part.note.version)

    def _translated(self, tensor: str, cells: _Cells, keys: Sequence[str], stored: StoredTable) -> _Cells:
        """Return labels written under one list of classes as indices of today's."""
        meta = stored.snapshot.meta
        index = new_index(keys, class_keys(meta, tensor), merged_into(meta, tensor)) if keys else None
        if index is None:
            return cells
        found = {}
        for uid, cell in cells.items():
            labels = index[np.asarray(cell.value, np.int64)] if cell.value is not None else None
            if labels is not None and (labels < 0).any():
                self.lost.append((tensor, uid))
            else:
                found[uid] = cell if labels is None else Cell(value=labels)
        return found

    def add(self, tensor: str, cells: _Cells, version: int) -> None:
        """Add edits in memory; the base of an earlier edit of a sample stays."""
        self.draft = self.draft.with_edits(tensor, cells)
        over = self.over.setdefault(tensor, {})
        for uid in cells:
            over.setdefault(uid, version)

    def follow(self, stored: StoredTable) -> None:
        """Move to another version: labels follow classes that another session renumbered.

        Where another process may have changed the edits that are shown, they are read again.
        """
        keys = _keys_of(stored)
        if not self._is_followed(stored):
            self._keys = keys
            return
        for tensor, cells in self.draft.edits.items():
            then = self._keys.get(tensor, ())
            if cells and keys.get(tensor, ())[: len(then)] != then:
                moved = self._translated(tensor, cells, then, stored)
                self.draft = self.draft.without(None, tensor).with_edits(tensor, moved)
        self._keys = keys

    def _is_followed(self, stored: StoredTable) -> bool:
        """Return whether memory has the edits; else read them again: another process may have changed them."""
        if self._lock is None:
            self._read(stored, lambda file: self._sessions is None or file.session in self._sessions)
        elif self.others:
            self.show_others(stored)
        elif self.files and not self._lock.is_held_for(self):
            self._read(stored, self._knows)
            if self._lock.holder() is not None:
                self._lend()
        else:
            return True
        return False

    # ---- files -----------------------------------------------------------------------------------

    def pending(self, uids: Collection[int] | None) -> Pending:
        """Return the edits of some samples, or all, to commit; labels whose class is no more always count."""
        draft = self.draft if uids is None else self.draft.only(set(uids))
        return Pending(draft=draft, over=self.over, lost=tuple(self.lost))

    def save(self, edits: Draft, stored: StoredTable, keys: Mapping[str, Sequence[str]]) -> None:
        """Write edits to a file of their own; `keys`: the classes that labels are indices of, if not those of now."""
        self.files.append(self._written(edits, stored, stored.snapshot.version, {}, keys))

    def save_again(self, edits: Draft, stored: StoredTable) -> list[DraftFile]:
        """Write edits that are kept to files of their own, over the versions they were made over; return the files."""
        return self._rewritten(edits, stored, {})

    def _rewritten(self, edits: Draft, stored: StoredTable, replaces: Mapping[str, int]) -> list[DraftFile]:
        """Write edits, a file for each version they were made over; the last one replaces others, if any."""
        groups = self._by_base(edits) or {stored.snapshot.version: Draft()}
        made = []
        for version in sorted(groups):
            made.append(self._written(groups[version], stored, version, replaces if version == max(groups) else {}))
            self.files.append(made[-1])
        return made

    def _by_base(self, edits: Draft) -> dict[int, Draft]:
        """Return edits by the version they were made over."""
        found: dict[int, Draft] = {}
        for tensor, cells in edits.edits.items():
            over = self.over.get(tensor, {})
            groups: dict[int, dict[int, Cell]] = {}
            for uid, cell in cells.items():
                groups.setdefault(over.get(uid, -1), {})[uid] = cell
            for version, group in groups.items():
                found[version] = found.get(version, Draft()).with_edits(tensor, group)
        return found

    def _written(
        self,
        edits: Draft,
        stored: StoredTable,
        version: int,
        replaces: Mapping[str, int],
        keys: Mapping[str, Sequence[str]] | None = None,
    ) -> DraftFile:
        self._counter += 1
        self._tried = self._counter
        known = {**self._keys, **{name: tuple(each) for name, each in (keys or {}).items()}}
        note = DraftNote(
            dataset=_id_of(stored),
            version=version,
            keys={name: known[name] for name in edits.edits if name in known},
            replaces=replaces,
        )
        store = self._store
        return write_draft(
            store.location, store.branch, stored.specs, edits, note, session=self._session, counter=self._counter
        )

    def replace(self, change: Callable[[Draft], Draft], stored: StoredTable) -> None:
        """Replace all files of the draft by its edits with `change` applied; the last file is the step that counts."""
        draft = change(self.draft)
        if self.files:
            made = self._rewritten(draft, stored, self.largest())
            gone = [file for file in self.files if file not in made]
            self.files = [*delete_drafts(self._store.location, gone), *made]
        self._keep(draft)
        if not draft:
            self.drop()

    def drop(self) -> None:
        """Drop the edits and delete their files: they are committed, or were replaced by an empty file."""
        self.draft, self.lost, self.over = Draft(), [], {}
        self.files = delete_drafts(self._store.location, self.files)

    def keep_only(self, draft: Draft, files: Sequence[DraftFile]) -> None:
        """Drop the edits but those of some files, which are not committed yet."""
        if not draft:
            self.drop()
            return
        self._keep(draft)
        self.lost = []
        gone = [file for file in self.files if file not in files]
        self.files = [*delete_drafts(self._store.location, gone), *files]

    def _keep(self, draft: Draft) -> None:
        self.draft = draft
        self.over = {
            tensor: {uid: version for uid, version in self.over.get(tensor, {}).items() if uid in cells}
            for tensor, cells in draft.edits.items()
        }

    def drop_taken(self, stored: StoredTable, kept: Draft, files: Sequence[DraftFile]) -> None:
        """Keep only the edits of some files if the last commit or reset took in every other file."""
        committed = committed_drafts(stored)
        if all(file.counter <= committed.get(file.session, -1) for file in self.files if file not in files):
            self.keep_only(kept, files)

    def sweep(self, stored: StoredTable) -> None:
        """Delete the files that the last commit or reset took in, before another one forgets which they were."""
        committed = committed_drafts(stored)
        files = draft_files(self._store.location, self._store.branch) if committed else []
        delete_drafts(self._store.location, [file for file in files if file.counter <= committed.get(file.session, -1)])

    def largest(self) -> dict[str, int]:
        """Return the files of this draft as session and largest counter."""
        found = {self._session: self._tried} if self._tried else {}
        for file in self.files:
            found[file.session] = max(found.get(file.session, 0), file.counter)
        return found


def _num_edits(parts: Iterable[DraftPart]) -> int:
    return sum(len(cells) for part in parts for cells in part.edits.values())


def _id_of(stored: StoredTable) -> str:
    return str(stored.snapshot.meta.get("id", ""))


def _keys_of(stored: StoredTable) -> dict[str, tuple[str, ...]]:
    meta = stored.snapshot.meta
    return {name: class_keys(meta, name) for name, spec in stored.specs.items() if spec.htype == "class_label"}


def committed_drafts(stored: StoredTable) -> dict[str, int]:
    """Return the files of edits that the last commit or reset took in: session and largest counter."""
    found: Any = stored.snapshot.meta.get("drafts", {})
    return {str(session): int(counter) for session, counter in found.items()}


def _present(cells: _Cells, stored: StoredTable) -> _Cells:
    rows = stored.positions(np.fromiter(cells, np.int64, len(cells)))
    return {uid: cell for (uid, cell), row in zip(cells.items(), rows.tolist(), strict=True) if row >= 0}
