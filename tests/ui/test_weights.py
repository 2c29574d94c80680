"""Weights of many classes in a real browser over a real session: one term, its sliders, one undo, a reload."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

import penstock
from tests.ui.widths import exhaustive

NUM_CLASSES = 41
NAMES = [f"class {number}" for number in range(NUM_CLASSES)]
BALANCED = "select * sample by max_weight(classes(labels, $balanced), True: 1)"


@pytest.fixture
def ds(tmp_path):
    labels = np.repeat(np.arange(NUM_CLASSES), np.arange(NUM_CLASSES) % 7 + 1)
    pixels = np.random.default_rng(0).integers(0, 255, (len(labels), 16, 16, 3), np.uint8)
    return penstock.from_arrays(
        {"images": list(pixels), "labels": labels}, tmp_path / "many.penstock", class_names={"labels": NAMES}
    )


@pytest.fixture
def shown(open_plain, ds):
    explorers = []

    def make():
        explorers.append(penstock.explore(ds))
        return explorers[0]

    page = open_plain(make, width=1220)
    return page, explorers[0]


def balance(page, preset="balanced"):
    page.get_by_test_id("penstock-balance").click()
    page.get_by_test_id(f"preset-{preset}").click()


def label(page):
    return page.get_by_test_id("penstock-balance")


def test_a_preset_over_many_classes_is_one_term_that_sliders_move(shown):
    page, explorer = shown
    balance(page)
    expect(label(page)).to_have_text("Balanced ▾")
    expect(page.get_by_test_id("penstock-toast")).to_contain_text("Balanced: 41 weights from 1 to 7")
    assert explorer.query == BALANCED
    page.locator("[data-testid=weight-slider][data-class='class 0']").press("PageUp")
    expect(label(page)).to_have_text("Balanced, 1 changed ▾")
    page.wait_for_function(
        "() => [...window.models.values()].some(m => m.get('weights')?.getFloat64?.(0, true) === 14)"
    )
    assert (explorer.query, explorer.weights[0], explorer.weights[1]) == (BALANCED, 14, 3.5)
    assert page.faults == []


def test_undo_takes_back_a_slider_then_the_preset_and_a_reload_keeps_what_is(shown):
    page, explorer = shown
    balance(page)
    expect(label(page)).to_have_text("Balanced ▾")
    slider = page.locator("[data-testid=weight-slider][data-class='class 0']")
    slider.press("PageUp")
    expect(label(page)).to_have_text("Balanced, 1 changed ▾")
    slider.press("Control+z")
    expect(page.get_by_test_id("penstock-toast")).to_contain_text("Undid: class 0 7 → 14")
    expect(label(page)).to_have_text("Balanced ▾")
    page.get_by_test_id("penstock-toast").get_by_role("button", name="Redo").click()
    expect(label(page)).to_have_text("Balanced, 1 changed ▾")
    page.wait_for_function(
        "() => [...window.models.values()].some(m => m.get('weights')?.getFloat64?.(0, true) === 14)"
    )
    page.reload()
    page.wait_for_selector(".penstock[data-link=live]")
    expect(label(page)).to_have_text("Balanced, 1 changed ▾")
    assert explorer.weights[0] == 14


def test_a_preset_that_changes_nothing_says_what_would(shown):
    page, explorer = shown
    balance(page, "repeat_factor")
    expect(page.get_by_test_id("penstock-toast")).to_contain_text("Nothing to repeat at t = 0.001: class 0")
    assert explorer.query == "select *"


def test_undo_of_a_preset_keeps_where(shown):
    page, explorer = shown
    balance(page)
    expect(label(page)).to_have_text("Balanced ▾")
    content = page.locator(".cm-content")
    explorer.query = explorer.query.replace("select *", "select * where contains(labels, 'class 6')")
    expect(content).to_contain_text("where contains")
    label(page).focus()
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("penstock-toast")).to_contain_text("Undid: balanced")
    assert explorer.query == "select * where contains(labels, 'class 6')"


def test_a_reload_in_the_middle_of_a_gesture_shows_what_runs(shown):
    page, explorer = shown
    page.wait_for_timeout(600)  # until what is typed would have been kept
    explorer.query = "select * sample by max_weight(contains(labels, 'class 0'): 20, True: 1)"
    slider = page.locator("[data-testid=weight-slider][data-class='class 0']")
    expect(slider).to_have_attribute("data-weight", "20")
    page.reload()
    page.wait_for_selector(".penstock[data-link=live]")
    expect(slider).to_be_enabled()
    expect(page.locator(".cm-content")).to_contain_text("'class 0'): 20")
    assert page.faults == []


def test_the_sample_tells_its_weight_with_the_digits_of_its_slider(shown):
    page, explorer = shown
    explorer.query = "select * sample by max_weight(contains(labels, 'class 0'): 12.3, True: 1)"
    expect(page.locator("[data-testid=weight-slider][data-class='class 0']")).to_have_attribute("data-weight", "12.3")
    page.get_by_role("gridcell").first.click()
    expect(page.locator(".penstock-facts-list")).to_contain_text("12.3, from class 0")


@pytest.mark.parametrize("width", [*exhaustive(1220, 932), 848, *exhaustive(420), 320])
def test_coverage_is_in_view_and_inside_at_every_width(open_plain, ds, width):
    page = open_plain(lambda: penstock.explore(ds), width=width)
    for tab in ("epochs", "times", "batches"):
        page.locator(f"[data-tab={tab}]").click()
        box = page.get_by_test_id("coverage").bounding_box()
        says = page.get_by_test_id("coverage-says").bounding_box()
        assert box["width"] <= width
        assert box["height"] <= (144 if width < 760 else 120)
        assert says["x"] + says["width"] <= box["x"] + box["width"] + 1
        assert page.get_by_test_id("coverage-says").evaluate("e => e.scrollHeight <= e.clientHeight + 1")
