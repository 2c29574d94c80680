from __future__ import annotations

import os

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import LinkError
from penstock.tensors import encode_image

pytestmark = pytest.mark.slow  # the server takes seconds to start

NUM = 24


def _image(number, size=12):
    return np.random.default_rng(number).integers(0, 256, (size, size, 3), np.uint8)


@pytest.fixture
def stored(bucket):
    """A dataset in the bucket with samples of all kinds that are read a batch at a time."""
    ds = penstock.empty(f"{bucket.url}/set")
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.create_tensor("masks", htype="binary_mask")
    ds.create_tensor("vectors", htype="embedding")
    ds.create_tensor("labels", htype="class_label", class_names=["a", "b"])
    ds.extend(
        {
            "images": [_image(number) if number != 5 else None for number in range(NUM)],
            "masks": [np.full((4, 5), number % 2 == 0) for number in range(NUM)],
            "vectors": [np.full(3, number, np.float32) for number in range(NUM)],
            "labels": [[number % 2] for number in range(NUM)],
        }
    )
    ds.commit("samples")
    return ds


def _epoch(ds, **options):
    """Return the samples of an epoch by row."""
    loader = ds.dataloader().shuffle().batch(5).numpy(on_error="skip", **options)
    with loader:
        return {
            int(row): {name: batch[name][place] for name in batch if name != "index"}
            for batch in loader
            for place, row in enumerate(batch["index"])
        }


def _downloads(bucket, part="/data/"):
    """Return what was read of samples since this was called before: requests and bytes."""
    asked = [one for one in bucket.server.asked() if one["method"] == "GET" and part in one["path"]]
    return len(asked), sum(one["bytes"] for one in asked)


def _assert_same(one, other):
    assert one.keys() == other.keys()
    for row, sample in one.items():
        for name, value in sample.items():
            np.testing.assert_array_equal(value, other[row][name], err_msg=f"{name} of {row}")


def test_the_second_epoch_of_stored_samples_downloads_nothing(bucket, stored):
    ds = penstock.load(stored.path)
    first = _epoch(ds)
    assert _downloads(bucket)[0] > 0
    _assert_same(first, _epoch(ds))
    assert _downloads(bucket) == (0, 0)
    np.testing.assert_array_equal(first[7]["images"], _image(7))
    assert first[8]["masks"].all()
    assert not first[9]["masks"].any()
    assert first[9]["vectors"].tolist() == [9, 9, 9]


def test_without_a_cache_each_epoch_downloads_and_is_the_same(bucket, stored):
    ds = penstock.load(stored.path, cache=False)
    first = _epoch(ds)
    _downloads(bucket)
    _assert_same(first, _epoch(ds))
    assert _downloads(bucket)[1] > NUM * 12 * 12 * 3
    _assert_same(first, _epoch(penstock.load(stored.path)))


def test_another_session_reads_whole_columns_and_no_sample(bucket, stored):
    _epoch(penstock.load(stored.path))
    ds = penstock.load(stored.path)
    _downloads(bucket)
    _epoch(ds)
    assert _downloads(bucket)[0] <= 5  # labels, shapes, and whether vectors are missing: a request for each


def test_commits_and_branches_share_what_they_did_not_change(bucket, stored):
    _epoch(stored)
    _downloads(bucket)
    stored.labels[3] = ["a"]
    stored.images[4] = _image(400)
    stored.pop([0, 9])
    stored.commit("changes")
    stored.checkout("side", create=True)
    stored.append({"images": _image(500), "masks": None, "vectors": None, "labels": ["b"]})
    stored.commit("one more")
    _downloads(bucket)
    epoch = _epoch(stored)
    old = [number for number in range(NUM) if number not in {0, 4, 5, 9}]
    rows = [number - (number > 0) - (number > 9) for number in old]
    for number, row in zip(old, rows, strict=True):
        np.testing.assert_array_equal(epoch[row]["images"], _image(number))
    np.testing.assert_array_equal(epoch[3]["images"], _image(400))
    np.testing.assert_array_equal(epoch[NUM - 2]["images"], _image(500))
    _downloads(bucket)
    _epoch(stored)
    assert _downloads(bucket) == (0, 0)


def test_empty_tensors_of_one_name_and_different_kinds_are_told_apart(bucket, stored):
    other = penstock.empty(f"{bucket.url}/other")
    other.create_tensor("labels", htype="class_label", class_names=["a"])
    other.extend({"labels": [[0]] * NUM})
    for ds, kind in ((stored, "text"), (other, "embedding")):
        ds.create_tensor("extra", htype=kind, dtype=None if kind == "text" else np.float32)
        ds.commit("an empty tensor")
        values = content_of(ds).table.take(np.arange(NUM), ["extra"])["extra"]
        assert [value is None for value in values] == [True] * NUM
    other.extra[3] = np.ones(3, np.float32)
    other.commit("a vector")
    vectors = content_of(other).table.take(np.arange(NUM), ["extra"])["extra"]
    assert [None if vector is None else vector.tolist() for vector in vectors] == [None] * 3 + [[1, 1, 1]] + [None] * (
        NUM - 4
    )


def test_a_damaged_cache_is_read_again_from_the_bucket(bucket, stored, tmp_path):
    first = _epoch(penstock.load(stored.path))
    for file in (tmp_path / "cache").glob("*.pack"):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 255
        file.write_bytes(content)
    ds = penstock.load(stored.path)
    _downloads(bucket)
    _assert_same(first, _epoch(ds))
    assert _downloads(bucket)[0] > 0
    _epoch(ds)  # reads what was taken from the damaged file before that was noticed, and deleted
    _downloads(bucket)
    _assert_same(first, _epoch(ds))
    assert _downloads(bucket) == (0, 0)


def test_a_small_cache_keeps_its_limit_and_the_samples_right(bucket, stored, tmp_path):
    cache = penstock.Cache(tmp_path / "small", limit=3000)
    first = _epoch(penstock.load(stored.path, cache=False))
    ds = penstock.load(stored.path, cache=cache)
    for _ in range(2):
        _assert_same(first, _epoch(ds))
        assert 0 < cache.size <= 3000


def test_verify_reads_the_bucket_and_not_the_cache(bucket, stored):
    _epoch(stored)
    _downloads(bucket)
    assert stored.verify().ok
    assert _downloads(bucket)[1] > NUM * 12 * 12 * 3


def test_the_workers_of_a_loader_share_the_cache(bucket, stored):
    first = _epoch(stored)
    _downloads(bucket)
    _assert_same(first, _epoch(stored, num_workers=2))
    assert _downloads(bucket) == (0, 0)


def test_a_forked_child_reads_through_the_cache(bucket, stored):
    table = content_of(stored).table
    table.take(np.arange(NUM), ["images"])
    child = os.fork()
    if child == 0:
        images = table.take(np.arange(NUM), ["images"])["images"]
        os._exit(0 if images[7] == encode_image(_image(7), "png") else 1)
    assert os.waitpid(child, 0)[1] == 0


def _linked(bucket, path, **options):
    for number in range(NUM):
        bucket.put(f"images/{number}.png", encode_image(_image(number), "png"))
    ds = penstock.empty(path)
    ds.create_tensor("images", htype="link[image]", **options)
    ds.extend({"images": [f"{bucket.url}/images/{number}.png" for number in range(NUM)]})
    ds.commit("links")
    return ds


def test_the_second_epoch_of_linked_images_asks_for_nothing(bucket, tmp_path):
    ds = _linked(bucket, tmp_path / "set")
    bucket.server.asked()
    first = _epoch(ds)
    assert len(bucket.server.asked()) == NUM
    _assert_same(first, _epoch(ds))
    _assert_same(first, _epoch(penstock.load(ds.path)))
    assert bucket.server.asked() == []


def test_the_second_epoch_of_links_in_a_bucket_asks_for_nothing(bucket):
    ds = _linked(bucket, f"{bucket.url}/set")
    first = _epoch(ds)
    bucket.server.asked()
    _assert_same(first, _epoch(ds))
    assert bucket.server.asked() == []


def test_linked_images_of_unknown_content_are_asked_for_and_not_sent_again(bucket, tmp_path):
    ds = _linked(bucket, tmp_path / "set", verify=False, create_shape_tensor=False, create_sample_info_tensor=False)
    first = _epoch(ds)
    bucket.server.asked()
    _assert_same(first, _epoch(ds))
    asked = bucket.server.asked()
    assert [one["status"] for one in asked] == [304] * NUM
    assert sum(one["bytes"] for one in asked) == 0
    bucket.put("images/3.png", encode_image(_image(300), "png"))
    np.testing.assert_array_equal(_epoch(ds)[3]["images"], _image(300))
    np.testing.assert_array_equal(_epoch(ds)[3]["images"], _image(300))


def test_a_linked_file_that_changed_is_what_it_was_when_it_was_cached(bucket, tmp_path):
    ds = _linked(bucket, tmp_path / "set")
    ds.images[1].numpy()
    for number in (1, 2):
        bucket.put(f"images/{number}.png", encode_image(_image(900), "png"))
    np.testing.assert_array_equal(ds.images[1].numpy(), _image(1))
    for _ in range(2):  # not cached: it is not what was linked
        np.testing.assert_array_equal(ds.images[2].numpy(), _image(900))
    assert [problem.row for problem in ds.verify().problems] == [1, 2]


def test_an_edited_link_is_another_image(bucket, tmp_path):
    ds = _linked(bucket, tmp_path / "set")
    _epoch(ds)
    ds.images[1] = f"{bucket.url}/images/7.png"
    np.testing.assert_array_equal(ds.images[1].numpy(), _image(7))
    ds.commit("another")
    np.testing.assert_array_equal(_epoch(ds)[1]["images"], _image(7))


def test_a_link_that_cannot_be_read_is_not_cached(bucket, tmp_path):
    ds = _linked(bucket, tmp_path / "set")
    bucket.delete("images/2.png")
    with pytest.raises(LinkError, match="does not exist"):
        ds.images[2].numpy()
    bucket.put("images/2.png", encode_image(_image(2), "png"))
    np.testing.assert_array_equal(ds.images[2].numpy(), _image(2))


def test_a_local_dataset_writes_no_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_CACHE_DIR", str(tmp_path / "cache"))
    ds = penstock.from_arrays({"images": np.stack([_image(number) for number in range(4)])}, tmp_path / "set")
    _epoch(ds)
    assert not (tmp_path / "cache").exists()
