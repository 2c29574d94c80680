"""Two sessions over one dataset: nothing is lost, and nobody wins in silence."""

from __future__ import annotations

import threading
import time

import pytest

import penstock
from penstock.errors import ConflictError, DatasetError


@pytest.fixture
def path(tmp_path):
    ds = penstock.empty(tmp_path / "shared")
    ds.create_tensor("age")
    ds.create_tensor("labels", htype="class_label", class_names=["cat", "dog", "bus"])
    ds.extend({"age": [0, 0, 0], "labels": [["cat"], ["dog"], ["bus"]]})
    ds.commit("start")
    return ds.path


def _ages(path):
    return penstock.load(path).age.numpy().tolist()


def test_the_second_commit_of_one_sample_is_a_conflict_with_both_values(path):
    one, two = penstock.load(path), penstock.load(path)
    one.age[1] = 5
    two.age[1] = 7
    one.commit("five")
    with pytest.raises(ConflictError, match=r"sample 1 of 'age' is 7 here and 5 in the stored dataset") as raised:
        two.commit("seven")
    (conflict,) = raised.value.conflicts
    assert (conflict.tensor, conflict.row, conflict.ours, conflict.theirs) == ("age", 1, 7, 5)
    assert [commit.message for commit in penstock.load(path).log()] == ["five", "start"]
    assert two.age.numpy().tolist() == [0, 7, 0]


@pytest.mark.parametrize(("keep", "ages"), [("ours", [0, 7, 3]), ("theirs", [0, 5, 3])])
def test_a_conflict_is_settled_by_choice(path, keep, ages):
    one, two = penstock.load(path), penstock.load(path)
    one.age[1] = 5
    two.age[1] = 7
    two.age[2] = 3
    one.commit("five")
    two.commit("mine", on_conflict=keep)
    assert _ages(path) == ages
    assert two.num_edits == 0


def test_the_same_edit_in_two_sessions_is_no_conflict(path):
    one, two = penstock.load(path), penstock.load(path)
    one.age[1] = 5
    two.age[1] = 5
    two.age[0] = 9
    one.commit("five")
    two.commit("nine")
    assert _ages(path) == [9, 5, 0]


def test_a_draft_is_committed_by_its_own_session(path):
    one, two = penstock.load(path), penstock.load(path)
    one.age[0] = 1
    two.age[2] = 2
    one.commit("one")
    assert two.log()[0].message == "start"
    two.commit("two")
    assert [commit.message for commit in penstock.load(path).log()] == ["two", "one", "start"]
    assert _ages(path) == [1, 0, 2]


def test_a_sample_deleted_elsewhere_is_a_conflict(path):
    one, two = penstock.load(path), penstock.load(path)
    two.age[1] = 7
    one.pop(1)
    one.commit("gone")
    with pytest.raises(ConflictError, match="edited here, deleted by another session"):
        two.commit("seven")
    with pytest.raises(DatasetError, match="nothing to commit"):
        two.commit("theirs", on_conflict="theirs")
    assert _ages(path) == [0, 0]


def test_labels_follow_classes_that_another_session_changed(path):
    one, two = penstock.load(path), penstock.load(path)
    two.labels[0] = ["bus"]
    two.append({"age": 1, "labels": ["bus"]})
    two.append({"age": 2, "labels": ["dog", "tram"]})
    one.labels.merge_classes(["cat"], "dog")
    one.labels.rename_class("bus", "coach")
    one.commit("two classes")
    two.commit("labels")
    assert penstock.load(path).labels.data()["text"] == [["coach"], ["dog"], ["coach"], ["coach"], ["dog", "tram"]]


def test_a_draft_of_a_session_that_died_follows_the_classes_too(path):
    dead = penstock.load(path)
    dead.labels[0] = ["bus"]
    other = penstock.load(path, version="main", read_only=True)
    assert other.labels.data()["text"][0] == ["bus"]
    penstock.load(path).labels.merge_classes(["cat"], "dog")
    assert penstock.load(path).labels.data()["text"] == [["bus"], ["dog"], ["bus"]]


def test_edits_are_ordered_by_a_counter_when_the_clock_goes_back(path, monkeypatch):
    ds = penstock.load(path)
    ds.age[0] = 1
    for clock in ("time", "time_ns"):
        real = getattr(time, clock)
        monkeypatch.setattr(time, clock, lambda real=real: real() - 3_600 * (10**9 if real() > 1e12 else 1))
    ds.age[0] = 2
    assert _ages(path)[0] == 2
    ds.commit("two")
    assert _ages(path)[0] == 2


def test_names_of_versions_are_read_while_another_thread_commits(path):
    ds = penstock.load(path)
    ds.query("select * limit 2").save_view("two")
    failures, done = [], threading.Event()

    def read():
        while not done.is_set():
            try:
                _ = ds.tags, ds.branches, ds.get_views(), ds.log()
            except Exception as error:  # noqa: BLE001  whatever it is
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(15):
        ds.age[turn % 3] = turn + 1
        ds.commit(f"turn {turn}")
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []


def test_a_commit_after_the_same_sample_was_committed_here_is_no_conflict(path):
    ds = penstock.load(path)
    for age in range(1, 4):
        ds.age[0] = age
        ds.append({"age": -1, "labels": None})
        ds.commit(f"age {age}")
    assert _ages(path)[0] == 3


@pytest.fixture
def edited_three_times(path):
    ds = penstock.load(path)
    for row in range(3):
        ds.age[row] = row + 10
    return ds


def test_discarded_edits_leave_those_of_other_samples(edited_three_times, path):
    edited_three_times.discard_edits("age", [1])
    assert _ages(path) == [10, 0, 12]


def test_all_edits_are_discarded_at_once(edited_three_times, path):
    edited_three_times.discard_edits()
    assert _ages(path) == [0, 0, 0]
    assert penstock.load(path).num_edits == 0
