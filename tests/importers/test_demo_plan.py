from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from penstock.importers._demo import plan_demo
from penstock.importers._scenes import SHAPES, Shape, draw_scene

PLAIN = ((0.1, 0.2), (0.8, 0.7))


def test_six_hundred_samples_have_the_counts_promised():
    scenes = plan_demo(600, 0)
    counts = Counter(label for scene in scenes for label in scene.labels)
    assert counts == {"Circle": 412, "Square": 208, "Triangle": 131, "Star": 54, "Ring": 31, "Cross": 12}
    assert sum(not scene.labels for scene in scenes) == 12
    assert len(scenes) == 600


def test_three_rings_are_labeled_circle_the_first_in_row_8():
    scenes = plan_demo(600, 0)
    wrong = [
        (row, label, shape.name)
        for row, scene in enumerate(scenes)
        for label, shape in zip(scene.labels, scene.shapes, strict=True)
        if label != shape.name
    ]
    assert wrong[0][0] == 8
    assert [pair for _, *pair in wrong] == [["Circle", "Ring"]] * 3


@pytest.mark.parametrize("num_samples", [1, 2, 9, 50])
def test_any_size_can_be_planned(num_samples):
    assert len(plan_demo(num_samples, 3)) == num_samples


def test_a_plan_is_a_function_of_its_seed():
    assert plan_demo(40, 1) == plan_demo(40, 1)
    assert plan_demo(40, 1) != plan_demo(40, 2)


@pytest.mark.parametrize("name", SHAPES)
def test_boxes_have_five_pixels_around_what_is_drawn(name):
    shape = Shape(name=name, x=90, y=70, radius=30)
    pixels, boxes_xywh = draw_scene([shape], *PLAIN)
    empty, _ = draw_scene([], *PLAIN)
    changed = np.abs(pixels.astype(int) - empty).max(axis=2) > 64
    left, top, width, height = boxes_xywh[0].astype(int)
    outside = changed.copy()
    outside[top + 4 : top + height - 4, left + 4 : left + width - 4] = False
    assert not outside.any()
    assert changed[:, left + 6].any()
    assert changed[:, left + width - 7].any()
    assert changed[top + 6].any()
    assert changed[top + height - 7].any()
    assert abs(width - 70) < 10


def test_boxes_lie_inside_their_images():
    for scene in plan_demo(150, 1):
        boxes_xywh = scene.draw().boxes_xywh
        assert (boxes_xywh[:, :2] >= 0).all()
        assert (boxes_xywh[:, :2] + boxes_xywh[:, 2:] <= 192).all()


def test_edges_are_smooth():
    pixels, _ = draw_scene([Shape(name="Circle", x=96, y=96, radius=40)], *PLAIN)
    row = pixels[60].astype(int).sum(axis=1)
    edge = row[np.abs(np.diff(row)).argmax() - 1 : np.abs(np.diff(row)).argmax() + 3]
    assert len(set(edge.tolist())) >= 3
