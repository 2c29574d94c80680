from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.dataset.samples import content_of
from penstock.importers.building._objects import align_objects
from penstock.tensors import object_groups

_BOX = [0.0, 0.0, 1.0, 1.0]


def _filled(path, counts, **tensors):
    dataset = penstock.empty(path)
    dataset.create_tensor("boxes", "bbox")
    for name, (htype, _) in tensors.items():
        dataset.create_tensor(name, htype)
    columns = {name: values for name, (_, values) in tensors.items()}
    dataset.extend({"boxes": [[_BOX] * count for count in counts], **columns})
    align_objects(dataset)
    return object_groups(content_of(dataset).table.tensors)


def test_tensors_that_agree_with_the_boxes_of_every_sample_are_aligned(tmp_path):
    groups = _filled(
        tmp_path / "ds",
        [2, 0, 1],
        labels=("class_label", [["a", "b"], [], ["a"]]),
        area=("generic", [[1.0, 2.0], [], [3.0]]),
        keypoints=("generic", [np.ones((2, 17, 3)), np.ones((0, 17, 3)), np.ones((1, 17, 3))]),
        scene=("class_label", ["x", "y", "x"]),
        feature=("embedding", [[1, 2], [1, 2], [1, 2]]),
        note=("text", ["a", "b", "c"]),
    )
    assert groups == {"boxes": ("boxes", "labels", "area", "keypoints")}


@pytest.mark.parametrize(
    ("counts", "tensors"),
    [
        ([1, 1], {"labels": ("class_label", ["a", "b"])}),
        ([2, 2], {"place": ("generic", [[1.0, 2.0], [3.0, 4.0]])}),
        ([2, 1], {"labels": ("class_label", [["a", "b"], []])}),
    ],
    ids=["one_each", "same_number", "differ_once"],
)
def test_tensors_that_may_be_of_the_whole_image_are_left_alone(tmp_path, counts, tensors):
    assert _filled(tmp_path / "ds", counts, **tensors) == {}


def test_demo_has_one_label_for_each_box(tmp_path):
    dataset = penstock.demo(tmp_path / "demo", num_samples=20)
    assert object_groups(content_of(dataset).table.tensors) == {"boxes": ("boxes", "labels")}


def test_boxes_of_annotation_files_are_one_group_with_what_belongs_to_them(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    boxes = [{"id": i, "image_id": 1, "category_id": 1, "bbox": [i, 0, 2, 2], "iscrowd": 0} for i in (1, 2)]
    images = [{"id": 1, "file_name": "a.png", "width": 8, "height": 8}]
    instances = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "x.json").write_text(json.dumps(instances))
    dataset = penstock.from_coco(tmp_path / "x.json", tmp_path, tmp_path / "out", progress=False)
    assert object_groups(content_of(dataset).table.tensors) == {
        "boxes": ("boxes", "categories", "iscrowd", "annotation_id")
    }
