"""Fewer, larger files for the samples of a branch."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from penstock.dataset.opened._opened import OpenDataset

__all__ = ["Compacted", "compact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What `compact` did.

    Parameters
    ----------
    before, after : int
        Groups of files that the samples were in, and are in: at most 100,000 samples in each.
    dropped : int
        Deleted samples that the new files no longer hold.
    """

    before: int
    after: int
    dropped: int

    def __bool__(self) -> bool:
        """Return whether any file was replaced."""
        return self.before != self.after or bool(self.dropped)

    def __repr__(self) -> str:
        if not self:
            return f"nothing to merge: {self.before:,} {_files(self.before)}"
        dropped = f", without {self.dropped:,} deleted samples" if self.dropped else ""
        return f"merged {self.before:,} {_files(self.before)} into {self.after:,}{dropped}"


def _files(number: int) -> str:
    return "file" if number == 1 else "files"


def compact(opened: OpenDataset) -> Compacted:
    """Merge the small files of a dataset's branch."""
    with opened.lock:
        opened.check_writable()
        opened.settle()
        working = opened.working
        before, after = working.store.compact(everything=True)
        made = Compacted(before=before[0], after=after[0], dropped=before[1] - after[1])
        if made:
            working.refresh()
            working.digests.record(working.stored.snapshot, f"compact-{secrets.token_hex(12)}")
        return made
