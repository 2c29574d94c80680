"""Loaders of stored datasets: the chain of the documents over Lance, and real pictures with boxes."""

from __future__ import annotations

import albumentations as A  # noqa: N812  its own documentation's name
import numpy as np
import pytest
import torch

import penstock
from penstock.errors import LoaderStateError
from penstock.tensors import encode_image


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """60 rows: JPEG of one size, one label each, ragged tags, text."""
    ds = penstock.empty(str(tmp_path_factory.mktemp("stored") / "ds"))
    ds.create_tensor("images", htype="image", sample_compression="jpeg")
    ds.create_tensor("labels", htype="class_label", class_names=["cat", "dog", "fox"])
    ds.create_tensor("marks", htype="class_label", class_names=["a", "b"])
    ds.create_tensor("note", htype="text")
    pictures = [encode_image(np.full((16, 24, 3), 4 * row, np.uint8), "jpeg") for row in range(60)]
    with ds:
        ds.extend({
            "images": pictures, "labels": [[row % 3] for row in range(60)],
            "marks": [[0] * (row % 3) for row in range(60)], "note": [f"row {row}" for row in range(60)],
        })  # fmt: skip
    ds.commit("sixty rows")
    return ds


def rows_of(loader):
    return [row for batch in loader for row in batch["index"].tolist()]


def test_chain_of_the_document(stored):
    loader = (
        stored.dataloader()
        .transform({"images": lambda image: torch.from_numpy(np.array(image)), "labels": None})
        .batch(16)
        .shuffle()
        .pytorch(decode_method={"images": "pil"})
    )
    batches = list(loader)
    assert [len(batch["labels"]) for batch in batches] == [16, 16, 16, 12]
    assert batches[0]["images"].shape == (16, 16, 24, 3)
    values = torch.cat([batch["images"][:, 0, 0, 0] for batch in batches]).tolist()
    assert sorted(round(value / 4) for value in values) == list(range(60))


def test_images_of_one_shape_are_stacked_as_they_are_stored(stored):
    batch = next(iter(stored.dataloader().batch(10).numpy()))
    assert (batch["images"] == np.stack([stored.images[row].numpy() for row in range(10)])).all()


def test_other_tensors_come_as_they_were_written(stored):
    batch = next(iter(stored.dataloader().batch(10).numpy()))
    assert batch["labels"].tolist() == [[row % 3] for row in range(10)]
    assert [tags.tolist() for tags in batch["marks"]] == [[0] * (row % 3) for row in range(10)]
    assert batch["note"][7] == "row 7"


def test_index_is_the_row_of_the_views_version(stored):
    view = stored[50:10:-10]
    assert rows_of(view.dataloader().batch(2).numpy()) == [50, 40, 30, 20]
    repeated = stored[[5, 5, 2]]
    assert rows_of(repeated.pytorch(batch_size=3)) == [5, 5, 2]


def test_live_weights_draw_from_what_a_query_leaves_of_a_view(stored):
    view = stored[30:]
    loader = (
        view.dataloader().query("select * where labels != 'cat'").sample_by("max_weight(labels == 'dog': 3, True: 1)")
    )
    loader = loader.batch(8).numpy(tensors=["labels"])
    first, second = rows_of(loader), rows_of(loader)
    assert len(first) == len(second) == 20
    assert first != second
    assert set(first + second) <= {row for row in range(30, 60) if row % 3}


def test_frozen_view_visits_its_rows_each_epoch(stored):
    view = stored.query("select * sample by max_weight(labels == 'dog': 3, True: 1) limit 40")
    loader = view.dataloader().batch(10).numpy(tensors=["labels"])
    assert rows_of(loader) == rows_of(loader) == view.indices.tolist()
    live = stored.dataloader().sample_by("max_weight(labels == 'dog': 3, True: 1)", size=40)
    assert rows_of(live.batch(10).numpy(tensors=["labels"])) == view.indices.tolist()


def test_state_of_another_version_is_refused(tmp_path):
    ds = penstock.empty(str(tmp_path / "ds"))
    ds.create_tensor("labels", htype="class_label", class_names=["a", "b"])
    ds.extend({"labels": [[0], [1], [0]]})
    ds.commit("three")
    state = ds.dataloader().batch(1).numpy().state_dict()
    ds.labels[0] = [1]
    ds.commit("one changed")
    with pytest.raises(LoaderStateError, match="the dataset's version has changed"):
        ds.dataloader().batch(1).numpy().load_state_dict(state)


def test_threads_and_workers_give_the_same_batches(stored):
    def sums(**options):
        loader = stored.dataloader(seed=3).shuffle().batch(7).transform(lambda s: {"x": s["images"].astype(int).sum()})
        with loader.numpy(**options) as made:
            return [batch["x"].tolist() for batch in made]

    assert sums(num_threads=1) == sums(num_threads=4) == sums(num_workers=1)


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.exhaustive  # tests/acceptance follows the whole playbook
def test_playbook_trains_on_coco_with_albumentations_and_boxes(shared_data, tmp_path):
    coco = shared_data / "coco_mini"
    annotations = coco / "annotations" / "instances_train2017.json"
    ds = penstock.from_coco(annotations, coco / "train2017", str(tmp_path / "coco"))
    wanted = ["car", "person"]
    union = " union ".join(f"(select * where contains(categories, '{name}') limit 20)" for name in wanted)
    view = ds.query(union)
    wanted_ids = [ds.categories.info.class_names.index(name) for name in wanted]
    pipeline = A.Compose(
        [A.RandomSizedBBoxSafeCrop(width=64, height=64, erosion_rate=0.2), A.HorizontalFlip(p=0.5)],
        bbox_params=A.BboxParams(
            format="pascal_voc", label_fields=["class_labels", "bbox_ids"], min_area=4, min_visibility=0.3
        ),
    )

    def transform(sample_in):
        image, shape = sample_in["images"], sample_in["images"].shape
        image = np.repeat(image, 3 // shape[2], axis=2)
        x, y, w, h = sample_in["boxes"].T
        corners = (x.clip(0), y.clip(0), (x + w.clip(1)).clip(0, shape[1]), (y + h.clip(1)).clip(0, shape[0]))
        kept = [place for place, label in enumerate(sample_in["categories"]) if label in wanted_ids]
        labels = [wanted_ids.index(label) for label in sample_in["categories"][kept]]
        done = pipeline(
            image=image, bboxes=np.stack(corners, 1)[kept], bbox_ids=np.arange(len(kept)), class_labels=labels
        )
        target = {"labels": torch.tensor(done["class_labels"]), "boxes": torch.tensor(np.array(done["bboxes"]))}
        return torch.from_numpy(done["image"]), target

    loader = view.pytorch(
        num_workers=2, shuffle=True, transform=transform, tensors=["images", "categories", "boxes"], batch_size=16,
        collate_fn=lambda batch: tuple(zip(*batch, strict=True)),
    )  # fmt: skip
    with loader:
        batches = list(loader)
    assert sum(len(images) for images, _ in batches) == len(view)
    for images, targets in batches:
        assert {tuple(image.shape) for image in images} == {(64, 64, 3)}
        assert all(len(target["labels"]) == len(target["boxes"]) for target in targets)


def test_view_of_some_tensors_loads_those(stored):
    view = stored.query("select labels, note limit 4")
    assert list(next(iter(view.dataloader().batch(4).numpy()))) == ["labels", "note", "index"]
    assert list(next(iter(view.pytorch(batch_size=4, tensors=["note"])))) == ["note", "index"]


def test_one_call_takes_single_samples(stored):
    assert stored.pytorch(batch_size=None)._settings.single


def test_one_call_refuses_an_option_it_does_not_know(stored):
    with pytest.raises(ValueError, match="did you mean 'drop_last'"):
        stored.pytorch(drop_lsat=True)
