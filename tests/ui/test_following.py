"""The Explorer follows what Python does, and shows after a reload what it showed before."""

from __future__ import annotations

import re

from playwright.sync_api import expect

import penstock
from tests.ui.explorer import explorer_of

EMPTY = {"images": None, "labels": [], "boxes": None}


def test_the_page_follows_python(open_plain, tmp_path):
    path = tmp_path / "demo.penstock"
    ds = penstock.demo(path, num_samples=80)
    explorer = explorer_of(open_plain(lambda: penstock.explore(ds)))
    header, behind = (explorer.root.get_by_test_id(f"penstock-{name}") for name in ("header", "behind"))
    expect(header).to_contain_text("80 samples")
    ds.pop(0)
    ds.labels[0] = [5] * len(ds.labels[0].numpy())
    expect(header).to_contain_text("79 samples")
    expect(header).to_contain_text("1 unsaved edit")
    expect(explorer.root.get_by_test_id("penstock-funnel")).to_contain_text("79 rows")
    other = penstock.load(path)
    other.append(EMPTY)
    other.flush()
    expect(behind).to_contain_text("Another session has written")
    explorer.root.get_by_test_id("penstock-update").click()
    expect(behind).to_have_count(0)
    expect(header).to_contain_text("80 samples")
    with ds:
        ds.append(EMPTY)
        expect(behind).to_contain_text("A `with` block is writing")
        expect(header).to_contain_text("80 samples")
    expect(header).to_contain_text("81 samples")
    expect(behind).to_have_count(0)
    explorer.expect_no_page_errors()


def test_a_reload_shows_the_filter_and_the_selection_again(open_plain, tmp_path):
    ds = penstock.demo(tmp_path / "demo.penstock", num_samples=80)
    page = open_plain(lambda: penstock.explore(ds), width=1220)
    explorer = explorer_of(page)
    explorer.bar("Cross").click()
    grid = explorer.root.get_by_test_id("penstock-grid")
    expect(grid).not_to_have_attribute("data-pool", "80")
    shown = grid.get_attribute("data-pool")
    grid.focus()
    grid.press("Shift+ArrowRight")
    expect(explorer.root.get_by_test_id("penstock-selection-menu")).to_contain_text("2 selected")
    page.wait_for_timeout(500)  # the panel's settings rest, then reach the kernel
    page.reload()
    again = explorer_of(page)
    grid = again.root.get_by_test_id("penstock-grid")
    expect(grid).to_have_attribute("data-pool", shown)
    expect(again.root.locator(".penstock-class-chip .penstock-chip-text").first).to_contain_text(re.compile("Cross"))
    expect(grid.locator("[aria-selected=true]")).to_have_count(2)
    again.expect_no_page_errors()
