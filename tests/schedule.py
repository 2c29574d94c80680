"""Which of pytest-xdist's workers runs which tests, and when.

Left to itself, ``--dist loadgroup`` hands out tests that are in no group one by one, so that every worker builds every
module's data; and what has few tests, however long, comes last, with one worker alone.
"""

from __future__ import annotations

from collections import Counter

import pytest
from xdist.scheduler import LoadGroupScheduling

LONGEST = ("ui", "deeplake", "ray", "faults", "tensorflow")  # groups, the longest first
# but for deeplake, which aborts a process that has imported tensorflow before


class FileScheduling(LoadGroupScheduling):
    """Hand out whole files, and whole groups of tests that share what is expensive, in the order of collection."""

    def __init__(self, config, log=None):
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        scope = super()._split_scope(nodeid)
        return scope.split("::", 1)[0] if scope == nodeid else scope


def group_of(item: pytest.Item) -> str:
    """Return the group that a test is in, or its file."""
    mark = item.get_closest_marker("xdist_group")
    if mark is None:
        return item.nodeid.split("::", 1)[0]
    return mark.args[0] if mark.args else mark.kwargs["name"]


def longest_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests with those of a group together: long groups first, then files with the most slow tests."""
    groups = {item: group_of(item) for item in items}
    slow = Counter(groups[item] for item in items if item.get_closest_marker("slow"))
    collected = list(dict.fromkeys(groups.values()))
    ordered = sorted(collected, key=lambda group: (*[group != name for name in LONGEST], -slow[group]))
    places = {group: place for place, group in enumerate(ordered)}
    return sorted(items, key=lambda item: places[groups[item]])
