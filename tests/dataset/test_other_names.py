"""What code written for Deep Lake asks of a dataset."""

from __future__ import annotations

import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.dataset.writing._head import change_meta
from penstock.errors import (
    CommitNotFoundError,
    DatasetError,
    DatasetNotFoundError,
    ReadOnlyError,
    SampleError,
    SampleIndexError,
    TensorNotFoundError,
    ViewNotFoundError,
)


@pytest.fixture
def ds(tmp_path):
    made = penstock.empty(tmp_path / "ds")
    made.create_tensor("labels", htype="class_label")
    made.create_tensor("number", dtype="int64")
    made.extend({"labels": ["a", "b", "a", "b", "a"], "number": list(range(5))})
    made.commit("first")
    return made


def numbers(dataset):
    return [sample.number.numpy().item() for sample in dataset]


@pytest.mark.parametrize(
    ("index", "left"),
    [
        ([0, 2], [1, 3, 4]),
        ((4, 0), [1, 2, 3]),
        ([-1, 4, 4], [0, 1, 2, 3]),
        (slice(1, 4), [0, 4]),
        ([True, False, False, False, True], [1, 2, 3]),
        ([], [0, 1, 2, 3, 4]),
        (range(5), []),
        (None, [0, 1, 2, 3]),
        (-2, [0, 1, 2, 4]),
    ],
)
def test_pop_deletes_several_samples_at_once(ds, index, left):
    before = ds.version
    ds.pop(index)
    assert numbers(ds) == left
    assert numbers(penstock.load(ds.path)) == left
    assert (ds.version == before) == (len(left) == 5)


def test_pop_of_many_is_one_version(ds):
    before = content_of(ds).table.stored.snapshot.version
    ds.pop([0, 1, 2])
    assert content_of(ds).table.stored.snapshot.version == before + 1


@pytest.mark.parametrize(
    ("index", "kind"),
    [([0, 9], SampleIndexError), (9, SampleIndexError), ("0", SampleError), (True, SampleError), ([0.5], SampleError)],
)
def test_pop_of_what_is_not_there_deletes_nothing(ds, index, kind):
    with pytest.raises(kind):
        ds.pop(index)
    assert numbers(ds) == [0, 1, 2, 3, 4]


def test_pop_drops_the_edits_of_the_samples(ds):
    ds.number[0] = 70
    ds.number[1] = 71
    ds.pop([0])
    assert numbers(ds) == [71, 2, 3, 4]
    assert ds.num_edits == 1


def test_load_takes_a_version_behind_an_at(ds):
    first = ds.commit_id
    ds.tag("v1")
    ds.pop([0, 1])
    ds.commit("second")
    ds.checkout("a/b@c", create=True)
    for ref in (first, first[:8], "v1"):
        opened = penstock.load(f"{ds.path}@{ref}")
        assert (len(opened), opened.read_only) == (5, True)
    assert len(penstock.load(f"{ds.path}@main")) == 3
    assert penstock.load(f"{ds.path}@a/b@c").branch == "a/b@c"


def test_an_at_in_a_real_path_is_part_of_the_path(tmp_path):
    for name in ("x", "x@y", "@z"):
        made = penstock.empty(tmp_path / name)
        made.create_tensor(name.replace("@", "of"), htype="text")
        made.commit(name)
    assert list(penstock.load(tmp_path / "x@y").tensors) == ["xofy"]
    assert list(penstock.load(f"{tmp_path}/x@y@main").tensors) == ["xofy"]
    assert list(penstock.load(f"{tmp_path}/@z").tensors) == ["ofz"]
    with pytest.raises(CommitNotFoundError):
        penstock.load(f"{tmp_path}/x@nope")
    with pytest.raises(DatasetNotFoundError):
        penstock.load(f"{tmp_path}/none@main")
    with pytest.raises(DatasetNotFoundError):
        penstock.load(f"{tmp_path}/x@", version="main")


def test_commit_id_is_the_last_commit(ds, tmp_path):
    assert ds.commit_id == ds.log()[0].id
    assert penstock.empty(tmp_path / "new").commit_id is None


def test_get_view_tells_what_was_saved(ds):
    view_id = ds.query("select * where number > 2").save_view("late")
    found = ds.get_view(view_id)
    assert (found.id, found.message) == (view_id, "late")
    with pytest.raises(ViewNotFoundError, match="did you mean"):
        ds.get_view(view_id[:-1])


def test_filter_takes_a_function_or_a_condition(ds):
    assert ds.filter(lambda sample: sample.number.numpy() % 2 == 0).indices.tolist() == [0, 2, 4]
    assert ds[[4, 1]].filter(lambda sample: sample.number.numpy() > 3).indices.tolist() == [4]
    assert ds.filter("labels = 'b'").indices.tolist() == [1, 3]
    with pytest.raises(DatasetError, match="Expected a function"):
        ds.filter(3)


@pytest.fixture
def noted(ds):
    """Add notes to `info`, and commit them."""
    ds.info["source"] = "camera"
    ds.info.update({"sizes": [1, 2]}, author="me")
    assert ds.has_changes
    return ds


def test_info_is_kept(noted):
    assert dict(penstock.load(noted.path).info) == {"source": "camera", "sizes": [1, 2], "author": "me"}
    with pytest.raises(KeyError):
        noted.info["none"]


def test_an_entry_of_info_can_be_deleted(noted):
    noted.commit("notes")
    del noted.info["sizes"]
    assert len(noted.info) == 2
    assert "sizes" not in noted.info


def test_reset_brings_info_back(noted):
    noted.commit("notes")
    del noted.info["sizes"]
    noted.reset()
    assert noted.info["sizes"] == [1, 2]


def test_info_of_an_earlier_commit_is_as_it_was(ds):
    first = ds.commit_id
    ds.info["source"] = "camera"
    ds.commit("notes")
    old = penstock.load(ds.path, version=first)
    assert dict(old.info) == {}
    with pytest.raises(ReadOnlyError):
        old.info["a"] = 1


@pytest.mark.parametrize(
    "value", [object(), float("nan"), "\udc80", {1: {2}}], ids=["object", "nan", "surrogate", "set"]
)
def test_a_note_that_cannot_be_stored_is_refused(ds, value):
    with pytest.raises(DatasetError, match="JSON"):
        ds.info["x"] = value
    assert dict(ds.info) == {}


@pytest.fixture
def without_number(ds):
    """Edit and delete a tensor, append a sample, commit; return the commit before."""
    first = ds.commit_id
    ds.number[0] = 70
    ds.labels[0] = "b"
    ds.delete_tensor("number")
    assert list(ds.tensors) == ["labels"]
    assert ds.labels[0].numpy().tolist() == [1]
    ds.append({"labels": ["c"]})
    ds.commit("without")
    return first


@pytest.mark.usefixtures("without_number")
def test_a_deleted_tensor_is_gone(ds):
    again = penstock.load(ds.path)
    assert (list(again.tensors), len(again)) == (["labels"], 6)


def test_a_deleted_tensor_stays_in_earlier_commits(ds, without_number):
    assert numbers(penstock.load(ds.path, version=without_number)) == [0, 1, 2, 3, 4]
    assert ds.diff(without_number).tensors_removed == ("number",)


@pytest.mark.usefixtures("without_number")
def test_the_name_of_a_deleted_tensor_can_be_used_again(ds):
    ds.create_tensor("number", htype="text")
    ds.number[5] = "new"
    ds.commit("again")
    assert ds.number[5].numpy().tolist() == "new"
    assert ds.query("select * where number = 'new'").indices.tolist() == [5]


def test_a_deleted_tensor_comes_back_with_reset(ds):
    ds.delete_tensor("number")
    ds.reset()
    assert numbers(ds) == [0, 1, 2, 3, 4]


def test_a_column_left_by_a_killed_delete_is_in_nobodys_way(ds):
    working = content_of(ds).opened.working
    change_meta(working, lambda meta: {**meta, "tensors": [one for one in meta["tensors"] if one["name"] != "number"]})
    again = penstock.load(ds.path)
    assert list(again.tensors) == ["labels"]
    again.create_tensor("number", htype="text")
    again.append({"labels": ["a"], "number": "x"})
    again.commit("text now")
    assert again.number[5].numpy().tolist() == "x"


def test_a_merge_asks_about_what_was_deleted_here(ds):
    ds.checkout("other", create=True)
    ds.number[0] = 70
    ds.labels[0] = "b"
    ds.commit("edited")
    ds.checkout("main")
    ds.delete_tensor("number")
    ds.commit("deleted")
    assert [conflict.tensor for conflict in ds.merge("other")] == ["number"]
    ds.merge("other", prefer="ours")
    assert list(ds.tensors) == ["labels"]
    assert ds.labels[0].numpy().tolist() == [1]


def test_deleting_what_is_not_there_is_refused(ds):
    with pytest.raises(TensorNotFoundError, match="did you mean 'number'"):
        ds.delete_tensor("numbers")
    with pytest.raises(ReadOnlyError):
        penstock.load(ds.path, read_only=True).delete_tensor("number")


def test_rename_tensor_says_what_to_write_instead(ds):
    with pytest.raises(DatasetError, match="a tensor keeps the name"):
        ds.rename_tensor("labels", "classes")
    ds.create_tensor("count", htype="generic", dtype="int64")
    ds["count"][:] = ds["number"].numpy(aslist=True)
    ds.delete_tensor("number")
    ds.commit("renamed")
    assert [sample["count"].numpy().item() for sample in ds] == [0, 1, 2, 3, 4]
