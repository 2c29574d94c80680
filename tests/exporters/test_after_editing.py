"""Labels fixed in the Explorer go home: the exported file differs by the edits, and by nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import penstock
from tests.widgets.conftest import FrontEnd, wire  # noqa: F401  a fixture

SQUARE = [[1, 1, 5, 1, 5, 5, 1, 5]]


@pytest.fixture
def document(tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / name)
    boxes = {4: [1.5, 2, 10, 10], 2: [20, 3.25, 9, 9], 3: [30, 30, 50, 5], 9: [0, 0, 4, 4]}
    image_of = {4: 7, 2: 7, 3: 7, 9: 5}
    found = {
        "info": {"version": "1"},
        "images": [
            {"id": 7, "file_name": "b.png", "width": 60, "height": 40, "license": 3},
            {"id": 5, "file_name": "a.png", "width": 60, "height": 40},
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image_of[number],
                "category_id": 1,
                "segmentation": SQUARE,
                "bbox": box,
                "area": 16.0,
                "iscrowd": 0,
                "seen_by": f"person {number}",
            }
            for number, box in boxes.items()
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 8, "name": "dog"}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(found))
    return found


def test_edits_in_the_explorer_change_their_annotations_alone(document, tmp_path, wire):  # noqa: F811  a fixture of that file
    ds = penstock.from_coco(tmp_path / "labels.json", tmp_path, tmp_path / "ds", progress=False)
    front = FrontEnd(penstock.explore(ds))
    shown = front.ask("sample.get", position=1)[0]["sample"]  # image 7: annotations 4, 2 and 3
    boxes = np.reshape(shown["boxes"], (-1, 4))
    new = [40, 10, 8, 6]
    front.ask(
        "edit.labels",
        uid=shown["uid"],
        state=shown["state"],
        labels=[1, 0, 0],  # 4 goes, 2 becomes a dog, 3 stays, and a cat is drawn
        boxes=[*boxes[1], *boxes[2], *new],
        sources=[1, 2, -1],
    )[0]
    front.ask("edit.labels", **_moved(front))
    ds.commit("fixed")
    penstock.to_coco(ds, tmp_path / "out.json", progress=False)
    deleted, relabeled, kept, moved = document["annotations"]
    drawn = {"id": 10, "image_id": 7, "category_id": 1, "segmentation": [], "bbox": new, "area": 48, "iscrowd": 0}
    expected = [
        {**relabeled, "category_id": 8},
        kept,  # its box reaches out of the image, was clipped, and comes back as it was
        {**moved, "bbox": [2, 3, 4, 5], "area": 20},
        drawn,
    ]
    assert deleted["id"] == 4
    assert json.loads((tmp_path / "out.json").read_text()) == {**document, "annotations": expected}


def _moved(front):
    shown = front.ask("sample.get", position=0)[0]["sample"]
    return {"uid": shown["uid"], "state": shown["state"], "labels": shown["labels"], "boxes": [2, 3, 4, 5]}


def test_a_new_annotation_is_the_last_one_of_a_file_that_is_sorted_by_image(tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(tmp_path / name)
    images = [
        {"id": number, "file_name": name, "width": 60, "height": 40} for number, name in ((1, "a.png"), (2, "b.png"))
    ]
    annotations = [
        {"id": number, "image_id": number, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12.0, "iscrowd": 0}
        for number in (1, 2)
    ]
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "labels.json").write_text(json.dumps(document))
    ds = penstock.from_coco(tmp_path / "labels.json", tmp_path, tmp_path / "ds", progress=False)
    added = {
        "boxes": [[1, 2, 3, 4], [5, 6, 7, 8]],
        "categories": [0, 0],
        "iscrowd": [0, 0],
        "area": [12, 56],
        "annotation_id": [1, 0],
    }
    for name, values in added.items():
        ds[name][0] = values
    penstock.to_coco(ds, tmp_path / "out.json", progress=False)
    written = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert [(one["id"], one["image_id"], one["bbox"]) for one in written] == [
        (1, 1, [1, 2, 3, 4]),
        (2, 2, [1, 2, 3, 4]),
        (3, 1, [5, 6, 7, 8]),
    ]
