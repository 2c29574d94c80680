"""Batches of one: every tensor is stacked to (1, ...), by the setting and never by what a batch holds."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.loader import Loader

SHAPES = {"images": (1, 12, 16, 3), "labels": (1, 1), "score": (1,)}


def loaders(table, framework):
    """Yield loaders of one sample a batch, set and by default."""
    yield getattr(Loader(table).batch(1), framework)()
    yield getattr(Loader(table), framework)()
    yield getattr(Loader(table), framework)().batch(1)


@pytest.mark.parametrize("framework", ["numpy", "pytorch"])
def test_every_tensor_is_stacked_ragged_or_not(table, framework):
    for loader in loaders(table, framework):
        for row, batch in enumerate(loader):
            shapes = {**SHAPES, "tags": (1, row % 4), "boxes": (1, row % 3, 4)}
            assert {name: tuple(batch[name].shape) for name in shapes} == shapes
            assert batch["caption"] == [f"row {row}"]
            assert batch["meta"] == [{"row": row}]


@pytest.mark.parametrize("framework", ["numpy", "pytorch"])
def test_transformed_samples_are_stacked_too(table, framework):
    chain = Loader(table).transform(lambda s: {"boxes": s["boxes"][:1], "pair": (1, 2), "tags": s["tags"]})
    for row, batch in enumerate(getattr(chain, framework)()):
        assert tuple(batch["boxes"].shape) == (1, min(row % 3, 1), 4)
        assert tuple(batch["tags"].shape) == (1, row % 4)


def test_images_of_other_sizes_are_stacked(ragged_images):
    shapes = [batch["images"].shape for batch in Loader(ragged_images).numpy()]
    assert shapes == [(1, 8 + row, 20 - row, 3) for row in range(12)]


def test_a_last_batch_of_one_stays_a_list_where_batches_are_larger(table):
    last = list(Loader(table).batch(7).numpy())[-1]
    assert len(last["index"]) == 1
    assert isinstance(last["tags"], list)


def test_single_samples_stay_as_they_are(table):
    assert next(iter(Loader(table).batch(None).numpy()))["boxes"].shape == (0, 4)


def test_samples_without_a_framework_stay_as_they_are(table):
    assert next(iter(Loader(table)))[0]["boxes"].shape == (0, 4)


@pytest.mark.tensorflow
@pytest.mark.slow
def test_tensorflow_gives_dense_tensors_of_free_axes(table, ragged_images):
    tf = pytest.importorskip("tensorflow")
    for dataset in (Loader(table).batch(1).tensorflow(), Loader(table).tensorflow()):
        assert dataset.element_spec["boxes"].shape.as_list() == [None, None, 4]
        for row, batch in enumerate(dataset):
            assert isinstance(batch["boxes"], tf.Tensor)
            assert tuple(batch["boxes"].shape) == (1, row % 3, 4)
            assert tuple(batch["tags"].shape) == (1, row % 4)
    shapes = [tuple(batch["images"].shape) for batch in Loader(ragged_images).tensorflow()]
    assert shapes == [(1, 8 + row, 20 - row, 3) for row in range(12)]


@pytest.mark.tensorflow
@pytest.mark.slow
def test_tensorflow_single_samples_differ_in_shape(table):
    pytest.importorskip("tensorflow")
    shapes = [tuple(sample["boxes"].shape) for sample in Loader(table).batch(None).tensorflow(tensors=["boxes"])]
    assert shapes == [(row % 3, 4) for row in range(50)]


def target(sample):
    return {"boxes": sample["boxes"], "tags": sample["tags"]}


COLLATED = {
    "dicts": (lambda samples: {"deep": {"score": np.stack([s["score"] for s in samples])}}, ["deep", "score"], [0.0, 0.5, 1.0]),
    "list of dicts": (lambda samples: [target(s) for s in samples], ["boxes"], [[], [[1.0] * 4], [[2.0] * 4] * 2]),
    "list of dicts in a dict": (lambda samples: {"t": [target(s) for s in samples]}, ["t", "boxes"], [[], [[1.0] * 4], [[2.0] * 4] * 2]),
    "nested lists": (lambda samples: {"x": [[1, 2], [3], []]}, ["x"], [[1, 2], [3], []]),
    "lists of arrays": (lambda samples: [[s["boxes"]] for s in samples], [], [[[]], [[[1.0] * 4]], [[[2.0] * 4] * 2]]),
    "list of arrays of unlike kinds": (lambda samples: [np.arange(3), np.ones((3, 2))], [0], [0, 1, 2]),
    "numbers": (lambda samples: [s["score"].item() for s in samples], [], [0.0, 0.5, 1.0]),
    "no rows": (lambda samples: {"x": np.zeros((0, 4))}, ["x"], []),
    "empty shapes": (lambda samples: [np.zeros((0, 0)), np.ones((1, 2)), np.zeros(0)], [], [[], [[1.0, 1.0]], []]),
    "nothing in any": (lambda samples: {"x": [np.zeros((0, 0)) for _ in samples]}, ["x"], [[], [], []]),
}  # fmt: skip


@pytest.mark.tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("name", COLLATED)
def test_tensorflow_takes_what_a_custom_collate_fn_returns(table, name):
    pytest.importorskip("tensorflow")
    collate, keys, expected = COLLATED[name]
    batch = next(iter(Loader(table).batch(3).tensorflow(collate_fn=collate)))
    for key in keys:
        batch = batch[key]
    assert (batch.to_list() if hasattr(batch, "to_list") else batch.numpy().tolist()) == expected


@pytest.mark.tensorflow
@pytest.mark.slow
def test_tensorflow_of_no_rows_is_a_dataset_of_no_batches(table):
    pytest.importorskip("tensorflow")
    assert list(Loader(table).batch(60, drop_last=True).tensorflow()) == []
    assert list(Loader(table).batch(60, drop_last=True).tensorflow(collate_fn=len)) == []
