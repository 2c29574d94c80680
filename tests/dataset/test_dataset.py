from __future__ import annotations

import warnings

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import (
    CommitNotFoundError,
    DatasetError,
    DatasetExistsError,
    DatasetNotFoundError,
    ReadOnlyError,
    SampleError,
    SampleIndexError,
    TensorNotFoundError,
    UnknownClassError,
)
from penstock.tensors import encode_image
from tests.dataset.peers import Peer


@pytest.fixture
def ds(tmp_path):
    dataset = penstock.empty(tmp_path / "shapes")
    with dataset:
        dataset.create_tensor("images", htype="image", sample_compression="png")
        dataset.create_tensor("boxes", htype="bbox")
        dataset.create_tensor("labels", htype="class_label")
        dataset.create_tensor("age")
        for index in range(10):
            dataset.append(
                {
                    "images": np.full((4 + index, 6, 3), index, np.uint8),
                    "boxes": np.full((index % 3, 4), index, np.float32),
                    "labels": ["circle", "square"][: index % 3] or None,
                    "age": index,
                }
            )
    return dataset


def _labels(dataset):
    return [labels.tolist() for labels in dataset.labels.numpy(aslist=True)]


@pytest.fixture(scope="module")
def elsewhere():
    """Return a function that opens a dataset in a process of its own, and returns a value read there, as a text."""
    peer = Peer()

    def read(dataset, *values):
        peer(f"ds = penstock.load({str(dataset.path)!r})")
        told = peer(f"' '.join(map(str, ({', '.join(values)},)))")
        assert peer("del ds") is None
        assert isinstance(told, str), told
        return told

    yield read
    peer.end()


def test_samples_come_back_as_they_were_appended(ds):
    assert len(ds) == 10
    assert ds.labels.info.class_names == ["circle", "square"]
    assert _labels(ds) == [[], [0], [0, 1]] * 3 + [[]]
    np.testing.assert_array_equal(ds.images[3].numpy(), np.full((7, 6, 3), 3, np.uint8))
    np.testing.assert_array_equal(ds.boxes[5].numpy(), np.full((2, 4), 5, np.float32))
    assert ds.boxes[0].numpy().shape == (0, 4)
    assert ds.age.numpy().tolist() == list(range(10))
    assert ds[-1].age.numpy() == 9
    assert ds.labels[2].data() == {"value": pytest.approx([0, 1]), "text": ["circle", "square"]}


def test_ragged_samples_are_no_single_array(ds):
    with pytest.raises(SampleError, match=r"3 shapes .* Hint: use .numpy\(aslist=True\)"):
        ds.labels.numpy()
    assert ds.images.shape == (10, None, 6, 3)
    assert ds.images[2].shape == (6, 6, 3)
    assert ds.boxes.shape == (10, None, 4)


def test_views_slice_in_every_direction(ds):
    assert ds[2:5].indices.tolist() == [2, 3, 4]
    assert ds[::-3].indices.tolist() == [9, 6, 3, 0]
    assert ds[[4, 4, -1]].age.numpy().tolist() == [4, 4, 9]
    assert ds[np.arange(10) % 2 == 1].indices.tolist() == [1, 3, 5, 7, 9]
    assert ds[2:8][1:3].indices.tolist() == [3, 4]
    assert len(ds[[]]) == 0
    with pytest.raises(SampleIndexError, match=r"sample 10 does not exist. Expected -10 to 9"):
        ds[10]
    with pytest.raises(SampleIndexError, match=r"the mask has 3 entries. Expected 10"):
        ds[np.array([True, False, True])]


def test_views_are_snapshots_that_refuse_edits(ds):
    view = ds[1:3]
    ds.labels[1] = ["square"]
    ds.pop(0)
    assert [sample.tolist() for sample in view.labels.numpy(aslist=True)] == [[0], [0, 1]]
    with pytest.raises(ReadOnlyError, match=r"snapshot"):
        view.labels[0] = [1]


def test_edits_keep_every_other_sample_where_it_was(ds, elsewhere):
    ds.commit("first")
    uids = content_of(ds).table.uids(np.arange(10))
    ds.labels[8] = ["square"]
    ds.boxes[8] = ds.boxes[8].numpy()[:1]
    ds.age[[0, 9]] = [100, 900]
    assert ds.num_edits == 4
    assert ds.has_changes
    commit = ds.commit("mend sample 8")
    assert not ds.has_changes
    np.testing.assert_array_equal(content_of(ds).table.uids(np.arange(10)), uids)
    expected = [[], [0], [0, 1]] * 3 + [[]]
    expected[8] = [1]
    assert _labels(ds) == expected
    assert ds.age.numpy().tolist() == [100, 1, 2, 3, 4, 5, 6, 7, 8, 900]
    seen = elsewhere(
        ds, "ds.log()[0].message", "ds.labels[8].numpy()", "len(ds)", "ds.version", "ds.age.numpy().tolist()"
    )
    assert seen == f"mend sample 8 [1] 10 {commit} [100, 1, 2, 3, 4, 5, 6, 7, 8, 900]"


def test_a_draft_is_kept_beside_the_dataset_until_it_is_committed(ds, elsewhere):
    first = ds.commit("first")
    ds.labels[1] = ["square", "circle"]
    assert elsewhere(ds, "ds.labels[1].numpy()", "ds.num_edits") == "[1 0] 1"
    assert penstock.load(ds.path, version=first).labels[1].numpy().tolist() == [0]
    ds.reset()
    assert not ds.has_changes
    assert elsewhere(ds, "ds.labels[1].numpy()", "ds.num_edits") == "[0] 0"


@pytest.fixture
def popped(ds):
    """Edit sample 7 of ten, and pop the sixth and the last."""
    ds.commit("first")
    ds.age[7] = 77
    ds.pop(6)
    ds.pop()
    return ds


def test_the_rest_moves_up_when_samples_are_popped(popped, elsewhere):
    assert popped.age.numpy().tolist() == [0, 1, 2, 3, 4, 5, 77, 8]
    popped.commit("without 6 and the last")
    assert elsewhere(popped, "ds.age.numpy().tolist()") == "[0, 1, 2, 3, 4, 5, 77, 8]"


def test_a_sample_behind_those_that_are_left_does_not_exist(popped):
    with pytest.raises(SampleIndexError, match=r"sample 8"):
        popped.pop(8)


def test_reset_goes_back_to_the_last_commit(ds):
    ds.commit("first")
    version = ds.version
    ds.append({"images": None, "boxes": None, "labels": "triangle", "age": 1})
    ds.pop(0)
    ds.create_tensor("note", htype="text")
    ds.reset()
    assert len(ds) == 10
    assert list(ds.tensors) == ["images", "boxes", "labels", "age"]
    assert ds.labels.info.class_names == ["circle", "square"]
    assert (ds.version, ds.has_changes) == (version, False)
    ds.append({"images": None, "boxes": None, "labels": "triangle", "age": 1})
    assert ds.labels[10].data()["text"] == ["triangle"]
    assert ds.commit("after reset") == penstock.load(ds.path).version


@pytest.fixture
def three_commits(ds):
    """Return the ids of three commits: the first, one with a class renamed, one with a sample less."""
    first = ds.commit("first")
    ds.labels.rename_class("circle", "disc")
    second = ds.commit("discs")
    ds.pop(0)
    return first, second, ds.commit("popped")


def test_the_log_has_every_commit_with_its_parent(ds, three_commits):
    first, second, third = three_commits
    assert [commit.id for commit in ds.log()] == [third, second, first]
    assert [commit.parent for commit in ds.log()] == [second, first, None]
    assert "popped" in repr(ds.log())
    assert ds.log().to_pandas()["message"].tolist() == ["popped", "discs", "first"]


def test_every_commit_stays_as_it_was(ds, three_commits):
    old = penstock.load(ds.path, version=three_commits[0])
    assert (len(old), old.labels.info.class_names) == (10, ["circle", "square"])
    with pytest.raises(ReadOnlyError, match=r"opened at version"):
        old.pop(0)


def test_every_commit_opens_by_id_prefix(ds, three_commits):
    assert len({commit_id[:7] for commit_id in three_commits}) == 3
    assert penstock.load(ds.path, version=three_commits[1][:7]).labels.info.class_names == ["disc", "square"]


@pytest.mark.usefixtures("three_commits")
def test_a_version_that_does_not_exist_is_refused(ds):
    with pytest.raises(CommitNotFoundError, match=r"'nonsense' is not a commit, tag or branch"):
        penstock.load(ds.path, version="nonsense")


def test_messages_are_data_in_html(ds):
    ds.commit("<script>alert('ü')</script>")
    assert "<script>" not in ds.log()._repr_html_()
    assert ds.log()[0].message == "<script>alert('ü')</script>"


def test_nothing_to_commit_is_said(ds):
    ds.commit("first")
    with pytest.raises(DatasetError, match=r"nothing to commit"):
        ds.commit("again")


def test_refused_samples_leave_the_dataset_untouched(ds):
    good = {"images": None, "boxes": None, "labels": ["star"], "age": 1}
    with pytest.raises(TensorNotFoundError, match=r"'label' is not a tensor.*did you mean 'labels'"):
        ds.append({**good, "label": 1})
    with pytest.raises(SampleError, match=r"no value for 'age'.*use None to append an empty value"):
        ds.append({name: value for name, value in good.items() if name != "age"})
    with pytest.raises(SampleError, match=r"Expected boxes of shape \(num_boxes, 4\)"):
        ds.append({**good, "boxes": [[1, 2, 3]]})
    with pytest.raises(SampleError, match=r"sample 1 of 'age'"):
        ds.extend({"images": [None] * 2, "boxes": [None] * 2, "labels": [["star"], None], "age": [1, "old"]})
    assert len(ds) == 10
    assert ds.labels.info.class_names == ["circle", "square"]


def test_an_unknown_class_in_an_edit_names_the_nearest(ds):
    with pytest.raises(UnknownClassError, match=r"'cirle' is not a class of labels.*did you mean 'circle'"):
        ds.labels[0] = ["cirle"]
    assert ds.labels.add_class("star") == 2
    ds.labels[0] = ["star"]
    assert ds.labels[0].numpy().tolist() == [2]


def test_boxes_and_labels_that_part_in_an_edit_are_warned_of(ds):
    ds.boxes[2] = np.zeros((1, 4))
    with pytest.warns(UserWarning, match=r"sample 2 has different numbers of 'boxes' and 'labels'"):
        ds.commit("one box less")


def test_edits_can_be_discarded_one_by_one(ds):
    ds.commit("first")
    version = ds.version
    ds.age[1] = 11
    ds.labels[1] = []
    ds.labels[2] = []
    ds.discard_edits("labels", [1])
    assert (ds.labels[1].numpy().tolist(), ds.labels[2].numpy().tolist(), ds.age[1].numpy()) == ([0], [], 11)
    ds.discard_edits()
    assert (ds.version, ds.has_changes) == (version, False)


def test_the_version_string_follows_the_draft(ds):
    ds.commit("first")
    clean = ds.version
    revision = content_of(ds).table.revision("boxes")
    ds.labels[1] = [1]
    assert ds.version.startswith(f"{clean}~")
    assert content_of(ds).table.revision("boxes") == revision


def test_the_version_string_comes_back_when_edits_are_discarded(ds):
    ds.commit("first")
    clean = ds.version
    ds.labels[1] = [1]
    ds.discard_edits()
    assert ds.version == clean


def test_paths_that_hold_no_dataset_or_one_already(ds, tmp_path):
    with pytest.raises(DatasetExistsError, match=r"use penstock.load to open it"):
        penstock.empty(ds.path)
    with pytest.raises(DatasetNotFoundError, match=r"did you mean .*shapes"):
        penstock.load(tmp_path / "shapse")
    with pytest.raises(DatasetError, match=r"from_deeplake"):
        penstock.load("hub://activeloop/coco-train")
    (tmp_path / "file").write_text("text")
    with pytest.raises(DatasetError, match="is a file"):
        penstock.empty(tmp_path / "file")
    for path in (None, "", 5):
        with pytest.raises(DatasetError, match="Expected a path or an object-store URL"):
            penstock.load(path)
    with pytest.raises(DatasetError, match=r"scheme 'ftp'. Expected a local path or one of: s3, gs, az"):
        penstock.load("ftp://host/ds")
    assert len(penstock.empty(ds.path, overwrite=True)) == 0


def test_tensors_named_like_methods_are_reached_by_index(ds):
    with pytest.warns(UserWarning, match=r"Use ds\['split'\]"):
        ds.create_tensor("split", htype="text")
    ds["split"][0] = "train"
    assert ds["split"][0].data()["value"] == ds[0]["split"].data()["value"] == "train"
    assert ds.split({"all": 1.0})["all"].indices.tolist() == list(range(10))


def test_tensor_names_that_are_refused(ds):
    with pytest.raises(DatasetError, match=r"Expected letters.*Hint: use 'Patient_Age'"):
        ds.create_tensor("Patient: Age")
    with pytest.raises(DatasetError, match=r"already exists"):
        ds.create_tensor("age")
    with pytest.raises(DatasetError, match=r"did you mean 'class_label'"):
        ds.create_tensor("more", htype="class_labels")


def test_a_tensor_added_later_is_empty_in_the_samples_there_are(ds, elsewhere):
    ds.create_tensor("marks", htype="class_label", class_names=["blurred"])
    ds.create_tensor("note", htype="text")
    assert _labels(ds)[1] == [0]
    assert ds.marks[4].numpy().tolist() == []
    assert ds.note[4].data() == {"value": None}
    ds.marks[4] = ["blurred"]
    ds.commit("tagged")
    assert elsewhere(ds, "ds.marks[4].numpy()", "ds.marks[3].numpy()") == "[0] []"


def test_a_token_is_accepted_with_a_warning_that_it_is_not_used(tmp_path):
    with pytest.warns(UserWarning, match=r"not used"):
        penstock.empty(tmp_path / "a", token="secret")


def test_without_a_token_nothing_is_warned_of(tmp_path):
    penstock.empty(tmp_path / "a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        penstock.load(tmp_path / "a")


def test_split_divides_label_sets_evenly(ds):
    parts = ds.split({"train": 0.5, "val": 0.5}, stratify="labels")
    assert sorted(np.concatenate([part.indices for part in parts.values()]).tolist()) == list(range(10))
    assert [len(part) for part in parts.values()] == [5, 5]
    for part in parts.values():
        sets = [labels.tolist() for labels in part.labels.numpy(aslist=True)]
        assert all(1 <= sets.count(labels) <= 2 for labels in ([], [0], [0, 1]))
    with pytest.raises(DatasetError, match=r"sum to at most 1"):
        ds.split({"train": 0.9, "val": 0.2})


def test_pandas_indexes_by_row(ds):
    frame = ds[3:6].pandas()
    assert frame.index.tolist() == [3, 4, 5]
    assert frame["age"].tolist() == [3, 4, 5]


def test_pandas_names_classes(ds):
    assert ds[3:6].pandas()["labels"].tolist() == [[], ["circle"], ["circle", "square"]]


def test_pandas_leaves_images_out(ds):
    assert "images" not in ds[3:6].pandas()


def test_summary_prints_kinds_and_shapes(ds, capsys):
    ds.summary()
    text = capsys.readouterr().out
    assert "images  image        (10, 4–13, 6, 3)" in text
    assert "2 classes" in text


def sent(source):
    import cloudpickle

    return cloudpickle.loads(cloudpickle.dumps(source))


@pytest.fixture
def edited_after_commit(ds):
    ds.commit("first")
    ds.age[2] = 22
    return ds


def test_a_view_travels_with_its_edits(edited_after_commit):
    assert sent(edited_after_commit[1:4]).age.numpy().tolist() == [1, 22, 3]


def test_a_dataset_travels_read_only(edited_after_commit):
    copy = sent(edited_after_commit)
    assert (copy.version, len(copy)) == (edited_after_commit.version, 10)
    with pytest.raises(ReadOnlyError, match="another process"):
        copy.pop(0)


def test_a_large_extend_says_what_it_has_kept(tmp_path):
    dataset = penstock.empty(tmp_path / "many")
    dataset.create_tensor("images", htype="image", verify=False)
    image = encode_image(np.zeros((2, 2), np.uint8))
    with pytest.raises(SampleError, match=r"sample 4 of 'images'.*the 4096 samples before it were appended"):
        dataset.extend({"images": [image] * 4100 + [b"no image"]})
    assert len(dataset) == 4096


def test_threads_read_while_another_writes(ds):
    from concurrent.futures import ThreadPoolExecutor

    ds.commit("first")

    def read(turn):
        view = ds.query("select * where age >= 0")
        assert view.age.numpy().tolist() == list(range(len(view)))
        assert len(ds[turn % 10].labels.numpy()) <= 2
        return ds.images[turn % 10].numpy()[0, 0, 0] == turn % 10

    with ThreadPoolExecutor(4) as pool:
        reads = [pool.submit(read, turn) for turn in range(40)]
        for turn in range(10):
            ds.labels[turn] = [turn % 2] * (turn % 3)
            if turn % 3 == 0:
                ds.append({"images": None, "boxes": None, "labels": None, "age": len(ds)})
                ds.commit(f"turn {turn}")
        assert all(future.result() for future in reads)
    assert _labels(ds)[:10] == [[turn % 2] * (turn % 3) for turn in range(10)]
    assert len(ds) == 14


def test_edits_inside_with_are_treated_like_others(ds, elsewhere):
    ds.commit("first")
    with ds:
        ds.age[1] = 11
        ds.commit("inside")
        ds.age[2] = 22
        ds.discard_edits()
        ds.age[3] = 33
    assert ds.age.numpy().tolist() == [0, 11, 2, 33, 4, 5, 6, 7, 8, 9]
    assert elsewhere(ds, "ds.age.numpy().tolist()", "ds.num_edits") == "[0, 11, 2, 33, 4, 5, 6, 7, 8, 9] 1"


def test_discarding_one_edit_keeps_those_of_another_session(ds):
    ds.commit("first")
    other = penstock.load(ds.path)
    ds.age[1] = 11
    other.age[2] = 22
    ds.discard_edits("age", [1])
    assert penstock.load(ds.path).age[:3].numpy().tolist() == [0, 1, 22]
