from __future__ import annotations

import json

import numpy as np
import pytest

import penstock
from penstock.errors import CredentialsError, DatasetNotFoundError, LinkError, StorageError
from penstock.storage import Location
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
