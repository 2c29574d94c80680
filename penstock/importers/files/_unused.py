"""Report every file that an importer did not use."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from penstock.importers.building._report import IssueLog
from penstock.importers.files._passed_over import Listing, list_files
from penstock.tensors import Link

__all__ = ["log_unused", "unused"]

_MOST_NAMED = 1000


def log_unused(
    log: IssueLog,
    root: Path | Listing,
    used: Iterable[Path | Link | None],
    reason: str | Callable[[Path], str],
) -> None:
    """Report the files below a folder that are not among those `used`.

    Parameters
    ----------
    log : IssueLog
        Takes them; above 1,000 of one reason in one folder the others are counted.
    root : Path or Listing
        The folder, or what is below it.
    used : iterable of Path, Link or None
        What was taken.
    reason : str or callable
        Why a file was not taken.
    """
    by_place: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path, why in unused(root, used, reason):
        by_place[str(path.parent), why].append(path)
    for (folder, why), paths in by_place.items():
        for path in paths[:_MOST_NAMED]:
            log.ignore(str(path), why)
        if len(paths) > _MOST_NAMED:
            log.ignore(folder, f"{len(paths) - _MOST_NAMED:,} more files: {why}")


def unused(
    root: Path | Listing, used: Iterable[Path | Link | None], reason: str | Callable[[Path], str]
) -> list[tuple[Path, str]]:
    """Return the files below a folder that are not among those `used`, and why."""
    listing = list_files(root) if isinstance(root, Path) else root
    taken = {_absolute(one) for one in used if one is not None}
    left = [path for path in listing.files if _absolute(path) not in taken]
    return [
        *((path, reason if isinstance(reason, str) else reason(path)) for path in left),
        *listing.passed_over,
    ]


def _absolute(one: Path | Link) -> str:
    return os.path.abspath(one.url if isinstance(one, Link) else one)  # noqa: PTH100  `..` goes, links stay
