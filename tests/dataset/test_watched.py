"""Who shows a dataset hears of its changes, outside its lock; a session can tell that another one has written."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import ConflictError, SampleIndexError


@pytest.fixture
def ds(tmp_path):
    made = penstock.empty(str(tmp_path / "letters.penstock"))
    made.create_tensor("age")
    made.create_tensor("labels", htype="class_label", class_names=["a", "b"])
    made.extend({"age": [1, 2, 3], "labels": [["a"], ["b"], ["a"]]})
    made.commit("three")
    return made


@pytest.fixture
def heard(ds):
    calls = []
    content_of(ds).listeners.add(lambda: calls.append(threading.get_ident()))
    return calls


def rename(ds):
    ds.labels.rename_class("a", "A")


def commit(ds):
    ds.age[0] = 9
    ds.commit("nine")


CHANGES = {
    "append": lambda ds: ds.append({"age": 4, "labels": ["a"]}),
    "extend": lambda ds: ds.extend({"age": [4], "labels": [["b"]]}),
    "assign": lambda ds: ds.age.__setitem__(0, 9),
    "pop": lambda ds: ds.pop(1),
    "add a class": lambda ds: ds.labels.add_class("c"),
    "rename a class": rename,
    "merge classes": lambda ds: ds.labels.merge_classes(["b"], into="a"),
    "create a tensor": lambda ds: ds.create_tensor("score"),
    "commit": commit,
    "check out": lambda ds: ds.checkout("other", create=True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_listener_hears_of_each_kind_of_change(ds, heard, change):
    change(ds)
    assert heard


@pytest.mark.parametrize("back", [lambda ds: ds.reset(), lambda ds: ds.discard_edits()], ids=["reset", "discard"])
def test_a_listener_hears_when_edits_are_taken_back(ds, heard, back):
    ds.age[0] = 9
    heard.clear()
    back(ds)
    assert heard


def test_a_listener_hears_nothing_when_nothing_changes(ds, heard):
    len(ds), ds.age[0].numpy(), ds.has_changes, ds.log(), ds.query("select * limit 1")
    with pytest.raises(SampleIndexError):
        ds.pop(99)
    assert heard == []


def test_a_listener_may_use_the_dataset_from_another_thread(ds):
    seen = []

    def look():
        reader = threading.Thread(target=lambda: seen.append(int(ds.age[0].numpy())))
        reader.start()
        reader.join(10)

    content_of(ds).listeners.add(look)
    ds.age[0] = 7
    assert seen[-1] == 7


def test_a_listener_that_fails_keeps_nobody_from_writing(ds, heard, caplog):
    content_of(ds).listeners.add(lambda: 1 / 0)
    ds.age[0] = 7
    assert int(ds.age[0].numpy()) == 7
    assert "listener" in caplog.text


def test_a_listener_is_forgotten_with_its_object(ds):
    class Watcher:
        calls = 0

        def changed(self):
            Watcher.calls += 1

    watcher = Watcher()
    content_of(ds).listeners.add(watcher.changed)
    ds.age[0] = 7
    called = Watcher.calls
    del watcher
    gc.collect()
    ds.age[0] = 8
    assert Watcher.calls == called > 0


def test_a_listener_hears_of_a_block_when_it_ends(ds, heard):
    with ds:
        ds.append({"age": 4, "labels": ["a"]})
        assert content_of(ds).is_grouping
        inside = len(heard)
    assert not content_of(ds).is_grouping
    assert len(heard) == inside + 1


def test_another_dataset_of_the_same_path_is_heard(ds, heard):
    other = penstock.load(ds.path)
    heard.clear()
    other.append({"age": 4, "labels": ["b"]})
    other.flush()
    assert heard


def test_a_session_is_behind_until_it_reads_what_another_wrote(ds):
    other = penstock.load(ds.path)
    other.age[1] = 20
    assert not ds.is_behind
    other.commit("twenty")
    assert ds.is_behind
    assert ds.refresh() is True
    assert int(ds.age[1].numpy()) == 20
    assert ds.version == other.version
    assert (ds.is_behind, ds.refresh()) == (False, False)


def test_a_commit_of_rows_that_were_read_already_is_seen_too(ds):
    other = penstock.load(ds.path)
    other.append({"age": 4, "labels": ["b"]})
    other.flush()
    ds.refresh()
    assert ds.has_changes
    other.commit("four")
    assert ds.is_behind
    ds.refresh()
    assert not ds.has_changes


def test_a_session_is_behind_another_process(ds):
    script = f"import penstock; ds = penstock.load({ds.path!r}); ds.age[0] = 5; ds.commit('five')"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    assert ds.is_behind
    ds.refresh()
    assert int(ds.age[0].numpy()) == 5


def test_edits_that_are_not_committed_stay_over_what_another_wrote(ds):
    other = penstock.load(ds.path)
    ds.age[0] = 10
    other.age[1] = 20
    other.commit("twenty")
    ds.refresh()
    assert np.asarray(ds.age.numpy()).ravel().tolist() == [10, 20, 3]


def test_a_conflict_is_still_one_after_what_another_wrote_is_read(ds):
    other = penstock.load(ds.path)
    ds.age[0] = 10
    other.age[0] = 20
    other.commit("twenty")
    ds.refresh()
    with pytest.raises(ConflictError) as caught:
        ds.commit("ten")
    assert [(one.row, one.tensor) for one in caught.value.conflicts] == [(0, "age")]
    assert int(ds.age[0].numpy()) == 10


def test_a_commit_opened_by_its_id_is_never_behind(ds):
    fixed = penstock.load(ds.path, version=ds.version)
    ds.age[0] = 10
    ds.commit("ten")
    assert not fixed.is_behind
    assert fixed.refresh() is False
