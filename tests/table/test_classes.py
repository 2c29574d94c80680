"""Names and counts of the classes of a label tensor."""

from __future__ import annotations

import pytest

from penstock.table import ArrayTable, class_names_of, class_totals

LABELS = [[0, 2], [], [2]]


@pytest.mark.parametrize(
    ("names", "expected", "totals"),
    [
        (["a", "b", "c"], ("a", "b", "c"), [1, 0, 2]),
        (["a", "b", "c", "d"], ("a", "b", "c", "d"), [1, 0, 2, 0]),
        ([], ("0", "1", "2"), [1, 0, 2]),
        (["a"], ("a",), [1]),
    ],
    ids=["as many", "one unused", "without names", "fewer than labels"],
)
def test_classes_have_names_and_totals(names, expected, totals):
    table = ArrayTable({"labels": LABELS}, class_names={"labels": names})
    assert class_names_of(table, "labels") == expected
    assert class_totals(table, "labels").tolist() == totals


def test_classes_of_no_labels_are_none():
    table = ArrayTable({"labels": [[], []]}, class_names={"labels": []})
    assert class_names_of(table, "labels") == ()
    assert class_totals(table, "labels").tolist() == []
