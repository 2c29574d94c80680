"""Classes managed and annotations exported in a real browser; what is written is compared with Python's own export."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

import penstock
from tests.ui.explorer import explorer_of

QUERY = "select * sample by max_weight(contains(labels, 'Cross'): 20, contains(labels, 'Ring'): 8, True: 1)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shapes.penstock"


@pytest.fixture
def ds(path):
    return penstock.demo(path, num_samples=60)


@pytest.fixture
def explorer(open_plain, ds):
    return explorer_of(open_plain(lambda: penstock.explore(ds, query=QUERY), width=1220))


def row_of(explorer, name):
    row = explorer.row(name)
    expect(row).to_be_visible()
    return row


def menu_of(explorer, name):
    row = row_of(explorer, name)
    row.hover()
    row.get_by_test_id("penstock-class-menu").click()
    form = explorer.root.get_by_test_id("penstock-class-form")
    expect(form.get_by_test_id("penstock-class-touch")).to_contain_text("object")
    return form


def labels_of(path):
    dataset = penstock.load(path)
    names = dataset.labels.info.class_names
    return [[names[label] for label in sample] for sample in dataset.labels.numpy(aslist=True)]


def test_a_class_is_renamed_by_keyboard_and_all_panels_follow_also_a_rename_in_python(explorer, ds, path):
    page, weight = explorer.page, explorer.weight("Cross")
    row_of(explorer, "Cross").locator("[data-cell=name]").focus()
    for key in ("Tab", "Tab", "Enter"):  # past the eye
        page.keyboard.press(key)
    form = explorer.root.get_by_test_id("penstock-class-form")
    expect(form.get_by_test_id("penstock-class-touch")).to_contain_text("object")
    expect(form.get_by_test_id("weight-lock")).to_be_focused()
    for _ in range(4):  # past what concerns the weight
        page.keyboard.press("ArrowDown")
    expect(form.get_by_test_id("penstock-class-rename")).to_be_focused()
    page.keyboard.press("Enter")
    expect(form.get_by_test_id("penstock-class-name")).to_be_focused()
    page.keyboard.insert_text("Plus")
    page.keyboard.press("Enter")
    row_of(explorer, "Plus")
    assert explorer.query_text() == QUERY.replace("Cross", "Plus")
    assert explorer.weight("Plus") == weight
    expect(explorer.bar("Plus")).to_be_attached()
    ds.labels.rename_class("Plus", "Crux")
    row_of(explorer, "Crux")
    assert explorer.query_text() == QUERY.replace("Cross", "Crux")
    assert penstock.load(path).labels.info.class_names[-1] == "Crux"
    explorer.expect_no_page_errors()


def test_a_merge_says_what_it_touches_and_is_undone(explorer, path):
    before = labels_of(path)
    ring, circle = (sum(sample.count(name) for sample in before) for name in ("Ring", "Circle"))
    form = menu_of(explorer, "Ring")
    form.get_by_test_id("penstock-class-merge").click()
    form.get_by_test_id("penstock-merge-search").fill("circ")
    form.get_by_test_id("penstock-merge-search").press("Enter")
    note = form.get_by_test_id("penstock-merge-note")
    expect(note).to_contain_text(f"{ring} object")
    expect(note).to_contain_text(f"{ring + circle} objects")
    form.get_by_test_id("penstock-class-submit").click()
    expect(row_of(explorer, "Circle")).to_contain_text(str(ring + circle))
    assert explorer.query_text() == QUERY.replace("Ring", "Circle")
    assert labels_of(path) == [["Circle" if name == "Ring" else name for name in sample] for sample in before]
    explorer.root.get_by_test_id("penstock-toast").get_by_role("button", name="Undo").click()
    expect(row_of(explorer, "Ring")).to_contain_text(str(ring))
    assert explorer.query_text() == QUERY
    assert labels_of(path) == before
    explorer.expect_no_page_errors()


def test_a_color_is_used_by_list_boxes_and_charts_and_kept(explorer, path):
    form = menu_of(explorer, "Circle")
    form.get_by_test_id("penstock-class-color").click()
    form.get_by_test_id("penstock-any-color").fill("#0a7bff")
    form.get_by_test_id("penstock-class-submit").click()
    mark = row_of(explorer, "Circle").locator(".penstock-class-mark rect")
    expect(mark).to_have_css("stroke", "rgb(10, 123, 255)")
    assert (10, 123, 255) in explorer.drawn_colors()
    bars = explorer.bar("Circle").locator("[fill*='--penstock-class-0']")
    expect(bars.first).to_have_css("fill", "rgb(10, 123, 255)")
    assert penstock.load(path).labels.info.class_colors == {"Circle": "#0a7bff"}
    explorer.expect_no_page_errors()


def test_annotations_go_to_coco_as_python_writes_them(explorer, path, tmp_path):
    root = explorer.root
    root.get_by_test_id("penstock-export").click()
    root.get_by_test_id("penstock-export-what").get_by_text("Annotations").click()
    form = root.get_by_test_id("penstock-annotations")
    expect(form.get_by_test_id("penstock-annotations-path")).to_have_value("shapes.json")
    form.get_by_test_id("penstock-annotations-rows").select_option("all")
    form.get_by_test_id("penstock-annotations-path").fill(str(tmp_path / "out.json"))
    form.get_by_test_id("penstock-annotations-export").click()
    outcome = form.get_by_test_id("penstock-annotations-outcome")
    expect(outcome).to_contain_text("60 images")
    ds = penstock.load(path)
    assert int(np.sum([len(labels) for labels in ds.labels.numpy(aslist=True)])) == len(
        json.loads((tmp_path / "out.json").read_text())["annotations"]
    )
    penstock.to_coco(ds, tmp_path / "own.json", progress=False)
    assert (tmp_path / "out.json").read_text() == (tmp_path / "own.json").read_text()
    form.get_by_test_id("penstock-annotations-export").click()
    expect(outcome).to_contain_text("already exists")
    form.get_by_test_id("penstock-overwrite").click()
    expect(outcome).to_contain_text("60 images")
    form.get_by_test_id("penstock-annotations-insert").click()
    expect(root.get_by_test_id("penstock-code").get_by_role("textbox")).to_have_value(
        re.compile(r"penstock\.to_coco\(")
    )
    explorer.expect_no_page_errors()
