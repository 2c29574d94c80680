"""The commits that changed one sample, found by halving the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from penstock.dataset.history._changes import differences_between, same_state
from penstock.dataset.history._states import SampleState, state_at
from penstock.dataset.shown._history import SampleEdit
from penstock.dataset.writing._history import ancestors, history
from penstock.storage import Commit, SampleStates, Snapshot, Stamp, Store, commits, decoded

__all__ = ["Walk", "edit_between"]


class Walk:
    """Looks for the edits of one sample.

    The engine marks a row with every step that wrote it. A mark lasts until the next edit, so that the last commit
    of a run of equal marks is found by halving: the cost grows with the edits of the sample and with the logarithm of
    the commits between them.

    Parameters
    ----------
    store : Store
        The dataset.
    states : SampleStates
        The sample.
    """

    def __init__(self, store: Store, states: SampleStates) -> None:
        self._store = store
        self._states = states
        self._known: Mapping[str, Commit] = {commit.id: commit for commit in commits(store)}
        self.row_id: int | None = None  # of the sample that `edits` found
        self._snapshots: dict[str, Snapshot] = {}
        self._stamps: dict[tuple[str, int], Stamp | None] = {}

    # ---- the sample at a commit ----------------------------------------------------------

    def snapshot(self, commit: Commit) -> Snapshot:
        """Return the version of a commit."""
        if commit.id not in self._snapshots:
            self._snapshots[commit.id] = self._states.snapshot(commit.branch, commit.version)
        return self._snapshots[commit.id]

    def _stamp(self, commit: Commit, row_id: int) -> Stamp | None:
        key = (commit.id, row_id)
        if key not in self._stamps:
            self._stamps[key] = self._states.stamp(self.snapshot(commit), row_id)
        return self._stamps[key]

    def has(self, commit: Commit, row_id: int) -> bool:
        """Return whether the sample is there at a commit."""
        return self._stamp(commit, row_id) is not None

    def state(self, commit: Commit | None, row_id: int | None) -> SampleState | None:
        """Return the sample at a commit, None where it is not there."""
        if commit is None or row_id is None or self._stamp(commit, row_id) is None:
            return None
        return state_at(self._states, self.snapshot(commit), row_id)

    # ---- the walk --------------------------------------------------------------------------

    def edits(self, last: Commit | None, row_id: int | None) -> list[SampleEdit]:
        """Return the edits up to a commit, the newest first.

        Parameters
        ----------
        last : Commit or None
            The commit.
        row_id : int or None
            The number of the sample's row, None if it is deleted by then.
        """
        chain = self._history(last)
        if row_id is None:
            chain, row_id = self._until_deleted(chain)
        self.row_id = row_id
        found = self._along(chain, len(chain), row_id) if row_id is not None else []
        if len({edit.branch for edit in found}) > 1:
            found = list({edit.commit: edit for edit in reversed(found)}.values())  # merged twice, told once
            found.sort(key=lambda edit: edit.time.timestamp() if edit.time else 0.0, reverse=True)
        return found

    def _history(self, last: Commit | None) -> Sequence[Commit]:
        return history(self._store, last, self._known)

    def _until_deleted(self, chain: Sequence[Commit]) -> tuple[Sequence[Commit], int | None]:
        """Return the commits from the one that deleted the sample on, and the number its row had."""
        for place, commit in enumerate(chain):
            row_id = self._states.find(self.snapshot(commit))
            if row_id is not None:
                return chain[max(0, place - 1) :], row_id
        return [], None

    def _along(self, chain: Sequence[Commit], count: int, row_id: int) -> list[SampleEdit]:
        """Return the edits by the first `count` commits of a chain; the one after them is what they started from."""
        found: list[SampleEdit] = []
        place = 0
        while place < count:
            place = self._end_of_run(chain, place, count, row_id)
            commit, rest = chain[place], chain[place + 1 :]
            place += 1
            if rest and self._stamp(rest[0], row_id) == self._stamp(commit, row_id):
                break  # the last of them all: it changed nothing
            base = self._base_row(commit, rest[0], row_id) if rest else None
            found += self._made_by(commit, rest[0] if rest else None, row_id, restored=base is not None)
            if base is not None:
                return found + self._along(rest, count - place, base)
            if not rest or self._stamp(rest[0], row_id) is None:
                break  # it was added
        return found

    def _end_of_run(self, chain: Sequence[Commit], place: int, count: int, row_id: int) -> int:
        """Return the last of the commits from `place` on with the same mark; steps grow, then are halved."""
        mark = self._stamp(chain[place], row_id)
        low, step = place, 1
        while low + step < count and self._stamp(chain[low + step], row_id) == mark:
            low, step = low + step, step * 2
        high = min(low + step, count)  # the mark of `high` differs, or it is beyond the end
        while high - low > 1:
            middle = (low + high) // 2
            if self._stamp(chain[middle], row_id) == mark:
                low = middle
            else:
                high = middle
        return low

    def _base_row(self, merge: Commit, before: Commit, row_id: int) -> int | None:
        """Return the number of the row that a merge brought back, where both branches started; None if it did not."""
        if merge.merged is None or self._stamp(before, row_id) is not None or self._stamp(merge, row_id) is None:
            return None
        chain, count = self._branch(merge, before)
        return self._states.find(self.snapshot(chain[count])) if count < len(chain) else None

    def _branch(self, merge: Commit, before: Commit | None) -> tuple[Sequence[Commit], int]:
        """Return the commits of a merged branch, and how many of them were new."""
        ours = ancestors(self._store, before, self._known)
        chain = self._history(self._known.get(merge.merged or ""))
        return chain, next((place for place, commit in enumerate(chain) if commit.id in ours), len(chain))

    def _made_by(self, commit: Commit, before: Commit | None, row_id: int, *, restored: bool) -> list[SampleEdit]:
        """Return the edit of a commit; of a merge those of the other branch, and its own if it is none of them."""
        one, other = self.state(before, row_id), self.state(commit, row_id)
        if same_state(one, other):
            return []
        own = edit_between(one, other, commit, restored=restored)
        if commit.merged not in self._known:
            return [own]
        chain, count = self._branch(commit, before)
        there = self._states.find(self.snapshot(chain[0]))
        start = self._states.find(self.snapshot(chain[count])) if there is None and count < len(chain) else there
        found = self._along(chain, count, start) if start is not None else []
        taken = found and not restored and same_state(self.state(chain[0], there), other)
        return found if taken else [own, *found]


def edit_between(
    before: SampleState | None,
    after: SampleState | None,
    commit: Commit | None,
    *,
    branch: str = "main",
    restored: bool = False,
) -> SampleEdit:
    """Return an edit, by a commit or not committed."""
    kind: Literal["added", "edited", "deleted", "restored"]
    kind = "deleted" if after is None else "edited"
    if before is None:
        kind = "restored" if restored else "added"
    changes, words = differences_between(before, after) if before is not None and after is not None else ([], [])
    name = branch if commit is None else "main" if commit.branch is None else decoded(commit.branch)
    return SampleEdit(
        kind=kind,
        commit=None if commit is None else commit.id,
        branch=name,
        time=None if commit is None else commit.time,
        author="" if commit is None else commit.author,
        message="" if commit is None else commit.message,
        changes=tuple(changes),
        differences=tuple(words),
    )
