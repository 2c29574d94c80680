"""Labeling speed, by script: relabel images and draw boxes with as few keys as promised, and nothing is lost when fast."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import penstock

CLASSES = ["cat", "dog", "owl"]


def encoded(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def noise(number, side=48):
    return encoded(np.random.default_rng(number).integers(0, 255, (side, side, 3)).astype(np.uint8))


@pytest.fixture
def animals(tmp_path):
    """One label an image, but the last one has none."""
    ds = penstock.empty(tmp_path / "animals.penstock")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
    ds.extend({"images": [noise(i) for i in range(24)], "labels": [[0]] * 23 + [[]]})
    ds.commit("all cats")
    return ds


def objects(path):
    ds = penstock.empty(path)
    ds.create_tensor("images", htype="image")
    ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
    ds.create_tensor("boxes", htype="bbox", aligned_with="labels")
    no_boxes = np.zeros((0, 4), np.float32)
    ds.extend({"images": [noise(i, 200) for i in range(2)], "labels": [[], []], "boxes": [no_boxes, no_boxes]})
    ds.commit("nothing drawn yet")
    return ds


class Counted:
    """A keyboard and a mouse that count what is done with them."""

    def __init__(self, page):
        self.page, self.actions = page, 0

    def press(self, key):
        self.actions += 1
        self.page.keyboard.press(key)

    def drag(self, box):
        self.actions += 1
        x, y, width, height = box
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + width, y + height, steps=3)
        self.page.mouse.up()


def open_image(page, position=0):
    page.locator(f"[data-testid=penstock-grid] [data-position='{position}']").dblclick()
    expect(page.get_by_test_id("penstock-editor")).to_be_visible()
    expect(page.get_by_test_id("penstock-stage")).to_be_focused()


def saved(page, number):
    """All edits are with the kernel."""
    expect(page.get_by_test_id("penstock-edits")).to_contain_text(re.compile(rf"^{number}\b"), timeout=20_000)


def label_lists(ds):
    return [np.asarray(one).reshape(-1).tolist() for one in ds.labels.numpy(aslist=True)]


def relabel(hands, wanted):
    for label in wanted:
        hands.press(str(label + 1))
        hands.press("ArrowRight")


WANTED = [1 + i % 2 for i in range(20)]


def test_twenty_images_are_relabeled_with_two_keys_each_in_the_grid(open_plain, animals):
    page = open_plain(lambda: penstock.explore(animals))
    page.locator("[data-testid=penstock-grid] [data-position='0']").click()
    page.get_by_test_id("penstock-grid").focus()
    hands = Counted(page)
    relabel(hands, WANTED)
    saved(page, 20)
    assert label_lists(animals)[:20] == [[label] for label in WANTED]
    assert hands.actions == 40
    assert page.faults == []


def test_twenty_images_are_relabeled_with_two_keys_each_in_the_image(open_plain, animals):
    page = open_plain(lambda: penstock.explore(animals))
    open_image(page)
    hands = Counted(page)
    relabel(hands, WANTED)
    saved(page, 20)
    assert label_lists(animals)[:20] == [[label] for label in WANTED]
    assert hands.actions == 40
    page.keyboard.press("u")
    expect(page.get_by_test_id("penstock-stepper")).to_contain_text("24 of 24")
    page.keyboard.press("3")
    saved(page, 21)
    assert label_lists(animals)[23] == [2]
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("penstock-grid")).to_be_focused()
    expect(page.locator(".penstock-cell.penstock-current")).to_have_attribute("data-position", "23")
    assert page.faults == []


def test_ten_boxes_are_drawn_and_classed_with_three_actions_each(open_plain, tmp_path):
    ds = objects(tmp_path / "boxes.penstock")
    page = open_plain(lambda: penstock.explore(ds))
    open_image(page)
    stage = page.get_by_test_id("penstock-stage").bounding_box()
    hands = Counted(page)
    for number in range(10):
        hands.press("n")
        hands.drag((stage["x"] + 60 + 28 * (number % 5), stage["y"] + 60 + 60 * (number // 5), 20, 24))
        hands.press(str(number % 3 + 1))
    assert hands.actions == 30
    expect(page.get_by_test_id("penstock-stage")).to_have_attribute(
        "aria-label", re.compile("10 boxes, cat selected"), timeout=20_000
    )
    saved(page, 1)
    page.wait_for_function("() => document.querySelector('.penstock-label-row').textContent.includes('cat×4')")
    expect(page.get_by_test_id("penstock-toast")).to_contain_text("owl → cat")  # the last edit is with the kernel
    assert label_lists(ds)[0] == [number % 3 for number in range(10)]
    assert len(ds.boxes[0].numpy()) == 10
    assert page.faults == []


def test_the_focus_comes_back_to_the_image_from_the_list_of_classes(open_plain, animals):
    page = open_plain(lambda: penstock.explore(animals), width=1220)
    open_image(page)
    page.keyboard.press("c")
    expect(page.get_by_test_id("penstock-class-find")).to_be_focused()
    page.keyboard.type("ow")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("penstock-stage")).to_be_focused()
    saved(page, 1)
    assert label_lists(animals)[0] == [2]
    page.get_by_test_id("penstock-labels").get_by_role("button", name="owl", exact=True).click()
    expect(page.get_by_test_id("penstock-class-find")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("penstock-stage")).to_be_focused()
    expect(page.get_by_test_id("penstock-editor")).to_be_visible()
    assert page.faults == []


def test_the_list_of_classes_opens_at_the_box_inside_the_region(open_plain, tmp_path):
    ds = objects(tmp_path / "boxes.penstock")
    page = open_plain(lambda: penstock.explore(ds), width=848)
    open_image(page)
    stage = page.get_by_test_id("penstock-stage").bounding_box()
    page.keyboard.press("n")
    right, bottom = stage["x"] + stage["width"], stage["y"] + stage["height"]
    Counted(page).drag((right - 60, bottom - 110, 40, 30))
    page.keyboard.press("c")
    expect(page.get_by_test_id("penstock-class-find")).to_be_focused()
    dock = page.get_by_test_id("penstock-dock").bounding_box()
    assert stage["x"] <= dock["x"] <= right - dock["width"]
    assert stage["y"] <= dock["y"] <= bottom - dock["height"]
    assert page.faults == []


def test_a_window_shows_what_16_bits_hold_and_leaves_the_data(open_plain, tmp_path):
    ds = penstock.empty(tmp_path / "wide.penstock")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
    values = np.full((64, 64), 300, np.uint16)
    values[:, 32:] = 310
    values[0, 0] = 60_000
    ds.extend({"images": [encoded(values)], "labels": [[0]]})
    ds.commit("a ray of light")
    page = open_plain(lambda: penstock.explore(ds))
    open_image(page)
    page.get_by_test_id("penstock-tone").click()
    expect(page.get_by_test_id("penstock-levels")).to_contain_text("16-bit image, values 300 to 60,000")
    page.get_by_test_id("penstock-level").fill("305")
    page.get_by_test_id("penstock-window").fill("233.2")
    expect(page.locator(".penstock-stage > img")).to_have_count(2)  # the windowed image lies over the usual one
    page.get_by_test_id("penstock-tone-reset").click()
    expect(page.locator(".penstock-stage > img")).to_have_count(1)
    assert page.get_by_test_id("penstock-edits").count() == 0
    assert page.faults == []


@pytest.fixture
def unlabeled(tmp_path):
    """Six images without a label."""
    ds = penstock.empty(tmp_path / "bare.penstock")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
    ds.extend({"images": [noise(i) for i in range(6)], "labels": [[]] * 6})
    ds.commit("no labels")
    return ds


@pytest.mark.parametrize("place", ["grid", "image"])
def test_a_slow_label_and_next_skip_no_sample_when_only_unlabeled_ones_are_shown(open_plain, unlabeled, place):
    page = open_plain(lambda: penstock.explore(unlabeled))
    page.get_by_test_id("penstock-filter-menu").click()
    page.get_by_test_id("penstock-state-unlabeled").check()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("penstock-pool")).to_have_text("6 of 6")
    if place == "image":
        open_image(page)
    else:
        page.locator("[data-testid=penstock-grid] [data-position='0']").click()
    for number in range(1, 7):
        page.keyboard.press("1")
        saved(page, number)
        expect(page.get_by_test_id("penstock-pool")).to_have_text(f"{6 - number} of 6")
        expect(page.get_by_test_id("penstock-held").locator("visible=true")).to_be_visible()
        page.keyboard.press("ArrowRight")
    assert label_lists(unlabeled) == [[0]] * 6
    if place == "image":
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("penstock-grid")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("penstock-pool")).to_have_text("1 of 6")
    expect(page.locator(".penstock-cell.penstock-held")).to_have_count(5)
    page.get_by_test_id("penstock-update-grid").click()
    expect(page.locator(".penstock-cell")).to_have_count(1)
    expect(page.get_by_test_id("penstock-update-grid")).to_have_count(0)
    assert page.faults == []
