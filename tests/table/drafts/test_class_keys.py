from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.table.drafts._class_keys import (
    class_aliases,
    class_keys,
    merged_into,
    new_index,
    resolved,
    with_class_keys,
    with_classes,
)


def described(*names: str, **recorded) -> dict:
    meta = {"tensors": [{"name": "labels", "class_names": list(names)}]}
    return {**meta, "classes": {"labels": recorded}} if recorded else meta


def test_classes_without_recorded_keys_have_their_names_for_keys():
    assert class_keys(described("cat", "dog"), "labels") == ("cat", "dog")


def test_classes_added_after_keys_were_recorded_have_their_names():
    assert class_keys(described("cat", "dog", "fox", keys=["k1", "k2"]), "labels") == ("k1", "k2", "fox")


def test_keys_of_classes_that_are_gone_are_not_counted():
    assert class_keys(described("cat", keys=["k1", "k2"]), "labels") == ("k1",)


def test_tensor_without_classes_has_no_keys():
    assert class_keys(described("cat"), "ages") == ()


@pytest.mark.parametrize(
    ("key", "index"),
    [("a", 0), ("b", 1), ("gone", None), ("c", 1), ("d", 1), ("lost", None), ("round", None)],
    ids=["first", "second", "unknown", "merged", "merged twice", "merged into one that is gone", "merged in a circle"],
)
def test_key_is_resolved_through_merges(key, index):
    merged = {"c": "b", "d": "c", "lost": "gone", "round": "again", "again": "round"}
    assert resolved(key, {"a": 0, "b": 1}, merged) == index


@pytest.mark.parametrize(
    ("then", "now"),
    [(["a", "b"], ["a", "b"]), (["a"], ["a", "b"]), ([], ["a"])],
    ids=["same", "one more", "none before"],
)
def test_classes_that_kept_their_places_need_no_new_index(then, now):
    assert new_index(then, now, {}) is None


@pytest.mark.parametrize(
    ("follow", "index"), [(True, [1, 0, 0]), (False, [1, 0, -1])], ids=["merges followed", "merges not followed"]
)
def test_new_index_of_classes_that_moved(follow, index):
    assert new_index(["a", "b", "c"], ["b", "a"], {"c": "b"}, follow=follow).tolist() == index


@settings(max_examples=80, deadline=None)
@given(keys=st.lists(st.text("abcdef", min_size=1, max_size=2), unique=True, min_size=1, max_size=6), data=st.data())
def test_labels_read_by_the_new_index_mean_the_same_classes(keys, data):
    order = data.draw(st.permutations(keys))
    index = new_index(keys, order, {})
    index = np.arange(len(keys)) if index is None else index
    assert [order[place] for place in index] == keys


def test_aliases_lead_where_merges_lead():
    meta = described("cat", keys=["k1"], merged={"k2": "k1"}, aliases={"theirs": "k1"})
    assert merged_into(meta, "labels") == {"k2": "k1", "theirs": "k1"}
    assert class_aliases(meta, "labels") == {"theirs": "k1"}


def test_classes_that_are_recorded_leave_those_of_other_tensors():
    meta = {"tensors": [], "classes": {"other": {"keys": ["o"]}}}
    assert with_classes(meta, "labels", ["k"], {})["classes"]["other"] == {"keys": ["o"]}


def test_classes_that_are_recorded_again_keep_their_aliases():
    meta = described("cat", keys=["k1"], merged={}, aliases={"theirs": "k1"})
    assert class_aliases(with_classes(meta, "labels", ["k1"], {}), "labels") == {"theirs": "k1"}
    assert class_aliases(with_classes(meta, "labels", ["k1"], {}, {}), "labels") == {}


def test_new_classes_get_keys_that_no_other_class_has():
    after = with_class_keys(described("cat", keys=["k1"]), described("cat", "dog", "fox", keys=["k1"]))
    keys = class_keys(after, "labels")
    assert keys[0] == "k1"
    assert len(set(keys)) == 3
    assert not {"dog", "fox"} & set(keys)


def test_classes_of_an_older_dataset_keep_their_names_for_keys():
    after = with_class_keys(described("cat"), described("cat", "dog"))
    assert class_keys(after, "labels")[0] == "cat"


def test_description_whose_classes_all_have_keys_stays():
    meta = described("cat", keys=["k1"])
    assert with_class_keys(meta, meta) == meta
