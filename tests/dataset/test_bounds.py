from __future__ import annotations

import pickle

import numpy as np
import pytest

import penstock
from penstock.errors import CredentialsError, DatasetError, ImageDecodeError, PenstockError, SampleError
from penstock.tensors import encode_image

LONE = "caf\udce9.jpg"  # as os.listdir gives the name b"caf\xe9.jpg"


def _dataset(tmp_path, **tensors):
    ds = penstock.empty(tmp_path / "set")
    for name, htype in tensors.items():
        ds.create_tensor(name, htype=htype)
    return ds


# ---- a refused row alone --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("htype", "good", "bad"),
    [
        ("text", "plain", LONE),
        ("json", {"a": 1}, {"a": LONE}),
        ("class_label", ["cat"], ["cat", LONE]),
        ("class_label", ["cat"], LONE),
        ("generic", [1.0, 2.0], [1.0, "x"]),
        ("embedding", [1.0], [1e39]),
        ("bbox", [[0, 0, 1, 1]], [[0, 0, 1, 1e39]]),
        ("segment_mask", np.ones((2, 2), np.uint8), np.full((2, 2), 70_000)),
    ],
    ids=["text", "json", "class names", "class name", "generic", "embedding", "bbox", "mask"],
)
def test_a_row_that_cannot_be_stored_is_refused_alone(htype, good, bad, tmp_path):
    ds = _dataset(tmp_path, values=htype)
    for _ in range(3):
        ds.append({"values": good})
    with pytest.raises(PenstockError):
        ds.append({"values": bad})
    with pytest.raises(PenstockError, match=r"sample 1 of 'values'|lone surrogate"):
        ds.extend({"values": [good, bad, good]})
    ds.append({"values": good})
    ds.commit("four")
    with pytest.raises(PenstockError):
        ds.values[0] = bad
    assert not ds.has_changes
    again = penstock.load(ds.path)
    assert len(again) == 4
    if htype == "class_label":
        assert again.values.info.class_names == ["cat"]


@pytest.mark.parametrize("action", ["create", "add", "rename"])
def test_a_class_name_that_utf8_cannot_hold_is_refused_wherever_it_is_given(action, tmp_path):
    ds = _dataset(tmp_path, labels="class_label")
    ds.append({"labels": ["cat"]})
    actions = {
        "create": lambda: ds.create_tensor("others", htype="class_label", class_names=[LONE]),
        "add": lambda: ds.labels.add_class(LONE),
        "rename": lambda: ds.labels.rename_class("cat", LONE),
    }
    with pytest.raises(SampleError, match="lone surrogate"):
        actions[action]()
    assert ds.labels.info.class_names == ["cat"]


@pytest.mark.parametrize(
    "values", [5, None, (value for value in "ab"), np.array(5)], ids=["number", "none", "iterator", "0-d"]
)
def test_samples_that_are_no_list_are_refused(values, tmp_path):
    ds = _dataset(tmp_path, name="text")
    with pytest.raises(SampleError, match="Expected a list with one value per sample"):
        ds.extend({"name": values})
    ds.extend({"name": ["a", "b"]})
    if values is None or isinstance(values, int):
        with pytest.raises(SampleError, match="Expected a list with one value per sample"):
            ds.name[0:2] = values


def test_a_link_assigned_with_an_unknown_key_is_refused(tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]", verify=False)
    ds.append({"images": None})
    with pytest.raises(CredentialsError, match="'mine' is not a credentials key"):
        ds.images[0] = penstock.link("s3://bucket/x.png", creds_key="mine")


# ---- how large an image may be --------------------------------------------------------------

SIDE = 40  # 40 × 40 × 3 bytes are 4,800
PNG = encode_image(np.zeros((SIDE, SIDE, 3), np.uint8), "png")


def _with_image(tmp_path, **options):
    ds = penstock.empty(tmp_path / "set", **options)
    ds.create_tensor("images", htype="image")
    ds.create_tensor("mask", htype="binary_mask")
    ds.append({"images": PNG, "mask": np.ones((SIDE, SIDE), bool)})
    ds.commit("one")
    return ds


def test_an_image_larger_than_the_bound_is_refused_by_every_reader(tmp_path):
    path = _with_image(tmp_path).path
    ds = penstock.load(path, max_image_bytes=4_799)
    for read in (
        lambda: ds.images[0].numpy(),
        lambda: ds.images.data(),
        lambda: ds[0:1].images.numpy(),
        lambda: ds.query("select * where mean(images) >= 0"),
        lambda: next(iter(ds.dataloader().numpy(tensors=["images"]))),
        lambda: next(iter(ds.dataloader().numpy(tensors=["images"], resize={"images": 8}))),
        lambda: next(iter(ds[0:1].dataloader().numpy(tensors=["images"]))),
        lambda: ds.append({"images": PNG, "mask": None}),
        lambda: ds.images.__setitem__(0, PNG),
    ):
        with pytest.raises(ImageDecodeError, match=r"40 × 40 pixels.*max_image_bytes"):
            read()
    assert not ds.verify().ok


@pytest.mark.parametrize("allowed", [4_800, None])
def test_the_argument_of_load_lifts_the_bound(allowed, tmp_path):
    path = _with_image(tmp_path).path
    ds = penstock.load(path, max_image_bytes=allowed)
    assert ds.images[0].numpy().shape == (SIDE, SIDE, 3)
    assert len(ds.query("select * where mean(images) >= 0")) == 1
    assert ds.verify().ok
    assert next(iter(ds.dataloader().numpy(tensors=["images"])))["images"].shape[-3:] == (SIDE, SIDE, 3)


def test_a_mask_larger_than_the_bound_is_refused(tmp_path):
    path = _with_image(tmp_path).path
    ds = penstock.load(path, max_image_bytes=1_599)
    with pytest.raises(SampleError, match=r"\(40, 40\) takes"):
        ds["mask"][0].numpy()
    assert penstock.load(path, max_image_bytes=1_600)["mask"][0].numpy().all()


@pytest.mark.parametrize("allowed", [0, -1, True, "1 GB", 1.5])
def test_a_bound_that_is_no_number_of_bytes_is_refused(allowed, tmp_path):
    with pytest.raises(DatasetError, match=r"max_image_bytes=.*Expected a number of bytes"):
        penstock.empty(tmp_path / "set", max_image_bytes=allowed)
    assert not (tmp_path / "set").exists()


WAYS = {
    "dataset": lambda ds: pickle.loads(pickle.dumps(ds)),
    "view": lambda ds: pickle.loads(pickle.dumps(ds[0:1])),
    "saved view": lambda ds: ds.load_view(ds[0:1].save_view()),
}


@pytest.mark.parametrize("travel", WAYS.values(), ids=WAYS)
def test_the_bound_travels_along(tmp_path, travel):
    ds = penstock.load(_with_image(tmp_path).path, max_image_bytes=4_799)
    with pytest.raises(ImageDecodeError, match="Expected at most"):
        travel(ds).images[0].numpy()
