"""Outlines and keypoints are edited with the mouse and go home: the exported file differs by the edits alone."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import penstock
from tests.ui.explorer import explorer_of

OUTLINE = [20, 20, 100, 20, 100, 90, 60, 100, 20, 90]
POINTS = [140, 40, 2, 160, 40, 1, 150, 70, 0]


def annotation(number, image, category, box, **more):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": box,
        "area": box[2] * box[3],
        "iscrowd": 0,
        "segmentation": [],
        **more,
    }


@pytest.fixture
def document(tmp_path):
    annotations = [
        annotation(1, 1, 1, [10, 110, 30, 20]),
        annotation(2, 1, 1, [20, 20, 80, 80], segmentation=[OUTLINE], area=6000.5),
        annotation(3, 1, 2, [130, 30, 50, 60], keypoints=POINTS, num_keypoints=2),
        annotation(4, 1, 1, [110, 110, 30, 30], segmentation=[[110, 110, 140, 110, 140, 140.125]]),
        annotation(5, 2, 2, [5, 5, 50, 50], keypoints=POINTS, num_keypoints=2),
    ]
    found = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 200, "height": 150} for i in (1, 2)],
        "annotations": annotations,
        "categories": [
            {"id": 1, "name": "cup"},
            {"id": 2, "name": "cat", "keypoints": ["nose", "left_ear", "tail"], "skeleton": [[1, 2], [2, 3]]},
        ],
    }
    for image in found["images"]:
        Image.fromarray(np.full((150, 200, 3), 90, np.uint8)).save(tmp_path / image["file_name"])
    (tmp_path / "labels.json").write_text(json.dumps(found))
    return found


@pytest.fixture
def path(document, tmp_path):
    penstock.from_coco(tmp_path / "labels.json", tmp_path, tmp_path / "shapes.penstock", progress=False)
    return tmp_path / "shapes.penstock"


def exported(path, tmp_path):
    penstock.to_coco(penstock.load(path), tmp_path / "out.json", overwrite=True, progress=False)
    return json.loads((tmp_path / "out.json").read_text())


class Stage:
    """The stage of an Explorer, driven by mouse and keys."""

    def __init__(self, explorer):
        self.explorer, self.page, self.root = explorer, explorer.page, explorer.root
        self.element = self.root.get_by_test_id("penstock-stage")

    def choose(self, number, count):
        self.element.focus()
        while "selected" in self.element.get_attribute("aria-label"):
            self.page.keyboard.press("Escape")  # the point, the box; one more would go back to the grid
        for _ in range(number + 1):
            self.page.keyboard.press("Tab")
        expect(self.element).to_have_attribute("aria-label", re.compile(rf"{count} boxes, \w+ selected"))

    def drag(self, selector, right, down):
        handle = self.element.locator(selector)
        expect(handle).to_be_visible()
        box = handle.bounding_box()
        self.drag_from(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, right, down)

    def drag_from(self, x, y, right, down):
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + right, y + down, steps=4)
        self.page.mouse.up()

    def expect_edited(self, words):
        expect(self.root.get_by_test_id("penstock-edited")).to_contain_text(words)


@pytest.fixture
def stage(open_plain, path):
    explorer = explorer_of(open_plain(lambda: penstock.explore(penstock.load(path)), width=1220))
    explorer.open_image()
    expect(explorer.root.locator(".penstock-stage > img").first).to_be_visible()
    yield Stage(explorer)
    explorer.expect_no_page_errors()


def enclosing(ring):
    points = np.reshape(ring, (-1, 2))
    return [*points.min(0).tolist(), *np.ptp(points, axis=0).tolist()]


def area(ring):
    x, y = np.reshape(ring, (-1, 2)).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_a_deleted_a_drawn_and_two_reshaped_objects_are_all_that_an_export_changes(stage, path, document, tmp_path):
    assert exported(path, tmp_path) == document
    stage.choose(0, 4)
    stage.page.keyboard.press("Delete")
    stage.expect_edited("− cup")
    stage.page.keyboard.press("n")
    corner = stage.element.locator("image, img").first.bounding_box()
    stage.drag_from(corner["x"] + 10, corner["y"] + corner["height"] - 30, 40, 20)
    expect(stage.element).to_have_attribute("aria-label", re.compile("4 boxes, cup selected"))
    stage.expect_edited("box")
    stage.choose(0, 4)
    stage.drag("[data-vertex='0:1']", 25, -10)
    expect(stage.root.get_by_text("moved a vertex of cup in sample 0").first).to_be_visible()
    stage.choose(1, 4)
    stage.drag("[data-keypoint='0']", 6, 9)
    expect(stage.root.get_by_text("moved a keypoint of cat in sample 0").first).to_be_visible()
    stage.explorer.commit("fixed")

    after = exported(path, tmp_path)
    was = {one["id"]: one for one in document["annotations"]}
    now = {one["id"]: one for one in after["annotations"]}
    assert {key: value for key, value in after.items() if key != "annotations"} == {
        key: value for key, value in document.items() if key != "annotations"
    }
    assert sorted(now) == [2, 3, 4, 5, 6]
    assert (now[4], now[5]) == (was[4], was[5])
    assert (now[6]["category_id"], now[6]["segmentation"]) == (1, [])
    (ring,) = now[2]["segmentation"]
    assert ring[:2] + ring[4:] == OUTLINE[:2] + OUTLINE[4:]
    assert ring[2] > 100
    assert ring[3] < 20
    assert now[2] == {
        **was[2],
        "segmentation": [ring],
        "bbox": pytest.approx(enclosing(ring), rel=1e-6),
        "area": pytest.approx(area(ring)),
    }
    moved = now[3]["keypoints"]
    assert moved[2:] == POINTS[2:]
    assert moved[0] > 140
    assert moved[1] > 40
    assert now[3] == {**was[3], "keypoints": moved}
