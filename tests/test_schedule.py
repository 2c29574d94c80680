"""The tests' own order: groups that take long, then files with slow tests, then the others, each as it was collected."""

from __future__ import annotations

import pytest

from tests.schedule import FileScheduling, longest_first

MARKS = {"ui": pytest.mark.xdist_group("ui"), "ray": pytest.mark.xdist_group(name="ray"), "slow": pytest.mark.slow}


class Item:
    """A test as the order looks at it."""

    def __init__(self, nodeid, *names):
        self.nodeid = nodeid
        self.get_closest_marker = {MARKS[name].name: MARKS[name].mark for name in names}.get


def test_long_groups_come_first_then_files_with_slow_tests():
    collected = [
        ("a.py::one",), ("b.py::one", "ray"), ("b.py::two",), ("c.py::one", "slow"), ("d.py::one", "slow"),
        ("d.py::two", "slow"), ("e.py::one", "ui", "slow"), ("f.py::one",), ("g.py::one", "ui"), ("a.py::two",),
    ]  # fmt: skip
    items = [Item(*told) for told in collected]
    assert [one.nodeid for one in longest_first(items)] == [
        "e.py::one", "g.py::one", "b.py::one", "d.py::one", "d.py::two", "c.py::one",
        "a.py::one", "a.py::two", "b.py::two", "f.py::one",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("a/b.py::test", "a/b.py"),
        ("a/b.py::test[c::d@e]", "a/b.py"),
        ("a/b.py::Class::test", "a/b.py"),
        ("a/b.py::test[1]@ui", "ui"),
    ],
)
def test_a_file_or_a_group_is_handed_out_as_a_whole(nodeid, scope):
    assert FileScheduling._split_scope(object.__new__(FileScheduling), nodeid) == scope
