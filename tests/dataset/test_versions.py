from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
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


@pytest.fixture
def changed(ds):
    """The version before, and the dataset with one sample added, one removed, two edited."""
    first = ds.version
    ds.append(_row(50, label="prime"))
    ds.age[3] = 33
    ds.images[4] = np.full((5, 5), 99, np.uint8)
    ds.pop(0)
    return first, ds


def test_diff_of_nothing_is_empty(ds):
    assert not ds.diff()


def test_diff_names_the_rows_that_changed(changed):
    diff = changed[1].diff()
    assert diff.added.tolist() == [7]
    assert diff.removed.tolist() == [0]
    assert {name: rows.tolist() for name, rows in diff.edited.items()} == {"images": [3], "age": [2]}


def test_diff_names_the_classes_that_changed(changed):
    assert changed[1].diff().class_names == {"labels": (("even", "odd"), ("even", "odd", "prime"))}


def test_diff_is_shown_with_the_tensors_edited(changed):
    assert "edited: age" in repr(changed[1].diff())


def test_diff_of_two_commits_is_that_of_the_draft(changed):
    first, ds = changed
    again = ds.diff(first, ds.commit("second"))
    assert (again.added.tolist(), again.removed.tolist(), sorted(again.edited)) == ([7], [0], ["age", "images"])


def test_diff_goes_back_in_time(changed):
    first, ds = changed
    back = ds.diff(ds.commit("second"), first)
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


def test_diff_names_a_new_tensor(ds):
    first = ds.log()[-1].id
    ds.create_tensor("score", dtype="float32")
    assert ds.diff(first).tensors_added == ("score",)


def test_diff_takes_nan_for_equal_to_itself(ds):
    ds.create_tensor("score", dtype="float32")
    ds.score[2] = np.nan
    ds.commit("scores")
    ds.score[2] = np.nan
    assert ds.diff().edited == {}
    ds.score[2] = 0.5
    assert ds.diff().edited["score"].tolist() == [2]


@pytest.fixture
def with_branch(ds):
    """The dataset on main, a branch with one edit beside it, and the commit of the edit."""
    ds.checkout("fix/sample 3", create=True)
    ds.age[3] = 33
    fixed = ds.commit("fix 3")
    ds.pop(0)
    ds.checkout("main")
    return ds, penstock.load(ds.path, version="fix/sample 3"), fixed


def test_checkout_with_create_makes_a_branch(ds):
    ds.checkout("fix/sample 3", create=True)
    assert ds.branch == "fix/sample 3"
    assert ds.branches == ["main", "fix/sample 3"]
    with pytest.raises(DatasetError, match="already exists"):
        ds.checkout("fix/sample 3", create=True)


def test_a_branch_leaves_the_one_it_was_made_from(with_branch):
    ds, _, _ = with_branch
    assert ds.age.numpy().tolist() == list(range(8))
    assert [commit.message for commit in ds.log()] == ["first"]


def test_a_branch_has_its_own_history_with_its_draft(with_branch):
    _, other, _ = with_branch
    assert other.age.numpy().tolist() == [1, 2, 33, 4, 5, 6, 7]
    assert [commit.message for commit in other.log()] == ["fix 3", "first"]


def test_reset_of_a_branch_goes_back_to_its_commit(with_branch):
    _, other, _ = with_branch
    other.reset()
    assert other.age.numpy().tolist() == [0, 1, 2, 33, 4, 5, 6, 7]


def test_a_commit_of_a_branch_opens_by_its_id(with_branch):
    ds, _, fixed = with_branch
    assert penstock.load(ds.path, version=fixed).age[3].numpy() == 33


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
    with pytest.raises(UncommittedChangesError, match="'side' from uncommitted changes"):
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
    uids = content_of(ds).table.uids(np.array([3, 6]))
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
    with pytest.raises(DatasetError, match="not in use"):
        ds.tag("v1.0 – für alle")
    ds.delete_tag("v1.0 – für alle")
    assert ds.tags == {}


@pytest.fixture
def merged(ds):
    ds.labels.add_class("prime")
    ds.labels[7] = ["prime", "odd"]
    ds.labels[2] = ["even", "prime"]
    ds.commit("primes")
    ds.labels[3] = ["prime"]
    ds.labels.merge_classes(["odd"], into="even")
    return ds


MERGED = [["even"], ["even"], ["even", "prime"], ["prime"], ["even"], ["even"], ["even"], ["prime", "even"]]


def test_merged_classes_are_one(merged):
    assert merged.labels.info.class_names == ["even", "prime"]
    assert merged.labels.data()["text"] == MERGED


def test_merged_classes_are_one_after_a_commit(merged):
    merged.commit("merged")
    assert penstock.load(merged.path).labels.data()["text"] == MERGED


def test_class_that_does_not_exist_is_not_merged(merged):
    with pytest.raises(UnknownClassError, match="'prim' is not a class of labels"):
        merged.labels.merge_classes(["prim"], into="even")


def test_verify_finds_a_flipped_byte(ds):
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
    assert freed.bytes > 0
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
