"""Class names in a query, replaced when classes are renamed."""

from __future__ import annotations

import pytest

from penstock import tql

CASES = {
    "contains": ("select * where contains(labels, 'a')", "select * where contains(labels, 'z')"),
    "comparison": ("select * where labels = 'a' or 'a' != labels", "select * where labels = 'z' or 'z' != labels"),
    "any": ("select * where any(labels == 'a')", "select * where any(labels == 'z')"),
    "list": ("select * where labels in ('a', 'b', 'c')", "select * where labels in ('z', 'it''s', 'c')"),
    "weights": ("select * sample by max_weight(contains(labels, 'a'): 2, True: 1)",
                "select * sample by max_weight(contains(labels, 'z'): 2, True: 1)"),
    "text beside it": ("select * where file = 'a' and contains(labels, 'a')",
                       "select * where file = 'a' and contains(labels, 'z')"),
    "another tensor": ("select * where contains(subset, 'a')", "select * where contains(subset, 'a')"),
    "text alone": ("select 'a' as a where labels = 'b'", "select 'a' as a where labels = 'it''s'"),
    "conditions beside it": ("select * where 'a' = 'a' and labels = 'a'", "select * where 'a' = 'a' and labels = 'z'"),
    "comment": ("select * -- 'a'\nwhere labels = 'a'", "select * -- 'a'\nwhere labels = 'z'"),
    "quoted name": ('select * where contains("labels", \'a\')', 'select * where contains("labels", \'z\')'),
    "first element": ("select * where labels[0] = 'a'", "select * where labels[0] = 'z'"),
    "part of a name": ("select * where contains(labels, 'ab')", "select * where contains(labels, 'ab')"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_names_are_replaced_where_they_are_compared_with_the_tensor(before, after):
    assert tql.rename_classes(before, {"labels": {"a": "z", "b": "it's"}}) == after


def test_two_names_can_change_places():
    text = "select * where contains(labels, 'a') and not contains(labels, 'b')"
    swapped = "select * where contains(labels, 'b') and not contains(labels, 'a')"
    assert tql.rename_classes(text, {"labels": {"a": "b", "b": "a"}}) == swapped


def test_a_chain_of_a_thousand_conditions_is_renamed():
    text = "select * where " + " or ".join(["contains(labels, 'a')"] * 1000)
    assert tql.rename_classes(text, {"labels": {"a": "z"}}).count("'z'") == 1000
