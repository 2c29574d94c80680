"""`ds.info["source"]`, which users can edit and delete."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.errors import ExportError


@pytest.fixture
def coco(tmp_path):
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 50, "height": 40}],
        "annotations": [{"id": 7, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 1, "name": "a", "supercategory": "b"}],
    }
    (tmp_path / "source.json").write_text(json.dumps(document))
    return penstock.from_coco(
        tmp_path / "source.json", "https://images.example/", tmp_path / "ds", link=True, verify=False, progress=False
    )


@pytest.mark.parametrize(
    "file",
    [
        {"header": 5},
        {"header": {"categories": [{"id": 1}]}},
        {"header": {"categories": [5]}},
        {"name": {}, "classes": 1},
    ],
    ids=["a number", "no name", "no mapping", "no mapping of classes"],
)
def test_a_note_that_cannot_be_read_is_named(coco, tmp_path, file):
    coco.info["source"] = {**coco.info["source"], "files": [file]}
    with pytest.raises(ExportError, match=r"ds.info\['source'\] was edited"):
        penstock.to_coco(coco, tmp_path / "out.json", progress=False)
    assert not (tmp_path / "out.json").exists()
    del coco.info["source"]
    penstock.to_coco(coco, tmp_path / "out.json", progress=False)
    (annotation,) = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert (annotation["id"], annotation["bbox"]) == (7, [1, 2, 3, 4])


@pytest.mark.parametrize("style", [5, [{"x": 1}], ["x"]], ids=str)
def test_a_note_of_voc_that_cannot_be_read_is_named(coco, tmp_path, style):
    penstock.to_voc(coco, tmp_path / "voc", progress=False)
    (tmp_path / "voc/JPEGImages").mkdir()
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(tmp_path / "voc/JPEGImages/a.jpg")
    ds = penstock.from_voc(tmp_path / "voc", tmp_path / "again", progress=False)
    ds.info["source"] = {**ds.info["source"], "styles": style}
    with pytest.raises(ExportError, match="was edited"):
        penstock.to_voc(ds, tmp_path / "out", progress=False)
