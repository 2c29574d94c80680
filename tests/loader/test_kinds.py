"""Every kind of tensor in a batch, with samples that are missing."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.errors import LoaderError
from penstock.loader import Loader


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Ten rows of every kind; row 3 is missing everywhere."""
    folder = tmp_path_factory.mktemp("kinds")
    for row in range(10):
        Image.fromarray(np.full((5, 7, 3), row * 20, np.uint8)).save(folder / f"{row}.png")
    ds = penstock.empty(str(folder / "ds"))
    ds.create_tensor("linked", htype="link[image]")
    ds.create_tensor("label", htype="class_label", class_names=["a", "b"])
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("vector", htype="embedding")
    ds.create_tensor("mask", htype="binary_mask")
    ds.create_tensor("segments", htype="segment_mask")
    ds.create_tensor("caption", htype="text")
    ds.create_tensor("facts", htype="json")
    ds.create_tensor("number", dtype="float32")
    values = {
        "linked": [penstock.link(str(folder / f"{row}.png")) for row in range(10)],
        "label": [[row % 2] for row in range(10)],
        "boxes": [np.ones((row % 3, 4), np.float32) for row in range(10)],
        "vector": [np.full(6, row, np.float32) for row in range(10)],
        "mask": [np.arange(12).reshape(3, 4) % (row + 2) == 0 for row in range(10)],
        "segments": [np.full((3, 4), row, np.uint8) for row in range(10)],
        "caption": [f"row {row}" for row in range(10)],
        "facts": [{"row": row} for row in range(10)],
        "number": [np.float32(row) for row in range(10)],
    }
    with ds:
        ds.extend({name: [None if row == 3 else v for row, v in enumerate(vs)] for name, vs in values.items()})
    ds.commit("ten rows")
    return ds


def test_every_kind_comes_as_the_dataset_reads_it(kinds):
    samples = [sample for batch in kinds.dataloader().batch(4) for sample in batch]
    assert len(samples) == 10
    for row, sample in enumerate(samples):
        if row == 3:
            continue
        for name in ("linked", "label", "boxes", "vector", "mask", "segments", "number"):
            np.testing.assert_array_equal(sample[name], kinds[name][row].numpy(), err_msg=f"{name} of row {row}")
        assert sample["caption"] == f"row {row}"
        assert sample["facts"] == {"row": row}


def test_missing_samples_are_empty_or_none(kinds):
    missing = [sample for batch in kinds.dataloader() for sample in batch][3]
    assert missing["linked"] is None
    assert missing["label"].shape == (0,)
    assert missing["boxes"].shape == (0, 4)
    assert missing["caption"] in {None, ""}


def test_batches_of_kinds_without_missing_samples_are_stacked(kinds):
    batch = next(iter(kinds[4:].dataloader().batch(3).pytorch(resize={"linked": (4, 4)})))
    assert batch["linked"].shape == (3, 4, 4, 3)
    assert isinstance(batch["label"], list), "row 3 has no label, so the tensor has not one for each sample"
    batch = next(iter(kinds.dataloader().batch(10).numpy(padding="pad", tensors=["label", "boxes"])))
    assert batch["label"][:, 0].tolist() == [0, 1, 0, -1, 0, 1, 0, 1, 0, 1]
    assert batch["boxes"].shape == (10, 2, 4)


def test_broken_link_is_skipped(kinds, tmp_path):
    path = tmp_path / "gone.png"
    Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save(path)
    ds = penstock.empty(str(tmp_path / "ds"))
    ds.create_tensor("linked", htype="link[image]")
    ds.extend({"linked": [penstock.link(str(path)), *(kinds.linked[row].data() for row in ())]})
    ds.commit("one link")
    path.unlink()
    with pytest.raises(OSError, match="row 0"):
        next(iter(ds.dataloader().numpy()))


def test_samples_of_different_parts_are_told(table):
    def odd(sample):
        return {"x": 1} if sample["index"] else {"y": 1}

    with pytest.raises(LoaderError, match="a dict of x, index for row 1 and a dict of y, index for row 0"):
        next(iter(Loader(table).transform(odd).batch(3).numpy()))
    with pytest.raises(LoaderError, match="a tuple of 2 for row 1"):
        next(iter(Loader(table).transform(lambda s: (1,) * (s["index"] + 1)).batch(3).numpy()))
