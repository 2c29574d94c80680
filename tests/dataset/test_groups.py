"""Tensors that describe the same objects of a sample have as many entries."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import AlignmentError, DatasetError, SampleError, TensorNotFoundError
from penstock.tensors import TensorSpec, group_of, object_groups

_BOX = [0.0, 0.0, 1.0, 1.0]


def _objects(count):
    return {
        "boxes": [_BOX] * count,
        "categories": ["cat"] * count,
        "iscrowd": [0] * count,
        "attributes": [{"number": number} for number in range(count)],
    }


@pytest.fixture
def ds(tmp_path):
    dataset = penstock.empty(tmp_path / "objects")
    dataset.create_tensor("boxes", "bbox")
    dataset.create_tensor("categories", "class_label", aligned_with="boxes")
    dataset.create_tensor("iscrowd", dtype="uint8", aligned_with="categories")
    dataset.create_tensor("attributes", "json", aligned_with="boxes")
    dataset.create_tensor("note", "text")
    for count in (2, 0, 1):
        dataset.append({**_objects(count), "note": "x"})
    dataset.commit("objects")
    return dataset


def _lengths(dataset):
    names = object_groups(content_of(dataset).table.tensors)["boxes"]
    return [[len(sample[name].data()["value"] or []) if name == "attributes" else len(sample[name].numpy()) for name in names] for sample in dataset]  # fmt: skip


def test_group_is_named_by_its_first_tensor(ds):
    assert {name: spec.aligned_with for name, spec in content_of(ds).table.tensors.items()} == {
        "boxes": None,
        "categories": "boxes",
        "iscrowd": "boxes",
        "attributes": "boxes",
        "note": None,
    }
    assert group_of(content_of(ds).table.tensors, "iscrowd") == ("boxes", "categories", "iscrowd", "attributes")
    assert group_of(content_of(ds).table.tensors, "note") == ()


def test_group_survives_reopening(ds):
    again = penstock.load(ds.path)
    assert object_groups(content_of(again).table.tensors) == {"boxes": ("boxes", "categories", "iscrowd", "attributes")}


def test_group_is_in_the_summary(ds, capsys):
    ds.summary()
    assert capsys.readouterr().out.count("aligned with boxes") == 3


def test_spec_of_a_dataset_without_groups_is_read():
    stored = TensorSpec(name="boxes", htype="bbox").to_json()
    del stored["aligned_with"]
    assert TensorSpec.from_json(stored).aligned_with is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"categories": ["cat"]}, "1 object in 'categories'"),
        ({"iscrowd": None}, "0 objects in 'iscrowd'"),
        ({"attributes": [{}, {}, {}]}, "3 objects in 'attributes'"),
        ({"attributes": {"a": 1, "b": 2}}, "a value in 'attributes' that is not a list"),
        ({"boxes": None}, "0 objects in 'boxes'"),
    ],
    ids=["label", "none", "json", "no_list", "boxes"],
)
def test_append_refuses_unequal_lengths_at_once(ds, changes, words):
    with pytest.raises(AlignmentError, match=words) as caught:
        ds.append({**_objects(2), "note": "x", **changes})
    assert caught.value.tensors == ("boxes", "categories", "iscrowd", "attributes")
    assert caught.value.rows == (0,)
    assert len(ds) == 3


def samples_of_unequal_length():
    samples = [{**_objects(count), "note": "x"} for count in (1, 2, 3)]
    samples[1]["categories"] = ["cat", "cat", "cat"]
    return {name: [sample[name] for sample in samples] for name in samples[0]}


def test_extend_names_the_sample_of_unequal_length(ds):
    with pytest.raises(AlignmentError, match="sample 1 has 2 objects in 'boxes', 3 objects in 'categories'"):
        ds.extend(samples_of_unequal_length())


def test_extend_adds_no_sample_where_one_is_of_unequal_length(ds):
    with pytest.raises(AlignmentError):
        ds.extend(samples_of_unequal_length())
    assert len(ds) == 3


UNEQUAL = "sample 0 has 2 objects in 'boxes', 3 objects in 'categories'"


def test_commit_of_unequal_lengths_names_them(ds):
    ds.categories[0] = ["cat", "cat", "cat"]
    with pytest.raises(AlignmentError, match=UNEQUAL) as caught:
        ds.commit("wrong")
    assert caught.value.lengths == {0: {"boxes": 2, "categories": 3, "iscrowd": 2}}


def test_commit_of_unequal_lengths_leaves_the_draft_as_it_was(ds):
    before = ds.log()[0].id
    ds.categories[0] = ["cat", "cat", "cat"]
    ds.note[1] = "edited"
    with pytest.raises(AlignmentError, match=UNEQUAL):
        ds.commit("wrong")
    assert ds.log()[0].id == before
    assert ds.categories[0].numpy().tolist() == [0, 0, 0]


def test_commit_of_lengths_that_were_made_equal_is_stored(ds):
    ds.categories[0] = ["cat", "cat", "cat"]
    ds.boxes[0], ds.iscrowd[0], ds.attributes[0] = [_BOX] * 3, [0] * 3, [{}] * 3
    ds.commit("whole")
    assert _lengths(penstock.load(ds.path)) == [[3] * 4, [0] * 4, [1] * 4]


def test_commit_counts_the_entries_of_json(ds):
    ds.attributes[2] = [{}, {}]
    with pytest.raises(AlignmentError, match=r"sample 2 has 1 object in 'boxes'.* 2 objects in 'attributes'"):
        ds.commit("wrong")
    ds.discard_edits("attributes")
    ds.note[0] = "fine"
    ds.commit("right")


@pytest.mark.parametrize("value", [{"a": 1}, "text", 3], ids=["dict", "str", "int"])
def test_assignment_of_json_that_is_no_list_is_refused(ds, value):
    with pytest.raises(SampleError, match="Expected a list with an entry for each object"):
        ds.attributes[0] = value


def test_single_number_cannot_be_an_entry_for_each_object(ds):
    ds.create_tensor("area", aligned_with="boxes")
    with pytest.raises(SampleError, match="Expected a list"):
        ds.area[0] = 3.0
    with pytest.raises(AlignmentError, match="a value in 'area' that is not a list"):
        ds.append({**_objects(1), "note": "x", "area": 3.0})


def test_tensor_made_later_is_filled_before_the_commit(ds):
    ds.create_tensor("area", aligned_with="boxes")
    with pytest.raises(AlignmentError, match=r"sample 0 has 2 objects in 'boxes'.* 0 objects in 'area'; sample 2"):
        ds.commit("empty")
    ds.area[0], ds.area[2] = [1.0, 2.0], [3.0]
    ds.commit("filled")
    assert [area.tolist() for area in ds.area.numpy(aslist=True)] == [[1.0, 2.0], [], [3.0]]


def test_json_made_later_is_read_in_every_sample(ds):
    ds.create_tensor("parts", "json", aligned_with="boxes")
    ds.parts[0] = [1, 2]
    with pytest.raises(AlignmentError, match=r"^sample 2 has"):
        ds.commit("half")


def test_align_declares_a_group_of_stored_tensors(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", "bbox")
    ds.create_tensor("labels", "class_label")
    ds.create_tensor("scores")
    ds.extend({"boxes": [[_BOX], None], "labels": ["a", None], "scores": [[0.5], None]})
    ds.commit("rows")
    before = ds.log()[0].id
    ds.align("labels", "scores")
    ds.align("boxes", "labels")
    assert object_groups(content_of(penstock.load(ds.path)).table.tensors) == {"boxes": ("boxes", "labels", "scores")}
    assert ds.diff(before).aligned == {"labels": (None, "boxes"), "scores": (None, "boxes")}
    assert "aligned: labels" in repr(ds.diff(before))


def test_align_refuses_samples_of_unequal_length_before_anything_changes(ds):
    ds.create_tensor("scores")
    ds.scores[2] = [1.0, 2.0]
    with pytest.raises(
        AlignmentError, match=r"sample 0 has 2 .* 0 objects in 'scores'; sample 2 .* 2 objects in 'scores'"
    ):
        ds.align("boxes", "scores")
    assert content_of(ds).spec("scores").aligned_with is None


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        (("boxes",), DatasetError, "two or more tensors"),
        (("boxes", "boxes"), DatasetError, "two or more tensors"),
        (("boxes", "nope"), TensorNotFoundError, "'nope' is not a tensor"),
        (
            ("boxes", "note"),
            DatasetError,
            r"'note' \(text\) cannot be in an object group. .* json tensor can hold a list",
        ),
    ],
    ids=["one", "twice", "unknown", "text"],
)
def test_align_refuses_what_is_no_group(ds, names, error, words):
    with pytest.raises(error, match=words):
        ds.align(*names)


@pytest.mark.parametrize("htype", ["text", "image", "embedding", "binary_mask", "segment_mask"])
def test_kinds_without_an_entry_for_each_object_cannot_be_aligned(ds, htype):
    with pytest.raises(DatasetError, match="Expected one of: bbox, class_label, generic, json"):
        ds.create_tensor("other", htype, aligned_with="boxes")
    assert "other" not in ds.tensors


def test_pop_keeps_the_group(ds):
    ds.pop(0)
    ds.commit("popped")
    assert _lengths(ds) == [[0] * 4, [1] * 4]


def test_saved_copy_keeps_the_group(ds):
    copied = ds.load_view(ds[[1, 0]].save_view(), optimize=True)
    assert object_groups(content_of(copied).table.tensors) == {
        "boxes": ("boxes", "categories", "iscrowd", "attributes")
    }


def test_second_writer_cannot_append_samples_that_do_not_fit_a_new_group(tmp_path):
    one = penstock.empty(tmp_path / "ds")
    one.create_tensor("boxes", "bbox")
    one.create_tensor("labels", "class_label", class_names=["a"])
    one.commit("start")
    two = penstock.load(tmp_path / "ds")
    two.extend({"boxes": [[_BOX], [_BOX]], "labels": [["a"], ["a", "a"]]})
    one.align("boxes", "labels")
    with pytest.raises(DatasetError, match=r"1 of 2 appended samples .* 2 objects in 'labels'.* other 1 were stored"):
        two.flush()
    assert two.labels.numpy().tolist() == [[0]]


# ---- merging ---------------------------------------------------------------------------------------


def test_merge_takes_over_a_group_that_the_other_branch_declared(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", "bbox")
    ds.create_tensor("labels", "class_label", class_names=["a"])
    ds.extend({"boxes": [[_BOX]], "labels": [["a"]]})
    ds.commit("start")
    ds.checkout("side", create=True)
    ds.align("boxes", "labels")
    ds.commit("aligned")
    ds.checkout("main")
    assert ds.merge("side") == []
    assert content_of(ds).spec("labels").aligned_with == "boxes"


def _both_edited(ds, theirs, ours):
    ds.checkout("side", create=True)
    for name, value in theirs.items():
        ds[name][0] = value
    ds.commit("theirs")
    ds.checkout("main")
    for name, value in ours.items():
        ds[name][0] = value
    ds.commit("ours")


_LESS = _objects(1)
_LABELS = {"categories": ["cat", "dog"]}


@pytest.mark.parametrize(
    ("theirs", "ours", "prefer", "lengths"),
    [
        (_LESS, _LABELS, "ours", 2),
        (_LESS, _LABELS, "theirs", 1),
        (_LABELS, _LESS, "ours", 1),
        (_LABELS, _LESS, "theirs", 2),
    ],
    ids=["removed_there_ours", "removed_there_theirs", "removed_here_ours", "removed_here_theirs"],
)
def test_merge_of_an_object_deleted_on_one_side_and_edited_on_the_other_is_a_conflict(
    ds, theirs, ours, prefer, lengths
):
    ds.categories.add_class("dog")
    ds.commit("dog")
    _both_edited(ds, theirs, ours)
    assert [conflict.tensor for conflict in ds.merge("side")] == ["categories"]
    ds.merge("side", prefer=prefer)
    assert _lengths(ds)[0] == [lengths] * 4


def test_merge_finds_objects_that_both_changed_in_different_tensors(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", "bbox")
    ds.create_tensor("scores", aligned_with="boxes")
    ds.create_tensor("area", aligned_with="boxes")
    ds.extend({"boxes": [[_BOX]], "scores": [[0.5]], "area": [[1.0]]})
    ds.commit("start")
    ds.checkout("side", create=True)
    ds.scores[0] = [0.9]
    ds.commit("theirs")
    ds.checkout("main")
    ds.area[0] = [2.0]
    ds.commit("ours")
    assert ds.merge("side") == []  # as many objects as before: both edits are kept
    assert (ds.scores.numpy().tolist(), ds.area.numpy().tolist()) == ([[0.9]], [[2.0]])


def test_merge_keeps_both_edits_when_the_objects_stay_as_many(ds):
    moved = np.array([[0.5, 0, 1, 1], [0, 0.5, 2, 2]], np.float32)
    _both_edited(ds, {"boxes": moved}, {"iscrowd": [1, 0]})
    assert ds.merge("side") == []
    np.testing.assert_array_equal(ds.boxes[0].numpy(), moved)
    assert ds.iscrowd[0].numpy().tolist() == [1, 0]
