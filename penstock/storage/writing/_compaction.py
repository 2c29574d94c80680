"""Merge small files of samples: order and row ids stay, deleted rows go."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from penstock.storage.writing._files import names_in
from penstock.storage.writing._steps import ROWS_PER_FILE

if TYPE_CHECKING:
    import lance

__all__ = ["all_options", "compacted", "sizes", "small_options"]

_MANY = 8
_TIERS = (16, 128, 1024, 8192, 65536, ROWS_PER_FILE)  # rows


def sizes(handle: lance.LanceDataset) -> tuple[int, int]:
    """Return the number of files of samples, and of deleted rows that are still in them."""
    fragments = handle.get_fragments()
    return len(fragments), sum(fragment.num_deletions for fragment in fragments)


def all_options() -> dict[str, Any]:
    """Return what merges all that can be merged."""
    return {"target_rows_per_fragment": ROWS_PER_FILE, "materialize_deletions_threshold": 0.0}


def small_options(handle: lance.LanceDataset) -> dict[str, Any] | None:
    """Return what merges the smallest files if there are many; None if there are not.

    Only files of about one size are merged with each other: a row is written a few times for each size its file
    grows through, and not with every ninth commit.
    """
    rows = [fragment.physical_rows for fragment in handle.get_fragments()]
    for least, most in pairwise((0, *_TIERS)):
        if sum(least // 2 <= count < most // 2 for count in rows) > _MANY:
            return {"target_rows_per_fragment": most, "materialize_deletions": False}
    return None


def compacted(
    handle: lance.LanceDataset, options: Mapping[str, Any], secure: Callable[[Mapping[str, int | None]], None]
) -> bool:
    """Merge files; the merged ones are on the disk before the version that names them. Return whether any was."""
    from lance.fragment import FragmentMetadata
    from lance.optimize import Compaction

    done = [task.execute(handle) for task in Compaction.plan(handle, dict(options)).tasks]
    if not done:
        return False
    merged = [json.dumps(made) for result in done for made in json.loads(result.json())["new_fragments"]]
    secure(names_in(map(FragmentMetadata.from_json, merged)))
    Compaction.commit(handle, done)
    return True
