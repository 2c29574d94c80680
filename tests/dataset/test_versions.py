from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.errors import CommitNotFoundError, DatasetError, ReadOnlyError, UncommittedChangesError, UnknownClassError


@pytest.fixture
def ds(tmp_path):
    dataset = penstock.empty(tmp_path / "numbers")
    dataset.create_tensor("images", htype="image")
    dataset.create_tensor("labels", htype="class_label", class_names=["even", "odd"])
    dataset.create_tensor("age")
    images = [np.full((5, 5), index, np.uint8) for index in range(8)]
    dataset.extend({"images": images, "labels": [[index % 2] for index in range(8)], "age": list(range(8))})
    dataset.commit("first")
    return dataset


def _row(index, *, label=None, age=0):
    return {"images": np.full((5, 5), index, np.uint8), "labels": label, "age": age}


def test_diff_names_what_was_added_removed_and_edited(ds):
    first = ds.version
    assert not ds.diff()
    ds.append(_row(50, label="prime"))
    ds.age[3] = 33
    ds.images[4] = np.full((5, 5), 99, np.uint8)
    ds.pop(0)
    diff = ds.diff()
    assert diff.added.tolist() == [7]
    assert diff.removed.tolist() == [0]
    assert {name: rows.tolist() for name, rows in diff.edited.items()} == {"images": [3], "age": [2]}
    assert diff.class_names == {"labels": (("even", "odd"), ("even", "odd", "prime"))}
    assert "edited: age" in repr(diff)
    second = ds.commit("second")
    again = ds.diff(first, second)
    assert (again.added.tolist(), again.removed.tolist(), sorted(again.edited)) == ([7], [0], ["age", "images"])
    back = ds.diff(second, first)
    assert (back.added.tolist(), back.removed.tolist()) == ([0], [7])


def test_diff_sees_an_edit_that_was_reset(ds):
    ds.age[3] = 33
    second = ds.commit("second")
    ds.age[3] = 34
    ds.commit("third")
    ds.age[5] = 55
    ds.reset()
    assert not ds.diff()
    assert ds.diff(second).edited["age"].tolist() == [3]


def test_diff_tells_a_new_tensor_and_knows_nan(ds):
    ds.create_tensor("score", dtype="float32")
    ds.score[2] = np.nan
    ds.commit("scores")
    ds.score[2] = np.nan
    assert ds.diff().edited == {}
    ds.score[2] = 0.5
    assert ds.diff().edited["score"].tolist() == [2]
    first = ds.log()[-1].id
    assert ds.diff(first).tensors_added == ("score",)


def test_branches_part_and_stay_apart(ds):
    ds.checkout("fix/sample 3", create=True)
    assert ds.branch == "fix/sample 3"
    ds.age[3] = 33
    fixed = ds.commit("mend 3")
    ds.pop(0)
    ds.checkout("main")
    assert ds.age.numpy().tolist() == list(range(8))
    assert ds.branches == ["main", "fix/sample 3"]
    other = penstock.load(ds.path, version="fix/sample 3")
    assert other.age.numpy().tolist() == [1, 2, 33, 4, 5, 6, 7]
    assert [commit.message for commit in other.log()] == ["mend 3", "first"]
    assert [commit.message for commit in ds.log()] == ["first"]
    other.reset()
    assert other.age.numpy().tolist() == [0, 1, 2, 33, 4, 5, 6, 7]
    assert penstock.load(ds.path, version=fixed).age[3].numpy() == 33
    with pytest.raises(DatasetError, match="already exists"):
        ds.checkout("fix/sample 3", create=True)


def test_drafts_belong_to_their_branch(ds):
    ds.checkout("side", create=True)
    ds.age[1] = 11
    ds.checkout("main")
    assert (ds.num_edits, int(ds.age[1].numpy())) == (0, 1)
    ds.checkout("side")
    assert (ds.num_edits, int(ds.age[1].numpy())) == (1, 11)


def test_a_commit_that_is_checked_out_is_read_only(ds):
    first = ds.version
    ds.pop(0)
    ds.commit("popped")
    ds.checkout(first)
    assert len(ds) == 8
    with pytest.raises(ReadOnlyError):
        ds.pop(0)
    ds.checkout("from-first", create=True)
    ds.age[0] = 100
    ds.commit("on an older one")
    assert ds.age.numpy().tolist() == [100, 1, 2, 3, 4, 5, 6, 7]
    with pytest.raises(CommitNotFoundError, match="did you mean 'main'"):
        ds.checkout("mian")


def test_a_branch_of_uncommitted_changes_is_refused(ds):
    ds.age[0] = 5
    with pytest.raises(UncommittedChangesError, match="'side' of changes"):
        ds.checkout("side", create=True)


def test_merge_takes_what_the_other_branch_changed(ds):
    ds.checkout("side", create=True)
    ds.append(_row(70, label="triangular", age=70))
    ds.age[3] = 33
    ds.labels[5] = ["even"]
    ds.pop(0)
    ds.commit("side work")
    ds.checkout("main")
    ds.append(_row(80, label="square", age=80))
    ds.age[4] = 44
    ds.commit("main work")
    assert ds.merge("side") == []
    assert ds.age.numpy().tolist() == [1, 2, 33, 44, 5, 6, 7, 80, 70]
    assert ds.labels.info.class_names == ["even", "odd", "square", "triangular"]
    names = ds.labels.data()["text"]
    assert [names[row] for row in (4, 7, 8)] == [["even"], ["square"], ["triangular"]]
    assert ds.images[8].numpy()[0, 0, 0] == 70
    assert ds.log()[0].message == "merge side"
    assert not ds.has_changes
    assert ds.merge("side") == []


def test_merge_with_a_conflict_changes_nothing_unless_told(ds):
    ds.checkout("side", create=True)
    ds.age[3] = 33
    ds.age[4] = 44
    ds.pop(6)
    ds.commit("side work")
    ds.checkout("main")
    ds.age[3] = 333
    ds.age[6] = 66
    ds.commit("main work")
    before = ds.version
    conflicts = ds.merge("side")
    uids = ds.table.uids(np.array([3, 6]))
    assert {(conflict.uid, conflict.tensor) for conflict in conflicts} == {(uids[0], "age"), (uids[1], None)}
    assert ds.version == before
    ds.merge("side", prefer="ours")
    assert ds.age.numpy().tolist() == [0, 1, 2, 333, 44, 5, 66, 7]


def test_merge_can_prefer_theirs(ds):
    ds.checkout("side", create=True)
    ds.age[3] = 33
    ds.commit("side work")
    ds.checkout("main")
    ds.age[3] = 333
    ds.commit("main work")
    ds.merge("side", prefer="theirs")
    assert ds.age[3].numpy() == 33


def test_tags_name_commits(ds):
    first = ds.version
    ds.tag("v1.0 – für alle")
    ds.pop(0)
    ds.commit("popped")
    assert ds.tags == {"v1.0 – für alle": first}
    assert len(penstock.load(ds.path, version="v1.0 – für alle")) == 8
    with pytest.raises(DatasetError, match="not taken"):
        ds.tag("v1.0 – für alle")
    ds.delete_tag("v1.0 – für alle")
    assert ds.tags == {}


def test_merged_classes_are_one_and_others_keep_their_names(ds):
    ds.labels.add_class("prime")
    ds.labels[7] = ["prime", "odd"]
    ds.labels[2] = ["even", "prime"]
    ds.commit("primes")
    ds.labels[3] = ["prime"]
    ds.labels.merge_classes(["odd"], into="even")
    assert ds.labels.info.class_names == ["even", "prime"]
    texts = ds.labels.data()["text"]
    assert texts == [["even"], ["even"], ["even", "prime"], ["prime"], ["even"], ["even"], ["even"], ["prime", "even"]]
    ds.commit("merged")
    assert penstock.load(ds.path).labels.data()["text"] == texts
    with pytest.raises(UnknownClassError, match="no class 'prim'"):
        ds.labels.merge_classes(["prim"], into="even")


def test_verify_finds_a_flipped_byte_and_a_missing_file(ds, tmp_path):
    assert ds.verify().ok
    files = sorted(Path(ds.path, "samples.lance", "data").iterdir(), key=lambda file: file.stat().st_size)
    content = bytearray(files[-1].read_bytes())
    place = content.find(ds.images[6].tobytes())
    content[place + 30] ^= 0x55
    files[-1].write_bytes(content)
    report = penstock.load(ds.path).verify()
    assert not report.ok
    assert [(problem.tensor, problem.row) for problem in report.problems] == [("images", 6)]
    assert report.problems[0].reason == "the bytes differ from those that were added"
    assert "differ from those that were added" in repr(report)


def test_cleanup_frees_what_no_commit_names(ds):
    first = ds.version
    for age in range(5):
        ds.age[0] = age + 1
        ds.commit(f"age {age}")
        ds.append(_row(age))
        ds.flush()
    ds.reset()
    freed = ds.cleanup(older_than=timedelta(0))
    assert freed > 0
    assert len(penstock.load(ds.path, version=first)) == 8
    for commit in ds.log():
        assert len(penstock.load(ds.path, version=commit.id)) >= 8
    assert ds.age[0].numpy() == 5


def test_a_damaged_tag_of_a_commit_loses_neither_log_nor_branches(ds):
    for age in range(3):
        ds.age[0] = age + 100
        ds.commit(f"age {age}")
    ds.tag("kept")
    ds.checkout("side", create=True)
    ds.checkout("main")
    messages = [commit.message for commit in ds.log()]
    folder = Path(ds.path, "samples.lance", "_refs", "tags")
    first, second = (folder / f"commit-{commit.id}.json" for commit in ds.log()[1:3])
    first.write_bytes(b"")
    second.write_bytes(second.read_bytes().replace(b'"version"', b'"wersion"'))
    again = penstock.load(ds.path)
    assert [commit.message for commit in again.log()] == messages
    assert again.branches == ["main", "side"]
    assert list(again.tags) == ["kept"]
    assert not again.verify().ok
    assert ds.verify(0).problems


def test_verify_does_not_count_half_written_temporary_files_of_a_dead_writer(ds):
    ds.age[0] = 7
    commit = ds.commit("seven")
    folder = Path(ds.path, "samples.lance", "_refs", "tags")
    (folder / f"commit-{commit}.json.tmp.2f86#1").write_bytes(b'{"bran')
    assert penstock.load(ds.path).verify().problems == ()


def test_verify_finds_nothing_in_a_sound_history(ds):
    ds.age[0] = 7
    ds.commit("seven")
    ds.tag("seven")
    ds[:2].save_view("two", id="two")
    ds.load_view("two", optimize=True)
    assert penstock.load(ds.path).verify().problems == ()
