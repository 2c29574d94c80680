from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock
from penstock.dataset.samples import content_of
from penstock.table import ArrayTable, compare
from penstock.table.drafts._compare import columns_differ

COLUMNS = {
    "labels": st.lists(st.integers(0, 3), max_size=3).map(lambda labels: np.array(labels, np.int64)),
    "boxes": st.integers(0, 2).map(lambda count: np.full((count, 4), count, np.float32)),
    "text": st.none() | st.text("ab", max_size=2),
    "floats": st.sampled_from([0.0, 1.0, np.nan]),
    "vectors": st.lists(st.sampled_from([0.0, np.nan]), min_size=1, max_size=3).map(np.array),
}
HTYPES = {"boxes": "bbox", "text": "text"}


def column(kind, values):
    names = {kind: ["a", "b", "c", "d"]} if kind == "labels" else {}
    htypes = {kind: HTYPES[kind]} if kind in HTYPES else {}
    data = np.array(values) if kind == "floats" else values
    return ArrayTable({kind: data}, class_names=names, htypes=htypes).column(kind)


def unlike(one, two) -> bool:
    if one is None or two is None:
        return one is not two
    if isinstance(one, str):
        return one != two
    return np.shape(one) != np.shape(two) or not np.array_equal(one, two, equal_nan=True)


@settings(max_examples=100, deadline=None)
@given(kind=st.sampled_from(sorted(COLUMNS)), data=st.data())
def test_rows_differ_where_their_samples_do(kind, data):
    pairs = data.draw(st.lists(st.tuples(COLUMNS[kind], COLUMNS[kind]), min_size=1, max_size=8))
    before, after = (column(kind, [pair[side] for pair in pairs]) for side in (0, 1))
    assert columns_differ(before, after).tolist() == [unlike(one, two) for one, two in pairs]


@pytest.fixture
def ds(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("labels", htype="class_label", class_names=["cat", "dog", "fox"])
    ds.create_tensor("images", htype="image")
    ds.create_tensor("age", dtype="float64")
    for row in range(4):
        ds.append({"labels": [row % 3], "images": np.full((2, 2, 3), row, np.uint8), "age": row})
    ds.commit("first")
    return ds


def of_version(ds, version=None):
    return content_of(penstock.load(ds.path, version=version)).table


def test_state_does_not_differ_from_itself(ds):
    found = compare(content_of(ds).table, of_version(ds))
    assert not found
    assert {name: rows.tolist() for name, rows in found.edited.items()} == {"labels": [], "images": [], "age": []}


def test_edit_that_was_taken_back_is_no_difference(ds):
    first = ds.log()[0].id
    ds.age[1] = 9
    ds.commit("nine")
    ds.age[1] = 1
    ds.commit("one again")
    assert not compare(of_version(ds, first), content_of(ds).table)


def test_image_of_other_bytes_differs(ds):
    first = ds.log()[0].id
    ds.images[2] = np.zeros((2, 2, 3), np.uint8)
    assert compare(of_version(ds, first), content_of(ds).table).edited["images"].tolist() == [2]


def test_image_that_was_stored_again_does_not_differ(ds):
    first = ds.log()[0].id
    ds.images[2] = np.full((2, 2, 3), 2, np.uint8)
    ds.commit("the same again")
    assert compare(of_version(ds, first), content_of(ds).table).edited["images"].tolist() == []


def test_labels_of_a_renamed_class_do_not_differ(ds):
    first = ds.log()[0].id
    ds.labels.rename_class("cat", "kitten")
    found = compare(of_version(ds, first), content_of(ds).table)
    assert found.edited["labels"].tolist() == []
    assert found.class_names == {"labels": (("cat", "dog", "fox"), ("kitten", "dog", "fox"))}


@pytest.mark.parametrize(("follow", "rows"), [(False, [0, 3]), (True, [])], ids=["as edits", "followed"])
def test_labels_of_a_merged_class_differ_unless_merges_are_followed(ds, follow, rows):
    first = ds.log()[0].id
    ds.labels.merge_classes(["cat"], into="dog")
    assert compare(of_version(ds, first), content_of(ds).table, follow_merges=follow).edited["labels"].tolist() == rows


def test_rows_are_compared_by_identity_after_one_was_removed(ds):
    first = ds.log()[0].id
    ds.pop(0)
    ds.age[2] = 33  # it was sample 3
    ds.append({"labels": [0], "images": None, "age": 5})
    found = compare(of_version(ds, first), content_of(ds).table)
    assert (found.removed.tolist(), found.added.tolist(), found.edited["age"].tolist()) == ([0], [3], [2])


def test_tensors_are_added_one_way_or_removed_the_other(ds):
    first = ds.log()[0].id
    ds.create_tensor("note", htype="text")
    there, back = (
        compare(of_version(ds, first), content_of(ds).table),
        compare(content_of(ds).table, of_version(ds, first)),
    )
    assert (there.tensors_added, there.tensors_removed) == (("note",), ())
    assert (back.tensors_added, back.tensors_removed) == ((), ("note",))
