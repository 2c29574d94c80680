"""Who changed a sample, when and how: beside the title of the sample on show."""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import penstock
from tests.ui.widths import exhaustive

PICTURES = os.environ.get("PENSTOCK_HISTORY_PICTURES")  # a folder, to look at


@pytest.fixture
def ds(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_AUTHOR", "ann")
    dataset = penstock.demo(tmp_path / "demo", num_samples=12, seed=3)
    dataset.labels[0] = ["Ring"]
    dataset.commit("a ring")
    to_the_right = (4, 0, 0, 0)
    dataset.boxes[0] = dataset.boxes[0].numpy() + to_the_right
    dataset.commit("a little to the right")
    return dataset


def opened(page):
    page.get_by_test_id("penstock-grid").locator("[data-position='0']").click()
    page.get_by_test_id("penstock-sample-history").first.focus()
    page.keyboard.press("Enter")
    return page.get_by_test_id("penstock-history-list").locator("li")


@pytest.mark.parametrize(("theme", "width"), [*exhaustive(("light", 1220)), ("dark", 848), *exhaustive(("light", 420))])
def test_the_history_of_a_sample_is_read_by_keyboard(open_plain, ds, theme, width):
    page = open_plain(lambda: penstock.explore(ds, theme=theme), width=width, height=1000)
    entries = opened(page)
    expect(entries).to_have_count(3)
    expect(entries.nth(0)).to_contain_text("a little to the right")
    expect(entries.nth(0)).to_contain_text("box 1 moved 4 px right")
    expect(entries.nth(1)).to_contain_text("+ Ring")
    expect(entries.nth(2)).to_contain_text("+ added sample")
    expect(entries.nth(2)).to_contain_text("ann, ")
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/history-{width}-{theme}.png")
    axe = Axe().run(page, context="[data-testid=penstock-history-list]")
    assert axe.violations_count == 0, axe.generate_report()
    page.keyboard.press("Escape")
    expect(entries).to_have_count(0)
    expect(page.get_by_test_id("penstock-sample-history").first).to_be_focused()
    assert page.faults == []


@pytest.mark.parametrize("width", [1220, 848])
def test_the_step_to_the_next_sample_stands_beside_the_title_with_the_history(open_plain, ds, width):
    page = open_plain(lambda: penstock.explore(ds), width=width)
    page.get_by_test_id("penstock-grid").locator("[data-position='0']").click()
    panel = page.locator(".penstock-detail-title")
    step = panel.get_by_role("button", name="Next sample")
    expect(step).to_be_in_viewport(ratio=1)
    title, button = panel.bounding_box(), step.bounding_box()
    assert button["x"] + button["width"] <= title["x"] + title["width"] + 0.5
    assert title["height"] < 30


def test_an_edit_that_is_not_committed_is_on_top(open_plain, ds):
    ds.labels[0] = ["Cross"]
    page = open_plain(lambda: penstock.explore(ds))
    entries = opened(page)
    expect(entries).to_have_count(4)
    expect(entries.nth(0)).to_contain_text("uncommitted")
    expect(entries.nth(0)).to_contain_text("− Ring")
    expect(entries.nth(0)).to_contain_text("+ Cross")
    ds.commit("a cross after all")
    expect(entries.nth(0)).to_contain_text("a cross after all")
    expect(entries).to_have_count(4)
