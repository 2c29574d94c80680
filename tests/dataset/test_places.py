"""What works on a folder works in a bucket, with the same results."""

from __future__ import annotations

import pickle
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock.errors import (
    ConflictError,
    DatasetExistsError,
    DatasetNotFoundError,
    ReadOnlyError,
    UncommittedChangesError,
    ViewNotFoundError,
)

pytestmark = pytest.mark.slow  # the server takes seconds to start

NUM = 8


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    """A folder, or a prefix in a bucket, to make datasets in."""
    return str(tmp_path) if request.param == "folder" else f"{request.getfixturevalue('bucket').url}/sets"


def _images():
    return np.random.default_rng(0).integers(0, 256, (NUM, 6, 7, 3), np.uint8)


@pytest.fixture
def ds(place):
    arrays = {"images": _images(), "labels": np.arange(NUM) % 3}
    return penstock.from_arrays(arrays, f"{place}/set", class_names=["a", "b", "c"])


def _labels(ds):
    return [labels[0] for labels in ds.labels.numpy(aslist=True)]


def test_an_import_is_one_commit_with_its_report(ds, place):
    assert [commit.message for commit in ds.log()] == ["import 8 samples from arrays, nothing rejected or repaired"]
    assert penstock.import_report(ds).num_samples == NUM
    np.testing.assert_array_equal(penstock.load(f"{place}/set").images.numpy(), _images())
    with pytest.raises(DatasetExistsError, match="already exists"):
        penstock.from_arrays({"labels": np.arange(2)}, f"{place}/set")
    frame = pd.DataFrame({"age": [1, 2], "finding": ["x", "y|x"]})
    table = penstock.from_table(frame, f"{place}/table", tensors={"labels": "finding", "age": "age"})
    assert table.labels.data()["text"] == [["x"], ["x", "y"]]


def test_edits_wait_in_a_draft_until_they_are_committed(ds, place):
    ds.labels[3] = ["b"]
    ds.labels[4] = ["a"]
    assert (ds.num_edits, ds.has_changes) == (2, True)
    assert _labels(penstock.load(f"{place}/set"))[3:5] == [1, 0]
    ds.commit("one of them", rows=[3])
    assert (ds.num_edits, _labels(penstock.load(f"{place}/set", version=ds.commit_id))[3:5]) == (1, [1, 1])
    ds.discard_edits()
    assert not ds.has_changes
    ds.labels[0] = ["c"]
    ds.pop([6])
    ds.reset()
    assert (len(ds), _labels(ds)) == (NUM, [0, 1, 2, 1, 1, 2, 0, 1])


def test_samples_are_appended_and_popped(ds, place):
    with ds:
        ds.append({"images": _images()[0], "labels": ["d"]})
        ds.extend({"images": [None, _images()[1]], "labels": [[], ["a", "b"]]})
    ds.pop(0)
    ds.commit("more")
    again = penstock.load(f"{place}/set")
    assert [labels.tolist() for labels in again.labels.numpy(aslist=True)][-4:] == [[1], [3], [], [0, 1]]
    np.testing.assert_array_equal(again.images[-1].numpy(), _images()[1])


def test_tensors_classes_and_notes_are_changed(ds, place):
    ds.create_tensor("notes", "text")
    ds.notes[2] = "hm"
    ds.commit("a note")
    ds.labels.rename_class("a", "first")
    ds.labels.add_class("new")
    ds.labels.merge_classes(["b"], into="c")
    ds.info["source"] = "here"
    ds.commit("classes")
    again = penstock.load(f"{place}/set")
    assert again.notes.data()["value"][1:3] == [None, "hm"]
    assert again.labels.info.class_names == ["first", "c", "new"]
    assert dict(again.info)["source"] == "here"
    ds.delete_tensor("notes")
    assert list(penstock.load(f"{place}/set").tensors) == ["images", "labels"]


def test_tags_branches_merges_and_differences(ds, place):
    first = ds.commit_id
    ds.tag("v1")
    ds.checkout("side", create=True)
    ds.labels[0] = ["c"]
    ds.append({"images": None, "labels": ["a"]})
    ds.commit("side")
    ds.checkout("main")
    ds.labels[1] = ["a"]
    with pytest.raises(UncommittedChangesError):
        ds.merge("side")
    ds.commit("main")
    assert ds.merge("side") == []
    assert (ds.branches, ds.tags) == (["main", "side"], {"v1": first})
    assert _labels(ds)[:2] == [2, 0]
    assert _labels(penstock.load(f"{place}/set@v1"))[:2] == [0, 1]
    assert len(penstock.load(f"{place}/set", version="side")) == NUM + 1
    diff = ds.diff("v1")
    assert (len(diff.added), len(diff.removed), {name: list(rows) for name, rows in diff.edited.items()}) == (
        1, 0, {"labels": [0, 1]},
    )  # fmt: skip
    ds.delete_tag("v1")
    assert ds.tags == {}


def test_views_are_saved_copied_and_deleted(ds, place):
    ds[[5, 2, 2]].save_view("three", id="mine")
    ds.labels[2] = ["a"]
    ds.commit("later")
    assert ds.load_view("mine").indices.tolist() == [5, 2, 2]
    copied = penstock.load(f"{place}/set").load_view("mine", optimize=True, num_workers=2)
    np.testing.assert_array_equal(copied.images.numpy(), _images()[[5, 2, 2]])
    assert _labels(copied) == [2, 2, 2]
    assert [(view.id, view.num_samples, view.optimized) for view in ds.get_views()] == [("mine", 3, True)]
    assert ds.verify().ok
    with copied.dataloader().batch(2).numpy() as loader:
        assert [len(batch["index"]) for batch in loader] == [2, 1]
    ds.delete_view("mine")
    with pytest.raises(ViewNotFoundError):
        ds.load_view("mine")


def test_queries_name_other_datasets_and_versions(ds, place):
    penstock.from_arrays({"labels": np.arange(3)}, f"{place}/other")
    assert len(ds.query("select * where contains(labels, 'a')")) == 3
    assert len(ds.query('select * from "other"')) == 3
    parts = ds.split({"train": 0.5, "val": 0.5}, stratify="labels")
    assert sorted([*parts["train"].indices, *parts["val"].indices]) == list(range(NUM))


def test_cleanup_keeps_what_is_named(ds, place):
    first = ds.commit_id
    for number in range(3):
        ds.append({"images": None, "labels": [number]})
        ds.flush()
    ds.commit("three more")
    ds[:2].save_view(id="mine")
    ds.load_view("mine", optimize=True)
    assert ds.cleanup(timedelta(0)).versions > 0
    again = penstock.load(f"{place}/set")
    assert (len(again), len(penstock.load(f"{place}/set", version=first))) == (NUM + 3, NUM)
    np.testing.assert_array_equal(again.load_view("mine").images.numpy(), _images()[:2])
    assert again.verify().ok


def test_a_dataset_is_replaced_on_request(ds, place):
    ds[:2].save_view(id="mine")
    ds.labels[0] = ["c"]
    with pytest.raises(DatasetExistsError, match="overwrite=True"):
        penstock.empty(f"{place}/set")
    new = penstock.empty(f"{place}/set", overwrite=True)
    new.create_tensor("age")
    new.append({"age": 3})
    assert (list(new.log()), new.branches, len(new.get_views())) == ([], ["main"], 0)
    new.commit("the first")
    again = penstock.load(f"{place}/set")
    assert (again.age.numpy().tolist(), again.has_changes, len(again.log())) == ([3], False, 1)


def test_another_session_sees_commits_without_opening_again(ds, place):
    other = penstock.load(f"{place}/set")
    ds.labels[0] = ["c"]
    ds.commit("c")
    assert other.is_behind
    assert other.refresh()
    assert (_labels(other)[0], other.commit_id, other.is_behind) == (2, ds.commit_id, False)
    other.append({"images": None, "labels": ["b"]})
    other.commit("b")
    ds.refresh()
    assert len(ds) == NUM + 1
    ds.labels[1], other.labels[1] = ["a"], ["c"]
    ds.commit("a")
    with pytest.raises(ConflictError, match="sample 1"):
        other.commit("c")


def test_a_dataset_can_be_read_only_pickled_and_absent(ds, place):
    fixed = penstock.load(f"{place}/set", read_only=True)
    with pytest.raises(ReadOnlyError):
        fixed.labels[0] = ["b"]
    assert _labels(pickle.loads(pickle.dumps(fixed[2:4]))) == [2, 0]
    assert len(pickle.loads(pickle.dumps(ds))) == NUM
    with pytest.raises(DatasetNotFoundError, match="no dataset at"):
        penstock.load(f"{place}/sett")
    assert len(penstock.demo(f"{place}/demo", num_samples=5)) == 5
