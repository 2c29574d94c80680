"""Transforms: the document's two forms, randomness per sample, errors with the sample."""

# ruff: noqa: NPY002  the global generators are what is tested

from __future__ import annotations

import random

import albumentations as A  # noqa: N812  its own documentation's name
import numpy as np
import pytest
import torch

from penstock.errors import TensorNotFoundError, TransformError
from penstock.loader import Loader


def collect(loader, name):
    return [value for batch in loader for value in np.asarray(batch[name]).ravel().tolist()]


def added(table):
    def add(sample, amount):
        return {"score": sample["score"] + amount, "seen": sorted(sample)}

    return next(iter(Loader(table).transform(add, amount=100).batch(2).numpy(tensors=["score", "labels"])))


def test_function_gets_the_tensors_that_are_read(table):
    assert added(table)["seen"] == [["index", "labels", "score"]] * 2


def test_function_gets_its_keyword_arguments(table):
    assert added(table)["score"].tolist() == [100, 100.5]


def test_index_comes_beside_what_a_function_returns(table):
    assert added(table)["index"].tolist() == [0, 1]


def test_dict_names_all_that_is_kept(table):
    loader = Loader(table).transform({"score": lambda value: value * 2, "labels": None}).batch(3).numpy()
    batch = next(iter(loader))
    assert {name: value.tolist() for name, value in batch.items()} == {"score": [0, 1, 2], "labels": [[0], [1], [2]]}


def test_dict_may_name_index_to_keep_it(table):
    batch = next(iter(Loader(table).transform({"labels": None, "index": None}).batch(3).numpy()))
    assert batch["index"].tolist() == [0, 1, 2]


def test_keyword_arguments_beside_a_dict_are_ignored_with_a_warning(table):
    with pytest.warns(UserWarning, match="amount are ignored"):
        loader = Loader(table).transform({"score": None}, amount=3)
    assert len(list(loader.batch(50).numpy())) == 1


def test_dict_with_an_unknown_tensor_is_told(table):
    with pytest.raises(TensorNotFoundError, match="did you mean 'score'"):
        next(iter(Loader(table).transform({"scoer": None}).numpy()))


def test_tuples_are_collated_by_place(table):
    loader = Loader(table).transform(lambda sample: (sample["images"], sample["labels"])).batch(5).pytorch()
    images, labels = next(iter(loader))
    assert images.shape == (5, 12, 16, 3)
    assert labels.tolist() == [[0], [1], [2], [3], [4]]


def test_playbook_collate_fn_gets_the_list_of_samples(table):
    def transform(sample):
        return torch.from_numpy(sample["images"]), {"labels": torch.from_numpy(sample["tags"])}

    loader = (
        Loader(table).transform(transform).batch(4).pytorch(collate_fn=lambda batch: tuple(zip(*batch, strict=True)))
    )
    images, targets = next(iter(loader))
    assert len(images) == len(targets) == 4
    assert [target["labels"].shape[0] for target in targets] == [0, 1, 2, 3]


def filtered(table):
    def transform(sample):
        present = np.zeros(4, np.float32)
        present[sample["tags"]] = 1
        return {"boxes": sample["boxes"][:1], "tags": present}

    return next(iter(Loader(table).transform(transform).batch(3).numpy()))


def test_boxes_that_were_filtered_stay_a_list(table):
    assert isinstance(filtered(table)["boxes"], list)


def test_one_vector_a_sample_is_stacked(table):
    assert filtered(table)["tags"].shape == (3, 4)


def test_generator_is_given_to_a_transform_that_asks_for_it(table):
    loader = Loader(table, seed=5).transform(lambda sample, rng: {"draw": rng.random()}).batch(10).numpy()
    first, second = collect(loader, "draw"), collect(loader, "draw")
    assert len(set(first + second)) == 100
    again = Loader(table, seed=5).transform(lambda sample, rng: {"draw": rng.random()}).batch(3).numpy(num_threads=1)
    assert collect(again, "draw") == first
    other = Loader(table, seed=6).transform(lambda sample, rng: {"draw": rng.random()}).batch(10).numpy()
    assert collect(other, "draw") != first


def draws(sample):
    return {"draw": np.array([random.random(), np.random.rand(), torch.rand(1).item()])}


def set_global_generators():
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)


def test_global_generators_are_given_back(table):
    set_global_generators()
    expected = (random.random(), np.random.rand(), torch.rand(1).item())
    set_global_generators()
    list(Loader(table).transform(draws).batch(10).numpy())
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == expected


def test_global_generators_are_set_for_each_sample(table):
    first = collect(Loader(table).transform(draws).batch(10).numpy(), "draw")
    assert len(set(first)) == 150
    assert collect(Loader(table).transform(draws).batch(7).numpy(), "draw") == first


def test_albumentations_pipeline_in_a_dict_is_reseeded_per_sample(table):
    def loader(batch):
        noise = A.Compose([A.RandomBrightnessContrast(p=1)])
        return Loader(table).transform({"images": noise}).batch(batch).numpy()

    first = np.concatenate([batch["images"] for batch in loader(10)])
    second = np.concatenate([batch["images"] for batch in loader(7)])
    assert (first == second).all()
    assert len({int(image[0, 0, 0]) - row for row, image in enumerate(first)}) > 5


def test_albumentations_with_boxes_as_the_playbook_writes_it(table):
    pipeline = A.Compose(
        [A.RandomSizedBBoxSafeCrop(width=8, height=8, erosion_rate=0.2)],
        bbox_params=A.BboxParams(format="pascal_voc", label_fields=["class_labels", "bbox_ids"]),
    )

    def transform(sample_in):
        boxes = np.array([[1, 1, 9, 9], [2, 2, 6, 7]], np.float32)
        done = pipeline(image=sample_in["images"], bboxes=boxes, bbox_ids=np.arange(len(boxes)), class_labels=[0, 1])
        return torch.as_tensor(done["image"]), {"boxes": torch.as_tensor(np.array(done["bboxes"]))}

    loader = (
        Loader(table).transform(transform).batch(4).pytorch(collate_fn=lambda batch: tuple(zip(*batch, strict=True)))
    )
    images, targets = next(iter(loader))
    assert {tuple(image.shape) for image in images} == {(8, 8, 3)}
    assert all(target["boxes"].shape[1] == 4 for target in targets)


def test_albumentations_pipeline_passed_directly_sees_image_and_boxes_by_its_names(table):
    pipeline = A.Compose([A.HorizontalFlip(p=1)], bbox_params=A.BboxParams(format="pascal_voc", label_fields=["tags"]))
    loader = Loader(table).transform(pipeline).numpy(tensors=["images", "boxes", "tags"])
    assert next(iter(loader))["images"].shape == (1, 12, 16, 3)


@pytest.fixture
def transform_error(table):
    def breaks(sample):
        if sample["index"] == 13:
            raise ValueError("thirteen")
        return sample

    with pytest.raises(TransformError) as caught:
        list(Loader(table).transform(breaks).batch(10).numpy())
    return caught.value


def test_error_names_the_sample(transform_error):
    assert "row 13 (uid 13): ValueError: thirteen" in str(transform_error)
    assert (transform_error.row, transform_error.uid) == (13, 13)


def test_error_has_the_transforms_own_traceback(transform_error):
    assert "in breaks" in str(transform_error)
    assert isinstance(transform_error.__cause__, ValueError)


def test_transform_runs_in_the_callers_thread_in_order(table):
    import threading

    seen = []
    loader = (
        Loader(table).transform(lambda s: seen.append((threading.current_thread(), s["index"])) or s).batch(9).numpy()
    )
    list(loader)
    assert seen == [(threading.current_thread(), row) for row in range(50)]


def test_repeated_rows_have_memory_of_their_own(table):
    from penstock.table import Selection

    def stamp(sample):
        sample["images"][0, 0, 0] += 1
        sample["tags"][...] = 9
        return sample

    selection = Selection(rows=np.array([7, 7, 7]), version="memory")
    batch = next(iter(Loader(table, selection).transform(stamp).batch(3).numpy(tensors=["images", "tags"])))
    assert batch["images"][:, 0, 0, 0].tolist() == [8, 8, 8]
    again = next(iter(Loader(table, selection).batch(3).numpy(tensors=["tags"])))
    assert all((tags != 9).all() for tags in again["tags"])
