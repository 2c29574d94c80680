"""Tensors that have the name of a field of annotations, and are something else."""

from __future__ import annotations

import json

import numpy as np
import pytest

import penstock
from penstock.errors import ExportError

IMAGES = [np.full((40, 50, 3), at, np.uint8) for at in range(3)]
OBJECTS = {"boxes": [[[2, 2, 10, 8]], [[2, 2, 10, 8], [5, 5, 9, 9]], []], "categories": [["a"], ["a", "b"], []]}
EXPORTS = {
    "coco": penstock.to_coco,
    "voc": penstock.to_voc,
    "yolo": lambda ds, path, **options: penstock.to_yolo(ds, path, task="detect", **options),
}
OTHERS = {
    "score": [0.5, 1.5, 2.5],
    "area": [4, 5, 6],
    "iscrowd": [True, False, True],
    "annotation_id": ["x", "y", "z"],
    "file": [1, 2, 3],
    "source_id": [[1, 2], [3], []],
    "image_index": ["x", "y", "z"],
    "image_attributes": [1.0, 2.0, 3.0],
    "attributes": [{"weather": "rain"}, {"weather": "sun"}, {"weather": "fog"}],
    "segmentation": ["road", "sky", "road"],
    "keypoints": [{"a": 1}, None, {"b": 2}],
}


def dataset(folder, **more):
    return penstock.from_arrays(
        {"images": IMAGES, **OBJECTS, **more}, folder / "ds", htypes={"boxes": "bbox"}, coords="xywh", progress=False
    )


@pytest.mark.parametrize(("name", "values"), OTHERS.items(), ids=OTHERS)
def test_a_tensor_of_another_kind_is_not_taken_for_a_field(tmp_path, name, values):
    ds = dataset(tmp_path, **{name: values})
    reports = [export(ds, tmp_path / key, progress=False) for key, export in EXPORTS.items()]
    assert [report.num_objects for report in reports] == [3, 3, 3]
    assert all(any(name in issue for issue in report.issues) for report in reports)


@pytest.mark.parametrize(
    ("name", "value"), [("attributes", 5), ("as_written", "x"), ("keypoints", "x"), ("keypoints", [1, "x", 2])]
)
def test_an_entry_of_another_kind_is_refused_with_its_sample(tmp_path, name, value):
    source = tmp_path / "source.json"
    one = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "keypoints": [1, 2, 2], "note": "x"}
    source.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "a.jpg", "width": 50, "height": 40}],
                "annotations": [one, {**one, "id": 2, "bbox": [1, 2, 3.000000001, 4]}],
                "categories": [{"id": 1, "name": "a"}],
            }
        )
    )
    ds = penstock.from_coco(
        source, "https://images.example/", tmp_path / "ds", link=True, verify=False, on_error="skip", progress=False
    )
    ds[name][0] = [None, value]
    with pytest.raises(ExportError, match=f"sample 0 has .* in '{name}'"):
        penstock.to_coco(ds, tmp_path / "out.json", progress=False)
    assert not (tmp_path / "out.json").exists()
