from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import CredentialsError, DatasetNotFoundError, LinkError, StorageError
from penstock.storage import Holder, Location
from penstock.storage.holding._bucket import BucketRecord
from penstock.tensors import encode_image

pytestmark = pytest.mark.slow


def _numbers(path):
    ds = penstock.empty(path)
    ds.create_tensor("age")
    ds.create_tensor("labels", htype="class_label", class_names=["even", "odd"])
    ds.extend({"age": list(range(6)), "labels": [[index % 2] for index in range(6)]})
    return ds


def test_a_dataset_lives_in_a_bucket_as_on_disk(bucket):
    path = f"{bucket.url}/sets/numbers"
    ds = _numbers(path)
    first = ds.commit("first")
    ds.age[3] = 33
    assert penstock.load(path).age[3].numpy() == 33
    ds.pop(0)
    ds.commit("second")
    assert penstock.load(path).age.numpy().tolist() == [1, 2, 33, 4, 5]
    assert penstock.load(path, version=first).age.numpy().tolist() == [0, 1, 2, 3, 4, 5]
    view_id = ds[1:3].save_view()
    assert ds.load_view(view_id, optimize=True).age.numpy().tolist() == [2, 33]
    ds.delete_view(view_id)
    ds.checkout("side", create=True)
    ds.age[0] = 11
    ds.commit("side")
    ds.checkout("main")
    assert ds.merge("side") == []
    ds.age[1] = 5
    ds.reset()
    assert ds.age.numpy().tolist() == [11, 2, 33, 4, 5]
    with pytest.raises(DatasetNotFoundError, match="no dataset at"):
        penstock.load(f"{bucket.url}/sets/nope")
    with pytest.raises(StorageError, match="cannot list"):
        penstock.load("s3://no-such-bucket/numbers")


def test_two_writers_in_a_bucket_lose_nothing(bucket):
    path = f"{bucket.url}/sets/numbers"
    one = _numbers(path)
    one.commit("first")
    two = penstock.load(path)
    one.append({"age": 100, "labels": ["even"]})
    two.append({"age": 200, "labels": ["prime"]})
    one.flush()
    two.flush()
    one.append({"age": 101, "labels": ["square"]})
    one.commit("both")
    ds = penstock.load(path)
    assert ds.age.numpy().tolist() == [0, 1, 2, 3, 4, 5, 100, 200, 101]
    assert ds.labels.data()["text"][-3:] == [["even"], ["prime"], ["square"]]


def test_linked_images_are_read_with_named_credentials(bucket, tmp_path, monkeypatch):
    for index in range(3):
        image = encode_image(np.full((4, 5), index * 10, np.uint8), "png")
        bucket.put(f"train 2017/{index}.png", image)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    creds = bucket.server.keys
    ds = penstock.empty(tmp_path / "linked")
    ds.create_tensor("images", htype="link[image]")
    link = penstock.link(f"{bucket.url}/train 2017/0.png", creds_key="mine")
    with pytest.raises(CredentialsError, match=r"'mine' is not a credentials key.*add_creds_key"):
        ds.append({"images": link})
    ds.add_creds_key("mine")
    ds.populate_creds("mine", creds)
    for index in range(3):
        ds.append({"images": penstock.link(f"{bucket.url}/train 2017/{index}.png", creds_key="mine")})
    ds.commit("linked")
    assert ds.images[2].numpy()[0, 0, 0] == 20
    assert ds.images.shape == (3, 4, 5, 1)
    _assert_nowhere_stored(tmp_path, b"secret-of-the-test")

    monkeypatch.setenv("PENSTOCK_CREDS_mine", json.dumps(creds))
    again = penstock.load(ds.path, cache=False)
    assert again.images[1].numpy()[0, 0, 0] == 10
    bucket.delete("train 2017/1.png")
    with pytest.raises(LinkError, match=r"the linked file 's3://.*/train 2017/1.png' does not exist"):
        again.images[1].numpy()
    assert again.images[2].numpy()[0, 0, 0] == 20
    assert [problem.row for problem in again.verify().problems] == [1]


def _assert_nowhere_stored(folder, secret):
    for file in folder.rglob("*"):
        assert not file.is_file() or secret not in file.read_bytes(), file


def test_managed_credentials_are_not_kept_in_the_session(tmp_path):
    ds = penstock.empty(tmp_path / "linked")
    ds.add_creds_key("theirs", managed=True)
    with pytest.raises(CredentialsError, match=r"managed.*PENSTOCK_CREDS_theirs"):
        ds.populate_creds("theirs", {"aws_access_key_id": "test"})
    with pytest.raises(CredentialsError, match="'thiers' is not a credentials key"):
        ds.populate_creds("thiers", {})


def test_a_bucket_is_compacted_and_cleaned_up(bucket):
    path = f"{bucket.url}/sets/numbers"
    ds = _numbers(path)
    first = ds.commit("first")
    for value in range(3):
        ds.append({"age": 100 + value, "labels": ["even"]})
        ds.flush()
        ds.age[0] = value + 50
        ds.commit(f"{value}")
    assert ds.compact().after == 1
    assert not ds.has_changes
    told = ds.cleanup(timedelta(0), dry_run=True)
    done = ds.cleanup(timedelta(0))
    assert (told.versions, told.files, told.bytes) == (done.versions, done.files, done.bytes)
    assert done.versions >= 3
    again = penstock.load(path)
    assert again.age.numpy().tolist() == [52, 1, 2, 3, 4, 5, 100, 101, 102]
    assert penstock.load(path, version=first).age.numpy().tolist() == [0, 1, 2, 3, 4, 5]
    assert [commit.message for commit in again.log()] == ["2", "1", "0", "first"]
    assert [edit.words for edit in again.history(0)] == ["age 51 → 52", "age 50 → 51", "age 0 → 50", "sample added"]
    assert again.verify().ok


_WRITER = """
import sys, penstock
ds = penstock.load(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
for number in range(2):
    ds.append({"age": int(sys.argv[2]) + number, "labels": ["even"]})
    try:
        print(ds.commit(str(number)), flush=True)
    except penstock.errors.DatasetError as error:
        assert "nothing to commit" in str(error), error  # the other one committed this sample with its own
"""


def test_two_processes_that_commit_at_once_lose_no_commit(bucket):
    path = f"{bucket.url}/sets/numbers"
    ds = _numbers(path)
    ds.commit("first")
    other = penstock.load(path)
    command = [sys.executable, "-c", _WRITER, path]
    writers = [
        subprocess.Popen([*command, first], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for first in ("100", "200")
    ]
    for writer in writers:
        assert writer.stdout.readline() == b"open\n"
    for writer in writers:
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    told = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], told
    made = {commit for out, _ in told for commit in out.decode().split()}
    assert made
    assert other.is_behind
    other.refresh()
    for seen in (other, penstock.load(path)):
        assert sorted(seen.age.numpy().tolist()) == [0, 1, 2, 3, 4, 5, 100, 101, 200, 201]
        assert made <= {commit.id for commit in seen.log()}


def test_a_lease_of_a_process_that_died_is_taken_over(bucket):
    path = f"{bucket.url}/sets/numbers"
    ds = _numbers(path)
    here = Holder.here("", locked=False)
    bucket.put("sets/numbers/.writing.json", replace(here, pid=2**22 + 1).to_bytes())
    ds.commit("at once")
    assert "sets/numbers/.writing.json" not in bucket.names()
    bucket.put("sets/numbers/.writing.json", here.to_bytes())
    with (
        pytest.raises(StorageError, match="another process has been writing"),
        ds._opened.working.store.location.lock(timeout=0.1),
    ):
        pass


def test_a_bucket_that_may_only_be_read_says_so(bucket):
    path = f"{bucket.url}/sets/numbers"
    _numbers(path).commit("first")
    bucket.server.set_rules({"asked": r"(PUT|POST|DELETE) /lake", "status": 403, "code": "AccessDenied"})
    ds = penstock.load(path)
    assert ds.age.numpy().tolist() == [0, 1, 2, 3, 4, 5]
    changes = (
        lambda ds: ds.create_tensor("more"),
        lambda ds: ds.tag("v1"),
        lambda ds: ds[:2].save_view("two"),
        lambda ds: ds.pop(0),
        lambda ds: ds.age.__setitem__(0, 9),
    )
    for change in changes:
        with pytest.raises(StorageError, match=r"access was denied$"):
            change(penstock.load(path))


def test_a_lease_is_renewed_while_it_is_held_and_then_given_back(bucket, monkeypatch):
    monkeypatch.setattr("penstock.storage.leasing._write_lease._LASTS", 0.9)
    one, two = Location(f"{bucket.url}/set"), Location(f"{bucket.url}/set")
    with one.lock():
        with pytest.raises(StorageError, match="another process has been writing"), two.lock(timeout=1):
            pass
        one.check_lock()
    with two.lock(timeout=1):
        two._lease._timer.cancel()  # as if the process had been paused
        time.sleep(1)
        with pytest.raises(StorageError, match=r"interrupted for too long.*Nothing was changed"):
            two.check_lock()
        with one.lock(timeout=5):
            pass
    assert bucket.names() == []


def test_the_explorer_follows_commits_of_other_sessions(bucket):
    path = f"{bucket.url}/sets/numbers"
    ds = _numbers(path)
    ds.commit("first")
    explorer = penstock.explore(penstock.load(path))
    ds.append({"age": 7, "labels": ["odd"]})
    ds.commit("another")
    explorer.session.follow()
    assert explorer.session.behind is not None
    explorer.session.follow(store=True)
    assert (explorer.session.behind, len(explorer.view)) == (None, 7)


def _asked(bucket):
    return [one["method"] for one in bucket.server.asked()]


def test_opening_and_pages_of_images_take_few_requests(bucket):
    path = f"{bucket.url}/sets/images"
    ds = penstock.empty(path)
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.extend({"images": [np.full((40, 40, 3), number, np.uint8) for number in range(80)]})
    ds.commit("images")
    _asked(bucket)
    opened = penstock.load(path)
    first = len(_asked(bucket))
    assert first <= 16
    assert len(content_of(opened).table.take(np.arange(20, 60), ["images"])["images"]) == 40
    assert len(_asked(bucket)) <= 4
    content_of(opened).table.take(np.arange(20, 60), ["images"])
    assert _asked(bucket) == []
    assert not opened.refresh()
    assert len(_asked(bucket)) <= 2
    for number in range(5):
        ds.append({"images": np.zeros((2, 2), np.uint8)})
        ds.commit(f"{number}")
    _asked(bucket)
    penstock.load(path)
    assert len(_asked(bucket)) <= first + 1


def test_one_of_two_processes_gets_the_right_to_edit(bucket):
    place = Location(f"{bucket.url}/ds")
    first, second, late = (BucketRecord(place.object_store, "drafts/main") for _ in range(3))
    seen = second.read()
    held = first.write("a", None)
    assert (second.write("b", seen), second.read(), late.read()) == (None, held, held)
    over = second.write("b", held)
    first.renew(held)
    assert late.write("c", held) is None
    assert (late.read(), late.is_alive(over)) == (over, True)
