"""Cleaning up a dataset: what holds versions here, and what was freed in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from penstock._wording import escaped
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.views._view_records import sweep_views, view_records
from penstock.errors import DatasetError
from penstock.signals import Runs
from penstock.storage import Freed, Store, Version, branch_names, cleanup, encoded
from penstock.table import draft_bases

__all__ = ["Cleanup", "clean_up"]

_DEFAULT = timedelta(days=14)
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_STEP = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleanup:
    """What `cleanup` freed, or would free.

    Parameters
    ----------
    versions : int
        Versions that are gone: none of them is a commit.
    files, bytes : int
        Files that are gone, and their size.
    leftovers : int
        Those of the files that belonged to no version: processes left them when they died.
    failed : int
        Files that the disk or the object store refused to delete.
    kept : dict of str to int
        Why versions were kept, and how many; each counts for one reason.
    older_than : timedelta
        The age from which on versions were deleted.
    dry_run : bool
        Whether nothing was deleted.
    """

    versions: int
    files: int
    bytes: int
    leftovers: int
    failed: int
    kept: Mapping[str, int]
    older_than: timedelta
    dry_run: bool

    def __bool__(self) -> bool:
        """Return whether anything was freed, or would be."""
        return bool(self.files or self.bytes)

    def __int__(self) -> int:
        """Return the bytes."""
        return self.bytes

    def __repr__(self) -> str:
        verb = "would free" if self.dry_run else "freed"
        if not self:
            return "\n".join([f"nothing to free{self._left()}", *self._kept()])
        what = f"{_count(self.versions, 'version')} and {_count(self.files, 'file')}"
        left = f" ({self.leftovers:,} of them left by processes that died)" if self.leftovers else ""
        return "\n".join([f"{verb} {size_in_words(self.bytes)}: {what}{left}{self._left()}", *self._kept()])

    def _left(self) -> str:
        return f"; {_count(self.failed, 'file')} could not be deleted" if self.failed else ""

    def _kept(self) -> list[str]:
        kept = ", ".join(f"{reason} {count:,}" for reason, count in self.kept.items() if count)
        return [f"kept: {kept}"] if kept else []

    def _repr_html_(self) -> str:
        import html

        return "".join(f"<div>{html.escape(escaped(line))}</div>" for line in repr(self).splitlines())


def size_in_words(size: int) -> str:
    """Return a number of bytes with its unit.

    Examples
    --------
    >>> size_in_words(999), size_in_words(1_250_000)
    ('999 bytes', '1.2 MB')
    """
    value, unit = float(size), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{size:,} bytes" if not unit else f"{value:.1f} {_UNITS[unit]}"


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def clean_up(opened: OpenDataset, older_than: timedelta | None, *, dry_run: bool) -> Cleanup:
    """Free what no commit, tag, branch, view, draft or reader holds."""
    age = _DEFAULT if older_than is None else older_than
    if not isinstance(age, timedelta) or age < timedelta(0):
        raise DatasetError(
            f"older_than={older_than!r} is not valid. Expected a timedelta of at least 0",
            hint="for example datetime.timedelta(days=7)",
        )
    with opened.lock:
        opened.check_writable()
        opened.settle()
        store = opened.working.store
        with store.location.lock():
            freed = _freed(store, age, dry_run=dry_run)
            if not dry_run:
                opened.working.digests.merge()
        return Cleanup(
            versions=freed.versions,
            files=freed.files,
            bytes=freed.bytes,
            leftovers=freed.leftovers,
            failed=freed.failed,
            kept=freed.kept,
            older_than=age,
            dry_run=dry_run,
        )


def _freed(store: Store, age: timedelta, *, dry_run: bool) -> Freed:
    if not dry_run:
        sweep_views(store, age)
    held = {"saved views": _views(store), "uncommitted edits": _drafts(store), "training runs": _runs(store)}
    return cleanup(store, age, held, dry_run=dry_run)


def _views(store: Store) -> set[Version]:
    return {(record.branch, record.version) for record in view_records(store).values()}


def _runs(store: Store) -> set[Version]:
    """Return the versions that runs trained on, with which samples are compared to tell which were edited since."""
    return {version for run in Runs(store.location).values() for version in run.versions}


def _drafts(store: Store) -> set[Version]:
    branches = [None, *map(encoded, branch_names(store))]
    return {(branch, version) for branch in branches for version in draft_bases(store.location, branch)}
