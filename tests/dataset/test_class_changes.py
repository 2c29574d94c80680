"""Classes removed, colored, and brought back with the labels that had them."""

from __future__ import annotations

import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import DatasetError, ReadOnlyError, UnknownClassError

LABELS = [["a"], ["b", "a"], ["c"], [], ["b", "b"]]


@pytest.fixture
def ds(tmp_path):
    ds = penstock.empty(tmp_path / "ds.penstock")
    ds.create_tensor("labels", htype="class_label", class_names=["a", "b", "empty", "c"])
    ds.extend({"labels": LABELS})
    ds.commit("five samples")
    return ds


def names_of(ds):
    names = ds.labels.info.class_names
    return [[names[label] for label in sample.numpy()] for sample in ds.labels]


def merge(ds, names, into):
    edits = content_of(ds).edits
    state = edits.class_state("labels", [*names, into])
    ds.labels.merge_classes(names, into=into)
    return lambda: edits.restore_classes("labels", state)


def test_an_empty_class_is_removed_and_the_labels_keep_their_names(ds):
    ds.labels.remove_class("empty")
    assert ds.labels.info.class_names == ["a", "b", "c"]
    assert names_of(penstock.load(ds.path)) == LABELS


@pytest.mark.parametrize("where", ["stored", "draft"])
def test_a_class_with_labels_is_not_removed(ds, where):
    if where == "draft":
        ds.labels[2] = ["empty"]
    name = "empty" if where == "draft" else "b"
    with pytest.raises(DatasetError, match=f"{name!r} of 'labels' cannot be removed"):
        ds.labels.remove_class(name)
    assert ds.labels.info.class_names == ["a", "b", "empty", "c"]


@pytest.mark.parametrize("change", ["remove", "color"])
def test_a_class_that_does_not_exist_is_refused(ds, change):
    with pytest.raises(UnknownClassError):
        ds.labels.remove_class("x") if change == "remove" else ds.labels.set_class_color("x", "#000000")


@pytest.mark.parametrize("change", ["remove", "color"])
def test_a_view_refuses_to_change_classes(ds, change):
    view = ds[:2]
    with pytest.raises(ReadOnlyError, match="in a view"):
        view.labels.remove_class("empty") if change == "remove" else view.labels.set_class_color("a", "#000000")


def test_a_color_is_kept_with_the_class_through_commit_rename_and_merge(ds):
    ds.labels.set_class_color("b", "#AA00bb")
    ds.labels.rename_class("b", "bee")
    ds.labels.merge_classes(["a"], into="bee")
    ds.commit("colored")
    assert penstock.load(ds.path).labels.info.class_colors == {"bee": "#aa00bb"}
    ds.labels.set_class_color("bee", None)
    assert ds.labels.info.class_colors == {}


@pytest.mark.parametrize("color", ["red", "#12345", "#12345g", "", 7], ids=str)
def test_what_is_no_color_is_refused(ds, color):
    with pytest.raises(DatasetError, match="Expected #rrggbb"):
        ds.labels.set_class_color("a", color)


def test_merged_classes_are_restored_with_their_labels(ds):
    undo = merge(ds, ["b"], "a")
    assert names_of(ds) == [["a"], ["a", "a"], ["c"], [], ["a", "a"]]
    undo()
    assert names_of(penstock.load(ds.path)) == LABELS
    assert penstock.load(ds.path).labels.info.class_names == ["a", "b", "empty", "c"]


def test_edits_that_are_not_committed_are_restored_too(ds):
    ds.labels[2] = ["b", "c"]
    undo = merge(ds, ["b"], "a")
    undo()
    expected = [*LABELS[:2], ["b", "c"], *LABELS[3:]]
    assert names_of(ds) == expected
    assert names_of(penstock.load(ds.path)) == expected
    ds.discard_edits()
    assert names_of(ds) == LABELS


def test_a_merge_that_was_committed_with_edits_is_restored(ds):
    ds.labels[2] = ["b", "c"]
    undo = merge(ds, ["b"], "a")
    ds.commit("merged")
    undo()
    assert names_of(ds) == [*LABELS[:2], ["b", "c"], *LABELS[3:]]
    assert ds.num_edits == 0


def test_a_sample_changed_since_the_merge_keeps_its_value(ds):
    undo = merge(ds, ["b"], "a")
    ds.labels[4] = ["c"]
    ds.commit("another")
    undo()
    assert names_of(ds) == [*LABELS[:4], ["c"]]


def test_classes_are_not_restored_over_new_ones(ds):
    undo = merge(ds, ["b"], "a")
    ds.labels.add_class("new")
    with pytest.raises(DatasetError, match="'new' is new"):
        undo()
    assert ds.labels.info.class_names == ["a", "empty", "c", "new"]
