from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import lance
import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import StorageError
from penstock.storage import Location, Store
from penstock.storage.versions._tags import keep_ref
from penstock.storage.writing._files import names_in, secure
from penstock.storage.writing._steps import append_operation

pytestmark = pytest.mark.slow


def _start(code):
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def _made(path):
    ds = penstock.empty(path)
    ds.create_tensor("age")
    ds.create_tensor("labels", htype="class_label")
    ds.create_tensor("images", htype="image")
    return ds


def test_a_writer_killed_while_appending_leaves_whole_flushes(tmp_path):
    path = tmp_path / "killed"
    _made(path).commit("empty")
    writer = _start(f"""
import numpy as np, penstock
ds = penstock.load({str(path)!r})
image = np.zeros((8, 8), np.uint8)
for batch in range(10_000):
    ds.extend({{"age": [batch] * 10, "labels": [["x"]] * 10, "images": [image] * 10}})
    ds.flush()
    print(batch, flush=True)
""")
    told = [int(writer.stdout.readline()) for _ in range(5)]
    time.sleep(0.05)
    os.kill(writer.pid, signal.SIGKILL)
    told += [int(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    writer.wait()
    ds = penstock.load(path)
    ages = ds.age.numpy()
    assert len(ages) % 10 == 0
    assert len(ages) >= 10 * len(told)
    np.testing.assert_array_equal(ages, np.repeat(np.arange(len(ages) // 10), 10))
    assert ds.verify().ok
    ds.append({"age": -1, "labels": ["y"], "images": None})
    ds.commit("goes on")
    assert penstock.load(path).labels[-1].data()["text"] == ["y"]


def test_samples_that_were_not_flushed_are_written_at_exit(tmp_path):
    path = tmp_path / "exit"
    _made(path)
    code = f"import penstock\nds = penstock.load({str(path)!r})\nds.append({{'age': 7, 'labels': 'z', 'images': None}})"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert penstock.load(path).age.numpy().tolist() == [7]


def test_two_writers_at_once_lose_nothing(tmp_path):
    path = tmp_path / "shared"
    ds = _made(path)
    ds.extend({"age": [0] * 20, "labels": [None] * 20, "images": [None] * 20})
    ds.commit("start")
    writers = [
        _start(f"""
import penstock
from penstock.dataset.samples import content_of
ds = penstock.load({str(path)!r})
for turn in range(8):
    ds.append({{"age": {who} * 100 + turn, "labels": ["from {who}", "turn" + str(turn)], "images": None}})
    ds.flush()
    ds.labels.add_class("{who} saw " + str(turn))
""")
        for who in (1, 2)
    ]
    for writer in writers:
        writer.communicate(timeout=120)
    assert [writer.returncode for writer in writers] == [0, 0]
    ds = penstock.load(path)
    assert sorted(ds.age.numpy()[20:].tolist()) == sorted([*range(100, 108), *range(200, 208)])
    for age, names in zip(ds.age.numpy()[20:].tolist(), ds.labels.data()["text"][20:], strict=True):
        assert names == [f"from {age // 100}", f"turn{age % 100}"]
    names = ds.labels.info.class_names
    assert len(names) == len(set(names)) == 2 + 8 + 16


def test_edits_of_two_sessions_are_both_committed(tmp_path):
    one = _made(tmp_path / "drafts")
    one.extend({"age": [0, 0, 0], "labels": [None] * 3, "images": [None] * 3})
    one.commit("start")
    two = penstock.load(one.path)
    one.age[0] = 1
    two.age[1] = 2
    one.commit("both")
    assert penstock.load(one.path).age.numpy().tolist() == [1, 2, 0]


@pytest.fixture
def edited_often(tmp_path):
    ds = _made(tmp_path / "many")
    ds.extend({"age": [0] * 150, "labels": [None] * 150, "images": [None] * 150})
    ds.commit("start")
    for row in range(150):
        ds.age[row] = row
    return ds


def test_the_first_edit_joins_many_single_edits_in_one_file(edited_often, tmp_path):
    ds = penstock.load(edited_often.path)
    assert ds.num_edits == 150
    ds.age[0] = 200
    assert len(list((tmp_path / "many" / "drafts" / "main").glob("*.set"))) <= 2
    assert penstock.load(ds.path).age.numpy().tolist() == [200, *range(1, 150)]


def test_a_commit_of_many_edits_leaves_no_draft(edited_often, tmp_path):
    edited_often.commit("all")
    assert penstock.load(edited_often.path).age.numpy().tolist() == list(range(150))
    assert list((tmp_path / "many" / "drafts" / "main").glob("*.set")) == []


def test_rows_moved_by_another_tool_keep_their_place(tmp_path):
    ds = _made(tmp_path / "moved")
    ds.extend(
        {"age": list(range(6)), "labels": [["x"]] * 6, "images": [np.full((3, 3), i, np.uint8) for i in range(6)]}
    )
    ds.commit("start")
    uids = content_of(ds).table.uids(np.arange(6))
    raw = lance.dataset(f"{ds.path}/samples.lance")
    raw.update({"_spare": "true"}, where=f"uid = {uids[1]}")
    assert raw.to_table(columns=["uid"])["uid"].to_pylist() != uids.tolist()
    again = penstock.load(ds.path)
    np.testing.assert_array_equal(content_of(again).table.uids(np.arange(6)), uids)
    assert again.age.numpy().tolist() == list(range(6))
    assert [int(image[0, 0, 0]) for image in again.images[[5, 1, 1, 0]].numpy()] == [5, 1, 1, 0]
    again.age[1] = 11
    again.pop(3)
    again.commit("still in order")
    assert penstock.load(ds.path).age.numpy().tolist() == [0, 11, 2, 4, 5]


def test_small_files_are_merged_at_commit_in_order(tmp_path):
    ds = _made(tmp_path / "small")
    for turn in range(12):
        ds.append({"age": turn, "labels": ["x"], "images": np.full((2, 2), turn, np.uint8)})
        ds.flush()
    uids = content_of(ds).table.uids(np.arange(12))
    ds.pop(4)
    ds.commit("one file")
    assert len(lance.dataset(f"{ds.path}/samples.lance").get_fragments()) == 1
    assert ds.age.numpy().tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    np.testing.assert_array_equal(content_of(ds).table.uids(np.arange(11)), np.delete(uids, 4))


@pytest.mark.parametrize("damage", ["truncated", "garbage", "missing"])
def test_damaged_files_are_one_clear_error(tmp_path, damage):
    ds = _made(tmp_path / "damaged")
    ds.extend({"age": [1, 2], "labels": [["x"]] * 2, "images": [np.zeros((3, 3), np.uint8)] * 2})
    ds.commit("start")
    (file,) = (tmp_path / "damaged" / "samples.lance" / "data").iterdir()
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(content[: len(content) // 2] if damage == "truncated" else content[:-40] + b"x" * 40)
    with pytest.raises(StorageError, match="cannot read age of") as caught:
        penstock.load(ds.path).age.numpy()
    assert ".rs:" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_damaged_draft_says_which_file_to_delete(tmp_path):
    ds = _made(tmp_path / "draft")
    ds.append({"age": 1, "labels": None, "images": None})
    ds.commit("start")
    ds.age[0] = 2
    (file,) = (tmp_path / "draft" / "drafts" / "main").glob("*.set")
    file.write_bytes(b"rubbish")
    with pytest.raises(StorageError, match=rf"{file.name}.*damaged.*delete this file"):
        penstock.load(ds.path)


def test_a_class_renamed_by_another_session_is_not_added_again(tmp_path):
    one = _made(tmp_path / "renamed")
    one.append({"age": 0, "labels": ["cat", "dog"], "images": None})
    one.commit("start")
    two = penstock.load(one.path)
    two.append({"age": 1, "labels": ["dog", "bird"], "images": None})
    one.labels.rename_class("dog", "hound")
    one.append({"age": 2, "labels": ["fish"], "images": None})
    one.flush()
    two.flush()
    ds = penstock.load(one.path)
    assert ds.labels.info.class_names == ["cat", "hound", "fish", "bird"]
    assert ds.labels.data()["text"] == [["cat", "hound"], ["fish"], ["hound", "bird"]]


# ---- a disk that fails -------------------------------------------------------------------------


def _appended(path):
    """Write rows to a file that no version names yet; return the store, the operation's files and that file."""
    ds = _made(path)
    ds.append({"age": 1, "labels": ["x"], "images": None})
    ds.commit("one")
    store = Store.open(Location(path))
    operation = append_operation(store.handle, store.handle.to_table())
    names = names_in(operation.fragments)
    return store, names, path / "samples.lance" / next(iter(names))


@pytest.mark.parametrize("left", [0, 192, -1], ids=["empty", "cut", "one byte short"])
def test_a_file_that_the_disk_cut_short_is_refused_before_a_version_names_it(tmp_path, left):
    store, names, file = _appended(tmp_path / "failing")
    secure(store.location, None, names)
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(StorageError, match="the disk did not save"):
        secure(store.location, None, names)


def test_a_file_whose_end_the_disk_lost_is_refused(tmp_path):
    store, names, file = _appended(tmp_path / "failing")
    file.write_bytes(file.read_bytes()[:-4] + bytes(4))
    with pytest.raises(StorageError, match="the disk did not save"):
        secure(store.location, None, names)


@pytest.mark.parametrize("content", [b"", b'{"branch":nul'], ids=["empty", "cut"])
def test_a_tag_that_the_disk_cut_short_is_removed(tmp_path, content):
    ds = _made(tmp_path / "failing")
    ds.commit("one")
    ds.tag("v1")
    store = Store.open(Location(tmp_path / "failing"))
    file = next((tmp_path / "failing/samples.lance/_refs/tags").glob("user-*.json"))
    file.write_bytes(content)
    with pytest.raises(StorageError, match="Nothing was changed"):
        keep_ref(store, f"samples.lance/_refs/tags/{file.name}")
    assert not file.exists()
    assert penstock.load(tmp_path / "failing").tags == {}


@pytest.mark.parametrize("content", [None, b"", b"half of it"], ids=["missing", "empty", "cut"])
def test_a_version_whose_record_the_disk_cut_short_is_refused(tmp_path, content):
    ds = _made(tmp_path / "failing")
    ds.commit("one")
    newest = min((tmp_path / "failing/samples.lance/_versions").glob("1*.manifest"))
    newest.unlink() if content is None else newest.write_bytes(content)
    with pytest.raises(StorageError, match="did not save the record of a version"):
        Location(tmp_path / "failing").sync_version(f"samples.lance/_versions/{newest.name}")
    assert not newest.exists()
